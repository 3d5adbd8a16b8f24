"""Satisfaction: who is dissatisfied, and that leaving goes with it where that was planted."""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

from conftest import PROJECT
from rendered_models import rendered

SIGNALS = "intermediate/decisions/satisfaction/int_customer_value__satisfaction_signals.sql"
RETENTION = "marts/decisions/satisfaction/satisfaction_retention.sql"
# The as_of_date is day 720, so what is compared was known on day 540.
AS_OF, KNOWN = 720, 540


def shop(seed: int, effect: float, customer_count: int = 1200) -> dict[str, pd.DataFrame]:
    """Orders and reviews of customers who are content or not, and leave more often if not.

    Args:
        seed: of the chances.
        effect: what being discontent adds to the log odds of staying.
        customer_count: of them.
    """
    chance = np.random.default_rng(seed)
    number = np.arange(customer_count)
    is_discontent = chance.random(customer_count) < 0.3
    counts = 1 + chance.poisson(chance.gamma(1, 3, customer_count))
    # Who orders more stays more, and reviews more: what the comparison has to allow for.
    odds = np.exp(-0.6 + 0.8 * np.log(counts) + effect * is_discontent)
    stays = chance.random(customer_count) < odds / (1 + odds)
    orders = pd.DataFrame({"customer": np.repeat(number, counts)})
    orders["day"] = chance.integers(0, KNOWN, len(orders))
    later = pd.DataFrame({"customer": number[stays]})
    later["day"] = chance.integers(KNOWN, AS_OF, len(later))
    is_reviewed = chance.random(len(orders)) < 0.5
    reviews = orders[is_reviewed].copy()
    mean = np.where(is_discontent[reviews["customer"]], 1.8, 4.5)
    reviews["rating"] = np.clip(np.round(chance.normal(mean, 0.7)), 1, 5)
    # What comes after the day on which the level was known tells nothing of it.
    after = later.assign(rating=5.0)
    return {
        "orders": pd.concat([orders, later], ignore_index=True),
        "reviews": pd.concat([reviews, after], ignore_index=True),
        "refunds": pd.DataFrame({"customer": [0] * 0, "day": [0] * 0}),
    }


def opened(given: dict[str, pd.DataFrame]) -> duckdb.DuckDBPyConnection:
    """A database with what the models read."""
    connection = duckdb.connect()
    for given_name, rows in given.items():
        connection.register(f"given_{given_name}", rows)
    levels = PROJECT / "seeds" / "reference" / "satisfaction_levels.csv"
    connection.execute(f"""
        create table int_customer_value__run as
        select date '2023-01-01' + {AS_OF} as as_of_date, 180 as churn_window_days, 'r' as run_id;
        create table satisfaction_levels as from '{levels}';
        create table orders_cleaned as
        select 'o' || row_number() over () as order_id, 'c' || customer as customer_id,
            date '2023-01-01' + day::integer as order_date
        from given_orders;
        create table order_refunds as
        select 'o' || row_number() over () as order_id, 'c' || customer as customer_id,
            date '2023-01-01' + day::integer as refund_date, 1::decimal(18, 2) as refund_amount
        from given_refunds;
        create table int_customer_value__reviews_checked as
        select 'c' || customer as customer_id, rating::decimal(9, 4) as rating,
            date '2023-01-01' + day::integer as reviewed_at, null as reject_reason
        from given_reviews;
    """)
    for name, path in (
        ("int_customer_value__satisfaction_signals", SIGNALS),
        ("retention", RETENTION),
    ):
        connection.execute(f"create table {name} as {rendered(path, churn_window_days=180)}")
    return connection


def retention(seed: int, effect: float) -> dict[str, dict[str, Any]]:
    with opened(shop(seed, effect)) as connection:
        rows = connection.sql("from retention").df().to_dict("records")
    return {row["satisfaction_level"]: dict(row) for row in rows}


def test_leaving_goes_with_dissatisfaction_where_that_was_planted() -> None:
    found = retention(1, effect=-1.2)
    row = found["dissatisfied"]
    assert row["verdict"] == "lower"
    # The level is known from a few reviews, so the ratio is one of who seems to be discontent.
    assert row["odds_ratio_lower"] <= np.exp(-1.2) * 1.25
    assert row["odds_ratio_upper"] < 0.6
    assert found["satisfied"]["verdict"] == "higher"
    assert "An association, and no cause." in row["finding"]
    assert row["retention_rate_lower"] < row["retention_rate"] < row["retention_rate_upper"]


