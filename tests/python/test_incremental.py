"""A refresh after a refresh gives what one build of everything would have given, row for row."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from conftest import Build, BuildError, Warehouse, complaint, invoke
from delivered_history import DeliveredHistory

# Many builds: make test-integration runs them.
pytestmark = pytest.mark.slow

SELECTED = ("+orders_cleaned", "+order_refunds")
DAYS = (420, 450, 480, 540, 600, 660)
# The last refresh finds other vars too: what follows from them is rewritten as well.
CHANGED_VARS = {"reporting_time_zone": "Asia/Tokyo", "gross_margin_rate": 0.4}


@pytest.fixture(scope="module")
def history(shop_orders: list[dict[str, Any]]) -> DeliveredHistory:
    """The orders of every second customer, with all that goes wrong."""
    return DeliveredHistory([order for order in shop_orders if order["customer_id"][-1] in "13579"])


def moment_of(day: int) -> dt.datetime:
    return dt.datetime(2023, 1, 1) + dt.timedelta(days=day)


def variables_on(history: DeliveredHistory, day: int, folder: Path) -> dict[str, object]:
    changed = CHANGED_VARS if day == DAYS[-1] else {}
    return {"inputs": history.inputs_at(moment_of(day), folder), **changed}


def test_refreshes_end_in_what_a_full_refresh_gives(
    build: Build, history: DeliveredHistory, tmp_path: Path
) -> None:
    warehouse: Warehouse | None = None
    for day in DAYS:
        variables = variables_on(history, day, tmp_path)
        warehouse = build(
            history.orders[:1], variables=variables, select=SELECTED, database=warehouse
        )
    assert warehouse is not None
    whole = build(history.orders[:1], variables=variables, select=SELECTED)

    ordered = set(whole.mapping("select distinct customer_id, true from orders_cleaned"))
    assert len(ordered) > 50
    assert not ordered & history.customers_erased_at(moment_of(DAYS[-1]))
    assert warehouse.snapshot() == whole.snapshot()


def order(order_id: str, day: int, **given: object) -> dict[str, object]:
    ordered_at = dt.datetime(2024, 1, 1) + dt.timedelta(days=day)
    whole = {"order_id": order_id, "customer_id": "ann", "ordered_at": ordered_at}
    return {**whole, "amount": Decimal(10), "updated_at": ordered_at, **given}


def test_beyond_lookback_days_a_test_names_the_months(build: Build) -> None:
    settings = {"lookback_days": 30}
    before = [order("old", 0), order("told", 1), order("older", 50), order("new", 300)]
    warehouse = build(before, variables=settings, select=("+orders_cleaned",))
    now = [
        # Nothing says that this one has changed, and it is older than the refresh looks back.
        order("old", 0, amount=Decimal(11)),
        order("told", 1, amount=Decimal(12), updated_at=dt.datetime(2024, 10, 25)),
        order("late", 290),
        order("new", 300, amount=Decimal(13)),
    ]
    build(now, variables=settings, select=("+orders_cleaned",), database=warehouse)
    amounts = warehouse.mapping("select order_id, gross_amount from orders_cleaned")
    assert amounts == {"old": 10, "told": 12, "older": 10, "late": 10, "new": 13}

    with pytest.raises(BuildError, match=r"of 2024-01, 2024-02: .*--full-refresh"):
        run_its_test(warehouse, settings)
    # Without the var, every order is compared again.
    build(now, select=("+orders_cleaned",), database=warehouse)
    amounts = warehouse.mapping("select order_id, gross_amount, order_number from orders_cleaned")
    assert amounts == {"old": (11, 1), "told": (12, 2), "late": (10, 3), "new": (13, 4)}
    run_its_test(warehouse, settings)


def run_its_test(warehouse: Warehouse, settings: dict[str, int]) -> None:
    arguments = ("--select", "assert_older_orders_are_as_given")
    path = warehouse.folder / "its orders.parquet"
    names = ("updated_at",)
    inputs = {"orders": {"path": str(path), "columns": {name: name for name in names}}}
    result = invoke("test", warehouse.folder, arguments, {"inputs": inputs, **settings})
    message = complaint(result)
    if message is not None:
        raise BuildError(message)


@pytest.mark.parametrize("days", [0, 2.5, "all"])
def test_refuses_a_lookback_that_is_no_number_of_days(build: Build, days: object) -> None:
    with pytest.raises(BuildError, match=r"lookback_days is .*; it takes a whole number from 1"):
        build([order("one", 0)], variables={"lookback_days": days}, select=("+orders_cleaned",))
