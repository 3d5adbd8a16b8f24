"""Segments from one refresh to the next: numbers stay, and the past is as it was."""

from __future__ import annotations

import datetime as dt

import pytest

from conftest import Build, Warehouse

FIRST, SECOND = dt.date(2024, 9, 1), dt.date(2024, 10, 1)
CENTERS = "customer_value_internal.cluster_training"


def refreshed(
    build: Build, orders: list[dict[str, object]], as_of_date: dt.date, database: Warehouse | None
) -> Warehouse:
    midnight = dt.datetime.combine(as_of_date, dt.time())
    return build(
        [order for order in orders if order["ordered_at"] < midnight],  # type: ignore[operator]
        variables={"as_of_date": as_of_date.isoformat()},
        select=("+customer_segments",),
        database=database,
    )


@pytest.fixture(scope="module")
def first(build: Build, shop_orders: list[dict[str, object]]) -> Warehouse:
    return refreshed(build, shop_orders, FIRST, None)


def test_a_refresh_keeps_numbers_and_forgets_no_earlier_cluster(
    build: Build, first: Warehouse, shop_orders: list[dict[str, object]]
) -> None:
    centers = first.rows(f"select * from {CENTERS} order by all")
    segments = first.mapping("select customer_id, cluster_number from customer_segments")
    assert len(set(segments.values())) >= 3
    assert len(segments) == first.value("select count(*) from customers")

    second = refreshed(build, shop_orders, SECOND, first)
    assert centers == second.rows(
        f"select * from {CENTERS} where as_of_date < '{SECOND}' order by all"
    )
    moves = second.rows(f"select cluster_number, move from {CENTERS} where as_of_date = '{SECOND}'")
    assert {number for number, _ in moves} == set(segments.values())
    assert max(move for _, move in moves) < 0.3

    now = second.mapping("select customer_id, cluster_number from customer_segments")
    assert len(now) == second.value("select count(*) from customers")
    # Those who did not order have a month's more silence at most.
    idle = {
        customer_id
        for (customer_id,) in second.rows(
            f"select customer_id from customers where last_order_date < date '{FIRST}'"
        )
    }
    stayed = sum(now[customer_id] == segments[customer_id] for customer_id in idle)
    assert stayed / len(idle) > 0.8
