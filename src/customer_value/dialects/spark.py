"""What Spark says in other words than sqlglot's translation does."""

from __future__ import annotations

from sqlglot import exp

TYPE = exp.DataType.Type


def without_zone(node: exp.Expression) -> exp.Expression:
    """A timestamp of DuckDB has no zone."""
    if isinstance(node, exp.DataType) and node.this == TYPE.TIMESTAMP:
        node.set("this", TYPE.TIMESTAMPNTZ)
    return node


RULES = (without_zone,)
