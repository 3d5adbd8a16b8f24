"""What PostgreSQL says in another way than sqlglot does; version 16 or later."""

from __future__ import annotations

from sqlglot import exp

from customer_value.dialects.common import DOUBLE, as_double, call, is_exact
from customer_value.dialects.errors import UntranslatableError
from customer_value.dialects.moving_medians import moving_medians_rule
from customer_value.dialects.qualify import qualify_rule
from customer_value.dialects.shared import (
    hexadecimal,
    is_call,
    json_rows_of,
    keys_of,
    text_pattern,
    written,
)

DIALECT = "postgres"
TEXT = exp.DataType.Type.TEXT

# As pg_typeof calls what DuckDB's typeof does.
TYPE_NAMES = {
    "TIMESTAMP": "timestamp without time zone",
    "TIMESTAMP_S": "timestamp without time zone",
    "TIMESTAMP_MS": "timestamp without time zone",
    "TIMESTAMP_NS": "timestamp without time zone",
    "TIMESTAMP WITH TIME ZONE": "timestamp with time zone",
    "DATE": "date",
}

MIDDLE = (
    "(select percentile_cont(0.5) within group (order by cast(value as double precision)) "
    "from unnest({listed}) as listed_values (value))"
)


def tries_casts(node: exp.Expr) -> exp.Expr:
    """try_cast: asked first whether the text of it is one."""
    if not isinstance(node, exp.TryCast):
        return node
    if node.to.is_type(*exp.DataType.INTEGER_TYPES):
        # DuckDB rounds what is no whole number, PostgreSQL doesn't read it.
        raise UntranslatableError(f"{DIALECT}: {node.sql('duckdb')}")
    given = exp.cast(node.this, TEXT)
    # Of thousands set off by _ it knows in decimals alone.
    text = (
        call("replace", given, exp.Literal.string("_"), exp.Literal.string(""))
        if node.to.is_type(DOUBLE)
        else given
    )
    condition: exp.Expr = call(
        "pg_input_is_valid", text.copy(), exp.Literal.string(node.to.sql(DIALECT))
    )
    pattern = text_pattern(node.to)
    if pattern:
        condition = exp.and_(
            exp.RegexpLike(this=given.copy(), expression=exp.Literal.string(pattern)), condition
        )
    value: exp.Expr = exp.cast(text, node.to.copy())
    if node.to.is_type(exp.DataType.Type.DECIMAL) and node.to.expressions:
        is_double = exp.EQ(
            this=exp.cast(call("pg_typeof", node.this.copy()), TEXT),
            expression=exp.Literal.string("double precision"),
        )
        rounded = _rounded(exp.cast(text.copy(), DOUBLE), _scale(node.to))
        value = exp.Case(
            ifs=[exp.If(this=is_double, true=exp.cast(rounded, node.to.copy()))], default=value
        )
    return exp.Case(ifs=[exp.If(this=condition, true=value)])


def _scale(decimal: exp.DataType) -> int:
    return int(decimal.expressions[1].name) if len(decimal.expressions) > 1 else 0


def names_types(node: exp.Expr) -> exp.Expr:
    """typeof, compared with the names of types."""
    if not isinstance(node, exp.Typeof):
        return node
    compared = node.parent
    if not isinstance(compared, exp.In | exp.EQ):
        raise UntranslatableError(f"{DIALECT}: typeof, compared with nothing")
    for literal in compared.expressions or [compared.expression]:
        if literal.name not in TYPE_NAMES:
            raise UntranslatableError(f"{DIALECT}: typeof compared with {literal.name}")
        literal.set("this", TYPE_NAMES[literal.name])
    return exp.cast(call("pg_typeof", node.this), TEXT)


def hashes(node: exp.Expr) -> exp.Expr:
    """hash, md5's digits as a number, and SHA-256."""
    if is_call(node, "hash"):
        # As a row, whose text tells null from an empty text, and where one value ends.
        row = exp.cast(call("row", *node.expressions), TEXT)
        return call("hashtextextended", row, exp.Literal.number(0))
    if isinstance(node, exp.SHA2):
        return call(
            "encode",
            call("sha256", call("convert_to", node.this, exp.Literal.string("UTF8"))),
            exp.Literal.string("hex"),
        )
    found = hexadecimal(node)
    if found:
        digits, to = found
        bits = "cast(cast('x' || lpad(:digits, 16, '0') as bit(64)) as bigint)"
        return exp.cast(written(bits, DIALECT, digits=digits), to.copy())
    return node


