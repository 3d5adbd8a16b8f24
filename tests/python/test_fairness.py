"""Fairness: planted bias is found by the metric that it is of, and no other; chance is not bias."""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from fairlearn import metrics as fairlearn_metrics
from numpy.typing import NDArray
from scipy import stats
from sklearn.metrics import confusion_matrix

from customer_value import fairness, metrics

Floats = NDArray[np.float64]

SIZES = {"north": 900, "south": 600, "west": 12}


def churn_cases(seed: int = 0, shift_of_south: float = 0.0) -> pd.DataFrame:
    """Customers whose predicted probability is true, but in the south it may be too high."""
    chance = np.random.default_rng(seed)
    parts = []
    for region, size in SIZES.items():
        actual = chance.uniform(0.1, 0.7, size)
        shift = shift_of_south if region == "south" else 0.0
        happened = chance.random(size) < actual
        parts.append(cases("churn", region, actual + shift, happened.astype(float)))
    return pd.concat(parts, ignore_index=True)


def cases(
    target: str, region: str, predicted: Floats, actual: Floats, evidence: str = "held_out"
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "evidence": evidence,
            "target": target,
            "evidence_as_of_date": pd.Timestamp("2024-01-01"),
            "horizon_days": 120,
            "model_version": "v",
            "group_name": "region",
            "group_value": region,
            "customer_count": 1,
            "predicted": predicted,
            "actual": actual,
        }
    )


def measured(frame: pd.DataFrame) -> Any:
    """The figures, a frame by group and metric."""
    with duckdb.connect() as connection:
        connection.register("cases", frame)
        found = fairness.measure(
            connection.sql("from cases"), connection.sql("select 42 as random_seed")
        )
    return found.set_index(["group_value", "metric"])


def is_unequal(row: Any) -> bool:
    """What model_fairness makes of probabilities and error rates by default."""
    is_far = abs(row["metric_value"] - row["reference_value"]) > 0.1
    return bool(is_far and is_beyond(row))


def is_beyond(row: Any) -> bool:
    """Whether the interval does not hold the figure of all customers."""
    return bool(
        row["metric_lower"] > row["reference_value"] or row["metric_upper"] < row["reference_value"]
    )


def test_a_model_that_is_right_about_everybody_treats_nobody_unequally() -> None:
    for seed in range(5):
        found = measured(churn_cases(seed))
        assert [key for key, row in found.iterrows() if is_unequal(row)] == []
    # Of a dozen no error by bins is judged: each bin would be of one or two.
    assert np.isnan(found.loc[("west", "calibration_error"), "metric_lower"])


def test_probabilities_that_are_too_high_for_a_group_are_found() -> None:
    found = measured(churn_cases(shift_of_south=0.25))
    south, north = found.loc["south"], found.loc["north"]
    assert south.loc["calibration_bias", "metric_value"] == pytest.approx(0.25, abs=0.06)
    assert is_unequal(south.loc["calibration_bias"])
    assert is_unequal(south.loc["calibration_error"])
    assert is_unequal(south.loc["false_positive_rate"])
    assert south.loc["false_positive_rate", "metric_value"] > 0.4
    assert south.loc["false_negative_rate", "metric_value"] < 0.3
    assert north.loc["calibration_bias", "metric_value"] == pytest.approx(0, abs=0.05)


def test_selections_that_pass_a_group_by_are_found() -> None:
    counted = pd.concat(
        [
            cases("tier", region, np.array([1.0, 0.0]), np.full(2, np.nan), "current").assign(
                customer_count=[selected, size - selected]
            )
            for region, selected, size in (("north", 100, 1000), ("south", 40, 1000))
        ]
    )
    found = measured(counted)
    south = found.loc[("south", "selection_rate")]
    assert south["metric_value"] == pytest.approx(0.04)
    assert south["reference_value"] == pytest.approx(0.07)
    assert south["customer_count"] == 1000
    assert is_beyond(south)
    ends = stats.binomtest(40, 1000).proportion_ci(confidence_level=0.99, method="wilson")
    assert (south["metric_lower"], south["metric_upper"]) == pytest.approx((ends.low, ends.high))


