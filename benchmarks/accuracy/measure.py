"""The figures of the protocol: predictions held against what customers then did."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import spearmanr

from customer_value import metrics

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Figure:
    """One figure of the protocol.

    Attributes:
        key: its name in code.
        label: its name in tables.
        digits: how many decimals are told.
        loss: how bad a value is, to find the best.
        measure: of outcomes beside predictions, one row per customer.
    """

    key: str
    label: str
    digits: int
    loss: Callable[[float], float]
    measure: Callable[[pd.DataFrame], float]


def _lower(value: float) -> float:
    return value


def _higher(value: float) -> float:
    return -value


def _near_one(value: float) -> float:
    return abs(value - 1)


def _is_churned(joined: pd.DataFrame) -> Floats:
    return np.asarray(joined["actual_order_count"] == 0, dtype=np.float64)


def _churn(metric: metrics.Metric, joined: pd.DataFrame) -> float:
    return metric(_is_churned(joined), joined["churn_probability"])


def _orders(metric: metrics.Metric, joined: pd.DataFrame) -> float:
    return metric(joined["actual_order_count"], joined["order_count"])


def _spend(metric: metrics.Metric, joined: pd.DataFrame) -> float:
    return metric(joined["actual_net_amount"], joined["net_amount"])


def _spearman(joined: pd.DataFrame) -> float:
    if joined["net_amount"].nunique() < 2:
        return float("nan")  # all alike order nobody
    return float(spearmanr(joined["actual_net_amount"], joined["net_amount"]).statistic)


def _called(joined: pd.DataFrame) -> tuple[Floats, Floats]:
    return _is_churned(joined), np.asarray(joined["churn_probability"] >= 0.5, dtype=np.float64)


def _accuracy(joined: pd.DataFrame) -> float:
    churned, called = _called(joined)
    return float(np.mean(churned == called))


def _recall(joined: pd.DataFrame) -> float:
    churned, called = _called(joined)
    return float((churned * called).sum() / churned.sum())


def _f1(joined: pd.DataFrame) -> float:
    churned, called = _called(joined)
    return float(2 * (churned * called).sum() / (churned.sum() + called.sum()))


FIGURES = (
    Figure("roc_auc", "churn: AUC", 3, _higher, partial(_churn, metrics.roc_auc)),
    Figure("log_loss", "churn: log loss", 3, _lower, partial(_churn, metrics.log_loss)),
    Figure("brier_score", "churn: Brier score", 4, _lower, partial(_churn, metrics.brier_score)),
    Figure(
        "calibration_error",
        "churn: calibration error",
        3,
        _lower,
        partial(_churn, metrics.calibration_error),
    ),
    Figure("accuracy", "churn: accuracy at 0.5", 3, _higher, _accuracy),
    Figure("recall", "churn: recall at 0.5", 3, _higher, _recall),
    Figure("f1", "churn: F1 at 0.5", 3, _higher, _f1),
    Figure("orders_mae", "orders: MAE", 3, _lower, partial(_orders, metrics.mean_absolute_error)),
    Figure(
        "orders_rmse", "orders: RMSE", 3, _lower, partial(_orders, metrics.root_mean_squared_error)
    ),
    Figure("orders_bias", "orders: bias", 3, _near_one, partial(_orders, metrics.total_bias)),
    Figure("mae", "spend: MAE", 2, _lower, partial(_spend, metrics.mean_absolute_error)),
    Figure("rmse", "spend: RMSE", 2, _lower, partial(_spend, metrics.root_mean_squared_error)),
    Figure("r_squared", "spend: R²", 3, _higher, partial(_spend, metrics.r_squared)),
    Figure("spearman", "spend: Spearman", 3, _higher, _spearman),
    Figure(
        "normalized_gini",
        "spend: normalized Gini",
        3,
        _higher,
        partial(_spend, metrics.normalized_gini),
    ),
    Figure("decile_error", "spend: decile MAPE", 3, _lower, partial(_spend, metrics.decile_error)),
    Figure("bias", "spend: bias", 3, _near_one, partial(_spend, metrics.total_bias)),
    Figure("top_share", "spend: top 10%", 3, _higher, partial(_spend, metrics.top_share)),
)
BY_KEY = {figure.key: figure for figure in FIGURES}

Figures = Mapping[str, float]


def without_largest(outcomes: pd.DataFrame) -> pd.DataFrame:
    """The outcomes of all but the customer who spent most in the holdout."""
    return outcomes.drop(index=outcomes["actual_net_amount"].idxmax())


class MissingCustomerError(AssertionError):
    """A model left a customer out: not measured on all, it could not be compared."""


def figures(outcomes: pd.DataFrame, predictions: pd.DataFrame) -> dict[str, float]:
    """Every figure of one model, by key.

    Args:
        outcomes: as trials.outcomes gives them.
        predictions: customer_id, churn_probability, order_count and net_amount.

    Raises:
        MissingCustomerError: not every customer has a prediction.
    """
    joined = outcomes.merge(predictions, on="customer_id", how="left", validate="one_to_one")
    absent = int(joined["net_amount"].isna().sum())
    if absent > 0:
        raise MissingCustomerError(f"{absent:,} of {len(outcomes):,} customers have no prediction.")
    return {figure.key: figure.measure(joined) for figure in FIGURES}