def takes_the_largest(node: exp.Expr) -> exp.Expr:
    """max_by, of one or of several rows; max of several."""
    if isinstance(node, exp.Filter) and isinstance(node.this, exp.ArgMax):
        return _largest(node.this, node.expression.this)
    if isinstance(node, exp.ArgMax) and not isinstance(node.parent, exp.Filter):
        return _largest(node, None)
    if isinstance(node, exp.Max) and node.args.get("count"):
        count = node.args["count"]
        ordered = exp.Order(
            this=node.this, expressions=[exp.Ordered(this=node.this.copy(), desc=True)]
        )
        return _first_of(ordered, [_is_there(node.this)], count)
    return node


def _largest(node: exp.ArgMax, condition: exp.Expr | None) -> exp.Expr:
    keys = keys_of(node.expression)
    # A tuple is there although a part of it is not, which is then more than any other.
    is_tuple = len(keys) > 1
    ordered = exp.Order(
        this=node.this,
        expressions=[
            exp.Ordered(this=part.copy(), desc=True, nulls_first=is_tuple) for part in keys
        ],
    )
    conditions = [_is_there(node.this)]
    if not is_tuple:
        conditions.append(_is_there(keys[0]))
    if condition is not None:
        conditions.insert(0, condition)
    return _first_of(ordered, conditions, node.args.get("count"))


def _is_there(node: exp.Expr) -> exp.Expr:
    return exp.Not(this=exp.Is(this=node.copy(), expression=exp.Null()))


def _first_of(ordered: exp.Order, conditions: list[exp.Expr], count: exp.Expr | None) -> exp.Expr:
    listed = exp.Paren(
        this=exp.Filter(
            this=call("array_agg", ordered),
            expression=exp.Where(this=exp.and_(*conditions)),
        )
    )
    place = (
        exp.Literal.number(1)
        if count is None
        else exp.Slice(this=exp.Literal.number(1), expression=count.copy())
    )
    return exp.Bracket(this=listed, expressions=[place], offset=1)


def lists(node: exp.Expr) -> exp.Expr:
    """Lists: their sum, their parts, their rows."""
    if is_call(node, "list_sum"):
        (listed,) = node.expressions
        return exp.Subquery(
            this=exp.select("sum(item)").from_(
                exp.Alias(
                    this=call("unnest", listed),
                    alias=exp.TableAlias(
                        this=exp.to_identifier("items"), columns=[exp.to_identifier("item")]
                    ),
                )
            )
        )
    if isinstance(node, exp.Split):
        return exp.Paren(this=call("string_to_array", node.this, node.expression))
    if isinstance(node, exp.Explode):
        if isinstance(node.this, exp.GenerateSeries):
            return node.this
        return call("unnest", node.this)
    return node


def json_text(node: exp.Expr) -> exp.Expr:
    """JSON is kept as text; so the text of an object is spelt as DuckDB spells it."""
    if isinstance(node, exp.JSONExtractScalar):
        path = [
            exp.Literal.string(part.this)
            for part in node.expression.expressions
            if isinstance(part, exp.JSONPathKey)
        ]
        return call("json_extract_path_text", exp.cast(node.this, exp.DataType.Type.JSON), *path)
    if isinstance(node, exp.JSONObject):
        text: exp.Expr = exp.Literal.string("{")
        for number, pair in enumerate(node.expressions):
            name = ("," if number else "") + '"' + pair.this.this + '":'
            value = exp.cast(call("to_json", pair.expression), TEXT)
            text = exp.DPipe(this=text, expression=exp.Literal.string(name))
            text = exp.DPipe(
                this=text,
                expression=exp.Coalesce(this=value, expressions=[exp.Literal.string("null")]),
            )
        return exp.DPipe(this=text, expression=exp.Literal.string("}"))
    return node


def decimals(node: exp.Expr) -> exp.Expr:
    """A floating point number becomes a decimal as on DuckDB: times a power of ten, rounded."""
    if not isinstance(node, exp.Cast) or isinstance(node, exp.TryCast):
        return node
    if not node.to.is_type(exp.DataType.Type.DECIMAL) or not node.to.expressions:
        return node
    if isinstance(node.this, exp.Literal | exp.Null | exp.Neg) or is_exact(node.this):
        return node
    node.set("this", _rounded(node.this, _scale(node.to)))
    return node


