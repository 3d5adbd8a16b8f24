"""The database that a build wrote, open for reading; what is wrong with it, in a sentence."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from customer_value import warehouse_file
from customer_value.errors import SentenceError

DEFAULT_DATABASE = Path("warehouse/customer_value.duckdb")
SCHEMA = "customer_value"
BUILD_COMMAND = "dbt build --profiles-dir profiles"
# What the text and the charts read; the page does with less.
TABLES = (
    "orders_cleaned",
    "orders_rejected",
    "customers",
    "customer_rfm",
    "cohort_retention",
    "customer_churn",
    "customer_value_by_period",
    "customer_cltv",
    "customer_tiers",
    "model_registry",
    "model_metrics",
    "data_quality",
    "model_health",
)


@contextmanager
def connected(
    database: Path, schema: str = SCHEMA, needed: Sequence[str] = TABLES
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that reads the package's schema by table names alone, and can't write.

    Args:
        database: the DuckDB file that ``dbt build`` wrote.
        schema: the schema of the tables for BI in it.
        needed: the tables without which there is nothing to read.

    Raises:
        SentenceError: the file can't be opened or read; also for what fails inside the block.
    """
    if not os.access(database, os.F_OK):
        raise SentenceError(
            f"There is no database at {database}. "
            f"Build it with `{BUILD_COMMAND}`, or name another file with --database."
        )
    if not database.is_file() or not os.access(database, os.R_OK):
        raise SentenceError(
            f"{database} is not a file that can be read. Name the DuckDB file with --database."
        )
    with duckdb.connect() as connection:
        try:
            warehouse_file.attach(connection, database, "warehouse")
            _check_tables(connection, database, schema, needed)
            quoted = schema.replace('"', '""')
            connection.execute(f'use warehouse."{quoted}"')
            yield connection
        except duckdb.Error as error:
            raise SentenceError(_sentence(database, error)) from error


def one_row(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    """The one row that a query without grouping gives."""
    row: tuple[Any, ...] | None = connection.execute(query).fetchone()
    if row is None:
        raise LookupError(f"no row from: {query}")
    return row


def _check_tables(
    connection: duckdb.DuckDBPyConnection, database: Path, schema: str, needed: Sequence[str]
) -> None:
    found = connection.execute(
        """
        select table_name from information_schema.tables
        where table_catalog = 'warehouse' and table_schema = $schema
        """,
        {"schema": schema},
    ).fetchall()
    missing = [table for table in needed if (table,) not in found]
    if missing:
        others = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise SentenceError(
            f"{database} lacks the table {schema}.{missing[0]}{others}. "
            f"Build what is missing with `{BUILD_COMMAND}`, or name another schema with --schema."
        )


def _sentence(database: Path, error: duckdb.Error) -> str:
    text = str(error)
    if "lock on file" in text or "being used by another process" in text:
        holder = re.search(r"PID (\d+)", text)
        process = f"process {holder.group(1)}" if holder else "another process"
        return f"{database} is open for writing by {process}. Wait until it ends, then try again."
    if "not a valid DuckDB database" in text:
        return f"{database} is not a DuckDB database. Name the right file with --database."
    if isinstance(error, duckdb.BinderException | duckdb.CatalogException):
        return (
            f"{database} was built by another version of the package "
            f"({_first_line(text)}). Build it anew with `{BUILD_COMMAND}`."
        )
    return f"DuckDB can't read {database} ({_first_line(text)}). Check the file, then try again."


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0].rstrip(".!")
