"""Forecasts that need no learning, as numbers and as SQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from customer_value.candidates.scores.columns import LOG_HORIZON, number

Floats = NDArray[np.float64]

# Money that is nothing in any currency, but has a logarithm.
LEAST_AMOUNT = 1e-9
# The trailing windows that customer_features sums, in days, and the horizons at which the next
# longer one is nearer on a logarithmic scale.
WINDOWS = (30, 90, 180, 365)
WINDOW_EDGES = tuple(float(np.log(days * longer) / 2) for days, longer in pairwise(WINDOWS))


@dataclass(frozen=True)
class Formula:
    """One of FORMULAS, by its name."""

    kind: ClassVar[str] = "formula"

    name: str

    def values(self, examples: pd.DataFrame) -> Floats:
        """The formula of each example."""
        return FORMULAS[self.name][0](examples)

    def sql(self) -> str:
        """The formula over columns."""
        return FORMULAS[self.name][1]

    def to_dict(self) -> dict[str, Any]:
        """Its name."""
        return {"kind": self.kind, "name": self.name}

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """The formula of that name."""
        return cls(str(told["name"]))


def _column(examples: pd.DataFrame, name: str) -> Floats:
    return examples[name].to_numpy(dtype=np.float64)


def _horizon(examples: pd.DataFrame) -> Floats:
    return np.exp(_column(examples, LOG_HORIZON))


def _no_order_at_own_pace(examples: pd.DataFrame) -> Floats:
    """The log odds of exp(-λh), no event of a Poisson process."""
    expected = _column(examples, "purchases_per_day") * _horizon(examples)
    return np.asarray(-(expected + np.log(-np.expm1(-expected))))


def _amount_at_own_pace(examples: pd.DataFrame) -> Floats:
    """What has been spent so far, over as many days as there were, for as many as there will be."""
    spent = np.maximum(_column(examples, "net_amount"), 0) / _column(examples, "tenure_days")
    return np.log(np.maximum(spent * _horizon(examples), LEAST_AMOUNT))


def _amount_of_last_window(examples: pd.DataFrame) -> Floats:
    """What was spent in the trailing window whose length is nearest to the horizon's."""
    nearest = np.searchsorted(WINDOW_EDGES, _column(examples, LOG_HORIZON))
    daily = np.column_stack(
        [_column(examples, f"net_last_{days}_days_amount") / days for days in WINDOWS]
    )[np.arange(len(examples)), nearest]
    return np.log(np.maximum(daily * _horizon(examples), LEAST_AMOUNT))


_HORIZON_SQL = f'exp("{LOG_HORIZON}")'
_SPENT_SQL = 'greatest(cast("net_amount" as double), 0) / "tenure_days"'
_LAST_WINDOW_SQL = (
    "case "
    + " ".join(
        f'when "{LOG_HORIZON}" <= {number(edge)} '
        f'then cast("net_last_{days}_days_amount" as double) / {days}'
        for days, edge in zip(WINDOWS[:-1], WINDOW_EDGES, strict=True)
    )
    + f' else cast("net_last_{WINDOWS[-1]}_days_amount" as double) / {WINDOWS[-1]} end'
)
_EXPECTED_SQL = f'("purchases_per_day" * {_HORIZON_SQL})'

FORMULAS: dict[str, tuple[Callable[[pd.DataFrame], Floats], str]] = {
    "no_order_at_own_pace": (
        _no_order_at_own_pace,
        f"-({_EXPECTED_SQL} + ln(1 - exp(-{_EXPECTED_SQL})))",
    ),
    "amount_at_own_pace": (
        _amount_at_own_pace,
        f"ln(greatest({_SPENT_SQL} * {_HORIZON_SQL}, {number(LEAST_AMOUNT)}))",
    ),
    "amount_of_last_window": (
        _amount_of_last_window,
        f"ln(greatest({_LAST_WINDOW_SQL} * {_HORIZON_SQL}, {number(LEAST_AMOUNT)}))",
    ),
}
