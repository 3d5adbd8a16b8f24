"""The report and its charts, over small databases made by hand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from matplotlib.text import Text

from customer_value import cli
from customer_value.report import charts, figures, plain_text, reading

if TYPE_CHECKING:
    from collections.abc import Iterator


EMPTY_TABLES = """
create schema customer_value;
set schema = 'customer_value';
create table orders_cleaned (order_id varchar, currency varchar);
create table orders_rejected (order_id varchar, reject_reason varchar);
create table customers (customer_id varchar, order_count bigint, as_of_date date);
create table customer_rfm (customer_id varchar);
create table cohort_retention (
    cohort_month date, month_number integer, order_month date, cohort_size bigint,
    active_customers bigint, retention_rate double
);
create table customer_churn (
    customer_id varchar, churn_probability double, churn_risk_band varchar,
    is_churned_prediction boolean, churn_window_days integer
);
create table customer_value_by_period (
    customer_id varchar, period_number integer, period_start date, period_end date,
    discount_factor double, as_of_date date
);
create table customer_cltv (
    customer_id varchar, historic_value decimal(18, 2), predicted_value decimal(38, 6),
    total_value decimal(38, 6), model_version varchar
);
create table customer_tiers (
    customer_id varchar, tier varchar, cltv_percentile decimal(9, 4),
    predicted_value decimal(38, 6)
);
create table model_registry (
    model_name varchar, model_version varchar, trained_as_of_date date, training_rows bigint,
    fallback varchar, parameters varchar, registration_number integer
);
create table model_metrics (
    model_name varchar, model_version varchar, split varchar, metric varchar, value double,
    baseline_value double, split_as_of_date date, horizon_days integer, customer_count bigint,
    is_trained boolean
);
create table data_quality (
    as_of_date date, input_name varchar, metric varchar, subject varchar, value double,
    warn_threshold double, error_threshold double, severity varchar
);
create table model_health (
    as_of_date date, model_name varchar, advice varchar, reason varchar
);
"""

FOUR_CUSTOMERS = """
insert into orders_cleaned select 'o' || n, 'EUR' from range(7) as numbers(n);
insert into orders_rejected values
    ('o1', 'duplicate_order_id'), ('x', 'missing_customer_id'), ('o2', 'duplicate_order_id');
insert into customers values
    ('a', 3, '2026-01-01'), ('b', 2, '2026-01-01'), ('c', 1, '2026-01-01'), ('d', 1, '2026-01-01');
insert into cohort_retention values
    ('2025-10-01', 0, '2025-10-01', 2, 2, 1.0), ('2025-10-01', 1, '2025-11-01', 2, 1, 0.5),
    ('2025-10-01', 2, '2025-12-01', 2, 0, 0.0), ('2025-11-01', 0, '2025-11-01', 2, 2, 1.0),
    ('2025-11-01', 1, '2025-12-01', 2, 0, 0.0);
insert into customer_churn values
    ('a', 0.1, 'low', false, 180), ('b', 0.4, 'medium', false, 180),
    ('c', 0.7, 'high', true, 180), ('d', 0.8, 'high', true, 180);
insert into customer_value_by_period
    select
        customer_id, n, date '2026-01-01' + to_months(n - 1), date '2026-01-01' + to_months(n),
        0.99, '2026-01-01'
    from customers, range(1, 13) as periods(n);
insert into customer_cltv values
    ('a', 100.10, 60, 160.10, 'churn-2+spend-1'), ('b', 50.20, 25, 75.20, 'churn-2+spend-1'),
    ('c', 10, 9.995, 19.995, 'churn-2+spend-1'), ('d', -5.30, 5.005, -0.295, 'churn-2+spend-1');
insert into customer_tiers values
    ('a', 'vip', 75, 60), ('b', 'regular', 50, 25),
    ('c', 'potential', 25, 9.995), ('d', 'potential', 0, 5.005);
insert into model_registry values
    ('churn', 'churn-1', '2025-12-01', 900, null, '{"estimator": "older"}', 1),
    ('churn', 'churn-2', '2026-01-01', 1000, null, '{"estimator": "logistic regression"}', 2),
    ('churn', 'churn-3', '2026-02-01', 1100, null, '{"estimator": "not applied yet"}', 3),
    ('spend', 'spend-1', '2026-01-01', 1000, 'personal_baseline_few_orders',
     '{"estimator": "Gamma regression"}', 1);
