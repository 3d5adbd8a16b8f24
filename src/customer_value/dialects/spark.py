"""What Spark says in other words than sqlglot's translation does."""

from __future__ import annotations

from sqlglot import exp

from customer_value.dialects.common import call, is_exact
from customer_value.dialects.errors import UntranslatableError
from customer_value.dialects.qualify import qualify_rule
from customer_value.dialects.shared import (
    is_call,
    no_intervals_left,
    text_pattern,
    units_added,
    writes_down_what_it_likes,
    written,
)

TYPE = exp.DataType.Type
ZONES = {TYPE.TIMESTAMP: TYPE.TIMESTAMPNTZ, TYPE.TIMESTAMPTZ: TYPE.TIMESTAMPLTZ}

# Each counts the borders of its unit between two times, as DuckDB does; Spark counts whole units.
DIFFERENCES = {
    "DAY": "cast(datediff(cast(:later as date), cast(:earlier as date)) as bigint)",
    "MONTH": (
        "cast((year(:later) - year(:earlier)) * 12 + month(:later) - month(:earlier) as bigint)"
    ),
    "HOUR": "(floor({later} / 3600e0) - floor({earlier} / 3600e0))",
    "MINUTE": "(floor({later} / 60e0) - floor({earlier} / 60e0))",
    "SECOND": "({later} - {earlier})",
}
# What try_cast makes of a text, a floating point number, and of anything else.
TRIED_NUMBER = """
case
    when typeof(:value) = 'string'
        then case when cast(:value as string) rlike :pattern
            then try_cast(replace(cast(:value as string), '_', '') as {type}) end
    {rounded}
    else try_cast(:value as {type})
end
"""
TRIED_TIME = r"""
case
    when typeof(:value) <> 'string' then try_cast(:value as {type})
    when cast(:value as string) rlike :pattern then try_cast(
        regexp_replace(cast(:value as string), '^(\\s*[0-9]+)/([0-9]+)/', '$1-$2-') as {type}
    )
end
"""
FLOATING = ("double", "float")
ROUNDED = "round({value} * {up}) * {down}"
SECONDS = "unix_seconds(cast(:{side} as timestamp_ltz))"
QUANTILES = {exp.PercentileCont: "percentile_cont", exp.PercentileDisc: "percentile_disc"}


def says_zone(node: exp.Expr) -> exp.Expr:
    """A timestamp of DuckDB has no zone unless it says so; which Spark means, a setting decides."""
    if isinstance(node, exp.DataType) and node.this in ZONES:
        node.set("this", ZONES[node.this])
    return node


def counts_borders(node: exp.Expr) -> exp.Expr:
    """date_diff counts how often a unit begins between two times."""
    if not isinstance(node, exp.DateDiff):
        return node
    unit = node.text("unit").upper() or "DAY"
    if unit not in DIFFERENCES:
        raise UntranslatableError(f"spark: date_diff in units of {unit.lower()}")
    template = DIFFERENCES[unit].format(
        later=SECONDS.format(side="later"), earlier=SECONDS.format(side="earlier")
    )
    return written(template, "spark", later=node.this, earlier=node.expression)


def adds_units(node: exp.Expr) -> exp.Expr:
    """A date or a time plus so many units is a time."""
    added = units_added(node)
    if added is None:
        return node
    time, count, unit = added
    return call(
        "timestampadd",
        exp.var(unit),
        exp.cast(count.copy(), TYPE.INT),
        exp.cast(time.copy(), TYPE.TIMESTAMPNTZ),
    )


def truncates_without_zone(node: exp.Expr) -> exp.Expr:
    """date_trunc of Spark gives a time with a zone, whatever it is given."""
    if isinstance(node, exp.TimestampTrunc | exp.DateTrunc):
        return exp.cast(node, TYPE.TIMESTAMPNTZ)
    return node


def rounds_down_to_double(node: exp.Expr) -> exp.Expr:
    """Floor and ceil of a floating point number stay one."""
    if isinstance(node, exp.Floor | exp.Ceil):
        return exp.cast(node, TYPE.DOUBLE)
    return node


def rounds_as_doubles(node: exp.Expr) -> exp.Expr:
    """A floating point number becomes a decimal as on DuckDB: moved by powers of ten, and rounded.

    Spark rounds the number's shortest text, in which 0.145 is no longer a little less than that.
    """
    if not isinstance(node, exp.Cast) or isinstance(node, exp.TryCast):
        return node
    if not node.is_type(TYPE.DECIMAL) or len(node.to.expressions) < 2:
        return node
    if isinstance(node.this, exp.Literal | exp.Null | exp.Neg) or is_exact(node.this):
        return node
    node.set("this", written(_rounded(":value", node.to), "spark", value=node.this))
    return node


