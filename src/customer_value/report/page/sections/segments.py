"""RFM segments: how many customers each has, and how much they brought."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from matplotlib.figure import Figure

from customer_value.report import words
from customer_value.report.page import drawing
from customer_value.report.page.blocks import Picture, Section, Table
from customer_value.report.page.tables import Tables

# Shops may name their own: beyond so many, the smallest are one row.
MOST_SEGMENTS = 12


@dataclass(frozen=True)
class Segment:
    """Shares are of all customers and of all they brought; None where that is not above 0."""

    name: str
    customer_count: int
    net_amount: Decimal
    customer_rate: float
    net_rate: float | None


def section(tables: Tables) -> Section | None:
    """A pair of bars for each segment."""
    if not tables.has("customer_rfm"):
        return None
    rows = tables.rows(
        """
        select rfm_segment, count(*), coalesce(sum(net_amount), 0)
        from customer_rfm
        group by rfm_segment
        order by 3 desc, rfm_segment
        """
    )
    if not rows:
        return None
    rest = rows[MOST_SEGMENTS - 1 :]
    if len(rest) > 1:
        others = ("all others", sum(row[1] for row in rest), sum(row[2] for row in rest))
        rows = [*rows[: MOST_SEGMENTS - 1], others]
    customers = sum(row[1] for row in rows)
    net = sum(row[2] for row in rows)
    has_shares = net > 0 and min(row[2] for row in rows) >= 0
    segments = [
        Segment(name, count, amount, count / customers, float(amount / net) if has_shares else None)
        for name, count, amount in rows
    ]
    return Section(
        "segments",
        "Who are the customers?",
        (
            (
                "Segments come from how recently, how often and for how much customers ordered "
                "(RFM), each against all others."
            ),
        ),
        pictures=[_picture(segments, tables.currency)],
    )


def _picture(segments: Sequence[Segment], currency: str) -> Picture:
    top = segments[0]
    name = words.spoken(top.name).capitalize()
    title = f"{name} brought most: {words.money(top.net_amount, currency)}"
    if top.net_rate is not None:
        title = (
            f"{name}, {words.percent(top.customer_rate)} of customers, "
            f"brought {words.percent(top.net_rate)} of revenue"
        )
    return Picture(
        title,
        f"Bars of {words.counted(len(segments), 'segment')}, the one that brought most first: "
        "share of customers beside share of revenue.",
        lambda space: _draw(space, segments),
        Table(
            "RFM segments",
            ("segment", "customers", "share", "net amount", "share"),
            [
                (
                    words.spoken(segment.name),
                    words.count(segment.customer_count),
                    words.percent(segment.customer_rate),
                    words.cents(segment.net_amount),
                    words.percent(segment.net_rate),
                )
                for segment in segments
            ],
        ),
        "Share of customers (grey) and of all net revenue so far (blue).",
    )


def _draw(space: drawing.Space, segments: Sequence[Segment]) -> Figure:
    row = 38
    left = 118 if space.is_narrow else 150
    figure, axes = space.canvas(row * len(segments) + 8, left=left, right=58, top=2, bottom=2)
    rates = [rate or 0 for s in segments for rate in (s.customer_rate, s.net_rate)]
    axes.set_xlim(0, max(rates))
    axes.set_ylim(len(segments) - 0.5, -0.5)
    axes.set_xticks([])
    axes.set_yticks([])
    letters = 15 if space.is_narrow else 20
    for place, segment in enumerate(segments):
        name = words.shortened(words.spoken(segment.name), letters)
        drawing.label(axes, name, (0, place), (-12, 0), ha="right", size=13)
        for offset, rate, colour, weight in (
            (-0.19, segment.customer_rate, drawing.GREY, "normal"),
            (0.19, segment.net_rate, drawing.BLUE, "bold"),
        ):
            if rate is None:
                continue
            axes.barh(place + offset, rate, height=0.34, color=colour)
            drawing.label(
                axes,
                words.percent(rate),
                (rate, place + offset),
                (6, 0),
                size=12,
                fontweight=weight,
            )
    return figure
