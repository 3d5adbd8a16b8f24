"""Whether the tables of another warehouse say what DuckDB's say: the same keys, the same values."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

# What is of a run, and of the libraries that it was made with. A model's version is a hash over all
# digits of it, and the sixteenth of a logarithm is another library's.
OF_THE_RUN = {"run_id", "library_versions", "model_version"}
# Probabilities are written to nine places, the last of which may be rounded the other way.
TOLERANCE = "1.001e-9"
# Expected money has six places and is not rounded to the cent.
CENT = "0.005"


@dataclass(frozen=True)
class Mart:
    """A table for people: its name, its schema, and the columns that are its key, if it has one."""

    name: str
    schema: str
    key: Sequence[str]


@dataclass(frozen=True)
class Leave:
    """Columns that may differ, or rows that are left out where SQL says so of them."""

    columns: Sequence[str] = ()
    rows: str = "false"


def marts_of(manifest: Path) -> list[Mart]:
    """All marts that a build of the package leaves, by dbt's manifest."""
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
        Mart(node["name"], node["schema"], keys.get(node["unique_id"], []))
        for node in nodes
        if node["resource_type"] == "model" and node["path"].startswith("marts/")
    ]


def differences(
    marts: Sequence[Mart],
    ours: Path,
    theirs: Callable[[Mart], str],
    left_out: Mapping[str, Leave],
    *,
    are_trained_on_both: bool = True,
) -> dict[str, list[str]]:
    """What differs in each mart that is not equal.

    Args:
        marts: those to compare.
        ours: DuckDB's file.
        theirs: what stands after `from` in DuckDB to read the other warehouse's.
        left_out: by mart, what may differ.
        are_trained_on_both: whether models are, so that their versions differ; only their names
            are the same then.
    """
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(f"attach '{ours}' as ours (read_only)")
        found = {
            mart.name: _differences(
                connection,
                mart,
                theirs(mart),
                left_out.get(mart.name, Leave()),
                () if are_trained_on_both else ("model_version",),
            )
            for mart in marts
        }
    return {name: said for name, said in found.items() if said}


def _differences(
    connection: duckdb.DuckDBPyConnection,
    mart: Mart,
    theirs: str,
    left_out: Leave,
    exact: Sequence[str],
) -> list[str]:
    # Of a row of which it can't be said, too.
    kept = f"where ({left_out.rows}) is not true"
    ours, theirs = (
        f"(select * from {table} {kept})" for table in (f"ours.{mart.schema}.{mart.name}", theirs)
    )
    columns = [(row[0], row[1]) for row in connection.sql(f"describe from {ours}").fetchall()]
    there = {row[0] for row in connection.sql(f"describe from {theirs}").fetchall()}
    missing = [f"no column {name}" for name, _ in columns if name not in there]
    if missing:
        return missing
    if not mart.key:
        names = [name for name, _ in columns if name not in left_out.columns]
        return _without_key(connection, names, ours, theirs)
    on = " and ".join(_matching(name, exact) for name in mart.key)
    connection.execute(
        f"""
        create or replace temp table pairs as
        select ours, theirs
        from (select 1 as is_there, * from {ours}) as ours
        full join (select 1 as is_there, * from {theirs}) as theirs on {on}
        """
    )
    alone = connection.sql(
        "select count(*) from pairs where ours.is_there is null or theirs.is_there is null"
    ).fetchall()[0][0]
    said = [f"{alone} rows stand on one side alone"] if alone else []
    for name, kind in columns:
        if name in OF_THE_RUN or name in left_out.columns or name in mart.key:
            continue
        differ = _differing(f"ours.{name}", f"theirs.{name}", kind)
        ((count, example),) = connection.sql(
            f"""
            select
                count(*),
                any_value(
                    coalesce(ours.{name}::varchar, 'nothing') || ' / '
                    || coalesce(theirs.{name}::varchar, 'nothing')
                )
            from pairs
            where ours.is_there is not null and theirs.is_there is not null and {differ}
            """
        ).fetchall()
        if count:
            said.append(f"{name} {kind}: {count} differ, such as {example}")
    return said


def _matching(name: str, exact: Sequence[str]) -> str:
    # Of a model's version its name.
    is_hashed = name == "model_version" and name not in exact
    same = "split_part({}, '-', 1)" if is_hashed else "{}"
    return f"{same.format(f'ours.{name}')} is not distinct from {same.format(f'theirs.{name}')}"


def _without_key(
    connection: duckdb.DuckDBPyConnection, columns: Sequence[str], ours: str, theirs: str
) -> list[str]:
    """What was rejected may have no key, or one twice: the rows as a whole."""
    compared = ", ".join(name for name in columns if name not in OF_THE_RUN)
    here, there = (f"select {compared} from {relation}" for relation in (ours, theirs))
    ((ours_alone, theirs_alone),) = connection.sql(
        f"""
        select
            (select count(*) from ({here} except all {there})),
            (select count(*) from ({there} except all {here}))
        """
    ).fetchall()
    if not ours_alone and not theirs_alone:
        return []
    return [f"{ours_alone} rows here and {theirs_alone} there stand on one side alone"]


def _differing(ours: str, theirs: str, kind: str) -> str:
    is_exact_amount = kind.startswith("DECIMAL") and kind.endswith((",0)", ",2)"))
    if kind.startswith("DECIMAL") and not is_exact_amount:
        apart = f"abs({ours} - {theirs}) > {CENT}"
        return f"(({ours} is null) <> ({theirs} is null) or coalesce({apart}, false))"
    if kind not in {"DOUBLE", "FLOAT"}:
        return f"{ours}::varchar is distinct from {theirs}::varchar"
    apart = f"abs({ours} - {theirs}) > {TOLERANCE} * greatest(1, abs({ours}))"
    return (
        f"(({ours} is null) <> ({theirs} is null) or "
        f"coalesce(isnan({ours}) <> isnan({theirs}) or (isfinite({ours}) and {apart}), false))"
    )
