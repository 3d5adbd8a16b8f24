"""Pictures of a refresh: cohort heat map, tiers, and the value at risk of churn.

Each title says what the data say. The same database gives the same bytes, given the same
Matplotlib. Colours stay apart for every kind of colour vision (the palette of Okabe and Ito, 2008,
and ramps of one hue) and nothing is told by colour alone. Importing this module raises
ReportError where Matplotlib, an optional dependency, is not installed.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from customer_value import figures
from customer_value.report_page import words

try:
    from matplotlib import style
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator, PercentFormatter
except ImportError as error:
    raise figures.ReportError(
        "Charts need Matplotlib. Install it with `pip install 'dbt-customer-value[report]'`."
    ) from error

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import duckdb
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.text import Annotation

INK = "#1b2733"
QUIET = "#5f6c78"
FAINT = "#d5dbe1"
BLUE = "#0072b2"
RAMP = ("#f3f7fa", "#c3dbea", "#7fb4d4", "#2f83b7", "#0b4f82", "#062f50")
RISK_COLOURS = {"low": "#0072b2", "medium": "#e69f00", "high": "#d55e00"}

WIDTH_INCHES = 10.0
DOTS_PER_INCH = 140
LEFT_INCHES = 0.35
# A cell that is smaller can't hold a number that is large enough to read.
ANNOTATED_CELL_INCHES = (0.38, 0.2)
MAXIMUM_TICKS = 24
# Where on the ramp white becomes easier to read than ink.
WHITE_INK_FROM = 0.58
WIDEST_CELL_INCHES = 0.9

STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": QUIET,
    "xtick.color": QUIET,
    "ytick.color": INK,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    # Names from the data may hold dollar signs: they are text, not formulas.
    "text.parse_math": False,
}


def write(database: Path, folder: Path, schema: str = figures.SCHEMA) -> list[Path]:
    """Draw every chart from a built database into a folder, which is made if need be.

    Args:
        database: the DuckDB file that ``dbt build`` wrote; it is not changed.
        folder: where cohort_heatmap.png, tiers.png and value_at_risk.png go; older ones are
            replaced.
        schema: the schema of the tables for BI.

    Returns:
        The paths of the charts.

    Raises:
        ReportError: the database can't be read, or the folder can't be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # After a reset, so that a reader's own Matplotlib settings don't change the pictures.
        connected = figures.connected(database, schema)
        with connected as connection, style.context(["default", STYLE]):
            return [_saved(draw(connection), folder / name) for name, draw in CHARTS.items()]
    except OSError as error:
        raise figures.ReportError(
            f"Charts can't be written to {folder} ({error.strerror or error}). "
            "Name a folder that can be written with --charts."
        ) from error


def cohort_heatmap(connection: duckdb.DuckDBPyConnection) -> Figure:
    """The share of each cohort that ordered, month by month after its first order."""
    as_of_date = figures.as_of_date(connection)
    cells = [
        Cell(*row)
        for row in connection.execute(
            """
            select
                cohort_month,
                month_number,
                cohort_size,
                active_customers,
                cast(retention_rate as double),
                order_month + interval 1 month > (select max(as_of_date) from customers)
            from cohort_retention
            order by cohort_month, month_number
            """
        ).fetchall()
    ]
    # In month 0 everyone ordered: it would only outshine the others.
    later = [cell for cell in cells if cell.month_number > 0]
    if not later:
        return _nothing("Cohorts: no month has passed since the first orders", as_of_date)
    return _drawn_heatmap(cells, later, as_of_date)


def tiers(connection: duckdb.DuckDBPyConnection) -> Figure:
    """Each tier's share of the customers beside its share of predicted value."""
    as_of_date = figures.as_of_date(connection)
    found = figures.tiers(connection)
    if not found:
        return _nothing("Tiers: no customers yet", as_of_date)
    figure, axes, height = _canvas(0.2 + 0.95 * len(found), left=1.75, right=2.8, above=1.1)
    for position, tier in enumerate(found):
        _tier_bars(axes, position, tier)
    axes.set_ylim(len(found) - 0.45, -0.55)
    axes.set_yticks(range(len(found)), [words.shortened(tier.tier) for tier in found])
    axes.tick_params(axis="y", labelsize=12, pad=8)
    _clear_frame(axes, keep="left")
    shares = [rate for tier in found for rate in (tier.customer_rate, tier.predicted_value_rate)]
    axes.set_xlim(0, max(rate or 0 for rate in shares) or 1)
    axes.set_xticks([])
    subtitle = "Share of customers (grey) and of predicted value (blue) in each tier"
    if found[0].predicted_value_rate is None:
        subtitle = "Share of customers; value that is negative in part has no shares"
    _titles(figure, height, _tier_title(found), subtitle + _ahead(connection))
    _source(figure, height, "customer_tiers", as_of_date)
    return figure


