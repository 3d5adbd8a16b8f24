"""A compiled node of the package in the words of the adapter's warehouse."""

from __future__ import annotations

from typing import Any

from dbt.artifacts.resources.v1.config import Hook

from customer_value.dialects import translate, translate_type


def translated(node: Any, dialect: str) -> Any:  # noqa: ANN401 - a node of dbt's manifest
    """The node with its SQL, and the types that its contract promises, in that dialect."""
    if str(node.language) == "sql" and (node.compiled_code or "").strip():
        node.compiled_code = translate(node.compiled_code, dialect)
        node.compiled_code = _as_promised(node, dialect)
    for column in getattr(node, "columns", {}).values():
        if column.data_type:
            column.data_type = translate_type(column.data_type, dialect)
    if dialect == "postgres" and node.config.materialized in {"table", "incremental"}:
        _counted_when_built(node)
    return node


def _counted_when_built(node: Any) -> None:  # noqa: ANN401 - a node of dbt's manifest
    """Postgres plans by statistics, of which a new table has none until it is analyzed.

    It would otherwise take the tables of one build for empty, and join them row by row.
    """
    hook = Hook(sql="analyze {{ this }}")
    if hook not in node.config.post_hook:
        node.config.post_hook.append(hook)


def translate_seed(node: Any, dialect: str) -> None:  # noqa: ANN401 - a node of dbt's manifest
    """Give a seed's columns their types in that dialect."""
    types = node.config.column_types
    for name in types:
        types[name] = translate_type(types[name], dialect)


def _as_promised(node: Any, dialect: str) -> str:  # noqa: ANN401 - a node of dbt's manifest
    """The query with its columns cast to what its contract promises.

    On DuckDB they are of these types already, and the tests there hold them to it; elsewhere what a
    sum or a difference of two dates gives is of another type, of the same value.
    """
    code: str = node.compiled_code
    contract = getattr(node.config, "contract", None)
    if contract is None or not contract.enforced:
        return code
    types = {
        column.name: translate_type(column.data_type, dialect) for column in node.columns.values()
    }
    columns = ",\n".join(
        f"  cast(answer.{name} as {type_}) as {name}" for name, type_ in types.items()
    )
    return f"select\n{columns}\nfrom (\n{code}\n) as answer"
