"""How good the inputs were: what was turned away, and which figures are beyond their threshold."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure

from customer_value.report import words
from customer_value.report.page import drawing
from customer_value.report.page.blocks import Picture, Section, Table
from customer_value.report.page.tables import Tables

MOST_REASONS = 8
MOST_FIGURES = 16
NAMES = {
    "amount_out_of_range_rate": "unreadable",
    "duplicate_rate": "delivered twice",
    "freshness_days": "age of the latest row",
    "null_rate": "empty",
    "outlier_rate": "unusually large or small",
    "rejected_rate": "turned away",
    "revenue_without_customer_rate": "revenue without customer",
}
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
    lead = f"All {words.counted(len(rows), 'figure')} of the inputs are within their thresholds"
    if breaches:
        lead = (
            f"{words.counted(len(breaches), 'figure')} of {len(rows)} "
            f"{'is' if len(breaches) == 1 else 'are'} beyond a threshold"
        )
    pictures = [_thresholds(rows, lead)] if rows else []
    if rejected:
        pictures.append(_rejections(rejected))
    return Section("data-quality", "How good are the data?", pictures=pictures)


def _thresholds(rows: Sequence[tuple[Any, ...]], title: str) -> Picture:
    table = Table(
        "Figures of the inputs beside their thresholds",
        ("figure", "input", "value", "look from", "limit", "verdict"),
        [
            (
                _name(metric, subject),
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
    return Picture(
        title,
        "One line for each figure of the inputs, with a dot for its value between nothing and the "
        "threshold from which it is worth a look.",
        lambda space: _draw_thresholds(space, rows[:MOST_FIGURES]),
        table,
        "Each figure against the threshold from which it is worth a look, or at which the build "
        "stops where there is no other: blue is within it, orange beyond.",
    )


def _name(metric: str, subject: str) -> str:
    named = NAMES.get(metric, words.spoken(metric))
    return named if subject == "all" else f"{named}: {words.spoken(subject)}"


def _draw_thresholds(space: drawing.Space, rows: Sequence[tuple[Any, ...]]) -> Figure:
    left, right = (172, 56) if space.is_narrow else (270, 150)
    figure, axes = space.canvas(30 * len(rows) + 30, left=left, right=right, top=26, bottom=2)
    axes.set_xlim(0, 1.25)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.axvline(1, color=drawing.QUIET, linewidth=1, linestyle=(0, (3, 3)), zorder=0)
    drawing.label(axes, "threshold", (1, -0.5), (0, 12), ha="center", color=drawing.QUIET)
    for place, (input_name, metric, subject, value, severity, warn, error) in enumerate(rows):
        name = _name(metric, subject)
        if input_name != "orders":
            name = f"{words.spoken(input_name)}, {name}"
        name = words.shortened(name, 24 if space.is_narrow else 38)
        size = 11 if space.is_narrow else 13
        drawing.label(axes, name, (0, place), (-14, 0), ha="right", size=size)
        limit = warn if warn is not None else error
        # A limit of nothing is passed by anything.
        reached = min(value / limit, 1.22) if limit else 1.22 if value else 0
        colour = drawing.BLUE if severity == "pass" else drawing.RED
        axes.plot([0, 1.25], [place, place], color=drawing.FAINT, linewidth=1.2, zorder=0)
        axes.plot([0, reached], [place, place], color=colour, linewidth=3, solid_capstyle="round")
        axes.plot(reached, place, "o", color=colour, markersize=8, clip_on=False)
        bold = "normal" if severity == "pass" else "bold"
        text = _measure(metric, value)
        drawing.label(axes, text, (1.25, place), (8, 0), size=12, fontweight=bold)
    return figure


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


def _rejections(rejected: Sequence[tuple[str, str, int]]) -> Picture:
    total = sum(count for _, _, count in rejected)
    name, reason, _ = rejected[0]
    return Picture(
        f"{words.counted(total, 'row')} {'was' if total == 1 else 'were'} turned away, most of "
        f"{words.spoken(name)} for {words.spoken(reason)}",
        f"Bars of rejected rows for {words.counted(min(len(rejected), MOST_REASONS), 'reason')}.",
        lambda space: _draw_rejections(space, rejected[:MOST_REASONS]),
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


def _draw_rejections(space: drawing.Space, rejected: Sequence[tuple[str, str, int]]) -> Figure:
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
