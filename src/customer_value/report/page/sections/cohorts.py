"""Retention: which share of each month's new customers orders again, month by month."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from customer_value.report import words
from customer_value.report.figures.cohorts import Cell, cohort_cells, pooled_rate, top_of_scale
from customer_value.report.page import drawing
from customer_value.report.page.blocks import Picture, Section, Table
from customer_value.report.page.tables import Tables

# So many cohorts and months are drawn, the latest; the table in the database holds all.
MOST_COHORTS = 24
MOST_MONTHS = 24
MOST_MONTHS_ON_A_PHONE = 6


def section(tables: Tables) -> Section | None:
    """A heat map of the latest cohorts, once a month has passed since the first orders."""
    if not tables.has("cohort_retention"):
        return None
    found = cohort_cells(tables.connection)
    latest = sorted({cell.cohort_month for cell in found})[-MOST_COHORTS:]
    cells = [
        cell
        for cell in found
        # In month 0 everyone ordered: it would only outshine the others.
        if cell.cohort_month in latest and 1 <= cell.month_number <= MOST_MONTHS
    ]
    if not cells:
        return None
    return Section("cohorts", "Do customers come back?", pictures=[_picture(cells)])


def _picture(cells: Sequence[Cell]) -> Picture:
    months = sorted({cell.month_number for cell in cells})
    rates = {(cell.cohort_month, cell.month_number): cell for cell in cells}
    cohorts = sorted({cell.cohort_month for cell in cells})
    sizes = {cell.cohort_month: cell.cohort_size for cell in cells}
    rows = [
        (
            words.month(cohort),
            words.count(sizes[cohort]),
            *(
                f"{100 * rates[cohort, month].retention_rate:.1f}%"
                if (cohort, month) in rates
                else ""
                for month in months
            ),
        )
        for cohort in cohorts
    ]
    note = " The last month of each row is not over yet." if _has_open_month(cells) else ""
    return Picture(
        _title(cells),
        f"Heat map of {words.counted(len(cohorts), 'monthly cohort')} over "
        f"{words.counted(len(months), 'month')}; the darker a cell, the more of its cohort ordered "
        "in that month.",
        lambda space: _draw(space, cells),
        Table(
            "Share of each cohort that ordered, by months since the first order",
            ("first order in", "customers", *(f"month {month}" for month in months)),
            rows,
        ),
        "Share of the customers won in a month (rows) who ordered so many months later (columns), "
        f"in percent.{note}",
    )


def _has_open_month(cells: Sequence[Cell]) -> bool:
    return any(cell.is_incomplete for cell in cells)


def _title(cells: Sequence[Cell]) -> str:
    whole = [cell for cell in cells if not cell.is_incomplete]
    if not whole:
        return "The first month after the first orders is not over"
    last = min(max(cell.month_number for cell in whole), 12)
    rate = words.percent(pooled_rate(whole, 1))
    first = f"{rate} of customers order again in the month after their first order"
    if last == 1:
        return first
    later = "a year later" if last == 12 else f"in month {last}"
    return f"{first}, {words.percent(pooled_rate(whole, last))} {later}"


def _draw(space: drawing.Space, cells: Sequence[Cell]) -> Figure:
    most = MOST_MONTHS_ON_A_PHONE if space.is_narrow else MOST_MONTHS
    cells = [cell for cell in cells if cell.month_number <= most]
    cohorts = sorted({cell.cohort_month for cell in cells})
    months = max(cell.month_number for cell in cells)
    sizes = {cell.cohort_month: cell.cohort_size for cell in cells}
    height = 26 if len(cohorts) <= 14 else 20
    left = 118
    right = max(0, space.width - left - 64 * months)
    figure, axes = space.canvas(
        52 + height * len(cohorts) + 4, left=left, right=right, top=50, bottom=2
    )
    axes.set_xlim(0.5, months + 0.5)
    axes.set_ylim(len(cohorts) - 0.5, -0.5)
    axes.set_xticks([])
    axes.set_yticks([])
    top = top_of_scale(cells)
    width = (space.width - left - right) / months
    digits = 1 if top < 0.1 and width >= 40 else 0
    for cell in cells:
        step = min(int(cell.retention_rate / top * len(drawing.RAMP)), len(drawing.RAMP) - 1)
        at = cell.month_number, cohorts.index(cell.cohort_month)
        gap = 1 / width, 1 / height
        axes.add_patch(
            Rectangle(
                (at[0] - 0.5 + gap[0], at[1] - 0.5 + gap[1]),
                1 - 2 * gap[0],
                1 - 2 * gap[1],
                facecolor=drawing.RAMP[step],
                edgecolor="none",
            )
        )
        if width >= 24:
            drawing.label(
                axes,
                f"{100 * cell.retention_rate:.{digits}f}",
                at,
                ha="center",
                size=12 if height > 20 else 11,
                color=drawing.ON_STRONG if step >= drawing.STRONG_FROM else drawing.ON_PALE,
                style="italic" if cell.is_incomplete else "normal",
            )
    quiet: dict[str, Any] = {"color": drawing.QUIET, "xycoords": "axes fraction"}
    drawing.label(axes, "months since the first order", (0, 1), (2, 36), **quiet)
    drawing.label(axes, "customers", (0, 1), (-8, 14), ha="right", size=11, **quiet)
    for month in range(1, months + 1, 1 if width >= 20 else 2):
        drawing.label(axes, f"{month}", (month, -0.5), (0, 14), ha="center", color=drawing.QUIET)
    for row, cohort in enumerate(cohorts):
        drawing.label(axes, words.month(cohort), (0.5, row), (-left, 0))
        size = words.compact(sizes[cohort])
        drawing.label(axes, size, (0.5, row), (-8, 0), ha="right", color=drawing.QUIET)
    return figure
