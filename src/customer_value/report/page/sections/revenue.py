"""Revenue by month, and what is expected of the months ahead where a forecast is there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from matplotlib.figure import Figure

from customer_value.report import words
from customer_value.report.page import drawing
from customer_value.report.page.blocks import Picture, Section, Table
from customer_value.report.page.tables import Tables

MOST_MONTHS = 24


@dataclass(frozen=True)
class Month:
    """A month's net revenue; lower and upper are None where it is past, and known."""

    start: dt.date
    amount: Decimal
    lower: Decimal | None = None
    upper: Decimal | None = None

    @property
    def is_forecast(self) -> bool:
        """Whether it is yet to come."""
        return self.lower is not None


def section(tables: Tables) -> Section | None:
    """Months that are over, then those forecast."""
    if not tables.has("revenue_months"):
        return None
    past = [
        Month(*row)
        for row in tables.rows(
            """
            select revenue_month, net_amount from revenue_months
            where revenue_month + interval 1 month <= $today
            order by revenue_month desc limit $months
            """,
            today=tables.as_of_date,
            months=MOST_MONTHS,
        )
    ][::-1]
    if not past:
        return None
    ahead = _forecast(tables)
    return Section(
        "revenue", "How is revenue going?", pictures=[_picture(past, ahead, tables.currency)]
    )


def _forecast(tables: Tables) -> list[Month]:
    columns = ("forecast_net_amount", "forecast_net_amount_lower", "forecast_net_amount_upper")
    if not tables.has("revenue_forecast", "period_start", *columns):
        return []
    rows = tables.rows(
        f"select period_start, {', '.join(columns)} from revenue_forecast order by period_start"
    )
    return [Month(*row) for row in rows[:MOST_MONTHS]]


def _picture(past: Sequence[Month], ahead: Sequence[Month], currency: str) -> Picture:
    latest = past[-1]
    title = f"{words.month(latest.start)} brought {words.money(latest.amount, currency)} net"
    year = past[-12:]
    if len(year) == 12:
        total = sum((month.amount for month in year), Decimal(0))
        title = f"The last twelve months brought {words.money(total, currency)} net"
    caption = "Net revenue of each month that is over, by the day of the order."
    if ahead:
        total = sum((month.amount for month in ahead), Decimal(0))
        title += f"; today’s customers are expected to bring {words.money(total, currency)} more"
        caption += (
            " Pale: what customers known today are expected to bring, with its interval; orders of "
            "customers yet to come are not in it."
        )
    rows = [
        (
            words.month(month.start) + (" (forecast)" if month.is_forecast else ""),
            words.cents(month.amount),
            f"{words.cents(month.lower)} to {words.cents(month.upper)}"
            if month.lower is not None and month.upper is not None
            else "",
        )
        for month in (*past, *ahead)
    ]
    heads = ("month", "net revenue", "interval") if ahead else ("month", "net revenue")
    return Picture(
        title,
        f"Columns of net revenue from {words.month(past[0].start)} to "
        f"{words.month((ahead or past)[-1].start)}.",
        lambda space: _draw(space, past, ahead),
        Table("Net revenue by month", heads, [row[: len(heads)] for row in rows]),
        caption,
    )


def _draw(space: drawing.Space, past: Sequence[Month], ahead: Sequence[Month]) -> Figure:
    most = 12 if space.is_narrow else MOST_MONTHS
    months = [*past[-most:], *(ahead[:6] if space.is_narrow else ahead)]
    figure, axes = space.canvas(220, left=2, right=2, top=22, bottom=26)
    heights = [float(month.amount) for month in months]
    tops = [float(month.upper if month.upper is not None else month.amount) for month in months]
    axes.set_xlim(-0.5, len(months) - 0.5)
    axes.set_ylim(min(0.0, *heights), max(0.0, *tops) or 1.0)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.axhline(0, color=drawing.FAINT, linewidth=1, clip_on=False)
    every = -(-len(months) // (4 if space.is_narrow else 9))
    highest = max(heights)
    for place, month in enumerate(months):
        colour = drawing.LIGHT_BLUE if month.is_forecast else drawing.BLUE
        axes.bar(place, heights[place], width=0.74, color=colour)
        if month.lower is not None and month.upper is not None:
            ends = [float(month.lower), float(month.upper)]
            axes.plot([place, place], ends, color=drawing.QUIET, linewidth=1.4)
        is_named = (len(months) - 1 - place) % every == 0
        if is_named:
            # The last one ends with its column: centred, it would leave the picture.
            is_last = place == len(months) - 1
            drawing.label(
                axes,
                words.month(month.start),
                (place + 0.37 if is_last else place, min(0, *heights)),
                (0, -14),
                ha="right" if is_last else "center",
                color=drawing.QUIET,
            )
        if not month.is_forecast and (is_named or heights[place] == highest):
            text = words.compact(heights[place])
            drawing.label(axes, text, (place, max(heights[place], 0)), (0, 9), ha="center", size=11)
    return figure
