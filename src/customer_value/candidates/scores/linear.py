"""A linear function of columns, translated by orbital."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import LinearRegression

from customer_value import scoring_sql
from customer_value.candidates.scores import columns
from customer_value.horizon_model import HorizonModel

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Linear:
    """An intercept, and a coefficient for each column.

    Attributes:
        intercept: the value where all columns are 0.
        coefficients: column to coefficient.
    """

    kind: ClassVar[str] = "linear"

    intercept: float
    coefficients: Mapping[str, float] = field(default_factory=dict, hash=False)

    @classmethod
    def of(cls, model: HorizonModel) -> Self:
        """What a horizon model has learnt."""
        coefficients = model.coefficients()
        return cls(coefficients.pop("intercept"), coefficients)

    def values(self, examples: pd.DataFrame) -> Floats:
        """The linear predictor of each example."""
        weights = np.array(list(self.coefficients.values()), dtype=np.float64)
        columns_of = columns.values_of(examples, list(self.coefficients))
        return np.asarray(columns_of @ weights + self.intercept)

    def sql(self) -> str:
        """As orbital says it."""
        if not self.coefficients:
            return columns.number(self.intercept)
        linear = LinearRegression()
        linear.coef_ = np.array(list(self.coefficients.values()), dtype=np.float64)
        linear.intercept_ = np.float64(self.intercept)
        linear.n_features_in_ = len(self.coefficients)
        linear.feature_names_in_ = np.array(list(self.coefficients), dtype=object)
        return scoring_sql.linear_predictor_sql(linear)

    def to_dict(self) -> dict[str, Any]:
        """Intercept and coefficients."""
        return {
            "kind": self.kind,
            "intercept": float(self.intercept),
            "coefficients": {name: float(value) for name, value in self.coefficients.items()},
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """The function that to_dict told of."""
        return cls(float(told["intercept"]), dict(told["coefficients"]))
