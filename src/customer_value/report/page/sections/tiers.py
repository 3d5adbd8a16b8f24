"""Tiers: what each is expected to bring, and how that went from refresh to refresh."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from customer_value.report import words
from customer_value.report.page import drawing
from customer_value.report.page.blocks import Picture, Section, Table
from customer_value.report.page.tables import Tables

# So many dates are drawn; of more, the last ones of each month.
MOST_DATES = 36
COLOURS = (drawing.BLUE, drawing.LIGHT_BLUE, drawing.GREY, drawing.SAND, drawing.FAINT)


@dataclass(frozen=True)
class Tier:
    """A tier's customers and predicted value."""

    name: str
    customer_count: int
    predicted_value: Decimal


@dataclass(frozen=True)
class History:
    """Predicted value by tier on each date."""

    dates: Sequence[dt.date]
    values: dict[tuple[dt.date, str], Decimal]


def section(tables: Tables) -> Section | None:
    """Bars of today, and columns over time once there are two dates."""
    if not tables.has("customer_tiers"):
        return None
    tiers = [
        Tier(*row)
        for row in tables.rows(
            """
            select tier, count(*), coalesce(sum(predicted_value), 0)
            from customer_tiers
            group by tier
            order by max(cltv_percentile) desc, tier
            """
        )
    ]
    if not tiers:
        return None
    pictures = [_today(tiers, tables.currency)]
    history = _history(tables)
    if len(history.dates) > 1:
        pictures.append(_over_time(history, tiers, tables.currency))
    return Section("tiers", "Where is the value?", pictures=pictures)


def _today(tiers: Sequence[Tier], currency: str) -> Picture:
    total = sum((tier.predicted_value for tier in tiers), Decimal(0))
    customers = sum(tier.customer_count for tier in tiers)
    has_shares = total > 0 and min(tier.predicted_value for tier in tiers) >= 0
    first = tiers[0]
    title = f"All customers are in one tier, {words.spoken(first.name)}"
    if len(tiers) > 1:
        title = "Tiers by size and predicted value"
        if has_shares:
            title = (
                f"{words.percent(first.customer_count / customers)} of customers "
                f"({words.spoken(first.name)}) hold "
                f"{words.percent(float(first.predicted_value / total))} of predicted value"
            )
    rows = [
        (
            words.spoken(tier.name),
            words.count(tier.customer_count),
            words.percent(tier.customer_count / customers),
            words.cents(tier.predicted_value),
            words.percent(float(tier.predicted_value / total)) if has_shares else words.NOT_KNOWN,
            words.cents(tier.predicted_value / tier.customer_count),
        )
        for tier in tiers
    ]
    return Picture(
        title,
        f"Bars of {words.counted(len(tiers), 'tier')}: share of customers beside share of "
        "predicted value.",
        lambda space: _draw_today(space, tiers, currency),
        Table(
            "Tiers",
            ("tier", "customers", "share", "predicted value", "share", "each"),
            rows,
        ),
        "Share of customers (grey) and of predicted value (blue) in each tier.",
    )


def _draw_today(space: drawing.Space, tiers: Sequence[Tier], currency: str) -> Figure:
    left, right = (96, 112) if space.is_narrow else (130, 230)
    figure, axes = space.canvas(58 * len(tiers) + 8, left=left, right=right, top=2, bottom=2)
    customers = sum(tier.customer_count for tier in tiers)
    values = [max(tier.predicted_value, Decimal(0)) for tier in tiers]
    total = sum(values, Decimal(0)) or Decimal(1)
    shares = [
        (tier.customer_count / customers, float(value / total))
        for tier, value in zip(tiers, values, strict=True)
    ]
    axes.set_xlim(0, max(max(pair) for pair in shares))
    axes.set_ylim(len(tiers) - 0.5, -0.5)
    axes.set_xticks([])
    axes.set_yticks([])
    for place, (tier, (size, value)) in enumerate(zip(tiers, shares, strict=True)):
        name = words.shortened(words.spoken(tier.name), 11 if space.is_narrow else 16)
        drawing.label(axes, name, (0, place), (-12, 0), ha="right", size=14, fontweight="bold")
        people, worth = words.percent(size), words.money(tier.predicted_value, currency)
        if space.is_narrow:
            people = words.compact(tier.customer_count)
        else:
            people += f" of customers, {words.count(tier.customer_count)}"
            worth = f"{words.percent(value)} of value, {worth}"
        for offset, rate, colour, text, weight in (
            (-0.19, size, drawing.GREY, people, "normal"),
            (0.19, value, drawing.BLUE, worth, "bold"),
        ):
            axes.barh(place + offset, rate, height=0.34, color=colour)
            drawing.label(axes, text, (rate, place + offset), (6, 0), size=13, fontweight=weight)
    return figure


