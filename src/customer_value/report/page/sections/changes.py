"""What changed since the refresh before: tiers' sizes and values, and who moved between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import product

from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from customer_value.report import words
from customer_value.report.page import drawing
from customer_value.report.page.blocks import Picture, Section, Table
from customer_value.report.page.predictions import summed
from customer_value.report.page.tables import Tables

NONE = "none"


@dataclass(frozen=True)
class Movement:
    """One row of tier_movements."""

    from_tier: str
    to_tier: str
    customer_count: int
    previous_value: Decimal
    value: Decimal


def section(tables: Tables) -> Section | None:
    """Nothing for a first refresh, which has nothing to compare with."""
    if tables.as_of_date is None or tables.previous_date is None:
        return None
    movements = _movements(tables)
    lead = [f"From {words.day(tables.previous_date)} to {words.day(tables.as_of_date)}."]
    if _is_other_model(tables):
        lead.append(
            "The models were trained anew in between: a part of what changed in predictions is "
            "theirs, and not the customers’."
        )
    pictures = []
    if movements:
        order = _tiers(tables, movements)
        pictures.append(_picture(movements, order))
    return Section(
        "changes",
        "What changed since the last refresh",
        lead,
        pictures=pictures,
        tables=[_numbers(tables, movements)],
    )


def _movements(tables: Tables) -> list[Movement]:
    if not tables.has("tier_movements") or not tables.has("customer_tiers"):
        return []
    rows = tables.rows(
        """
        select from_tier, to_tier, customer_count, previous_predicted_value, predicted_value
        from tier_movements
        where as_of_date = $today and previous_date is not null
        order by from_tier, to_tier
        """,
        today=tables.as_of_date,
    )
    return [Movement(*row) for row in rows]


def _is_other_model(tables: Tables) -> bool:
    (versions,) = tables.row(
        """
        select count(distinct model_version) from prediction_history
        where as_of_date in ($before, $today)
        """,
        before=tables.previous_date,
        today=tables.as_of_date,
    )
    return bool(versions > 1)


def _tiers(tables: Tables, movements: Sequence[Movement]) -> list[str]:
    """The best first; a tier that nobody is in any more comes after those of today."""
    known = [
        tier
        for (tier,) in tables.rows(
            "select tier from customer_tiers group by tier order by max(cltv_percentile) desc, tier"
        )
    ]
    named = {name for move in movements for name in (move.from_tier, move.to_tier)} - {NONE}
    return [*known, *sorted(named - set(known))]


def _numbers(tables: Tables, movements: Sequence[Movement]) -> Table:
    now, before = summed(tables, tables.as_of_date), summed(tables, tables.previous_date)
    rows = []
    if now and before:
        change = now.customer_count - before.customer_count
        rows.append(
            (
                "customers",
                words.count(before.customer_count),
                words.count(now.customer_count),
                words.signed(change, words.count(abs(change))),
            )
        )
        if now.predicted_value is not None and before.predicted_value is not None:
            rows.append(_money_row("predicted value", before.predicted_value, now.predicted_value))
        moved = 100 * (now.churn_probability - before.churn_probability)
        rows.append(
            (
                "mean risk of churn",
                f"{100 * before.churn_probability:.1f}%",
                f"{100 * now.churn_probability:.1f}%",
                words.signed(round(moved, 1), f"{abs(moved):.1f} points"),
            )
        )
    for tier in _tiers(tables, movements) if movements else []:
        old = sum(move.customer_count for move in movements if move.from_tier == tier)
        new = sum(move.customer_count for move in movements if move.to_tier == tier)
        name = f"{words.spoken(tier)}: customers"
        rows.append(
            (
                name,
                words.count(old),
                words.count(new),
                words.signed(new - old, f"{abs(new - old):,}"),
            )
        )
        rows.append(
            _money_row(
                f"{words.spoken(tier)}: predicted value",
                sum((m.previous_value for m in movements if m.from_tier == tier), Decimal(0)),
                sum((m.value for m in movements if m.to_tier == tier), Decimal(0)),
            )
        )
    rows += _quality_rows(tables)
    heads = (
        "",
        words.day(tables.previous_date),
        words.day(tables.as_of_date),
        "change",
    )
    return Table("The numbers then and now", heads, rows)


def _money_row(name: str, before: Decimal, now: Decimal) -> tuple[str, str, str, str]:
    change = words.signed(now - before, f"{abs(now - before):,.0f}")
    return name, f"{before:,.0f}", f"{now:,.0f}", change


def _quality_rows(tables: Tables) -> list[tuple[str, str, str, str]]:
    if not tables.has("data_quality"):
        return []
    rows = tables.rows(
        """
        select
            metric,
            max(value) filter (as_of_date = $before) as value_before,
            max(value) filter (as_of_date = $today) as value_now
        from data_quality
        where
            input_name = 'orders' and subject = 'all'
            and metric in ('accepted_row_count', 'rejected_row_count')
        group by metric
        having value_before is not null and value_now is not null
        order by metric
        """,
        before=tables.previous_date,
        today=tables.as_of_date,
    )
    names = {"accepted_row_count": "orders accepted", "rejected_row_count": "orders rejected"}
    return [
        (
            names[metric],
            f"{then:,.0f}",
            f"{now:,.0f}",
            words.signed(now - then, f"{abs(now - then):,.0f}"),
        )
        for metric, then, now in rows
    ]


def _picture(movements: Sequence[Movement], order: Sequence[str]) -> Picture:
    rank = {tier: place for place, tier in enumerate(order)}
    both = [move for move in movements if NONE not in (move.from_tier, move.to_tier)]
    up = sum(m.customer_count for m in both if rank[m.to_tier] < rank[m.from_tier])
    down = sum(m.customer_count for m in both if rank[m.to_tier] > rank[m.from_tier])
    new = sum(m.customer_count for m in movements if m.from_tier == NONE)
    gone = sum(m.customer_count for m in movements if m.to_tier == NONE)
    title = f"{words.counted(up, 'customer')} rose to a better tier and {words.count(down)} fell"
    if not up + down:
        title = "Nobody moved between tiers"
    if new or gone:
        title += f"; {words.count(new)} are new" if new else f"; {words.count(gone)} departed"
    table = Table(
        "Movements between tiers",
        ("from", "to", "customers", "value before", "value now"),
        [
            (
                _named(move.from_tier, "new"),
                _named(move.to_tier, "departed"),
                words.count(move.customer_count),
                words.cents(move.previous_value),
                words.cents(move.value),
            )
            for move in movements
        ],
        frozenset({1}),
    )
    return Picture(
        title,
        f"Grid of customers by tier before and now: {words.count(up)} below the diagonal rose, "
        f"{words.count(down)} above it fell.",
        lambda space: _draw(space, movements, order),
        table,
        "Customers by tier before (rows) and now (columns): blue rose, orange fell, grey stayed.",
    )


def _named(tier: str, otherwise: str) -> str:
    return otherwise if tier == NONE else words.spoken(tier)


def _draw(space: drawing.Space, movements: Sequence[Movement], order: Sequence[str]) -> Figure:
    counts = {(move.from_tier, move.to_tier): move.customer_count for move in movements}
    rows = [*order, *([NONE] if any(m.from_tier == NONE for m in movements) else [])]
    columns = [*order, *([NONE] if any(m.to_tier == NONE for m in movements) else [])]
    cell = 40 if space.is_narrow else 48
    figure, axes = space.canvas(40 + cell * len(rows), left=92, right=2, top=32, bottom=4)
    axes.set_xlim(0, len(columns))
    axes.set_ylim(len(rows), 0)
    axes.set_xticks([])
    axes.set_yticks([])
    drawing.label(axes, "before / now", (0, 0), (-10, 12), ha="right", **drawing.QUIETLY)
    letters = 9 if space.is_narrow else 14
    for column, tier in enumerate(columns):
        text = words.shortened(_named(tier, "departed"), letters)
        drawing.label(axes, text, (column + 0.5, 0), (0, 12), ha="center", color=drawing.QUIET)
    for row, tier in enumerate(rows):
        text = words.shortened(_named(tier, "new"), 12)
        drawing.label(axes, text, (0, row + 0.5), (-10, 0), ha="right", color=drawing.QUIET)
    for (row, origin), (column, target) in product(enumerate(rows), enumerate(columns)):
        count = counts.get((origin, target), 0)
        colour = _colour(row, column, len(order)) if count else drawing.RAMP[0]
        inset = 0.03
        axes.add_patch(
            FancyBboxPatch(
                (column + inset, row + inset),
                1 - 2 * inset,
                1 - 2 * inset,
                boxstyle="round,pad=0,rounding_size=0.04",
                facecolor=colour,
                edgecolor="none",
            )
        )
        drawing.label(
            axes,
            words.compact(count) if space.is_narrow else words.count(count),
            (column + 0.5, row + 0.5),
            size=13,
            ha="center",
            color=drawing.ON_PALE,
            fontweight="bold" if count and row != column else "normal",
        )
    return figure


def _colour(row: int, column: int, tier_count: int) -> str:
    if row == column and row < tier_count:
        return drawing.FAINT
    if row == tier_count:
        return drawing.RAMP[1]
    return drawing.LIGHT_BLUE if column < row else drawing.PALE_ORANGE
