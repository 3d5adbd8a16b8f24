"""Churn: the probability that no order follows within a horizon, by logistic regression."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from customer_value.horizon_model import HorizonModel

Floats = NDArray[np.float64]

FEATURES = (
    "log_purchases",
    "single_purchase_indicator",
    "log_recency",
    "log_tenure",
    "log_purchase_rate",
    "log_silence",
    "log_long_silence",
    "gap_variation",
    "lateness",
    "log_purchases_last_30_days",
    "log_fading_purchases_30",
    "log_fading_purchases_90",
    "log_pace_trend",
    "log_amount",
    "log_last_amount",
    "log_recent_amount",
    "log_typical_amount",
)
BY_HORIZON = ("log_purchase_rate", "log_recency", "log_silence", "log_tenure")

# What the features speak of, in the words of the seed churn_reasons. Features that move
# together are in one group, where their contributions net out.
REASONS = {
    "recency": ("log_recency", "log_silence", "log_long_silence"),
    "rhythm": ("lateness", "gap_variation"),
    "frequency": ("log_purchases", "single_purchase_indicator", "log_purchase_rate"),
    "pace": (
        "log_purchases_last_30_days",
        "log_fading_purchases_30",
        "log_fading_purchases_90",
        "log_pace_trend",
    ),
    "tenure": ("log_tenure",),
    "amount": ("log_amount", "log_last_amount", "log_recent_amount", "log_typical_amount"),
}

# The inverse strength of the penalty. Strong ones do well wherever it was tried; see DECISIONS.md.
INVERSE_PENALTY = 0.01
# Fewer customers of either kind than this can't tell one coefficient from another.
MINIMUM_OF_EACH_KIND = 20


def fit(
    examples: pd.DataFrame,
    churn_window_days: int,
    inverse_penalty: float = INVERSE_PENALTY,
    features: Sequence[str] = FEATURES,
) -> tuple[HorizonModel, str | None]:
    """Fit the logistic regression, or name the fallback where the examples can't carry it.

    Args:
        examples: rows of training_examples, in an order that does not change.
        churn_window_days: the horizon at which, without any example, both outcomes are held to
            be equally likely.
        inverse_penalty: C of the logistic regression: the smaller, the nearer to the base rate.
        features: those of FEATURES that it may read.

    Returns:
        The model of P(no order within the horizon), and the fallback's name or None.
    """
    by_horizon = tuple(name for name in BY_HORIZON if name in features)
    regression = LogisticRegression(C=inverse_penalty, max_iter=1000)
    model = HorizonModel(regression, tuple(features), by_horizon)
    is_churned = examples["is_churned_in_horizon"].to_numpy(dtype=np.float64)
    churned, active = int(is_churned.sum()), int((1 - is_churned).sum())
    if min(churned, active) >= MINIMUM_OF_EACH_KIND:
        return model.fit(examples, is_churned), None
    # The base rate, one of each kind added, at the typical horizon; the odds of an order grow in
    # proportion to the horizon, as they do for rare orders at a steady pace.
    horizon = math.exp(examples["log_horizon"].mean()) if len(examples) else churn_window_days
    odds = (churned + 1) / (active + 1)
    fallback = "base_rate_one_class" if len(examples) else "base_rate_no_examples"
    if min(churned, active) > 0:
        fallback = "base_rate_few_examples"
    return model.fixed(math.log(odds) + math.log(horizon), -1.0), fallback


def probability(model: HorizonModel, examples: pd.DataFrame) -> Floats:
    """P(no order within the horizon of each example)."""
    return 1 / (1 + np.exp(-model.linear_predictor(examples)))