def _rounded(value: str, decimal: exp.DataType) -> str:
    places = int(decimal.expressions[1].name)
    # Whole numbers and decimals, so that decimals stay what they are.
    up, down = f"1{'0' * places}", f"0.{'0' * (places - 1)}1" if places else "1"
    return ROUNDED.format(value=value, up=up, down=down)


def tries_casts(node: exp.Expr) -> exp.Expr:
    """try_cast takes for a value what DuckDB takes for one, and rounds as it does."""
    # Of Spark's own words, which other rules wrote, sqlglot takes a cast for one that may be tried.
    if not isinstance(node, exp.TryCast) or not node.args.get("safe"):
        return node
    pattern = text_pattern(node.to)
    if pattern is None or node.to.is_type(*exp.DataType.INTEGER_TYPES):
        # DuckDB rounds what is no whole number, Spark cuts it off.
        raise UntranslatableError(f"spark: {node.sql('duckdb')}")
    kind = says_zone(node.to.copy()).sql("spark")
    if node.to.is_type(*exp.DataType.TEMPORAL_TYPES):
        template = TRIED_TIME.format(type=kind)
    else:
        rounded = ""
        if node.to.is_type(TYPE.DECIMAL):
            number = _rounded("try_cast(:value as double)", node.to)
            rounded = (
                f"when typeof(:value) in ('double', 'float') then try_cast({number} as {kind})"
            )
        template = TRIED_NUMBER.format(type=kind, rounded=rounded)
    return written(template, "spark", value=node.this, pattern=exp.Literal.string(pattern))


def skips_empty_arguments(node: exp.Expr) -> exp.Expr:
    """arg_max leaves out rows that have nothing to give; max_by would give it."""
    if isinstance(node, exp.ArgMax | exp.ArgMin) and not node.args.get("count"):
        given = node.this
        node.set(
            "expression",
            exp.case().when(exp.Not(this=given.copy().is_(exp.null())), node.expression.copy()),
        )
    return node


def adds_in_any_order(node: exp.Expr) -> exp.Expr:
    """An order within sum() makes the last digits of one repeatable; Spark takes none."""
    if isinstance(node, exp.Sum | exp.Avg) and isinstance(node.this, exp.Order):
        node.set("this", node.this.this)
    return node


def lists_no_order(node: exp.Expr) -> exp.Expr:
    """Of a list in order sqlglot would silently drop the order."""
    if isinstance(node, exp.ArrayAgg) and isinstance(node.this, exp.Order):
        raise UntranslatableError(f"spark: {node.sql('duckdb')}")
    return node


def takes_exact_quantiles(node: exp.Expr) -> exp.Expr:
    """Quantiles as they are; sqlglot takes approximate ones, as from when Spark knew no others."""
    if isinstance(node, exp.WithinGroup) and isinstance(node.this, tuple(QUANTILES)):
        node.set("this", call(QUANTILES[type(node.this)], node.this.this))
    elif isinstance(node, tuple(QUANTILES)) and node.expression:
        raise UntranslatableError(f"spark: {node.sql('duckdb')}; write it within group")
    return node


def writes_json(node: exp.Expr) -> exp.Expr:
    """An object with all of its keys: Spark leaves out those without a value, if not told."""
    if not isinstance(node, exp.JSONObject):
        return node
    fields = [part for pair in node.expressions for part in (pair.this, pair.expression)]
    options = [exp.Literal.string("ignoreNullFields"), exp.Literal.string("false")]
    return call("to_json", call("named_struct", *fields), call("map", *options))


def sorts_backwards(node: exp.Expr) -> exp.Expr:
    """A list from its largest on."""
    if is_call(node, "list_reverse_sort"):
        return call("sort_array", *node.expressions, exp.false())
    return node


def names_day_of_year(node: exp.Expr) -> exp.Expr:
    """Spark calls it doy."""
    if isinstance(node, exp.Extract) and node.name.upper() == "DAYOFYEAR":
        node.set("this", exp.var("DOY"))
    return node


RULES = (
    writes_down_what_it_likes,
    qualify_rule("spark"),
    counts_borders,
    adds_units,
    truncates_without_zone,
    rounds_down_to_double,
    rounds_as_doubles,
    tries_casts,
    skips_empty_arguments,
    adds_in_any_order,
    lists_no_order,
    takes_exact_quantiles,
    writes_json,
    sorts_backwards,
    names_day_of_year,
    says_zone,
    no_intervals_left("spark"),
)
