"""Matplotlib's figures as pictures in a page: sized in pixels, in colours that follow the reader's.

A colour is named once, with what it is on light and on dark paper. It leaves Matplotlib as the
light one and becomes a name in the SVG, whose own style sheet has both. Colours stay apart for
every kind of colour vision (the palette of Okabe and Ito, 2008, and ramps of one hue).
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import Any

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Annotation

PIXELS_PER_INCH = 96
POINTS_PER_PIXEL = 0.75

INK = "#1b2733"
QUIET = "#586572"
FAINT = "#d8dee4"
PAPER = "#fffffe"
GREY = "#9aa5b1"
BLUE = "#0072b2"
LIGHT_BLUE = "#7fb4d4"
SAND = "#e69f00"
RED = "#d55e00"
PALE_ORANGE = "#f0b08a"
ON_PALE = "#1b2732"
ON_STRONG = "#fffffd"
RAMP = ("#f1f6fa", "#dbe9f3", "#bdd9ea", "#93c1de", "#5fa3cd", "#2477ab", "#13659b", "#0b4674")
DARK = {
    INK: "#e8edf2",
    QUIET: "#a9b5c1",
    FAINT: "#38434f",
    PAPER: "#161c23",
    GREY: "#76838f",
    BLUE: "#4fb0e5",
    LIGHT_BLUE: "#2b6a90",
    SAND: "#f0b43c",
    RED: "#f0803c",
    PALE_ORANGE: "#8a4620",
    ON_PALE: "#e8edf2",
    ON_STRONG: "#0d1319",
    **dict(
        zip(
            RAMP,
            (
                "#1b2530",
                "#1f3344",
                "#234a66",
                "#275f84",
                "#316c94",
                "#62a8d3",
                "#93c8e8",
                "#c5e4f6",
            ),
            strict=True,
        )
    ),
}
NAMES = {light: f"--c{number}" for number, light in enumerate(DARK)}
# From this step of the ramp on, letters are those for strong colours.
STRONG_FROM = 5
# Laid out in the widest face of all: what the reader's machine has in its place always fits.
FONT = "system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif"

STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 12 * POINTS_PER_PIXEL,
    "text.color": INK,
    "axes.edgecolor": FAINT,
    "axes.facecolor": "none",
    "axes.labelcolor": QUIET,
    "figure.facecolor": "none",
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    # Names from the data may hold dollar signs: they are text, not formulas.
    "text.parse_math": False,
    "svg.fonttype": "none",
    # Names within the file are made of it: the same figure gives the same bytes.
    "svg.hashsalt": "customer_value",
}


@dataclass(frozen=True)
class Space:
    """How wide a picture is to be, in CSS pixels."""

    width: int

    @property
    def is_narrow(self) -> bool:
        """Whether it is for a phone."""
        return self.width < 600

    def canvas(
        self, height: float, *, left: float = 0, right: float = 0, top: float = 0, bottom: float = 0
    ) -> tuple[Figure, Axes]:
        """A figure with one pair of axes, and margins about them, in pixels."""
        figure = Figure(figsize=(self.width / PIXELS_PER_INCH, height / PIXELS_PER_INCH))
        axes = figure.add_axes(
            (
                left / self.width,
                bottom / height,
                (self.width - left - right) / self.width,
                (height - top - bottom) / height,
            )
        )
        for spine in axes.spines.values():
            spine.set_visible(False)
        return figure, axes


WIDE = Space(856)
NARROW = Space(358)


def points(pixels: float) -> float:
    """A size in Matplotlib's unit."""
    return pixels * POINTS_PER_PIXEL


# What text is like that stands back.
QUIETLY: dict[str, Any] = {"color": QUIET}
CENTRED_QUIETLY: dict[str, Any] = {"color": QUIET, "ha": "center"}


def label(
    axes: Axes,
    text: str,
    at: tuple[float, float],
    shift: tuple[float, float] = (0, 0),
    size: float = 12,
    **options: Any,  # noqa: ANN401 - whatever Matplotlib takes
) -> Annotation:
    """Text that starts some pixels off a point, also outside of the axes."""
    return axes.annotate(
        text,
        xy=at,
        xytext=(points(shift[0]), points(shift[1])),
        textcoords="offset points",
        annotation_clip=False,
        fontsize=points(size),
        **{"va": "center_baseline", **options},
    )


def svg(draw: Any, space: Space) -> str:  # noqa: ANN401 - a Draw, which blocks name
    """The picture as one SVG element, without a date or the software's version."""
    with style.context(["default", STYLE]):
        file = io.StringIO()
        draw(space).savefig(
            file,
            format="svg",
            metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
        )
    text = file.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"'DejaVu Sans'[^;\"]*", FONT, text)
    text = re.sub(r"#[0-9a-f]{6}", lambda found: _named(found.group()), text)
    # Into Matplotlib's own style sheet, the only one.
    return text.replace('<style type="text/css">', f'<style type="text/css">{_style_sheet()}', 1)


def _named(colour: str) -> str:
    return f"var({NAMES[colour]})" if colour in NAMES else colour


def _style_sheet() -> str:
    light = ";".join(f"{name}:{colour}" for colour, name in NAMES.items())
    dark = ";".join(f"{name}:{DARK[colour]}" for colour, name in NAMES.items())
    return f"svg{{{light}}}@media screen and (prefers-color-scheme:dark){{svg{{{dark}}}}}"