def value_at_risk(connection: duckdb.DuckDBPyConnection) -> Figure:
    """Predicted value by tier and churn risk band: whom it would cost most to lose."""
    as_of_date = figures.as_of_date(connection)
    cells = [
        RiskCell(*row)
        for row in connection.execute(
            """
            select
                customer_tiers.tier,
                customer_churn.churn_risk_band,
                count(*),
                sum(customer_tiers.predicted_value),
                min(customer_churn.churn_probability),
                max(customer_churn.churn_probability),
                max(customer_churn.churn_window_days)
            from customer_tiers
            inner join customer_churn using (customer_id)
            group by customer_tiers.tier, customer_churn.churn_risk_band
            """
        ).fetchall()
    ]
    if not cells:
        return _nothing("Value at risk: no customers yet", as_of_date)
    tier_names = [tier.tier for tier in figures.tiers(connection)]
    bands = sorted({cell.band for cell in cells}, key=lambda band: _chances(cells, band))
    figure, height = _drawn_risk(cells, tier_names, bands)
    subtitle = f"Predicted value by tier and churn risk{_ahead(connection)}"
    _titles(figure, height, _risk_title(cells, bands), subtitle, _risk_words(cells, bands))
    tables = "customer_tiers, customer_churn. Predicted value already includes this risk"
    _source(figure, height, tables, as_of_date)
    return figure


CHARTS: dict[str, Callable[[duckdb.DuckDBPyConnection], Figure]] = {
    "cohort_heatmap.png": cohort_heatmap,
    "tiers.png": tiers,
    "value_at_risk.png": value_at_risk,
}


@dataclass(frozen=True)
class Cell:
    """One row of cohort_retention; is_incomplete: its month goes on after as_of_date."""

    cohort_month: dt.date
    month_number: int
    cohort_size: int
    active_customers: int
    retention_rate: float
    is_incomplete: bool


@dataclass(frozen=True)
class RiskCell:
    """The customers of one tier and risk band; value in currency, probabilities in 0..1."""

    tier: str
    band: str
    customer_count: int
    predicted_value: Decimal
    lowest_probability: float
    highest_probability: float
    churn_window_days: int


def _drawn_heatmap(
    cells: Sequence[Cell], later: Sequence[Cell], as_of_date: dt.date | None
) -> Figure:
    sizes = {cell.cohort_month: cell.cohort_size for cell in cells}
    cohorts = sorted(sizes)
    month_count = max(cell.month_number for cell in later)
    row_inches = min(0.55, max(0.1, 6.5 / len(cohorts)))
    left, right = 1.65, 0.95
    cell_inches = min(WIDEST_CELL_INCHES, (WIDTH_INCHES - left - right) / month_count)
    figure, axes, height = _canvas(
        row_inches * len(cohorts),
        left=left,
        right=WIDTH_INCHES - left - cell_inches * month_count,
        above=1.65,
    )
    grid = [[float("nan")] * month_count for _ in cohorts]
    for cell in later:
        grid[cohorts.index(cell.cohort_month)][cell.month_number - 1] = cell.retention_rate
    top = _scale_top([cell.retention_rate for cell in later])
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
    _heatmap_ticks(axes, cohorts, sizes, month_count)
    least_width, least_height = ANNOTATED_CELL_INCHES
    is_annotated = cell_inches >= least_width and row_inches >= least_height
    if is_annotated:
        _annotate(axes, later, cohorts, top)
    is_capped = any(cell.retention_rate > top for cell in later)
    _colour_bar(figure, axes, image, top, is_capped=is_capped)
    unit = ", in percent" if is_annotated else ""
    subtitle = f"Share of each monthly cohort that ordered in a later month{unit}"
    _titles(figure, height, _retention_title(later), subtitle)
    note = "; the last month is not over" if any(cell.is_incomplete for cell in later) else ""
    _source(figure, height, f"cohort_retention{note}", as_of_date)
    return figure


def _scale_top(rates: Sequence[float]) -> float:
    """The rate of the darkest colour: the highest, unless a few tiny cohorts tower over all."""
    ordered = sorted(rates)
    usual = ordered[int(0.98 * (len(ordered) - 1))]
    return (usual if ordered[-1] > 1.5 * usual > 0 else ordered[-1]) or 1.0


