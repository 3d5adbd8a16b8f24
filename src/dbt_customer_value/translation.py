"""A compiled node of the package in the words of the adapter's warehouse."""

from __future__ import annotations

from typing import Any

from customer_value.dialects import translate, translate_type


def translated(node: Any, dialect: str) -> Any:  # noqa: ANN401 - a node of dbt's manifest
    """The node with its SQL, and the types that its contract promises, in that dialect."""
    if str(node.language) == "sql" and (node.compiled_code or "").strip():
        node.compiled_code = translate(node.compiled_code, dialect)
    # A node is compiled once in a run, but some again in the next of the same process.
    for column in getattr(node, "columns", {}).values():
        if column.data_type and not getattr(column, "is_translated", False):
            column.data_type = translate_type(column.data_type, dialect)
            column.is_translated = True
    return node
