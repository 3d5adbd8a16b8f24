"""Anomalies: what is planted is found, and where nothing is, all but nothing is said."""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
import pytest

from rendered_models import rendered

FOLDER = "intermediate/decisions/anomalies/int_customer_value__"
MODELS = ("unusual_amounts", "order_bursts", "unusual_refunds")
# What docs/decisions.md promises of a shop in which nothing is wrong.
FALSE_ALARMS = 0.001


def shop(seed: int, *, deviation: float = 0.4, refund_spread: float = 0.0) -> pd.DataFrame:
    """Two years of 1,500 customers without any fraud: paces, levels and refunds of their own.

    Args:
        seed: of the chances.
        deviation: standard deviation of the logarithm of one customer's amounts.
        refund_spread: how much customers' refund rates differ; 0: all have the same.
    """
    chance = np.random.default_rng(seed)
    rows: list[tuple[str, float, float, bool]] = []
    for number in range(1500):
        day = chance.uniform(0, 500)
        gap = chance.lognormal(3.4, 0.8)
        level = chance.lognormal(3.5, 0.7)
        rate = chance.beta(0.05 / refund_spread, 0.95 / refund_spread) if refund_spread else 0.05
        while day < 720:
            amount = level * chance.lognormal(0, deviation)
            rows.append((f"c{number:04}", day, amount, chance.random() < rate))
            day += chance.exponential(gap)
    orders = pd.DataFrame(rows, columns=["customer_id", "day", "amount", "is_refunded"])
    return orders.assign(amount=orders["amount"].round(2).clip(lower=0.01), fraud="")


