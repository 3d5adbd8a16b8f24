"""The columns that an imputation reads and the steps that it takes, as DuckDB projections.

A fitted IterativeImputer whose estimators are linear is a sequence of affine steps. Each becomes
one projection over the one before, so the engine applies it in a stream, row by row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from duckdb import DuckDBPyRelation as Relation

from customer_value.errors import SentenceError

# A text column is its most frequent levels; all others together are the level that has no flag.
MAXIMUM_LEVELS = 10
MINIMUM_LEVEL_ROWS = 20
# Levels stand in the SQL as literals: a longer one is free text and counts among the others.
MAXIMUM_LEVEL_LENGTH = 200
# Beyond this a double no longer holds the cents of an amount, and decimal(18, 2) soon ends.
LARGEST_AMOUNT = 1e13
# Squares of anything larger could leave the range of doubles.
LARGEST_PREDICTOR = 1e100

SECONDS_PER_DAY = 86400
DAYS_PER_WEEK = 7

NUMBER_TYPES = frozenset(
    {
        "tinyint",
        "smallint",
        "integer",
        "bigint",
        "hugeint",
        "utinyint",
        "usmallint",
        "uinteger",
        "ubigint",
        "uhugeint",
        "float",
        "double",
        "decimal",
        "boolean",
    }
)
TIME_TYPES = frozenset(
    {
        "date",
        "timestamp",
        "timestamp_s",
        "timestamp_ms",
        "timestamp_ns",
        "timestamp with time zone",
    }
)

Scale = Literal["plain", "log", "signed_log"]


class ImputationError(SentenceError):
    """What was asked for can't be imputed, or the engine does not give what was fitted."""


@dataclass(frozen=True)
class Column:
    """One column that the imputation reads.

    Attributes:
        label: what it is, for people.
        sql: its value as a double over the user's relation; null where it is not known.
        is_number: whether it holds amounts or counts, whose scale is to be chosen.
    """

    label: str
    sql: str
    is_number: bool = False


def quoted(name: str) -> str:
    """A name as a SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: float) -> str:
    """A number as a SQL double: without an exponent DuckDB would read a decimal."""
    text = repr(float(value))
    return text if "e" in text else f"{text}e0"


def actual_names(relation: Relation, asked: Sequence[str]) -> list[str]:
    """The relation's own spelling of the columns that were asked for.

    Raises:
        ImputationError: one of them is not there.
    """
    by_lower = {name.lower(): name for name in relation.columns}
    missing = [name for name in asked if name.lower() not in by_lower]
    if missing:
        raise ImputationError(
            f"Missing values were to be predicted with columns that are not there: "
            f"{', '.join(missing)}. There are: {', '.join(relation.columns)}."
        )
    return [by_lower[name.lower()] for name in asked]


def target_column(relation: Relation, name: str) -> Column:
    """A target: amounts so large that a double loses their cents are known but not learnt from.

    Raises:
        ImputationError: the column does not hold numbers.
    """
    kind = _types(relation)[name]
    if kind not in NUMBER_TYPES - {"boolean"}:
        raise ImputationError(
            f"The column {name} holds {kind}, and only numbers are predicted. "
            "Write mode or reject for it in missing_values."
        )
    return Column(name, _number(name, LARGEST_AMOUNT), is_number=True)


def is_missing(name: str) -> str:
    """Whether a target is to be filled: null, and what is no number, are both not known."""
    return f"({quoted(name)} is null or not isfinite({quoted(name)}::double))"


def predictor_columns(relation: Relation, name: str) -> list[Column]:
    """A predictor as numbers: itself, or what its time or its levels say."""
    kind = _types(relation)[name]
    if kind in NUMBER_TYPES:
        return [Column(name, _number(name, LARGEST_PREDICTOR), is_number=kind != "boolean")]
    if kind in TIME_TYPES:
        return _time_columns(name)
    return _level_columns(relation, name)


def _number(name: str, largest: float) -> str:
    number = f"{quoted(name)}::double"
    # No number is greater than all numbers in DuckDB, and infinity is too.
    return f"case when abs({number}) < {literal(largest)} then {number} end"


def _types(relation: Relation) -> dict[str, str]:
    return {name: str(kind.id) for name, kind in zip(relation.columns, relation.types, strict=True)}


def _time_columns(name: str) -> list[Column]:
    """Day, weekday and hour, by arithmetic on UTC seconds: no session's time zone enters."""
    seconds = f"case when isfinite({quoted(name)}) then epoch({quoted(name)}) end"
    day = f"floor(({seconds}) / {SECONDS_PER_DAY}e0)"
    turn = f"2e0 * pi() * (({seconds}) / {SECONDS_PER_DAY}e0 - {day})"
    # The first of January 1970 was a Thursday: 3 days after a Monday. Days before it are negative.
    weekday = f"({day} + 3e0 - {DAYS_PER_WEEK}e0 * floor(({day} + 3e0) / {DAYS_PER_WEEK}e0))"
    names = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    return [
        Column(f"{name}: day", day),
        *(
            Column(f"{name}: {weekday_name}", _flag(f"{weekday} = {number}"))
            for number, weekday_name in enumerate(names)
        ),
        # Hours lie on a circle: 23 is as near to 0 as 1 is.
        Column(f"{name}: hour, sine", f"coalesce(sin({turn}), 0e0)"),
        Column(f"{name}: hour, cosine", f"coalesce(cos({turn}), 0e0)"),
    ]


