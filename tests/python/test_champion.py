"""The backtest, the champion it chooses, and what is made of it, on shops whose law is planted."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import math
from collections.abc import Callable, Iterator
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from duckdb import DuckDBPyRelation as Relation
from numpy.typing import NDArray

from customer_value import (
    applied_models,
    backtest,
    calibration,
    champion,
    churn,
    customer_totals,
    evaluation,
    metrics,
    scoring,
    scoring_in_batches,
    spend,
    training,
)
from customer_value.calibration import Calibration
from customer_value.candidates import CANDIDATES, fitted_from, tuned, tuning
from customer_value.candidates.tuned import Tuned
from customer_value.champion import Trial
from customer_value.evaluation import Verdict

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
TUNED_RUN = RUN | {"is_tuned": True}


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


# Training and scoring


@dataclasses.dataclass
class Built:
    """A shop with its models trained and applied."""

    features: Relation
    run: Relation
    registry: pd.DataFrame
    models: Relation
    churn: pd.DataFrame
    spend: pd.DataFrame


def applied(built: Built) -> tuple[pd.DataFrame, pd.DataFrame]:
    def frame(scores: Relation) -> pd.DataFrame:
        rows: pd.DataFrame = scores.df()
        return rows.sort_values("customer_id").reset_index(drop=True)

    here = _connections[-1]
    churned = frame(scoring.score_churn(built.features, built.models, built.run, here))
    lines = duckdb_relation(churned)
    return churned, frame(scoring.score_spend(built.features, lines, built.models, built.run, here))


_connections: list[duckdb.DuckDBPyConnection] = []


def duckdb_relation(frame: pd.DataFrame) -> Relation:
    return _connections[-1].from_df(frame)


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        _connections.append(opened)
        yield opened
        _connections.pop()


def built_of(examples: pd.DataFrame, run: dict[str, Any]) -> Built:
    relation = duckdb_relation(examples)
    settings = duckdb_relation(pd.DataFrame([run | {"as_of_date": pd.Timestamp(TODAY)}]))
    none = duckdb_relation(pd.DataFrame(columns=list(tuning.COLUMNS)).astype("string"))
    backtested = duckdb_relation(evaluation.evaluate(relation, settings, none, None))
    churn_row = training.train("churn", relation, settings, backtested)
    spend_row = training.train(
        "spend", relation, settings, backtested, duckdb_relation(churn_row.astype(object))
    )
    registry = pd.concat([churn_row, spend_row]).assign(registration_number=1)
    newest = examples["as_of_date"] == examples["as_of_date"].max()
    features = (
        examples[newest & (examples["horizon_days"] == 15)]
        .drop(columns=["horizon_days", "log_horizon"])
        .assign(as_of_date=pd.Timestamp(TODAY))
        .reset_index(drop=True)
    )
    models = duckdb_relation(registry.astype(object))
    built = Built(
        duckdb_relation(features), settings, registry, models, pd.DataFrame(), pd.DataFrame()
    )
    built.churn, built.spend = applied(built)
    return built


def parameters(built: Built, name: str) -> dict[str, Any]:
    (text,) = built.registry.loc[built.registry["model_name"] == name, "parameters"]
    read: dict[str, Any] = json.loads(text)
    return read


def assert_lines_give_the_models_own_numbers(built: Built) -> None:
    features = built.features.df().sort_values("customer_id").reset_index(drop=True)
    for days in (RUN["churn_window_days"], 60):
        told = parameters(built, "churn")
        fitted = fitted_from(told["fitted"])
        examples = features.assign(log_horizon=math.log(days))
        churned = Calibration(**told["calibration"]).applied(fitted.predict(examples))
        line = built.churn["churn_intercept"] + built.churn["churn_slope"] * math.log(days)
        assert (1 / (1 + np.exp(-line.to_numpy()))) == pytest.approx(churned, rel=1e-8)
        if days == 60:
            continue
        # As int_customer_value__customer_curves bounds it.
        level = built.churn["churn_intercept"] + np.maximum(built.churn["churn_slope"], 0) * (
            math.log(RUN["churn_window_days"])
        )
        odds = level + np.minimum(built.churn["churn_slope"], 0) * math.log(days)
        chance = 1 / (1 + np.exp(odds.to_numpy()))
        expected = fitted_from(parameters(built, "spend")["fitted"]).predict(
            examples.assign(order_probability=chance)
        )
        ratio = built.spend["spend_intercept"] + built.spend["spend_slope"] * math.log(days)
        amount = chance * spend.baseline(examples) * np.exp(ratio.to_numpy())
        assert amount == pytest.approx(expected, rel=1e-8)


@pytest.mark.usefixtures("connection")
def test_a_line_by_nature_is_scored_in_the_engine(
    linear_shop: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = built_of(linear_shop, RUN)
    assert parameters(built, "churn")["is_affine"]
    assert parameters(built, "spend")["is_affine"]
    assert_lines_give_the_models_own_numbers(built)
    # What SQL says, batches say too; and reasons by coefficients are reasons by substitution.
    monkeypatch.setattr(applied_models, "LONGEST_SQL", 0)
    monkeypatch.setattr(scoring_in_batches, "ROWS_PER_BATCH", 150)
    for in_engine, in_batches in zip((built.churn, built.spend), applied(built), strict=True):
        pd.testing.assert_frame_equal(
            in_engine, in_batches[list(in_engine.columns)], check_dtype=False, rtol=1e-7, atol=1e-9
        )


@pytest.mark.usefixtures("connection")
def test_a_step_is_turned_into_a_line_through_the_numbers_shown(
    bent_shop: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = built_of(bent_shop, RUN | {"spend_candidates": "mean"})
    row = built.registry.set_index("model_name").loc["churn"]
    assert (row["candidate"], row["fit_health"]) == ("decision_tree", "ok")
    assert "contribution_per_unit" not in parameters(built, "churn")
    assert not parameters(built, "spend")["is_affine"]
    assert_lines_give_the_models_own_numbers(built)
    # Lateness is all that churn depends on here, and the average customer is the one at risk.
    lateness = built.features.df().sort_values("customer_id")["lateness"].to_numpy()
    unlike = built.churn[np.abs(lateness) > 0.8]
    is_led = unlike["reason_1_feature"] == "lateness"
    assert is_led.mean() > 0.95
    assert set(unlike.loc[is_led, "reason_1"]) == {"rhythm_lowers"}
    monkeypatch.setattr(applied_models, "LONGEST_SQL", 10**9)
    for one, other in zip((built.churn, built.spend), applied(built), strict=True):
        pd.testing.assert_frame_equal(
            one, other[list(one.columns)], check_dtype=False, rtol=1e-7, atol=1e-9
        )


@pytest.mark.usefixtures("connection")
def test_held_out_customers_stand_beside_what_happened(
    linear_shop: pd.DataFrame, linear_verdicts: list[Verdict]
) -> None:
    relation = duckdb_relation(linear_shop)
    settings = duckdb_relation(pd.DataFrame([RUN | {"as_of_date": pd.Timestamp(TODAY)}]))
    rows = pd.DataFrame([verdict.to_row() for verdict in linear_verdicts])
    held_out = training.score_held_out(relation, settings, duckdb_relation(rows))
    assert len(held_out) == CUSTOMERS
    promised = {
        row["metric"]: row["value"]
        for row in linear_verdicts[0].held_out["metrics"]
        if row["candidate"] == "logistic"
    }
    measured = metrics.log_loss(held_out["is_churned"], held_out["churn_probability"])
    assert measured == pytest.approx(promised["log_loss"], abs=1e-8)
    within = held_out["actual_net_amount"].between(
        held_out["predicted_net_amount_lower"], held_out["predicted_net_amount_upper"]
    )
    assert within.mean() > RUN["interval_level"] - 3 * math.sqrt(0.16 / CUSTOMERS)


# Tuning


def steep(features: pd.DataFrame) -> Floats:
    """So sure that the default penalty, made for chancy shops, is clearly too heavy."""
    return 5 * linear(features)


def searched(examples: pd.DataFrame) -> pd.DataFrame:
    """What candidate_tuning has of the candidates that RUN lists."""
    rows = []
    for target in evaluation.TARGETS:
        for name in RUN[f"{target}_candidates"].split(","):
            rows += tuning.search(examples, RUN, CANDIDATES[target][name])[1]
    return pd.DataFrame(rows, columns=list(tuning.COLUMNS))


@pytest.fixture(scope="module")
def steep_shop() -> pd.DataFrame:
    return shop(steep)


@pytest.fixture(scope="module")
def tuned_verdict(steep_shop: pd.DataFrame) -> Verdict:
    run = TUNED_RUN | {"churn_candidates": "logistic"}
    return evaluation.verdicts(steep_shop, run, {}, {}, searched(steep_shop))[0]


def test_a_setting_that_was_found_is_what_origins_and_training_use(
    steep_shop: pd.DataFrame, tuned_verdict: Verdict
) -> None:
    run = TUNED_RUN | {"churn_candidates": "logistic"}
    by_default = evaluation.verdicts(steep_shop, run, {})[0]
    losses = [
        pd.DataFrame(verdict.results)
        .query("candidate == 'logistic' and metric == 'log_loss'")
        .set_index("origin_date")["value"]
        for verdict in (by_default, tuned_verdict)
    ]
    assert (losses[1] < losses[0]).all()
    assert losses[1].mean() < losses[0].mean() - 0.02
    told = pd.DataFrame(tuned_verdict.results)["setting"].map(json.loads)
    assert {setting["inverse_penalty"] for setting in told} == {0.3}
    candidate = CANDIDATES["churn"]["logistic"]
    of_run = tuned_verdict.tuning.setting(candidate, TODAY)
    assert of_run["inverse_penalty"] == 0.3
    with duckdb.connect() as connection:
        row = training.train(
            "churn",
            connection.from_df(steep_shop),
            connection.from_df(pd.DataFrame([run | {"as_of_date": pd.Timestamp(TODAY)}])),
            connection.from_df(pd.DataFrame([tuned_verdict.to_row()])),
        ).iloc[0]
    assert json.loads(row["parameters"])["setting"] == of_run


def test_settings_at_past_dates_know_nothing_of_what_followed(
    steep_shop: pd.DataFrame, tuned_verdict: Verdict
) -> None:
    origins = backtest.origins(steep_shop, RUN)
    ends = steep_shop["as_of_date"] + pd.to_timedelta(steep_shop["horizon_days"], unit="D")
    is_later = ends > pd.Timestamp(origins[0].as_of_date)
    others = steep_shop.assign(is_churned_in_horizon=steep_shop["is_churned_in_horizon"] ^ is_later)
    run = TUNED_RUN | {"churn_candidates": "logistic"}
    changed = evaluation.verdicts(others, run, {}, {}, searched(others))[0]
    candidate = CANDIDATES["churn"]["logistic"]
    for origin in origins:
        setting = tuned_verdict.tuning.setting(candidate, origin.as_of_date)
        assert changed.tuning.setting(candidate, origin.as_of_date) == setting
    # What the run itself uses has seen those windows, which had ended by its date.
    assert changed.tuning.setting(candidate, TODAY) != tuned_verdict.tuning.setting(
        candidate, TODAY
    )
    # Nothing was searched by a date before the first origin.
    before = origins[0].as_of_date - dt.timedelta(days=1)
    assert tuned_verdict.tuning.setting(candidate, before) == dict(candidate.settings[0])


def test_the_level_is_learnt_from_the_champions_in_office(
    linear_shop: pd.DataFrame, linear_verdicts: list[Verdict]
) -> None:
    date = backtest.origins(linear_shop, RUN)[-1].as_of_date
    ends = linear_shop["as_of_date"] + pd.to_timedelta(linear_shop["horizon_days"], unit="D")
    earlier = linear_shop[ends <= pd.Timestamp(date)]
    later = linear_shop[linear_shop["as_of_date"] == pd.Timestamp(date)]
    heavy = {"known_by": TODAY.isoformat(), "setting": {"inverse_penalty": 0.003}}
    churned, spent = (verdict.to_row() for verdict in linear_verdicts[:2])
    churned["tuning"] = Tuned(TODAY, {"logistic": [heavy]}).to_json()
    churned["calibration"] = json.dumps({"intercept": 0.5, "slope": 1.0})
    for name in ("gamma", "own_rate"):
        office = pd.DataFrame([churned, spent | {"champion": name}])
        champions = customer_totals.InOffice.of(office, RUN)
        expected = customer_totals.expected_amounts(earlier, later, champions)
        logistic = CANDIDATES["churn"]["logistic"].fit(earlier, RUN, inverse_penalty=0.003)
        line = Calibration(0.5, 1.0)
        with_chance = [
            rows.assign(order_probability=1 - line.applied(logistic.predict(rows)))
            for rows in (earlier, later)
        ]
        by_hand = CANDIDATES["spend"][name].fit(with_chance[0], RUN).predict(with_chance[1])
        assert expected == pytest.approx(by_hand, rel=1e-12)


def test_plain_builds_keep_what_was_found_for_a_quarter(tuned_verdict: Verdict) -> None:
    rows = pd.DataFrame([tuned_verdict.to_row()])
    lasts = evaluation.EVALUATION_LASTS_DAYS
    for days in (0, lasts):
        kept = tuned.kept(rows, TODAY + dt.timedelta(days=days), lasts)
        assert kept == {"churn": tuned_verdict.tuning}
    assert tuned.kept(rows, TODAY + dt.timedelta(days=lasts + 1), lasts) == {}
    assert tuned.kept(rows, TODAY - dt.timedelta(days=1), lasts) == {}
    # Rows of a version that searched for none, and settings that are offered no more.
    assert tuned.kept(rows.drop(columns="tuning"), TODAY, lasts) == {}
    assert tuned.kept(rows.assign(tuning=None), TODAY, lasts) == {}
    candidate = CANDIDATES["churn"]["logistic"]
    outdated = {"known_by": TODAY.isoformat(), "setting": {"inverse_penalty": 7}}
    default = Tuned(TODAY, {"logistic": [outdated]}).setting(candidate, TODAY)
    assert default == dict(candidate.settings[0])
