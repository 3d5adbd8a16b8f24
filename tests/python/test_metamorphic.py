"""How the tables may change, and above all may not, when the orders change in a known way."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from conftest import PROJECT, Build, Row, Warehouse, write_orders

AS_OF_DATE = "2024-12-01"
# So many that every customer is looked at from every date, whatever the ids' hashes are.
ALL_CUSTOMERS = 10_000_000
COHORT_WEEKS = "int_customer_value__cohort_weeks"
# What has to be mapped to be read, of the inputs beside orders.
OPTIONAL_OF_INPUTS = ("line_number", "category", "treatment")
SETTINGS = {"as_of_date": AS_OF_DATE, "max_training_rows": ALL_CUSTOMERS}

Rows = list[dict[str, object]]


@pytest.fixture(scope="module")
def shop(build: Build, shop_orders: Rows) -> Warehouse:
    """What every change is compared with."""
    return build(shop_orders, variables=SETTINGS)


def features_as_of(warehouse: Warehouse, date: dt.date) -> list[Row]:
    """Each customer's features, and no other column, as of a date."""
    return warehouse.rows(
        f"""
        from customer_value_internal.customer_features
        where as_of_date = date '{date}' order by customer_id
        """
    )


def cohorts_as_of(warehouse: Warehouse, date: dt.date) -> list[Row]:
    """What the forecast of the shop's revenue reads as of a date."""
    return warehouse.rows(
        f"""
        select cohort_week, week_number, new_customer_count, order_count, net_amount
        from customer_value_internal.int_customer_value__cohort_weeks
        where as_of_date = date '{date}' order by all
        """
    )


def past_dates(warehouse: Warehouse) -> Sequence[dt.date]:
    """The dates that models are trained on, oldest first."""
    dates = warehouse.rows(
        f"""
        select distinct as_of_date from customer_value_internal.training_examples
        where as_of_date < date '{AS_OF_DATE}' order by all
        """
    )
    return [date for (date,) in dates]


@pytest.mark.parametrize(
    "position",
    [pytest.param(0, id="oldest", marks=pytest.mark.slow), pytest.param(-1, id="newest")],
)
def test_deleting_what_follows_a_date_changes_no_feature_as_of_it(
    build: Build, shop: Warehouse, shop_orders: Rows, position: int
) -> None:
    date = past_dates(shop)[position]
    midnight = dt.datetime.combine(date, dt.time())
    known = [order for order in shop_orders if order["ordered_at"] < midnight]  # type: ignore[operator]
    assert len(known) < len(shop_orders)
    then = build(
        known,
        variables={**SETTINGS, "as_of_date": date.isoformat()},
        select=("+customer_features", "int_customer_value__cohort_days", COHORT_WEEKS),
    )
    seen_from_now = features_as_of(shop, date)
    assert len(seen_from_now) == then.value("select count(*) from customers")
    assert seen_from_now == features_as_of(then, date)
    assert len(cohorts_as_of(then, date)) > 50
    assert cohorts_as_of(shop, date) == cohorts_as_of(then, date)


def paid_back(shop_orders: Rows) -> tuple[Rows, Rows]:
    """The shop's orders and refunds, where money goes back in every way, half a year late at most.

    By refunds of their own, in one part or more; by orders below 0, which name their order, share
    its id or leave it to be guessed; and by totals of the order itself, with their time.
    """
    chance = random.Random(2)
    orders: list[dict[str, Any]] = []
    refunds: list[dict[str, Any]] = []
    nothing = {"refund_amount": None, "refunded_at": None, "refunded_order_id": None}
    for number, given in enumerate(shop_orders):
        order: dict[str, Any] = {**given, "discount_amount": None, **nothing}
        orders.append(order)
        way = chance.choice(["refund", "row", "total", *["none"] * 3])
        times = [order["ordered_at"] + dt.timedelta(days=chance.uniform(0, 180)) for _ in range(2)]
        part = round(order["amount"] * chance.choice([1, 2, 4]) / 4, 2)
        if way == "refund":
            for time in times[: chance.choice([1, 2])]:
                refund_id = f"refund {len(refunds)}"
                refunds.append(
                    {"refund_id": refund_id, "order_id": order["order_id"]}
                    | {"refunded_at": time, "amount": part / 2}
                )
        elif way == "row":
            orders.append(
                {**order, "ordered_at": times[0], "amount": -part}
                | chance.choice(
                    [
                        {},
                        {"order_id": f"back {number}"},
                        {"order_id": f"back {number}", "refunded_order_id": order["order_id"]},
                    ]
                )
            )
        elif way == "total":
            order |= {"refund_amount": part, "refunded_at": times[0]}
    return orders, refunds


