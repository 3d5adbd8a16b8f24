"""Whether the tables of another warehouse say what DuckDB's say: the same keys, the same values."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

# What is of a run, and of the libraries that it was made with.
OF_THE_RUN = {"run_id", "library_versions"}
# Relative to the value: sums of floating point numbers in another order, and another library's exp().
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Table:
    """A model that leaves a table: its name, its schema, and the columns that are its key."""

    name: str
    schema: str
    key: Sequence[str]
    is_mart: bool


def tables_of(manifest: Path) -> list[Table]:
    """All tables that a build of the package leaves, by dbt's manifest."""
    nodes = json.loads(manifest.read_text())["nodes"].values()
    keys: dict[str, list[str]] = {}
    for node in nodes:
        test, model = node.get("test_metadata"), node.get("attached_node")
        if node["resource_type"] != "test" or not test or not model:
            continue
        if test["name"] == "unique":
            keys.setdefault(model, [test["kwargs"]["column_name"]])
        if test["name"] == "unique_combination":
            keys[model] = test["kwargs"]["columns"]
    return [
        Table(
            node["name"], node["schema"], keys.get(node["unique_id"], []), "marts" in node["path"]
        )
        for node in nodes
        if node["resource_type"] == "model"
        and node["config"]["materialized"] in {"table", "incremental"}
    ]


def differences(
    tables: Sequence[Table],
    ours: Path,
    theirs: Callable[[Table], str],
    ignored: Mapping[str, Sequence[str]] = {},
) -> dict[str, list[str]]:
    """What differs in each table that is not equal.

    Args:
        tables: those to compare.
        ours: DuckDB's file.
        theirs: what stands after `from` in DuckDB to read the other warehouse's.
        ignored: by table, columns that may differ.
    """
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(f"attach '{ours}' as ours (read_only)")
        found = {
            table.name: _differences(
                connection, table, theirs(table), {*OF_THE_RUN, *ignored.get(table.name, ())}
            )
            for table in tables
        }
    return {name: said for name, said in found.items() if said}


def _differences(
    connection: duckdb.DuckDBPyConnection, table: Table, theirs: str, ignored: set[str]
) -> list[str]:
    ours = f"ours.{table.schema}.{table.name}"
    columns = [(row[0], row[1]) for row in connection.sql(f"describe from {ours}").fetchall()]
    there = {row[0] for row in connection.sql(f"describe from {theirs}").fetchall()}
    missing = [f"no column {name}" for name, _ in columns if name not in there]
    if missing:
        return missing
    counts = [
        connection.sql(f"select count(*) from {relation}").fetchall()[0][0]
        for relation in (ours, theirs)
    ]
    said = [] if counts[0] == counts[1] else [f"{counts[0]} rows, and {counts[1]} there"]
    if not table.key and max(counts) > 1:
        # Rows of the input, any of which may be there twice: the same rows, as often.
        names = ", ".join(name for name, _ in columns if name not in ignored)
        alone = connection.sql(
            f"""
            select 'ours' as side, * from (select {names} from {ours} except all select {names} from {theirs})
            union all
            select 'theirs', * from (select {names} from {theirs} except all select {names} from {ours})
            """
        ).fetchall()
        return (
            [*said, f"{len(alone)} rows stand on one side alone, such as {alone[0]}"]
            if alone
            else said
        )
    on = " and ".join(f"ours.{name} is not distinct from theirs.{name}" for name in table.key)
    connection.execute(
        f"""
        create or replace temp table pairs as
        select ours, theirs
        from (from {ours}) as ours
        full join (from {theirs}) as theirs on {on or "true"}
        """
    )
    unmatched = connection.sql(
        "select count(*) from pairs where ours is null or theirs is null"
    ).fetchall()[0][0]
    if unmatched:
        said.append(f"{unmatched} keys stand on one side alone")
    for name, kind in columns:
        if name in ignored or name in table.key:
            continue
        differ = _differing(f"ours.{name}", f"theirs.{name}", kind)
        rows = connection.sql(
            f"""
            select count(*), any_value(ours.{name}::varchar || ' / ' || theirs.{name}::varchar)
            from pairs
            where ours is not null and theirs is not null and {differ}
            """
        ).fetchall()
        if rows[0][0]:
            said.append(f"{name} {kind}: {rows[0][0]} differ, such as {rows[0][1]}")
    return said


def _differing(ours: str, theirs: str, kind: str) -> str:
    if kind not in {"DOUBLE", "FLOAT"}:
        return f"{ours}::varchar is distinct from {theirs}::varchar"
    apart = f"abs({ours} - {theirs}) > {TOLERANCE} * greatest(1, abs({ours}))"
    return (
        f"(({ours} is null) <> ({theirs} is null) or isnan({ours}) <> isnan({theirs}) "
        f"or (isfinite({ours}) and {apart}))"
    )
