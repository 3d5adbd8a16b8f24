"""Linear models whose effects bend at knots: a logistic and a Gamma regression with splines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import GammaRegressor, LogisticRegression

from customer_value import churn, spend
from customer_value.candidates.learning import CHURN, Flags, ProbabilityCandidate, RatioCandidate
from customer_value.candidates.logistic import HIGH_VALUE_FEATURES
from customer_value.candidates.scores.hinges import Hinges
from customer_value.candidates.scores.linear import Linear
from customer_value.candidates.spline_design import SplineDesign
from customer_value.candidates.targets import RatioTarget, sampled

# Where half of the customers are on either side, and where the outer fifths begin.
KNOT_QUANTILES = (0.2, 0.5, 0.8)
MOST_ROWS = 60_000


class SplineLogistic(ProbabilityCandidate):
    """Log odds linear between knots, for features whose effect levels off."""

    name = "spline_logistic"
    settings = tuple({"inverse_penalty": c} for c in (0.03, 0.003, 0.3))

    def learn(
        self, examples: pd.DataFrame, is_event: Flags, run: Mapping[str, Any], **setting: Any
    ) -> Linear | Hinges:
        """Fit by lbfgs, all columns standardised, so that the penalty treats them alike."""
        rows = sampled(examples.assign(is_event=is_event), MOST_ROWS, run["random_seed"])
        features = churn.FEATURES if self.target == CHURN else HIGH_VALUE_FEATURES
        design = SplineDesign.of(rows, features, churn.BY_HORIZON, KNOT_QUANTILES)
        model = LogisticRegression(C=setting["inverse_penalty"], max_iter=1000)
        model.fit(design.matrix(rows), rows["is_event"])
        return design.score(model.coef_[0], float(model.intercept_[0]))


class SplineGamma(RatioCandidate):
    """The logarithm of the ratio linear between knots."""

    name = "spline_gamma"
    settings = tuple({"penalty": penalty} for penalty in (0.3, 0.03, 1.0))

    def learn_ratio(
        self, target: RatioTarget, run: Mapping[str, Any], **setting: Any
    ) -> Linear | Hinges:
        """Fit by Newton's method."""
        design = SplineDesign.of(target.examples, spend.FEATURES, spend.BY_HORIZON, KNOT_QUANTILES)
        model = GammaRegressor(alpha=setting["penalty"], solver="newton-cholesky", max_iter=200)
        model.fit(design.matrix(target.examples), target.ratio, target.weight)
        return design.score(model.coef_, float(model.intercept_ + np.log(target.scale)))
