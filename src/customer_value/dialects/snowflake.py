"""What Snowflake says in another way than sqlglot does."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from customer_value.dialects.common import call
from customer_value.dialects.errors import UntranslatableError
from customer_value.dialects.shared import (
    compares_with_nan,
    filters_within,
    hexadecimal,
    integers_of,
    is_call,
    is_moving_median,
    joined_without_nulls,
    json_rows_of,
    keys_of,
    time_read,
    units_added,
    writes_down_what_it_likes,
    written,
    zones_moved,
)

DIALECT = "snowflake"
TEXT = exp.DataType.Type.TEXT

# A time of any type as text, which ends in its offset if it has one.
TIME_READ = """
case
    when regexp_like(
        cast(:value as varchar), '.*:[0-9]{2}([.][0-9]+)? ?([zZ]|[+-][0-9]{2}:?[0-9]{2})'
    )
        then cast(
            convert_timezone('UTC', try_to_timestamp_tz(cast(:value as varchar))) as timestamp_ntz
        )
    else convert_timezone(:zone, 'UTC', try_to_timestamp_ntz(cast(:value as varchar)))
end
"""


def _own(template: str, **operands: exp.Expr) -> exp.Expr:
    return written(template, DIALECT, **operands)


def times(node: exp.Expr) -> exp.Expr:
    """Times: read, moved from zone to zone, moved by a number of units."""
    read = time_read(node)
    if read:
        return _own(TIME_READ, value=read.value, zone=read.zone)
    moved = zones_moved(node)
    if moved:
        time, source, target = moved
        return call("CONVERT_TIMEZONE", source, target, time)
    added = units_added(node)
    if added:
        time, count, unit = added
        # Of a date with days Snowflake makes a date, DuckDB a time.
        time = exp.cast(time.copy(), exp.DataType.Type.TIMESTAMP)
        return call("DATEADD", exp.var(unit), count.copy(), time)
    return node


def tries_casts(node: exp.Expr) -> exp.Expr:
    """Only text can be tried."""
    if isinstance(node, exp.TryCast):
        return exp.TryCast(this=exp.cast(node.this.copy(), TEXT), to=node.to.copy())
    return node


def aggregates(node: exp.Expr) -> exp.Expr:
    """arg_max leaves out rows that have nothing to give."""
    if is_call(node, "list_sum"):
        return _own(
            "nullif(reduce(:listed, 0, (total, item) -> total + item), 0)",
            listed=node.expressions[0],
        )
    if isinstance(node, exp.ArgMax):
        (key, *others) = keys_of(node.expression)
        if others:
            return _first_by((key, *others), node.this)
        condition: exp.Expr = exp.Not(this=exp.Is(this=node.this.copy(), expression=exp.Null()))
        if isinstance(node.parent, exp.Filter):
            condition = exp.and_(condition, node.parent.expression.this.copy())
            node.parent.set("expression", exp.Where(this=exp.true()))
        node.set("expression", exp.Case(ifs=[exp.If(this=condition, true=key.copy())]))
    if isinstance(node, exp.Filter) and isinstance(node.this, exp.ArgMax):
        return node.this
    if is_moving_median(node):
        raise UntranslatableError(f"{DIALECT}: median over a frame")
    return node


def _first_by(keys: Sequence[exp.Expr], value: exp.Expr) -> exp.Expr:
    """Of several keys the largest: the first of a list in order, which leaves out what is null.

    A key that is not there is more than any other.
    """
    order = ", ".join(f"{key.sql(DIALECT)} desc nulls first" for key in keys)
    return _own(f"get(array_agg({value.sql(DIALECT)}) within group (order by {order}), 0)")


def functions(node: exp.Expr) -> exp.Expr:
    """Hashes, texts, numbers, JSON, and what stops a query."""
    digits = hexadecimal(node)
    if digits:
        return _own("to_number(:digits, 'XXXXXXXX')", digits=digits[0])
    if is_call(node, "strlen"):
        return call("OCTET_LENGTH", *node.expressions)
    joined = joined_without_nulls(node)
    if joined:
        separator, parts = joined
        listed = call("ARRAY_CONSTRUCT_COMPACT", *parts)
        return call("ARRAY_TO_STRING", listed, exp.Literal.string(separator))
    if is_call(node, "error"):
        # What it is cast to it is not, which Snowflake says with the sentence itself.
        return _own("(:sentence || left(to_varchar(random()), 0))", sentence=node.expressions[0])
    return node


def lists_integers(node: exp.Expr) -> exp.Expr:
    """Whole numbers: `select unnest(generate_series(...)) as name`."""
    integers = integers_of(node)
    if integers is None:
        return node
    name, first, last = integers
    return _own(
        f"select cast(numbers.value as bigint) as {name} "
        "from table(flatten(input => array_generate_range(:first, :last + 1))) as numbers",
        first=first,
        last=last,
    )


def lists_objects(node: exp.Expr) -> exp.Expr:
    """The objects of a JSON array as rows."""
    for rows in json_rows_of(node):
        path = "".join(f":{key}" for key in rows.path)
        text = rows.text.sql(DIALECT)
        template = (
            f"select 1 from t, lateral flatten(input => parse_json({text}){path}) as {rows.alias}"
        )
        (flattened,) = _own(template).args["joins"]
        rows.join.replace(flattened)
        for column in rows.columns:
            kind = exp.DataType.build(rows.fields[column.name], dialect="duckdb").sql(DIALECT)
            column.replace(_own(f"cast(get({rows.alias}.value, '{column.name}') as {kind})"))
    return node


RULES = (
    writes_down_what_it_likes,
    times,
    lists_objects,
    lists_integers,
    tries_casts,
    aggregates,
    filters_within,
    compares_with_nan,
    functions,
)
