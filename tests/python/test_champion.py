"""The backtest, the champion it chooses, and its calibration, on shops whose law is planted."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

from customer_value import (
    backtest,
    calibration,
    champion,
    evaluation,
    metrics,
)
from customer_value.calibration import Calibration
from customer_value.champion import Trial
from customer_value.evaluation import Verdict
from planted_law import (
    RUN,
    TODAY,
    Floats,
    linear,
    not_linear,
    shop,
)


def churn_verdict(examples: pd.DataFrame) -> Verdict:
    return evaluation.verdicts(examples, RUN, {})[0]


@pytest.fixture(scope="module")
def linear_shop() -> pd.DataFrame:
    return shop(linear)


@pytest.fixture(scope="module")
def linear_verdicts(linear_shop: pd.DataFrame) -> list[Verdict]:
    return evaluation.verdicts(linear_shop, RUN, {})


@pytest.fixture(scope="module")
def bent_shop() -> pd.DataFrame:
    return shop(not_linear)


@pytest.fixture(scope="module")
def bent_verdict(bent_shop: pd.DataFrame) -> Verdict:
    return churn_verdict(bent_shop)


# The choice


def test_a_tree_is_champion_where_no_line_can_say_it(bent_verdict: Verdict) -> None:
    assert bent_verdict.champion == "decision_tree"
    assert bent_verdict.reason.startswith("gains ")
    untouched = pd.DataFrame(bent_verdict.results).query("is_untouched and metric == 'log_loss'")
    by_name = untouched.set_index("candidate")["value"]
    assert by_name["decision_tree"] < by_name["logistic"] - 0.1


def test_the_default_stays_where_a_line_is_all_there_is(linear_verdicts: list[Verdict]) -> None:
    assert [verdict.champion for verdict in linear_verdicts] == ["logistic", "gamma", "logistic"]
    assert all(verdict.reason.startswith("default") for verdict in linear_verdicts)


def test_the_champion_of_a_recent_full_evaluation_is_the_default(bent_shop: pd.DataFrame) -> None:
    run = RUN | {"churn_candidates": "logistic,recency_fifths"}
    kept = pd.DataFrame(
        [
            {"target": "churn", "is_full": True, "champion": "decision_tree", "as_of_date": date}
            for date in (TODAY - dt.timedelta(days=evaluation.EVALUATION_LASTS_DAYS),)
        ]
    )
    incumbents = evaluation._evaluated(kept, TODAY)
    assert incumbents == {"churn": "decision_tree"}
    verdict = evaluation.verdicts(bent_shop, run, incumbents)[0]
    assert (verdict.default, verdict.champion) == ("decision_tree", "decision_tree")
    assert evaluation._evaluated(kept, TODAY + dt.timedelta(days=1)) == {}
    assert evaluation._evaluated(kept, TODAY - dt.timedelta(days=200)) == {}


def trial(name: str, origin: int, predicted: Floats, actual: Floats) -> Trial:
    class Sound:
        fallback = None
        health = "ok"

    start = dt.date(2024, 1, 1) + dt.timedelta(days=30 * origin)
    position = (np.arange(len(actual)) + 0.5) / len(actual)
    chance = np.random.default_rng(7)
    chance.shuffle(position)
    end = start + dt.timedelta(days=30)
    fitted: Any = Sound()
    return Trial(
        name,
        is_naive=False,
        as_of_date=start,
        window_end=end,
        horizon_days=30,
        is_untouched=False,
        fitted=fitted,
        predicted=predicted,
        actual=actual,
        position=position,
    )


def tried(seed: int, noise: dict[str, list[float]], customers: int = 600) -> dict[str, list[Trial]]:
    """Candidates whose log odds are off by so much noise at each origin."""
    chance = np.random.default_rng(seed)
    trials: dict[str, list[Trial]] = {name: [] for name in noise}
    for origin in range(len(next(iter(noise.values())))):
        odds = chance.normal(0, 1.5, customers)
        actual = (chance.random(customers) < 1 / (1 + np.exp(-odds))).astype(float)
        for name, by_origin in noise.items():
            off = odds + chance.normal(0, by_origin[origin], customers)
            trials[name].append(trial(name, origin, 1 / (1 + np.exp(-off)), actual))
    return trials


LATER = dt.date(2025, 1, 1)


def test_a_gain_at_every_origin_wins() -> None:
    trials = tried(0, {"default": [1.0] * 3, "other": [0.1] * 3})
    assert champion.choose("churn", "default", trials, LATER).candidate == "other"


def test_a_gain_at_one_origin_alone_does_not() -> None:
    trials = tried(0, {"default": [1.0, 0.1, 0.1], "other": [0.1, 0.2, 0.2]})
    assert champion.choose("churn", "default", trials, LATER).candidate == "default"


def test_one_origin_can_show_nothing() -> None:
    trials = tried(0, {"default": [1.0], "other": [0.1]})
    assert champion.choose("churn", "default", trials, LATER).candidate == "default"


def test_windows_that_had_not_ended_are_not_looked_at() -> None:
    trials = tried(0, {"default": [1.0] * 3, "other": [0.1] * 3})
    second_end = trials["default"][1].window_end
    just_before = second_end - dt.timedelta(days=1)
    assert champion.choose("churn", "default", trials, second_end).candidate == "other"
    assert champion.choose("churn", "default", trials, just_before).candidate == "default"


def test_the_luckiest_of_many_equals_seldom_wins() -> None:
    noise = {"default": [0.5] * 3, **{f"equal {n}": [0.5] * 3 for n in range(12)}}
    changed = [
        champion.choose("churn", "default", tried(seed, noise, 300), LATER).candidate != "default"
        for seed in range(20)
    ]
    assert sum(changed) <= 6


def test_who_answers_by_a_fallback_is_not_chosen() -> None:
    trials = tried(0, {"default": [1.0] * 3, "other": [0.1] * 3})
    for one in trials["other"][:1]:
        one.fitted.fallback = "base_rate"  # type: ignore[misc]
    assert champion.choose("churn", "default", trials, LATER).candidate == "default"


def test_a_gain_is_the_difference_of_the_scores() -> None:
    trials = tried(1, {"default": [1.0] * 2, "other": [0.1] * 2})
    gained = champion.gain(metrics.log_loss, trials["other"], trials["default"])
    by_hand = np.mean(
        [
            metrics.log_loss(worse.actual, worse.predicted)
            - metrics.log_loss(better.actual, better.predicted)
            for better, worse in zip(trials["other"], trials["default"], strict=True)
        ]
    )
    assert gained.value == pytest.approx(by_hand)
    # Chance among 600 customers, twice.
    assert 0.003 < gained.standard_error < 0.1


# No look-ahead


def what_was_known(verdict: Verdict) -> str:
    """All of a verdict that was settled before the untouched origin's window began."""
    return json.dumps(
        {
            "champion": verdict.champion,
            "reason": verdict.reason,
            "earlier": [row for row in verdict.results if not row["is_untouched"]],
            "held_out": {name: v for name, v in verdict.held_out.items() if name != "metrics"},
        }
    )


