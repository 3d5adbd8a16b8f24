"""Stages of customers' lives: planted ones are found; the past knows nothing of what follows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from conftest import Build, Row, Warehouse, orders_input, write_orders

OPENING = dt.date(2024, 1, 1)
AS_OF_DATE = dt.date(2025, 7, 1)
LAST_DAY = (AS_OF_DATE - OPENING).days - 1
TABLES = ("+customer_lifecycle", "+lifecycle_movements", "+customers")

# The days of each planted customer's orders, in a shop where 30 days lie between most.
PLANTED: dict[str, Sequence[int]] = {
    "new": [LAST_DAY - 20],
    "active weekly": range(LAST_DAY - 7 * 40, LAST_DAY - 3, 7),
    "active every quarter": range(LAST_DAY - 90 * 5 - 60, LAST_DAY, 90),
    "expanding": [*range(0, LAST_DAY - 70, 60), *range(LAST_DAY - 50, LAST_DAY, 10)],
    # The same 60 days of silence as the customer of every quarter, who is active.
    "at risk, every three weeks": range(LAST_DAY - 60 - 21 * 15, LAST_DAY - 59, 21),
    "lapsed weekly": range(LAST_DAY - 60 - 7 * 30, LAST_DAY - 59, 7),
    "won back": [*range(0, 150, 30), LAST_DAY - 10],
    "once and long ago": [5],
}
STAGES = {
    "new": "new",
    "active weekly": "active",
    "active every quarter": "active",
    "expanding": "expanding",
    "at risk, every three weeks": "at_risk",
    "lapsed weekly": "lapsed",
    "won back": "won_back",
    "once and long ago": "lapsed",
    "prospect, registered": "prospect",
    "prospect, visited": "prospect",
}
CROWD = {
    f"regular {number}": range(number % 30, LAST_DAY - 30 * (number % 4), 30)
    for number in range(80)
}


def orders_before(date: dt.date) -> list[dict[str, object]]:
    return [
        {"order_id": f"{customer_id} {day}", "customer_id": customer_id}
        | {"ordered_at": dt.datetime.combine(ordered, dt.time(12)), "amount": 20}
        for customer_id, days in {**PLANTED, **CROWD}.items()
        for day in days
        if (ordered := OPENING + dt.timedelta(days=day)) < date
    ]


def built(build: Build, folder: Path, as_of_date: dt.date) -> Warehouse:
    """As of a date, from what was known before it and nothing else."""
    orders = orders_before(as_of_date)
    customers: list[dict[str, object]] = [
        {"customer_id": "prospect, registered", "acquired_at": "2024-03-05"},
        # Registered long before the first order.
        {"customer_id": "new", "acquired_at": "2024-05-20"},
    ]
    events: list[dict[str, object]] = [
        {"customer_id": "prospect, visited", "event_at": "2024-04-05", "event_name": "visit"}
    ]
    tables: dict[str, Any] = {
        **orders_input(folder / "orders.parquet", write_orders(orders, folder / "orders.parquet"))
    }
    for name, rows in (("customers", customers), ("events", events)):
        path = folder / f"{name}.csv"
        columns = write_orders(rows, path)
        tables[name] = {"path": str(path), "columns": {column: column for column in columns}}
    variables = {"inputs": tables, "as_of_date": as_of_date.isoformat(), "churn_window_days": 120}
    return build(orders, variables=variables, select=TABLES)


@pytest.fixture(scope="module")
def today(build: Build, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    return built(build, tmp_path_factory.mktemp("today"), AS_OF_DATE)


def test_planted_stages_are_found(today: Warehouse) -> None:
    found = today.mapping(
        "select customer_id, lifecycle_stage from customer_lifecycle "
        "where customer_id not like 'regular %'"
    )
    assert found == STAGES


def test_a_stage_tells_since_when(today: Warehouse) -> None:
    began = today.mapping("select customer_id, stage_began_date from customer_lifecycle")
    assert began["new"] == OPENING + dt.timedelta(days=LAST_DAY - 20)
    assert began["won back"] == OPENING + dt.timedelta(days=LAST_DAY - 10)
    assert began["prospect, registered"] == dt.date(2024, 3, 5)
    # Since the second order, though it and the third were slow for a customer not yet known.
    second_order = OPENING + dt.timedelta(days=PLANTED["active every quarter"][1])
    assert began["active every quarter"] == second_order
    at_risk = "at risk, every three weeks"
    last_order = OPENING + dt.timedelta(days=PLANTED[at_risk][-1])
    assert dt.timedelta(days=42) <= began[at_risk] - last_order <= dt.timedelta(days=46)


def test_movements_hold_each_customer_once_a_month(today: Warehouse) -> None:
    june = today.mapping(
        "select to_stage, sum(customer_count) from lifecycle_movements "
        "where movement_month = date '2025-06-01' group by to_stage"
    )
    stages = today.mapping(
        "select lifecycle_stage, count(*) from customer_lifecycle group by lifecycle_stage"
    )
    assert june == stages
    assert (
        today.value(
            "select customer_count from lifecycle_movements "
            "where movement_month = date '2025-06-01' "
            "and from_stage = 'prospect' and to_stage = 'new'"
        )
        == 1
    )


def movements_until(warehouse: Warehouse, month: dt.date) -> list[Row]:
    return warehouse.rows(
        "select * exclude (run_id) from lifecycle_movements "
        f"where movement_month <= date '{month}' order by all"
    )


def test_the_past_is_judged_by_what_was_known_then(
    build: Build, today: Warehouse, tmp_path: Path
) -> None:
    then = built(build, tmp_path, dt.date(2024, 12, 1))
    assert movements_until(today, dt.date(2024, 11, 1)) == movements_until(then, AS_OF_DATE)
    at_that_date = today.rows(
        """
        select customer_id, lifecycle_stage, round(expected_days_between_orders, 2)
        from customer_value_internal.int_customer_value__lifecycle_stages
        where as_of_date = date '2024-12-01' order by all
        """
    )
    assert at_that_date == then.rows(
        "select customer_id, lifecycle_stage, expected_days_between_orders "
        "from customer_lifecycle order by all"
    )
