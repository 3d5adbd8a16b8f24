"""The plan: what it does for whom, and what another budget or another weight would bring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from customer_value.report import words
from customer_value.report.page import drawing, plots
from customer_value.report.page.blocks import Picture, Table
from customer_value.report.page.tables import Tables

# From the weight of today alone to that of lifetime alone.
COLOURS = (drawing.SAND, drawing.RED, drawing.GREY, drawing.LIGHT_BLUE, drawing.BLUE, drawing.INK)


@dataclass(frozen=True)
class Point:
    """What the best plan found for a weight and a budget brings, in currency."""

    weight: float
    budget: Decimal
    customer_count: int
    cost: Decimal
    margin: Decimal
    net_gain: Decimal


def pictures(tables: Tables) -> list[Picture]:
    """Actions of the plan, and the frontier."""
    return [*_actions(tables), *_frontier(tables)]


def _actions(tables: Tables) -> list[Picture]:
    columns = ("action", "cost_amount", "expected_margin_change", "expected_net_gain")
    if not tables.has("action_plan", *columns, "expected_value_change", "effect_source"):
        return []
    rows = tables.rows(
        """
        select
            action,
            count(*),
            sum(cost_amount),
            sum(expected_margin_change),
            sum(expected_value_change),
            sum(expected_net_gain),
            count(*) filter (effect_source = 'stated_assumption')
        from action_plan
        where action <> 'none'
        group by action
        order by sum(expected_net_gain) desc, action
        """
    )
    if not rows:
        return []
    currency = tables.currency
    customers, cost, gain = (sum(row[at] for row in rows) for at in (1, 2, 5))
    assumed = sum(row[6] for row in rows)
    groups = [
        plots.Group(
            action,
            [
                plots.Bar(
                    float(spent),
                    f"{words.counted(count, 'customer')}, {words.money(spent, currency)}",
                    drawing.GREY,
                    f"{words.compact(count)}, {words.compact(spent)}",
                ),
                plots.Bar(
                    float(net + spent),
                    f"{words.money(net + spent, currency)} gained",
                    short_text=words.compact(net + spent),
                ),
            ],
        )
        for action, count, spent, _, _, net, _ in rows
    ]
    basis = "All gains are measured against control groups."
    if assumed:
        basis = (
            f"The gains of {words.counted(assumed, 'action')} rest on an effect that is assumed, "
            "not measured."
        )
    picture = Picture(
        f"The plan acts on {words.counted(customers, 'customer')}: it spends "
        f"{words.money(cost, currency)} and is expected to bring {words.money(gain, currency)} "
        "more than that",
        f"Bars of cost beside expected gain of {words.counted(len(rows), 'action')}.",
        lambda space: plots.bars(space, groups),
        Table(
            "Actions of the plan",
            (
                "action",
                "customers",
                "cost",
                "margin within the window",
                "lifetime value",
                "gain less cost",
                "assumed",
            ),
            [
                (
                    words.spoken(action),
                    words.count(count),
                    *(words.cents(amount) for amount in (spent, margin, value, net)),
                    words.count(stated),
                )
                for action, count, spent, margin, value, net, stated in rows
            ],
        ),
        "Cost (grey, with the customers acted on) and expected gain (blue), in which margin within "
        f"the window and lifetime value are weighed as the plan is. {basis}",
    )
    return [picture]


def _frontier(tables: Tables) -> list[Picture]:
    columns = ("long_term_weight", "budget_amount", "acted_customer_count", "expected_net_gain")
    if not tables.has("budget_frontier", *columns, "cost_amount", "expected_margin_change"):
        return []
    points = [
        Point(*row)
        for row in tables.rows(
            """
            select
                long_term_weight,
                budget_amount,
                acted_customer_count,
                cost_amount,
                expected_margin_change,
                expected_net_gain
            from budget_frontier
            order by long_term_weight, budget_amount
            """
        )
    ]
    if not any(point.budget > 0 for point in points):
        return []
    weights = sorted({point.weight for point in points})
    currency = tables.currency
    shown = weights[len(weights) // 2]
    title = "What another budget or another weight would bring"
    curve = [point for point in points if point.weight == shown]
    best = curve[-1].net_gain
    if best > 0:
        enough = next(point for point in curve if point.net_gain >= best * Decimal("0.8"))
        if enough.budget < curve[-1].budget:
            title = (
                f"A budget of {words.money(enough.budget, currency)} brings "
                f"{words.percent(float(enough.net_gain / best))} of what "
                f"{words.money(curve[-1].budget, currency)} would, at a weight of {shown:g}"
            )
    picture = Picture(
        title,
        "Curves of gain less cost, and of margin within the window, by budget, for "
        f"{words.counted(len(weights), 'weight')} of lifetime value.",
        lambda space: _draw_frontier(space, points, weights),
        Table(
            "Plans by weight of lifetime value and budget",
            ("weight", "budget", "customers", "cost", "margin within the window", "gain less cost"),
            [
                (
                    f"{point.weight:g}",
                    words.cents(point.budget),
                    words.count(point.customer_count),
                    words.cents(point.cost),
                    words.cents(point.margin),
                    words.cents(point.net_gain),
                )
                for point in points
            ],
        ),
        "Best plans found, by budget: gain less cost as each weighs it, and the margin within the "
        "window alone, before cost. A weight of 0 looks at today, one of 1 at lifetime value; "
        "gains at different weights are of different things.",
    )
    return [picture]


def _draw_frontier(
    space: drawing.Space, points: Sequence[Point], weights: Sequence[float]
) -> Figure:
    columns = 1 if space.is_narrow else 2
    figure, (left, right) = plots.panels(space, 2, columns, 260, 112)
    _draw_curves(
        left,
        "gain less cost",
        [[(p.budget, p.net_gain) for p in points if p.weight == weight] for weight in weights],
        weights,
    )
    _draw_curves(
        right,
        "margin within the window",
        [[(p.budget, p.margin) for p in points if p.weight == weight] for weight in weights],
        weights,
    )
    return figure


def _draw_curves(
    axes: Axes,
    name: str,
    curves: Sequence[Sequence[tuple[Decimal, Decimal]]],
    weights: Sequence[float],
) -> None:
    # Without a budget nothing is spent, and nothing gained.
    lines = [[(0.0, 0.0), *((float(x), float(y)) for x, y in curve)] for curve in curves]
    widest = max(x for line in lines for x, _ in line)
    low = min(y for line in lines for _, y in line)
    high = max(y for line in lines for _, y in line)
    room = (high - low) or 1.0
    texts = plots.spread([line[-1][1] for line in lines], room * 0.09)
    axes.set_xlim(0, widest)
    axes.set_ylim(low, max(high, *texts) if len(texts) > 1 else high or 1.0)
    axes.axhline(0, color=drawing.FAINT, linewidth=1)
    for number, (line, weight, at) in enumerate(zip(lines, weights, texts, strict=True)):
        step = number * (len(COLOURS) - 2) // max(len(weights) - 1, 1)
        axes.plot(*zip(*line, strict=True), color=COLOURS[step], linewidth=2, clip_on=False)
        text = f"{weight:g}: {words.compact(line[-1][1])}"
        axes.plot(
            [widest, widest * 1.02], [line[-1][1], at], color=COLOURS[step], lw=1, clip_on=False
        )
        drawing.label(axes, text, (widest * 1.02, at), (5, 0))
    quietly: dict[str, Any] = {"color": drawing.QUIET, "xycoords": "axes fraction"}
    drawing.label(axes, name, (0, 1), (0, 20), size=13, fontweight="bold", xycoords="axes fraction")
    drawing.label(axes, "weight", (1, 1), (10, 20), **quietly)
    drawing.label(axes, "budget 0", (0, 0), (0, -15), **quietly)
    drawing.label(axes, words.compact(widest), (1, 0), (0, -15), ha="right", **quietly)
