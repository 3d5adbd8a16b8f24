"""Tweedie regression: one model for whether and how much (Jørgensen, 1987).

Between powers 1 and 2 it is a sum of a Poisson number of Gamma amounts, so that it has zeros of
its own; it needs no chance of an order beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import TweedieRegressor

from customer_value import churn, spend
from customer_value.candidates import targets
from customer_value.candidates.learning import LOG_RATIO, SpendCandidate
from customer_value.candidates.scores.linear import Linear
from customer_value.horizon_model import HorizonModel

FEATURES = (*churn.FEATURES, "log_largest_amount")


class Tweedie(SpendCandidate):
    """The logarithm of the unconditional ratio to the personal baseline is linear."""

    name = "tweedie"
    meaning = LOG_RATIO
    settings = tuple(
        {"penalty": penalty, "power": power}
        for penalty, power in ((0.1, 1.5), (0.01, 1.5), (1.0, 1.5), (0.1, 1.2), (0.1, 1.8))
    )

    def learn(self, examples: pd.DataFrame, run: Mapping[str, Any], **setting: Any) -> Linear:
        """Fit by Newton's method on all examples, those without an order at 0."""
        target = targets.ratio(examples)
        regression = TweedieRegressor(
            power=setting["power"],
            alpha=setting["penalty"],
            link="log",
            solver="newton-cholesky",
            max_iter=200,
        )
        model = HorizonModel(
            regression, FEATURES, tuple(dict.fromkeys((*churn.BY_HORIZON, *spend.BY_HORIZON)))
        )
        model.fit(examples, target.ratio, target.weight)
        return Linear.of(model.shifted(float(np.log(target.scale))))
