"""What a source is taken for: of each of our columns the expression that gives it, and why."""

from __future__ import annotations

from dataclasses import dataclass, field

from customer_value.guided_start.input_names import OurColumn
from customer_value.guided_start.profiling import Source


@dataclass(frozen=True)
class Choice:
    """An expression that may be meant instead, and why. name: of another of our columns."""

    expression: str
    reason: str
    name: str = ""


@dataclass(frozen=True)
class Match:
    """One of our columns, the expression that gives it, and how sure that is.

    theirs: the columns that it reads; is_local: whether it is a time of day without a zone.
    """

    ours: OurColumn
    expression: str
    theirs: tuple[str, ...]
    confidence: float
    why: str
    note: str = ""
    choices: tuple[Choice, ...] = ()
    is_local: bool = False


@dataclass(frozen=True)
class Mapping:
    """What a source was recognised as. score: the evidence, comparable between inputs."""

    source: Source
    input_name: str
    matches: tuple[Match, ...]
    missing: tuple[str, ...]
    score: float
    remarks: tuple[str, ...] = field(default=())

    @property
    def has_local_times(self) -> bool:
        """Whether it holds times of day without a zone."""
        return any(match.is_local for match in self.matches)

    def expression(self, name: str) -> str | None:
        """The expression of one of our columns, or None."""
        return next((match.expression for match in self.matches if match.ours.name == name), None)
