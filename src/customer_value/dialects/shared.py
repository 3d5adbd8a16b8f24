"""Rules that several warehouses need, but not all."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import sqlglot
from sqlglot import exp

from customer_value.dialects.common import DOUBLE, as_double, is_text_of
from customer_value.dialects.errors import UntranslatableError

Rule = Callable[[exp.Expr], exp.Expr]

# What a text must look like to be a value for DuckDB. Others take more for one: tomorrow, 2024 or
# 12:30 for a time, 1/2/2024 for one by habits of their own, NaN for a decimal, 5d for a number.
NUMBER = "([0-9]+(_[0-9]+)*[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?"
PATTERNS = {
    "double": rf"(?i)^\s*[+-]?({NUMBER}|inf(inity)?|nan)\s*$",
    "number": rf"^\s*[+-]?{NUMBER}\s*$",
    "time": (
        r"(?i)^\s*([0-9]{4,}[-/][0-9]{1,2}[-/][0-9]{1,2}(\s*$|[T ]\s*[0-9]{1,2}:[0-9]{1,2})"
        r"|-?infinity\s*$)"
    ),
}


def text_pattern(data_type: exp.DataType) -> str | None:
    """The regular expression of a type's values as text; none where nothing is known of it."""
    if data_type.is_type(DOUBLE):
        return PATTERNS["double"]
    if data_type.is_type(*exp.DataType.NUMERIC_TYPES):
        return PATTERNS["number"]
    if data_type.is_type(*exp.DataType.TEMPORAL_TYPES):
        return PATTERNS["time"]
    return None


def filters_within(node: exp.Expr) -> exp.Expr:
    """A case within the aggregate instead of `filter (where ...)`."""
    if not isinstance(node, exp.Filter):
        return node
    aggregate: exp.Expr = node.this
    condition = node.expression.this
    argument = aggregate.this
    if isinstance(aggregate, exp.Count) and isinstance(argument, exp.Star):
        aggregate.set("this", _if(condition, exp.Literal.number(1)))
    elif isinstance(argument, exp.Distinct):
        (counted,) = argument.expressions
        argument.set("expressions", [_if(condition, counted.copy())])
    else:
        aggregate.set("this", _if(condition, argument.copy()))
    return aggregate


def writes_down_what_it_likes(node: exp.Expr) -> exp.Expr:
    """DuckDB and Postgres are told what not to write down; others have no word for it."""
    if isinstance(node, exp.CTE):
        node.set("materialized", None)
    return node


def _if(condition: exp.Expr, value: exp.Expr) -> exp.Case:
    return exp.Case(ifs=[exp.If(this=condition.copy(), true=value)])


def units_added(node: exp.Expr) -> tuple[exp.Expr, exp.Expr, str] | None:
    """Of `time + count * interval 1 unit`: the time, the count, the unit; of anything else none."""
    if not isinstance(node, exp.Add) or not isinstance(node.expression, exp.Mul):
        return None
    count, interval = node.expression.this, node.expression.expression
    if not isinstance(interval, exp.Interval) or interval.name != "1":
        return None
    return node.this, count, interval.text("unit").upper()


def no_intervals_left(dialect: str) -> Rule:
    """Whoever adds intervals in another way than by units_added is told."""

    def checked(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Interval) and not isinstance(
            node.parent, exp.DateAdd | exp.Anonymous
        ):
            raise UntranslatableError(f"{dialect}: {node.parent and node.parent.sql('duckdb')}")
        return node

    return checked


def hexadecimal(node: exp.Expr) -> tuple[exp.Expr, exp.DataType] | None:
    """Of `cast('0x' || digits as bigint)`: the digits, and the type."""
    if isinstance(node, exp.Cast) and is_text_of(node.this, "0x"):
        return node.this.expression, node.to
    return None


def is_call(node: exp.Expr, name: str) -> bool:
    """Whether it is a function that sqlglot has no class of its own for."""
    return isinstance(node, exp.Anonymous) and node.name.lower() == name


def is_moving_median(node: exp.Expr) -> bool:
    """Whether it is a median over a frame of rows."""
    return (
        isinstance(node, exp.Window)
        and isinstance(node.this, exp.Median)
        and bool(node.args.get("order"))
    )


