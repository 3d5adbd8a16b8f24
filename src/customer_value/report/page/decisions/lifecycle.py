"""Lifecycle: who is in which stage by the customer's own rhythm, and who moved where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from customer_value.report import words
from customer_value.report.page import drawing, plots
from customer_value.report.page.blocks import Picture, Table
from customer_value.report.page.tables import Tables

# In the order of a customer's life; stages that a shop adds come last.
STAGES = ("prospect", "new", "active", "expanding", "won_back", "at_risk", "lapsed")
COLOURS = {
    "prospect": drawing.LIGHT_BLUE,
    "at_risk": drawing.SAND,
    "lapsed": drawing.GREY,
}
MOST_MONTHS = 12
UNKNOWN = "none"


@dataclass(frozen=True)
class Movement:
    """Customers who began a month in one stage and ended it in another, all months added up."""

    from_stage: str
    to_stage: str
    customer_count: int
    order_count: int
    net_amount: Decimal


def pictures(tables: Tables) -> list[Picture]:
    """Stages today, and movements of the last months."""
    return [*_stages(tables), *_movements(tables)]


def _ordered(stages: set[str]) -> list[str]:
    return [
        *(stage for stage in STAGES if stage in stages),
        *sorted(stages - {*STAGES, UNKNOWN}),
        *({UNKNOWN} & stages),
    ]


def _stages(tables: Tables) -> list[Picture]:
    if not tables.has("customer_lifecycle", "lifecycle_stage"):
        return []
    rows = tables.rows("select lifecycle_stage, count(*) from customer_lifecycle group by all")
    counts: dict[str, int] = {row[0]: row[1] for row in rows}
    if not counts:
        return []
    total = sum(counts.values())
    ordered = total - counts.get("prospect", 0)
    quiet = counts.get("at_risk", 0) + counts.get("lapsed", 0)
    title = "Nobody has ordered yet"
    if ordered:
        title = (
            f"{words.percent(quiet / ordered)} of customers who have ordered are silent for longer "
            "than their own rhythm lets expect"
        )
    groups = [
        plots.single(
            stage,
            counts[stage],
            f"{words.compact(counts[stage])}, {words.percent(counts[stage] / total)}",
            COLOURS.get(stage, drawing.BLUE),
        )
        for stage in _ordered(set(counts))
    ]
    picture = Picture(
        title,
        f"Bars of customers in each of {words.counted(len(counts), 'stage')} of life.",
        lambda space: plots.bars(space, groups),
        Table(
            "Customers by stage",
            ("stage", "customers", "share"),
            [
                (
                    words.spoken(stage),
                    words.count(counts[stage]),
                    words.percent(counts[stage] / total),
                )
                for stage in _ordered(set(counts))
            ],
        ),
        "Customers by stage today, each judged by the customer’s own days between orders. Yellow: "
        "silent for twice as long as expected; grey: four times.",
    )
    return [picture]


def _movements(tables: Tables) -> list[Picture]:
    if not tables.has("lifecycle_movements", "movement_month", "from_stage", "to_stage"):
        return []
    months, first, last = tables.row(
        """
        with months as (select distinct movement_month from lifecycle_movements),
        latest as (select movement_month from months order by movement_month desc limit $most)
        select count(*), min(movement_month), max(movement_month) from latest
        """,
        most=MOST_MONTHS,
    )
    if not months:
        return []
    found = [
        Movement(*row)
        for row in tables.rows(
            """
            select
                from_stage, to_stage, sum(customer_count), sum(order_count), sum(net_amount)
            from lifecycle_movements
            where movement_month >= $first
            group by from_stage, to_stage
            order by sum(customer_count) desc, from_stage, to_stage
            """,
            first=first,
        )
    ]
    moved = [one for one in found if UNKNOWN != one.from_stage != one.to_stage]
    over = (
        f"from {words.month(first)} to {words.month(last)}"
        if months > 1
        else f"in {words.month(last)}"
    )
    title = f"Nobody changed stage {over}"
    if moved:
        top = moved[0]
        title = (
            f"The commonest move {over}: {words.spoken(top.from_stage)} to "
            f"{words.spoken(top.to_stage)}, {words.counted(top.customer_count, 'time')}"
        )
    picture = Picture(
        title,
        "Heat map of customers by stage at a month’s beginning and at its end; the darker a cell, "
        "the more moved that way.",
        lambda space: _draw_movements(space, found),
        Table(
            f"Moves between stages {over}",
            ("from", "to", "customers", "their orders", "net amount"),
            [
                (
                    _stage(one.from_stage),
                    _stage(one.to_stage),
                    words.count(one.customer_count),
                    words.count(one.order_count),
                    words.cents(one.net_amount),
                )
                for one in found
            ],
            frozenset({1}),
        ),
        "Customers by stage at a month’s beginning (rows) and at its end (columns), "
        f"{words.counted(months, 'month')} added up, so that who moves twice counts twice. Pale: "
        "who stayed.",
    )
    return [picture]


def _stage(name: str) -> str:
    return "not known before" if name == UNKNOWN else words.spoken(name)


def _draw_movements(space: drawing.Space, found: Sequence[Movement]) -> Figure:
    rows = _ordered({one.from_stage for one in found})
    columns = _ordered({one.to_stage for one in found})
    left = 128 if space.is_narrow else 150
    # Heads stand upright where a column is narrower than they are.
    top, height = (92, 28) if space.is_narrow else (34, 30)
    right = max(0, space.width - left - 100 * len(columns))
    figure, axes = space.canvas(
        top + height * len(rows) + 4, left=left, right=right, top=top, bottom=4
    )
    axes.set_xlim(-0.5, len(columns) - 0.5)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xticks([])
    axes.set_yticks([])
    moves = [one.customer_count for one in found if one.from_stage != one.to_stage]
    most = max(moves, default=0) or 1
    width = (space.width - left - right) / len(columns)
    for one in found:
        column, row = columns.index(one.to_stage), rows.index(one.from_stage)
        step = min(int(one.customer_count / most * len(drawing.RAMP)), len(drawing.RAMP) - 1)
        colour = drawing.ON_STRONG if step >= drawing.STRONG_FROM else drawing.ON_PALE
        if one.from_stage == one.to_stage:
            colour = drawing.QUIET
        else:
            axes.add_patch(
                Rectangle(
                    (column - 0.5 + 1 / width, row - 0.5 + 1 / height),
                    1 - 2 / width,
                    1 - 2 / height,
                    facecolor=drawing.RAMP[step],
                    edgecolor="none",
                )
            )
        text = words.compact(one.customer_count)
        size = 11 if space.is_narrow else 12
        drawing.label(axes, text, (column, row), ha="center", size=size, color=colour)
    for column, stage in enumerate(columns):
        if space.is_narrow:
            name = words.shortened(_stage(stage), 10)
            drawing.label(axes, name, (column, -0.5), (0, 6), rotation=90, ha="center", va="bottom")
        else:
            name = words.shortened(_stage(stage), 12)
            drawing.label(axes, name, (column, -0.5), (0, 14), ha="center")
    for row, stage in enumerate(rows):
        name = words.shortened(_stage(stage), 16)
        drawing.label(axes, name, (-0.5, row), (-8, 0), ha="right", size=13)
    return figure
