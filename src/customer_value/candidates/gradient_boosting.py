"""Gradient boosting of small trees over binned features (Friedman, 2001; Ke and others, 2017).

Trees are steps: beyond the longest horizon that examples have, only the expected purchases at the
customer's own pace still grow with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from customer_value import churn, spend
from customer_value.candidates.learning import CHURN, Flags, ProbabilityCandidate, RatioCandidate
from customer_value.candidates.logistic import HIGH_VALUE_FEATURES
from customer_value.candidates.scores import columns
from customer_value.candidates.scores.trees import Trees, of_boosted
from customer_value.candidates.targets import RatioTarget, sampled

Floats = NDArray[np.float64]

# More rows than this hardly change trees this small, and every origin of a backtest fits them.
MOST_ROWS = 60_000
# Eight leaves and 120 trees are some 60 kB of SQL, far below the megabyte that a row of
# model_registry and a query plan carry well.
LEAVES = 8
TREES = 120

COLUMNS = (*churn.FEATURES, columns.LOG_HORIZON, columns.LOG_EXPECTED_PURCHASES)
SPEND_COLUMNS = (*spend.FEATURES, columns.LOG_HORIZON, columns.LOG_EXPECTED_PURCHASES)
HIGH_VALUE_COLUMNS = (*HIGH_VALUE_FEATURES, columns.LOG_HORIZON)

SETTINGS = tuple(
    {"learning_rate": rate, "minimum_leaf": leaf}
    for rate, leaf in ((0.03, 200), (0.015, 200), (0.06, 200), (0.03, 50))
)


class GradientBoosting(ProbabilityCandidate):
    """Log odds as a sum of trees. No order becomes no likelier where the horizon is longer."""

    name = "gradient_boosting"
    settings = SETTINGS

    def learn(
        self, examples: pd.DataFrame, is_event: Flags, run: Mapping[str, Any], **setting: Any
    ) -> Trees:
        """Fit on a sample of the rows, drawn by the seed."""
        is_churn = self.target == CHURN
        names = COLUMNS if is_churn else HIGH_VALUE_COLUMNS
        model = HistGradientBoostingClassifier(
            **options(setting, len(examples), run),
            monotonic_cst=falling(names) if is_churn else None,
        )
        rows = sampled(examples.assign(is_event=is_event), MOST_ROWS, run["random_seed"])
        model.fit(columns.values_of(rows, names), rows["is_event"].to_numpy())
        return boosted(model, names)


class GradientBoostingSpend(RatioCandidate):
    """The logarithm of the ratio as a sum of trees, by Gamma deviance."""

    name = "gradient_boosting"
    settings = SETTINGS

    def learn_ratio(self, target: RatioTarget, run: Mapping[str, Any], **setting: Any) -> Trees:
        """Fit on a sample of the rows, drawn by the seed."""
        model = HistGradientBoostingRegressor(
            loss="gamma", **options(setting, len(target.examples), run)
        )
        rows = target.sampled(MOST_ROWS, run["random_seed"])
        design = columns.values_of(rows, SPEND_COLUMNS)
        model.fit(design, rows["ratio"].to_numpy(), rows["weight"].to_numpy())
        return boosted(model, SPEND_COLUMNS, float(np.log(target.scale)))


def options(setting: Mapping[str, Any], rows: int, run: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of scikit-learn's; leaves can't be larger than a few examples allow."""
    return {
        "max_iter": TREES,
        "max_leaf_nodes": LEAVES,
        "learning_rate": setting["learning_rate"],
        "min_samples_leaf": max(5, min(setting["minimum_leaf"], rows // 50)),
        "l2_regularization": 1.0,
        "early_stopping": False,
        "max_bins": 63,
        "random_state": run["random_seed"],
    }


def falling(names: tuple[str, ...]) -> list[int]:
    """For each column -1 where more of it can't make no order likelier, else 0."""
    with_horizon = {columns.LOG_HORIZON, columns.LOG_EXPECTED_PURCHASES}
    return [-1 if name in with_horizon else 0 for name in names]


def boosted(
    model: HistGradientBoostingClassifier | HistGradientBoostingRegressor,
    names: tuple[str, ...],
    shift: float = 0.0,
) -> Trees:
    """The sum of a fitted model's trees; ``shift`` is added to its intercept."""
    # scikit-learn shows its trees nowhere else; a test holds the sum against its own predictions.
    trees = [of_boosted(predictors[0].nodes) for predictors in model._predictors]  # noqa: SLF001
    intercept = float(np.ravel(model._baseline_prediction)[0])  # noqa: SLF001
    return Trees(names, intercept + shift, tuple(trees))
