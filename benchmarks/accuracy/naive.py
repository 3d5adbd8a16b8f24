"""Predictions that need no model, and that any model has to beat."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def predictions(histories: pd.DataFrame, horizon_days: int) -> dict[str, pd.DataFrame]:
    """What three naive models expect of each customer.

    Args:
        histories: as trials.histories gives them.
        horizon_days: the length of the holdout.

    Returns:
        By name, a frame of customer_id, churn_probability, order_count and net_amount.
    """
    # Repeats over the time since the first order: the pace that BTYD models start from too.
    age_days = np.maximum(histories["age"].to_numpy() * 7, 1)
    repeats = histories["frequency"].to_numpy() / age_days * horizon_days
    # The mean of those who had been customers for all of the past days.
    past = histories[histories["age_days"] >= histories["past_days"]]
    scale = horizon_days / float(past["past_days"].iloc[0])
    everybody = np.ones(len(histories))
    return {
        "own rate": _frame(
            histories, np.exp(-repeats), repeats, repeats * histories["repeat_amount"].to_numpy()
        ),
        "last window": _frame(
            histories,
            np.asarray(histories["last_order_count"] == 0, dtype=np.float64),
            histories["last_order_count"].to_numpy(),
            histories["last_net_amount"].to_numpy(),
        ),
        "mean": _frame(
            histories,
            everybody * (past["past_order_count"] == 0).mean(),
            everybody * past["past_order_count"].mean() * scale,
            everybody * past["past_net_amount"].mean() * scale,
        ),
    }


def _frame(histories: pd.DataFrame, churn: Floats, count: Floats, amount: Floats) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "customer_id": histories["customer_id"],
            "churn_probability": churn,
            "order_count": count,
            "net_amount": amount,
        }
    )