def test_the_odds_ratio_is_the_published_one() -> None:
    # Berkeley's admissions of 1973 by department (Bickel, Hammel and O'Connell 1975), with what R's
    # mantelhaen.test says of them: men are the level, departments the strata, admission is staying.
    departments = [
        (512, 313, 89, 19),
        (353, 207, 17, 8),
        (120, 205, 202, 391),
        (138, 279, 131, 244),
        (53, 138, 94, 299),
        (22, 351, 24, 317),
    ]
    cells = [
        (level, stays, 1 + 2 * (number // 2), number % 2, count)
        for number, (yes, no, others_yes, others_no) in enumerate(departments)
        for level, stays, count in (
            ("dissatisfied", True, yes),
            ("dissatisfied", False, no),
            ("satisfied", True, others_yes),
            ("satisfied", False, others_no),
        )
    ]
    table = pd.DataFrame(cells, columns=["level", "stays", "orders", "age", "count"])
    with duckdb.connect() as connection:
        connection.execute("""
            create table int_customer_value__run as
            select date '2024-07-01' as as_of_date, 180 as churn_window_days, 'r' as run_id;
            create table customers as
            select row_number() over () || '' as customer_id, level, stays, orders, age
            from "table", generate_series(1, count);
            create table int_customer_value__satisfaction_signals as
            select customer_id, date '2024-01-03' as as_of_date, false as is_current,
                level as satisfaction_level, orders as order_count,
                date '2023-12-01' - age::integer as last_order_date
            from customers;
            create table orders_cleaned as
            select customer_id, date '2024-01-03' as order_date from customers where stays;
        """)
        assert len(table) == 24
        found = connection.sql(f"""
            select odds_ratio, odds_ratio_lower, odds_ratio_upper
            from ({rendered(RETENTION, churn_window_days=180)})
            where satisfaction_level = 'dissatisfied'
        """).fetchall()
    assert found == [pytest.approx((0.9046968, 0.7719074, 1.0603298), abs=1e-6)]


def test_no_link_is_found_where_none_was_planted() -> None:
    # Who is known by reviews orders more, and so stays more: recency and orders allow for that.
    verdicts = [row["verdict"] for seed in range(25) for row in retention(seed, 0.0).values()]
    found = sum(verdict in {"lower", "higher"} for verdict in verdicts)
    assert found <= 4, f"{found} of {len(verdicts)}"


def test_levels_go_by_what_was_known_then() -> None:
    given = shop(2, effect=-1.2)
    cut = {name: table[table["day"] < KNOWN] for name, table in given.items()}
    query = """
        select customer_id, satisfaction_level, shrunken_rating
        from int_customer_value__satisfaction_signals where not is_current order by all
    """
    with opened(given) as whole, opened(cut) as known:
        assert whole.sql(query).fetchall() == known.sql(query).fetchall()


def levels(orders: dict[str, int], ratings: dict[str, list[int]], refunds: dict[str, int]) -> Any:
    """Levels of customers by their orders, ratings and refunded orders, all long ago."""
    names = sorted(orders)
    numbers = {name: number for number, name in enumerate(names)}

    def rows(counts: dict[str, int]) -> pd.DataFrame:
        listed = [(numbers[name], 10) for name, count in counts.items() for _ in range(count)]
        return pd.DataFrame(listed, columns=["customer", "day"])

    reviews = [(numbers[name], 20, value) for name, of in ratings.items() for value in of]
    given = {
        "orders": rows(orders),
        "reviews": pd.DataFrame(reviews, columns=["customer", "day", "rating"]),
        "refunds": rows(refunds),
    }
    with opened(given) as connection:
        found = connection.sql(
            "select customer_id, satisfaction_level"
            " from int_customer_value__satisfaction_signals where is_current"
        ).fetchall()
    by_number = {int(customer_id[1:]): level for customer_id, level in found}
    return {name: by_number[number] for name, number in numbers.items()}


def test_few_reviews_are_drawn_to_the_shops() -> None:
    content = {f"content {number}": [5, 4] for number in range(50)}
    customers = {**content, "once four": [4], "once one": [1], "always two": [2] * 6}
    orders = {**dict.fromkeys(customers, 3), "silent": 3, "refunded": 6}
    found = levels(orders, customers, {"refunded": 5, "silent": 0})
    assert found["once four"] == "neutral"
    assert found["once one"] == "dissatisfied"
    assert found["always two"] == "dissatisfied"
    assert found["content 0"] == "satisfied"
    assert found["silent"] == "unknown"
    assert found["refunded"] == "dissatisfied"


def test_nothing_known_is_unknown_and_no_comparison() -> None:
    given = shop(3, 0.0, customer_count=50)
    given["reviews"] = given["reviews"].head(0)
    with opened(given) as connection:
        assert connection.sql("from retention").fetchall() == []
        assert connection.sql(
            "select distinct satisfaction_level from int_customer_value__satisfaction_signals"
        ).fetchall() == [("unknown",)]
