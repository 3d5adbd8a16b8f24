"""What BigQuery says in another way than sqlglot does."""

from __future__ import annotations

from sqlglot import exp

from customer_value.dialects.common import call
from customer_value.dialects.errors import UntranslatableError
from customer_value.dialects.moving_medians import moving_medians_rule
from customer_value.dialects.shared import (
    filters_within,
    hexadecimal,
    integers_of,
    is_call,
    joined_without_nulls,
    json_rows_of,
    keys_of,
    time_read,
    units_added,
    writes_down_what_it_likes,
    written,
    zones_moved,
)

DIALECT = "bigquery"
MIDDLE = "(select percentile_cont(value, 0.5) over () from unnest({listed}) as value limit 1)"
DATETIME = exp.DataType.Type.TIMESTAMP  # as DuckDB's timestamp is called there


def _own(template: str, **operands: exp.Expr) -> exp.Expr:
    return written(template, DIALECT, **operands)


def reads_times(node: exp.Expr) -> exp.Expr:
    """There is no typeof; all times have a text that can be read, some with a zone of their own."""
    read = time_read(node)
    if read is None:
        return node
    return exp.Coalesce(
        this=call("DATETIME", call("SAFE.TIMESTAMP", _text(read.value), read.zone.copy())),
        expressions=[
            call(
                "DATETIME",
                exp.TryCast(this=_text(read.value), to=exp.DataType.build("timestamptz")),
                exp.Literal.string("UTC"),
            )
        ],
    )


def _text(node: exp.Expr) -> exp.Expr:
    return exp.cast(node.copy(), exp.DataType.Type.TEXT)


def moves_times(node: exp.Expr) -> exp.Expr:
    """From zone to zone; by a number of units; to the beginning of a unit; from one to another."""
    moved = zones_moved(node)
    if moved:
        time, source, target = moved
        return call("DATETIME", call("TIMESTAMP", time, source), target)
    added = units_added(node)
    if added:
        time, count, unit = added
        interval = exp.Interval(this=exp.paren(count.copy()), unit=exp.var(unit))
        return call("DATETIME_ADD", exp.cast(time.copy(), DATETIME), interval)
    if isinstance(node, exp.TimestampTrunc | exp.DateTrunc):
        unit = node.text("unit").upper()
        return call(
            "DATETIME_TRUNC",
            exp.cast(node.this.copy(), DATETIME),
            exp.var({"WEEK": "ISOWEEK"}.get(unit, unit)),
        )
    if isinstance(node, exp.DateDiff):
        return call(
            "DATETIME_DIFF",
            exp.cast(node.this.copy(), DATETIME),
            exp.cast(node.expression.copy(), DATETIME),
            exp.var(node.text("unit").upper() or "DAY"),
        )
    if isinstance(node, exp.Extract) and node.name.upper() == "DOY":
        node.set("this", exp.var("DAYOFYEAR"))
    return node


def orders_nulls_last(node: exp.Expr) -> exp.Expr:
    """Nulls come first where it goes up, and within windows nothing else can be said."""
    if not isinstance(node, exp.Order) or not isinstance(
        node.parent, exp.Window | exp.AggFunc | exp.WithinGroup | exp.GroupConcat
    ):
        return node
    ordered: list[exp.Expr] = []
    for part in node.expressions:
        is_descending = bool(part.args.get("desc"))
        is_first = bool(part.args.get("nulls_first"))
        if is_descending == is_first:
            is_null = exp.Is(this=part.this.copy(), expression=exp.Null())
            ordered.append(
                exp.Ordered(this=exp.paren(is_null), desc=is_first, nulls_first=not is_first)
            )
        ordered.append(
            exp.Ordered(this=part.this.copy(), desc=is_descending, nulls_first=not is_descending)
        )
    node.set("expressions", ordered)
    return node


def aggregates(node: exp.Expr) -> exp.Expr:
    """arg_max, and the middle of a group: of a list in order."""
    if is_call(node, "list_sum"):
        return exp.Subquery(
            this=exp.select("sum(item)").from_(
                exp.Unnest(
                    expressions=[node.expressions[0]],
                    alias=exp.TableAlias(columns=[exp.to_identifier("item")]),
                )
            )
        )
    if isinstance(node, exp.Filter) and isinstance(node.this, exp.ArgMax):
        return _largest(node.this, node.expression.this)
    if isinstance(node, exp.ArgMax) and not isinstance(node.parent, exp.Filter):
        return _largest(node, None)
    if isinstance(node, exp.WithinGroup):
        return _percentile(node)
    return node


def _largest(node: exp.ArgMax, condition: exp.Expr | None) -> exp.Expr:
    keys = keys_of(node.expression)
    # A tuple is there although a part of it is not, which is then more than any other.
    is_tuple = len(keys) > 1
    conditions = [] if condition is None else [condition.copy()]
    if not is_tuple:
        conditions.append(exp.Not(this=exp.Is(this=keys[0].copy(), expression=exp.Null())))
    wanted = node.this.copy()
    if conditions:
        wanted = exp.Case(ifs=[exp.If(this=exp.and_(*conditions), true=wanted)])
    count = node.args.get("count")
    names = [key.sql(DIALECT) for key in keys]
    order = ", ".join(
        f"({name} is null) desc, {name} desc" if is_tuple else f"{name} desc" for name in names
    )
    limit = count.name if count else "1"
    listed = _own(f"array_agg({wanted.sql(DIALECT)} ignore nulls order by {order} limit {limit})")
    if count:
        return listed
    return exp.Bracket(this=listed, expressions=[exp.Literal.number(0)], offset=0, safe=True)