def test_what_follows_an_origin_changes_nothing_before_it(
    linear_shop: pd.DataFrame, linear_verdicts: list[Verdict]
) -> None:
    last = backtest.origins(linear_shop, RUN)[-1].as_of_date
    ends = linear_shop["as_of_date"] + pd.to_timedelta(linear_shop["horizon_days"], unit="D")
    is_later = ends > pd.Timestamp(last)
    assert 0 < is_later.sum() < len(linear_shop)
    others = linear_shop.assign(
        is_churned_in_horizon=linear_shop["is_churned_in_horizon"] ^ is_later,
        net_amount_in_horizon=linear_shop["net_amount_in_horizon"].where(~is_later, 12345.0),
    )
    changed = evaluation.verdicts(others, RUN, {})
    for before, after in zip(linear_verdicts, changed, strict=True):
        assert what_was_known(before) == what_was_known(after)
        assert before.held_out["metrics"] != after.held_out["metrics"]


def test_each_origin_knows_only_windows_that_had_ended(linear_shop: pd.DataFrame) -> None:
    origins = backtest.origins(linear_shop, RUN)
    assert [origin.is_untouched for origin in origins] == [False, False, False, True]
    for origin in origins:
        ends = origin.earlier["as_of_date"] + pd.to_timedelta(
            origin.earlier["horizon_days"], unit="D"
        )
        assert ends.max() <= pd.Timestamp(origin.as_of_date)
        for target in evaluation.TARGETS:
            later = origin.later[target]
            assert later["customer_id"].is_unique
            assert {date.date() for date in later["as_of_date"]} == {origin.as_of_date}
            # What chose the champion had ended before the untouched window began.
            assert origin.is_untouched or origin.window_end(target) <= origins[-1].as_of_date
    assert origins[-1].horizon_days("churn") == RUN["churn_window_days"]