@pytest.fixture(scope="module")
def build_with_refunds(
    build: Build, shop_orders: Rows, tmp_path_factory: pytest.TempPathFactory
) -> Any:
    orders, refunds = paid_back(shop_orders)

    def declared(path: Path, rows: Rows) -> dict[str, object]:
        return {"path": str(path), "columns": {name: name for name in write_orders(rows, path)}}

    def built(as_of_date: dt.date) -> Warehouse:
        """As of a date, from the rows before it and no other."""
        midnight = dt.datetime.combine(as_of_date, dt.time())
        folder = tmp_path_factory.mktemp("paid back")
        known = [order for order in orders if order["ordered_at"] < midnight]  # type: ignore[operator]
        paid = [refund for refund in refunds if refund["refunded_at"] < midnight]  # type: ignore[operator]
        inputs = {
            "orders": declared(folder / "orders.parquet", known),
            "refunds": declared(folder / "refunds.parquet", paid),
        }
        variables = {**SETTINGS, "as_of_date": as_of_date.isoformat(), "inputs": inputs}
        return build(known, variables=variables, select=("+customer_features",))

    return built


@pytest.mark.slow
def test_deleting_refunds_that_follow_a_date_changes_no_feature_as_of_it(
    build_with_refunds: Any,
) -> None:
    now = build_with_refunds(dt.date.fromisoformat(AS_OF_DATE))
    dates = now.rows(f"""
        select distinct as_of_date from customer_value_internal.customer_features
        where as_of_date < date '{AS_OF_DATE}' order by all
    """)
    for (date,) in (dates[0], dates[-1]):
        # Each way of paying back has some of an order before the date and a refund after it.
        sources = now.rows(f"""
            select distinct refund_source from order_refunds
            where order_date < date '{date}' and refund_date >= date '{date}'
        """)
        assert len(sources) == 3
        seen_from_now = features_as_of(now, date)
        assert seen_from_now
        assert seen_from_now == features_as_of(build_with_refunds(date), date)


@pytest.mark.slow
def test_orders_after_the_date_change_no_table_but_the_rejected(
    build: Build, shop: Warehouse, shop_orders: Rows
) -> None:
    known = [order for order in shop_orders if order["ordered_at"] < dt.datetime(2024, 12, 1)]  # type: ignore[operator]
    absurd = {"amount": Decimal("123456789.00"), "discount_amount": None, "refund_amount": None}
    later = [
        {**known[0], **absurd, "ordered_at": dt.datetime(2024, 12, 1)},
        {**known[1], **absurd, "order_id": "new order", "ordered_at": dt.datetime(2150, 1, 1)},
        *(
            {**known[2], **absurd, "order_id": f"new {number}", "customer_id": f"new {number}"}
            | {"ordered_at": dt.datetime(2024, 12, 1, 0, 0, number)}
            for number in range(50)
        ),
    ]
    beset = build([*later, *known], variables=SETTINGS)
    assert beset.value("select count(*) from orders_rejected") == len(later)

    def all_but_rejected(warehouse: Warehouse) -> dict[str, list[Row]]:
        tables = warehouse.snapshot()
        del tables["orders_rejected"]
        # How many rows came, and how many of them too late. Every rate is of what was known.
        tables["data_quality"] = [
            row
            for row in tables["data_quality"]
            if not {"row_count", "rejected_row_count"} & {*row}
        ]
        assert tables["data_quality"]
        return tables

    # There the made-up shop's own later orders are rejected, here the absurd ones.
    assert all_but_rejected(beset) == all_but_rejected(shop)


