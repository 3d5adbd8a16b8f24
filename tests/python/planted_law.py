"""Made-up training examples of a year, whose law is planted: what models of them have to find."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from customer_value import churn, spend

Floats = NDArray[np.float64]
Law = Callable[[pd.DataFrame], Floats]

TODAY = dt.date(2024, 12, 26)
HISTORY_DAYS = 360
CUSTOMERS = 400
FEATURES = sorted({*churn.FEATURES, *spend.FEATURES})
RUN: dict[str, Any] = {
    "as_of_date": TODAY,
    "history_days": HISTORY_DAYS,
    "churn_window_days": 120,
    "value_horizon_days": 120,
    "first_period_days": 30,
    "interval_level": 0.8,
    "random_seed": 42,
    "backtest_origins": 4,
    "churn_candidates": "logistic,decision_tree,recency_fifths",
    "spend_candidates": "gamma,own_rate,mean",
    "high_value_candidates": "logistic,spend_tenths",
    "is_tuned": False,
}


def linear(features: pd.DataFrame) -> Floats:
    return np.asarray(1.2 * features["log_recency"] - 0.8 * features["log_purchases"])


def not_linear(features: pd.DataFrame) -> Floats:
    """Churn threatens who is neither early nor very late: no line can say so."""
    return np.asarray(np.where(features["lateness"].abs() < 0.7, 2.5, -2.5))


def shop(law: Law, seed: int = 0) -> pd.DataFrame:
    """Training examples of a year, on the grid of int_customer_value__training_windows."""
    chance = np.random.default_rng(seed)
    frames = []
    for step in range(1, 10):
        date = pd.Timestamp(TODAY - dt.timedelta(days=30 * step))
        features = pd.DataFrame({name: chance.normal(size=CUSTOMERS) for name in FEATURES})
        features = features.assign(
            customer_id=[f"customer-{number:04}" for number in range(CUSTOMERS)],
            as_of_date=date,
            purchases_per_day=np.exp(0.3 * features["log_purchase_rate"]) / 40,
            expected_purchase_amount=50 * np.exp(0.5 * features["log_amount"]),
            orders_per_purchase_day=1.0,
            recency_days=np.round(60 * np.exp(features["log_recency"])),
            tenure_days=np.round(60 * np.exp(features["log_recency"])) + 100,
            purchase_day_count=3,
            net_amount=chance.gamma(2, 50, CUSTOMERS),
        )
        # One draw per customer and date: who is active within a month is so within a year.
        draw, size = chance.random(CUSTOMERS), chance.gamma(4, 0.25, CUSTOMERS)
        for horizon in (15, 30, 60, 120, 240):
            if horizon > 30 * step:
                continue
            odds = law(features) + math.log(60 / horizon)
            active = draw > 1 / (1 + np.exp(-odds))
            window = features.assign(horizon_days=horizon, log_horizon=math.log(horizon))
            amount = np.where(active, np.round(spend.baseline(window) * size, 2), 0.0)
            frames.append(
                window.assign(is_churned_in_horizon=~active, net_amount_in_horizon=amount)
            )
    keys = ["customer_id", "as_of_date", "horizon_days"]
    return pd.concat(frames).sort_values(keys).reset_index(drop=True)
