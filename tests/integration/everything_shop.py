"""A made-up shop with every input that the package reads, and with what goes wrong in shops."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd

Row = dict[str, object]
Product = tuple[str, str, float]

SCHEMA = "shop_inputs"
OPENING = dt.datetime(2022, 1, 3)
DAYS = 900
CUSTOMERS = 700
PRODUCTS = 48
CATEGORIES = ("bread", "fruit", "cheese", "wine", "coffee", "tea")
FUNNEL = ("view_item", "add_to_cart", "begin_checkout", "purchase")

# As the var inputs has them: tables of one schema, whose columns bear our own names.
VARIABLES: dict[str, object] = {
    "reporting_currency": "EUR",
    "reporting_time_zone": "Europe/Berlin",
    "input_time_zone": "Europe/Berlin",
    "fairness_groups": ["age_band"],
    "fairness_minimum_customers": 30,
    "gross_margin_rate": 0.4,
    "store_keys": [],
}
OPTIONAL = {
    "orders": (
        "status",
        "discount_amount",
        "refund_amount",
        "cost_amount",
        "currency",
        "channel",
        "store",
        "updated_at",
    ),
    "order_lines": ("line_number", "category", "discount_amount", "cost"),
    "refunds": ("refund_id", "currency"),
    "customers": (
        "acquired_at",
        "acquisition_cost",
        "acquisition_channel",
        "email",
        "name",
        "age_band",
    ),
    "events": ("session_id", "product_id"),
    "campaign_contacts": ("treatment", "cost", "responded_at"),
    "reviews": (),
    "exchange_rates": (),
    "customer_identities": (),
    "excluded_customers": (),
    "erased_customers": (),
}
TYPES = {
    "orders": {
        "order_id": "varchar",
        "customer_id": "varchar",
        "ordered_at": "varchar",
        "amount": "varchar",
        "status": "varchar",
        "discount_amount": "decimal(18, 2)",
        "refund_amount": "double",
        "cost_amount": "decimal(18, 4)",
        "currency": "varchar",
        "channel": "varchar",
        "store": "varchar",
        "updated_at": "timestamp",
    },
    "order_lines": {
        "order_id": "varchar",
        "line_number": "integer",
        "product_id": "varchar",
        "quantity": "double",
        "unit_price": "decimal(18, 4)",
        "category": "varchar",
        "discount_amount": "varchar",
        "cost": "double",
    },
    "refunds": {
        "refund_id": "bigint",
        "order_id": "varchar",
        "refunded_at": "timestamptz",
        "amount": "decimal(18, 2)",
        "currency": "varchar",
    },
    "customers": {
        "customer_id": "varchar",
        "acquired_at": "date",
        "acquisition_cost": "double",
        "acquisition_channel": "varchar",
        "email": "varchar",
        "name": "varchar",
        "age_band": "varchar",
    },
    "events": {
        "customer_id": "varchar",
        "event_at": "timestamp",
        "event_name": "varchar",
        "session_id": "varchar",
        "product_id": "varchar",
    },
    "campaign_contacts": {
        "customer_id": "varchar",
        "campaign_id": "varchar",
        "contacted_at": "timestamp",
        "treatment": "varchar",
        "cost": "decimal(18, 4)",
        "responded_at": "timestamp",
    },
    "reviews": {
        "customer_id": "varchar",
        "product_id": "varchar",
        "reviewed_at": "date",
        "rating": "varchar",
    },
    "exchange_rates": {
        "currency": "varchar",
        "rate_date": "date",
        "rate": "double",
    },
    "customer_identities": {
        "customer_id": "varchar",
        "canonical_customer_id": "varchar",
    },
    "excluded_customers": {
        "customer_id": "varchar",
    },
    "erased_customers": {
        "customer_id": "varchar",
    },
}


def variables() -> dict[str, object]:
    """The vars of the package for this shop."""
    inputs = {
        name: {"table": f"{SCHEMA}.{name}", "columns": {column: column for column in optional}}
        for name, optional in OPTIONAL.items()
    }
    return {"inputs": inputs, **VARIABLES}


def write(database: Path) -> None:
    """Its inputs as tables of a DuckDB database."""
    with duckdb.connect(str(database)) as connection:
        connection.execute(f"create schema {SCHEMA}")
        for name, rows in inputs().items():
            columns = ", ".join(" ".join(column) for column in TYPES[name].items())
            connection.execute(f"create table {SCHEMA}.{name} ({columns})")
            given = pd.DataFrame(rows, dtype=object)  # noqa: F841 - read by name below
            connection.execute(f"insert into {SCHEMA}.{name} by name select * from given")


def inputs() -> dict[str, list[Row]]:
    """Every input's rows, the same on every call."""
    chance = random.Random(20240630)
    products = [
        (f"P{number:03}", CATEGORIES[number % len(CATEGORIES)], round(chance.uniform(1, 40), 2))
        for number in range(PRODUCTS)
    ]
    shop = _Shop(chance, products, {name: [] for name in TYPES})
    for number in range(CUSTOMERS):
        shop.customer(f"C{number:04}", number)
    shop.rates()
    shop.what_goes_wrong()
    return shop.tables