def compares_with_nan(node: exp.Expr) -> exp.Expr:
    """Of isnan, for who has none: there a number that is none equals itself."""
    if not isinstance(node, exp.IsNan):
        return node
    nan = exp.cast(exp.Literal.string("NaN"), DOUBLE)
    return exp.Paren(this=exp.EQ(this=as_double(node.this), expression=nan))


@dataclass(frozen=True)
class ReadTime:
    """What to_utc_timestamp says: a time of any type, and the zone of those that have none."""

    value: exp.Expr
    zone: exp.Expr


def time_read(node: exp.Expr) -> ReadTime | None:
    """The case over typeof that the macro to_utc_timestamp writes."""
    if not isinstance(node, exp.Case) or not node.args["ifs"]:
        return None
    first = node.args["ifs"][0].this
    if not isinstance(first, exp.In) or not isinstance(first.this, exp.Typeof):
        return None
    # Of text: its own words with the zone behind them, which is where the zone is told.
    joined = next(node.args["default"].find_all(exp.TryCast)).this
    return ReadTime(first.this.this.copy(), joined.expression.copy())


def zones_moved(
    node: exp.Expr,
) -> tuple[exp.Expr, exp.Expr, exp.Expr] | None:
    """Of `timezone(to, timezone(from, time))`: the time, and both zones."""
    if not is_call(node, "timezone"):
        return None
    to, inner = node.expressions
    if not is_call(inner, "timezone"):
        return None
    source, time = inner.expressions
    return time.copy(), source.copy(), to.copy()


def integers_of(node: exp.Expr) -> tuple[str, exp.Expr, exp.Expr] | None:
    """Of `select unnest(generate_series(first, last)) as name`: the name, the first, the last."""
    if not isinstance(node, exp.Select) or len(node.expressions) != 1 or node.args.get("from_"):
        return None
    (projection,) = node.expressions
    if not isinstance(projection.unalias(), exp.Explode):
        return None
    series = projection.unalias().this
    if not isinstance(series, exp.GenerateSeries):
        return None
    return projection.alias, series.args["start"].copy(), series.args["end"].copy()


@dataclass(frozen=True)
class JsonRows:
    """What json_rows says: the join, the text and the array's place in it, its fields' types."""

    join: exp.Join
    text: exp.Expr
    path: tuple[str, ...]
    fields: dict[str, str]
    alias: str
    columns: list[exp.Column]


def json_rows_of(node: exp.Expr) -> list[JsonRows]:
    """Each join with `unnest(from_json(...)) as objects (object)`, and what reads it."""
    if not isinstance(node, exp.Select):
        return []
    found = []
    for join in node.args.get("joins") or ():
        if isinstance(join.this, exp.Unnest) and isinstance(join.this.expressions[0], exp.FromJson):
            parsed = join.this.expressions[0]
            alias = join.this.args["alias"]
            columns = [
                column
                for column in node.find_all(exp.Column)
                if column.table == alias.columns[0].name and column.text("db") == alias.name
            ]
            array = parsed.this
            path = tuple(part.this for part in array.expression.expressions[1:])
            (fields,) = json.loads(parsed.expression.name)
            found.append(JsonRows(join, array.this.copy(), path, fields, alias.name, columns))
    return found


def keys_of(key: exp.Expr) -> list[exp.Expr]:
    """The parts of what rows are ordered by: of a tuple or a struct, each."""
    parts = list(key.expressions) if isinstance(key, exp.Tuple | exp.Struct) else [key]
    return [part.expression if isinstance(part, exp.PropertyEQ) else part for part in parts]


def joined_without_nulls(node: exp.Expr) -> tuple[str, list[exp.Expr]] | None:
    """Of concat_ws: its separator, and what it joins, of which nulls are left out."""
    if not isinstance(node, exp.ConcatWs):
        return None
    separator, *parts = node.expressions
    return separator.name, parts


def written(template: str, dialect: str, **operands: exp.Expr) -> exp.Expr:
    """An expression in a dialect's own words, with what stands for :name."""
    expression = sqlglot.parse_one(template, read=dialect)
    copies = {name: _wrapped(operand.copy()) for name, operand in operands.items()}
    return exp.replace_placeholders(expression, **copies)


def _wrapped(node: exp.Expr) -> exp.Expr:
    return exp.paren(node, copy=False) if isinstance(node, exp.Binary | exp.Connector) else node
