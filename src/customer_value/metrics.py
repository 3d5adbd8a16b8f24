"""How good predictions are, measured against what happened afterwards.

Every function takes one value per customer, actual and predicted in the same order, and
returns a float; nan where the figure is not defined (one class only, no actual value at all).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

Floats = NDArray[np.float64]
Metric = Callable[[ArrayLike, ArrayLike], float]

# Log loss of a probability of 0 or 1 would be infinite if it were wrong once.
PROBABILITY_FLOOR = 0.001
# From this probability on an event is called one.
CALL_FROM = 0.5


def _floats(values: ArrayLike) -> Floats:
    return np.asarray(values, dtype=np.float64)


def _clipped(probability: ArrayLike) -> Floats:
    return np.clip(_floats(probability), PROBABILITY_FLOOR, 1 - PROBABILITY_FLOOR)


def roc_auc(is_event: ArrayLike, probability: ArrayLike) -> float:
    """The chance that an event is ranked above a non-event, ties counting half.

    Computed from mean ranks (Mann and Whitney, 1947).
    """
    events = _floats(is_event) > 0
    event_count, other_count = int(events.sum()), int((~events).sum())
    if event_count == 0 or other_count == 0:
        return float("nan")
    ranks = rankdata(_floats(probability))
    above = ranks[events].sum() - event_count * (event_count + 1) / 2
    return float(above / (event_count * other_count))


def log_loss(is_event: ArrayLike, probability: ArrayLike) -> float:
    """Mean negative log likelihood, in nats; probabilities are clipped to 0.001..0.999."""
    events, clipped = _floats(is_event), _clipped(probability)
    if len(events) == 0:
        return float("nan")
    return float(-np.mean(events * np.log(clipped) + (1 - events) * np.log1p(-clipped)))


def brier_score(is_event: ArrayLike, probability: ArrayLike) -> float:
    """Mean squared difference of probability and outcome (Brier, 1950)."""
    events = _floats(is_event)
    if len(events) == 0:
        return float("nan")
    return float(np.mean((_floats(probability) - events) ** 2))


def calibration_error(is_event: ArrayLike, probability: ArrayLike, bins: int = 10) -> float:
    """Mean distance of predicted and observed rate over equal-width bins, weighted by size."""
    events, predicted = _floats(is_event), _floats(probability)
    if len(events) == 0:
        return float("nan")
    bin_number = np.minimum((predicted * bins).astype(int), bins - 1)
    distances = [
        abs(events[members].mean() - predicted[members].mean()) * members.mean()
        for members in (bin_number == number for number in range(bins))
        if members.any()
    ]
    return float(sum(distances))


def _counts(is_event: ArrayLike, probability: ArrayLike) -> tuple[int, int, int, int]:
    """Called and is, called and is not, not called and is, neither; called from one half on."""
    events, called = _floats(is_event) > 0, _floats(probability) >= CALL_FROM
    return (
        int((called & events).sum()),
        int((called & ~events).sum()),
        int((~called & events).sum()),
        int((~called & ~events).sum()),
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")


def accuracy(is_event: ArrayLike, probability: ArrayLike) -> float:
    """Share called rightly, where a probability of one half or more is called an event."""
    hits, false_alarms, misses, rest = _counts(is_event, probability)
    return _share(hits + rest, hits + false_alarms + misses + rest)


def precision(is_event: ArrayLike, probability: ArrayLike) -> float:
    """Share of those called an event that are one."""
    hits, false_alarms, _, _ = _counts(is_event, probability)
    return _share(hits, hits + false_alarms)


def recall(is_event: ArrayLike, probability: ArrayLike) -> float:
    """Share of the events that are called one."""
    hits, _, misses, _ = _counts(is_event, probability)
    return _share(hits, hits + misses)


def f1_score(is_event: ArrayLike, probability: ArrayLike) -> float:
    """Harmonic mean of precision and recall; nan where there is no event and none is called."""
    hits, false_alarms, misses, _ = _counts(is_event, probability)
    return _share(2 * hits, 2 * hits + false_alarms + misses)


def mean_absolute_error(actual: ArrayLike, predicted: ArrayLike) -> float:
    """Mean of |predicted - actual|, in the unit of both."""
    actuals = _floats(actual)
    return float(np.mean(np.abs(_floats(predicted) - actuals))) if len(actuals) else float("nan")


def root_mean_squared_error(actual: ArrayLike, predicted: ArrayLike) -> float:
    """Root of the mean squared error, in the unit of both."""
    actuals = _floats(actual)
    if len(actuals) == 0:
        return float("nan")
    return float(np.sqrt(np.mean((_floats(predicted) - actuals) ** 2)))


def r_squared(actual: ArrayLike, predicted: ArrayLike) -> float:
    """Share of the variance explained; below 0 for worse than the mean."""
    actuals = _floats(actual)
    spread = float(np.sum((actuals - actuals.mean()) ** 2)) if len(actuals) else 0.0
    if spread == 0:
        return float("nan")
    return float(1 - np.sum((_floats(predicted) - actuals) ** 2) / spread)


def spearman_correlation(actual: ArrayLike, predicted: ArrayLike) -> float:
    """Correlation of the ranks, ties sharing the mean of theirs (Spearman, 1904)."""
    actuals, predictions = _floats(actual), _floats(predicted)
    if len(actuals) < 2 or np.ptp(actuals) == 0 or np.ptp(predictions) == 0:
        return float("nan")
    return float(np.corrcoef(rankdata(actuals), rankdata(predictions))[0, 1])


def _gini_of_order(actual: Floats, predicted: Floats) -> float:
    """Gini of the actual values taken in the order of the predicted ones, lowest first."""
    _, group = np.unique(predicted, return_inverse=True)
    # Tied predictions can't order their members: each counts as the mean of them all.
    means = np.bincount(group, weights=actual) / np.bincount(group)
    ordered = means[np.sort(group)]
    count = len(ordered)
    return float((count + 1 - 2 * np.sum(np.cumsum(ordered)) / ordered.sum()) / count)


def normalized_gini(actual: ArrayLike, predicted: ArrayLike) -> float:
    """Gini of actual ordered by predicted over Gini of actual ordered by itself: 1 is perfect."""
    actuals = _floats(actual)
    if len(actuals) < 2 or actuals.sum() <= 0 or np.ptp(actuals) == 0:
        return float("nan")
    return _gini_of_order(actuals, _floats(predicted)) / _gini_of_order(actuals, actuals)


def decile_error(actual: ArrayLike, predicted: ArrayLike, groups: int = 10) -> float:
    """Mean of |mean predicted - mean actual| / mean actual over groups ordered by prediction."""
    actuals, predictions = _floats(actual), _floats(predicted)
    if len(actuals) < groups:
        return float("nan")
    members = np.array_split(np.argsort(predictions, kind="stable"), groups)
    means = [(actuals[group].mean(), predictions[group].mean()) for group in members]
    if any(mean_actual <= 0 for mean_actual, _ in means):
        return float("nan")
    return float(np.mean([abs(predicted_mean / mean - 1) for mean, predicted_mean in means]))


def total_bias(actual: ArrayLike, predicted: ArrayLike) -> float:
    """Sum predicted over sum actual: 1 is right, below 1 too low."""
    total = _floats(actual).sum()
    return float(_floats(predicted).sum() / total) if total > 0 else float("nan")


def top_share(actual: ArrayLike, predicted: ArrayLike, share: float = 0.1) -> float:
    """Share of the actual total that the customers predicted highest hold."""
    actuals = _floats(actual)
    count = int(len(actuals) * share)
    if count == 0 or actuals.sum() <= 0:
        return float("nan")
    highest = np.argsort(-_floats(predicted), kind="stable")[:count]
    return float(actuals[highest].sum() / actuals.sum())


CHURN_METRICS: dict[str, Metric] = {
    "roc_auc": roc_auc,
    "log_loss": log_loss,
    "brier_score": brier_score,
    "calibration_error": calibration_error,
    "accuracy": accuracy,
    "precision": precision,
    "recall": recall,
    "f1_score": f1_score,
}

SPEND_METRICS: dict[str, Metric] = {
    "mean_absolute_error": mean_absolute_error,
    "root_mean_squared_error": root_mean_squared_error,
    "r_squared": r_squared,
    "spearman_correlation": spearman_correlation,
    "normalized_gini": normalized_gini,
    "decile_error": decile_error,
    "total_bias": total_bias,
    "top_10_percent_share": top_share,
}

# By target: what is measured of it.
METRICS: dict[str, dict[str, Metric]] = {
    "churn": CHURN_METRICS,
    "high_value": CHURN_METRICS,
    "spend": SPEND_METRICS,
}


HIGHER_IS_BETTER = {
    "roc_auc",
    "accuracy",
    "precision",
    "recall",
    "f1_score",
    "r_squared",
    "spearman_correlation",
    "normalized_gini",
    "top_10_percent_share",
}


def distance(metric: str, value: float) -> float:
    """How far a figure is from the best: lower is better, whatever the metric.

    A total that is too high by a factor is as far off as one that is too low by it.
    """
    if metric == "total_bias":
        return float(abs(np.log(value))) if value > 0 else float("inf")
    return -value if metric in HIGHER_IS_BETTER else value


def amount_score(actual: ArrayLike, predicted: ArrayLike) -> float:
    """How far amounts are off in all that they are used for; lower is better.

    In units of the mean actual amount: the mean absolute error, and the mean distance of ten
    groups' means by prediction. To these are added what the ranking misses of a perfect one,
    1 - normalized Gini, and half the logarithm by which the total is off: half, since the level
    of a future period is learnt from the shop as a whole besides.
    """
    actuals, predictions = _floats(actual), _floats(predicted)
    if len(actuals) < 2 or actuals.sum() <= 0 or predictions.sum() <= 0:
        return float("nan")
    mean = actuals.mean()
    groups = np.array_split(np.argsort(predictions, kind="stable"), min(10, len(actuals)))
    gaps = [abs(predictions[group].mean() - actuals[group].mean()) for group in groups]
    return float(
        np.mean(np.abs(predictions - actuals)) / mean
        + np.mean(gaps) / mean
        + (1 - normalized_gini(actuals, predictions))
        + abs(np.log(predictions.sum() / actuals.sum())) / 2
    )


# By target: the one figure that a champion is chosen by; lower is better.
SCORES: dict[str, Metric] = {
    "churn": log_loss,
    "high_value": log_loss,
    "spend": amount_score,
}
