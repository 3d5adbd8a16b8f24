"""Gradient boosting that begins where the linear model ends.

A few small trees learn only what the linear predictor has left, so that all it knows of horizons
beyond those seen stays. For log odds by Newton steps (LogitBoost; Friedman, Hastie and Tibshirani,
2000); for the ratio by Gamma deviance of the ratio to the linear model's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy import special
from sklearn.ensemble import HistGradientBoostingRegressor

from customer_value import spend
from customer_value.candidates.gradient_boosting import (
    COLUMNS,
    HIGH_VALUE_COLUMNS,
    SPEND_COLUMNS,
    boosted,
    options,
)
from customer_value.candidates.learning import CHURN, Flags, ProbabilityCandidate, RatioCandidate
from customer_value.candidates.logistic import Logistic
from customer_value.candidates.scores import columns
from customer_value.candidates.scores.blend import Blend
from customer_value.candidates.scores.linear import Linear
from customer_value.candidates.scores.trees import Trees
from customer_value.candidates.targets import RatioTarget, sampled

# Two rounds of trees that each move little: the linear model knows most already.
ROUNDS = 2
TREES_PER_ROUND = 30
SETTINGS = tuple(
    {"learning_rate": rate, "minimum_leaf": leaf}
    for rate, leaf in ((0.02, 300), (0.05, 300), (0.1, 300))
)
# Weighted rows are slow to bin: fewer of both, and these trees have no use for finer ones.
MOST_ROWS = 30_000
BINS = 31
# The least weight of an example, as in elastic_net.
LEAST_WEIGHT = 0.005


class BoostedLogistic(ProbabilityCandidate):
    """The log odds of the logistic regression plus trees."""

    name = "boosted_logistic"
    settings = SETTINGS

    def learn(
        self, examples: pd.DataFrame, is_event: Flags, run: Mapping[str, Any], **setting: Any
    ) -> Blend:
        """Trees of the working residual, weighted by the variance of the outcome."""
        names = COLUMNS if self.target == CHURN else HIGH_VALUE_COLUMNS
        logistic = Logistic(self.target)
        linear = logistic.learn(examples, is_event, run, **logistic.settings[0])
        rows = sampled(examples.assign(is_event=is_event), MOST_ROWS, run["random_seed"])
        happened = rows["is_event"].to_numpy(dtype=np.float64)
        design = columns.values_of(rows, names)
        log_odds = linear.values(rows)
        grown = Trees(names, 0.0, ())
        for _ in range(ROUNDS):
            chance = special.expit(log_odds + grown.values(rows))
            weight = np.maximum(chance * (1 - chance), LEAST_WEIGHT)
            residual = (happened - chance) / weight
            model = HistGradientBoostingRegressor(
                **options(setting, len(rows), run) | {"max_iter": TREES_PER_ROUND, "max_bins": BINS}
            )
            step = boosted(model.fit(design, residual, weight), names)
            grown = Trees(names, grown.intercept + step.intercept, (*grown.trees, *step.trees))
        return Blend(0.0, [(1.0, linear), (1.0, grown)])


class BoostedGamma(RatioCandidate):
    """The linear predictor of the Gamma regression plus trees."""

    name = "boosted_gamma"
    settings = SETTINGS

    def learn_ratio(self, target: RatioTarget, run: Mapping[str, Any], **setting: Any) -> Blend:
        """Trees of the ratio to what the regression says; under a log link that is its residual."""
        model, _ = spend.fit(target.examples)
        linear = Linear.of(model)
        rows = target.sampled(MOST_ROWS, run["random_seed"])
        left = rows["ratio"].to_numpy() * target.scale / np.exp(linear.values(rows))
        trees = HistGradientBoostingRegressor(
            loss="gamma",
            **options(setting, len(rows), run)
            | {"max_iter": ROUNDS * TREES_PER_ROUND, "max_bins": BINS},
        ).fit(columns.values_of(rows, SPEND_COLUMNS), left, rows["weight"].to_numpy())
        return Blend(0.0, [(1.0, linear), (1.0, boosted(trees, SPEND_COLUMNS))])