insert into model_metrics values
    ('churn', 'churn-1', 'out_of_time', 'roc_auc', 0.6, 0.5, '2025-09-01', 60, 3, true),
    ('churn', 'churn-2', 'out_of_time', 'log_loss', 0.4, 0.5, '2025-10-01', 90, 4, true),
    ('churn', 'churn-2', 'out_of_time', 'roc_auc', 0.813, 0.7, '2025-10-01', 90, 4, true),
    ('churn', 'churn-2', 'out_of_time', 'roc_auc', 0.7, 0.7, '2025-10-01', 90, 4, false);
insert into data_quality values
    ('2026-01-01', 'orders', 'row_count', 'all', 10, null, null, 'pass'),
    ('2026-01-01', 'orders', 'rejected_rate', 'all', 0.04, 0.05, 0.5, 'pass'),
    ('2026-01-01', 'orders', 'freshness_days', 'all', 1, 7, null, 'pass'),
    ('2026-02-01', 'orders', 'rejected_rate', 'all', 0.9, 0.05, 0.5, 'error');
insert into model_health values
    ('2026-01-01', 'churn', 'ok', 'No threshold is passed.'),
    ('2026-01-01', 'spend', 'ok', 'No threshold is passed.'),
    ('2025-12-01', 'spend', 'retrain', 'It was trained 181 days ago.');
"""

BREACHES = """
update data_quality set value = 12, severity = 'warn' where metric = 'freshness_days';
insert into data_quality values
    ('2026-01-01', 'orders', 'null_rate', 'customer_id', 0.6, null, 0.5, 'error');
"""


@cache
def _content(*statements: str) -> bytes:
    """A database file made by SQL; each is made once, as DuckDB waits for the disk."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made.duckdb"
        with duckdb.connect(str(path)) as connection:
            connection.begin()
            for statement in (EMPTY_TABLES, *statements):
                connection.execute(statement)
            connection.commit()
        return path.read_bytes()


def database(folder: Path, *statements: str) -> Path:
    """A file whose name makes catalog and schema the same, as the default profile does."""
    path = folder / "customer_value.duckdb"
    path.write_bytes(_content(*statements))
    return path


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return database(tmp_path, FOUR_CUSTOMERS)


def run(*arguments: object) -> int:
    return cli.main(["report", *(str(argument) for argument in arguments)])


def line_of(text: str, start: str) -> str:
    lines = (" ".join(line.split()) for line in text.splitlines())
    (found,) = (line for line in lines if line.startswith(start))
    return found


def test_counts_orders_and_rejections_by_reason(shop: Path) -> None:
    assert figures.summary(shop).orders == figures.inputs.Orders(
        input_count=10,
        cleaned_count=7,
        rejected_count=3,
        rejected_by_reason={"duplicate_order_id": 2, "missing_customer_id": 1},
    )


def test_breaches_of_data_quality_are_those_of_the_date(tmp_path: Path) -> None:
    """And not those of another run, of a later date."""
    found = figures.summary(database(tmp_path, FOUR_CUSTOMERS, BREACHES)).data_quality
    assert found == figures.inputs.DataQuality(
        figure_count=3,
        breaches=(
            figures.inputs.Breach("error", "orders", "null_rate", "customer_id", 0.6, 0.5),
            figures.inputs.Breach("warn", "orders", "freshness_days", "all", 12, 7),
        ),
    )


def test_breaches_of_data_quality_are_told_beside_their_thresholds(tmp_path: Path) -> None:
    text = plain_text.render(figures.summary(database(tmp_path, FOUR_CUSTOMERS, BREACHES)))
    assert line_of(text, "error") == "error orders null_rate of customer_id 60.0% above 50.0%"
    assert line_of(text, "warn") == "warn orders freshness_days 12 days above 7 days"
    assert "within their thresholds" not in text


def test_data_quality_of_another_date_alone_is_not_told(tmp_path: Path) -> None:
    of_another_date = "delete from data_quality where as_of_date = '2026-01-01'"
    found = figures.summary(database(tmp_path, FOUR_CUSTOMERS, of_another_date))
    assert found.data_quality == figures.inputs.DataQuality(0, ())
    assert "not measured for this date" in plain_text.render(found)


