"""A sum of bent sums: hidden units of a neural network, or cosines of random features.

Each unit takes a weighted sum of standardised columns and bends it: max(0, s), or cos(s).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from customer_value.candidates.scores.columns import number
from customer_value.candidates.scores.inputs import Inputs

Floats = NDArray[np.float64]

RECTIFIED = "rectified"
COSINE = "cosine"


@dataclass(frozen=True)
class Units:
    """An intercept plus the units' values, each times its strength.

    Attributes:
        inputs: the columns, standardised.
        bend: ``rectified`` or ``cosine``.
        weights: of the columns in each unit, shape (units, columns).
        offsets: what is added to each unit's sum, shape (units,).
        strengths: shape (units,).
        intercept: what is added to the sum of all.
    """

    kind: ClassVar[str] = "units"

    inputs: Inputs
    bend: str
    weights: Floats
    offsets: Floats
    strengths: Floats
    intercept: float

    def each(self, examples: pd.DataFrame) -> Floats:
        """The units side by side, shape (rows, units)."""
        sums = self.inputs.standardised(examples) @ self.weights.T + self.offsets
        return np.asarray(np.maximum(sums, 0) if self.bend == RECTIFIED else np.cos(sums))

    def weighed(self, strengths: Floats) -> Units:
        """The same units with these strengths."""
        return replace(self, strengths=strengths)

    def values(self, examples: pd.DataFrame) -> Floats:
        """The sum over units."""
        return np.asarray(self.each(examples) @ self.strengths + self.intercept)

    def sql(self) -> str:
        """One term for each unit."""
        before, after = ("greatest(0, ", ")") if self.bend == RECTIFIED else ("cos(", ")")
        sums = self.inputs.sums_sql(self.weights, self.offsets)
        terms = [
            f"{number(strength)} * {before}{expression}{after}"
            for strength, expression in zip(self.strengths, sums, strict=True)
        ]
        return " + ".join([number(self.intercept), *terms])

    def to_dict(self) -> dict[str, Any]:
        """All weights."""
        return {
            "kind": self.kind,
            "inputs": self.inputs.to_dict(),
            "bend": self.bend,
            "weights": self.weights.tolist(),
            "offsets": self.offsets.tolist(),
            "strengths": self.strengths.tolist(),
            "intercept": float(self.intercept),
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """The function that to_dict told of."""
        weights, offsets, strengths = (
            np.array(told[name], dtype=np.float64) for name in ("weights", "offsets", "strengths")
        )
        return cls(
            Inputs.from_dict(told["inputs"]),
            str(told["bend"]),
            weights,
            offsets,
            strengths,
            float(told["intercept"]),
        )
