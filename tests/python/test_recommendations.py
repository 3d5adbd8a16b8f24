"""Recommendations: planted tastes are found, nothing is known too early, and rhythms are kept."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from conftest import Build, Warehouse, orders_input

SELECT = ("+item_similarities", "+customer_recommendations", "+recommendation_metrics")
OPENING, AS_OF, WINDOW = dt.date(2024, 1, 1), dt.date(2024, 9, 1), 28
TASTES, PRODUCTS, CUSTOMERS = 3, 20, 240
# Whether a product is of the taste of its customer; newcomers have none.
SUITS = "cast(category = cast(try_cast(customer_id[2:] as int) % 3 as varchar) as int)"


def order_lines() -> pd.DataFrame:
    """Customers of three tastes who try one product after the other of those that suit them.

    Customer 0 buys soap every week, and customer 1 all there is of the first taste.
    """
    chance = np.random.default_rng(1)
    days = (AS_OF - OPENING).days
    rows = []
    for customer in range(CUSTOMERS):
        taste = customer % TASTES
        for day in np.sort(chance.choice(days, chance.integers(8, 16), replace=False)):
            for product in chance.choice(PRODUCTS, 2, replace=False):
                is_suiting = chance.random() < 0.9
                suits = taste if is_suiting else chance.integers(TASTES)
                rows.append((customer, day, f"{suits}-{product:02}"))
        # Everybody buys bags now and then, and soap, some for the first time.
        rows += [(customer, day, "bag") for day in chance.choice(days, 3, replace=False)]
        rows += [(customer, day, "soap") for day in chance.choice(days, 2, replace=False)]
    rows += [(0, day, "soap") for day in range(days - 70, days, 7)]
    rows += [(3, days - 1, f"0-{product:02}") for product in range(PRODUCTS)]
    frame = pd.DataFrame(rows, columns=["customer", "day", "product_id"])
    frame = frame.drop_duplicates(ignore_index=True)
    return frame.assign(
        customer_id="c" + frame["customer"].astype(str),
        order_id=frame["customer"].astype(str) + "-" + frame["day"].astype(str),
        ordered_at=[
            dt.datetime(2024, 1, 1, 12) + dt.timedelta(days=int(day)) for day in frame["day"]
        ],
    )


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """The lines, and the orders that they are of; one more customer has an order and no lines."""
    folder = tmp_path_factory.mktemp("inputs")
    lines = order_lines()
    with duckdb.connect() as connection:
        connection.register("lines", lines)
        connection.execute(
            f"""
            copy (
                select order_id, product_id, 1 as line_number, 1 as quantity, 2 as unit_price,
                    ordered_at, product_id[1] as category
                from lines
            ) to '{folder}/lines.parquet'
            """.replace("1 as line_number", "product_id as line_number")
        )
        connection.execute(
            f"""
            copy (
                select order_id, any_value(customer_id) as customer_id,
                    any_value(ordered_at) as ordered_at, 2 * count(*) as amount
                from lines group by order_id
                union all select 'x', 'newcomer', timestamp '2024-06-01', 5
            ) to '{folder}/orders.parquet'
            """
        )
    return {
        **orders_input(folder / "orders.parquet", []),
        "order_lines": {
            "path": str(folder / "lines.parquet"),
            "columns": {"category": "category", "ordered_at": "ordered_at"},
        },
    }


def built(build: Build, inputs: dict[str, object], as_of_date: dt.date) -> Warehouse:
    return build(
        "select null as order_id limit 0",
        variables={
            "inputs": inputs,
            "as_of_date": str(as_of_date),
            "recommendation_window_days": WINDOW,
        },
        select=SELECT,
    )


@pytest.fixture(scope="module")
def now(build: Build, inputs: dict[str, object]) -> Warehouse:
    return built(build, inputs, AS_OF)


@pytest.fixture(scope="module")
def before(build: Build, inputs: dict[str, object]) -> Warehouse:
    """As it was known a window earlier."""
    return built(build, inputs, AS_OF - dt.timedelta(days=WINDOW))


def test_similarity_is_a_cosine_drawn_to_nothing_where_few_are_common(now: Warehouse) -> None:
    lines = order_lines()
    has = pd.crosstab(lines["customer"], lines["product_id"]).to_numpy() > 0
    names = sorted(lines["product_id"].unique())
    common = has.astype(int).T @ has.astype(int)
    count = np.diag(common)
    cosine = common / np.sqrt(np.outer(count, count)) * common / (common + 20)
    rows = now.rows("select product_id, similar_product_id, similarity from item_similarities")
    assert len(rows) > 1000
    for one, other, similarity in rows:
        assert similarity == pytest.approx(cosine[names.index(one), names.index(other)], abs=1e-6)


def test_new_products_are_of_the_customer_s_taste(now: Warehouse) -> None:
    ((share, people, least, most),) = now.rows(
        f"""
        with lists as (
            select customer_id, avg({SUITS}) as share, count(*) as list_length
            from customer_recommendations
            where recommendation_kind = 'new' and customer_id not in ('newcomer', 'c3')
            group by customer_id
        )
        select avg(share), count(*), min(list_length), max(list_length) from lists
        """
    )
    # A customer has tried most of what there is of a taste: less than ten are left of it.
    assert (people, least, most) == (CUSTOMERS - 1, 10, 10)
    assert share > 0.6
    # The first of each list is of the taste nearly always.
    assert (
        now.value(
            f"""
            select avg({SUITS})
            from customer_recommendations
            where recommendation_kind = 'new' and recommendation_rank = 1
                and customer_id not in ('newcomer', 'c3')
            """
        )
        > 0.95
    )


def test_tastes_beat_popularity_and_are_chosen(now: Warehouse) -> None:
    found = now.mapping(
        """
        select method, metric_value, is_chosen from recommendation_metrics
        where recommendation_kind = 'new' and split = 'report' and metric = 'ndcg'
            and list_length = 10
        """
    )
    assert min(found["item_based"][0], found["user_based"][0]) > 1.5 * found["popularity"][0]
    assert found["popularity"][1] is False
    assert sum(is_chosen for _, is_chosen in found.values()) == 1


def test_nothing_new_has_been_bought_and_all_that_is_to_be_bought_again_has(now: Warehouse) -> None:
    bought = "(select order_id, product_id from customer_value.order_lines_cleaned)"
    assert now.rows(
        f"""
        select recommendation_kind, count(distinct lines.product_id) > 0
        from customer_recommendations
        inner join customer_value.orders_cleaned as orders using (customer_id)
        inner join {bought} as lines using (order_id, product_id)
        group by recommendation_kind
        """
    ) == [("replenishment", True)]


def test_a_weekly_purchase_is_due_a_week_after_the_last(now: Warehouse) -> None:
    ((rank, due, reason),) = now.rows(
        "select recommendation_rank, due_date, reason from customer_recommendations"
        " where customer_id = 'c0' and product_id = 'soap'"
    )
    assert rank <= 2
    # Two of the gaps usual for soap, longer ones, are added to the customer's own.
    assert dt.date(2024, 8, 25) + dt.timedelta(days=7) <= due <= AS_OF + dt.timedelta(days=21)
    assert reason.endswith(f"the last on 2024-08-25: due on {due}.")


def test_who_has_no_lines_gets_what_is_popular_and_who_has_all_gets_something_else(
    now: Warehouse,
) -> None:
    newcomer = now.rows(
        "select recommendation_rank, recommended_by, because_product_id, reason"
        " from customer_recommendations where customer_id = 'newcomer' order by 1"
    )
    assert [row[0] for row in newcomer] == list(range(1, 11))
    assert {row[1:3] for row in newcomer} == {("popularity", None)}
    assert newcomer[0][3].startswith("Popular: ")
    # Customer 3 has all of the first taste.
    assert (
        now.value(
            "select count(*) from customer_recommendations"
            " where customer_id = 'c3' and recommendation_kind = 'new' and category = '0'"
        )
        == 0
    )


def test_metrics_of_a_past_date_are_those_of_what_was_recommended_then(
    now: Warehouse, before: Warehouse
) -> None:
    """So nothing that came later has been used, and lists are judged as they are made."""
    methods = before.mapping(
        "select distinct recommendation_kind, method from recommendation_metrics where is_chosen"
    )
    lines = order_lines()
    start = (AS_OF - OPENING).days - WINDOW
    past = lines[lines["day"] < start]
    had = set(zip(past["customer_id"], past["product_id"], strict=True))
    later = lines[lines["day"] >= start]
    then = set(zip(later["customer_id"], later["product_id"], strict=True))
    for kind, sought in (("new", then - had), ("replenishment", then & had)):
        lists: dict[str, list[str]] = {}
        for customer, product in before.rows(
            "select customer_id, product_id from customer_recommendations"
            f" where recommendation_kind = '{kind}' and customer_id <> 'newcomer'"
            " order by customer_id, recommendation_rank"
        ):
            lists.setdefault(customer, []).append(product)
        recalls, gains = [], []
        for customer in {customer for customer, _ in sought}:
            wanted = {product for one, product in sought if one == customer}
            hits = [product in wanted for product in lists.get(customer, [])]
            recalls.append(sum(hits) / len(wanted))
            best = sum(1 / np.log2(place + 2) for place in range(min(10, len(wanted))))
            gain = sum(hit / np.log2(place + 2) for place, hit in enumerate(hits))
            gains.append(gain / best)
        told = now.mapping(
            f"""
            select metric, metric_value from recommendation_metrics
            where split = 'report' and recommendation_kind = '{kind}' and list_length = 10
                and method = '{methods[kind]}' and metric <> 'coverage'
            """
        )
        assert told["recall"] == pytest.approx(np.mean(recalls), abs=1e-8)
        assert told["ndcg"] == pytest.approx(np.mean(gains), abs=1e-8)


def test_without_lines_the_tables_are_empty(build: Build, tmp_path: Path) -> None:
    del tmp_path
    warehouse = build(
        "select 'o' as order_id, 'c' as customer_id, date '2024-01-01' as ordered_at, 1 as amount",
        select=(
            *SELECT,
            "+basket_rules",
            "+bundle_candidates",
            "+predicted_ratings",
            "+rating_metrics",
        ),
    )
    for table in (
        "item_similarities",
        "customer_recommendations",
        "recommendation_metrics",
        "basket_rules",
        "bundle_candidates",
        "predicted_ratings",
        "rating_metrics",
    ):
        assert warehouse.value(f"select count(*) from {table}") == 0
