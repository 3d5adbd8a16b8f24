"""A model's version is its content: it changes with every ingredient and with nothing else."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from importlib import metadata
from typing import Any

import pandas as pd
import pytest

from customer_value import registry
from customer_value.registry import NoTrainedModelError, TrainedModel

MODEL = TrainedModel(
    model_name="churn",
    trained_as_of_date=dt.date(2024, 7, 1),
    training_from_date=dt.date(2024, 1, 1),
    training_to_date=dt.date(2024, 7, 1),
    training_rows=1000,
    training_customers=100,
    candidate="logistic",
    fallback=None,
    fit_health="ok",
    linear_predictor_sql="1 + x",
    scoring_sql="exp(1 + x)",
    parameters={"penalty": 0.1, "coefficients": {"x": 1.0}},
    metrics=[{"metric": "roc_auc", "value": 0.8}],
)
CHANGES: dict[str, Any] = {
    "model_name": "spend",
    "trained_as_of_date": dt.date(2024, 7, 2),
    "training_from_date": None,
    "training_to_date": dt.date(2024, 6, 30),
    "training_rows": 1001,
    "training_customers": 101,
    "candidate": "spline_logistic",
    "fallback": "base_rate",
    "fit_health": "one_class",
    "linear_predictor_sql": "2 + x",
    "scoring_sql": "exp(2 + x)",
    "parameters": {"penalty": 0.1, "coefficients": {"x": 1.0000000000000002}},
    "metrics": [],
}


def version_of(model: TrainedModel) -> str:
    return str(model.to_frame().loc[0, "model_version"])


def test_the_same_ingredients_give_the_same_version() -> None:
    reordered = {"coefficients": {"x": 1.0}, "penalty": 0.1}
    assert version_of(dataclasses.replace(MODEL, parameters=reordered)) == version_of(MODEL)
    assert version_of(MODEL).startswith("churn-")


@pytest.mark.parametrize("ingredient", [field.name for field in dataclasses.fields(TrainedModel)])
def test_another_ingredient_gives_another_version(ingredient: str) -> None:
    changed = dataclasses.replace(MODEL, **{ingredient: CHANGES[ingredient]})
    assert version_of(changed) != version_of(MODEL)


def test_another_library_gives_another_version(monkeypatch: pytest.MonkeyPatch) -> None:
    before = version_of(MODEL)
    monkeypatch.setattr(
        registry, "version", lambda name: "999" if name == "duckdb" else metadata.version(name)
    )
    assert version_of(MODEL) != before


def test_a_row_is_text_numbers_and_valid_json() -> None:
    unbounded = dataclasses.replace(MODEL, metrics=[{"value": float("nan"), "top": float("inf")}])
    (row,) = unbounded.to_frame().to_dict(orient="records")
    assert json.loads(row["metrics"]) == [{"value": None, "top": None}]
    assert row["trained_as_of_date"] == "2024-07-01"
    assert set(json.loads(row["library_versions"])) == set(registry.LIBRARIES)


def test_the_newest_model_is_the_one_registered_last() -> None:
    rows = pd.DataFrame(
        [
            ("churn", "a", 2, "{}"),
            ("churn", "b", 10, '{"reasons": {}}'),
            ("churn", "c", 9, "{}"),
            ("spend", "d", 11, "{}"),
        ],
        columns=["model_name", "model_version", "registration_number", "parameters"],
    )
    newest = registry.newest(rows, "churn")
    assert newest["model_version"] == "b"
    assert newest["parameters"] == {"reasons": {}}


def test_an_empty_registry_says_what_to_run() -> None:
    empty = pd.DataFrame(columns=["model_name", "registration_number", "parameters"])
    with pytest.raises(NoTrainedModelError, match="dbt build --selector train"):
        registry.newest(empty, "churn")
