"""A stranger's dbt project installs this package: whose tables stand where, who reads whom."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
DBT = Path(sys.executable).with_name("dbt")

# What dbt reads of the package, or it would not be installed: no environment, no warehouse.
OF_THE_PACKAGE = ("dbt_project.yml", "models", "python_models", "macros", "seeds")
TESTS_OF_THE_PACKAGE = ("generic", "singular")
BUILT = shutil.ignore_patterns("dbt_packages", "target", "logs", "*.duckdb*", ".user.yml")

OURS, OURS_INTERNAL = "analytics_customer_value", "analytics_customer_value_internal"
THEIRS, THEIR_SEEDS = "analytics", "analytics_raw"
NO_UNIT_TESTS = ("--exclude-resource-type", "unit_test")


def dbt(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run dbt where a user would stand, with nothing in the environment but PATH and HOME."""
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [str(DBT), "--no-use-colors", "--no-send-anonymous-usage-stats", *arguments],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def succeeded(finished: subprocess.CompletedProcess[str]) -> str:
    assert finished.returncode == 0, finished.stdout[-6000:] + finished.stderr[-2000:]
    return finished.stdout


def configuration(project: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((project / "dbt_project.yml").read_text())
    return content


def configure(project: Path, **changes: dict[str, Any]) -> None:
    """Replace top-level keys of the consumer's dbt_project.yml."""
    content = yaml.safe_dump(configuration(project) | changes, sort_keys=False)
    (project / "dbt_project.yml").write_text(content)


def rows(project: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(project / "shop.duckdb"), read_only=True) as connection:
        return connection.sql(sql).fetchall()


def enabled(node: dict[str, Any]) -> bool:
    """A test of a disabled model stays in the manifest, disabled as well."""
    is_enabled: bool = node["config"]["enabled"]
    return is_enabled


def value(project: Path, sql: str) -> Any:
    return rows(project, sql)[0][0]


@pytest.fixture(scope="module")
def consumer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project in its place within the package, so that packages.yml's `../..` holds."""
    package = tmp_path_factory.mktemp("a shop") / "customer value"
    package.mkdir()
    for name in OF_THE_PACKAGE:
        source = REPOSITORY / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, package / name)
    for name in TESTS_OF_THE_PACKAGE:
        shutil.copytree(REPOSITORY / "tests" / name, package / "tests" / name)
    project = package / "tests" / "consumer"
    shutil.copytree(REPOSITORY / "tests" / "consumer", project, ignore=BUILT)
    succeeded(dbt(project, "deps"))
    return project


@pytest.fixture(scope="module")
def first_build(consumer: Path) -> str:
    """All of it, the package's unit tests too: no var of the consumer has our default."""
    return succeeded(dbt(consumer, "--warn-error", "build"))


@pytest.fixture(scope="module")
def manifest(consumer: Path, first_build: str) -> dict[str, Any]:
    assert first_build
    parsed: dict[str, Any] = json.loads((consumer / "target" / "manifest.json").read_text())
    return parsed


@pytest.fixture(scope="module")
def relations(consumer: Path, first_build: str) -> dict[tuple[str, str], str]:
    """Schema and name of all that was built, with its type."""
    assert first_build
    found = rows(
        consumer, "select table_schema, table_name, table_type from information_schema.tables"
    )
    return {(schema, name): kind for schema, name, kind in found}


@pytest.fixture
def changed(consumer: Path, first_build: str, tmp_path: Path) -> Path:
    """A copy that a test may change, without what was built; it reads the same package.

    dbt knows what it parsed for the first build, and parses what a test has changed; all of it
    where that is dbt_project.yml.
    """
    assert first_build
    project = tmp_path / "changed shop"
    shutil.copytree(consumer, project, ignore=BUILT)
    (project / "target").mkdir()
    shutil.copy(consumer / "target" / "partial_parse.msgpack", project / "target")
    packages = project / "dbt_packages"
    packages.mkdir()
    (packages / "customer_value").symlink_to(consumer.parents[1], target_is_directory=True)
    return project


