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
    order_probability: Floats,
    ratio: Floats,
    level: float,
    origin: NDArray[np.int64] | None = None,
) -> list[dict[str, float]]:
    """Between which multiples of its prediction a customer's value falls, by chance of an order.

    Order statistics of actual over predicted among held-out customers of about the same chance:
    at least the share ``level`` of them fell between the two (a split conformal interval by band,
    after Vovk, Gammerman and Shafer, 2005). That holds for customers of the same dates. From one
    date to another the whole shop may be off, so the interval is the widest of what each origin
    asks for and what all do. A single origin can't tell how far origins differ: there half of what
    may lie outside is kept in hand.

    Args:
        order_probability: the chance of at least one order, one per held-out customer.
        ratio: actual over predicted amount, likewise.
        level: the share of customers to cover, in 0..1.
        origin: a number for the past date that each customer is of; None if all are of one.

    Returns:
        Bands from 0 to above 1, without gaps, each with its two multiples.
    """
    shares = [
        share for share in BAND_SHARES if min(share, 1 - share) * len(ratio) >= MINIMUM_PER_BAND
    ]
    inner = np.unique(np.quantile(order_probability, shares))
    edges = [0.0, *(round(float(edge), 9) for edge in inner), 2.0]
    of = np.zeros(len(ratio), dtype=np.int64) if origin is None else origin
    if len(np.unique(of)) == 1:
        level = (1 + level) / 2
    bands: list[dict[str, float]] = []
    for start, end in pairwise(edges):
        is_member = (order_probability >= start) & (order_probability < end)
        members, origins = ratio[is_member], of[is_member]
        if len(members) == 0:
            continue
        each = [members[origins == number] for number in np.unique(origins)]
        ends = [
            _conformal_ends(some, level)
            for some in (members, *each)
            if some is members or len(some) >= MINIMUM_PER_BAND
        ]
        lower, upper = min(low for low, _ in ends), max(high for _, high in ends)
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

    Either the ranks floor((n + 1) a / 2) and ceil((n + 1) (1 - a / 2)) with a = 1 - level, where
    interpolated quantiles would promise a little too much, or from 0 to the rank
    ceil((n + 1) level), whichever is shorter. Where a part of a / 2 bought nothing the lower end is
    0 either way, and all that may lie outside is above.
    """
    ranked, count = np.sort(ratio), len(ratio)
    # Rounded, so that a whole rank is not lost to the last bit of 1 - 0.8.
    tail = round((count + 1) * (1 - level), 9)
    lower_rank = math.floor(round(tail / 2, 9))
    lower = float(ranked[lower_rank - 1]) if lower_rank else 0.0
    upper, from_zero = (
        float(ranked[min(math.ceil(round(count + 1 - above, 9)), count) - 1])
        for above in (tail / 2, tail)
    )
    if from_zero < upper - max(0.0, lower):
        return 0.0, from_zero
    return lower, upper


def band_without_evidence(level: float) -> dict[str, float]:
    """As wide as if amounts fell off exponentially, for want of anything to measure."""
    return {
        "order_probability_from": 0.0,
        "order_probability_to": 2.0,
        "lower_ratio": 0.0,
        "upper_ratio": round(-math.log((1 - level) / 2), 9),
    }
