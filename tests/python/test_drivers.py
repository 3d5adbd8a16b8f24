"""What drives a model is found where it was planted, and nothing where there is none."""

from __future__ import annotations

import math
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.metrics import mean_tweedie_deviance

from customer_value import churn, drivers, feature_effects, spend

# A strong feature, one of half its strength the other way, and one that is noise.
# Weaker than the default: shops this small would be shrunken far from what was planted.
INVERSE_PENALTY = 0.03
PLANTED = {"log_silence": 1.0, "log_purchases": -0.5, "gap_variation": 0.0}
INTERCEPT, SLOPE, HORIZONS = 1.0, -0.5, (30, 90, 180)


def examples(customer_count: int, seed: int) -> pd.DataFrame:
    """Each customer's examples at three horizons, whose outcomes share the customer's luck."""
    chance = np.random.default_rng(seed)
    features = {name: chance.normal(0, 1, customer_count) for name in churn.FEATURES}
    luck = chance.normal(0, 1, customer_count)
    rows = pd.DataFrame(features | {"customer_id": np.arange(customer_count).astype(str)})
    frames = []
    for horizon_days in HORIZONS:
        log_odds = np.full(customer_count, INTERCEPT + SLOPE * math.log(horizon_days))
        for name, effect in PLANTED.items():
            log_odds = log_odds + effect * rows[name]
        # The normal luck through its distribution: uniform, and the same at every horizon.
        is_churned = stats.norm.cdf(luck) < 1 / (1 + np.exp(-log_odds))
        frames.append(
            rows.assign(
                horizon_days=horizon_days,
                log_horizon=math.log(horizon_days),
                is_churned_in_horizon=is_churned,
            )
        )
    return pd.concat(frames, ignore_index=True)


def effects(frame: pd.DataFrame, horizon_days: int = 90) -> Any:
    model, fallback = churn.fit(frame, 180, INVERSE_PENALTY)
    assert fallback is None
    happened = frame["is_churned_in_horizon"].to_numpy(dtype=bool)
    return feature_effects.odds_ratios(
        model.coefficients(), frame, happened, horizon_days, INVERSE_PENALTY
    )


def test_effects_have_the_planted_order_and_direction() -> None:
    told = effects(examples(1500, seed=1))
    strong, half, noise = (told.loc[name] for name in PLANTED)
    assert strong["effect_per_deviation_lower"] > 1.8
    assert half["effect_per_deviation_upper"] < 0.8
    assert noise["effect_per_deviation_lower"] < 1 < noise["effect_per_deviation_upper"]
    sizes = told["effect_per_deviation"].map(lambda effect: abs(math.log(effect)))
    assert list(sizes.nlargest(2).index) == ["log_silence", "log_purchases"]
    per_unit = strong["effect_per_unit"] ** strong["feature_deviation"]
    assert per_unit == pytest.approx(strong["effect_per_deviation"])


def test_intervals_cover_what_was_planted_as_often_as_they_say() -> None:
    """Of 30 shops, 3 features each: 95% of 90 intervals, give or take what chance does.

    What is to be covered is what the model's penalty makes of what was planted, which a shop of
    fifty times as many customers tells.
    """
    model, _ = churn.fit(examples(30_000, seed=1000), 180, INVERSE_PENALTY / 50)
    log_horizon = math.log(90)
    truth = {
        name: model.coefficients()[name]
        + log_horizon * model.coefficients().get(f"{name}_x_log_horizon", 0)
        for name in PLANTED
    }
    assert truth["log_silence"] == pytest.approx(PLANTED["log_silence"], rel=0.2)
    covered = []
    for seed in range(30):
        told = effects(examples(600, seed))
        for name, effect in truth.items():
            row = told.loc[name]
            ends = row["effect_per_unit_lower"], row["effect_per_unit_upper"]
            covered.append(ends[0] < math.exp(effect) < ends[1])
    assert 0.88 <= np.mean(covered) <= 0.995


def test_the_sandwich_is_that_of_customers_drawn_anew() -> None:
    """Intervals are as wide as refitting on redrawn customers says, wider than of single rows."""
    frame = examples(500, seed=3)
    told = effects(frame)
    chance, refitted = np.random.default_rng(4), []
    of_customer = frame.groupby("customer_id").indices
    for _ in range(80):
        drawn = chance.integers(0, 500, 500)
        positions = np.concatenate([of_customer[str(number)] for number in drawn])
        redrawn = frame.iloc[positions].assign(customer_id=np.repeat(np.arange(500), 3).astype(str))
        model, _ = churn.fit(redrawn, 180, INVERSE_PENALTY)
        coefficients = model.coefficients()
        refitted.append(coefficients["gap_variation"])
    width = math.log(told.loc["gap_variation", "effect_per_unit_upper"]) - math.log(
        told.loc["gap_variation", "effect_per_unit_lower"]
    )
    deviation = width / 2 / feature_effects.NORMAL_QUANTILE
    assert deviation == pytest.approx(np.std(refitted), rel=0.25)
    alone = effects(frame.assign(customer_id=np.arange(len(frame)).astype(str)))
    lower, upper = alone.loc["gap_variation", ["effect_per_unit_lower", "effect_per_unit_upper"]]
    assert math.log(upper) - math.log(lower) < 0.8 * width


