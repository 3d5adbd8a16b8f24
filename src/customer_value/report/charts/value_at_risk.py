"""Predicted value by tier and churn risk band: whom it would cost most to lose."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import duckdb
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from customer_value.report import words
from customer_value.report.charts import canvas
from customer_value.report.figures import customers, value
from customer_value.report.figures.value import RiskCell

RISK_COLOURS = {"low": "#0072b2", "medium": "#e69f00", "high": "#d55e00"}


def draw(connection: duckdb.DuckDBPyConnection) -> Figure:
    """A bar for each tier and band."""
    as_of_date = customers.as_of_date(connection)
    cells = value.risk_cells(connection)
    if not cells:
        return canvas.nothing("Value at risk: no customers yet", as_of_date)
    bands = sorted({cell.band for cell in cells}, key=lambda band: _chances(cells, band))
    figure, height = _drawn(cells, bands)
    subtitle = f"Predicted value by tier and churn risk{canvas.ahead(value.horizon(connection))}"
    canvas.titles(figure, height, _title(cells, bands), subtitle, _risks(cells, bands))
    tables = "customer_tiers, customer_churn. Predicted value already includes this risk"
    canvas.source(figure, height, tables, as_of_date)
    return figure


def _drawn(cells: Sequence[RiskCell], bands: Sequence[str]) -> tuple[Figure, float]:
    """One bar per tier and band, all from one baseline, a gap between the tiers."""
    tiers = list(dict.fromkeys(cell.tier for cell in cells))
    ordered = sorted(cells, key=lambda cell: (tiers.index(cell.tier), bands.index(cell.band)))
    # In rows of bars; a gap of half a row parts the tiers.
    positions = [row + 0.5 * tiers.index(cell.tier) for row, cell in enumerate(ordered)]
    figure, axes, height = canvas.framed(
        0.42 * (positions[-1] + 1), left=2.45, right=3.1, above=1.4
    )
    for position, cell in zip(positions, ordered, strict=True):
        _bar(axes, position, cell)
    for name in tiers:
        rows = [p for p, cell in zip(positions, ordered, strict=True) if cell.tier == name]
        at = (0.0, (rows[0] + rows[-1]) / 2)
        points = -72 * (2.45 - canvas.LEFT_INCHES)
        from_left = {"xycoords": axes.get_yaxis_transform(), "fontsize": 12}
        canvas.label(axes, words.shortened(name, 12), at, (points, 0), **from_left)
    axes.set_ylim(positions[-1] + 0.5, -0.5)
    axes.set_yticks(positions, [f"{cell.band} risk" for cell in ordered])
    axes.tick_params(axis="y", labelcolor=canvas.QUIET, pad=6)
    values = [float(cell.predicted_value) for cell in ordered]
    axes.set_xlim(min(0.0, *values), max(0.0, *values) or 1.0)
    axes.set_xticks([])
    axes.axvline(0, color=canvas.FAINT, linewidth=1, zorder=0)
    canvas.clear_frame(axes)
    return figure, height


def _bar(axes: Axes, position: float, cell: RiskCell) -> None:
    amount = float(cell.predicted_value)
    axes.barh(position, amount, height=0.8, color=RISK_COLOURS.get(cell.band, canvas.QUIET))
    people = "customer" if cell.customer_count == 1 else "customers"
    each = words.compact(cell.predicted_value / cell.customer_count)
    at = (max(amount, 0.0), position)
    shown = canvas.label(axes, words.compact(cell.predicted_value), at, (6, 0), fontweight="bold")
    size = f"{cell.customer_count:,} {people}, {each} each"
    canvas.label(axes, size, (1, 0.5), (8, 0), xycoords=shown, color=canvas.QUIET, fontsize=9)


def _chances(cells: Sequence[RiskCell], band: str) -> tuple[float, float]:
    """The lowest and the highest probability of churn in a band."""
    members = [cell for cell in cells if cell.band == band]
    return (
        min(cell.lowest_probability for cell in members),
        max(cell.highest_probability for cell in members),
    )


def _risks(cells: Sequence[RiskCell], bands: Sequence[str]) -> str:
    told = []
    for band in bands:
        lowest, highest = (f"{100 * chance:.0f}" for chance in _chances(cells, band))
        told.append(f"{band} {lowest if lowest == highest else f'{lowest} to {highest}'}%")
    return f"Risk: chance of no order in {cells[0].churn_window_days} days; {', '.join(told)}"


def _title(cells: Sequence[RiskCell], bands: Sequence[str]) -> str:
    safest, *others = bands
    if not others:
        return f"All customers are at {safest} churn risk"
    values = [cell.predicted_value for cell in cells]
    total = sum(values, Decimal(0))
    if min(values) < 0 or total <= 0:
        return "Predicted value by tier and churn risk"
    at_risk = sum((cell.predicted_value for cell in cells if cell.band != safest), Decimal(0))
    return (
        f"{words.percent(float(at_risk / total))} of predicted value is with customers "
        f"at {' or '.join(others)} churn risk"
    )
