"""Gamma regression of the ratio to the personal baseline: the spend model of plain builds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from customer_value import spend
from customer_value.candidates.learning import LOG_RATIO_IF_ANY, SpendCandidate
from customer_value.candidates.logistic import FEATURE_GROUPS
from customer_value.candidates.scores.linear import Linear


class Gamma(SpendCandidate):
    """The logarithm of the ratio, given an order, is linear and affine in the log horizon."""

    name = "gamma"
    meaning = LOG_RATIO_IF_ANY
    feature_groups = FEATURE_GROUPS
    settings = tuple({"penalty": penalty} for penalty in (spend.PENALTY, 0.001, 0.01, 1.0))

    def learn(self, examples: pd.DataFrame, run: Mapping[str, Any], **setting: Any) -> Linear:
        """As spend.fit does."""
        left_out = {name for group in setting.get("without", ()) for name in FEATURE_GROUPS[group]}
        features = [name for name in spend.FEATURES if name not in left_out]
        model, _ = spend.fit(examples, setting["penalty"], features)
        return Linear.of(model)
