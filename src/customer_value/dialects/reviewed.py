"""The functions of DuckDB that someone has looked at in every dialect.

Another may be called the same elsewhere and give something else, so it stops the translation until
it has been looked at: with a rule where it needs one, and with a name here.
"""

from __future__ import annotations

from sqlglot import exp

from customer_value.dialects.errors import UntranslatableError

# As sqlglot calls them.
REVIEWED = frozenset(
    {
        "abs",
        "and",
        "argmax",
        "avg",
        "case",
        "cast",
        "ceil",
        "coalesce",
        "concatws",
        "cos",
        "count",
        "datediff",
        "datetrunc",
        "denserank",
        "error",
        "exists",
        "exp",
        "explode",
        "extract",
        "firstvalue",
        "floor",
        "fromjson",
        "generateseries",
        "greatest",
        "groupconcat",
        "hash",
        "if",
        "isnan",
        "jsonextract",
        "jsonextractscalar",
        "jsonobject",
        "lag",
        "lead",
        "least",
        "length",
        "list_sum",
        "ln",
        "log",
        "logicaland",
        "logicalor",
        "lower",
        "max",
        "md5",
        "median",
        "min",
        "nullif",
        "octet_length",
        "or",
        "percentilecont",
        "percentiledisc",
        "pi",
        "pow",
        "rank",
        "replace",
        "round",
        "rownumber",
        "sha2",
        "sin",
        "splitpart",
        "sqrt",
        "strlen",
        "struct",
        "substring",
        "sum",
        "timestamptrunc",
        "timezone",
        "trim",
        "trycast",
        "typeof",
        "unnest",
        "upper",
    }
)
# Of macros that are written in Spark's words, and of scores, which Spark alone is asked for.
SPARKS_OWN = frozenset(
    {
        "aggregate",
        "array",
        "arraysort",
        "assert_true",
        "collect_list",
        "conv",
        "element_at",
        "from_utc_timestamp",
        "get_json_object",
        "list_reverse_sort",
        "map",
        "named_struct",
        "raise_error",
        "regexplike",
        "size",
        "slice",
        "timestamp_micros",
        "to_json",
        "to_utc_timestamp",
        "unixmicros",
        "xxhash64",
    }
)


def check(tree: exp.Expr, dialect: str) -> None:
    """Stop at a function that nobody has looked at.

    Raises:
        UntranslatableError: It names the function.
    """
    known = REVIEWED | SPARKS_OWN if dialect in {"spark", "databricks"} else REVIEWED
    for node in tree.find_all(exp.Func):
        name = node.name.lower() if isinstance(node, exp.Anonymous) else node.key
        if name not in known:
            raise UntranslatableError(
                f"{dialect}: nobody has looked at what {node.sql('duckdb')} is there"
            )
