"""How good the inputs were: what was turned away, and which figures are beyond their threshold."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure

from customer_value.report_page import drawing, words
from customer_value.report_page.blocks import Picture, Section, Table
from customer_value.report_page.tables import Tables

MOST_REASONS = 8
VERDICTS = {"error": "beyond the limit", "warn": "worth a look", "pass": "fine"}


def section(tables: Tables) -> Section | None:
    """Figures with a threshold, worst first, and rejected rows by reason."""
    if not tables.has("data_quality"):
        return None
    (date,) = tables.row(
        "select coalesce($today, max(as_of_date)) from data_quality", today=tables.as_of_date
    )
    rows = tables.rows(
        """
        select input_name, metric, subject, value, severity, warn_threshold, error_threshold
        from data_quality
        where
            as_of_date = $date
            and coalesce(warn_threshold, error_threshold) is not null
            and value is not null
        order by
            case severity when 'error' then 0 when 'warn' then 1 else 2 end,
            input_name, metric, subject
        """,
        date=date,
    )
    rejected = _rejected(tables, date)
    if not rows and not rejected:
        return None
    breaches = [row for row in rows if row[4] != "pass"]
    lead = f"All {words.counted(len(rows), 'figure')} of the inputs are within their thresholds."
    if breaches:
        lead = (
            f"{words.counted(len(breaches), 'figure')} of {len(rows)} "
            f"{'is' if len(breaches) == 1 else 'are'} beyond a threshold."
        )
    return Section(
        "data-quality",
        "How good are the data?",
        (lead,) if rows else (),
        pictures=[_picture(rejected)] if rejected else [],
        tables=[_table(rows)] if rows else [],
    )


def _table(rows: Sequence[tuple[Any, ...]]) -> Table:
    return Table(
        "Figures of the inputs beside their thresholds",
        ("figure", "input", "value", "look from", "limit", "verdict"),
        [
            (
                words.spoken(metric if subject == "all" else f"{metric} of {subject}"),
                words.spoken(input_name),
                _measure(metric, value),
                _measure(metric, warn),
                _measure(metric, error),
                VERDICTS[severity],
            )
            for input_name, metric, subject, value, severity, warn, error in rows
        ],
        frozenset({1, 5}),
    )


def _measure(metric: str, value: float | None) -> str:
    if value is None:
        return words.NOT_KNOWN
    return words.counted(round(value), "day") if metric.endswith("_days") else f"{100 * value:.1f}%"


def _rejected(tables: Tables, date: dt.date) -> list[tuple[str, str, int]]:
    rows = tables.rows(
        """
        select input_name, subject, cast(value as bigint)
        from data_quality
        where
            as_of_date = $date and metric = 'rejected_row_count' and subject <> 'all' and value > 0
        order by value desc, input_name, subject
        """,
        date=date,
    )
    return [(name, reason, count) for name, reason, count in rows]


def _picture(rejected: Sequence[tuple[str, str, int]]) -> Picture:
    total = sum(count for _, _, count in rejected)
    name, reason, count = rejected[0]
    return Picture(
        f"{words.counted(total, 'row')} {'was' if total == 1 else 'were'} turned away, most of "
        f"{words.spoken(name)} for {words.spoken(reason)}",
        f"Bars of rejected rows for {words.counted(min(len(rejected), MOST_REASONS), 'reason')}.",
        lambda space: _draw(space, rejected[:MOST_REASONS]),
        Table(
            "Rejected rows by reason",
            ("reason", "input", "rows"),
            [
                (words.spoken(reason), words.spoken(name), words.count(count))
                for name, reason, count in rejected
            ],
            frozenset({1}),
        ),
        "Rows of the inputs that no table uses, by reason. Each is kept with it, and none is lost.",
    )


def _draw(space: drawing.Space, rejected: Sequence[tuple[str, str, int]]) -> Figure:
    left = 150 if space.is_narrow else 230
    figure, axes = space.canvas(28 * len(rejected) + 6, left=left, right=70, top=2, bottom=2)
    axes.set_xlim(0, max(count for _, _, count in rejected))
    axes.set_ylim(len(rejected) - 0.5, -0.5)
    axes.set_xticks([])
    axes.set_yticks([])
    for place, (_, reason, count) in enumerate(rejected):
        name = words.shortened(words.spoken(reason), 19 if space.is_narrow else 30)
        drawing.label(axes, name, (0, place), (-12, 0), ha="right", size=13)
        axes.barh(place, count, height=0.6, color=drawing.GREY)
        drawing.label(axes, words.count(count), (count, place), (6, 0), size=13)
    return figure
