"""Spend: the net amount within a horizon, given that there is an order, by Gamma regression.

What is modelled is the ratio to the customer's own baseline,

    expected_purchase_amount * (1 + purchases_per_day * horizon_days),

one purchase and the personal pace from then on, at the personal purchase amount. So the
regression only corrects what is already right for the typical customer, in any currency.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from duckdb import DuckDBPyRelation as Relation
from numpy.typing import NDArray
from sklearn.linear_model import GammaRegressor

from customer_value import backtest, churn, metrics, scoring_sql
from customer_value.horizon_model import HorizonModel
from customer_value.registry import TrainedModel

Floats = NDArray[np.float64]

# How late and how long silent a customer is tells whether there is an order, not how large.
FEATURES = (
    *(name for name in churn.FEATURES if name not in {"lateness", "log_long_silence"}),
    "log_largest_amount",
)
BY_HORIZON = ("log_purchase_rate", "log_recency", "log_silence")

# The strength of the penalty on standardised coefficients.
PENALTY = 0.01
# Ratios above this share of all are cut: a single order must not set the coefficients.
RATIO_CAP_QUANTILE = 0.99
# A ratio can't be 0 or below under a Gamma distribution; refunds may bring an amount there.
RATIO_FLOOR = 1e-3
MINIMUM_ACTIVE = 40
# The value interval's bands end at these shares of customers by chance of an order, finer at the
# top, where most of the value is; each band holds at least so many customers.
BAND_SHARES = (0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98, 0.99)
MINIMUM_PER_BAND = 40

BASELINE_SQL = (
    f'"expected_purchase_amount" * (1 + "purchases_per_day" * exp("{scoring_sql.LOG_HORIZON}"))'
)


def baseline(examples: pd.DataFrame) -> Floats:
    """The customer's own baseline over the horizon of each example, in currency."""
    amount = examples["expected_purchase_amount"].to_numpy(dtype=np.float64)
    rate = examples["purchases_per_day"].to_numpy(dtype=np.float64)
    horizon = np.exp(examples["log_horizon"].to_numpy(dtype=np.float64))
    return np.asarray(amount * (1 + rate * horizon))


def fit(examples: pd.DataFrame) -> tuple[HorizonModel, str | None]:
    """Fit the Gamma regression, or name the fallback where the examples can't carry it.

    Args:
        examples: rows of training_examples, in an order that does not change.

    Returns:
        The model of the logarithm of the ratio to the baseline, and the fallback's name or None.
    """
    model = HorizonModel(GammaRegressor(alpha=PENALTY, max_iter=1000), FEATURES, BY_HORIZON)
    ratio, weight, is_active = weighted_ratio(examples)
    if is_active.sum() < MINIMUM_ACTIVE:
        return model.fixed(0.0, 0.0), "personal_baseline_few_orders"
    scale = float(np.average(ratio, weights=weight))
    model.fit(examples[is_active], ratio / scale, weight / weight.mean())
    model.scale_ = scale
    return model.shifted(math.log(scale)), None


def weighted_ratio(examples: pd.DataFrame) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """What is fitted: ratios to the baseline where there was an order, their weights, and where."""
    net_amount = np.maximum(examples["net_amount_in_horizon"].to_numpy(dtype=np.float64), 0)
    base = baseline(examples)
    is_active = ~examples["is_churned_in_horizon"].to_numpy(dtype=bool)
    ratio = np.maximum(net_amount / base, RATIO_FLOOR)[is_active]
    if is_active.any():
        ratio = np.minimum(ratio, np.quantile(ratio, RATIO_CAP_QUANTILE))
    # Unweighted, small baselines would set the level of large ones; weighted fully, a few
    # customers would set all coefficients. The square root stands between.
    return ratio, np.sqrt(base[is_active]), is_active


def amount_if_any(model: HorizonModel, examples: pd.DataFrame) -> Floats:
    """E[net amount within the horizon | at least one order], in currency."""
    return baseline(examples) * np.exp(model.linear_predictor(examples))


