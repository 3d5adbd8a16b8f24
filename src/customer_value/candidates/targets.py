"""What candidates learn: who churned, who spent most, and how much against the own baseline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from customer_value import spend

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

TOP_SHARE = 0.1


def is_churned(examples: pd.DataFrame) -> Flags:
    """Whether no order followed within the horizon."""
    return examples["is_churned_in_horizon"].to_numpy(dtype=bool)


def is_high_value(examples: pd.DataFrame) -> Flags:
    """Whether the net amount within the horizon was among the top tenth, and above 0.

    Compared are the examples of one as_of_date and horizon. Where amounts tie about the edge, all
    of them are out: a tenth is never exceeded.
    """
    amount = net_amount(examples)
    rank = (
        pd.DataFrame(
            {
                "amount": amount,
                "as_of_date": examples["as_of_date"].to_numpy(),
                "horizon_days": examples["horizon_days"].to_numpy(),
            }
        )
        .groupby(["as_of_date", "horizon_days"])["amount"]
        .rank(method="max", ascending=False, pct=True)
    )
    return (rank.to_numpy(dtype=np.float64) <= TOP_SHARE) & (amount > 0)


def with_enough_buyers(examples: pd.DataFrame) -> Flags:
    """Whether a tenth or more bought in the window of an example: else all of them are the top."""
    buyers = (
        examples.assign(is_active=~is_churned(examples))
        .groupby(["as_of_date", "horizon_days"])["is_active"]
        .transform("mean")
    )
    return buyers.to_numpy(dtype=np.float64) >= TOP_SHARE


def net_amount(examples: pd.DataFrame) -> Floats:
    """The net amount within the horizon, at least 0."""
    return np.asarray(np.maximum(examples["net_amount_in_horizon"].to_numpy(dtype=np.float64), 0))


@dataclass(frozen=True)
class RatioTarget:
    """The ratio of the amount to the personal baseline, as regressions learn it.

    Attributes:
        examples: those that are learnt from.
        ratio: relative to the mean ratio, which ``scale`` is.
        weight: the square root of the baseline, of mean 1. Unweighted, small baselines would set
            the level of large ones; weighted fully, a few customers would set everything.
    """

    examples: pd.DataFrame
    ratio: Floats
    weight: Floats
    scale: float

    def sampled(self, rows: int, random_seed: int) -> pd.DataFrame:
        """At most so many of the examples, with ``ratio`` and ``weight`` beside them."""
        return sampled(
            self.examples.assign(ratio=self.ratio, weight=self.weight), rows, random_seed
        )


def ratio_if_any(examples: pd.DataFrame) -> RatioTarget:
    """Of the examples with an order. Ratios far up are cut, as spend.fit does."""
    return _ratio(examples[~is_churned(examples)], spend.RATIO_FLOOR)


def ratio(examples: pd.DataFrame) -> RatioTarget:
    """Of all examples, 0 where there was no order."""
    return _ratio(examples, 0.0)


def _ratio(examples: pd.DataFrame, floor: float) -> RatioTarget:
    base = spend.baseline(examples)
    values = np.maximum(net_amount(examples) / base, floor)
    is_positive = values > 0
    if is_positive.any():
        cap = np.quantile(values[is_positive], spend.RATIO_CAP_QUANTILE)
        values = np.minimum(values, cap)
    weight = np.sqrt(base)
    scale = float(np.average(values, weights=weight))
    return RatioTarget(examples, values / scale, weight / weight.mean(), scale)


def sampled(examples: pd.DataFrame, rows: int, random_seed: int) -> pd.DataFrame:
    """At most so many examples, drawn by the seed, in the order that they had."""
    if len(examples) <= rows:
        return examples
    drawn = np.random.default_rng(random_seed).choice(len(examples), rows, replace=False)
    return examples.iloc[np.sort(drawn)]
