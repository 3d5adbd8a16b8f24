"""What is asked of the copy after all tests have passed, and before it is published."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from customer_value.project_file import PACKAGE
from customer_value.refresh.log import TABLE

RUN_MODEL = "int_customer_value__run"
# The meta of a model that may be of an earlier run than the tables beside it.
EARLIER_RUN = "may_be_of_an_earlier_run"
# What a table's comment ends with; before it may stand a description that dbt has put there.
STAMP = re.compile(r"\s*\[run_id: [^]]*\]$")


@dataclass(frozen=True)
class Table:
    """A table of the package for BI, by its full name in the database, as SQL."""

    name: str
    relation: str
    columns: Mapping[str, str]
    keeps_history: bool


@dataclass(frozen=True)
class Findings:
    """The copy's rows by table, its date, and the tables that another run wrote, with its run_id.

    as_of_date: None where the copy does not say.
    """

    rows_by_table: dict[str, int]
    as_of_date: dt.date | None
    strangers: dict[str, str]


def tables(manifest: Path) -> dict[str, Table]:
    """The package's tables for BI, from dbt's manifest, and the one that names the run."""
    nodes: dict[str, Any] = json.loads(manifest.read_text("utf-8"))["nodes"]
    found = {}
    for node in nodes.values():
        is_model = node["resource_type"] == "model" and node["package_name"] == PACKAGE
        if is_model and (node["config"]["contract"]["enforced"] or node["name"] == RUN_MODEL):
            found[node["name"]] = Table(
                node["name"],
                node["relation_name"],
                {name: column["data_type"] for name, column in node["columns"].items()},
                # Its rows say which run wrote them, and stay when the next one comes; or it is of
                # a run of its own, such as one that measures models once a month.
                node["config"]["materialized"] == "incremental"
                or bool(node["config"]["meta"].get(EARLIER_RUN)),
            )
    return found


def look(
    connection: duckdb.DuckDBPyConnection, known: Mapping[str, Table], run_id: str
) -> Findings:
    """Count, and compare every table's run_id with that of the run."""
    rows_by_table: dict[str, int] = {}
    strangers: dict[str, str] = {}
    as_of_date = None
    for table in known.values():
        if not is_there(connection, table):
            continue
        if table.name == RUN_MODEL:
            as_of_date = _only(connection, f"select max(as_of_date) from {table.relation}")
            continue
        if table.name != TABLE:
            rows_by_table[table.name] = _only(connection, f"select count(*) from {table.relation}")
        if "run_id" in table.columns and not table.keeps_history:
            other = _only(
                connection,
                f"select max(run_id) from {table.relation} where run_id is distinct from ?",
                run_id,
            )
            if other is not None:
                strangers[table.name] = other
    return Findings(rows_by_table, as_of_date, strangers)


def stamp(connection: duckdb.DuckDBPyConnection, known: Mapping[str, Table], run_id: str) -> None:
    """Write the run into the comment of every table, those too whose rows other runs wrote."""
    text = run_id.replace("[", "(").replace("]", ")")
    for table in known.values():
        if table.name == RUN_MODEL or not is_there(connection, table):
            continue
        kind, comment = _kind_and_comment(connection, table)
        described = f"{STAMP.sub('', comment or '')} [run_id: {text}]".strip()
        quoted = described.replace("'", "''")
        connection.execute(f"comment on {kind} {table.relation} is '{quoted}'")


def _kind_and_comment(
    connection: duckdb.DuckDBPyConnection, table: Table
) -> tuple[str, str | None]:
    schema, name = (part.strip('"') for part in table.relation.split(".")[-2:])
    row = connection.execute(
        "select 'table', comment from duckdb_tables() where schema_name = $1 and table_name = $2 "
        "and database_name = current_database() "
        "union all select 'view', comment from duckdb_views() where schema_name = $1 and "
        "view_name = $2 and database_name = current_database()",
        [schema, name],
    ).fetchone()
    return ("table", None) if row is None else (row[0], row[1])


def is_there(connection: duckdb.DuckDBPyConnection, table: Table) -> bool:
    """Whether the copy has it: a selection may have left it out."""
    try:
        connection.execute(f"describe {table.relation}")
    except duckdb.CatalogException:
        return False
    return True


def make(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Make an empty table of its contract's columns."""
    columns = ", ".join(f'"{name}" {kind}' for name, kind in table.columns.items())
    connection.execute(f"create schema if not exists {table.relation.rsplit('.', 1)[0]}")
    connection.execute(f"create table {table.relation} ({columns})")


def _only(connection: duckdb.DuckDBPyConnection, sql: str, *parameters: object) -> Any:  # noqa: ANN401
    row = connection.execute(sql, list(parameters)).fetchone()
    return row[0] if row else None
