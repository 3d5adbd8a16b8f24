"""Spend: the net amount within a horizon, given that there is an order, by Gamma regression.

What is modelled is the ratio to the customer's own baseline,

    expected_purchase_amount * (1 + purchases_per_day * horizon_days),

one purchase and the personal pace from then on, at the personal purchase amount. So the
regression only corrects what is already right for the typical customer, in any currency.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import GammaRegressor

from customer_value import churn, scoring_sql
from customer_value.horizon_model import HorizonModel

Floats = NDArray[np.float64]

# How late and how long silent a customer is tells whether there is an order, not how large.
FEATURES = (
    *(name for name in churn.FEATURES if name not in {"lateness", "log_long_silence"}),
    "log_largest_amount",
)
BY_HORIZON = ("log_purchase_rate", "log_recency", "log_silence")

# The strength of the penalty on standardised coefficients.
PENALTY = 0.1
# Ratios above this share of all are cut: a single order must not set the coefficients.
RATIO_CAP_QUANTILE = 0.99
# A ratio can't be 0 or below under a Gamma distribution; refunds may bring an amount there.
RATIO_FLOOR = 1e-3
MINIMUM_ACTIVE = 40

BASELINE_SQL = (
    f'"expected_purchase_amount" * (1 + "purchases_per_day" * exp("{scoring_sql.LOG_HORIZON}"))'
)


def baseline(examples: pd.DataFrame) -> Floats:
    """The customer's own baseline over the horizon of each example, in currency."""
    amount = examples["expected_purchase_amount"].to_numpy(dtype=np.float64)
    rate = examples["purchases_per_day"].to_numpy(dtype=np.float64)
    horizon = np.exp(examples["log_horizon"].to_numpy(dtype=np.float64))
    return np.asarray(amount * (1 + rate * horizon))


def fit(
    examples: pd.DataFrame, penalty: float = PENALTY, features: Sequence[str] = FEATURES
) -> tuple[HorizonModel, str | None]:
    """Fit the Gamma regression, or name the fallback where the examples can't carry it.

    Args:
        examples: rows of training_examples, in an order that does not change.
        penalty: the strength of the penalty on standardised coefficients.
        features: those of FEATURES that it may read.

    Returns:
        The model of the logarithm of the ratio to the baseline, and the fallback's name or None.
    """
    by_horizon = tuple(name for name in BY_HORIZON if name in features)
    regression = GammaRegressor(alpha=penalty, max_iter=1000)
    model = HorizonModel(regression, tuple(features), by_horizon)
    net_amount = np.maximum(examples["net_amount_in_horizon"].to_numpy(dtype=np.float64), 0)
    base = baseline(examples)
    is_active = ~examples["is_churned_in_horizon"].to_numpy(dtype=bool)
    if is_active.sum() < MINIMUM_ACTIVE:
        return model.fixed(0.0, 0.0), "personal_baseline_few_orders"
    ratio = np.maximum(net_amount / base, RATIO_FLOOR)[is_active]
    ratio = np.minimum(ratio, np.quantile(ratio, RATIO_CAP_QUANTILE))
    # Unweighted, small baselines would set the level of large ones; weighted fully, a few
    # customers would set all coefficients. The square root stands between.
    weight = np.sqrt(base[is_active])
    scale = float(np.average(ratio, weights=weight))
    model.fit(examples[is_active], ratio / scale, weight / weight.mean())
    model.scale_ = scale
    return model.shifted(math.log(scale)), None
