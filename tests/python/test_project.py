"""The project's own rules, read from what dbt parses: contracts, descriptions, keys, names."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from typing import Any

import pytest
import yaml

from conftest import PROJECT, complaint, invoke
from customer_value.refresh.audit import EARLIER_RUN

MARTS = tuple(sorted(path.stem for path in (PROJECT / "models" / "marts").rglob("*.sql")))
# Their grain is a row of the input, which may lack every key.
REJECTED = {"orders_rejected", "order_lines_rejected", "inputs_rejected"}
# What the pinned name stands for elsewhere in the field, as DESIGN.md lists them.
NAMES_WITHOUT_PREFIX = {
    "customer_features",
    "action_history",
    "action_plan",
    "budget_frontier",
    "campaign_performance",
    "satisfaction_retention",
    "tier_playbook",
    "campaign_uplift",
    "training_examples",
    "data_quality",
    "revenue_forecast",
    "revenue_forecast_backtest",
    "feature_drift",
    "prediction_drift",
    "prediction_history",
    "realized_accuracy",
    "refresh_log",
    "interval_coverage",
    "frequency_monetary_matrix",
    "next_event_predictions",
    "cart_conversion",
    "category_demand",
    "category_demand_backtest",
    "next_category",
}
BARE_NAMES = {"recency", "frequency", "monetary", "value", "score", "t"}
# One metric per row: there the column says value, and the metric's name what of.
TABLES_OF_BARE_VALUES = {"model_metrics", "model_backtest", "model_tuning", "data_quality"}
# What one currency is worth in another is no share of anything, and exact like the money it makes.
RATES_OF_MONEY = {"exchange_rate": ("decimal(20,10)",)}
UNIQUE_TESTS = {"unique", "unique_combination_of_columns", "unique_combination"}

VARCHAR, TIMESTAMP, DATE, BOOLEAN, DOUBLE = "varchar", "timestamp", "date", "boolean", "double"
WHOLE = ("integer", "bigint")
MONEY, EXPECTATION = "decimal(18,2)", "decimal(38,6)"


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("parsed")
    result = invoke("parse", folder, [], {})
    assert result.success, complaint(result)
    parsed: dict[str, Any] = json.loads((folder / "target" / "manifest.json").read_text())
    return parsed


@pytest.fixture(scope="module")
def models(manifest: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The package's models by name."""
    return {
        node["name"]: node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["package_name"] == "customer_value"
    }