def with_fraud(orders: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Amounts ten times as high, twenty orders in a day, and nearly all orders refunded."""
    chance = np.random.default_rng(seed)
    orders = orders.sort_values("day").reset_index(drop=True)
    of_regulars = orders.index[orders.groupby("customer_id").cumcount() >= 5]
    dear = chance.choice(of_regulars, 40, replace=False)
    orders.loc[dear, "amount"] = (orders.loc[dear, "amount"] * 10).round(2)
    orders.loc[dear, "fraud"] = "amount"
    counts = orders["customer_id"].value_counts()
    chosen = chance.permutation(sorted(counts.index[counts >= 8]))
    bursting, refunding = chosen[:20], chosen[20:40]
    is_refunding = orders["customer_id"].isin(refunding)
    orders.loc[is_refunding, "is_refunded"] = chance.random(int(is_refunding.sum())) < 0.9
    orders.loc[is_refunding, "fraud"] = "refunds"
    bursts = pd.DataFrame(
        [
            (customer, day + 0.02 * number, 30.0, False, "burst")
            for customer in bursting
            for day in [float(chance.integers(300, 700))]
            for number in range(20)
        ],
        columns=orders.columns,
    )
    return pd.concat([orders, bursts], ignore_index=True)


def anomalies(orders: pd.DataFrame, as_of_day: int = 720) -> pd.DataFrame:
    """What the models say of the orders before a day: kind, customer, what was planted there."""
    with duckdb.connect() as connection:
        connection.register("given", orders.assign(number=range(len(orders))))
        connection.execute(f"""
            create table orders_cleaned as
            select
                number, fraud, 'o' || number as order_id, customer_id, is_refunded,
                date '2023-01-01' + floor(day)::integer as order_date,
                row_number() over (partition by customer_id order by day, number) as order_number,
                amount::decimal(18, 2) as gross_amount, 0::decimal(18, 2) as discount_amount
            from given where day < {as_of_day};
            create table order_refunds as
            select order_id, gross_amount as refund_amount, order_date as refund_date
            from orders_cleaned where is_refunded;
            create table int_customer_value__run as
            select date '2023-01-01' + {as_of_day} as as_of_date;
            create table customers as
            select customer_id, count(*) as order_count,
                date '2023-01-01' + {as_of_day} - min(order_date) as tenure_days
            from orders_cleaned group by customer_id;
        """)
        parts = " union all ".join(
            f"select order_id, customer_id, anomaly_kind from ({rendered(f'{FOLDER}{model}.sql')})"
            for model in MODELS
        )
        found: pd.DataFrame = connection.sql(f"""
            select anomaly_kind, customer_id, order_id, number, fraud
            from ({parts}) inner join orders_cleaned using (order_id, customer_id)
            order by all
        """).df()
    return found


def test_where_nothing_is_wrong_all_but_nothing_is_said() -> None:
    shops = [shop(seed, refund_spread=spread) for seed, spread in ((1, 0.0), (2, 0.05), (3, 0.1))]
    found = [anomalies(orders) for orders in shops]
    for orders, said in zip(shops, found, strict=True):
        assert len(said) <= FALSE_ALARMS * len(orders)
    # By chance one shop in twenty has a customer who is named.
    assert (pd.concat(found)["anomaly_kind"] == "refunds").sum() <= 1


def test_one_shop_in_twenty_names_a_customer_for_refunds_by_chance() -> None:
    sql = rendered(f"{FOLDER}unusual_refunds.sql")
    shops_named = 0
    with duckdb.connect() as connection:
        connection.execute(
            "create table int_customer_value__run as select date '2025-01-01' as as_of_date"
        )
        for seed in range(20):
            chance = np.random.default_rng(seed)
            counts = 1 + chance.poisson(chance.lognormal(2.3, 0.9, 1500))
            rates = np.repeat(chance.beta(0.5, 9.5, 1500), counts)
            connection.register(
                "given",
                pd.DataFrame(
                    {
                        "customer": np.repeat(np.arange(1500), counts),
                        "is_refunded": chance.random(len(rates)) < rates,
                    }
                ),
            )
            connection.execute("""
                create or replace table orders_cleaned as
                select 'o' || row_number() over () as order_id, 'c' || customer as customer_id,
                    row_number() over (partition by customer) as order_number, is_refunded,
                    date '2024-01-01' as order_date, 10::decimal(18, 2) as gross_amount,
                    0::decimal(18, 2) as discount_amount
                from given;
                create or replace table order_refunds as
                select order_id, gross_amount as refund_amount, order_date as refund_date
                from orders_cleaned where is_refunded;
            """)
            shops_named += bool(connection.sql(sql).fetchall())
    assert shops_named <= 3


# The more a customer's amounts differ by themselves, the less ten times as much stands out.
@pytest.mark.parametrize(("deviation", "share_found"), [(0.3, 0.9), (0.4, 0.75), (0.5, 0.33)])
def test_planted_fraud_is_found_and_little_else(deviation: float, share_found: float) -> None:
    orders = with_fraud(shop(5, deviation=deviation), 6)
    found = anomalies(orders)
    is_amount = found["anomaly_kind"].str.startswith("amount")
    dear = set(orders.index[orders["fraud"] == "amount"])
    assert len(dear & set(found.loc[is_amount, "number"])) >= share_found * len(dear)
    for kind in ("burst", "refunds"):
        planted = set(orders.loc[orders["fraud"] == kind, "customer_id"])
        named = set(found.loc[found["anomaly_kind"] == kind, "customer_id"])
        assert len(planted & named) >= 0.9 * len(planted), kind
    kinds = found["anomaly_kind"].where(~is_amount, "amount")
    assert (kinds != found["fraud"]).sum() <= FALSE_ALARMS * len(orders)


def test_a_single_habit_is_no_anomaly() -> None:
    # Always the same amount, every day; a wholesaler beside it; two of them at once now and then.
    days = np.arange(600)
    orders = pd.DataFrame(
        [
            (customer, float(day), amount * (2 if day % 50 == 0 else 1), False, "")
            for customer, amount in (("steady", 10.0), ("wholesaler", 900.0))
            for day in days
        ],
        columns=["customer_id", "day", "amount", "is_refunded", "fraud"],
    )
    assert anomalies(orders).empty


def test_few_orders_are_not_judged() -> None:
    orders = with_fraud(shop(7), 8).head(150)
    assert anomalies(orders).empty
    assert anomalies(orders.head(0)).empty