def test_names_that_both_have_stand_in_two_schemas(
    consumer: Path, relations: dict[tuple[str, str], str]
) -> None:
    assert {schema for schema, name in relations if name == "customers"} == {THEIRS, OURS}
    assert {schema for schema, name in relations if name == "orders"} == {THEIRS}

    def columns(schema: str) -> set[str]:
        return {row[0] for row in rows(consumer, f"describe {schema}.customers")}

    assert columns(THEIRS) == {"client", "first_seen_at", "line_count"}
    assert {"customer_id", "lifecycle_stage"} <= columns(OURS)


def test_package_reads_its_own_models_and_the_mapped_one(manifest: dict[str, Any]) -> None:
    """Of the consumer's only the input, and what it put in place of ours."""
    foreign = {
        parent
        for node in manifest["nodes"].values()
        if node["package_name"] == "customer_value"
        for parent in node["depends_on"].get("nodes", [])
        if parent.split(".")[1] == "shop_analytics"
    }
    assert foreign == {
        "model.shop_analytics.orders",
        "model.shop_analytics.customer_rfm",
        "seed.shop_analytics.rfm_segments",
    }


def test_demo_orders_stay_out(
    manifest: dict[str, Any], relations: dict[tuple[str, str], str]
) -> None:
    assert "seed.customer_value.demo_orders" not in manifest["nodes"]
    assert "demo_orders" not in {name for _, name in relations}


def test_schemas_are_those_of_the_consumer(
    manifest: dict[str, Any], relations: dict[tuple[str, str], str]
) -> None:
    assert {schema for schema, _ in relations} == {THEIRS, THEIR_SEEDS, OURS, OURS_INTERNAL}
    for node in manifest["nodes"].values():
        if node["package_name"] != "customer_value" or node["resource_type"] not in (
            "model",
            "seed",
        ):
            continue
        is_mart = node["original_file_path"].startswith("models/marts/")
        assert node["schema"] == (OURS if is_mart else OURS_INTERNAL), node["unique_id"]


def test_disabled_model_is_gone_with_its_tests(
    manifest: dict[str, Any], relations: dict[tuple[str, str], str]
) -> None:
    assert "cohort_retention" not in {name for _, name in relations}
    left = manifest["nodes"] | manifest["unit_tests"]
    of_cohorts = [name for name in left if "assert_cohorts_" in name or "cohort_retention" in name]
    assert not [name for name in of_cohorts if enabled(left[name])]
    # Only what reads it goes with it.
    assert enabled(left["test.customer_value.assert_customers_hold_all_orders"])


