"""How far the total over customers is off, with the level of the shop and without: many shops.

Each shop is built as of past dates and its forecast of the days that follow is held against what
the customers known at the date then brought. Made-up shops have planted what real ones hide.

    python benchmarks/level.py                       CDNOW and the made-up shops
    python benchmarks/level.py --orders NAME=FILE    another shop as well
    python benchmarks/level.py --only growing        those whose name has this in it

FILE is Parquet: order_id, customer_id, ordered_at (date), amount.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import math
import os
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

PROJECT = Path(__file__).resolve().parent.parent
DEMO_ORDERS = PROJECT / "seeds" / "demo" / "demo_orders.csv"
PERIOD_DAYS, PERIODS = 30, 12
HORIZONS = (30, 90, 180, 270, 360)
METHODS = ("customer model", "cohorts", "levelled")
OPENING = dt.date(2022, 1, 1)

# days of orders; shares of them at which to forecast; what is planted.
MADE_UP: dict[str, dict[str, float]] = {
    "stationary": {"days": 1100},
    "growing": {"days": 1100, "more_customers": 0.7, "more_orders": 0.2},
    "shrinking": {"days": 1100, "more_customers": -0.7, "more_orders": -0.3},
    "seasonal": {"days": 1280, "season": 0.5},
    "december doubles": {"days": 1280, "december": 2.0},
    "opened with a burst": {"days": 700, "burst_days": 90},
    "few regular buyers": {"days": 600, "customers": 120, "burst_days": 1, "pace_days": 14},
}


def made_up(  # noqa: PLR0913 - what can be planted
    *,
    days: float,
    customers: float = 2000,
    pace_days: float = 45,
    life_days: float = 300,
    burst_days: float | None = None,
    more_customers: float = 0.0,
    more_orders: float = 0.0,
    season: float = 0.0,
    december: float = 1.0,
) -> pd.DataFrame:
    """Orders of customers who come, each with a pace and an amount, and leave without a word."""
    chance = np.random.default_rng(1)
    span = int(days)
    day = np.arange(span)
    dates = np.datetime64(OPENING) + day
    month = dates.astype("datetime64[M]").astype(int) % 12
    position = (dates - dates.astype("datetime64[Y]")).astype(float)
    of_year = np.exp(season * np.cos(2 * math.pi * (position - 350) / 365.25))
    of_year *= np.where(month == 11, december, 1.0)
    activity = of_year * np.exp(more_orders * day / 365)
    arrival = np.exp(more_customers * day / 365) * (day < (burst_days or span))
    first = chance.choice(span, int(customers), p=arrival / arrival.sum())
    parts = []
    for number, start in enumerate(first):
        end = int(min(span, start + chance.exponential(life_days) + 1))
        pace = chance.gamma(1.5, 1 / 1.5) / pace_days
        bought = chance.random(end - start) < -np.expm1(-pace * activity[start:end])
        bought[0] = True
        bought_on = np.flatnonzero(bought) + start
        amount = 40 * np.exp(chance.normal(0, 0.6) + chance.normal(0, 0.5, len(bought_on)))
        parts.append(
            pd.DataFrame(
                {"customer_id": f"c{number}", "ordered_at": dates[bought_on], "amount": amount}
            )
        )
    orders = pd.concat(parts, ignore_index=True).round({"amount": 2})
    return orders.assign(order_id=[f"o{number}" for number in range(len(orders))])


def write(shop: str, given: Mapping[str, str], path: Path) -> None:
    """Write a shop's orders, one row per customer and day."""
    with duckdb.connect() as connection:
        if shop in MADE_UP:
            relation = connection.from_df(made_up(**MADE_UP[shop]))
        elif shop in given:
            relation = connection.read_parquet(given[shop])
        else:
            kept = "in_published_sample = 1" if shop == "CDNOW sample" else "true"
            relation = connection.sql(f"""
                select customer_id || '-' || ordered_at as order_id, customer_id, ordered_at, amount
                from read_csv('{DEMO_ORDERS}', types = {{'customer_id': 'varchar'}}) where {kept}
            """)
        relation.create_view("given")
        connection.execute(f"""
            copy (
                select
                    min(order_id) as order_id, customer_id::varchar as customer_id,
                    ordered_at::date as ordered_at, sum(amount)::decimal(18, 2) as amount
                from given group by all
            ) to '{path}'
        """)


