"""What DuckDB means and every other warehouse would take otherwise."""

from __future__ import annotations

from sqlglot import exp

DOUBLE = exp.DataType.Type.DOUBLE
UNITS_OF_TIMESTAMPS = {
    exp.DataType.Type.TIMESTAMP_S,
    exp.DataType.Type.TIMESTAMP_MS,
    exp.DataType.Type.TIMESTAMP_NS,
}


def divides_as_double(node: exp.Expr) -> exp.Expr:
    """DuckDB's / is one of floating point numbers, of whole numbers and decimals too.

    Elsewhere whole numbers lose their remainder and decimals their last digits.
    """
    if isinstance(node, exp.Div) and not _is_double(node.this):
        node.this.replace(exp.cast(_unwrapped(node.this), DOUBLE))
    return node


def averages_doubles(node: exp.Expr) -> exp.Expr:
    """DuckDB's avg is a floating point number, whatever it is taken of."""
    if isinstance(node, exp.Avg) and not _is_double(node.this):
        argument = node.this
        if isinstance(argument, exp.Distinct):
            return node
        inner = argument.this if isinstance(argument, exp.Order) else argument
        if inner is not None and not _is_double(inner):
            inner.replace(exp.cast(inner.copy(), DOUBLE))
    return node


def as_double(node: exp.Expr) -> exp.Expr:
    """Of that type, whatever it was."""
    return node if _is_double(node) else exp.cast(node, DOUBLE)


def call(name: str, *arguments: exp.Expr) -> exp.Anonymous:
    """A function by the name that the dialect has for it."""
    return exp.Anonymous(this=name, expressions=list(arguments))


def is_text_of(node: exp.Expr, prefix: str) -> bool:
    """Whether it is a literal, followed by something else."""
    return isinstance(node, exp.DPipe) and node.this.is_string and node.this.name == prefix


EXACT_FUNCTIONS = (exp.Count, exp.RowNumber, exp.Rank, exp.DenseRank, exp.DateDiff, exp.Length)


def is_exact(node: exp.Expr) -> bool:
    """Whether a number is surely no floating point one, as far as its own words tell."""
    if isinstance(node, exp.Paren | exp.Neg | exp.Sum | exp.Window):
        return is_exact(node.this)
    if isinstance(node, exp.Cast):
        return not node.is_type(DOUBLE) and node.to.is_type(*exp.DataType.NUMERIC_TYPES)
    if isinstance(node, exp.Add | exp.Sub | exp.Mul):
        return is_exact(node.left) and is_exact(node.right)
    if isinstance(node, exp.Coalesce | exp.Greatest | exp.Least):
        return all(is_exact(part) for part in (node.this, *node.expressions))
    return isinstance(node, (exp.Literal, exp.Null, *EXACT_FUNCTIONS))


def _is_double(node: exp.Expr) -> bool:
    return isinstance(node, exp.Cast) and node.is_type(DOUBLE)


def _unwrapped(node: exp.Expr) -> exp.Expr:
    return node.this.copy() if isinstance(node, exp.Paren) else node.copy()


def knows_one_timestamp(node: exp.Expr) -> exp.Expr:
    """DuckDB has one for each unit of time; all are the same without a zone."""
    if isinstance(node, exp.DataType) and node.this in UNITS_OF_TIMESTAMPS:
        node.set("this", exp.DataType.Type.TIMESTAMP)
    return node


COMMON_RULES = (divides_as_double, averages_doubles, knows_one_timestamp)