def test_model_health_is_one_line_where_all_is_well(shop: Path) -> None:
    text = plain_text.render(figures.summary(shop))
    assert line_of(text, "ok:") == "ok: no threshold of monitoring is passed"
    assert "181 days" not in text


def test_model_health_names_the_models_that_need_something(tmp_path: Path) -> None:
    old = """
    update model_health set advice = 'retrain', reason = 'It was trained 181 days ago.'
    where model_name = 'spend'
    """
    found = figures.summary(database(tmp_path, FOUR_CUSTOMERS, old))
    assert found.model_health == (
        figures.models.Health("churn", "ok", "No threshold is passed."),
        figures.models.Health("spend", "retrain", "It was trained 181 days ago."),
    )
    text = plain_text.render(found)
    assert line_of(text, "spend retrain") == "spend retrain It was trained 181 days ago."
    assert "churn  ok" not in text


def test_model_health_of_another_date_alone_is_not_told(tmp_path: Path) -> None:
    of_another_date = "delete from model_health where as_of_date = '2026-01-01'"
    found = figures.summary(database(tmp_path, FOUR_CUSTOMERS, of_another_date))
    assert "not watched for this date" in plain_text.render(found)


def test_repeat_rate_is_the_share_with_two_or_more_orders(shop: Path) -> None:
    assert figures.summary(shop).customers == figures.customers.Customers(4, 2, 0.5)


def test_churned_share_comes_from_the_prediction_and_its_window(shop: Path) -> None:
    assert figures.summary(shop).churn == figures.customers.Churn(180, 2, 0.5, 0.5)


def test_values_are_exact_sums_over_the_horizon(shop: Path) -> None:
    value = figures.summary(shop).value
    assert (value.historic_value, value.predicted_value) == (Decimal("155.00"), Decimal("100.00"))
    assert value.total_value == value.historic_value + value.predicted_value
    assert value.currencies == ("EUR",)
    assert value.horizon is not None
    assert value.horizon.words == "next 12 months, discounted"
    assert f"{value.horizon.end_date}" == "2027-01-01"


def test_tiers_stand_in_order_of_value_and_their_shares_add_up(shop: Path) -> None:
    tiers = figures.summary(shop).tiers
    assert [(t.tier, t.customer_count, t.predicted_value_rate) for t in tiers] == [
        ("vip", 1, 0.6),
        ("regular", 1, 0.25),
        ("potential", 2, 0.15),
    ]
    assert sum(t.customer_rate or 0 for t in tiers) == 1


def test_shows_the_model_that_scored_and_not_a_newer_one(shop: Path) -> None:
    churn, spend = figures.summary(shop).models
    assert (churn.model_version, churn.estimator) == ("churn-2", "logistic regression")
    assert churn.out_of_time is not None
    assert (churn.out_of_time.value, churn.out_of_time.baseline_value) == (0.813, 0.7)
    assert spend.fallback == "personal_baseline_few_orders"
    assert spend.out_of_time is None


def test_the_text_reads_as_it_should(shop: Path) -> None:
    text = plain_text.render(figures.summary(shop))
    expected = {
        "Customer value": "Customer value · as of 2026-01-01",
        "in ": "in 10",
        "cleaned": "cleaned 7 70.0%",
        "rejected": "rejected 3 30.0%",
        "duplicate_order_id": "duplicate_order_id 2 20.0%",
        "repeat rate": "repeat rate 50.0% 2 with two or more orders",
        "Churn": "Churn: no order in the 180 days from 2026-01-01",
        "mean probability": "mean probability 50.0%",
        "all ": "all 2 figures are within their thresholds",
        "historic": "historic 155.00 margin of all orders so far",
        "predicted 1": "predicted 100.00 next 12 months, discounted, to 2026-12-31",
        "total": "total 255.00 all in EUR",
        "vip": "vip 1 25.0% 60.00 60.0% ██████████████",
        "AUC": "AUC 0.813, baseline 0.700",
        "spend f": "spend fallback personal_baseline_few_orders",
        "instead": "instead of Gamma regression",
    }
    assert {start: line_of(text, start) for start in expected} == expected
    assert text.endswith(str(shop))
    assert max(map(len, text.splitlines()[:-1])) <= 80


