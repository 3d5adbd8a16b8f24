"""Standardised columns, held within the range of the examples that were learnt from.

A function that bends has nothing to go by beyond that range, where it may run off anywhere; so
it is asked about the nearest end instead.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from customer_value.candidates.scores import columns

Floats = NDArray[np.float64]

LEAST_DEVIATION = 1e-9
# No logarithm of a time or an amount is as large.
BEYOND_ANY = 1000.0


@dataclass(frozen=True)
class Inputs:
    """Columns with their ranges, means and deviations.

    Attributes:
        columns: their names, as columns.values_of takes them.
        lower: the least value among the examples; upper: the largest.
        mean: of the examples; deviation: their standard deviation, 1 where there is none.
    """

    columns: tuple[str, ...]
    lower: Floats
    upper: Floats
    mean: Floats
    deviation: Floats

    @classmethod
    def of(cls, examples: pd.DataFrame, names: Sequence[str], free: Collection[str] = ()) -> Self:
        """The ranges, means and deviations of these examples; ``free`` columns have no range."""
        raw = columns.values_of(examples, names)
        deviation = raw.std(axis=0)
        is_free = np.array([name in free for name in names])
        return cls(
            tuple(names),
            np.where(is_free, -BEYOND_ANY, raw.min(axis=0)),
            np.where(is_free, BEYOND_ANY, raw.max(axis=0)),
            raw.mean(axis=0),
            np.where(deviation > LEAST_DEVIATION, deviation, 1.0),
        )

    def standardised(self, examples: pd.DataFrame) -> Floats:
        """Shape (rows, columns)."""
        raw = columns.values_of(examples, self.columns)
        return np.asarray((np.clip(raw, self.lower, self.upper) - self.mean) / self.deviation)

    def sums_sql(self, weights: Floats, intercepts: Floats) -> list[str]:
        """For each row of weights their sum with the standardised columns, plus its intercept."""
        held = [
            f"least(greatest({columns.sql_of(name)}, {columns.number(lower)}), "
            f"{columns.number(upper)})"
            for name, lower, upper in zip(self.columns, self.lower, self.upper, strict=True)
        ]
        raw_weights = weights / self.deviation
        raw_intercepts = intercepts - raw_weights @ self.mean
        return [
            " + ".join(
                [
                    columns.number(intercept),
                    *(
                        f"{columns.number(weight)} * {column}"
                        for weight, column in zip(row, held, strict=True)
                        if weight != 0
                    ),
                ]
            )
            for row, intercept in zip(raw_weights, raw_intercepts, strict=True)
        ]

    def to_dict(self) -> dict[str, Any]:
        """All of it in types that JSON has."""
        return {
            "columns": list(self.columns),
            "lower": self.lower.tolist(),
            "upper": self.upper.tolist(),
            "mean": self.mean.tolist(),
            "deviation": self.deviation.tolist(),
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """The inputs that to_dict told of."""
        arrays = (
            np.array(told[name], dtype=np.float64)
            for name in ("lower", "upper", "mean", "deviation")
        )
        return cls(tuple(told["columns"]), *arrays)