@pytest.mark.slow
def test_the_order_of_rows_and_the_number_of_threads_change_nothing(build: Build) -> None:
    demo = f"""
        from read_csv(
            '{PROJECT / "seeds/demo/demo_orders.csv"}', types = {{'customer_id': 'varchar'}}
        )
    """
    as_written = build(demo, threads=1)
    shuffled = build(f"{demo} order by hash(order_id)", threads=4)
    before, after = as_written.snapshot(), shuffled.snapshot()
    assert before.keys() == after.keys()
    for table in before:
        assert before[table] == after[table], table


@pytest.mark.slow
def test_nor_do_they_change_what_lines_visits_campaigns_and_reviews_tell(
    build: Build, tmp_path: Path
) -> None:
    """So many rows that several threads share them: 122,880 are what one takes at a time."""
    orders = f"""
        select order_id, customer_id, ordered_at, amount
        from read_csv(
            '{PROJECT / "seeds/demo/demo_orders.csv"}', types = {{'customer_id': 'varchar'}}
        )
        where in_published_sample = 1
    """
    # About twenty lines and twenty events of an order, all drawn by hashes.
    several = f"""
        ({orders}) as orders
        cross join unnest(range(1, 11 + (hash(order_id) % 20)::bigint)) as numbers (number)
    """
    product = "sqrt(hash(order_id, number) % 40000)::int"
    names = "['view', 'add_to_cart', 'remove_from_cart', 'checkout', 'payment', 'purchase']"
    tables = {
        "order_lines": f"""
            select
                order_id, number as line_number, 'p' || {product} as product_id,
                'c' || ({product} // 10) as category, 1 + hash(number, order_id) % 3 as quantity,
                round(amount / (1 + hash(number) % 7), 2) as unit_price
            from {several}
        """,
        "events": f"""
            select
                customer_id,
                ordered_at + to_minutes((hash(number, order_id) % 1500)::bigint) as event_at,
                {names}[1 + (hash(order_id, number) % 6)::int] as event_name
            from {several}
        """,
        "campaign_contacts": f"""
            select
                customer_id, 'spring' as campaign_id, timestamp '1997-06-01 12:00' as contacted_at,
                case when hash(customer_id) % 3 = 0 then 'control' else 'mail' end as treatment
            from ({orders})
            group by customer_id
        """,
        "reviews": f"""
            select
                customer_id, 'p' || {product} as product_id, ordered_at as reviewed_at,
                1 + hash(number, customer_id) % 5 as rating
            from {several}
            where number < 4
        """,
    }

    def built(name: str, order: str, threads: int) -> Warehouse:
        folder = tmp_path / name
        folder.mkdir()
        inputs: dict[str, object] = {}
        for table, sql in (tables | {"orders": orders}).items():
            path = folder / f"{table}.parquet"
            columns = write_orders(f"select * from ({sql}) as rows order by {order}", path)
            mapped = [column for column in columns if column in OPTIONAL_OF_INPUTS]
            inputs[table] = {"path": str(path), "columns": dict(zip(mapped, mapped, strict=True))}
        tagged = ("tag:from_order_lines", "tag:from_events")
        others = ("campaign_uplift", "campaign_performance", "predicted_ratings", "rating_metrics")
        return build(
            orders,
            variables={"inputs": inputs},
            select=[f"+{chosen}" for chosen in (*tagged, *others)],
            threads=threads,
        )

    before = built("as written", "all", threads=1).snapshot()
    after = built("shuffled", "hash(rows)", threads=4).snapshot()
    assert before.keys() == after.keys()
    filled = {table for table, rows in before.items() if rows}
    assert filled > {
        *("basket_rules", "campaign_uplift", "cart_conversion", "category_demand"),
        *("customer_recommendations", "event_transitions", "next_category", "predicted_ratings"),
    }
    for table in before:
        assert before[table] == after[table], table


@pytest.mark.slow
def test_amounts_times_100_give_values_times_100_and_the_same_churn(
    build: Build, shop: Warehouse, shop_orders: Rows
) -> None:
    money = ("amount", "discount_amount", "refund_amount")
    scaled = build(
        [
            order | {name: order[name] * 100 for name in money if order[name] is not None}  # type: ignore[operator]
            for order in shop_orders
        ],
        variables=SETTINGS,
    )
    values = "select customer_id, predicted_value::double from customer_cltv"
    before, after = shop.mapping(values), scaled.mapping(values)
    assert after == pytest.approx({key: value * 100 for key, value in before.items()}, rel=1e-4)
    assert sum(after.values()) == pytest.approx(100 * sum(before.values()), rel=1e-6)
    chances = "select customer_id, churn_probability from customer_churn"
    assert scaled.mapping(chances) == pytest.approx(shop.mapping(chances), abs=1e-5)
    tiers = "select customer_id, tier from customer_tiers"
    assert scaled.mapping(tiers) == shop.mapping(tiers)


