"""Settings that a search found: where they are used, what they knew, and how long they last."""

from __future__ import annotations

import datetime as dt
import json

import duckdb
import pandas as pd
import pytest

from customer_value import (
    backtest,
    evaluation,
    training,
)
from customer_value.candidates import CANDIDATES, tuned, tuning
from customer_value.candidates.tuned import Tuned
from customer_value.evaluation import Verdict
from planted_law import (
    RUN,
    TODAY,
    Floats,
    linear,
    shop,
)

TUNED_RUN = RUN | {"is_tuned": True}


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