def test_json_holds_the_figures_of_the_text(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--database", shop, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    text = plain_text.render(figures.summary(shop))
    assert found["database"] == str(shop)
    assert line_of(text, "in ") == f"in {found['orders']['input_count']}"
    for reason, count in found["orders"]["rejected_by_reason"].items():
        assert line_of(text, reason).startswith(f"{reason} {count} ")
    assert f"{100 * found['customers']['repeat_rate']:.1f}%" in line_of(text, "repeat rate")
    assert f"{100 * found['churn']['churned_rate']:.1f}%" in line_of(text, "predicted churned")
    for name in ("historic", "predicted", "total"):
        assert f"  {found['value'][f'{name}_value']:,.2f}" in text
    for tier in found["tiers"]:
        shown = f"{tier['predicted_value']:,.2f} {100 * tier['predicted_value_rate']:.1f}%"
        assert shown in line_of(text, tier["tier"])
    assert [
        model["out_of_time"] and model["out_of_time"]["metric"] for model in found["models"]
    ] == [
        "roc_auc",
        None,
    ]


def test_empty_tables_give_a_report_without_rates(tmp_path: Path) -> None:
    path = database(tmp_path)
    found = figures.summary(path)
    assert found.as_of_date is None
    assert found.customers.repeat_rate is None
    assert found.value.total_value == 0
    text = plain_text.render(found)
    assert "no clean orders yet" in text
    assert "no customers yet" in text
    assert "none trained yet" in text
    assert "None" not in text
    assert "nan" not in text
    json.loads(found.to_json())


def test_one_customer_holds_everything(tmp_path: Path) -> None:
    others = [
        f"delete from {table} where customer_id <> 'a'"
        for table in ("customers", "customer_churn", "customer_cltv", "customer_tiers")
    ]
    text = plain_text.render(figures.summary(database(tmp_path, FOUR_CUSTOMERS, *others)))
    assert line_of(text, "vip") == f"vip 1 100.0% 60.00 100.0% {'█' * 24}"


def test_negative_totals_have_no_shares(tmp_path: Path) -> None:
    losses = (
        "update customer_tiers set predicted_value = -predicted_value",
        "update customer_cltv set predicted_value = -predicted_value, total_value = -1.005",
    )
    text = plain_text.render(figures.summary(database(tmp_path, FOUR_CUSTOMERS, *losses)))
    assert line_of(text, "vip") == "vip 1 25.0% -60.00 -"
    assert line_of(text, "predicted -").startswith("predicted -100.00 ")


def test_amounts_of_a_trillion_keep_their_columns(tmp_path: Path) -> None:
    large = (
        "update customer_tiers set predicted_value = predicted_value * 1e12::decimal(18, 0)",
        "update customer_cltv set historic_value = 1e12",
    )
    text = plain_text.render(figures.summary(database(tmp_path, FOUR_CUSTOMERS, *large)))
    assert line_of(text, "historic").startswith("historic 4,000,000,000,000.00 ")
    rows = [line for line in text.splitlines() if "000,000.00" in line and "%" in line]
    assert len(rows) == 3
    assert len({row.index(".00 ") for row in rows}) == 1


@pytest.mark.parametrize(
    ("count", "days", "factor", "words"),
    [
        (1, None, 0.9, "next month, discounted"),
        (3, None, 1, "next 3 months, not discounted"),
        (1, 90, 0.9, "next 90 days, discounted"),
        (26, 7, 0.9, "next 26 periods of 7 days, discounted"),
    ],
)
def test_tells_the_horizon_in_words(
    tmp_path: Path, count: int, days: int | None, factor: float, words: str
) -> None:
    # From the last of a month, the ends of monthly periods are not equally far apart.
    length = f"to_days({days}::integer * {{}}::integer)" if days else "to_months({}::integer)"
    start, end = (f"(date '2026-01-31' + {length.format(n)})::date" for n in ("(n - 1)", "n"))
    path = database(
        tmp_path,
        f"""
        insert into customer_value_by_period
        select 'a', n, {start}, {end}, {factor}, '2026-01-31'
        from range(1, {count} + 1) as periods(n)
        """,
    )
    horizon = figures.summary(path).value.horizon
    assert horizon is not None
    assert horizon.words == words


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (None, "-"),
        (0, "0.0%"),
        (0.0001, "<0.1%"),
        (0.5, "50.0%"),
        (0.9999, ">99.9%"),
        (1, "100.0%"),
    ],
)
def test_a_share_never_reads_as_none_or_all_when_it_is_not(rate: float | None, text: str) -> None:
    assert plain_text.percent(rate) == text


