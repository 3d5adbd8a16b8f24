"""Other packages beside ours: rfm_summary, and fits of BG/NBD."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import duckdb

from speed import package, processes
from speed.order_log import quoted
from speed.processes import PROJECT

PYTHON: Final = PROJECT / "build" / "peers" / "bin" / "python"
TIMINGS: Final = Path(__file__).with_name("peer_timings.py")
# Fits are of so many customers, however many there are.
FIT_CUSTOMERS: Final = 1_000_000
FITTED: Final = ("ours", "lifetimes", "pymc-marketing")


@dataclasses.dataclass(frozen=True)
class Timed:
    """One call of one package.

    Attributes:
        seconds: of the call alone, its data already in memory; None where it failed.
        peak_gigabytes: the largest resident set of its process.
        parameters: what came of it.
        failure: what it said where it failed.
    """

    seconds: float | None
    peak_gigabytes: float
    parameters: Mapping[str, float]
    failure: str | None = None


def rfm_summary(database: Path) -> Timed:
    """pymc-marketing's rfm_summary over the cleaned orders of a database that dbt built."""
    orders = database.with_name("orders_of_peers.csv")
    _copied(database, "select customer_id, ordered_at, net_amount from orders_cleaned", orders)
    timed = _timed([str(PYTHON), str(TIMINGS), "rfm", str(orders)])
    orders.unlink()
    return timed


def fits(database: Path) -> dict[str, Timed]:
    """BG/NBD by each package, on the same histories of the first million customers."""
    histories = database.with_name("histories_of_peers.csv")
    _copied(
        database,
        f"""
        select
            count(distinct order_date) - 1 as frequency,
            date_diff('day', min(order_date), max(order_date)) / 7 as recency,
            date_diff('day', min(order_date), any_value(as_of_date)) / 7 as age
        from orders_cleaned
        join (select customer_id, as_of_date from customers) using (customer_id)
        where customer_id <= 'cust-{FIT_CUSTOMERS:08}'
        group by customer_id
        order by customer_id
        """,
        histories,
    )
    timed = {
        name: _timed(
            [sys.executable, "-m", "speed.fit_ours", str(histories)]
            if name == "ours"
            else [str(PYTHON), str(TIMINGS), name, str(histories)]
        )
        for name in FITTED
    }
    histories.unlink()
    return timed


def _copied(database: Path, query: str, path: Path) -> None:
    with duckdb.connect(str(database), read_only=True) as connection:
        connection.execute(f"use {database.stem}.{package.SCHEMA}")
        connection.execute(f"copy ({query}) to {quoted(path)} (header)")


def _timed(command: list[str]) -> Timed:
    finished = processes.run(command, {"PYTHONPATH": str(PROJECT / "benchmarks")})
    told = json.loads(finished.output.strip().splitlines()[-1])
    return Timed(
        seconds=told.get("seconds"),
        peak_gigabytes=finished.peak_gigabytes,
        parameters=told.get("parameters", {}),
        failure=told.get("failure"),
    )
