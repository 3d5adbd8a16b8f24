"""The frame of every chart: its size, its colours, the title above and the source below.

Colours stay apart for every kind of colour vision (the palette of Okabe and Ito, 2008, and ramps of
one hue) and nothing is told by colour alone.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Annotation

from customer_value.report.figures.value import Horizon

INK = "#1b2733"
QUIET = "#5f6c78"
FAINT = "#d5dbe1"
GREY = "#9aa5b1"
BLUE = "#0072b2"

WIDTH_INCHES = 10.0
DOTS_PER_INCH = 140
LEFT_INCHES = 0.35

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


def framed(
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


def titles(figure: Figure, height: float, title: str, *subtitles: str) -> None:
    """What the data say, and below it what is drawn."""
    left = LEFT_INCHES / WIDTH_INCHES
    figure.text(left, 1 - 0.42 / height, title, fontsize=14.5, fontweight="bold", va="center")
    for number, subtitle in enumerate(subtitles):
        at = 1 - (0.74 + 0.25 * number) / height
        figure.text(left, at, subtitle, fontsize=10.5, color=QUIET, va="center")


def source(figure: Figure, height: float, tables: str, as_of_date: dt.date | None) -> None:
    """Below all: which tables were read, as of when."""
    as_of = f"As of {as_of_date}. " if as_of_date else ""
    left = LEFT_INCHES / WIDTH_INCHES
    figure.text(left, 0.22 / height, f"{as_of}Source: {tables}", fontsize=8, color=QUIET)


def ahead(horizon: Horizon | None) -> str:
    """How far predicted value looks, to follow the words on it."""
    return f"; {horizon.words}" if horizon else ""


def label(
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


def clear_frame(axes: Axes, keep: str = "") -> None:
    """Without lines about the axes, but for one side."""
    for side, spine in axes.spines.items():
        spine.set_visible(side == keep)


def nothing(title: str, as_of_date: dt.date | None) -> Figure:
    """A chart that says why it is empty, so that whoever shows it always finds a file."""
    figure, axes, height = framed(0.1, left=LEFT_INCHES, right=LEFT_INCHES, above=1.0)
    axes.set_axis_off()
    titles(figure, height, title, "Nothing to draw")
    source(figure, height, "customer_value", as_of_date)
    return figure