def test_warns_of_a_model_that_is_worse_than_its_baseline(tmp_path: Path) -> None:
    path = database(tmp_path, FOUR_CUSTOMERS, "update model_metrics set baseline_value = 0.9")
    text = plain_text.render(figures.summary(path))
    assert line_of(text, "AUC").endswith("worse than its baseline, don't rely on it")


def _junk(folder: Path) -> Path:
    path = folder / "orders.csv"
    path.write_text("order_id,amount\n" * 1000)
    return path


def _without_a_table(folder: Path) -> Path:
    return database(folder, "drop table customer_tiers")


def _without_a_column(folder: Path) -> Path:
    return database(folder, "alter table customers drop column order_count")


def _without_the_schema(folder: Path) -> Path:
    path = folder / "other.duckdb"
    duckdb.connect(str(path)).close()
    return path


@pytest.mark.parametrize(
    ("make", "cause", "remedy"),
    [
        (lambda folder: folder / "none.duckdb", "There is no database at", "dbt build"),
        (lambda folder: folder, "is not a file", "--database"),
        (_junk, "is not a DuckDB database", "--database"),
        (_without_a_table, "lacks the table customer_value.customer_tiers.", "dbt build"),
        (_without_the_schema, "lacks the table customer_value.orders_cleaned and 12", "dbt build"),
        (_without_a_column, "another version of the package", "dbt build"),
    ],
)
def test_a_file_that_cannot_be_reported_is_told_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], make: Any, cause: str, remedy: str
) -> None:
    assert run("--database", make(tmp_path)) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert cause in shown.err
    assert remedy in shown.err
    assert len(shown.err.splitlines()) == 1


