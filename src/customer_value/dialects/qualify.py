"""qualify, for those who know it not: a column of the query within, asked for without."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from customer_value.dialects.errors import UntranslatableError

MARK = "is_kept_"


def qualify_rule(dialect: str) -> Callable[[exp.Expr], exp.Expr]:
    """A rule that numbers the columns that it adds.

    sqlglot's own calls all of them by one name, which is ambiguous where queries select * from
    each other.
    """

    def without_qualify(node: exp.Expr) -> exp.Expr:
        if not isinstance(node, exp.Select) or not node.args.get("qualify"):
            return node
        is_all = any(projection.is_star for projection in node.expressions)
        if is_all and not isinstance(node.parent, exp.CTE | exp.Subquery):
            raise UntranslatableError(f"{dialect}: qualify of select * that is not a query within")
        root = node.root()
        number = 1 + sum(alias.alias.startswith(MARK) for alias in root.find_all(exp.Alias))
        mark = exp.to_identifier(f"{MARK}{number}")
        inner = node.copy()
        condition = inner.args["qualify"].this
        inner.set("qualify", None)
        inner.set("with_", None)
        _name_by_expression(condition, inner)
        inner.append("expressions", exp.alias_(exp.paren(condition), mark))
        wanted: list[exp.Expr] = (
            [exp.Star()]
            if is_all
            else [exp.column(projection.alias_or_name) for projection in node.expressions]
        )
        outer = exp.select(*wanted).from_(exp.alias_(exp.Subquery(this=inner), "kept", table=True))
        outer = outer.where(exp.column(mark.copy()))
        if node.args.get("with_"):
            outer.set("with_", node.args["with_"])
        return outer

    return without_qualify


def _name_by_expression(condition: exp.Expr, select: exp.Select) -> None:
    """Aliases of the same select stand for what they name."""
    named = {
        projection.alias: projection.this
        for projection in select.expressions
        if isinstance(projection, exp.Alias)
    }
    for column in list(condition.find_all(exp.Column)):
        if not column.table and column.name in named:
            column.replace(exp.paren(named[column.name].copy()))
