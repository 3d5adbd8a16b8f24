"""How groups of customers fare with the models: who is selected, and about whom they are wrong.

What fairlearn has is computed by fairlearn: each metric by group and over all customers, selection
rates and error rates by its own functions. The intervals are ours.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from duckdb import DuckDBPyRelation as Relation
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from customer_value import metrics
from customer_value.spark_frames import on_driver

Floats = NDArray[np.float64]
# Of one group and metric: the figure's ends, and how many customers it is of.
Interval = tuple[float, float, int]

# 99%: many groups are looked at by many metrics, and one in twenty would be beyond by chance.
LEVEL = 0.99
NORMAL_QUANTILE = float(stats.norm.ppf((1 + LEVEL) / 2))
DRAWS = 200
# With fewer, the bins of a calibration error hold so few that chance is most of it.
MINIMUM_FOR_BINS = 100
# From here on a customer is predicted to be lost, as customer_churn has it.
CHURNED_FROM = 0.5

KEY = ["evidence", "target", "group_name"]
COLUMNS = {
    "evidence": "string",
    "target": "string",
    "evidence_as_of_date": "datetime64[ns]",
    "horizon_days": "float64",
    "model_version": "string",
    "group_name": "string",
    "group_value": "string",
    "metric": "string",
    "metric_value": "float64",
    "metric_lower": "float64",
    "metric_upper": "float64",
    "reference_value": "float64",
    "customer_count": "int64",
    "measured_customer_count": "int64",
}


@on_driver
def measure(cases: Relation, run: Relation) -> pd.DataFrame:
    """Each metric by group, beside that of all customers.

    Args:
        cases: int_customer_value__fairness_cases: what was predicted of whom, and what happened.
        run: int_customer_value__run, for its random_seed.

    Returns:
        Per evidence, target, group column, group and metric: the value with its 99% interval and
        that of all customers, NaN where not defined; how many customers the group has, and of how
        many of them the figure is.
    """
    # Sums of floats depend on their order, so that it must not depend on threads.
    frame = cases.order("all").df()
    horizons = frame["horizon_days"].to_numpy(dtype=np.float64, na_value=np.nan)
    frame = frame.assign(horizon_days=horizons)
    seed = int(run.df()["random_seed"].iloc[0])
    rows: list[dict[str, Any]] = []
    for _, part in frame.groupby(KEY):
        common = {
            name: part[name].iloc[0]
            for name in (*KEY, "evidence_as_of_date", "horizon_days", "model_version")
        }
        rows += [common | row for row in _measured(str(common["target"]), part, seed)]
    measured = pd.DataFrame(rows, columns=list(COLUMNS))
    return measured.astype(COLUMNS)


def _measured(target: str, cases: pd.DataFrame, seed: int) -> list[dict[str, Any]]:
    # It takes over a second to import, which builds without groups are spared.
    from fairlearn.metrics import MetricFrame  # noqa: PLC0415

    asked = _metrics_of(target)
    weights = cases["customer_count"].to_numpy(dtype=np.float64)
    actual = cases["actual"].to_numpy(dtype=np.float64)
    predicted = cases["predicted"].to_numpy(dtype=np.float64)
    # Who is selected has no truth beside it; fairlearn wants one all the same.
    actual = predicted if target == "tier" else actual
    # fairlearn must not be given a group without customers to be told apart: it gives NaN there.
    frame = MetricFrame(
        metrics={name: metric for name, (metric, _) in asked.items()},
        y_true=actual,
        y_pred=predicted,
        sensitive_features=cases["group_value"].to_numpy(str),
        sample_params={name: {"sample_weight": weights} for name in asked},
    )
    rows = []
    for group_value, members in cases.groupby("group_value").indices.items():
        for name, (_, interval) in asked.items():
            lower, upper, measured_count = interval(
                actual[members], predicted[members], weights[members], seed
            )
            rows.append(
                {
                    "group_value": group_value,
                    "metric": name,
                    "metric_value": frame.by_group.loc[group_value, name],
                    "metric_lower": lower,
                    "metric_upper": upper,
                    "reference_value": frame.overall[name],
                    "customer_count": round(weights[members].sum()),
                    "measured_customer_count": measured_count,
                }
            )
    return rows


Metric = Callable[..., float]
IntervalOf = Callable[[Floats, Floats, Floats, int], Interval]


def _metrics_of(target: str) -> Mapping[str, tuple[Metric, IntervalOf]]:
    from fairlearn import metrics as fairlearn_metrics  # noqa: PLC0415 - as above

    if target == "tier":
        return {"selection_rate": (fairlearn_metrics.selection_rate, _selection_interval)}
    if target == "churn":
        return {
            "false_positive_rate": (
                _of_decisions(fairlearn_metrics.false_positive_rate, 0),
                _error_interval(0),
            ),
            "false_negative_rate": (
                _of_decisions(fairlearn_metrics.false_negative_rate, 1),
                _error_interval(1),
            ),
            "calibration_bias": (_mean_error, _mean_error_interval),
            "calibration_error": (_calibration_error, _calibration_interval),
        }
    return {
        "mean_error": (_mean_error, _mean_error_interval),
        "total_bias": (_total_bias, _total_bias_interval),
    }


def _of_decisions(rate: Metric, of_class: int) -> Metric:
    """An error rate of whether the probability is half or more; NaN of nobody."""

    def decided(actual: ArrayLike, predicted: ArrayLike, sample_weight: ArrayLike) -> float:
        happened = np.asarray(actual, dtype=np.int64)
        if not (happened == of_class).any():
            return float("nan")
        decisions = (np.asarray(predicted) >= CHURNED_FROM).astype(np.int64)
        return float(rate(happened, decisions, sample_weight=sample_weight))

    return decided


def _mean_error(actual: ArrayLike, predicted: ArrayLike, sample_weight: ArrayLike) -> float:
    """Mean of predicted less actual: of probabilities, what they are too high by."""
    errors = np.asarray(predicted, dtype=np.float64) - np.asarray(actual, dtype=np.float64)
    return float(np.average(errors, weights=np.asarray(sample_weight, dtype=np.float64)))


def _calibration_error(actual: ArrayLike, predicted: ArrayLike, sample_weight: ArrayLike) -> float:
    del sample_weight  # every case of a probability is one customer
    return metrics.calibration_error(actual, predicted)


def _total_bias(actual: ArrayLike, predicted: ArrayLike, sample_weight: ArrayLike) -> float:
    del sample_weight  # likewise
    return metrics.total_bias(actual, predicted)


def wilson(successes: float, count: float) -> tuple[float, float]:
    """The interval of a rate that keeps to 0..1 and holds for few (Wilson, 1927); NaN of none.

    >>> [round(end, 4) for end in wilson(0, 100)]
    [0.0, 0.0622]
    """
    if count == 0:
        return float("nan"), float("nan")
    z, rate = NORMAL_QUANTILE, successes / count
    middle = (rate + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z / (1 + z**2 / count) * math.sqrt(rate * (1 - rate) / count + z**2 / (4 * count**2))
    return max(0.0, middle - half), min(1.0, middle + half)


def _selection_interval(_: Floats, predicted: Floats, weights: Floats, __: int) -> Interval:
    count = float(weights.sum())
    return *wilson(float((predicted * weights).sum()), count), round(count)


def _error_interval(of_class: int) -> IntervalOf:
    """Of the rate of wrong decisions among those of whom one thing became true."""

    def interval(actual: Floats, predicted: Floats, _: Floats, __: int) -> Interval:
        decisions = (predicted >= CHURNED_FROM)[actual == of_class]
        wrong = int((decisions != bool(of_class)).sum())
        return *wilson(wrong, len(decisions)), len(decisions)

    return interval


def _mean_error_interval(actual: Floats, predicted: Floats, _: Floats, __: int) -> Interval:
    errors, count = predicted - actual, len(actual)
    if count < 2:
        return float("nan"), float("nan"), count
    quantile = float(stats.t.ppf((1 + LEVEL) / 2, count - 1))
    half = quantile * float(errors.std(ddof=1)) / math.sqrt(count)
    return float(errors.mean()) - half, float(errors.mean()) + half, count


def _total_bias_interval(actual: Floats, predicted: Floats, _: Floats, __: int) -> Interval:
    """Of a ratio of two totals of the same customers, on the logarithmic scale."""
    count, bias = len(actual), metrics.total_bias(actual, predicted)
    if count < 2 or not bias > 0:
        return float("nan"), float("nan"), count
    residuals = predicted / predicted.mean() - actual / actual.mean()
    half = NORMAL_QUANTILE * float(residuals.std(ddof=1)) / math.sqrt(count)
    return bias * math.exp(-half), bias * math.exp(half), count


def _calibration_interval(actual: Floats, predicted: Floats, _: Floats, seed: int) -> Interval:
    """By drawing customers anew.

    Chance alone keeps every bin's rate off its mean probability, and does so twice in what is drawn
    anew: so the middle of the draws tells by how much the error itself is too large.
    """
    count, bins = len(actual), 10
    error = metrics.calibration_error(actual, predicted, bins)
    if count < MINIMUM_FOR_BINS:
        return float("nan"), float("nan"), count
    numbers = np.minimum((predicted * bins).astype(int), bins - 1)
    members = (numbers[:, None] == np.arange(bins)) * (actual - predicted)[:, None]
    chance = np.random.default_rng(seed)
    drawn = np.array(
        [
            np.abs(chance.multinomial(count, np.full(count, 1 / count)) @ members).sum() / count
            for _ in range(DRAWS)
        ]
    )
    middle = 2 * error - float(drawn.mean())
    half = NORMAL_QUANTILE * float(drawn.std(ddof=1))
    return max(0.0, middle - half), max(0.0, middle + half), count
