"""Whether a subscriber's next renewal comes, as a function of one example."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from customer_value.candidates.scores.columns import LOG_HORIZON, number

Floats = NDArray[np.float64]

# As shares of the gap: until when a renewal is early, from when it is late, and missed for good.
EARLY = 0.9
LATE = 1.1
MISSED = 1.5


@dataclass(frozen=True)
class Renewal:
    """The log odds that no renewal follows within the horizon.

    Where one falls due within it, those of leaving then, α / (β + renewals so far). Where none
    does, or the last one is late or missed, the share of such examples in which none followed.

    Attributes:
        alpha: of the model; beta: likewise.
        usual_gap: days, of those who have no gap of their own yet.
        waiting: log odds where none falls due; late and missed: where the last one is.
    """

    kind: ClassVar[str] = "renewal"

    alpha: float
    beta: float
    usual_gap: float
    waiting: float = 0.0
    late: float = 0.0
    missed: float = 0.0

    def values(self, examples: pd.DataFrame) -> Floats:
        """By the state that each example is in."""
        state = self.states(examples)
        renewals = examples["purchase_day_count"].to_numpy(dtype=np.float64) - 1
        due = np.log(self.alpha / (self.beta + renewals))
        return np.select(
            [state == "missed", state == "late", state == "waiting"],
            [self.missed, self.late, self.waiting],
            due,
        )

    def states(self, examples: pd.DataFrame) -> NDArray[np.str_]:
        """The state of each example: missed, late, waiting or due."""
        gap = gaps(examples, self.usual_gap)
        recency = examples["recency_days"].to_numpy(dtype=np.float64)
        horizon = np.exp(examples[LOG_HORIZON].to_numpy(dtype=np.float64))
        return np.select(
            [recency > MISSED * gap, recency > LATE * gap, recency + horizon < EARLY * gap],
            ["missed", "late", "waiting"],
            "due",
        )

    def sql(self) -> str:
        """The same cases."""
        gap = (
            'case when "purchase_day_count" > 1 '
            'then greatest("average_days_between_purchases", 1) '
            f"else {number(self.usual_gap)} end"
        )
        return (
            f'case when "recency_days" > {number(MISSED)} * ({gap}) then {number(self.missed)} '
            f'when "recency_days" > {number(LATE)} * ({gap}) then {number(self.late)} '
            f'when "recency_days" + exp("{LOG_HORIZON}") < {number(EARLY)} * ({gap}) '
            f"then {number(self.waiting)} "
            f"else ln({number(self.alpha)} / ({number(self.beta)} + "
            '("purchase_day_count" - 1))) end'
        )

    def to_dict(self) -> dict[str, Any]:
        """All numbers."""
        names = ("alpha", "beta", "usual_gap", "waiting", "late", "missed")
        return {"kind": self.kind, **{name: float(getattr(self, name)) for name in names}}

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """The function that to_dict told of."""
        return cls(**{name: float(value) for name, value in told.items() if name != "kind"})


def gaps(examples: pd.DataFrame, usual_gap: float) -> Floats:
    """Days between renewals: the customer's own mean gap, or the usual one, at least a day."""
    has_own = examples["purchase_day_count"].to_numpy() > 1
    own = examples["average_days_between_purchases"].to_numpy(dtype=np.float64)
    return np.where(has_own, np.maximum(np.where(has_own, own, 1.0), 1.0), usual_gap)