def test_effects_on_spend_are_ratios_of_amounts() -> None:
    chance = np.random.default_rng(5)
    count = 3000
    frame = pd.DataFrame({name: chance.normal(0, 1, count) for name in spend.FEATURES})
    frame = frame.assign(
        customer_id=np.arange(count).astype(str),
        log_horizon=np.log(chance.choice(HORIZONS, count)),
        expected_purchase_amount=20.0,
        purchases_per_day=0.01,
        is_churned_in_horizon=chance.random(count) < 0.3,
    )
    mean = spend.baseline(frame) * np.exp(0.4 * frame["log_amount"] - 0.2 * frame["gap_variation"])
    frame["net_amount_in_horizon"] = mean * chance.gamma(2, 0.5, count)
    model, _ = spend.fit(frame)
    told: Any = feature_effects.amount_ratios(model.coefficients(), frame, 90, spend.PENALTY)
    assert set(told["effect_kind"]) == {"amount_ratio"}
    assert told.loc["log_amount", "effect_per_unit"] == pytest.approx(math.exp(0.4), rel=0.05)
    assert told.loc["log_amount", "effect_per_unit_lower"] > 1.3
    assert told.loc["gap_variation", "effect_per_unit_upper"] < 0.9
    lateness = told.loc["log_tenure"]
    assert lateness["effect_per_unit_lower"] < 1 < lateness["effect_per_unit_upper"]


@pytest.fixture(scope="module")
def found() -> Any:
    """Importances by a model that is not linear, of customers that it does not know."""
    names = list(PLANTED)
    known = examples(800, seed=6)
    later = examples(1500, seed=7).query("horizon_days == 90").reset_index(drop=True)
    trees = GradientBoostingClassifier(n_estimators=40, random_state=0)
    trees.fit(known[names].to_numpy(), known["is_churned_in_horizon"])
    return drivers.importances(
        lambda asked: trees.predict_proba(asked[names].to_numpy())[:, 1],
        later,
        (*names, "log_amount"),
        later["is_churned_in_horizon"].to_numpy(dtype=np.float64),
        drivers._log_losses,
        seed=42,
    )


def test_importances_have_the_planted_order_and_direction(found: Any) -> None:
    strong, half, noise = (found.loc[name] for name in PLANTED)
    assert strong["importance_lower"] > half["importance_upper"] > half["importance_lower"] > 0
    assert strong["prediction_change"] > 0.2
    assert half["prediction_change"] < -0.1
    assert noise["importance_lower"] < 0 < noise["importance_upper"]


def test_what_a_model_does_not_read_matters_nothing(found: Any) -> None:
    unread = found.loc["log_amount"]
    assert unread.tolist() == pytest.approx([0.0, 0.0, 0.0, 0.0], abs=1e-12)


def test_a_history_is_shuffled_as_a_whole() -> None:
    chance = np.random.default_rng(10)
    tenure = chance.integers(10, 400, 200)
    later = pd.DataFrame({"tenure_days": tenure, "recency_days": chance.integers(1, tenure)})

    def predict(asked: pd.DataFrame) -> Any:
        assert (asked["recency_days"] < asked["tenure_days"]).all()
        return np.asarray(asked["recency_days"] / asked["tenure_days"])

    actual = (chance.random(200) < predict(later)).astype(float)
    read = drivers.read_by(predict, later)
    told: Any = drivers.importances(predict, later, read, actual, drivers._log_losses, seed=42)
    assert list(told.index) == ["tenure_days+recency_days"]
    assert told.iloc[0]["importance_lower"] > 0
    assert np.isnan(told.iloc[0]["prediction_change"])


def test_the_loss_of_money_is_scikit_learns() -> None:
    chance = np.random.default_rng(8)
    actual, predicted = chance.gamma(0.5, 20, 50) * (chance.random(50) < 0.5), np.full(50, 9.0)
    assert drivers._tweedie_losses(actual, predicted).mean() == pytest.approx(
        mean_tweedie_deviance(actual, predicted, power=drivers.TWEEDIE_POWER)
    )


def test_the_features_that_a_model_reads_are_found() -> None:
    frame = examples(50, seed=9)
    model, _ = churn.fit(examples(300, seed=9), 180)
    read = drivers.read_by(lambda asked: churn.probability(model, asked), frame)
    assert sorted(read) == sorted(churn.FEATURES)
    with_distance = frame.assign(order_count=3, text="none")
    assert drivers.read_by(lambda asked: asked["order_count"].to_numpy(float), with_distance) == [
        "order_count"
    ]


def test_a_model_that_a_fallback_stands_in_for_has_no_drivers() -> None:
    with duckdb.connect() as connection:
        nothing = connection.sql("""
            select
                '' as customer_id, timestamp '2024-01-01' as as_of_date, 1 as horizon_days
            where false
        """)
        run = connection.sql("select timestamp '2024-01-01' as as_of_date")
        models = connection.sql("""
            select
                unnest(['churn', 'spend', 'high_value']) as model_name, 'v' as model_version,
                1 as registration_number, 'a_fallback' as fallback, '{}' as parameters
        """)
        backtested = connection.sql("""
            select
                unnest(['churn', 'spend', 'high_value']) as target, date '2024-01-01' as as_of_date,
                false as is_full, '{}' as held_out
        """)
        measured = drivers.measure(nothing, models, run, backtested)
    assert measured.empty
    assert list(measured) == list(drivers.COLUMNS)
