"""SQL written by hand for cleaning, RFM and cohorts: the floor.

python -m speed.by_hand ORDERS DATABASE TARGET runs it in a process of its own, and prints when
each statement began and ended.
"""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path
from typing import Final

import duckdb

from speed import package, processes
from speed.order_log import quoted
from speed.processes import PROJECT, Measured

SCRIPT: Final = PROJECT / "benchmarks" / "handwritten.sql"
SEGMENTS: Final = PROJECT / "seeds" / "reference" / "rfm_segments.csv"
CREATED: Final = re.compile(r"^create (?:temporary )?(?:table|macro) (\w+)", re.MULTILINE)

# The package's models that take time, with the table of the script that does their work.
TABLE_OF_MODEL: Final = {
    "stg_customer_value__orders": None,
    "int_customer_value__orders_checked": None,
    "int_customer_value__orders_repeated": "orders_repeated",
    "int_customer_value__amount_limits": "amount_limits",
    "int_customer_value__refund_candidates": None,
    "int_customer_value__refunds_checked": None,
    "int_customer_value__orders_filled": None,
    "orders_cleaned": "orders_cleaned",
    "orders_rejected": "orders_rejected",
    "int_customer_value__run": None,
    "int_customer_value__shop_rhythms": None,
    "customers": "customers",
    "customer_rfm": "customer_rfm",
    "cohort_retention": "cohort_retention",
}
COMPARED_TABLES: Final = (
    "orders_cleaned",
    "orders_rejected",
    "customers",
    "customer_rfm",
    "cohort_retention",
)


def run(orders: Path, database: Path, target: str) -> Measured:
    """Run the script in a process and a new database of its own."""
    package.delete(database)
    finished = processes.run(
        [sys.executable, "-m", "speed.by_hand", str(orders), str(database), target],
        {"PYTHONPATH": str(PROJECT / "benchmarks")},
        database,
    )
    intervals = {name: (start, end) for name, start, end in json.loads(finished.output)}
    return finished.measured(intervals, package.row_counts(database, "main"))


def differences(by_hand: Path, built: Path) -> list[str]:
    """Compare what both sides made, column by column of the hand-written tables.

    Rows are compared as a bag: by their number and by the sum of their hashes.

    Returns:
        A sentence for each table that differs; none if all rows are equal.
    """
    found = []
    with duckdb.connect() as connection:
        connection.execute(f"attach {quoted(by_hand)} as by_hand (read_only)")
        connection.execute(f"attach {quoted(built)} as package (read_only)")

        def fingerprint(relation: str, columns: list[tuple[str, str]]) -> tuple[object, ...] | None:
            values = ", ".join(f"cast({name} as {kind})" for name, kind in columns)
            return connection.execute(
                f"select count(*), sum(cast(hash({values}) as hugeint)) from {relation}"
            ).fetchone()

        for table in COMPARED_TABLES:
            relations = (f"by_hand.main.{table}", f"package.{package.SCHEMA}.{table}")
            columns = connection.execute(
                "select column_name, data_type from duckdb_columns() "
                "where database_name = 'by_hand' and table_name = ? order by column_index",
                [table],
            ).fetchall()
            if len({fingerprint(relation, columns) for relation in relations}) == 1:
                continue
            # Beside the first column, which is the key or the first part of it.
            unequal = [
                column[0]
                for column in columns
                if len({fingerprint(relation, [columns[0], column]) for relation in relations}) > 1
            ]
            found.append(
                f"{table} differs in {', '.join(unequal) or 'how its columns belong together'}"
            )
    return found


def main() -> None:
    """Run each statement of the script in this process."""
    orders, database, target = sys.argv[1:]
    intervals: list[tuple[str, float, float]] = []
    with duckdb.connect(database) as connection:
        for name, value in package.settings(target).items():
            connection.execute(f"set {name} = {quoted(value)}")
        connection.execute(f"create view order_log as from read_parquet({quoted(orders)})")
        connection.execute(f"create table rfm_segments as from read_csv({quoted(SEGMENTS)})")
        for statement in connection.extract_statements(SCRIPT.read_text(encoding="utf-8")):
            created = CREATED.search(statement.query.strip())
            started = time.time()
            connection.execute(statement)
            if created:
                intervals.append((created[1], started, time.time()))
    print(json.dumps(intervals))


if __name__ == "__main__":
    main()