def test_values_that_are_too_low_for_a_group_are_found() -> None:
    chance = np.random.default_rng(1)
    parts = []
    for region, factor in (("north", 1.0), ("south", 0.5)):
        value = chance.gamma(2, 30, 800)
        parts.append(cases("value", region, value * factor, value * chance.gamma(2, 0.5, 800)))
    found = measured(pd.concat(parts))
    south, north = found.loc["south"], found.loc["north"]
    assert south.loc["total_bias", "metric_value"] == pytest.approx(0.5, rel=0.1)
    assert is_beyond(south.loc["total_bias"])
    assert south.loc["mean_error", "metric_value"] == pytest.approx(-30, rel=0.2)
    assert north.loc["total_bias", "metric_value"] == pytest.approx(1, rel=0.1)
    lower, upper = north.loc["total_bias", ["metric_lower", "metric_upper"]]
    assert lower < 1 < upper


def test_the_figures_are_those_of_the_definition() -> None:
    frame = churn_cases(shift_of_south=0.2)
    found = measured(frame)
    south = frame[frame["group_value"] == "south"]
    actual, decided = south["actual"] == 1, south["predicted"] >= 0.5
    (right_stays, false_alarms), (missed, right_churns) = confusion_matrix(actual, decided)
    told = found.loc["south"]
    assert told.loc["false_positive_rate", "metric_value"] == pytest.approx(
        false_alarms / (false_alarms + right_stays)
    )
    assert told.loc["false_negative_rate", "metric_value"] == pytest.approx(
        missed / (missed + right_churns)
    )
    assert told.loc["false_positive_rate", "measured_customer_count"] == (~actual).sum()
    assert told.loc["false_negative_rate", "measured_customer_count"] == actual.sum()
    assert told.loc["calibration_error", "metric_value"] == pytest.approx(
        metrics.calibration_error(actual, south["predicted"])
    )
    everybody = fairlearn_metrics.false_positive_rate(
        frame["actual"].astype(int), (frame["predicted"] >= 0.5).astype(int)
    )
    assert told.loc["false_positive_rate", "reference_value"] == pytest.approx(everybody)


def test_intervals_hold_what_is_true_as_often_as_they_say() -> None:
    """Of the calibration bias and the calibration error of customers whose probability is true."""
    held: dict[str, list[bool]] = {"calibration_bias": [], "calibration_error": []}
    for seed in range(100):
        chance = np.random.default_rng(seed)
        predicted = chance.uniform(0.1, 0.9, 200)
        actual = (chance.random(200) < predicted).astype(float)
        weights = np.ones(200)
        lower, upper, _ = fairness._mean_error_interval(actual, predicted, weights, seed)
        held["calibration_bias"].append(lower <= 0 <= upper)
        lower, _, _ = fairness._calibration_interval(actual, predicted, weights, seed)
        # What is true is 0, as low as an error can be: only its lower end can be wrong.
        held["calibration_error"].append(lower <= 0.02)
    assert {name: np.mean(of) >= 0.95 for name, of in held.items()} == dict.fromkeys(held, True)


def test_a_group_of_whom_nothing_is_known_has_no_figure() -> None:
    nobody_left = cases("churn", "north", np.array([0.2, 0.7]), np.array([0.0, 0.0]))
    one = cases("churn", "south", np.array([0.9]), np.array([1.0]))
    found = measured(pd.concat([nobody_left, one]))
    assert np.isnan(found.loc[("north", "false_negative_rate"), "metric_value"])
    assert found.loc[("north", "false_negative_rate"), "measured_customer_count"] == 0
    assert found.loc[("north", "false_positive_rate"), "metric_value"] == 0.5
    assert np.isnan(found.loc[("south", "calibration_bias"), "metric_lower"])


def test_no_groups_are_no_rows() -> None:
    found = measured(churn_cases().head(0)).reset_index()
    assert found.empty
    assert set(found) == set(fairness.COLUMNS)
