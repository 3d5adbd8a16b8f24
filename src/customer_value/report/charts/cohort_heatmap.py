"""The share of each cohort that ordered, month by month after its first order."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import duckdb
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from customer_value.report import words
from customer_value.report.charts import canvas
from customer_value.report.figures import customers
from customer_value.report.figures.cohorts import Cell, cohort_cells, pooled_rate, top_of_scale

RAMP = ("#f3f7fa", "#c3dbea", "#7fb4d4", "#2f83b7", "#0b4f82", "#062f50")
# A cell that is smaller can't hold a number that is large enough to read.
ANNOTATED_CELL_INCHES = (0.38, 0.2)
MAXIMUM_TICKS = 24
# Where on the ramp white becomes easier to read than ink.
WHITE_INK_FROM = 0.58
WIDEST_CELL_INCHES = 0.9


def draw(connection: duckdb.DuckDBPyConnection) -> Figure:
    """All cohorts, and what they did in each month after the first."""
    as_of_date = customers.as_of_date(connection)
    cells = cohort_cells(connection)
    # In month 0 everyone ordered: it would only outshine the others.
    later = [cell for cell in cells if cell.month_number > 0]
    if not later:
        return canvas.nothing("Cohorts: no month has passed since the first orders", as_of_date)
    return _drawn(cells, later, as_of_date)


def _drawn(cells: Sequence[Cell], later: Sequence[Cell], as_of_date: dt.date | None) -> Figure:
    sizes = {cell.cohort_month: cell.cohort_size for cell in cells}
    cohorts = sorted(sizes)
    month_count = max(cell.month_number for cell in later)
    row_inches = min(0.55, max(0.1, 6.5 / len(cohorts)))
    left, right = 1.65, 0.95
    cell_inches = min(WIDEST_CELL_INCHES, (canvas.WIDTH_INCHES - left - right) / month_count)
    figure, axes, height = canvas.framed(
        row_inches * len(cohorts),
        left=left,
        right=canvas.WIDTH_INCHES - left - cell_inches * month_count,
        above=1.65,
    )
    grid = [[float("nan")] * month_count for _ in cohorts]
    for cell in later:
        grid[cohorts.index(cell.cohort_month)][cell.month_number - 1] = cell.retention_rate
    top = top_of_scale(later)
    colours = LinearSegmentedColormap.from_list("retention", RAMP)
    image = axes.pcolormesh(
        [number + 0.5 for number in range(month_count + 1)],
        [number - 0.5 for number in range(len(cohorts) + 1)],
        grid,
        cmap=colours,
        vmin=0,
        vmax=top,
        edgecolors="white",
        linewidth=min(1.5, 6 * row_inches),
    )
    axes.invert_yaxis()
    _ticks(axes, cohorts, sizes, month_count)
    least_width, least_height = ANNOTATED_CELL_INCHES
    is_annotated = cell_inches >= least_width and row_inches >= least_height
    if is_annotated:
        _annotate(axes, later, cohorts, top)
    is_capped = any(cell.retention_rate > top for cell in later)
    _colour_bar(figure, axes, image, top, is_capped=is_capped)
    unit = ", in percent" if is_annotated else ""
    subtitle = f"Share of each monthly cohort that ordered in a later month{unit}"
    canvas.titles(figure, height, _title(later), subtitle)
    note = "; the last month is not over" if any(cell.is_incomplete for cell in later) else ""
    canvas.source(figure, height, f"cohort_retention{note}", as_of_date)
    return figure


def _ticks(
    axes: Axes, cohorts: Sequence[dt.date], sizes: dict[dt.date, int], month_count: int
) -> None:
    columns = range(1, month_count + 1, -(-month_count // MAXIMUM_TICKS))
    axes.set_xticks(columns, [str(number) for number in columns])
    axes.xaxis.tick_top()
    head = {"xycoords": "axes fraction", "fontsize": 9, "color": canvas.QUIET}
    canvas.label(axes, "months since the month of the first order", (0, 1), (4, 27), **head)
    rows = range(0, len(cohorts), -(-len(cohorts) // MAXIMUM_TICKS))
    axes.set_yticks(
        rows, [f"{cohorts[row]:%Y-%m}  {words.compact(sizes[cohorts[row]]):>6}" for row in rows]
    )
    axes.tick_params(axis="both", labelsize=9)
    canvas.label(axes, "cohort, customers", (0, 1), (-4, 10), ha="right", **head)
    canvas.clear_frame(axes)


def _annotate(axes: Axes, cells: Sequence[Cell], cohorts: Sequence[dt.date], top: float) -> None:
    for cell in cells:
        axes.text(
            cell.month_number,
            cohorts.index(cell.cohort_month),
            f"{100 * cell.retention_rate:.0f}",
            ha="center",
            va="center",
            fontsize=9.5,
            color="white" if cell.retention_rate > WHITE_INK_FROM * top else canvas.INK,
        )


def _colour_bar(
    figure: Figure, axes: Axes, image: ScalarMappable, top: float, *, is_capped: bool
) -> None:
    box = axes.get_position()
    bar_axes = figure.add_axes((box.x1 + 0.18 / canvas.WIDTH_INCHES, box.y0, 0.013, box.height))
    bar = figure.colorbar(
        image,
        cax=bar_axes,
        ticks=MaxNLocator(4, steps=[1, 2, 5, 10]),
        format=PercentFormatter(1, decimals=0 if top >= 0.04 else 1),
        # An arrow says that the darkest colour stands for all that is above, too.
        extend="max" if is_capped else "neither",
    )
    bar.ax.tick_params(labelsize=9, length=0, pad=4)
    bar.ax.spines["outline"].set_visible(False)


def _title(cells: Sequence[Cell]) -> str:
    """What all cohorts together did in the first month, and in a later one that most reached."""
    whole = [cell for cell in cells if not cell.is_incomplete]
    if not whole:
        return "Retention by cohort: the first month is not over"
    first = pooled_rate(whole, 1)
    last = max(cell.month_number for cell in whole)
    if last == 1:
        return (
            f"{words.percent(first)} of customers order again in the month after their first order"
        )
    month = min(last, 12)
    return (
        f"{words.percent(first)} of customers order again in the month after their first; "
        f"{words.percent(pooled_rate(whole, month))} "
        + ("a year later" if month == 12 else f"in month {month}")
    )