def _heatmap_ticks(
    axes: Axes, cohorts: Sequence[dt.date], sizes: dict[dt.date, int], month_count: int
) -> None:
    columns = range(1, month_count + 1, -(-month_count // MAXIMUM_TICKS))
    axes.set_xticks(columns, [str(number) for number in columns])
    axes.xaxis.tick_top()
    head = {"xycoords": "axes fraction", "fontsize": 9, "color": QUIET}
    _label(axes, "months since the month of the first order", (0, 1), (4, 27), **head)
    rows = range(0, len(cohorts), -(-len(cohorts) // MAXIMUM_TICKS))
    axes.set_yticks(
        rows, [f"{cohorts[row]:%Y-%m}  {words.compact(sizes[cohorts[row]]):>6}" for row in rows]
    )
    axes.tick_params(axis="both", labelsize=9)
    _label(axes, "cohort, customers", (0, 1), (-4, 10), ha="right", **head)
    _clear_frame(axes)


def _annotate(axes: Axes, cells: Sequence[Cell], cohorts: Sequence[dt.date], top: float) -> None:
    for cell in cells:
        axes.text(
            cell.month_number,
            cohorts.index(cell.cohort_month),
            f"{100 * cell.retention_rate:.0f}",
            ha="center",
            va="center",
            fontsize=9.5,
            color="white" if cell.retention_rate > WHITE_INK_FROM * top else INK,
        )


def _colour_bar(
    figure: Figure, axes: Axes, image: ScalarMappable, top: float, *, is_capped: bool
) -> None:
    box = axes.get_position()
    bar_axes = figure.add_axes((box.x1 + 0.18 / WIDTH_INCHES, box.y0, 0.013, box.height))
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


def _retention_title(cells: Sequence[Cell]) -> str:
    """What all cohorts together did in the first month, and in a later one that most reached."""
    whole = [cell for cell in cells if not cell.is_incomplete]
    if not whole:
        return "Retention by cohort: the first month is not over"
    first = _pooled_rate(whole, 1)
    last = max(cell.month_number for cell in whole)
    if last == 1:
        return (
            f"{words.percent(first)} of customers order again in the month after their first order"
        )
    month = min(last, 12)
    return (
        f"{words.percent(first)} of customers order again in the month after their first; "
        f"{words.percent(_pooled_rate(whole, month))} "
        + ("a year later" if month == 12 else f"in month {month}")
    )


def _pooled_rate(cells: Sequence[Cell], month_number: int) -> float:
    members = [cell for cell in cells if cell.month_number == month_number]
    return sum(cell.active_customers for cell in members) / sum(c.cohort_size for c in members)


def _tier_bars(axes: Axes, position: int, tier: figures.Tier) -> None:
    value = words.compact(tier.predicted_value)
    value_rate = tier.predicted_value_rate
    held = f"{value} of predicted value"
    if value_rate is not None:
        held = f"{words.percent(value_rate)} of predicted value ({value})"
    rows = [
        (
            -0.19,
            tier.customer_rate or 0,
            "#9aa5b1",
            f"{words.percent(tier.customer_rate or 0)} of customers ({tier.customer_count:,})",
            "normal",
        ),
        (0.19, value_rate or 0, BLUE, held, "bold"),
    ]
    for offset, rate, colour, label, weight in rows:
        axes.barh(position + offset, rate, height=0.36, color=colour)
        _label(axes, label, (rate, position + offset), (6, 0), fontweight=weight)


def _tier_title(found: Sequence[figures.Tier]) -> str:
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


def _drawn_risk(
    cells: Sequence[RiskCell], tier_names: Sequence[str], bands: Sequence[str]
) -> tuple[Figure, float]:
    """One bar per tier and band, all from one baseline, a gap between the tiers."""
    ordered = sorted(cells, key=lambda cell: (tier_names.index(cell.tier), bands.index(cell.band)))
    tiers_drawn = sorted({cell.tier for cell in ordered}, key=tier_names.index)
    # In rows of bars; a gap of half a row parts the tiers.
    positions = [row + 0.5 * tiers_drawn.index(cell.tier) for row, cell in enumerate(ordered)]
    figure, axes, height = _canvas(0.42 * (positions[-1] + 1), left=2.45, right=3.1, above=1.4)
    for position, cell in zip(positions, ordered, strict=True):
        _risk_bar(axes, position, cell)
    for name in tiers_drawn:
        rows = [p for p, cell in zip(positions, ordered, strict=True) if cell.tier == name]
        at = (0.0, (rows[0] + rows[-1]) / 2)
        points = -72 * (2.45 - LEFT_INCHES)
        from_left = {"xycoords": axes.get_yaxis_transform(), "fontsize": 12}
        _label(axes, words.shortened(name, 12), at, (points, 0), **from_left)
    axes.set_ylim(positions[-1] + 0.5, -0.5)
    axes.set_yticks(positions, [f"{cell.band} risk" for cell in ordered])
    axes.tick_params(axis="y", labelcolor=QUIET, pad=6)
    values = [float(cell.predicted_value) for cell in ordered]
    axes.set_xlim(min(0.0, *values), max(0.0, *values) or 1.0)
    axes.set_xticks([])
    axes.axvline(0, color=FAINT, linewidth=1, zorder=0)
    _clear_frame(axes)
    return figure, height


def _risk_bar(axes: Axes, position: float, cell: RiskCell) -> None:
    value = float(cell.predicted_value)
    axes.barh(position, value, height=0.8, color=RISK_COLOURS.get(cell.band, QUIET))
    people = "customer" if cell.customer_count == 1 else "customers"
    each = words.compact(cell.predicted_value / cell.customer_count)
    at = (max(value, 0.0), position)
    amount = _label(axes, words.compact(cell.predicted_value), at, (6, 0), fontweight="bold")
    size = f"{cell.customer_count:,} {people}, {each} each"
    _label(axes, size, (1, 0.5), (8, 0), xycoords=amount, color=QUIET, fontsize=9)


def _label(
    axes: Axes,
    text: str,
    at: tuple[float, float],
    shift_points: tuple[float, float],
    **options: Any,  # noqa: ANN401 - whatever Matplotlib takes
) -> Annotation:
    """Text that starts a little way off a point, also outside of the axes."""
    return axes.annotate(
        text,
        xy=at,
        xytext=shift_points,
        textcoords="offset points",
        va="center",
        annotation_clip=False,
        **options,
    )


def _chances(cells: Sequence[RiskCell], band: str) -> tuple[float, float]:
    """The lowest and the highest probability of churn in a band."""
    members = [cell for cell in cells if cell.band == band]
    return (
        min(cell.lowest_probability for cell in members),
        max(cell.highest_probability for cell in members),
    )


def _risk_words(cells: Sequence[RiskCell], bands: Sequence[str]) -> str:
    words = []
    for band in bands:
        lowest, highest = (f"{100 * chance:.0f}" for chance in _chances(cells, band))
        words.append(f"{band} {lowest if lowest == highest else f'{lowest} to {highest}'}%")
    return f"Risk: chance of no order in {cells[0].churn_window_days} days; {', '.join(words)}"


def _risk_title(cells: Sequence[RiskCell], bands: Sequence[str]) -> str:
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


def _ahead(connection: duckdb.DuckDBPyConnection) -> str:
    horizon = figures.horizon(connection)
    return f"; {horizon.words}" if horizon else ""


def _canvas(
    body_inches: float, *, left: float, right: float, above: float
) -> tuple[Figure, Axes, float]:
    """A figure with room for the titles above its one pair of axes and the source below."""
    below = 0.55
    height = above + body_inches + below
    figure = Figure(figsize=(WIDTH_INCHES, height), dpi=DOTS_PER_INCH, facecolor="white")
    axes = figure.add_axes(
        (
            left / WIDTH_INCHES,
            below / height,
            (WIDTH_INCHES - left - right) / WIDTH_INCHES,
            body_inches / height,
        )
    )
    return figure, axes, height


def _titles(figure: Figure, height: float, title: str, *subtitles: str) -> None:
    left = LEFT_INCHES / WIDTH_INCHES
    figure.text(left, 1 - 0.42 / height, title, fontsize=14.5, fontweight="bold", va="center")
    for number, subtitle in enumerate(subtitles):
        at = 1 - (0.74 + 0.25 * number) / height
        figure.text(left, at, subtitle, fontsize=10.5, color=QUIET, va="center")


def _source(figure: Figure, height: float, tables: str, as_of_date: dt.date | None) -> None:
    as_of = f"As of {as_of_date}. " if as_of_date else ""
    left = LEFT_INCHES / WIDTH_INCHES
    figure.text(left, 0.22 / height, f"{as_of}Source: {tables}", fontsize=8, color=QUIET)


def _clear_frame(axes: Axes, keep: str = "") -> None:
    for side, spine in axes.spines.items():
        spine.set_visible(side == keep)


def _nothing(title: str, as_of_date: dt.date | None) -> Figure:
    """A chart that says why it is empty, so that whoever shows it always finds a file."""
    figure, axes, height = _canvas(0.1, left=LEFT_INCHES, right=LEFT_INCHES, above=1.0)
    axes.set_axis_off()
    _titles(figure, height, title, "Nothing to draw")
    _source(figure, height, "customer_value", as_of_date)
    return figure


def _saved(figure: Figure, path: Path) -> Path:
    # Without the name and version of the software, which would change the bytes.
    figure.savefig(path, metadata={"Software": None})
    return path