def _percentile(node: exp.WithinGroup) -> exp.Expr:
    (ordered,) = node.expression.expressions
    share = node.this.this.name
    value = ordered.this.sql(DIALECT)
    listed = f"array_agg({value} ignore nulls order by {value})"
    if isinstance(node.this, exp.PercentileDisc):
        return _own(
            f"{listed}[safe_ordinal(cast(greatest(ceil({share} * count({value})), 1) as int64))]"
        )
    if share == "0.5":
        lower, upper = (
            f"{listed}[safe_ordinal(cast({side}((count({value}) + 1) / 2) as int64))]"
            for side in ("floor", "ceil")
        )
        return _own(f"(({lower} + {upper}) / 2)")
    raise UntranslatableError(f"{DIALECT}: percentile_cont of {share}")


def hashes(node: exp.Expr) -> exp.Expr:
    """Hashes, and numbers of hexadecimal digits."""
    if is_call(node, "hash"):
        (first, *others) = node.expressions
        if not others:
            return call("FARM_FINGERPRINT", first.copy())
        return call("FARM_FINGERPRINT", call("TO_JSON_STRING", call("STRUCT", first, *others)))
    digits = hexadecimal(node)
    if digits:
        return _own("cast(concat('0x', :digits) as int64)", digits=digits[0])
    if isinstance(node, exp.SHA2):
        return call("TO_HEX", call("SHA256", node.this))
    return node


def texts(node: exp.Expr) -> exp.Expr:
    """Texts: their length in bytes, their parts, joined to one; of an object in JSON."""
    if is_call(node, "strlen"):
        return call("BYTE_LENGTH", *node.expressions)
    joined = joined_without_nulls(node)
    if joined:
        separator, parts = joined
        return call("ARRAY_TO_STRING", exp.Array(expressions=parts), exp.Literal.string(separator))
    if isinstance(node, exp.SplitPart):
        return _own(
            "coalesce(split(:text, :separator)[safe_ordinal(:number)], '')",
            text=node.this,
            separator=node.args["delimiter"],
            number=node.args["part_index"],
        )
    if isinstance(node, exp.Cast) and isinstance(node.this, exp.JSONObject):
        return call("TO_JSON_STRING", node.this)
    return node


def leaves_nulls_out(node: exp.Expr) -> exp.Expr:
    """Of greatest and least, which BigQuery has null as soon as one is."""
    if not isinstance(node, exp.Greatest | exp.Least):
        return node
    parts = [node.this, *node.expressions]
    sure = next((part for part in parts if isinstance(part, exp.Literal)), None)
    if sure is None and len(parts) == 2:
        pairs = [(parts[0], parts[1]), (parts[1], parts[0])]
    elif sure is not None:
        pairs = [(part, sure) for part in parts]
    else:
        pairs = [
            (part, exp.Coalesce(this=parts[0].copy(), expressions=[p.copy() for p in parts[1:]]))
            for part in parts
        ]
    first, *others = (
        part.copy()
        if isinstance(part, exp.Literal)
        else exp.Coalesce(this=part.copy(), expressions=[other.copy()])
        for part, other in pairs
    )
    return type(node)(this=first, expressions=others)


def lists_integers(node: exp.Expr) -> exp.Expr:
    """Whole numbers: `select unnest(generate_series(...)) as name`."""
    integers = integers_of(node)
    if integers is None:
        return node
    name, first, last = integers
    select = exp.select(name)
    return select.from_(
        exp.Unnest(
            expressions=[call("GENERATE_ARRAY", first, last)],
            alias=exp.TableAlias(columns=[exp.to_identifier(name)]),
        )
    )


def lists_objects(node: exp.Expr) -> exp.Expr:
    """The objects of a JSON array as rows."""
    for rows in json_rows_of(node):
        path = exp.Literal.string(".".join(("$", *rows.path)))
        rows.join.set(
            "this",
            exp.Unnest(
                expressions=[call("JSON_EXTRACT_ARRAY", rows.text, path)],
                alias=exp.TableAlias(columns=[exp.to_identifier(rows.alias)]),
            ),
        )
        for column in rows.columns:
            kind = exp.DataType.build(rows.fields[column.name], dialect="duckdb")
            field = call(
                "JSON_EXTRACT_SCALAR",
                exp.column(rows.alias),
                exp.Literal.string(f"$.{column.name}"),
            )
            column.replace(exp.cast(field, kind))
    return node


RULES = (
    writes_down_what_it_likes,
    reads_times,
    lists_objects,
    lists_integers,
    moving_medians_rule(DIALECT, MIDDLE),
    aggregates,
    orders_nulls_last,
    filters_within,
    moves_times,
    hashes,
    texts,
    leaves_nulls_out,
)
