"""Gamma regression of the ratio to the personal baseline: the spend model of plain builds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from customer_value import spend
from customer_value.candidates.learning import LOG_RATIO_IF_ANY, SpendCandidate
from customer_value.candidates.scores.linear import Linear


class Gamma(SpendCandidate):
    """The logarithm of the ratio, given an order, is linear and affine in the log horizon."""

    name = "gamma"
    meaning = LOG_RATIO_IF_ANY
    settings = tuple({"penalty": penalty} for penalty in (spend.PENALTY, 0.001, 0.1, 1.0))

    def learn(self, examples: pd.DataFrame, run: Mapping[str, Any], **setting: Any) -> Linear:
        """As spend.fit does."""
        model, _ = spend.fit(examples, **setting)
        return Linear.of(model)
