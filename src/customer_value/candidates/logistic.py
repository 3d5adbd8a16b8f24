"""Penalised logistic regression, affine in the log horizon: the churn model of plain builds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from sklearn.linear_model import LogisticRegression

from customer_value import churn
from customer_value.candidates.learning import CHURN, Flags, ProbabilityCandidate
from customer_value.candidates.scores.linear import Linear
from customer_value.horizon_model import HorizonModel

HIGH_VALUE_FEATURES = (*churn.FEATURES, "log_largest_amount")
# What may be left out together, where it tells nothing here. Recency and tenure always stay: each
# horizon's answer hangs on them.
FEATURE_GROUPS = {
    name: features for name, features in churn.REASONS.items() if name not in {"recency", "tenure"}
}


class Logistic(ProbabilityCandidate):
    """The log odds are linear in the features, the log horizon and products of the two."""

    name = "logistic"
    settings = tuple({"inverse_penalty": c} for c in (churn.INVERSE_PENALTY, 0.003, 0.3))
    feature_groups = FEATURE_GROUPS

    def learn(
        self, examples: pd.DataFrame, is_event: Flags, run: Mapping[str, Any], **setting: Any
    ) -> Linear:
        """Newton's method by way of lbfgs; standardised, so that the penalty treats all alike."""
        left_out = {name for group in setting.get("without", ()) for name in FEATURE_GROUPS[group]}
        if self.target == CHURN:
            features = [name for name in churn.FEATURES if name not in left_out]
            model, _ = churn.fit(
                examples, run["churn_window_days"], setting["inverse_penalty"], features
            )
            return Linear.of(model)
        features = [name for name in HIGH_VALUE_FEATURES if name not in left_out]
        regression = LogisticRegression(C=setting["inverse_penalty"], max_iter=1000)
        by_horizon = [name for name in churn.BY_HORIZON if name in features]
        model = HorizonModel(regression, features, by_horizon)
        return Linear.of(model.fit(examples, is_event.astype("float64")))