def _rounded(node: exp.Expr, places: int) -> exp.Expr:
    """Rounded half away from zero to so many places, as a decimal.

    By way of text, which has all digits of a floating point number: the cast itself keeps fifteen,
    so that 0.145, a little less in binary, would go up where DuckDB's goes down.
    """
    moved = (
        node.copy()
        if not places
        else exp.Mul(this=exp.paren(node.copy()), expression=_power(places))
    )
    exact = exp.cast(exp.cast(moved, TEXT), exp.DataType.Type.DECIMAL)
    rounded = call("round", exact)
    return exp.paren(exp.Mul(this=rounded, expression=_power(-places))) if places else rounded


def _power(exponent: int) -> exp.Expr:
    text = f"1{'0' * exponent}.0" if exponent > 0 else f"0.{'0' * (-exponent - 1)}1"
    return exp.Literal.number(text)


def numbers(node: exp.Expr) -> exp.Expr:
    """Functions of floating point numbers, which PostgreSQL has twice, for decimals too."""
    if isinstance(node, exp.Round):
        decimals = node.args.get("decimals")
        return _rounded(node.this, int(decimals.name) if decimals else 0)
    if isinstance(node, exp.IsNan):
        nan = exp.cast(exp.Literal.string("NaN"), DOUBLE)
        return exp.Paren(this=exp.EQ(this=as_double(node.this), expression=nan))
    if isinstance(node, exp.Log) and node.expression and node.this.name == "2":
        return exp.Paren(
            this=exp.Div(
                this=exp.Ln(this=as_double(node.expression)),
                expression=exp.Ln(this=as_double(exp.Literal.number(2))),
                typed=True,
            )
        )
    if isinstance(node, exp.Ln | exp.Exp | exp.Sqrt | exp.Sin | exp.Cos):
        node.set("this", as_double(node.this))
        if isinstance(node, exp.Exp) and not _is_bounded(node.this.this):
            # What is too small for a floating point number is an error there, and 0 on DuckDB.
            return written(
                "case when :power < -700 then 0 else :exponential end",
                DIALECT,
                power=node.this,
                exponential=node,
            )
    if isinstance(node, exp.Pow):
        node.set("this", as_double(node.this))
        node.set("expression", as_double(node.expression))
    return node


def _is_bounded(node: exp.Expr) -> bool:
    return isinstance(node, exp.Greatest) and isinstance(node.this.unnest(), exp.Neg | exp.Literal)


def times(node: exp.Expr) -> exp.Expr:
    """date_trunc of a date would be a time with a zone."""
    if isinstance(node, exp.TimestampTrunc | exp.DateTrunc):
        node.set("this", exp.cast(node.this, exp.DataType.Type.TIMESTAMP))
    return node


def texts(node: exp.Expr) -> exp.Expr:
    """Lengths in bytes; sentences that stop the query."""
    if is_call(node, "strlen"):
        return call("octet_length", *node.expressions)
    if is_call(node, "error"):
        # What it is cast to it is not, which PostgreSQL says with the sentence itself. The random
        # part is empty, and keeps the planner from trying the cast before a row asks for it.
        (sentence,) = node.expressions
        nothing = exp.Substring(
            this=exp.cast(call("random"), TEXT),
            start=exp.Literal.number(1),
            length=exp.Literal.number(0),
        )
        return exp.DPipe(this=exp.Paren(this=sentence), expression=nothing)
    return node


def json_rows(node: exp.Expr) -> exp.Expr:
    """The objects of a JSON array as rows of a record that has their fields for columns."""
    for rows in json_rows_of(node):
        array: exp.Expr = exp.cast(rows.text, exp.DataType.Type.JSON)
        for key in rows.path:
            array = call("json_extract_path", array, exp.Literal.string(key))
        columns = [
            exp.ColumnDef(
                this=exp.to_identifier(name), kind=exp.DataType.build(kind, dialect="duckdb")
            )
            for name, kind in rows.fields.items()
        ]
        record = exp.Table(
            this=call("json_to_recordset", array),
            alias=exp.TableAlias(this=exp.to_identifier(rows.alias), columns=columns),
        )
        rows.join.set("this", record)
        for column in rows.columns:
            column.replace(exp.column(column.this.copy(), table=rows.alias))
    return node


RULES = (
    qualify_rule(DIALECT),
    moving_medians_rule(DIALECT, MIDDLE),
    json_rows,
    decimals,
    tries_casts,
    names_types,
    hashes,
    takes_the_largest,
    lists,
    json_text,
    numbers,
    times,
    texts,
)
