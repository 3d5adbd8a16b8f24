"""What a section is made of; the page's template knows how each is set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from customer_value.report.page.drawing import Space

Draw = Callable[[Space], Figure]


@dataclass(frozen=True)
class Table:
    """Rows of text under heads; the first column names the row, the others are numbers or text.

    Args:
        caption: what the rows are.
        heads: one for each column.
        rows: as long as heads each.
        text_columns: the positions of columns that are words, beside the first.
    """

    caption: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    text_columns: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Picture:
    """A chart under the finding that it shows, with its numbers below it.

    Args:
        title: what the data say, in a sentence.
        alt: what is to be seen, for who can't see it.
        draw: draws it into a space, wide or narrow.
        table: the numbers.
        caption: how to read it: what is drawn, in which unit.
    """

    title: str
    alt: str
    draw: Draw
    table: Table
    caption: str


@dataclass(frozen=True)
class Tile:
    """A figure to be seen from afar.

    Args:
        label: what it is.
        figure: itself.
        note: what belongs to it.
        change: since the refresh before, or nothing.
    """

    label: str
    figure: str
    note: str = ""
    change: str = ""


@dataclass(frozen=True)
class Step:
    """Something to do: how urgent it is, what, why, and the section with more.

    Args:
        urgency: now, soon or idea.
        what: a sentence that begins with a verb.
        why: what speaks for it.
        section: the key of the section with more.
    """

    urgency: str
    what: str
    why: str
    section: str


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Args:
        key: its name within the page's links.
        heading: its heading.
        lead: paragraphs.
        tiles: figures.
        steps: what to do.
        pictures: charts.
        tables: tables that have no chart.
    """

    key: str
    heading: str
    lead: Sequence[str] = ()
    tiles: Sequence[Tile] = ()
    steps: Sequence[Step] = ()
    pictures: Sequence[Picture] = ()
    tables: Sequence[Table] = ()
