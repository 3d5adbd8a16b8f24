"""What scoring can't be faster than: reading the customers' features, and writing them."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import duckdb

from speed import package

# Their table. A fingerprint of every column reads them all; minima would come from statistics.
SCANNED = "select bit_xor(hash(columns(*))) from {schema}.customer_features"
WRITTEN = "create table {schema}.written_again as from {schema}.customer_features"


@dataclasses.dataclass(frozen=True)
class Floor:
    """Seconds of the whole table of features, on all threads."""

    scan_seconds: float
    write_seconds: float

    @property
    def seconds(self) -> float:
        """Two full scans and one write."""
        return 2 * self.scan_seconds + self.write_seconds


def measured(database: Path, target: str) -> Floor:
    """Scan and write the features of a database that dbt built, which is left as it was."""
    with duckdb.connect(str(database)) as connection:
        for name, value in package.settings(target).items():
            connection.execute(f"set {name} = '{value}'")
        ((schema,),) = connection.execute(
            "select schema_name from duckdb_tables() where table_name = 'customer_features'"
        ).fetchall()
        scan = _seconds(connection, SCANNED.format(schema=schema))
        write = _seconds(connection, WRITTEN.format(schema=schema))
        connection.execute(f"drop table {schema}.written_again")
    return Floor(scan, write)


def _seconds(connection: duckdb.DuckDBPyConnection, statement: str) -> float:
    started = time.perf_counter()
    connection.execute(statement).fetchall()
    return time.perf_counter() - started
