"""A shop's history as it is delivered: what its inputs held on any day, with all that goes wrong.

Orders arrive late or never again, come in corrected versions (of amount, of time, of customer),
are paid back long after, are deleted; customers turn out to be one person, or ask to be erased.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

Row = dict[str, Any]

COLUMNS = {
    "orders": {
        "order_id": "varchar",
        "customer_id": "varchar",
        "ordered_at": "timestamp",
        "amount": "decimal(18, 2)",
        "discount_amount": "decimal(18, 2)",
        "refund_amount": "decimal(18, 2)",
        "refunded_at": "timestamp",
        "channel": "varchar",
        "status": "varchar",
        "updated_at": "timestamp",
    },
    "refunds": {
        "refund_id": "varchar",
        "order_id": "varchar",
        "refunded_at": "timestamp",
        "amount": "decimal(18, 2)",
    },
    "customer_identities": {"customer_id": "varchar", "canonical_customer_id": "varchar"},
    "erased_customers": {"customer_id": "varchar"},
}


NEVER = dt.datetime(2200, 1, 1)


@dataclass(frozen=True)
class Delivered:
    """A row of an input, from the day it is first delivered to the day it is no longer."""

    input_name: str
    row: Row
    since: dt.datetime
    until: dt.datetime = NEVER


@dataclass
class DeliveredHistory:
    """Every row that was ever delivered.

    Args:
        orders: as they truly were, with order_id, customer_id, ordered_at and amount.
        delay_days: the most that anything happens after its order.
        seed: of everything that goes wrong.
    """

    orders: Sequence[Mapping[str, Any]]
    delay_days: float = 60
    seed: int = 1
    delivered: list[Delivered] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Have each kind of trouble happen to some of the orders."""
        self._chance = random.Random(self.seed)
        customers = sorted({order["customer_id"] for order in self.orders})
        for order in self.orders:
            self._deliver(order, customers)
        for input_name, share in (("customer_identities", 0.06), ("erased_customers", 0.02)):
            for customer in self._chance.sample(customers, max(1, int(share * len(customers)))):
                row = {"customer_id": customer}
                if input_name == "customer_identities":
                    row["canonical_customer_id"] = self._chance.choice(customers)
                self.delivered.append(Delivered(input_name, row, self._any_time()))

    def customers_erased_at(self, moment: dt.datetime) -> set[str]:
        """Who has asked to be erased by then."""
        return {
            item.row["customer_id"]
            for item in self.delivered
            if item.input_name == "erased_customers" and item.since <= moment
        }

    def inputs_at(self, moment: dt.datetime, folder: Path) -> dict[str, object]:
        """Write what is delivered at a moment, shuffled; the var inputs that names it."""
        inputs: dict[str, object] = {}
        for input_name, columns in COLUMNS.items():
            rows = [
                {name: item.row.get(name) for name in columns}
                for item in self.delivered
                if item.input_name == input_name and item.since <= moment < item.until
            ]
            random.Random(self.seed).shuffle(rows)
            path = folder / f"{input_name}.parquet"
            frame = pd.DataFrame(rows, columns=list(columns), dtype=object)
            casts = ", ".join(f"cast({name} as {kind}) as {name}" for name, kind in columns.items())
            with duckdb.connect() as connection:
                connection.from_df(frame).select(casts).write_parquet(str(path))
            inputs[input_name] = {"path": str(path), "columns": {name: name for name in columns}}
        return inputs

    def _deliver(self, order: Mapping[str, Any], customers: Sequence[str]) -> None:
        chance = self._chance
        known = {name: order[name] for name in order if name in COLUMNS["orders"]}
        row: Row = {**known, "updated_at": order["ordered_at"]}
        since = order["ordered_at"]
        trouble = chance.choices(
            ("none", "late", "corrected", "paid_back", "totalled", "deleted", "cancelled"),
            (70, 6, 8, 6, 4, 4, 2),
        )[0]
        if trouble == "late":
            since = self._after(order)
        elif trouble == "corrected":
            updated_at = self._after(order)
            change: Row = chance.choice(
                [
                    {"amount": order["amount"] + Decimal("1.23")},
                    {"customer_id": chance.choice(customers)},
                    {"ordered_at": order["ordered_at"] - dt.timedelta(days=chance.uniform(0, 40))},
                ]
            )
            newer = {**row, **change, "updated_at": updated_at}
            # Some sources send both versions from then on, some only the newer one.
            until = chance.choice([NEVER, updated_at])
            self.delivered.append(Delivered("orders", row, since, until))
            row, since = newer, updated_at
        elif trouble == "paid_back":
            refunded_at = self._after(order)
            refund = {
                "refund_id": f"refund of {order['order_id']}",
                "order_id": order["order_id"],
                "refunded_at": refunded_at,
                "amount": round(order["amount"] / 2, 2) + Decimal("0.01"),
            }
            self.delivered.append(Delivered("refunds", refund, refunded_at))
        elif trouble == "totalled":
            refunded_at = self._after(order)
            self.delivered.append(Delivered("orders", row, since, refunded_at))
            refunded = {"refund_amount": round(order["amount"] / 3, 2), "refunded_at": refunded_at}
            row, since = {**row, **refunded, "updated_at": refunded_at}, refunded_at
        until = self._after(order) if trouble == "deleted" else NEVER
        if trouble == "cancelled":
            updated_at = self._after(order)
            self.delivered.append(Delivered("orders", row, since, updated_at))
            row, since = {**row, "status": "cancelled", "updated_at": updated_at}, updated_at
        self.delivered.append(Delivered("orders", row, since, until))

    def _after(self, order: Mapping[str, Any]) -> dt.datetime:
        delay = dt.timedelta(days=self._chance.uniform(0.1, self.delay_days))
        later: dt.datetime = order["ordered_at"] + delay
        return later

    def _any_time(self) -> dt.datetime:
        times = [order["ordered_at"] for order in self.orders]
        first, last = min(times), max(times)
        moment: dt.datetime = first + (last - first) * self._chance.uniform(0.3, 1)
        return moment
