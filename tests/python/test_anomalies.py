"""Anomalies: what is planted is found, and where nothing is, all but nothing is said."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pytest

from conftest import Build, Warehouse

OPENING = dt.datetime(2023, 1, 1)
SELECT = ("+order_anomalies",)
# What docs/decisions.md promises of a shop in which nothing is wrong.
FALSE_ALARMS = 0.001


def shop(seed: int, steadiness: float = 0.4, refund_spread: float = 0.0) -> pd.DataFrame:
    """Two years of 1,500 customers without any fraud: paces, levels and refunds of their own.

    Args:
        steadiness: standard deviation of the logarithm of one customer's amounts.
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
            amount = level * chance.lognormal(0, steadiness)
            rows.append((f"c{number:04}", day, amount, chance.random() < rate))
            day += chance.exponential(gap)
    orders = pd.DataFrame(rows, columns=["customer_id", "day", "amount", "is_refunded"])
    orders["amount"] = orders["amount"].round(2).clip(lower=0.01)
    orders["fraud"] = ""
    return orders


def with_fraud(orders: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The shop with amounts ten times as high, twenty orders in a day, and refunds of nearly all."""
    chance = np.random.default_rng(seed)
    orders = orders.sort_values("day").reset_index(drop=True)
    earlier = orders.groupby("customer_id").cumcount()
    of_regulars = orders.index[earlier >= 5]
    dear = chance.choice(of_regulars, 60, replace=False)
    orders.loc[dear, "amount"] = (orders.loc[dear, "amount"] * 10).round(2)
    orders.loc[dear, "fraud"] = "amount"
    counts = orders["customer_id"].value_counts()
    chosen = chance.permutation(counts.index[counts >= 8])
    bursting, refunding = chosen[:20], chosen[20:40]
    is_refunding = orders["customer_id"].isin(refunding)
    orders.loc[is_refunding, "is_refunded"] = chance.random(int(is_refunding.sum())) < 0.9
    orders.loc[is_refunding, "fraud"] = "refunds"
    bursts = pd.DataFrame(
        [
            (customer, float(day) + 0.02 * number, 30.0, False, "burst")
            for customer in bursting
            for day in [int(chance.integers(300, 700))]
            for number in range(20)
        ],
        columns=orders.columns,
    )
    return pd.concat([orders, bursts], ignore_index=True)


def given(orders: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {
            "order_id": f"o{number}",
            "customer_id": row.customer_id,
            "ordered_at": OPENING + dt.timedelta(seconds=int(row.day * 86400)),
            "amount": row.amount,
            "refund_amount": row.amount if row.is_refunded else None,
        }
        for number, row in enumerate(orders.itertuples())
    ]


def test_where_nothing_is_wrong_all_but_nothing_is_said(build: Build) -> None:
    orders = shop(1, refund_spread=0.1)
    warehouse = build(given(orders), select=SELECT)
    found = warehouse.mapping("select anomaly_kind, count(*) from order_anomalies group by all")
    assert sum(found.values()) <= FALSE_ALARMS * len(orders), found
    assert found.get("refunds", 0) == 0


@pytest.fixture(scope="module")
def defrauded(build: Build) -> tuple[pd.DataFrame, Warehouse]:
    orders = with_fraud(shop(3, steadiness=0.3), 4)
    return orders, build(given(orders), select=SELECT)


def test_planted_fraud_is_found_and_little_else(defrauded: tuple[pd.DataFrame, Warehouse]) -> None:
    orders, warehouse = defrauded
    found = warehouse.frame("from order_anomalies")
    number = found["order_id"].str[1:].astype(int)
    found["fraud"] = orders["fraud"].to_numpy()[number]

    dear = set(orders.index[orders["fraud"] == "amount"])
    amounts = found["anomaly_kind"].str.startswith("amount")
    assert len(dear & set(number[amounts])) >= 0.9 * len(dear)

    for kind in ("burst", "refunds"):
        planted = set(orders.loc[orders["fraud"] == kind, "customer_id"])
        named = set(found.loc[found["anomaly_kind"] == kind, "customer_id"])
        assert len(planted & named) >= 0.9 * len(planted), kind

    is_false = (found["fraud"] == "") | (
        (found["fraud"] == "amount") != found["anomaly_kind"].str.startswith("amount")
    )
    assert is_false.sum() <= FALSE_ALARMS * len(orders)
