"""Who the customers are, and who is predicted to leave."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import duckdb

from customer_value.report.figures.shares import share
from customer_value.report.reading import one_row


@dataclass(frozen=True)
class Customers:
    """Customers with at least one clean order; repeat_rate: the share with two or more."""

    customer_count: int
    repeat_customer_count: int
    repeat_rate: float | None


@dataclass(frozen=True)
class Churn:
    """Who is predicted to place no order in the window, in days, that starts at as_of_date."""

    churn_window_days: int | None
    churned_customer_count: int
    churned_rate: float | None
    mean_churn_probability: float | None


def as_of_date(connection: duckdb.DuckDBPyConnection) -> dt.date | None:
    """The day at whose start everything was known, or None without a customer."""
    found: dt.date | None = one_row(connection, "select max(as_of_date) from customers")[0]
    return found


def customers(connection: duckdb.DuckDBPyConnection) -> Customers:
    """How many there are, and who came back."""
    count, repeating = one_row(
        connection, "select count(*), count(*) filter (order_count >= 2) from customers"
    )
    return Customers(count, repeating, share(repeating, count))


def churn(connection: duckdb.DuckDBPyConnection) -> Churn:
    """What is predicted of all customers."""
    count, window, churned, mean_probability = one_row(
        connection,
        """
        select
            count(*),
            max(churn_window_days),
            count(*) filter (is_churned_prediction),
            -- Added exactly, so that the order of the rows can't move the last digit.
            cast(sum(cast(churn_probability as decimal(38, 9))) as double) / nullif(count(*), 0)
        from customer_churn
        """,
    )
    rounded = None if mean_probability is None else round(mean_probability, 9)
    return Churn(window, churned, share(churned, count), rounded)
