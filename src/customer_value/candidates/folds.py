"""Time-ordered folds: learn from windows that had ended by a date, predict those that begin on it.

They lie wholly within the examples they are given, so that whoever holds out later windows for a
judgement of its own can tune and weigh on the earlier ones without having seen them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from scipy import special

from customer_value import churn
from customer_value.backtest import MINIMUM_CUSTOMERS


@dataclass(frozen=True)
class Fold:
    """Training examples parted at a date.

    Attributes:
        as_of_date: the date.
        earlier: examples whose windows had ended by then, in the order that they had.
        later: examples that look from the date, at every horizon that has ended by the end.
    """

    as_of_date: dt.date
    earlier: pd.DataFrame
    later: pd.DataFrame

    def with_chances(self, run: Mapping[str, Any]) -> pd.DataFrame:
        """The later examples, and beside them the chance of an order as known on the date."""
        model, _ = churn.fit(self.earlier, run["churn_window_days"])
        chance = special.expit(-model.linear_predictor(self.later))
        return self.later.assign(order_probability=chance)


def folds(examples: pd.DataFrame, count: int = 2) -> list[Fold]:
    """At most so many folds, the latest last.

    Args:
        examples: rows of training_examples, in the order of their key.
        count: how many at most. They are spread over the dates on which both sides hold enough
            customers to tell, and whose longest horizon is not among the shorter half: a model
            that is right for the next fortnight may be wrong for the next year.
    """
    if examples.empty:
        return []
    ends = examples["as_of_date"] + pd.to_timedelta(examples["horizon_days"], unit="D")
    usable: list[tuple[int, Fold]] = []
    for as_of_date in pd.DatetimeIndex(examples["as_of_date"].unique()).sort_values():
        fold = Fold(
            as_of_date.date(),
            examples[ends <= as_of_date].reset_index(drop=True),
            examples[examples["as_of_date"] == as_of_date].reset_index(drop=True),
        )
        sides = (fold.earlier, fold.later)
        if min(side["customer_id"].nunique() for side in sides) >= MINIMUM_CUSTOMERS:
            usable.append((int(fold.later["horizon_days"].max()), fold))
    if not usable:
        return []
    middle = sorted(horizon for horizon, _ in usable)[len(usable) // 2]
    telling = [fold for horizon, fold in usable if horizon >= middle]
    # The latest, and others evenly before it.
    step = max(1, len(telling) // count)
    return telling[::-1][::step][:count][::-1]
