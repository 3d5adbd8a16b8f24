"""A champion once it is chosen: trained, applied in SQL and in batches, held out, in office."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterator
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from duckdb import DuckDBPyRelation as Relation

from customer_value import (
    applied_models,
    backtest,
    customer_totals,
    evaluation,
    metrics,
    scoring,
    scoring_in_batches,
    spend,
    training,
)
from customer_value.calibration import Calibration
from customer_value.candidates import CANDIDATES, fitted_from, tuning
from customer_value.candidates.tuned import Tuned
from customer_value.evaluation import Verdict
from planted_law import (
    CUSTOMERS,
    RUN,
    TODAY,
    linear,
    not_linear,
    shop,
)


@pytest.fixture(scope="module")
def linear_verdicts() -> list[Verdict]:
    return evaluation.verdicts(shop(linear), RUN, {})


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
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    built = built_of(shop(linear), RUN)
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
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    built = built_of(shop(not_linear), RUN | {"spend_candidates": "mean"})
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
    linear_verdicts: list[Verdict],
) -> None:
    relation = duckdb_relation(shop(linear))
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


def test_the_level_is_learnt_from_the_champions_in_office(
    linear_verdicts: list[Verdict],
) -> None:
    linear_shop = shop(linear)
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
