"""Shops with no order, with one, or whose customers are all alike: the tables make sense still."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from decimal import Decimal

import pytest

from conftest import Build, BuildError, Warehouse
from sensible_tables import assert_sensible

OPENING = dt.datetime(2023, 1, 1, 12)


def orders_on(
    days_of_customers: Mapping[str, Iterable[int]], amount: Decimal = Decimal("20.00")
) -> list[dict[str, object]]:
    """One order of a fixed amount on each given day after the opening."""
    return [
        {
            "order_id": f"{customer_id}-{day}",
            "customer_id": customer_id,
            "ordered_at": OPENING + dt.timedelta(days=day),
            "amount": amount,
        }
        for customer_id, days in days_of_customers.items()
        for day in days
    ]


NO_FALLBACK = dict.fromkeys(("churn", "high_value", "spend"), (None, "ok"))


def fallbacks(warehouse: Warehouse) -> dict[str, tuple[str | None, str]]:
    """What each model was replaced with, if it was, and why."""
    rows = warehouse.rows("select model_name, fallback, fit_health from model_registry")
    return {name: (fallback, health) for name, fallback, health in rows}


def test_no_orders_give_empty_tables(build: Build) -> None:
    warehouse = build(
        """
        select
            null::varchar as order_id, null::varchar as customer_id,
            null::timestamp as ordered_at, null::decimal(18, 2) as amount
        limit 0
        """,
        is_whole=True,
    )
    assert_sensible(warehouse)
    row_counts = {name: len(rows) for name, rows in warehouse.snapshot().items()}
    assert row_counts.pop("model_registry") == 3
    # What is said of models that nothing has taught, and what was measured of nothing.
    assert row_counts.pop("model_health") == 2
    assert row_counts.pop("data_quality") > 0
    # What would be done for whom, with nobody there.
    assert row_counts.pop("tier_playbook") == 9
    assert set(row_counts.values()) == {0}
    assert fallbacks(warehouse) == {
        "churn": ("base_rate", "no_examples"),
        "spend": ("personal_baseline", "no_examples"),
        "high_value": ("base_rate", "no_examples"),
    }


@pytest.fixture(scope="module")
def one_order(build: Build) -> Warehouse:
    """A shop that sold its first thing yesterday."""
    return build(orders_on({"only": [0]}))


def test_one_order_is_enough_for_every_table(one_order: Warehouse) -> None:
    assert_sensible(one_order)
    assert one_order.rows(
        "select recency_score, frequency_score, monetary_score from customer_rfm"
    ) == [(1, 1, 1)]
    # The share of customers worth strictly less is 0, so that no one is above anyone.
    assert one_order.rows("select tier, cltv_percentile from customer_tiers") == [("potential", 0)]
    fallback, health = fallbacks(one_order)["churn"]
    assert (fallback, health) in {("base_rate", "no_examples"), ("base_rate", "one_class")}
    assert fallbacks(one_order)["spend"][0] == "personal_baseline"


def test_one_order_does_not_promise_one_every_other_day(one_order: Warehouse) -> None:
    assert one_order.value("select predicted_order_count from customer_cltv") < 24


@pytest.mark.slow
def test_one_customer_with_several_orders_is_scored_by_fallbacks(build: Build) -> None:
    warehouse = build(orders_on({"only": range(0, 400, 40)}))
    assert_sensible(warehouse)
    assert warehouse.rows("select order_count, average_days_between_orders from customers") == [
        (10, 40.0)
    ]
    assert fallbacks(warehouse)["churn"][0] == "base_rate"
    assert fallbacks(warehouse)["spend"] == ("personal_baseline", "too_few_examples")


@pytest.mark.slow
def test_where_all_have_churned_all_are_predicted_to(build: Build) -> None:
    orders = orders_on({f"customer-{number}": [number % 20] for number in range(60)})
    warehouse = build(orders, variables={"as_of_date": "2025-01-01"})
    assert_sensible(warehouse)
    assert fallbacks(warehouse) == {
        "churn": ("base_rate", "one_class"),
        "spend": ("personal_baseline", "too_few_examples"),
        "high_value": ("base_rate", "no_examples"),
    }
    assert warehouse.value("select min(churn_probability) from customer_churn") > 0.9
    assert warehouse.rows("select distinct churn_risk_band from customer_churn") == [("high",)]
    assert warehouse.value("select max(predicted_value) from customer_cltv") < 20


@pytest.mark.slow
def test_where_none_has_churned_none_is_predicted_to(build: Build) -> None:
    orders = orders_on({f"customer-{number}": range(number % 5, 400, 5) for number in range(60)})
    warehouse = build(orders)
    assert_sensible(warehouse)
    assert fallbacks(warehouse)["churn"] == ("base_rate", "one_class")
    assert warehouse.value("select max(churn_probability) from customer_churn") < 0.1
    # An order of 20 every five days is 1,460 a year.
    assert 1000 < warehouse.value("select avg(predicted_value) from customer_cltv") < 1800


@pytest.mark.slow
def test_equal_amounts_leave_customers_apart_by_when_they_order(
    build: Build, shop_orders: list[dict[str, object]]
) -> None:
    warehouse = build([{**order, "amount": Decimal("25.00")} for order in shop_orders])
    assert_sensible(warehouse)
    assert fallbacks(warehouse) == NO_FALLBACK
    assert warehouse.value("select count(distinct predicted_value) from customer_cltv") > 100


@pytest.mark.slow
def test_customers_who_get_back_more_than_they_paid_are_worth_nothing_to_come(
    build: Build, shop_orders: list[dict[str, object]]
) -> None:
    warehouse = build(
        [{**order, "refund_amount": 2 * Decimal(str(order["amount"]))} for order in shop_orders]
    )
    assert_sensible(warehouse)
    assert warehouse.value("select max(net_amount) from customers") < 0
    assert warehouse.value("select min(predicted_value) from customer_cltv") >= 0
    assert warehouse.value("select max(predicted_value) from customer_cltv") < 1


@pytest.mark.slow
def test_who_only_returns_goods_is_no_customer(
    build: Build, shop_orders: list[dict[str, object]]
) -> None:
    warehouse = build(
        [{**order, "amount": -abs(Decimal(str(order["amount"])))} for order in shop_orders]
    )
    assert_sensible(warehouse)
    assert warehouse.value("select count(*) from customers") == 0
    assert warehouse.rows(
        "select reject_reason, count(*), sum(gross_amount) from orders_rejected group by all"
    ) == [
        (
            "refund_without_order",
            len(shop_orders),
            -sum(abs(Decimal(str(order["amount"]))) for order in shop_orders),
        )
    ]


@pytest.mark.slow
def test_some_negative_totals_stand_beside_positive_ones(
    build: Build, shop_orders: list[dict[str, object]]
) -> None:
    def refund(order: dict[str, object]) -> object:
        is_returning = str(order["customer_id"]).endswith("7")
        return 2 * Decimal(str(order["amount"])) if is_returning else order["refund_amount"]

    warehouse = build([{**order, "refund_amount": refund(order)} for order in shop_orders])
    assert_sensible(warehouse)
    assert fallbacks(warehouse) == NO_FALLBACK
    assert warehouse.value("select count(*) from customers where net_amount < 0") >= 24
    assert warehouse.value("select min(predicted_value) from customer_cltv") >= 0


@pytest.mark.slow
def test_amounts_of_a_trillion_stay_exact(
    build: Build, shop_orders: list[dict[str, object]]
) -> None:
    trillion = Decimal(10**12)
    orders = [
        {
            "order_id": order["order_id"],
            "customer_id": order["customer_id"],
            "ordered_at": order["ordered_at"],
            "amount": trillion + Decimal(str(order["amount"])),
        }
        for order in shop_orders
    ]
    warehouse = build(orders)
    assert_sensible(warehouse)
    assert fallbacks(warehouse) == NO_FALLBACK
    total = sum(Decimal(str(order["amount"])) for order in orders)
    assert warehouse.value("select sum(net_amount) from customers") == total


def test_a_date_before_the_first_order_stops_with_a_sentence(build: Build) -> None:
    with pytest.raises(BuildError, match="as_of_date is 2022-12-31, but the first order") as stop:
        build(orders_on({"only": [0]}), variables={"as_of_date": "2022-12-31"})
    assert "Traceback" not in str(stop.value)


def test_scoring_without_a_trained_model_stops_with_a_sentence(build: Build) -> None:
    with pytest.raises(BuildError, match="dbt build --selector train") as stop:
        build(orders_on({"only": [0]}), selector="score")
    assert "Traceback" not in str(stop.value)