@pytest.fixture(scope="module")
def tests_of(manifest: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The generic tests that each model has, by its name."""
    tests = defaultdict(list)
    for node in manifest["nodes"].values():
        if node["resource_type"] == "test" and node.get("attached_node"):
            tests[node["attached_node"].rsplit(".", 1)[-1]].append(node)
    return tests


def types_for(column: str) -> tuple[str, ...] | None:
    """The types that a column's name allows; None for a name that promises nothing."""
    if column in RATES_OF_MONEY:
        return RATES_OF_MONEY[column]
    is_expectation = column.startswith(("expected_", "predicted_"))
    for matches, types in (
        (column.startswith("raw_"), (VARCHAR,)),
        (column.startswith(("is_", "has_")), (BOOLEAN,)),
        (column.endswith("_id"), (VARCHAR,)),
        (column.endswith("_at"), (TIMESTAMP,)),
        (column.endswith(("_date", "_month")), (DATE,)),
        (column.endswith("_count"), (DOUBLE,) if is_expectation else WHOLE),
        (column.endswith("_amount"), (EXPECTATION,) if is_expectation else (MONEY,)),
        (column.endswith(("_rate", "_probability")), (DOUBLE,)),
        (column.endswith("_days") and not column.startswith("average_"), ("integer",)),
    ):
        if matches:
            return types
    return None


def test_every_table_of_the_design_is_a_mart() -> None:
    assert set(MARTS) >= {
        "orders_cleaned",
        "orders_rejected",
        "customers",
        "customer_rfm",
        "cohort_retention",
        "customer_churn",
        "customer_value_by_period",
        "customer_cltv",
        "customer_tiers",
        "model_registry",
        "model_metrics",
        "data_quality",
        "feature_drift",
        "prediction_drift",
        "prediction_history",
        "realized_accuracy",
        "model_health",
        "model_tuning",
    }


@pytest.mark.parametrize("mart", MARTS)
def test_a_mart_has_an_enforced_contract(models: dict[str, dict[str, Any]], mart: str) -> None:
    assert models[mart]["config"]["contract"]["enforced"]
    untyped = [name for name, column in models[mart]["columns"].items() if not column["data_type"]]
    assert models[mart]["columns"]
    assert untyped == []


@pytest.mark.parametrize("mart", MARTS)
def test_a_mart_and_each_of_its_columns_are_described(
    models: dict[str, dict[str, Any]], mart: str
) -> None:
    assert models[mart]["description"].strip()
    bare = [
        name
        for name, column in models[mart]["columns"].items()
        if not column["description"].strip()
    ]
    assert bare == []


@pytest.mark.parametrize("mart", sorted(set(MARTS) - REJECTED))
def test_a_mart_has_a_tested_grain_without_nulls(
    models: dict[str, dict[str, Any]], tests_of: dict[str, list[dict[str, Any]]], mart: str
) -> None:
    required = _never_null(models[mart], tests_of[mart])
    keys = [
        _key_of(test) for test in tests_of[mart] if test["test_metadata"]["name"] in UNIQUE_TESTS
    ]
    assert any(key <= required for key in keys), f"keys {keys}, never null {required}"


def _never_null(model: dict[str, Any], tests: list[dict[str, Any]]) -> set[str]:
    """The columns that a contract's constraint or a test keeps from being null."""
    constrained = {
        name
        for name, column in model["columns"].items()
        if any(constraint["type"] == "not_null" for constraint in column["constraints"])
    }
    tested = {test["column_name"] for test in tests if test["test_metadata"]["name"] == "not_null"}
    return constrained | tested


def _key_of(test: dict[str, Any]) -> set[str]:
    arguments = test["test_metadata"]["kwargs"]
    columns = [value for value in arguments.values() if isinstance(value, list)]
    return set(columns[0]) if columns else {test["column_name"]}


@pytest.mark.parametrize("mart", sorted(REJECTED))
def test_a_rejected_row_always_has_its_reason(
    models: dict[str, dict[str, Any]], tests_of: dict[str, list[dict[str, Any]]], mart: str
) -> None:
    tests = tests_of[mart]
    assert "reject_reason" in _never_null(models[mart], tests)
    tested = {(test["test_metadata"]["name"], test["column_name"]) for test in tests}
    assert ("accepted_values", "reject_reason") in tested


@pytest.mark.parametrize("mart", MARTS)
def test_the_type_of_a_column_agrees_with_its_name(
    models: dict[str, dict[str, Any]], mart: str
) -> None:
    disagreeing = {
        name: column["data_type"]
        for name, column in models[mart]["columns"].items()
        if (types := types_for(name)) is not None
        and (column["data_type"] or "").lower().replace(" ", "") not in types
    }
    assert disagreeing == {}


@pytest.mark.parametrize("mart", MARTS)
def test_a_column_says_what_it_is_a_value_of(models: dict[str, dict[str, Any]], mart: str) -> None:
    if mart not in TABLES_OF_BARE_VALUES:
        assert BARE_NAMES & models[mart]["columns"].keys() == set()


@pytest.mark.parametrize("mart", MARTS)
def test_a_mart_ends_in_named_columns(mart: str) -> None:
    (path,) = (PROJECT / "models" / "marts").rglob(f"{mart}.sql")
    final_select = path.read_text().rsplit("\nselect", 1)[-1]
    assert not re.match(r"\s*(\w+\.)?\*", final_select)


def test_every_model_is_described_and_named_by_its_layer(
    models: dict[str, dict[str, Any]],
) -> None:
    bare = [name for name, node in models.items() if not node["description"].strip()]
    assert bare == []
    misnamed = [
        name
        for name, node in models.items()
        if not re.fullmatch(_name_pattern(node["original_file_path"]), name)
        and name not in NAMES_WITHOUT_PREFIX
    ]
    assert misnamed == []


def _name_pattern(path: str) -> str:
    if path.startswith("models/staging/"):
        return r"stg_customer_value__[a-z_]+"
    if path.startswith("models/intermediate/"):
        return r"int_customer_value__[a-z_]+"
    if path.startswith("python_models/"):
        return (
            r"[a-z_]+_(training|scoring|imputation|measurement|tuning|backtest(ing)?|forecasting"
            r"|solving)"
        )
    # Marts: a plural noun, or something about a customer, a cohort or a model.
    return r"(customer|cohort|model)_[a-z_]+|([a-z]+_)?[a-z]+s(_[a-z]+ed)?"


def test_every_model_file_is_parsed(models: dict[str, dict[str, Any]]) -> None:
    files = {
        path.stem
        for folder, suffix in (("models", "sql"), ("python_models", "py"))
        for path in (PROJECT / folder).rglob(f"*.{suffix}")
    }
    assert files == models.keys()


def test_every_var_is_documented_by_a_comment_above_it() -> None:
    lines = (PROJECT / "dbt_project.yml").read_text().splitlines()
    declared = _declared_vars()
    assert declared
    undocumented = []
    for name in declared:
        (position,) = (
            number for number, line in enumerate(lines) if line.startswith(f"    {name}:")
        )
        if not lines[position - 1].lstrip().startswith("#"):
            undocumented.append(name)
    assert undocumented == []


def test_every_var_is_declared_and_used() -> None:
    sources = [
        path.read_text()
        for folder in ("models", "python_models", "macros", "seeds", "tests")
        for pattern in ("*.sql", "*.py", "*.yml")
        for path in (PROJECT / folder).rglob(pattern)
        # A dbt project of its own, with vars of its own.
        if not path.is_relative_to(PROJECT / "tests" / "refreshed")
    ]
    used = {name for text in sources for name in re.findall(r"\bvar\(\s*['\"](\w+)['\"]", text)}
    assert used == set(_declared_vars())


def test_a_table_that_a_nightly_refresh_leaves_out_says_that_it_may_be_of_an_earlier_run(
    models: dict[str, dict[str, Any]],
) -> None:
    selectors = yaml.safe_load((PROJECT / "selectors.yml").read_text())["selectors"]
    unions = {entry["name"]: entry["definition"].get("union") for entry in selectors}
    trained = {entry["value"] for entry in unions["training"]}
    nightly = {entry["value"] for entry in unions["refresh"] if "value" in entry}
    left_out = {
        name
        for name in MARTS
        if name in trained or not {name, ".".join(models[name]["fqn"][:3])} & nightly
    }
    of_earlier_runs = {
        name
        for name in left_out
        if "run_id" in models[name]["columns"]
        and models[name]["config"]["materialized"] != "incremental"
    }
    said = {
        name
        for name in MARTS
        if models[name]["config"]["meta"].get(EARLIER_RUN) and "run_id" in models[name]["columns"]
    }
    assert of_earlier_runs & trained
    assert of_earlier_runs - trained
    assert {name for name in said if models[name]["config"]["materialized"] != "incremental"} == (
        of_earlier_runs
    )


def _declared_vars() -> list[str]:
    project = yaml.safe_load((PROJECT / "dbt_project.yml").read_text())
    return list(project["vars"]["customer_value"])


def test_the_exposure_of_the_dashboard_names_every_table_that_it_reads(
    manifest: dict[str, Any],
) -> None:
    datasets = (PROJECT / "bi" / "superset" / "customer_value" / "datasets").rglob("*.yaml")
    read = {
        name
        for path in datasets
        for name in re.findall(r"\bcustomer_value\.customer_value\.(\w+)", path.read_text())
    }
    exposure = manifest["exposures"]["exposure.customer_value.superset_dashboard"]
    named = {node.rsplit(".", 1)[-1] for node in exposure["depends_on"]["nodes"]}
    assert named == read
    assert named <= set(MARTS)


def test_the_semantic_layer_is_labelled_and_described(manifest: dict[str, Any]) -> None:
    models = list(manifest["semantic_models"].values())
    parts = [
        *models,
        *(
            part
            for model in models
            for kind in ("entities", "dimensions", "measures")
            for part in model[kind]
        ),
        *manifest["metrics"].values(),
        *manifest["saved_queries"].values(),
        *manifest["exposures"].values(),
    ]
    assert len(manifest["metrics"]) > 20
    bare = [part["name"] for part in parts if not part["label"] or not part["description"].strip()]
    assert bare == []