def _history(tables: Tables) -> History:
    if not tables.has("tier_movements"):
        return History([], {})
    rows = tables.rows(
        """
        select as_of_date, to_tier, sum(predicted_value)
        from tier_movements
        where to_tier <> 'none' and as_of_date <= $today
        group by as_of_date, to_tier
        order by as_of_date, to_tier
        """,
        today=tables.as_of_date,
    )
    dates = sorted({date for date, _, _ in rows})
    if len(dates) > MOST_DATES:
        dates = list({(date.year, date.month): date for date in dates}.values())[-MOST_DATES:]
    return History(dates, {(date, tier): value for date, tier, value in rows})


def _over_time(history: History, tiers: Sequence[Tier], currency: str) -> Picture:
    names = [tier.name for tier in tiers]
    names += sorted({name for _, name in history.values} - set(names))
    first, last = history.dates[0], history.dates[-1]

    def total(date: dt.date) -> Decimal:
        return sum((history.values.get((date, name), Decimal(0)) for name in names), Decimal(0))

    before, now = total(first), total(last)
    title = (
        f"Predicted value went from {words.money(before, currency)} to {words.money(now, currency)}"
    )
    if before > 0:
        share = float(now / before - 1)
        moved = f"{'rose' if share > 0 else 'fell'} by {words.percent(abs(share))}"
        title = f"Predicted value {moved} since {words.day(first)}, to {words.money(now, currency)}"
    return Picture(
        title,
        f"Columns of predicted value by tier on {words.counted(len(history.dates), 'date')}, from "
        f"{words.day(first)} to {words.day(last)}.",
        lambda space: _draw_over_time(space, history, names),
        Table(
            "Predicted value by tier and date",
            ("date", *map(words.spoken, names), "all"),
            [
                (
                    words.day(date),
                    *(words.cents(history.values.get((date, name), Decimal(0))) for name in names),
                    words.cents(total(date)),
                )
                for date in history.dates
            ],
        ),
        "What all customers of a tier were expected to bring, as of each refresh.",
    )


def _draw_over_time(space: drawing.Space, history: History, names: Sequence[str]) -> Figure:
    left, right = (8, 86) if space.is_narrow else (8, 150)
    figure, axes = space.canvas(240, left=left, right=right, top=22, bottom=26)
    places = range(len(history.dates))
    bottoms = [0.0] * len(history.dates)
    tops: list[float] = []
    for number, name in enumerate(reversed(names)):
        colour = COLOURS[min(len(names) - 1 - number, len(COLOURS) - 1)]
        heights = [
            max(float(history.values.get((date, name), Decimal(0))), 0.0) for date in history.dates
        ]
        axes.bar(places, heights, width=0.78, bottom=bottoms, color=colour)
        tops.append(bottoms[-1] + heights[-1] / 2)
        bottoms = [low + high for low, high in zip(bottoms, heights, strict=True)]
    highest = max(bottoms) or 1.0
    axes.set_xlim(-0.5, len(history.dates) - 0.5)
    axes.set_ylim(0, highest)
    axes.set_xticks([])
    axes.set_yticks([])
    _name_layers(axes, list(reversed(names)), tops, highest, len(history.dates) - 0.5)
    every = -(-len(history.dates) // (4 if space.is_narrow else 9))
    is_monthly = len({(d.year, d.month) for d in history.dates}) == len(history.dates)
    for place in places[::-every] if every > 1 else places:
        date = history.dates[place]
        text = words.month(date) if is_monthly else f"{date.day} {date:%b}"
        drawing.label(axes, text, (place, 0), (0, -14), ha="center", color=drawing.QUIET)
        total = words.compact(bottoms[place])
        drawing.label(axes, total, (place, bottoms[place]), (0, 10), ha="center", size=12)
    return figure


def _name_layers(
    axes: Axes, names: Sequence[str], tops: Sequence[float], highest: float, edge: float
) -> None:
    """Beside the last column; names of thin layers are pushed up until they are apart."""
    least = highest * 0.085
    at = -least
    for name, top in zip(names, tops, strict=True):
        at = max(top, at + least)
        text = words.shortened(words.spoken(name), 16)
        drawing.label(axes, text, (edge, at), (6, 0), size=13)
