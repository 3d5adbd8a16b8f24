"""What Redshift says in another way than sqlglot does, and the much that it doesn't say."""

from __future__ import annotations

from sqlglot import exp

from customer_value.dialects.common import as_double, call
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
    time_read,
    units_added,
    writes_down_what_it_likes,
    written,
    zones_moved,
)

DIALECT = "redshift"

# A time of any type as text, which ends in its offset if it has one.
TIME_READ = """
case
    when cast(:value as varchar) ~ ':[0-9]{2}([.][0-9]+)? ?([zZ]|[+-][0-9]{2}(:?[0-9]{2})?)$'
        then convert_timezone(
            'UTC', cast(try_cast(cast(:value as varchar) as timestamptz) as timestamp)
        )
    else convert_timezone(:zone, 'UTC', try_cast(cast(:value as varchar) as timestamp))
end
"""
# A hash of a text: fifteen hexadecimal digits fit into a bigint.
HASH = "strtol(substring(md5(:text), 1, 15), 16)"
DIGITS = 6


def _own(template: str, **operands: exp.Expr) -> exp.Expr:
    return written(template, DIALECT, **operands)


def _refuse(node: exp.Expr) -> exp.Expr:
    raise UntranslatableError(f"{DIALECT}: {node.sql('duckdb')}")


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
        return call("DATEADD", exp.var(unit), count.copy(), time.copy())
    return node


def refuses(node: exp.Expr) -> exp.Expr:
    """Aggregates and windows that there are not."""
    if isinstance(node, exp.ArgMax | exp.PercentileDisc):
        return _refuse(node)
    if is_call(node, "list_sum"):
        return _refuse(node)
    if is_moving_median(node):
        return _refuse(node)
    if json_rows_of(node):
        raise UntranslatableError(f"{DIALECT}: from_json, whose objects become rows")
    return node


def orders(node: exp.Expr) -> exp.Expr:
    """Texts are joined in an order; of sums and means it changes the last bits alone."""
    if isinstance(node, exp.GroupConcat) and isinstance(node.this, exp.Order):
        order = node.this
        listed = exp.GroupConcat(this=order.this.copy(), separator=node.args.get("separator"))
        order.set("this", None)
        return exp.WithinGroup(this=listed, expression=order)
    if isinstance(node, exp.Sum | exp.Avg) and isinstance(node.this, exp.Order):
        node.set("this", node.this.this)
    return node


def frames(node: exp.Expr) -> exp.Expr:
    """An aggregate over an order needs its frame said, and it may only be one of rows.

    Without one it is of all rows up to the last that is equal in order. Those are the same where
    no two are equal; whether that is so a query doesn't say.
    """
    if not isinstance(node, exp.Window) or not node.args.get("order") or node.args.get("spec"):
        return node
    if isinstance(node.this, exp.Sum | exp.Count | exp.Min | exp.Max | exp.Avg):
        return _refuse(node)
    return node


def hashes(node: exp.Expr) -> exp.Expr:
    """Hashes, and numbers of hexadecimal digits."""
    if is_call(node, "hash"):
        parts = [
            f"coalesce(cast({part.sql(DIALECT)} as varchar) || '+', '-')"
            for part in node.expressions
        ]
        return _own(HASH, text=_own(" || chr(31) || ".join(parts)))
    digits = hexadecimal(node)
    if digits:
        return _own("strtol(:digits, 16)", digits=digits[0])
    return node


def texts(node: exp.Expr) -> exp.Expr:
    """Texts: their length in bytes, joined to one; of JSON."""
    if is_call(node, "strlen"):
        return call("OCTET_LENGTH", *node.expressions)
    joined = joined_without_nulls(node)
    if joined:
        separator, parts = joined
        text = " || ".join(f"coalesce('{separator}' || {part.sql(DIALECT)}, '')" for part in parts)
        return _own(f"substring({text}, {len(separator) + 1})")
    if isinstance(node, exp.JSONExtractScalar):
        path = ", ".join(f"'{part.this}'" for part in node.expression.expressions[1:])
        return _own(f"nullif(json_extract_path_text(:text, {path}, true), '')", text=node.this)
    if isinstance(node, exp.JSONObject):
        pairs = [
            part
            for pair in node.expressions
            for part in (exp.Literal.string(pair.this.this), pair.expression)
        ]
        return call("JSON_SERIALIZE", call("OBJECT", *pairs))
    return node


def numbers(node: exp.Expr) -> exp.Expr:
    """Logarithms, and what stops a query."""
    if isinstance(node, exp.Log) and node.expression:
        return _own(
            "(ln(:number) / ln(:base))",
            number=as_double(node.expression),
            base=as_double(node.this),
        )
    if is_call(node, "error"):
        # A text is no number, which Redshift says with the text itself.
        return _own(
            "cast(:sentence || left(cast(random() as varchar), 0) as int)",
            sentence=node.expressions[0],
        )
    return node


def lists_integers(node: exp.Expr) -> exp.Expr:
    """Whole numbers: there are no lists, so they are made of digits, up to a million."""
    integers = integers_of(node)
    if integers is None:
        return node
    name, first, last = integers
    digits = " union all ".join(f"select {digit} as digit" for digit in range(10))
    number = " + ".join(f"{10**place} * d{place}.digit" for place in range(DIGITS))
    tables = " cross join ".join(f"digits as d{place}" for place in range(DIGITS))
    return _own(
        f"with digits as ({digits}) select cast(:first + {number} as bigint) as {name} "
        f"from {tables} where :first + {number} <= :last",
        first=first,
        last=last,
    )


RULES = (
    writes_down_what_it_likes,
    times,
    orders,
    refuses,
    frames,
    lists_integers,
    filters_within,
    compares_with_nan,
    hashes,
    texts,
    numbers,
)
