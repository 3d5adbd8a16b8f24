"""The package's SQL, written once in DuckDB's dialect, in that of another warehouse.

Most of it sqlglot translates. What it gets wrong or can't say is mended by rules: functions from
one node of the syntax tree to what stands for it. Those of every warehouse are in `common`, those
of one in the module that bears its name, in a tuple RULES. What has no equal there raises an error
that names it: never does a query come out that reads well and means something else.
"""

from __future__ import annotations

import importlib
import importlib.util
import threading
from collections.abc import Callable

import sqlglot
from sqlglot import exp
from sqlglot.dialects.dialect import Dialect

from customer_value.dialects.common import COMMON_RULES
from customer_value.dialects.errors import UntranslatableError
from customer_value.dialects.reviewed import check

__all__ = ["DIALECTS", "UntranslatableError", "translate", "translate_type"]

# By the names that sqlglot has for them; dbt's adapters bear the same.
DIALECTS = ("bigquery", "databricks", "postgres", "redshift", "snowflake", "spark")

Rule = Callable[[exp.Expr], exp.Expr]

_loading = threading.Lock()


def translate(sql: str, dialect: str) -> str:
    """A query that means on another warehouse what it means on DuckDB.

    Raises:
        UntranslatableError: What can't be said there.
    """
    _load(dialect)
    tree = sqlglot.parse_one(sql, read="duckdb")
    check(tree, dialect)
    for rule in (*COMMON_RULES, *_rules_of(dialect)):
        tree = _mended(tree, rule)
    return _written(tree, dialect)


def translate_type(data_type: str, dialect: str) -> str:
    """A type of DuckDB by the name that another warehouse has for it."""
    _load(dialect)
    built: exp.Expr = exp.DataType.build(data_type, dialect="duckdb")
    for rule in (*COMMON_RULES, *_rules_of(dialect)):
        built = _mended(built, rule)
    return _written(built, dialect)


def _load(dialect: str) -> None:
    """Let sqlglot load the dialects, which it does when asked first, by one thread at a time.

    It shows others a dialect that it has not finished, which then writes another one's words.
    """
    if dialect not in DIALECTS:
        raise UntranslatableError(f"{dialect} is none of {', '.join(DIALECTS)}")
    with _loading:
        for name in ("duckdb", dialect):
            Dialect.get_or_raise(name)


def _rules_of(dialect: str) -> tuple[Rule, ...]:
    # Databricks speaks Spark's dialect and a little more.
    module = f"{__name__}.{'spark' if dialect == 'databricks' else dialect}"
    if importlib.util.find_spec(module) is None:
        return ()
    rules: tuple[Rule, ...] = importlib.import_module(module).RULES
    return rules


def _mended(tree: exp.Expr, rule: Rule) -> exp.Expr:
    """The tree after a rule, from its leaves on: what a rule puts in place holds mended parts."""
    for node in reversed(list(tree.walk(bfs=False))):
        mended = rule(node)
        if mended is not node:
            if node is tree:
                tree = mended
            else:
                node.replace(mended)
    return tree


def _written(tree: exp.Expr, dialect: str) -> str:
    try:
        return tree.sql(dialect, unsupported_level=sqlglot.ErrorLevel.RAISE, pretty=True)
    except sqlglot.UnsupportedError as error:
        raise UntranslatableError(f"{dialect}: {error}") from error
