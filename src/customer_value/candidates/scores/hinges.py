"""A linear function of columns that bends at knots: a linear spline in each column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from customer_value.candidates.scores import columns
from customer_value.candidates.scores.linear import Linear

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Hinges:
    """A linear function, and for each knot how much steeper the column is beyond it.

    Attributes:
        linear: the part without knots.
        column: the column that each knot lies on.
        knot: where it bends.
        coefficient: of max(0, column - knot).
    """

    kind: ClassVar[str] = "hinges"

    linear: Linear
    column: tuple[str, ...]
    knot: tuple[float, ...]
    coefficient: tuple[float, ...]

    def values(self, examples: pd.DataFrame) -> Floats:
        """The linear predictor of each example."""
        bent = hinge_values(examples, self.column, self.knot)
        return np.asarray(self.linear.values(examples) + bent @ np.array(self.coefficient))

    def sql(self) -> str:
        """The linear part as orbital says it, and a term for each knot."""
        terms = [
            f"{columns.number(coefficient)} * "
            f"greatest({columns.sql_of(name)} - {columns.number(knot)}, 0)"
            for name, knot, coefficient in zip(
                self.column, self.knot, self.coefficient, strict=True
            )
        ]
        return " + ".join([f"({self.linear.sql()})", *terms])

    def to_dict(self) -> dict[str, Any]:
        """The linear part and the knots."""
        return {
            "kind": self.kind,
            "linear": self.linear.to_dict(),
            "column": list(self.column),
            "knot": [float(knot) for knot in self.knot],
            "coefficient": [float(value) for value in self.coefficient],
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """The function that to_dict told of."""
        return cls(
            Linear.from_dict(told["linear"]),
            tuple(told["column"]),
            tuple(told["knot"]),
            tuple(told["coefficient"]),
        )


def hinge_values(examples: pd.DataFrame, names: Sequence[str], knots: Sequence[float]) -> Floats:
    """max(0, column - knot), side by side."""
    return np.asarray(np.maximum(columns.values_of(examples, names) - np.array(knots), 0))
