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


class Logistic(ProbabilityCandidate):
    """The log odds are linear in the features, the log horizon and products of the two."""

    name = "logistic"
    settings = tuple({"inverse_penalty": c} for c in (churn.INVERSE_PENALTY, 0.003, 0.3))

    def learn(
        self,
        examples: pd.DataFrame,
        is_event: Flags,
        run: Mapping[str, Any],
        **setting: Any,
    ) -> Linear:
        """Newton's method by way of lbfgs; standardised, so that the penalty treats all alike."""
        if self.target == CHURN:
            model, _ = churn.fit(examples, run["churn_window_days"], **setting)
            return Linear.of(model)
        regression = LogisticRegression(C=setting["inverse_penalty"], max_iter=1000)
        model = HorizonModel(regression, HIGH_VALUE_FEATURES, churn.BY_HORIZON)
        return Linear.of(model.fit(examples, is_event.astype("float64")))
