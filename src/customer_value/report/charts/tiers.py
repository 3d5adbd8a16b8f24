"""Each tier's share of the customers beside its share of predicted value."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from customer_value.report import words
from customer_value.report.charts import canvas
from customer_value.report.figures import customers, value
from customer_value.report.figures.value import Tier


def draw(connection: duckdb.DuckDBPyConnection) -> Figure:
    """Two bars for each tier, the most valuable first."""
    as_of_date = customers.as_of_date(connection)
    found = value.tiers(connection)
    if not found:
        return canvas.nothing("Tiers: no customers yet", as_of_date)
    figure, axes, height = canvas.framed(0.2 + 0.95 * len(found), left=1.75, right=2.8, above=1.1)
    for position, tier in enumerate(found):
        _bars(axes, position, tier)
    axes.set_ylim(len(found) - 0.45, -0.55)
    axes.set_yticks(range(len(found)), [words.shortened(tier.tier) for tier in found])
    axes.tick_params(axis="y", labelsize=12, pad=8)
    canvas.clear_frame(axes, keep="left")
    shares = [rate for tier in found for rate in (tier.customer_rate, tier.predicted_value_rate)]
    axes.set_xlim(0, max(rate or 0 for rate in shares) or 1)
    axes.set_xticks([])
    subtitle = "Share of customers (grey) and of predicted value (blue) in each tier"
    if found[0].predicted_value_rate is None:
        subtitle = "Share of customers; value that is negative in part has no shares"
    canvas.titles(figure, height, _title(found), subtitle + canvas.ahead(value.horizon(connection)))
    canvas.source(figure, height, "customer_tiers", as_of_date)
    return figure


def _bars(axes: Axes, position: int, tier: Tier) -> None:
    amount = words.compact(tier.predicted_value)
    value_rate = tier.predicted_value_rate
    held = f"{amount} of predicted value"
    if value_rate is not None:
        held = f"{words.percent(value_rate)} of predicted value ({amount})"
    rows = [
        (
            -0.19,
            tier.customer_rate or 0,
            canvas.GREY,
            f"{words.percent(tier.customer_rate or 0)} of customers ({tier.customer_count:,})",
            "normal",
        ),
        (0.19, value_rate or 0, canvas.BLUE, held, "bold"),
    ]
    for offset, rate, colour, label, weight in rows:
        axes.barh(position + offset, rate, height=0.36, color=colour)
        canvas.label(axes, label, (rate, position + offset), (6, 0), fontweight=weight)


def _title(found: Sequence[Tier]) -> str:
    top = found[0]
    if top.predicted_value_rate is None:
        return "Tiers by size and predicted value"
    if len(found) == 1:
        return f"All customers are in one tier, {words.shortened(top.tier)}"
    # Rules are thresholds of value, so that the first tier is the top of all customers.
    name = words.shortened(top.tier)
    return (
        f"The top {words.percent(top.customer_rate or 0)} of customers ({name}) "
        f"hold {words.percent(top.predicted_value_rate)} of predicted value"
    )
