"""Linear models that drop features: the elastic net, by iteratively reweighted least squares.

Each step fits penalised least squares by coordinate descent to the quadratic that the likelihood
looks like there (Friedman, Hastie and Tibshirani, 2010).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special
from sklearn.linear_model import ElasticNet

from customer_value import churn, spend
from customer_value.candidates.learning import CHURN, Flags, ProbabilityCandidate, RatioCandidate
from customer_value.candidates.logistic import HIGH_VALUE_FEATURES
from customer_value.candidates.scores.hinges import Hinges
from customer_value.candidates.scores.linear import Linear
from customer_value.candidates.spline_design import SplineDesign
from customer_value.candidates.targets import RatioTarget, sampled

Floats = NDArray[np.float64]

MOST_ROWS = 30_000
# The quadratic has settled long before.
STEPS = 8
# The least weight of an example. A residual over its weight is then bounded, and their product is
# the residual itself: to cut it off instead would bring rare events short.
LEAST_WEIGHT = 0.005

SETTINGS = tuple(
    {"penalty": penalty, "absolute_share": share}
    for penalty, share in ((0.001, 0.5), (0.0003, 0.5), (0.0001, 0.5), (0.001, 0.9))
)


class ElasticNetLogistic(ProbabilityCandidate):
    """Log odds linear in as few features as carry the penalty."""

    name = "elastic_net"
    settings = SETTINGS

    def learn(
        self, examples: pd.DataFrame, is_event: Flags, run: Mapping[str, Any], **setting: Any
    ) -> Linear | Hinges:
        """Fit on standardised columns."""
        rows = sampled(examples.assign(is_event=is_event), MOST_ROWS, run["random_seed"])
        features = churn.FEATURES if self.target == CHURN else HIGH_VALUE_FEATURES
        design = SplineDesign.of(rows, features, churn.BY_HORIZON)
        coefficients, intercept = logistic_path_point(
            design.matrix(rows), rows["is_event"].to_numpy(dtype=np.float64), **setting
        )
        return design.score(coefficients, intercept)


class ElasticNetGamma(RatioCandidate):
    """The logarithm of the ratio linear in as few features as carry the penalty."""

    name = "elastic_net"
    # Ratios are noisier than whether there is an order: the penalty is that much stronger.
    settings = tuple(
        {"penalty": penalty, "absolute_share": share}
        for penalty, share in ((0.02, 0.5), (0.005, 0.5), (0.05, 0.5), (0.02, 0.9))
    )

    def learn_ratio(
        self, target: RatioTarget, run: Mapping[str, Any], **setting: Any
    ) -> Linear | Hinges:
        """Fit on standardised columns, by Gamma deviance."""
        design = SplineDesign.of(target.examples, spend.FEATURES, spend.BY_HORIZON)
        matrix, ratio = design.matrix(target.examples), target.ratio
        coefficients, intercept = np.zeros(matrix.shape[1]), 0.0
        model = _least_squares(**setting)
        for _ in range(STEPS):
            predictor = matrix @ coefficients + intercept
            move = ratio / np.exp(predictor) - 1
            model.fit(matrix, predictor + move, sample_weight=target.weight)
            coefficients, intercept = model.coef_.copy(), float(model.intercept_)
        # The level is set last and exactly: the penalty has drawn it toward no effect.
        predicted = np.exp(matrix @ coefficients + intercept)
        level = np.log(target.scale / float(np.average(predicted, weights=target.weight)))
        return design.score(coefficients, float(intercept + level))


def logistic_path_point(
    matrix: Floats, is_event: Floats, penalty: float, absolute_share: float
) -> tuple[Floats, float]:
    """Coefficients of standardised columns and the intercept at one strength of the penalty.

    Args:
        matrix: standardised, shape (rows, columns).
        is_event: 0 or 1.
        penalty: its strength, for the mean log loss.
        absolute_share: how much of it is on absolute values; the rest is on squares.
    """
    share = float(np.clip(is_event.mean(), 1e-6, 1 - 1e-6))
    coefficients, intercept = np.zeros(matrix.shape[1]), float(special.logit(share))
    for _ in range(STEPS):
        predictor = matrix @ coefficients + intercept
        chance = special.expit(predictor)
        weight = np.maximum(chance * (1 - chance), LEAST_WEIGHT)
        move = (is_event - chance) / weight
        # Weights are scaled to mean 1 by scikit-learn, and so must the penalty be.
        model = _least_squares(penalty / weight.mean(), absolute_share)
        model.fit(matrix, predictor + move, sample_weight=weight)
        coefficients, intercept = model.coef_.copy(), float(model.intercept_)
    return coefficients, intercept


def _least_squares(penalty: float, absolute_share: float) -> ElasticNet:
    return ElasticNet(
        alpha=penalty, l1_ratio=absolute_share, precompute=True, max_iter=20_000, tol=1e-3
    )
