"""How good each input is: what is measured of a messy shop, kept, warned of and failed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import (
    MODELS_ONLY,
    ONLINE_RETAIL,
    PROJECT,
    Warehouse,
    complaint,
    invoke,
    write_orders,
)

Rows = Sequence[Mapping[str, object]]
AS_OF_DATE = "2024-07-01"
ERROR_TEST, WARN_TEST = "assert_data_quality_is_acceptable", "warn_of_data_quality"
MISSING_VALUES = {
    "orders": {"cost_amount": "predict", "channel": "mode"},
    "customers": {"acquisition_cost": "median"},
}


def order(number: int, **others: object) -> dict[str, object]:
    """An order, every tenth without a cost; the last one is of 2024-06-20."""
    amount = 20 + 3 * (number % 37)
    return {
        "order_id": f"o{number}",
        "customer_id": f"c{number % 20}",
        "ordered_at": str(dt.datetime(2024, 6, 20, 12) - dt.timedelta(days=number)),
        "amount": str(amount),
        "cost_amount": None if number % 10 == 0 else str(0.6 * amount),
        "channel": None if number % 25 == 0 else "web",
        "status": "paid",
    } | others


GOOD_ORDERS = [order(number) for number in range(100)]
BAD_ORDERS = [
    order(0, amount="21"),
    order(101, customer_id=None, amount="5000"),
    order(102, amount="abc"),
    order(103, amount="inf"),
    order(104, status="cancelled"),
    order(105, ordered_at="2024-07-01 00:00:00", amount="abc"),
    order(106, ordered_at="2024-07-02 00:00:00"),
    order(107, customer_id="staff"),
    order(108, customer_id="gone"),
    order(109, amount="1000000", channel=" "),
]


def shop() -> dict[str, list[dict[str, object]]]:
    """Every input, each with something wrong in it."""
    moment, later = "2024-06-01 10:00:00", "2024-07-01 00:00:00"
    line: dict[str, object] = {
        "order_id": "o1",
        "line_number": "1",
        "product_id": "p",
        "quantity": "2",
    }
    event: dict[str, object] = {"customer_id": "c1", "event_at": moment, "event_name": "view"}
    return {
        "orders": [*GOOD_ORDERS, *BAD_ORDERS],
        "order_lines": [
            line | {"unit_price": "5"},
            line | {"unit_price": "5"},
            line | {"line_number": "2", "quantity": "two", "unit_price": "5"},
        ],
        "refunds": [
            {"order_id": "o1", "refunded_at": moment, "amount": "3"},
            {"order_id": "nowhere", "refunded_at": moment, "amount": "3"},
        ],
        "customers": [
            {
                "customer_id": f"c{number}",
                "email": f"zaphod{number}@example.org",
                "acquired_at": "2023-01-01",
                "acquisition_cost": None if number < 2 else "7",
            }
            for number in range(20)
        ],
        "events": [event, event, event | {"customer_id": None}, event | {"event_at": later}],
        "campaign_contacts": [
            {"customer_id": "c1", "campaign_id": "c", "contacted_at": moment, "cost": "x"},
            {"customer_id": "c2", "campaign_id": "c", "contacted_at": moment, "cost": "1"},
        ],
        "reviews": [
            {"customer_id": "c1", "product_id": "p", "reviewed_at": moment, "rating": 4.5},
            {"customer_id": "c2", "product_id": "p", "reviewed_at": moment, "rating": None},
        ],
        "exchange_rates": [
            {"currency": "USD", "rate_date": "2024-06-01", "rate": "0.9"},
            {"currency": "USD", "rate_date": "2024-06-02", "rate": "0"},
        ],
        "customer_identities": [{"customer_id": "c19", "canonical_customer_id": "c18"}],
        "excluded_customers": [{"customer_id": "staff"}, {"customer_id": ""}],
        "erased_customers": [{"customer_id": "gone"}],
    }


def settings(
    folder: Path, tables: Mapping[str, Rows], thresholds: Mapping[str, object] | None = None
) -> dict[str, object]:
    """Write each table to a file, every column mapped to its name; the vars that read them."""
    inputs = {}
    for name, rows in tables.items():
        path = folder / f"{name}.parquet"
        columns = write_orders(rows, path)
        inputs[name] = {"path": str(path), "columns": {column: column for column in columns}}
    return {
        "inputs": inputs,
        "as_of_date": AS_OF_DATE,
        "missing_values": MISSING_VALUES,
        "data_quality_thresholds": dict(thresholds or {}),
    }


def measure(folder: Path, variables: Mapping[str, object], *arguments: str) -> Warehouse:
    """Build data_quality and all that it is made of, without any test."""
    result = invoke(
        "build", folder, [*MODELS_ONLY, "--select", "+data_quality", *arguments], variables
    )
    message = complaint(result)
    assert message is None, message
    return Warehouse(folder)


def verdicts(folder: Path, variables: Mapping[str, object]) -> dict[str, tuple[str, int]]:
    """What the two tests say of data_quality, built anew: by test, its status and its rows."""
    arguments = ["--exclude-resource-type", "unit_test", "--select", "data_quality"]
    result = invoke("build", folder, arguments, variables)
    outcomes = {
        outcome.node.name: (str(outcome.status), outcome.failures)
        for outcome in result.result
        if outcome.node.name in {ERROR_TEST, WARN_TEST}
    }
    assert outcomes.keys() == {ERROR_TEST, WARN_TEST}
    return outcomes


@pytest.fixture(scope="module")
def messy(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    folder = tmp_path_factory.mktemp("messy shop")
    return measure(folder, settings(folder, shop()))


@pytest.fixture(scope="module")
def figures(messy: Warehouse) -> dict[tuple[str, str, str], float | None]:
    return {
        (input_name, metric, subject): value
        for input_name, metric, subject, value in messy.rows(
            "select input_name, metric, subject, value from data_quality"
        )
    }


Figures = dict[tuple[str, str, str], float]


@pytest.mark.parametrize("name", shop())
def test_every_row_of_every_input_is_accepted_or_rejected_with_a_reason(
    figures: Figures, name: str
) -> None:
    rejected = figures[name, "rejected_row_count", "all"]
    assert figures[name, "row_count", "all"] == len(shop()[name])
    assert figures[name, "accepted_row_count", "all"] + rejected == len(shop()[name])
    by_reason = {
        subject: value
        for (input_name, metric, subject), value in figures.items()
        if (input_name, metric) == (name, "rejected_row_count") and subject != "all"
    }
    assert sum(by_reason.values()) == rejected


@pytest.mark.parametrize(
    ("figure", "value"),
    [
        ("orders rejected_row_count duplicate_order_id", 1),
        ("orders rejected_row_count unparseable_amount", 2),
        # Of 110 rows 4 are cancelled, an employee's, erased or later; a fifth is later too, but
        # its amount is what was found first.
        ("orders rejected_rate all", (1 + 1 + 3) / 106),
        ("orders duplicate_rate all", 1 / 106),
        # Two of the 110 are of a later day: of them no more is known.
        ("orders amount_out_of_range_rate amount", 2 / 108),
        ("orders null_rate customer_id", 1 / 108),
        ("orders null_rate cost_amount", 11 / 108),
        # One of them is blank, which nothing fills.
        ("orders null_rate channel", 6 / 108),
        ("orders freshness_days all", 11),
        ("orders outlier_rate all", 1 / 101),
        ("orders imputed_row_count cost_amount", 10),
        # The blank one of order 109 among them.
        ("orders imputed_row_count channel", 5),
        ("order_lines duplicate_rate all", 1 / 3),
        ("order_lines amount_out_of_range_rate quantity", 1 / 3),
        ("refunds rejected_row_count refund_without_order", 1),
        ("refunds freshness_days all", 30),
        ("customers null_rate acquisition_cost", 0.1),
        ("customers imputed_row_count acquisition_cost", 2),
        ("customers freshness_days all", 547),
        ("events rejected_row_count after_as_of_date", 1),
        ("events rejected_rate all", 2 / 3),
        ("events duplicate_rate all", 1 / 3),
        ("events null_rate customer_id", 1 / 3),
        ("campaign_contacts amount_out_of_range_rate cost", 0.5),
        ("reviews null_rate rating", 0.5),
        ("exchange_rates rejected_row_count implausible_rate", 1),
        ("exchange_rates freshness_days all", 29),
        ("excluded_customers null_rate customer_id", 0.5),
    ],
)
def test_measures_what_is_wrong(figures: Figures, figure: str, value: float) -> None:
    input_name, metric, subject = figure.split()
    assert figures[input_name, metric, subject] == pytest.approx(value, abs=1e-9)


def test_revenue_without_customer_is_a_share_of_all_revenue(figures: Figures) -> None:
    known = [row for row in shop()["orders"] if str(row["ordered_at"]) < AS_OF_DATE]
    amounts = [float(str(row["amount"])) for row in known if row["amount"] not in {"abc", "inf"}]
    share = figures["orders", "revenue_without_customer_rate", "all"]
    assert share == pytest.approx(5000 / sum(amounts), abs=1e-9)


def test_what_is_predicted_stands_beside_the_error_of_the_median(messy: Warehouse) -> None:
    ((error, of_median),) = messy.rows("""
        select value, baseline_value from data_quality where metric = 'imputation_error'
    """)
    assert 0 <= error < of_median


def test_a_column_that_is_not_mapped_is_not_empty_but_absent(figures: Figures) -> None:
    columns = {
        subject for name, metric, subject in figures if (name, metric) == ("orders", "null_rate")
    }
    assert columns == set(order(0))


def test_it_names_columns_and_reasons_and_nothing_personal(messy: Warehouse) -> None:
    subjects = {subject for (subject,) in messy.rows("select distinct subject from data_quality")}
    columns = {column for rows in shop().values() for row in rows for column in row}
    reasons = {
        reason
        for table in ("orders_rejected", "order_lines_rejected", "inputs_rejected")
        for (reason,) in messy.rows(f"select distinct reject_reason from {table}")
    }
    assert subjects <= columns | reasons | {"all"}
    assert "email" not in subjects


@pytest.mark.slow
def test_a_date_is_replaced_and_other_dates_are_kept(tmp_path: Path) -> None:
    def kept(warehouse: Warehouse) -> dict[Any, Any]:
        return warehouse.mapping("""
            select as_of_date::varchar, count(*), count_if(subject = 'duplicate_order_id')
            from data_quality group by all
        """)

    variables = settings(tmp_path, {"orders": [*GOOD_ORDERS, *BAD_ORDERS]})
    first = kept(measure(tmp_path, variables))
    assert first[AS_OF_DATE][1] == 1
    mended = settings(tmp_path, {"orders": GOOD_ORDERS})
    (second,) = kept(measure(tmp_path, mended, "--full-refresh")).items()
    assert second[0] == AS_OF_DATE
    # Of the reasons of before none is left.
    assert second[1][1] == 0
    third = kept(measure(tmp_path, {**mended, "as_of_date": "2024-07-05"}, "--full-refresh"))
    assert third == {AS_OF_DATE: second[1], "2024-07-05": second[1]}


def test_the_tests_fail_and_warn_beyond_the_thresholds(messy: Warehouse) -> None:
    folder = messy.folder
    none: dict[str, object] = {
        "rejected_rate": {},
        "duplicate_rate": None,
        "null_rate": {},
        "freshness_days": {},
        "amount_out_of_range_rate": {},
        "outlier_rate": {},
        "revenue_without_customer_rate": {},
        "orders": {"freshness_days": {}},
    }
    assert verdicts(folder, settings(folder, shop(), none)) == {
        ERROR_TEST: ("pass", 0),
        WARN_TEST: ("pass", 0),
    }
    warned = none | {"orders": {"freshness_days": {"warn": 10, "error": 11}}}
    assert verdicts(folder, settings(folder, shop(), warned)) == {
        ERROR_TEST: ("pass", 0),
        WARN_TEST: ("warn", 1),
    }
    failed = none | {
        "null_rate": {"error": 0.9},
        "orders": {"freshness_days": {"error": 10}, "null_rate": {"channel": {"warn": 0.01}}},
        "events": {"null_rate": {"error": 0.3}},
    }
    assert verdicts(folder, settings(folder, shop(), failed)) == {
        ERROR_TEST: ("fail", 2),
        WARN_TEST: ("warn", 1),
    }
    # What a failing test says is in the table, with the threshold that it was held to.
    assert messy.rows("""
        select input_name, metric, subject, error_threshold from data_quality
        where severity = 'error' order by all
    """) == [("events", "null_rate", "customer_id", 0.3), ("orders", "freshness_days", "all", 10)]


def test_a_build_fails_on_a_file_that_can_not_be_read_as_it_was(tmp_path: Path) -> None:
    """By default, in a plain build with its tests: most amounts have a decimal comma."""
    commas = [row | {"amount": f"{row['amount']},00"} for row in GOOD_ORDERS[:60]]
    variables = settings(tmp_path, {"orders": [*commas, *GOOD_ORDERS[60:]]})
    result = invoke(
        "build",
        tmp_path,
        [
            *("--exclude-resource-type", "unit_test", "--indirect-selection", "cautious"),
            *("--select", "+data_quality", ERROR_TEST),
        ],
        variables,
    )
    assert not result.success
    said = complaint(result)
    assert said is not None
    assert said.startswith(f"{ERROR_TEST}: Got 2 results")
    breaches = Warehouse(tmp_path).rows("""
        select metric, subject, value from data_quality where severity = 'error' order by all
    """)
    assert breaches == [("amount_out_of_range_rate", "amount", 0.6), ("rejected_rate", "all", 0.6)]


def test_thresholds_that_can_not_be_meant_are_said_before_any_model_runs(tmp_path: Path) -> None:
    thresholds = {
        "rejected_rat": {"warn": 0.1},
        "null_rate": {"warn": 0.2, "error": 0.1},
        "duplicate_rate": {"warn": "much"},
        "outlier_rate": {"warn": 2},
        "freshness_days": 7,
        "events": {"nul_rate": {"warn": 0.1}, "null_rate": {"event": {"warn": 0.1}}},
        "reviews": {"duplicate_rate": {"rating": {"warn": 0.1}}, "null_rate": {"wran": 0.1}},
        "refunds": 0.1,
    }
    variables = settings(tmp_path, {"orders": GOOD_ORDERS}, thresholds)
    said = complaint(invoke("build", tmp_path, ["--select", "data_quality"], variables))
    assert said is not None
    for sentence in [
        "names rejected_rat, which is neither a metric nor an input",
        "gives null_rate the warn 0.2 above the error 0.1",
        'gives duplicate_rate the warn "much"; it takes a number from 0 to 1.',
        "gives outlier_rate the warn 2; it takes a number from 0 to 1.",
        "gives freshness_days 7; it takes warn, error or both",
        "gives events the metric nul_rate, which takes no threshold",
        "names the column event of events, which is not one of ours",
        "gives reviews.duplicate_rate",
        "it is one figure and takes one pair",
        'gives reviews.null_rate {"wran": 0.1}; it takes warn, error or both',
        "gives refunds 0.1; it takes, for example",
    ]:
        assert sentence in said


@pytest.mark.slow
@pytest.mark.skipif(not ONLINE_RETAIL.exists(), reason="the real orders are not there")
def test_a_real_shop_with_a_quarter_of_lines_without_customer_is_warned_of(tmp_path: Path) -> None:
    variables = yaml.safe_load((PROJECT / "examples" / "online_retail.yml").read_text())
    variables["inputs"]["order_lines"]["path"] = str(ONLINE_RETAIL)
    warehouse = measure(tmp_path, variables)
    found = warehouse.rows("""
        select input_name, metric, round(value, 4), severity from data_quality
        where severity <> 'pass' order by all
    """)
    assert found == [
        ("order_lines", "rejected_rate", 0.2704, "warn"),
        ("order_lines", "revenue_without_customer_rate", 0.1646, "warn"),
    ]
    counts = warehouse.mapping("""
        select input_name, value from data_quality where metric = 'row_count'
    """)
    assert counts["order_lines"] == 541_909
    assert counts["orders"] == warehouse.value("select count(*) from orders_cleaned")