def test_a_short_history_has_no_origin_and_keeps_the_defaults(linear_shop: pd.DataFrame) -> None:
    young = linear_shop[linear_shop["as_of_date"] >= pd.Timestamp(TODAY - dt.timedelta(days=30))]
    for verdict in evaluation.verdicts(young, RUN, {}):
        assert verdict.champion in {"logistic", "gamma"}
        assert verdict.results == []
        assert verdict.held_out == {}
    none = linear_shop.head(0)
    assert [verdict.results for verdict in evaluation.verdicts(none, RUN, {})] == [[], [], []]


def test_an_unknown_candidate_is_named(linear_shop: pd.DataFrame) -> None:
    run = RUN | {"churn_candidates": "logistic,crystal_ball"}
    with pytest.raises(evaluation.UnknownCandidateError, match="crystal_ball, which is no cand"):
        evaluation.verdicts(linear_shop, run, {})


# Calibration


def said(seed: int, intercept: float, slope: float) -> tuple[Floats, Floats]:
    """What happened, and a probability whose log odds are off by a line."""
    chance = np.random.default_rng(seed)
    odds = chance.normal(0, 1.5, 3000)
    actual = (chance.random(3000) < 1 / (1 + np.exp(-odds))).astype(float)
    return actual, 1 / (1 + np.exp(-(odds - intercept) / slope))


def test_what_is_off_at_every_origin_is_put_right() -> None:
    line = calibration.agreed([said(seed, 0.6, 0.7) for seed in range(3)])
    assert line.intercept == pytest.approx(0.6, abs=0.1)
    assert line.slope == pytest.approx(0.7, abs=0.1)
    actual, given = said(9, 0.6, 0.7)
    calibrated = line.applied(given)
    assert metrics.log_loss(actual, calibrated) < metrics.log_loss(actual, given) - 0.02
    assert metrics.calibration_error(actual, calibrated) < metrics.calibration_error(actual, given)
    assert metrics.roc_auc(actual, calibrated) == pytest.approx(metrics.roc_auc(actual, given))


def test_what_origins_do_not_agree_on_is_left_alone() -> None:
    one_way_and_the_other = [said(seed, 0.6 * (-1) ** seed, 1) for seed in range(4)]
    for trials in (one_way_and_the_other, [said(seed, 0, 1) for seed in range(3)]):
        line = calibration.agreed(trials)
        assert line.intercept == pytest.approx(0, abs=0.03)
        assert line.slope == pytest.approx(1, abs=0.05)
    assert calibration.agreed([said(0, 0.6, 0.7)]).is_identity


def test_calibration_is_the_same_in_sql() -> None:
    line, given = Calibration(0.25, 0.75), np.array([0.001, 0.2, 0.999])
    odds = line.sql("predictor")
    with duckdb.connect() as connection:
        connection.register("given", pd.DataFrame({"predictor": calibration.log_odds(given)}))
        scored = connection.sql(f"select 1 / (1 + exp(-({odds}))) as p from given").df()["p"]
    assert scored.to_numpy() == pytest.approx(line.applied(given), rel=1e-12)