@pytest.fixture
def locked(shop: Path) -> Iterator[Path]:
    hold = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print(1, flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(shop)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        yield shop
        holder.communicate(b"\n")


def test_a_locked_file_is_told_in_a_sentence(
    locked: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--database", locked) == 2
    error = capsys.readouterr().err
    assert "is open for writing by process" in error
    assert "Wait until it ends" in error
    assert len(error.splitlines()) == 1


def test_the_report_changes_nothing(shop: Path) -> None:
    before = shop.read_bytes()
    assert run("--database", shop) == 0
    assert shop.read_bytes() == before
    assert list(shop.parent.iterdir()) == [shop]


def test_a_path_with_spaces_and_quotes_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "Ann's shop; drop"
    folder.mkdir()
    assert figures.summary(database(folder, FOUR_CUSTOMERS)).orders.input_count == 10


def test_bold_headings_are_for_terminals_alone(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--database", shop) == 0
    assert "\x1b" not in capsys.readouterr().out
    assert "\x1b[1mOrders\x1b[0m" in plain_text.render(figures.summary(shop), is_bold=True)


def test_the_profiles_variable_names_the_default_database(
    shop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CUSTOMER_VALUE_WAREHOUSE", str(shop))
    assert run() == 0
    assert capsys.readouterr().out.rstrip().endswith(str(shop))


def _subprocess(shop: Path, **options: Any) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "customer_value.cli", "report", "--database", str(shop)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def test_a_terminal_of_ascii_alone_still_gets_its_report(shop: Path) -> None:
    with _subprocess(shop, env={**os.environ, "PYTHONIOENCODING": "ascii"}) as process:
        out, error = process.communicate()
    assert (process.returncode, error) == (0, b"")
    assert b"####" in out


def test_a_reader_that_leaves_early_is_no_error(shop: Path) -> None:
    with _subprocess(shop) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        error = process.stderr.read()
    assert (process.returncode, error) == (0, b"")


def _size(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    return int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")


LARGE_SHOP = """
delete from cohort_retention;
insert into cohort_retention
select
    (date '2021-01-01' + to_months(c))::date, n, (date '2021-01-01' + to_months(c + n))::date,
    1000, 1000 / (n + 1), 1 / (n + 1)
from range(60) as cohorts(c), range(60) as months(n)
where c + n < 60;
update customer_tiers
set tier = 'a rather long $name$ of a ' || tier, predicted_value = 1e12::decimal(38, 6);
"""
LOSSES = "update customer_tiers set predicted_value = 30 - predicted_value"
SHOPS = {
    "four_customers": (FOUR_CUSTOMERS,),
    "large": (FOUR_CUSTOMERS, LARGE_SHOP),
    "losses": (FOUR_CUSTOMERS, LOSSES),
    "month_not_over": (FOUR_CUSTOMERS, "update customers set as_of_date = '2025-12-15'"),
    "first_month": (FOUR_CUSTOMERS, "delete from cohort_retention where month_number > 0"),
    "empty": (),
}


@pytest.mark.parametrize("name", SHOPS)
def test_charts_are_written_and_everything_is_inside_of_them(tmp_path: Path, name: str) -> None:
    path = database(tmp_path, *SHOPS[name])
    with reading.connected(path) as connection:
        for draw in charts.CHARTS.values():
            figure = draw(connection)
            figure.canvas.draw()
            outer = figure.bbox.padded(1)
            for text in figure.findobj(Text):
                if isinstance(text, Text) and text.get_text() and text.get_visible():
                    box = text.get_window_extent()
                    corners = (box.x0, box.y0), (box.x1, box.y1)
                    assert all(outer.contains(*corner) for corner in corners), text.get_text()


def test_charts_are_png_files_of_a_sensible_size(
    shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "new" / "charts"
    assert run("--database", shop, "--charts", folder, "--json") == 0
    shown = capsys.readouterr()
    json.loads(shown.out)
    names = ["cohort_heatmap.png", "tiers.png", "value_at_risk.png"]
    assert sorted(path.name for path in folder.iterdir()) == names
    for name in names:
        content = (folder / name).read_bytes()
        width, height = _size(content)
        assert width == 1400
        assert 250 < height < 1400
        assert len(content) < 150_000
        assert f"wrote {folder / name}" in shown.err


def test_the_same_database_gives_the_same_bytes(shop: Path, tmp_path: Path) -> None:
    first, second = (charts.write(shop, tmp_path / name) for name in ("first", "second"))
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


@pytest.mark.parametrize(
    ("chart", "statement", "title"),
    [
        ("tiers.png", "", "The top 25% of customers (vip) hold 60% of predicted value"),
        ("tiers.png", LOSSES, "Tiers by size and predicted value"),
        (
            "cohort_heatmap.png",
            "",
            "25% of customers order again in the month after their first; 0% in month 2",
        ),
        (
            # December goes on after the 15th: what it lacks yet is no loss of customers.
            "cohort_heatmap.png",
            "update customers set as_of_date = '2025-12-15'",
            "50% of customers order again in the month after their first order",
        ),
        (
            "value_at_risk.png",
            "",
            "40% of predicted value is with customers at medium or high churn risk",
        ),
        (
            "value_at_risk.png",
            "update customer_churn set churn_risk_band = 'low'",
            "All customers are at low churn risk",
        ),
    ],
)
def test_titles_say_what_the_data_say(
    tmp_path: Path, chart: str, statement: str, title: str
) -> None:
    path = database(tmp_path, FOUR_CUSTOMERS, statement or "select 1")
    with reading.connected(path) as connection:
        figure = charts.CHARTS[chart](connection)
    assert figure.texts[0].get_text() == title
    assert "As of 20" in figure.texts[-1].get_text()


def test_charts_without_matplotlib_say_how_to_install_it(
    shop: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in list(sys.modules):
        if name.startswith("customer_value.report.charts"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr("customer_value.report.charts")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert run("--database", shop, "--charts", tmp_path / "charts") == 2
    shown = capsys.readouterr()
    assert "pip install 'dbt-customer-value[report]'" in shown.err
    # The figures don't depend on it.
    assert "Customer value" in shown.out


def test_a_chart_folder_that_cannot_be_made_is_told_in_a_sentence(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--database", shop, "--charts", shop / "charts") == 2
    error = capsys.readouterr().err
    assert "Charts can't be written to" in error
    assert len(error.splitlines()) == 1
