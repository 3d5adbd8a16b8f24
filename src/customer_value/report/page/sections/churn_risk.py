"""Churn: how likely customers are to leave, and whom it would cost most to lose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from matplotlib.figure import Figure

from customer_value.report import words
from customer_value.report.figures.value import RiskCell, risk_cells
from customer_value.report.page import drawing
from customer_value.report.page.blocks import Picture, Section, Table
from customer_value.report.page.tables import Tables

BIN_COUNT = 20
COLOURS = {"low": drawing.BLUE, "medium": drawing.SAND, "high": drawing.RED}


@dataclass(frozen=True)
class Bin:
    """Customers whose probability of churn lies in one twentieth, by risk band."""

    number: int
    band: str
    customer_count: int
    predicted_value: Decimal


def section(tables: Tables) -> Section | None:
    """Probabilities of all customers, and value by tier and risk."""
    if not tables.has("customer_churn") or not tables.has("customer_tiers"):
        return None
    bins = [
        Bin(*row)
        for row in tables.rows(
            """
            select
                cast(least(floor(customer_churn.churn_probability * $bins), $bins - 1) as integer),
                customer_churn.churn_risk_band,
                count(*),
                coalesce(sum(customer_tiers.predicted_value), 0)
            from customer_churn
            inner join customer_tiers using (customer_id)
            group by all
            order by all
            """,
            bins=BIN_COUNT,
        )
    ]
    if not bins:
        return None
    cells = risk_cells(tables.connection)
    window = max(cell.churn_window_days for cell in cells)
    lead = f"Here a customer who places no order in {words.counted(window, 'day')} has churned."
    return Section(
        "churn-risk",
        "Who may leave?",
        (lead,),
        pictures=[_distribution(bins), _at_risk(cells, tables.currency)],
    )


def _distribution(bins: Sequence[Bin]) -> Picture:
    customers = sum(found.customer_count for found in bins)
    likely = sum(found.customer_count for found in bins if found.number >= BIN_COUNT // 2)
    rows = []
    for number in sorted({found.number for found in bins}):
        members = [found for found in bins if found.number == number]
        rows.append(
            (
                f"{100 * number // BIN_COUNT}% to {100 * (number + 1) // BIN_COUNT}%",
                words.count(sum(found.customer_count for found in members)),
                words.cents(sum((found.predicted_value for found in members), Decimal(0))),
            )
        )
    return Picture(
        f"{words.percent(likely / customers)} of customers are more likely to leave than to order "
        "again",
        "Histogram of customers by their risk of churn, from 0 to 100 percent.",
        lambda space: _draw_distribution(space, bins),
        Table(
            "Customers by risk of churn", ("risk of churn", "customers", "predicted value"), rows
        ),
        "Customers by their risk of churn: low (blue), medium (yellow), high (orange).",
    )


def _draw_distribution(space: drawing.Space, bins: Sequence[Bin]) -> Figure:
    figure, axes = space.canvas(230, left=2, right=2, top=22, bottom=42)
    heights = [0] * BIN_COUNT
    for found in bins:
        axes.bar(
            found.number + 0.5,
            found.customer_count,
            width=0.88,
            bottom=heights[found.number],
            color=COLOURS.get(found.band, drawing.GREY),
        )
        heights[found.number] += found.customer_count
    axes.set_xlim(0, BIN_COUNT)
    axes.set_ylim(0, max(heights))
    axes.set_xticks([])
    axes.set_yticks([])
    for number, height in enumerate(heights):
        # On a phone only every other column has room for its number.
        if height and (not space.is_narrow or height == max(heights)):
            text = words.compact(height)
            drawing.label(axes, text, (number + 0.5, height), (0, 9), ha="center", size=11)
    axes.axhline(0, color=drawing.FAINT, linewidth=1, clip_on=False)
    for tick in range(0, BIN_COUNT + 1, 5):
        sides = {0: "left", BIN_COUNT: "right"}
        side = sides.get(tick, "center")
        text = f"{100 * tick // BIN_COUNT}%"
        drawing.label(axes, text, (tick, 0), (0, -13), ha=side, **drawing.QUIETLY)
    drawing.label(axes, "risk of churn", (BIN_COUNT / 2, 0), (0, -31), **drawing.CENTRED_QUIETLY)
    return figure


def _at_risk(cells: Sequence[RiskCell], currency: str) -> Picture:
    values = [cell.predicted_value for cell in cells]
    total = sum(values, Decimal(0))
    title = "Predicted value by tier and risk of churn"
    risky = [cell for cell in cells if cell.band != "low"]
    if not risky:
        title = "All customers are at low risk of churn"
    elif min(values) >= 0 and total > 0:
        held = sum((cell.predicted_value for cell in risky), Decimal(0))
        share = words.percent(float(held / total))
        title = (
            f"{share} of predicted value, {words.money(held, currency)}, "
            "is with customers at medium or high risk"
        )
    return Picture(
        title,
        "Bars of predicted value for each tier, parted by risk of churn.",
        lambda space: _draw_at_risk(space, cells, currency),
        Table(
            "Predicted value by tier and risk",
            ("tier", "risk", "customers", "predicted value", "each"),
            [
                (
                    words.spoken(cell.tier),
                    cell.band,
                    words.count(cell.customer_count),
                    words.cents(cell.predicted_value),
                    words.cents(cell.predicted_value / cell.customer_count),
                )
                for cell in cells
            ],
            frozenset({1}),
        ),
        "Predicted value of each tier at low (blue), medium (yellow) and high (orange) risk. It "
        "already includes the risk: whoever is likely to leave is expected to bring little.",
    )


def _draw_at_risk(space: drawing.Space, cells: Sequence[RiskCell], currency: str) -> Figure:
    left, right = (128, 74) if space.is_narrow else (150, 150)
    values = [max(float(cell.predicted_value), 0.0) for cell in cells]
    row = 30
    figure, axes = space.canvas(row * len(cells) + 8, left=left, right=right, top=2, bottom=2)
    axes.set_xlim(0, max(values) or 1)
    axes.set_ylim(len(cells) - 0.5, -0.5)
    axes.set_xticks([])
    axes.set_yticks([])
    for place, (cell, value) in enumerate(zip(cells, values, strict=True)):
        axes.barh(place, value, height=0.72, color=COLOURS.get(cell.band, drawing.GREY))
        worth = words.money(cell.predicted_value, currency)
        drawing.label(axes, worth, (value, place), (6, 0), size=13, fontweight="bold")
        drawing.label(axes, cell.band, (0, place), (-10, 0), ha="right", color=drawing.QUIET)
        if place == 0 or cells[place - 1].tier != cell.tier:
            name = words.shortened(words.spoken(cell.tier), 10 if space.is_narrow else 12)
            drawing.label(axes, name, (0, place), (-left, 0), size=13, fontweight="bold")
            if place:
                axes.axhline(place - 0.5, color=drawing.FAINT, linewidth=0.8)
    return figure
