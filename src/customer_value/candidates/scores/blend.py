"""A weighted sum of other functions: log odds pooled, or logarithms of amounts averaged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from customer_value.candidates.scores.columns import number
from customer_value.candidates.scores.score import Score

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Blend:
    """An intercept, and functions with their weights.

    Attributes:
        intercept: what is added to the sum.
        parts: weight and function, in the order that they are added up.
    """

    kind: ClassVar[str] = "blend"

    intercept: float
    parts: Sequence[tuple[float, Score]]

    def values(self, examples: pd.DataFrame) -> Floats:
        """The weighted sum."""
        total = np.full(len(examples), self.intercept)
        for weight, score in self.parts:
            total += weight * score.values(examples)
        return total

    def sql(self) -> str | None:
        """The weighted sum, where every part can be said."""
        terms = [number(self.intercept)]
        for weight, score in self.parts:
            expression = score.sql()
            if expression is None:
                return None
            terms.append(f"{number(weight)} * ({expression})")
        return " + ".join(terms)

    def to_dict(self) -> dict[str, Any]:
        """Weights and functions."""
        return {
            "kind": self.kind,
            "intercept": float(self.intercept),
            "parts": [
                {"weight": float(weight), "score": score.to_dict()} for weight, score in self.parts
            ],
        }
