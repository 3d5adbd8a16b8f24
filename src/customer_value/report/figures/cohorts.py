"""Which share of each month's new customers orders again, month by month."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import duckdb


@dataclass(frozen=True)
class Cell:
    """One row of cohort_retention; is_incomplete: its month goes on after as_of_date."""

    cohort_month: dt.date
    month_number: int
    cohort_size: int
    active_customers: int
    retention_rate: float
    is_incomplete: bool


def cohort_cells(connection: duckdb.DuckDBPyConnection) -> list[Cell]:
    """All cohorts, the oldest first, from the month of the first order, which is number 0, on."""
    rows = connection.execute(
        """
        select
            cohort_month,
            month_number,
            cohort_size,
            active_customers,
            cast(retention_rate as double),
            order_month + interval 1 month > (select max(as_of_date) from customers)
        from cohort_retention
        order by cohort_month, month_number
        """
    ).fetchall()
    return [Cell(*row) for row in rows]


def pooled_rate(cells: Sequence[Cell], month_number: int) -> float:
    """The rate of a month over all cohorts that reached it, as if they were one."""
    members = [cell for cell in cells if cell.month_number == month_number]
    return sum(cell.active_customers for cell in members) / sum(c.cohort_size for c in members)


def top_of_scale(cells: Sequence[Cell]) -> float:
    """The rate that the darkest colour stands for: the highest, but for a few that tower over it.

    Tiny cohorts reach rates that would wash out all others.
    """
    ordered = sorted(cell.retention_rate for cell in cells)
    usual = ordered[int(0.98 * (len(ordered) - 1))]
    return (usual if ordered[-1] > 1.5 * usual > 0 else ordered[-1]) or 1.0