@pytest.mark.slow
def test_renaming_customers_renames_them_and_nothing_else(
    build: Build, shop: Warehouse, shop_orders: Rows
) -> None:
    names = sorted({str(order["customer_id"]) for order in shop_orders})
    new_names = [f"renamed {number}" for number in range(len(names))]
    random.Random(1).shuffle(new_names)
    renaming = dict(zip(names, new_names, strict=True))
    renamed = build(
        [{**order, "customer_id": renaming[str(order["customer_id"])]} for order in shop_orders],
        variables=SETTINGS,
    )
    for query, tolerance in (
        ("select customer_id, churn_probability from customer_churn", 1e-6),
        ("select customer_id, predicted_value::double from customer_cltv", 1e-3),
    ):
        before = shop.mapping(query)
        assert renamed.mapping(query) == pytest.approx(
            {renaming[key]: value for key, value in before.items()}, abs=tolerance
        )
    scores = "select customer_id, recency_score, frequency_score, monetary_score from customer_rfm"
    assert renamed.mapping(scores) == {
        renaming[key]: value for key, value in shop.mapping(scores).items()
    }


@pytest.mark.slow
def test_running_again_and_on_a_later_date_keeps_a_true_history(
    build: Build, shop_orders: Rows
) -> None:
    first_date, second_date = "2024-06-01", "2024-12-01"
    warehouse = build(shop_orders, variables={"as_of_date": first_date})
    first = warehouse.snapshot()
    build(shop_orders, variables={"as_of_date": first_date}, database=warehouse)
    assert warehouse.snapshot() == first
    assert warehouse.rows("select distinct previous_tier, tier_changed_at from customer_tiers") == [
        (None, None)
    ]

    build(shop_orders, variables={"as_of_date": second_date}, database=warehouse)
    second = warehouse.snapshot()
    build(shop_orders, variables={"as_of_date": second_date}, database=warehouse)
    assert warehouse.snapshot() == second
    assert len(second["model_registry"]) == 2 * len(first["model_registry"])
    assert set(first["model_registry"]) < set(second["model_registry"])
    assert set(first["customer_tier_history"]) < set(second["customer_tier_history"])

    tiers_before = {row[0]: row[1] for row in first["customer_tiers"]}
    changes = warehouse.mapping(
        "select customer_id, tier, previous_tier, tier_changed_at from customer_tiers"
    )
    moved = {
        customer
        for customer, (tier, _, _) in changes.items()
        if customer in tiers_before and tier != tiers_before[customer]
    }
    assert moved
    for customer, (_, previous_tier, changed_at) in changes.items():
        if customer in moved:
            assert previous_tier == tiers_before[customer]
            assert changed_at == dt.datetime(2024, 12, 1)
        else:
            assert (previous_tier, changed_at) == (None, None)


@pytest.mark.slow
def test_scoring_alone_applies_the_models_of_yesterday(build: Build, shop_orders: Rows) -> None:
    warehouse = build(shop_orders, variables={"as_of_date": "2024-11-30"}, selector="train")
    trained = warehouse.snapshot()
    assert "customer_churn" not in trained
    versions = warehouse.mapping("select model_name, model_version from model_registry")

    build(
        shop_orders,
        variables={"as_of_date": "2024-12-01"},
        selector="score",
        database=warehouse,
    )
    scored = warehouse.snapshot()
    assert scored["model_registry"] == trained["model_registry"]
    for table, version in (
        ("customer_churn", versions["churn"]),
        ("customer_cltv", f"{versions['churn']}+{versions['spend']}"),
    ):
        marks = warehouse.rows(f"select distinct as_of_date, model_version from {table}")
        assert marks == [(dt.date(2024, 12, 1), version)]
    assert warehouse.value("select count(*) from customer_tiers") == warehouse.value(
        "select count(*) from customers"
    )
