"""Value intervals: between which multiples of its prediction a customer's value falls."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Bands end at these shares of customers by chance of an order, finer at the top, where most of
# the value is; each band holds at least so many customers.
BAND_SHARES = (0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98, 0.99)
MINIMUM_PER_BAND = 40


def interval_bands(
    order_probability: Floats, ratio: Floats, level: float
) -> list[dict[str, float]]:
    """Between which multiples of its prediction a customer's value falls, by chance of an order.

    Order statistics of actual over predicted among held-out customers of about the same chance:
    at least the share ``level`` of them fell between the two (a split conformal interval by band,
    after Vovk, Gammerman and Shafer, 2005).

    Args:
        order_probability: the chance of at least one order, one per held-out customer.
        ratio: actual over predicted amount, likewise.
        level: the share of customers to cover, in 0..1.

    Returns:
        Bands from 0 to above 1, without gaps, each with its two multiples.
    """
    shares = [
        share for share in BAND_SHARES if min(share, 1 - share) * len(ratio) >= MINIMUM_PER_BAND
    ]
    inner = np.unique(np.quantile(order_probability, shares))
    edges = [0.0, *(round(float(edge), 9) for edge in inner), 2.0]
    bands: list[dict[str, float]] = []
    for start, end in pairwise(edges):
        members = ratio[(order_probability >= start) & (order_probability < end)]
        if len(members) == 0:
            continue
        lower, upper = _conformal_ends(members, level)
        bands.append(
            {
                "order_probability_from": bands[-1]["order_probability_to"] if bands else 0.0,
                "order_probability_to": end,
                "lower_ratio": round(max(0.0, lower), 9),
                "upper_ratio": round(max(0.0, upper), 9),
            }
        )
    bands[-1]["order_probability_to"] = 2.0
    return bands


def _conformal_ends(ratio: Floats, level: float) -> tuple[float, float]:
    """The order statistics between which the next ratio falls with at least this chance.

    The ranks floor((n + 1) a / 2) and ceil((n + 1) (1 - a / 2)) with a = 1 - level, where
    interpolated quantiles would promise a little too much.
    """
    ranked, count = np.sort(ratio), len(ratio)
    # Rounded, so that a whole rank is not lost to the last bit of 1 - 0.8.
    tail = round((count + 1) * (1 - level) / 2, 9)
    lower_rank = math.floor(tail)
    upper_rank = min(math.ceil(count + 1 - tail), count)
    return float(ranked[lower_rank - 1]) if lower_rank else 0.0, float(ranked[upper_rank - 1])


def band_without_evidence(level: float) -> dict[str, float]:
    """As wide as if amounts fell off exponentially, for want of anything to measure."""
    return {
        "order_probability_from": 0.0,
        "order_probability_to": 2.0,
        "lower_ratio": 0.0,
        "upper_ratio": round(-math.log((1 - level) / 2), 9),
    }