@dataclass
class _Shop:
    chance: random.Random
    products: list[Product]
    tables: dict[str, list[Row]]

    def rates(self) -> None:
        """Not on every day."""
        for day in range(-10, DAYS + 5):
            if day % 9 != 4:
                self.tables["exchange_rates"].append(
                    {
                        "currency": "USD",
                        "rate_date": (OPENING + dt.timedelta(days=day)).date(),
                        "rate": round(self.chance.uniform(0.85, 0.99), 6),
                    }
                )

    def customer(self, key: str, number: int) -> None:
        day = self.chance.uniform(0, DAYS * 0.75)
        gap = self.chance.lognormvariate(3.3, 0.8)
        favourites = self.chance.sample(self.products, 6)
        self.tables["customers"].append(
            {
                "customer_id": key if number % 50 else key.lower() + " ",
                "acquired_at": (OPENING + dt.timedelta(days=day - 1)).date()
                if number % 7
                else None,
                "acquisition_cost": round(self.chance.uniform(0, 12), 3) if number % 3 else None,
                "acquisition_channel": self.chance.choice(["search", "social", None]),
                "email": f"{key.lower()}@example.com" if number % 4 else None,
                "name": f"Name of {key}",
                "age_band": ("18-34", "35-54", "55+")[number % 3] if number % 11 else None,
            }
        )
        order = 0
        while day < DAYS:
            at = OPENING + dt.timedelta(seconds=int(day * 86400))
            self.order(f"{key}-{order:03}", key, at, favourites if order % 3 else self.products)
            order += 1
            if self.chance.random() < 0.12:
                break
            day += max(0.01, self.chance.expovariate(1 / gap))
        for _ in range(self.chance.randrange(3)):
            at = OPENING + dt.timedelta(days=self.chance.uniform(0, DAYS))
            self.session(
                key,
                f"{key}-s{self.chance.randrange(10**6)}",
                at,
                self.chance.choice(self.products)[0],
                2,
            )
        for number_of_campaign in range(6):
            if self.chance.random() < 0.6:
                contacted = OPENING + dt.timedelta(
                    days=200 + 100 * number_of_campaign, hours=self.chance.randrange(72)
                )
                treatment = self.chance.choice(["mail", "mail", "control"])
                responded = treatment == "mail" and self.chance.random() < 0.2
                self.tables["campaign_contacts"].append(
                    {
                        "customer_id": key,
                        "campaign_id": f"campaign {number_of_campaign}",
                        "contacted_at": contacted,
                        "treatment": treatment,
                        "cost": "0.3500" if treatment == "mail" else None,
                        "responded_at": contacted + dt.timedelta(hours=30) if responded else None,
                    }
                )

    def order(self, key: str, customer: str, at: dt.datetime, products: list[Product]) -> None:
        lines = []
        for line, (product, category, price) in enumerate(
            self.chance.sample(products, self.chance.randint(1, min(5, len(products))))
        ):
            quantity = self.chance.choice([1, 1, 2, 3, 0.75])
            lines.append((quantity * price, product))
            self.tables["order_lines"].append(
                {
                    "order_id": key,
                    "line_number": line,
                    "product_id": product,
                    "quantity": quantity,
                    "unit_price": f"{price:.4f}",
                    "category": category if self.chance.random() < 0.97 else None,
                    "discount_amount": "0.50" if self.chance.random() < 0.1 else None,
                    "cost": round(price * quantity * 0.55, 3)
                    if self.chance.random() < 0.9
                    else None,
                }
            )
            if self.chance.random() < 0.15:
                self.tables["reviews"].append(
                    {
                        "customer_id": customer,
                        "product_id": product,
                        "reviewed_at": (at + dt.timedelta(days=self.chance.randint(2, 30))).date(),
                        "rating": self.chance.choice(
                            ["1", "2", "3", "4", "4", "5", "5", "4.5", "n/a"]
                        ),
                    }
                )
        amount = round(sum(value for value, _ in lines), 2)
        is_refunded = self.chance.random() < 0.06
        self.tables["orders"].append(
            {
                "order_id": key,
                "customer_id": customer,
                "ordered_at": self.written(at),
                "amount": f"{amount:.2f}" if self.chance.random() < 0.97 else f" {amount:.4f}",
                "status": self.chance.choices(
                    ["completed", "shipped", "cancelled", "test"], [70, 24, 5, 1]
                )[0],
                "discount_amount": f"{amount / 20:.2f}" if self.chance.random() < 0.2 else None,
                "refund_amount": round(amount / 2, 2) if self.chance.random() < 0.03 else None,
                "cost_amount": f"{amount * 0.57:.4f}" if self.chance.random() < 0.7 else None,
                "currency": "USD" if self.chance.random() < 0.1 else "EUR",
                "channel": self.chance.choice(["web", "store", "app"]),
                "store": self.chance.choice(["berlin", "hamburg"]),
                "updated_at": at + dt.timedelta(hours=2),
            }
        )
        if is_refunded:
            self.tables["refunds"].append(
                {
                    "refund_id": len(self.tables["refunds"]) + 1,
                    "order_id": key,
                    "refunded_at": (at + dt.timedelta(days=9)).replace(tzinfo=dt.UTC),
                    "amount": f"{amount / 4:.2f}",
                    "currency": "EUR",
                }
            )
        if self.chance.random() < 0.6:
            self.session(customer, f"{key}-s", at - dt.timedelta(minutes=12), lines[0][1], 4)

    def session(
        self, customer: str, session: str, at: dt.datetime, product: str, steps: int
    ) -> None:
        for name in FUNNEL[:steps]:
            at += dt.timedelta(seconds=self.chance.randint(5, 240))
            self.tables["events"].append(
                {
                    "customer_id": customer,
                    "event_at": at,
                    "event_name": name,
                    "session_id": session if self.chance.random() < 0.9 else None,
                    "product_id": product if name != "begin_checkout" else None,
                }
            )
            if self.chance.random() < 0.1:
                break

    def written(self, at: dt.datetime) -> str:
        form = self.chance.choice(["plain", "plain", "plain", "iso", "zulu", "offset", "short"])
        if form == "plain":
            return at.strftime("%Y-%m-%d %H:%M:%S")
        if form == "short":
            return at.strftime("%Y-%m-%d %H:%M")
        suffix = {"iso": "", "zulu": "Z", "offset": "+02:00"}[form]
        return at.strftime("%Y-%m-%dT%H:%M:%S") + suffix

    def what_goes_wrong(self) -> None:
        orders = self.tables["orders"]
        first = dict(orders[0])
        broken = (
            {"ordered_at": "2023-02-30 10:00:00"},
            {"ordered_at": "yesterday"},
            {"ordered_at": "1/2/2023"},
            {"ordered_at": "2023-05"},
            {"ordered_at": ""},
            {"ordered_at": None},
            {"ordered_at": "infinity"},
            {"ordered_at": "9999-01-01 00:00:00"},
            {"amount": "twelve"},
            {"amount": "NaN"},
            {"amount": "Infinity"},
            {"amount": "1e3"},
            {"amount": "1_000"},
            {"amount": "0x1F"},
            {"amount": "12,50"},
            {"amount": "99999999999999999999"},
            {"amount": ""},
            {"amount": None},
            {"amount": "-12.00"},
            {"currency": "XXX"},
            {"currency": "usd "},
            {"customer_id": "   "},
            {"customer_id": None},
            {"customer_id": "x" * 1001},
            {"order_id": ""},
            {"status": "on the moon"},
            {"status": " Completed"},
        )
        for number, change in enumerate(broken):
            orders.append({**first, "order_id": f"broken-{number:03}", **change})
        for order in self.chance.sample(orders[:-40], 40):
            orders.append({**order, "updated_at": order["updated_at"] + dt.timedelta(days=1)})  # type: ignore[operator]
            orders.append(dict(order))
        lines = self.tables["order_lines"]
        for change in (
            {"quantity": float("nan")},
            {"quantity": -1.0},
            {"unit_price": None},
            {"product_id": None},
            {"order_id": "nobody's"},
            {"discount_amount": "some"},
        ):
            lines.append({**lines[0], "line_number": 90 + len(change), **change})
        lines.extend(dict(line) for line in lines[5:9])
        self.tables["refunds"].append(
            {**self.tables["refunds"][0], "refund_id": 9001, "order_id": "nobody's"}
        )
        self.tables["refunds"].append(dict(self.tables["refunds"][1]))
        self.tables["events"].append({**self.tables["events"][0], "event_name": "danced"})
        self.tables["events"].append({**self.tables["events"][0], "event_at": None})
        self.tables["reviews"].append({**self.tables["reviews"][0], "rating": "11"})
        self.tables["customers"].append(dict(self.tables["customers"][3]))
        self.tables["customer_identities"] = [
            {"customer_id": f"C{number:04}", "canonical_customer_id": f"C{number + 1:04}"}
            for number in range(10, 90, 8)
        ]
        self.tables["excluded_customers"] = [{"customer_id": "C0005"}, {"customer_id": "C0300"}]
        self.tables["erased_customers"] = [{"customer_id": "C0007"}]