@backtest.reproducible()
def train(relation: Relation, run_relation: Relation) -> pd.DataFrame:
    """Train on all examples, having measured a twin on the earlier ones alone.

    Args:
        relation: training_examples.
        run_relation: int_customer_value__run.

    Returns:
        One row for model_registry.

    Raises:
        ScoringMismatchError: the SQL expression does not give what scikit-learn gives.
    """
    examples, run = backtest.fetched(relation, run_relation)
    model, fallback = fit(examples)
    predictor = scoring_sql.linear_predictor_sql(model.linear_)
    expression = f"{BASELINE_SQL} * exp({predictor})"
    if fallback is None:
        ratio = model.estimator_.predict(model.design(examples)) * model.scale_
        scoring_sql.check_equal(expression, examples, baseline(examples) * ratio, "spend")
    out_of_time_metrics, bands = _out_of_time(examples, run)
    return TrainedModel(
        model_name="spend",
        **backtest.window_of(examples, run),
        fallback=fallback,
        linear_predictor_sql=predictor,
        scoring_sql=expression,
        metrics=out_of_time_metrics,
        parameters={
            "estimator": "Gamma regression of the ratio to the personal baseline",
            "penalty": PENALTY,
            "ratio_cap_quantile": RATIO_CAP_QUANTILE,
            "random_seed": run["random_seed"],
            "coefficients": model.coefficients(),
            "interval_level": run["interval_level"],
            "interval_bands": bands,
        },
    ).to_frame()


def _out_of_time(
    examples: pd.DataFrame, run: Mapping[str, Any]
) -> tuple[list[dict[str, Any]], list[dict[str, float]]]:
    """Metrics and interval bands of a twin that knew only the earlier examples."""
    split = backtest.out_of_time(examples, run["history_days"])
    if split is None:
        return [], [_band_without_evidence(run["interval_level"])]
    churn_model, _ = churn.fit(split.earlier, run["churn_window_days"])
    model, _ = fit(split.earlier)
    order_probability = 1 - churn.probability(churn_model, split.later)
    expected = order_probability * amount_if_any(model, split.later)
    actual = split.later["net_amount_in_horizon"].to_numpy(dtype=np.float64)
    # The naive forecast: each customer goes on spending as since the first order.
    spent = np.maximum(split.later["net_amount"].to_numpy(dtype=np.float64), 0)
    persisted = spent / split.later["tenure_days"].to_numpy(dtype=np.float64) * split.horizon_days
    return (
        backtest.measured(split, metrics.SPEND_METRICS, actual, expected, persisted),
        interval_bands(order_probability, actual / expected, run["interval_level"]),
    )


def interval_bands(
    order_probability: Floats, ratio: Floats, level: float
) -> list[dict[str, float]]:
    """Between which multiples of its prediction a customer's value falls, by chance of an order.

    Order statistics of actual over predicted among held-out customers of about the same chance:
    at least the share ``level`` of them fell between the two (a split conformal interval by band,
    after Vovk, Gammerman and Shafer, 2005).

    Args:
        order_probability: the chance of at least one order, one per held-out customer.
        ratio: actual over predicted amount, likewise.
        level: the share of customers to cover, in 0..1.

    Returns:
        Bands from 0 to above 1, without gaps, each with its two multiples.
    """
    shares = [
        share for share in BAND_SHARES if min(share, 1 - share) * len(ratio) >= MINIMUM_PER_BAND
    ]
    inner = np.unique(np.quantile(order_probability, shares))
    edges = [0.0, *(round(float(edge), 9) for edge in inner), 2.0]
    bands: list[dict[str, float]] = []
    for start, end in pairwise(edges):
        members = ratio[(order_probability >= start) & (order_probability < end)]
        if len(members) == 0:
            continue
        lower, upper = _conformal_ends(members, level)
        bands.append(
            {
                "order_probability_from": bands[-1]["order_probability_to"] if bands else 0.0,
                "order_probability_to": end,
                "lower_ratio": round(max(0.0, lower), 9),
                "upper_ratio": round(max(0.0, upper), 9),
            }
        )
    bands[-1]["order_probability_to"] = 2.0
    return bands


def _conformal_ends(ratio: Floats, level: float) -> tuple[float, float]:
    """The order statistics between which the next ratio falls with at least this chance.

    The ranks floor((n + 1) a / 2) and ceil((n + 1) (1 - a / 2)) with a = 1 - level, where
    interpolated quantiles would promise a little too much.
    """
    ranked, count = np.sort(ratio), len(ratio)
    # Rounded, so that a whole rank is not lost to the last bit of 1 - 0.8.
    tail = round((count + 1) * (1 - level) / 2, 9)
    lower_rank = math.floor(tail)
    upper_rank = min(math.ceil(count + 1 - tail), count)
    return float(ranked[lower_rank - 1]) if lower_rank else 0.0, float(ranked[upper_rank - 1])


def _band_without_evidence(level: float) -> dict[str, float]:
    """As wide as if amounts fell off exponentially, for want of anything to measure."""
    return {
        "order_probability_from": 0.0,
        "order_probability_to": 2.0,
        "lower_ratio": 0.0,
        "upper_ratio": round(-math.log((1 - level) / 2), 9),
    }
