"""Medians over a frame of rows, for who takes none: the rows listed, and the list's middle."""

from __future__ import annotations

from collections.abc import Callable

import sqlglot
from sqlglot import exp

from customer_value.dialects.shared import is_moving_median


def moving_medians_rule(dialect: str, middle: str) -> Callable[[exp.Expr], exp.Expr]:
    """A rule that lists in a query within and takes the middle without.

    The list itself, a column that ends in _listed, stays beside it where the query selects *.

    Args:
        dialect: its name.
        middle: in its words, the middle of what {listed} holds, which may have nulls or nothing.
    """

    def moving_medians(node: exp.Expr) -> exp.Expr:
        if not isinstance(node, exp.Select):
            return node
        medians = [
            projection for projection in node.expressions if is_moving_median(projection.unalias())
        ]
        if not medians:
            return node
        is_all = any(projection.is_star for projection in node.expressions)
        projections: list[exp.Expr] = [exp.column(exp.Star(), table="listed")] if is_all else []
        for projection in node.expressions:
            if projection in medians:
                listed = f"{projection.alias}_listed"
                written = sqlglot.parse_one(middle.format(listed=f"listed.{listed}"), read=dialect)
                projections.append(exp.alias_(written, projection.alias))
                median = projection.this.this
                median.replace(exp.Anonymous(this="array_agg", expressions=[median.this.copy()]))
                projection.set("alias", exp.to_identifier(listed))
            elif not is_all:
                projections.append(exp.column(projection.alias_or_name, table="listed"))
        within = node.copy()
        within.set("with_", None)
        subquery = exp.alias_(exp.Subquery(this=within), "listed", table=True)
        outer = exp.select(*projections).from_(subquery)
        if node.args.get("with_"):
            outer.set("with_", node.args["with_"])
        return outer

    return moving_medians
