"""The columns of a linear model whose effects may bend: standardised, with knots at quantiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from customer_value import scoring_sql
from customer_value.candidates.scores import columns
from customer_value.candidates.scores.hinges import Hinges, hinge_values
from customer_value.candidates.scores.linear import Linear

Floats = NDArray[np.float64]

# Fewer distinct values than this are an indicator or a small count, which has no bends to find.
LEAST_DISTINCT = 10
LEAST_DEVIATION = 1e-9


@dataclass(frozen=True)
class SplineDesign:
    """Features, the log horizon, products of the two, and hinges.

    Products are taken of what has been standardised, as a HorizonModel does: uncentred, a penalty
    on them bends how the answer goes on beyond the longest horizon seen.

    Attributes:
        columns: the features, and the log horizon as the last.
        by_horizon: those of the features that are also multiplied by it.
        hinged: the column that each knot lies on; knots: where.
        mean: of columns and hinges, in this order; deviation: their standard deviation.
    """

    columns: tuple[str, ...]
    by_horizon: tuple[str, ...]
    hinged: tuple[str, ...]
    knots: tuple[float, ...]
    mean: Floats
    deviation: Floats

    @classmethod
    def of(
        cls,
        examples: pd.DataFrame,
        features: Sequence[str],
        by_horizon: Sequence[str],
        quantiles: Sequence[float] = (),
    ) -> Self:
        """Lay the knots at these quantiles of the examples."""
        names = (*features, columns.LOG_HORIZON)
        hinged: list[str] = []
        knots: list[float] = []
        for name in names if quantiles else ():
            values = columns.values_of(examples, [name])[:, 0]
            if len(np.unique(values)) < LEAST_DISTINCT:
                continue
            inner = np.unique(np.quantile(values, quantiles))
            inner = inner[(inner > values.min()) & (inner < values.max())]
            hinged.extend([name] * len(inner))
            knots.extend(map(float, inner))
        raw = cls._raw(examples, names, hinged, knots)
        deviation = raw.std(axis=0)
        return cls(
            names,
            tuple(by_horizon),
            tuple(hinged),
            tuple(knots),
            raw.mean(axis=0),
            np.where(deviation > LEAST_DEVIATION, deviation, 1.0),
        )

    @staticmethod
    def _raw(
        examples: pd.DataFrame, names: Sequence[str], hinged: Sequence[str], knots: Sequence[float]
    ) -> Floats:
        linear = columns.values_of(examples, names)
        return np.hstack([linear, hinge_values(examples, hinged, knots)]) if knots else linear

    @property
    def width(self) -> int:
        """How many columns the matrix has."""
        return len(self.mean) + len(self.by_horizon)

    def matrix(self, examples: pd.DataFrame) -> Floats:
        """Columns and hinges standardised, and the products; shape (rows, width)."""
        raw = self._raw(examples, self.columns, self.hinged, self.knots)
        standardised = (raw - self.mean) / self.deviation
        horizon = standardised[:, [len(self.columns) - 1]]
        positions = [self.columns.index(name) for name in self.by_horizon]
        return np.hstack([standardised, standardised[:, positions] * horizon])

    def score(self, coefficients: Floats, intercept: float) -> Linear | Hinges:
        """The function that these coefficients of the matrix make, of the columns as they are."""
        raw = coefficients[: len(self.mean)] / self.deviation
        constant = float(intercept - raw @ self.mean)
        count = len(self.columns)
        folded = dict(zip(self.columns, map(float, raw[:count]), strict=True))
        center, spread = float(self.mean[count - 1]), float(self.deviation[count - 1])
        for name, coefficient in zip(self.by_horizon, coefficients[len(self.mean) :], strict=True):
            position = self.columns.index(name)
            mean = float(self.mean[position])
            product = float(coefficient / (self.deviation[position] * spread))
            folded[f"{name}{scoring_sql.INTERACTION_SUFFIX}"] = product
            folded[name] -= product * center
            folded[columns.LOG_HORIZON] -= product * mean
            constant += product * mean * center
        linear = Linear(constant, folded)
        if not self.knots:
            return linear
        return Hinges(linear, self.hinged, self.knots, tuple(map(float, raw[count:])))
