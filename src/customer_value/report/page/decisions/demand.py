"""Demand: what the largest categories are expected to sell in the coming weeks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from matplotlib.figure import Figure

from customer_value.report import words
from customer_value.report.page import drawing, plots
from customer_value.report.page.blocks import Picture, Table
from customer_value.report.page.tables import Tables

MOST_CATEGORIES = 6


@dataclass(frozen=True)
class Week:
    """A category's coming week, in currency; usual is the mean of the last thirteen weeks."""

    category: str
    start: dt.date
    expected: Decimal
    lower: Decimal
    upper: Decimal
    usual: Decimal


def pictures(tables: Tables) -> list[Picture]:
    """A panel for each of the largest categories."""
    if not tables.has("category_demand", "expected_amount", "amount_lower", "amount_recent_mean"):
        return []
    weeks = [
        Week(*row)
        for row in tables.rows(
            """
            with largest as (
                select category, sum(expected_amount) as amount
                from category_demand
                group by category
                order by amount desc, category
                limit $most
            )

            select
                category, period_start_date, expected_amount, amount_lower, amount_upper,
                amount_recent_mean
            from category_demand
            inner join largest using (category)
            order by largest.amount desc, category, period_number
            """,
            most=MOST_CATEGORIES,
        )
    ]
    if not weeks:
        return []
    level, categories = tables.row(
        "select max(interval_level), count(distinct category) from category_demand"
    )
    by_category: dict[str, list[Week]] = {}
    for week in weeks:
        by_category.setdefault(week.category, []).append(week)
    panels = list(by_category.values())
    return [_picture(panels, level, categories, tables.currency)]


def _picture(
    panels: Sequence[Sequence[Week]], level: float, categories: int, currency: str
) -> Picture:
    first = panels[0]
    total = sum((week.expected for week in first), Decimal(0))
    usual = first[0].usual * len(first)
    compared = ""
    if usual > 0:
        change = float(total / usual - 1)
        moved = f"{words.percent(abs(change))} {'more' if change > 0 else 'less'} than of late"
        compared = f", {moved if abs(change) >= 0.005 else 'as much as of late'}"
    name = words.shortened(words.spoken(first[0].category), 40)
    starts = sorted({week.start for panel in panels for week in panel})
    cells = {(week.category, week.start): week for panel in panels for week in panel}
    names = [panel[0].category for panel in panels]
    return Picture(
        f"{name} is expected to sell {words.money(total, currency)} in "
        f"{words.counted(len(first), 'week')}{compared}",
        "Curves of expected sales by week, each in a band, of "
        f"{words.counted(len(panels), 'category', 'categories')}.",
        lambda space: _draw(space, panels),
        Table(
            f"Expected sales by week, with the {words.percent(level)} interval",
            ("week from", *map(words.spoken, names)),
            [
                (
                    words.day(start),
                    *(_cell(cells.get((category, start))) for category in names),
                )
                for start in starts
            ],
        ),
        f"Sales expected by week (line) with the {words.percent(level)} interval (band), and the "
        f"mean of the last thirteen weeks (dashes), of the largest {len(panels)} of "
        f"{words.counted(categories, 'category', 'categories')}; each panel has its own scale.",
    )


def _cell(week: Week | None) -> str:
    if week is None:
        return words.NOT_KNOWN
    ends = f"{words.compact(week.lower)} to {words.compact(week.upper)}"
    return f"{words.compact(week.expected)} ({ends})"


def _draw(space: drawing.Space, panels: Sequence[Sequence[Week]]) -> Figure:
    columns = 1 if space.is_narrow else min(3, len(panels))
    figure, found = plots.panels(space, len(panels), columns, 150 if space.is_narrow else 180, 16)
    for axes, weeks in zip(found, panels, strict=True):
        places = range(len(weeks))
        lower, upper = (
            [float(end) for end in ends]
            for ends in zip(*((week.lower, week.upper) for week in weeks), strict=True)
        )
        usual = float(weeks[0].usual)
        top = max(*upper, usual) or 1.0
        axes.set_xlim(0, max(len(weeks) - 1, 1))
        axes.set_ylim(min(0.0, *lower), top)
        axes.axhline(0, color=drawing.FAINT, linewidth=1)
        axes.fill_between(places, lower, upper, color=drawing.LIGHT_BLUE, alpha=0.45, lw=0)
        axes.axhline(usual, color=drawing.QUIET, linewidth=1, linestyle=(0, (4, 3)))
        expected = [float(week.expected) for week in weeks]
        axes.plot(places, expected, color=drawing.BLUE, linewidth=2)
        letters = 30 if space.is_narrow else 22
        name = words.shortened(words.spoken(weeks[0].category), letters)
        mean = sum((week.expected for week in weeks), Decimal(0)) / len(weeks)
        above: dict[str, Any] = {"xycoords": "axes fraction"}
        drawing.label(axes, name, (0, 1), (0, 32), size=13, fontweight="bold", **above)
        text = f"{words.compact(mean)} a week, {words.compact(weeks[0].usual)} of late"
        drawing.label(axes, text, (0, 1), (0, 14), color=drawing.QUIET, **above)
        for week, place, side in ((weeks[0], 0, "left"), (weeks[-1], 1, "right")):
            text = f"{week.start.day} {week.start:%b}"
            drawing.label(axes, text, (place, 0), (0, -14), ha=side, color=drawing.QUIET, **above)
    return figure