def test_overridden_model_and_seed_take_the_place_of_ours(
    consumer: Path, manifest: dict[str, Any], relations: dict[tuple[str, str], str]
) -> None:
    assert {schema for schema, name in relations if name == "customer_rfm"} == {THEIRS}
    assert {schema for schema, name in relations if name == "rfm_segments"} == {THEIR_SEEDS}
    segments = {
        row[0] for row in rows(consumer, f"select distinct rfm_segment from {THEIRS}.customer_rfm")
    }
    assert segments
    assert segments <= {"warm regulars", "warm guests", "cold regulars", "cold guests"}
    # Our tests hold it to what the others expect of it.
    tested = [
        node["name"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "test"
        and "model.shop_analytics.customer_rfm" in node["depends_on"]["nodes"]
    ]
    assert "assert_every_customer_is_scored" in tested
    assert "unique_customer_rfm_customer_id" in tested


def compiled_orders(project: Path) -> str:
    succeeded(dbt(project, "compile", "--select", "orders_cleaned"))
    (file,) = (project / "target" / "compiled").rglob("orders_cleaned.sql")
    return file.read_text()


def test_columns_of_a_model_in_the_place_of_ours_are_carried(changed: Path) -> None:
    """It may know the store, which no input maps."""
    nothing = "cast(null as TEXT) as store"
    assert nothing in compiled_orders(changed)
    models = configuration(changed)["models"]
    replaced = {"stg_customer_value__orders": {"+enabled": False}}
    models["customer_value"] = {**models["customer_value"], "staging": replaced}
    configure(changed, models=models)
    theirs = changed / "models" / "stg_customer_value__orders.sql"
    theirs.write_text("select 'o1' as order_id, 'berlin' as store")
    assert nothing not in compiled_orders(changed)


def test_downstream_model_reads_ours(
    consumer: Path, manifest: dict[str, Any], first_build: str
) -> None:
    assert first_build
    parents = manifest["nodes"]["model.shop_analytics.newsletter_audience"]["depends_on"]["nodes"]
    assert "model.customer_value.customer_cltv" in parents
    assert "model.shop_analytics.customers" in parents
    (count, differing) = rows(
        consumer,
        f"""
        select count(*), count(*) filter (audience.predicted_value <> ours.predicted_value)
        from {THEIRS}.newsletter_audience as audience
        inner join {OURS}.customer_cltv as ours on audience.client = ours.customer_id
        """,
    )[0]
    assert count == value(consumer, f"select count(*) from {OURS}.customer_cltv") > 100
    assert differing == 0


def test_every_row_is_cleaned_or_rejected(consumer: Path, first_build: str) -> None:
    assert first_build
    cleaned = value(consumer, f"select count(*) from {OURS}.orders_cleaned")
    reasons = dict(
        rows(
            consumer,
            f"select reject_reason, count(*) from {OURS}.orders_rejected group by all",
        )
    )
    lines = value(consumer, f"select count(*) from {THEIR_SEEDS}.shop_orders")
    assert lines == len((consumer / "seeds" / "shop_orders.csv").read_text().splitlines()) - 1
    assert cleaned + sum(reasons.values()) == lines
    # The mess that seeds/make_shop_orders.py puts in.
    assert reasons == {
        "missing_customer_id": 2,
        "unparseable_ordered_at": 1,
        "missing_ordered_at": 1,
        "implausible_ordered_at": 1,
        "unparseable_amount": 1,
        "missing_amount": 1,
        "missing_order_id": 1,
        "unparseable_updated_at": 1,
        "duplicate_order_id": 7,
    }


def test_vars_are_the_consumers(consumer: Path, first_build: str) -> None:
    assert first_build
    assert rows(consumer, f"select distinct churn_window_days from {OURS}.customer_churn") == [
        (90,)
    ]
    assert rows(
        consumer,
        f"""
        select max(period_number), min(period_end - period_start), max(period_end - period_start)
        from {OURS}.customer_value_by_period
        """,
    ) == [(6, 30, 30)]
    # 40% of the net amount is margin, to the cent of each order.
    assert rows(
        consumer,
        f"""
        select distinct margin_amount - cast(net_amount * 0.4 as decimal(18, 2))
        from {OURS}.orders_cleaned
        """,
    ) == [(0,)]


def test_build_without_unit_tests_changes_no_number(consumer: Path, first_build: str) -> None:
    """And vars of the consumer's own stop nothing, not even one that looks like ours."""
    assert first_build
    values = f"select customer_id, total_value from {OURS}.customer_cltv order by customer_id"
    before = rows(consumer, values)
    foreign = ("--vars", "{colour_of_the_till: red, periods: 4}")
    output = succeeded(dbt(consumer, "build", *NO_UNIT_TESTS, *foreign))
    assert "the var periods is not ours" in output
    assert "colour_of_the_till" not in output
    assert " unit_test " not in output
    assert rows(consumer, values) == before


def test_misspelt_var_stops_the_run_with_a_sentence(changed: Path) -> None:
    variables = configuration(changed)["vars"]
    variables["customer_value"]["churn_windw_days"] = 60
    configure(changed, vars=variables)
    finished = dbt(changed, "run", "--select", "orders")
    assert finished.returncode != 0
    assert "churn_windw_days is not a var; did you mean churn_window_days?" in finished.stdout
    # A var of the consumer's own, which stands beside it.
    assert "fiscal_year_start" not in finished.stdout
    # Before the first model.
    assert rows(changed, "select table_name from information_schema.tables") == []


def test_names_in_one_schema_are_refused_by_dbt(changed: Path) -> None:
    """What the consumer's `+schema` is for: without it dbt says so, and builds nothing."""
    models = configuration(changed)["models"]
    del models["customer_value"]["+schema"]
    del models["customer_value"]["marts"]["+schema"]
    configure(changed, models=models)
    finished = dbt(changed, "parse")
    assert finished.returncode != 0
    assert "two resources with the database representation" in finished.stdout


def test_names_that_dbt_would_mix_up_stop_the_run(changed: Path) -> None:
    """What the consumer's flag is for: without it our tests would read the consumer's customers."""
    configure(changed, flags={"send_anonymous_usage_stats": False})
    finished = dbt(changed, "run", "--select", "orders")
    assert finished.returncode != 0
    assert "customer_value and shop_analytics both have customers" in finished.stdout


def test_input_whose_column_was_renamed_stops_the_run_with_a_sentence(changed: Path) -> None:
    """Between two runs of the package; so far it was built with the name that is mapped."""
    succeeded(dbt(changed, "seed", "--select", "shop_orders", "shop_analytics.rfm_segments"))
    succeeded(dbt(changed, "run", "--select", "orders"))
    succeeded(dbt(changed, "run", "--select", "stg_customer_value__orders"))
    model = changed / "models" / "orders.sql"
    model.write_text(model.read_text().replace("    placed_at,", "    placed_at as bought_at,"))
    succeeded(dbt(changed, "run", "--select", "orders"))

    finished = dbt(changed, "run", "--select", "package:customer_value")
    assert finished.returncode != 0
    assert (
        "orders has no column placed_at for ordered_at; it has order_number, client, bought_at, "
        "total, coupon_cents, refunded_cents, state, changed_at. "
        "Write columns: {ordered_at: <expression over these>}."
    ) in finished.stdout
    assert "Traceback" not in finished.stdout
    # Before the first model.
    assert "sql view model" not in finished.stdout
    assert "sql table model" not in finished.stdout


def test_input_that_is_renamed_and_rebuilt_in_one_run_says_which_column_is_not_there(
    changed: Path,
) -> None:
    """Before its model has run nobody can tell; the engine then names what is there instead."""
    model = changed / "models" / "orders.sql"
    model.write_text(model.read_text().replace("    placed_at,", "    placed_at as bought_at,"))
    finished = dbt(changed, "build", "--select", "+stg_customer_value__orders", *NO_UNIT_TESTS)
    assert finished.returncode != 0
    assert "Failure in model stg_customer_value__orders" in finished.stdout
    assert 'column "placed_at" not found' in finished.stdout
    assert "Candidate bindings: " in finished.stdout
    assert "Traceback" not in finished.stdout


def test_ephemeral_model_is_an_input_like_any_other(
    changed: Path, consumer: Path, first_build: str
) -> None:
    assert first_build
    # What an earlier run left under its name, when it was a table, is not looked at.
    (changed / "models" / "orders.sql").rename(changed / "orders.sql")
    (changed / "models" / "orders.sql").write_text("select 1 as outdated")
    succeeded(dbt(changed, "run", "--select", "orders"))
    content = (changed / "orders.sql").read_text()
    ephemeral = "{{ config(materialized='ephemeral') }}\n" + content
    (changed / "models" / "orders.sql").write_text(ephemeral)

    succeeded(dbt(changed, "seed"))
    succeeded(dbt(changed, "run", "--select", "+orders_cleaned"))
    cleaned = f"select * from {OURS}.orders_cleaned order by order_id"
    assert rows(changed, cleaned) == rows(consumer, cleaned)


def test_exchange_rates_come_from_a_seed(changed: Path) -> None:
    rates = ["currency,day,dollars", *(f"eur,{year}-01-01,1.5" for year in range(2020, 2027))]
    (changed / "seeds" / "rates.csv").write_text("\n".join(rates) + "\n")
    variables = configuration(changed)["vars"]
    variables["customer_value"] |= {"reporting_currency": "USD", "exchange_rate_max_age_days": 366}
    variables["customer_value"]["inputs"]["exchange_rates"] = {
        "model": "rates",
        "columns": {"rate_date": "day", "rate": "dollars"},
    }
    configure(changed, vars=variables)
    succeeded(dbt(changed, "seed"))
    succeeded(dbt(changed, "run", "--select", "+orders_cleaned", "+orders_rejected"))
    totals = rows(
        changed,
        f"""
        select distinct currency, original_currency, exchange_rate,
            gross_amount = cast(original_gross_amount * 1.5 as decimal(18, 2))
        from {OURS}.orders_cleaned
        """,
    )
    assert totals == [("USD", "EUR", 1.5, True)]
    assert not value(
        changed,
        f"select count(*) from {OURS}.orders_rejected where reject_reason like '%exchange%'",
    )


def test_stale_sources_are_told_before_a_refresh(changed: Path) -> None:
    succeeded(dbt(changed, "seed"))
    stale = dbt(changed, "source", "freshness")
    assert stale.returncode == 1
    assert "ERROR STALE" in stale.stdout
    with duckdb.connect(str(changed / "shop.duckdb")) as connection:
        connection.execute(
            f"update {THEIR_SEEDS}.shop_orders "
            "set changed_at = cast(cast(now() at time zone 'UTC' as timestamp) as varchar)"
        )
    succeeded(dbt(changed, "source", "freshness"))


def test_a_refresh_publishes_the_users_own_project(changed: Path) -> None:
    finished = subprocess.run(
        [
            *(str(DBT.with_name("customer-value")), "refresh", "--json"),
            *("--select", "+customer_value.marts.orders", "refresh_log"),
            *("--indirect-selection", "cautious"),
        ],
        cwd=changed,
        capture_output=True,
        text=True,
        check=False,
    )
    outcome = json.loads(succeeded(finished).splitlines()[-1])
    assert outcome["database"] == str(changed / "shop.duckdb")
    assert rows(changed, f"select distinct run_id from {OURS}.customers") == [(outcome["run_id"],)]
    assert rows(changed, f"select run_id, is_published from {OURS}.refresh_log") == [
        (outcome["run_id"], True)
    ]


OWN_METRICS = """
models:
  - name: calendar
    time_spine: {standard_granularity_column: date_day}
    columns:
      - {name: date_day, granularity: day}
semantic_models:
  - name: sales
    model: ref('orders')
    defaults: {agg_time_dimension: placed_at}
    entities: [{name: sale, type: primary, expr: order_number}]
    dimensions: [{name: placed_at, type: time, type_params: {time_granularity: day}}]
    measures: [{name: turnover, agg: sum, expr: "1"}]
metrics:
  - name: NAME
    label: Turnover
    type: simple
    type_params: {measure: turnover}
"""
# What reads cohort_retention, which the consumer leaves out.
LEFT_OUT = {
    "semantic-models": ("cohorts",),
    "metrics": ("retention_rate", "cohort_size", "cohort_active_customers", "cohort_revenue"),
    "saved-queries": ("retention_by_month", "cohort_heat_map"),
}


def add_own_metrics(project: Path, name: str) -> None:
    """What many a project has already: a time spine, and a metric of that name."""
    (project / "models" / "calendar.sql").write_text("select date '2024-01-01' as date_day")
    (project / "models" / "metrics.yml").write_text(OWN_METRICS.replace("NAME", name))


def of_ours(project: Path, kind: str) -> set[str]:
    manifest = json.loads((project / "target" / "manifest.json").read_text())
    return {
        node["name"]
        for node in manifest[kind].values()
        if node["package_name"] == "customer_value" and enabled(node)
    }


def test_semantic_layer_stays_out_until_it_is_asked_for(changed: Path) -> None:
    """A metric and a time spine of the consumer's own are in nobody's way."""
    add_own_metrics(changed, "revenue")
    succeeded(dbt(changed, "--warn-error", "parse", "--no-partial-parse"))
    for kind in ("metrics", "semantic_models", "saved_queries", "exposures"):
        assert of_ours(changed, kind) == set()
    assert "customer_value_time_spine" not in of_ours(changed, "nodes")


def test_semantic_layer_comes_when_it_is_asked_for(changed: Path) -> None:
    """Beside the consumer's own time spine, and without what reads a mart that was left out."""
    add_own_metrics(changed, "turnover")
    settings = configuration(changed)
    settings["vars"]["customer_value"]["semantic_layer"] = True
    settings["models"]["customer_value"]["semantic"] = {"+enabled": False}
    off = {"+enabled": False}
    configure(
        changed,
        **settings,
        **{
            kind: {"customer_value": {"semantic": dict.fromkeys(names, off)}}
            for kind, names in LEFT_OUT.items()
        },
        exposures={"customer_value": off},
    )
    succeeded(dbt(changed, "--warn-error", "parse"))
    assert {"revenue", "predicted_value", "repeat_rate"} <= of_ours(changed, "metrics")
    assert not of_ours(changed, "metrics") & set(LEFT_OUT["metrics"])
    assert "customer_value_time_spine" not in of_ours(changed, "nodes")
