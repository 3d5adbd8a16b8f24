"""The tables that the report reads, whichever of them are there."""

from __future__ import annotations

import datetime as dt
from functools import cached_property
from typing import Any

import duckdb

from customer_value.report.figures import customers


class Tables:
    """A built database, by the names of its tables alone.

    Args:
        connection: one that reads the package's schema, as reading.connected gives.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Read from it."""
        self.connection = connection

    def has(self, table: str, *columns: str) -> bool:
        """Whether the table is there with these columns: an older build may lack both."""
        return {table, *(f"{table}.{column}" for column in columns)} <= self._names

    def rows(self, query: str, **values: object) -> list[tuple[Any, ...]]:
        """The answer to a query, in which $name stands for a value."""
        return self.connection.execute(query, values or None).fetchall()

    def row(self, query: str, **values: object) -> tuple[Any, ...]:
        """The one row that a query without grouping gives."""
        (found,) = self.rows(query, **values)
        return found

    @cached_property
    def _names(self) -> set[str]:
        rows = self.rows(
            """
            select table_name, column_name from information_schema.columns
            where table_catalog = current_database() and table_schema = current_schema()
            """
        )
        return {table for table, _ in rows} | {f"{table}.{column}" for table, column in rows}

    @cached_property
    def as_of_date(self) -> dt.date | None:
        """The day at whose start everything was known, or None without a customer."""
        return customers.as_of_date(self.connection)

    @cached_property
    def previous_date(self) -> dt.date | None:
        """The scored date before that, or None where no other is kept."""
        if not self.has("prediction_history"):
            return None
        found: dt.date | None = self.row(
            "select max(as_of_date) from prediction_history where as_of_date < $today",
            today=self.as_of_date,
        )[0]
        return found

    @cached_property
    def run_id(self) -> str | None:
        """The mark of the run that wrote the scores."""
        if not self.has("customer_tiers", "run_id"):
            return None
        found: str | None = self.row("select max(run_id) from customer_tiers")[0]
        return found

    @cached_property
    def currency(self) -> str:
        """The code that all orders share, or nothing where they name none or several."""
        if not self.has("orders_cleaned", "currency"):
            return ""
        count, code = self.row("select count(distinct currency), max(currency) from orders_cleaned")
        return str(code) if count == 1 else ""
