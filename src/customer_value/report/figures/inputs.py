"""What came in, where it went, and how good it was."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from customer_value.report.reading import one_row


@dataclass(frozen=True)
class Orders:
    """Input rows, and where they went: cleaned + rejected = input, counted as rows."""

    input_count: int
    cleaned_count: int
    rejected_count: int
    rejected_by_reason: dict[str, int]


@dataclass(frozen=True)
class Breach:
    """A figure of an input beyond a threshold: the error's where severity is error.

    subject: the column that it is a figure of, or all; value and threshold: in 0..1, or for a
    metric that ends in _days, days.
    """

    severity: str
    input_name: str
    metric: str
    subject: str
    value: float
    threshold: float


@dataclass(frozen=True)
class DataQuality:
    """How good the inputs were; figure_count: the figures that have a threshold."""

    figure_count: int
    breaches: tuple[Breach, ...]


def orders(connection: duckdb.DuckDBPyConnection) -> Orders:
    """Counts of rows, and of the rejected ones by reason, the most frequent first."""
    (cleaned,) = one_row(connection, "select count(*) from orders_cleaned")
    reasons: dict[str, int] = dict(
        connection.execute(
            """
            select coalesce(reject_reason, 'unknown') as reason, count(*) as order_count
            from orders_rejected
            group by reason
            order by order_count desc, reason
            """
        ).fetchall()
    )
    rejected = sum(reasons.values())
    return Orders(cleaned + rejected, cleaned, rejected, reasons)


def data_quality(connection: duckdb.DuckDBPyConnection) -> DataQuality:
    """Of the date that the other tables are for; without a customer, of the latest one."""
    rows = connection.execute(
        """
        select
            severity,
            input_name,
            metric,
            subject,
            value,
            case severity when 'error' then error_threshold else warn_threshold end as threshold
        from data_quality
        where
            coalesce(warn_threshold, error_threshold) is not null
            and as_of_date = coalesce(
                (select max(as_of_date) from customers), (select max(as_of_date) from data_quality)
            )
        order by severity, input_name, metric, subject
        """
    ).fetchall()
    return DataQuality(len(rows), tuple(Breach(*row) for row in rows if row[0] != "pass"))