def _level_columns(relation: Relation, name: str) -> list[Column]:
    text = f"{quoted(name)}::varchar"
    levels = (
        relation.project(f"{text} as level")
        .filter(
            f"level is not null and length(level) <= {MAXIMUM_LEVEL_LENGTH} "
            "and not contains(level, chr(0))"
        )
        .aggregate("level, count(*) as row_count", "level")
        .filter(f"row_count >= {MINIMUM_LEVEL_ROWS}")
        .order("row_count desc, level")
        .limit(MAXIMUM_LEVELS)
        .fetchall()
    )
    return [
        *(
            Column(f"{name}: {level}", _flag(f"{text} = '{level.replace(chr(39), chr(39) * 2)}'"))
            for level, _ in levels
        ),
        Column(f"{name}: not known", _flag(f"{quoted(name)} is null")),
    ]


def _flag(condition: str) -> str:
    return f"case when {condition} then 1e0 else 0e0 end"


def working(value: str, scale: Scale, lowest: float, highest: float) -> str:
    """A value on its working scale, within the range that was fitted on; null stays null."""
    # least and greatest pass over nulls, so a null would become the end of the range.
    within = f"case when {value} is not null then {clipped(value, lowest, highest)} end"
    if scale == "log":
        return f"ln({within})"
    if scale == "signed_log":
        return f"sign({within}) * ln(1e0 + abs({within}))"
    return within


def from_working(value: str, scale: Scale) -> str:
    """The way back from a working scale."""
    if scale == "log":
        return f"exp({value})"
    if scale == "signed_log":
        return f"sign({value}) * (exp(abs({value})) - 1e0)"
    return value


def clipped(value: str, lowest: float, highest: float) -> str:
    """A value, or the end of the range that it lies beyond."""
    return f"least({literal(highest)}, greatest({literal(lowest)}, {value}))"


def affine(intercept: float, coefficients: Sequence[float], names: Sequence[str]) -> str:
    """An affine expression, its terms paired like a tree: a chain could be nested too deeply."""
    terms = [literal(intercept)] + [
        f"{literal(coefficient)} * {name}"
        for coefficient, name in zip(coefficients, names, strict=True)
        if coefficient != 0
    ]
    while len(terms) > 1:
        pairs = [terms[start : start + 2] for start in range(0, len(terms), 2)]
        terms = [f"({' + '.join(pair)})" for pair in pairs]
    return terms[0]


def steps_of(
    sequence: Sequence[Any], lowest: Sequence[float], highest: Sequence[float], prefix: str
) -> list[str]:
    """A fitted imputer's sequence as projections, each over the one before.

    Args:
        sequence: imputation_sequence_ of an IterativeImputer of linear estimators over the
            columns <prefix>z_0, <prefix>z_1, …; where column n lacked a value, <prefix>x_n is
            null.
        lowest: per column, the least that the imputer lets itself predict.
        highest: per column, the most.
        prefix: keeps the columns of several imputers apart.
    """
    steps = []
    for position, neighbours, estimator in sequence:
        predicted = affine(
            float(estimator.intercept_),
            [float(coefficient) for coefficient in estimator.coef_],
            [f"{prefix}z_{neighbour}" for neighbour in neighbours],
        )
        within = clipped(predicted, lowest[position], highest[position])
        steps.append(
            f"* replace (case when {prefix}x_{position} is null then {within} "
            f"else {prefix}z_{position} end as {prefix}z_{position})"
        )
    return steps


def applied(relation: Relation, steps: Sequence[str]) -> Relation:
    """The relation after each projection in turn."""
    for step in steps:
        relation = relation.project(step)
    return relation
