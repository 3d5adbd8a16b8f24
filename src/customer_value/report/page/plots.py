"""Shapes that several pictures share: bars in groups, intervals about a point, panels side by side.

Names come from the data: they are cut to fit, and room is left for them by the number of letters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from customer_value.report import words
from customer_value.report.page import drawing

# The widest that a letter of 12 pixels is on average.
LETTER = 7.4


@dataclass(frozen=True)
class Bar:
    """A bar, and what stands at its end; in less room, what stands there on a phone."""

    value: float
    text: str
    colour: str = drawing.BLUE
    short_text: str = ""

    def told(self, space: drawing.Space) -> str:
        """What stands at its end."""
        return self.short_text or self.text if space.is_narrow else self.text


@dataclass(frozen=True)
class Group:
    """Bars below each other that share a name."""

    name: str
    bars: Sequence[Bar]


@dataclass(frozen=True)
class Interval:
    """A figure with what it may be at least and at most."""

    name: str
    value: float
    lower: float
    upper: float
    text: str
    colour: str = drawing.BLUE


def single(name: str, value: float, text: str, colour: str = drawing.BLUE) -> Group:
    """A bar with a name of its own."""
    return Group(name, [Bar(value, text, colour)])


def bars(space: drawing.Space, groups: Sequence[Group]) -> Figure:
    """Lying bars from 0 on, all on one scale; what is below 0 has none, and its text alone."""
    names = [
        words.shortened(words.spoken(group.name), 16 if space.is_narrow else 26) for group in groups
    ]
    shown = [(place, bar) for place, group in enumerate(groups) for bar in group.bars]
    most = max(len(group.bars) for group in groups)
    row = 32 if most == 1 else 22 * most + 10
    left = LETTER * 13 / 12 * max(map(len, names)) + 16
    right = LETTER * max(len(bar.told(space)) for _, bar in shown) + 20
    figure, axes = space.canvas(row * len(groups) + 8, left=left, right=right, top=2, bottom=2)
    axes.set_xlim(0, max(0.0, *(bar.value for _, bar in shown)) or 1.0)
    axes.set_ylim(len(groups) - 0.5, -0.5)
    _without_ticks(axes)
    height = 0.72 / most
    for place, (group, name) in enumerate(zip(groups, names, strict=True)):
        drawing.label(axes, name, (0, place), (-12, 0), ha="right", size=13)
        for number, bar in enumerate(group.bars):
            at = place + (number - (len(group.bars) - 1) / 2) * height * 1.08
            length = max(bar.value, 0.0)
            axes.barh(at, length, height=height, color=bar.colour)
            drawing.label(axes, bar.told(space), (length, at), (6, 0))
    return figure


def intervals(
    space: drawing.Space,
    found: Sequence[Interval],
    tick: Callable[[float], str],
    reference: float | None = None,
) -> Figure:
    """A point on a line for each, above an axis; the reference is a line through all of them.

    On a phone names stand above the lines, not beside them.
    """
    names = [words.shortened(interval.name, 40 if space.is_narrow else 26) for interval in found]
    left = 34 if space.is_narrow else LETTER * 13 / 12 * max(map(len, names)) + 30
    right = LETTER * max(len(interval.text) for interval in found) + 22
    row = 46 if space.is_narrow else 30
    figure, axes = space.canvas(row * len(found) + 34, left=left, right=right, top=4, bottom=30)
    ends = [end for one in found for end in (one.lower, one.upper, one.value)]
    ends += [] if reference is None else [reference]
    low, high = min(ends), max(ends)
    margin = 0.02 * ((high - low) or abs(high) or 1.0)
    axes.set_xlim(low - margin, high + margin)
    axes.set_ylim(len(found) - 0.5, -0.5)
    _without_ticks(axes)
    bottom = len(found) - 0.5
    for at in MaxNLocator(3 if space.is_narrow else 6).tick_values(low, high):
        if axes.get_xlim()[0] <= at <= axes.get_xlim()[1]:
            axes.axvline(at, color=drawing.FAINT, linewidth=0.8)
            text = tick(float(at)) if at else "0"
            drawing.label(axes, text, (at, bottom), (0, -14), **drawing.CENTRED_QUIETLY)
    if reference is not None:
        axes.axvline(reference, color=drawing.QUIET, linewidth=1.2)
    for place, (interval, name) in enumerate(zip(found, names, strict=True)):
        line = place + (0.22 if space.is_narrow else 0)
        if space.is_narrow:
            drawing.label(axes, name, (axes.get_xlim()[0], place), (-30, 10), size=13)
        else:
            drawing.label(axes, name, (axes.get_xlim()[0], place), (-14, 0), ha="right", size=13)
        axes.plot([interval.lower, interval.upper], [line, line], color=interval.colour, lw=2)
        axes.plot([interval.value], [line], marker="o", color=interval.colour, markersize=6)
        drawing.label(axes, interval.text, (axes.get_xlim()[1], line), (8, 0))
    return figure


def panels(
    space: drawing.Space,
    count: int,
    columns: int,
    height: float,
    right: float,
) -> tuple[Figure, list[Axes]]:
    """Axes of one size in rows of so many columns; height and right margin are those of each.

    Above each is room for two lines of text, and below it for one.
    """
    rows = -(-count // columns)
    width = space.width / columns
    figure, first = space.canvas(
        height * rows,
        left=4,
        right=space.width - width + right,
        top=46,
        bottom=height * (rows - 1) + 30,
    )
    found = [first]
    place = first.get_position()
    for number in range(1, count):
        row, column = divmod(number, columns)
        axes = figure.add_axes(
            (place.x0 + column / columns, place.y0 - row / rows, place.width, place.height)
        )
        for spine in axes.spines.values():
            spine.set_visible(False)
        found.append(axes)
    for axes in found:
        _without_ticks(axes)
    return figure, found


def spread(places: Sequence[float], least: float) -> list[float]:
    """The places of texts, pushed up until neighbours are so far apart; in the order given."""
    moved = list(places)
    at = float("-inf")
    for number in sorted(range(len(places)), key=lambda number: (places[number], number)):
        at = moved[number] = max(places[number], at + least)
    return moved


def _without_ticks(axes: Axes) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
