"""A linear predictor that is affine in the logarithm of the horizon.

For customer i and a horizon of h days it is a(i) + b(i) * ln h, where a is linear in all
features and b in some of them. So one model answers every horizon, and two numbers per
customer say what it answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.linear_model import LinearRegression

from customer_value import scoring_sql

Floats = NDArray[np.float64]


class HorizonModel(BaseEstimator):  # type: ignore[misc]
    """A generalised linear model of features, the log horizon and products of the two.

    Features are standardised, and products are taken of what has been standardised, so that
    the penalty treats them alike; the fitted coefficients are then folded back into those of
    the features as they are.

    Args:
        estimator: an unfitted scikit-learn linear model with ``coef_`` and ``intercept_``.
        features: the columns that it reads.
        by_horizon: those of them whose effect depends on the horizon.

    Attributes:
        linear_: a linear regression over the raw columns, interactions included.
        means_: the mean of each feature over the training examples.
    """

    def __init__(
        self, estimator: BaseEstimator, features: Sequence[str], by_horizon: Sequence[str]
    ) -> None:
        """Keep the arguments as they are; fit looks at them."""
        self.estimator = estimator
        self.features = features
        self.by_horizon = by_horizon

    def fit(self, examples: pd.DataFrame, target: Floats, weight: Floats | None = None) -> Self:
        """Fit on one row per example, with the features and ``log_horizon`` as columns."""
        raw = self._raw(examples)
        self.means_ = raw.mean(axis=0)
        deviation = raw.std(axis=0)
        # A column without variation says nothing; dividing by 1 leaves it at 0.
        self.deviations_ = np.where(deviation > 1e-9, deviation, 1.0)
        options = {} if weight is None else {"sample_weight": weight}
        self.estimator_ = clone(self.estimator).fit(self._design(raw), target, **options)
        self.linear_ = self._unstandardised(
            np.ravel(self.estimator_.coef_), float(np.ravel(self.estimator_.intercept_)[0])
        )
        return self

    def fixed(self, intercept: float, slope: float) -> Self:
        """The same for every customer: intercept + slope * ln h, for want of anything to learn."""
        self.means_ = np.zeros(len(self.features) + 1)
        self.linear_ = self._linear(np.zeros(len(self.features)), slope, {}, intercept)
        return self

    def shifted(self, amount: float) -> Self:
        """Add a constant to the linear predictor, in place."""
        self.linear_.intercept_ = np.float64(self.linear_.intercept_ + amount)
        return self

    def linear_predictor(self, examples: pd.DataFrame) -> Floats:
        """The linear predictor of each example, as the raw coefficients give it."""
        frame = scoring_sql.with_interactions(examples, self.by_horizon)
        predicted = self.linear_.predict(frame[list(self.linear_.feature_names_in_)])
        return np.asarray(predicted, dtype=np.float64)

    def coefficients(self) -> dict[str, float]:
        """Each raw column's coefficient, and the intercept."""
        names = self.linear_.feature_names_in_
        named = {str(n): float(c) for n, c in zip(names, self.linear_.coef_, strict=True)}
        return {"intercept": float(self.linear_.intercept_), **named}

    def design(self, examples: pd.DataFrame) -> Floats:
        """What the fitted estimator itself reads, for a check against its own predictions."""
        return self._design(self._raw(examples))

    def _raw(self, examples: pd.DataFrame) -> Floats:
        columns = [*self.features, scoring_sql.LOG_HORIZON]
        return examples[columns].to_numpy(dtype=np.float64)

    def _design(self, raw: Floats) -> Floats:
        standardised = (raw - self.means_) / self.deviations_
        positions = [list(self.features).index(name) for name in self.by_horizon]
        return np.column_stack([standardised, standardised[:, positions] * standardised[:, -1:]])

    def _unstandardised(self, coefficients: Floats, intercept: float) -> LinearRegression:
        count = len(self.features)
        scaled = coefficients[: count + 1] / self.deviations_
        mean_log_horizon, deviation_log_horizon = self.means_[-1], self.deviations_[-1]
        main, slope = scaled[:-1].copy(), float(scaled[-1])
        constant = intercept - float(scaled @ self.means_)
        products: dict[str, float] = {}
        for name, coefficient in zip(self.by_horizon, coefficients[count + 1 :], strict=True):
            position = list(self.features).index(name)
            product = coefficient / (self.deviations_[position] * deviation_log_horizon)
            products[name] = float(product)
            main[position] -= product * mean_log_horizon
            slope -= float(product * self.means_[position])
            constant += float(product * self.means_[position] * mean_log_horizon)
        return self._linear(main, slope, products, constant)

    def _linear(
        self, main: Floats, slope: float, products: dict[str, float], intercept: float
    ) -> LinearRegression:
        names: list[Any] = [
            *self.features,
            scoring_sql.LOG_HORIZON,
            *(f"{name}{scoring_sql.INTERACTION_SUFFIX}" for name in self.by_horizon),
        ]
        linear = LinearRegression()
        linear.coef_ = np.array([*main, slope, *(products.get(n, 0.0) for n in self.by_horizon)])
        linear.intercept_ = np.float64(intercept)
        linear.n_features_in_ = len(names)
        linear.feature_names_in_ = np.array(names, dtype=object)
        return linear