def measure(orders: Path, as_of_date: dt.date, folder: Path) -> list[dict[str, float]]:
    """Forecast over actual, per horizon that the orders reach, by each method."""
    database = folder / "level.duckdb"
    database.unlink(missing_ok=True)
    variables = {
        "inputs": {"orders": {"path": str(orders)}},
        "as_of_date": as_of_date.isoformat(),
        "period": PERIOD_DAYS,
        "horizon_periods": PERIODS,
    }
    subprocess.run(
        [
            *("dbt", "--quiet", "build", "--profiles-dir", "profiles"),
            *("--target-path", str(folder / "target"), "--log-path", str(folder / "logs")),
            *("--exclude-resource-type", "test", "unit_test"),
            *("--select", "+revenue_forecast", "--vars", json.dumps(variables)),
        ],
        cwd=PROJECT,
        env={**os.environ, "CUSTOMER_VALUE_WAREHOUSE": str(database)},
        check=True,
    )
    with duckdb.connect() as connection:
        connection.execute(f"attach '{database}' as built (read_only)")
        rows = connection.sql(f"""
            with known as (
                select *, min(ordered_at) over (partition by customer_id) as first_ordered_at
                from '{orders}'
            ),
            forecasts as (
                select
                    period_number * {PERIOD_DAYS} as days,
                    sum(customer_model_net_amount) over earlier,
                    sum(cohort_net_amount) over earlier,
                    sum(forecast_net_amount) over earlier
                from built.customer_value.revenue_forecast
                window earlier as (order by period_number)
            )
            select forecasts.*, (
                select sum(amount) from known
                where first_ordered_at < date '{as_of_date}' and ordered_at >= date '{as_of_date}'
                    and ordered_at < date '{as_of_date}' + forecasts.days::integer
            )
            from forecasts
            where
                days in {HORIZONS}
                and (select max(ordered_at) from known) >= date '{as_of_date}' + days::integer - 1
            order by days
        """).fetchall()
    return [
        {"days": days}
        | {
            # Without a forecast from cohorts there is no bias of it.
            name: math.nan if total is None else float(total) / float(actual)
            for name, total in zip(METHODS, totals, strict=True)
        }
        for days, *totals, actual in rows
        if actual
    ]


def main() -> None:
    """Print the biases of every shop, date and horizon, and their mean absolute logarithms."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--orders", action="append", default=[], metavar="NAME=FILE")
    parser.add_argument("--only", default="", help="part of the names of the shops to look at")
    arguments = parser.parse_args()
    given = dict(pair.split("=", 1) for pair in arguments.orders)
    errors: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    print(f"{'':22}{'as of':12}{'days':>5}" + "".join(f"{name:>16}" for name in METHODS))
    for shop in [n for n in ("CDNOW sample", "CDNOW all", *MADE_UP, *given) if arguments.only in n]:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            orders = folder / "orders.parquet"
            write(shop, given, orders)
            with duckdb.connect() as connection:
                ((start, end),) = connection.sql(
                    f"select min(ordered_at), max(ordered_at) + 1 from '{orders}'"
                ).fetchall()
            for share in (0.5, 0.65, 0.8):
                as_of_date = start + dt.timedelta(days=round((end - start).days * share))
                for row in measure(orders, as_of_date, folder):
                    biases = "".join(f"{row[name]:16.2f}" for name in METHODS)
                    print(f"{shop:22}{as_of_date.isoformat():12}{row['days']:5.0f}{biases}")
                    for name in METHODS:
                        errors[shop][name].append(abs(math.log(row[name])))
    print("\nmean absolute logarithm of the bias")
    for shop, of_shop in errors.items():
        print(f"{shop:39}" + "".join(f"{np.nanmean(of_shop[name]):16.3f}" for name in METHODS))


if __name__ == "__main__":
    main()
