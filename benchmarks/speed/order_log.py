"""The generated order log, on disk, made once for each size and seed."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import Final

import duckdb

from speed import processes

GENERATOR: Final = Path(__file__).resolve().parents[1] / "generate_orders.py"
# The share of the orders that only a refresh finds: the newest by updated_at.
NEW_SHARE: Final = 0.01


def quoted(text: object) -> str:
    """Quote a text for SQL."""
    return "'" + str(text).replace("'", "''") + "'"


def generated(directory: Path, customers: int, seed: int, *, lines: bool = False) -> Path:
    """Return the order log of so many customers, generated unless this generator made it before.

    With lines, these are made with it and stand at lines_of(it).
    """
    version = hashlib.sha256(GENERATOR.read_bytes()).hexdigest()[:8]
    path = directory / f"orders_{customers}_{seed}_{version}.parquet"
    wanted = [path, lines_of(path)] if lines else [path]
    if not all(file.exists() for file in wanted):
        print(f"Generating the orders of {customers:,} customers ...", flush=True)
        options = ["--customers", str(customers), "--seed", str(seed)]
        if lines:
            options += ["--lines", str(lines_of(path))]
        made = processes.run([sys.executable, str(GENERATOR), str(path), *options])
        print(
            f"  in {made.elapsed_seconds:,.0f} seconds, at most {made.peak_gigabytes:.1f} GB",
            flush=True,
        )
    return path


def lines_of(orders: Path) -> Path:
    """Where the lines of an order log stand."""
    return orders.with_name(f"{orders.stem}_lines.parquet")


def without_newest(orders: Path) -> Path:
    """Return the order log as it was delivered before its newest orders, written once."""
    path = orders.with_name(f"{orders.stem}_without_newest.parquet")
    if not path.exists():
        with duckdb.connect() as connection:
            connection.execute(
                f"copy (from {quoted(orders)} where updated_at <= (select "
                f"quantile_disc(updated_at, {1 - NEW_SHARE}) from {quoted(orders)}) "
                f"order by updated_at, order_id) to {quoted(path)} (format parquet)"
            )
    return path


def count(orders: Path) -> int:
    """How many rows there are, every column read, so that nobody finds a colder disk after."""
    with duckdb.connect() as connection:
        described = connection.execute(
            f"select count(*), max(hash(columns(*))) from read_parquet({quoted(orders)})"
        ).fetchone()
    return int(described[0]) if described else 0
