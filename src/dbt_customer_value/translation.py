"""A compiled node of the package in the words of the adapter's warehouse."""

from __future__ import annotations

from typing import Any

from dbt.adapters.factory import get_adapter

from customer_value.dialects import translate, translate_type

METHOD = "customer_value_translated"


def translated(node: Any, dialect: str) -> Any:  # noqa: ANN401 - a node of dbt's manifest
    """The node with its SQL, and the types that its contract promises, in that dialect."""
    if str(node.language) == "sql" and (node.compiled_code or "").strip():
        node.compiled_code = translate(node.compiled_code, dialect)
    for column in getattr(node, "columns", {}).values():
        if column.data_type:
            column.data_type = translate_type(column.data_type, dialect)
    return node


def offer(config: Any, dialect: str) -> None:  # noqa: ANN401 - dbt's
    """Give macros a method of the adapter to translate the queries that they run themselves."""
    kind = type(get_adapter(config))
    if METHOD not in kind._available_:  # noqa: SLF001 - what dbt shows of an adapter to macros
        setattr(kind, METHOD, lambda _, sql: translate(sql, dialect))
        kind._available_ = kind._available_ | {METHOD}  # noqa: SLF001


def translate_seed(node: Any, dialect: str) -> None:  # noqa: ANN401 - a node of dbt's manifest
    """Give a seed's columns their types in that dialect."""
    types = node.config.column_types
    for name in types:
        types[name] = translate_type(types[name], dialect)
