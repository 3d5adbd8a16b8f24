"""The metrics against scikit-learn's, published or hand-computed values, and their own laws."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn import metrics as peer

from customer_value import metrics

Floats = NDArray[np.float64]

chances = st.lists(
    st.tuples(st.booleans(), st.integers(0, 1000).map(lambda n: n / 1000)), min_size=2, max_size=60
)
amounts = st.lists(
    st.tuples(st.integers(0, 10_000), st.integers(1, 10_000)), min_size=12, max_size=60
)


def columns(pairs: list[tuple[float, float]]) -> tuple[Floats, Floats]:
    first, second = np.array(pairs, dtype=np.float64).T
    return first, second


@given(chances)
def test_churn_metrics_agree_with_scikit_learn(pairs: list[tuple[float, float]]) -> None:
    events, chance = columns(pairs)
    assume(0 < events.sum() < len(events))
    clipped = np.clip(chance, 0.001, 0.999)
    assert metrics.roc_auc(events, chance) == pytest.approx(peer.roc_auc_score(events, chance))
    assert metrics.log_loss(events, chance) == pytest.approx(peer.log_loss(events, clipped))
    assert metrics.brier_score(events, chance) == pytest.approx(
        peer.brier_score_loss(events, chance)
    )


@given(amounts)
def test_spend_metrics_agree_with_scikit_learn(pairs: list[tuple[float, float]]) -> None:
    actual, predicted = columns(pairs)
    assume(np.ptp(actual) > 0)
    for ours, theirs in (
        (metrics.mean_absolute_error, peer.mean_absolute_error),
        (metrics.root_mean_squared_error, peer.root_mean_squared_error),
        (metrics.r_squared, peer.r2_score),
    ):
        assert ours(actual, predicted) == pytest.approx(theirs(actual, predicted))


@given(chances)
def test_auc_depends_on_the_ranking_alone(pairs: list[tuple[float, float]]) -> None:
    events, chance = columns(pairs)
    assume(0 < events.sum() < len(events))
    area = metrics.roc_auc(events, chance)
    assert metrics.roc_auc(events, np.exp(3 * chance) - 7) == pytest.approx(area)
    assert metrics.roc_auc(events, -chance) == pytest.approx(1 - area)


@given(amounts)
def test_gini_of_the_truth_is_1_and_of_its_reverse_minus_1(
    pairs: list[tuple[float, float]],
) -> None:
    actual, predicted = columns(pairs)
    assume(np.ptp(actual) > 0)
    assert metrics.normalized_gini(actual, actual) == pytest.approx(1)
    assert metrics.normalized_gini(actual, -actual) == pytest.approx(-1)
    assert metrics.normalized_gini(actual, np.ones_like(actual)) == pytest.approx(0, abs=1e-9)
    assert -1 - 1e-9 <= metrics.normalized_gini(actual, predicted) <= 1 + 1e-9


@given(st.lists(st.booleans(), min_size=2, max_size=40), st.permutations(range(40)))
def test_gini_of_events_is_the_gini_of_the_auc(events: list[bool], order: list[int]) -> None:
    # For outcomes of 0 and 1 the two are bound by Gini = 2 AUC - 1.
    assume(0 < sum(events) < len(events))
    scores = order[: len(events)]
    area = metrics.roc_auc(events, scores)
    assert metrics.normalized_gini(events, scores) == pytest.approx(2 * area - 1)


def test_gini_has_the_value_computed_by_hand() -> None:
    # 1, 3 have the Gini (3 - 2 * (1 + 4) / 4) / 2 = 0.25; taken in reverse -0.25.
    assert metrics.normalized_gini([1, 3], [2, 1]) == pytest.approx(-1)
    # 0, 1, 5 taken as 1, 0, 5: (4 - 2 * (1 + 1 + 6) / 6) / 3 over (4 - 2 * (0 + 1 + 6) / 6) / 3.
    assert metrics.normalized_gini([0, 1, 5], [2, 1, 3]) == pytest.approx(0.8)


def test_calibration_error_has_the_value_computed_by_hand() -> None:
    # Bin 0.1..0.2: predicted 0.15, seen 0.5; bin 0.9..1: predicted 0.95, seen 1. Half of all each.
    error = metrics.calibration_error([0, 1, 1, 1], [0.15, 0.15, 0.95, 0.95])
    assert error == pytest.approx(0.5 * 0.35 + 0.5 * 0.05)


def test_a_probability_of_1_falls_into_the_last_bin() -> None:
    assert metrics.calibration_error([1, 1], [1.0, 1.0]) == 0


def test_decile_error_has_the_value_computed_by_hand() -> None:
    assert metrics.decile_error([2, 4], [3, 5], groups=2) == pytest.approx((0.5 + 0.25) / 2)


def test_total_bias_and_top_share_have_the_values_computed_by_hand() -> None:
    assert metrics.total_bias([10, 30], [5, 25]) == pytest.approx(0.75)
    actual = [50, *[5] * 9, 100]
    assert metrics.top_share(actual, range(11, 0, -1)) == pytest.approx(50 / 195)


@pytest.mark.parametrize(
    ("metric", "actual", "predicted"),
    [
        pytest.param(metrics.roc_auc, [1, 1], [0.1, 0.9], id="auc of one class"),
        pytest.param(metrics.log_loss, [], [], id="log loss of nobody"),
        pytest.param(metrics.brier_score, [], [], id="brier score of nobody"),
        pytest.param(metrics.calibration_error, [], [], id="calibration of nobody"),
        pytest.param(metrics.mean_absolute_error, [], [], id="absolute error of nobody"),
        pytest.param(metrics.root_mean_squared_error, [], [], id="squared error of nobody"),
        pytest.param(metrics.r_squared, [3, 3], [1, 2], id="variance explained where none is"),
        pytest.param(metrics.r_squared, [], [], id="variance explained of nobody"),
        pytest.param(metrics.normalized_gini, [2, 2], [1, 2], id="gini of equal amounts"),
        pytest.param(metrics.normalized_gini, [-1, 1], [1, 2], id="gini of nothing in all"),
        pytest.param(metrics.decile_error, [1] * 9, [1] * 9, id="deciles of nine"),
        pytest.param(metrics.decile_error, [0] * 10, [1] * 10, id="deciles without an amount"),
        pytest.param(metrics.total_bias, [0, 0], [1, 1], id="bias against nothing"),
        pytest.param(metrics.top_share, [1] * 9, [1] * 9, id="the top tenth of nine"),
    ],
)
def test_what_is_not_defined_is_nan(
    metric: Callable[[list[float], list[float]], float],
    actual: list[float],
    predicted: list[float],
) -> None:
    assert math.isnan(metric(actual, predicted))
