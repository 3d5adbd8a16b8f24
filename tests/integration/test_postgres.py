"""The package on PostgreSQL: its SQL models say what they say on DuckDB, row by row.

PostgreSQL runs no Python models: their tables are brought over from DuckDB.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
import everything_shop
import pytest
from equal_marts import Leave, Mart, differences, marts_of
from own_environment import made
from postgres_server import Server, running

from customer_value.dialects import translate

REPOSITORY = Path(__file__).resolve().parents[2]
DBT = Path(sys.executable).with_name("dbt")
MODELS_ONLY = ("--exclude-resource-type", "unit_test", "test")
# The first leaves a history behind, which the second goes on from.
REFRESHES = ("2024-04-01", "2024-06-01")
# What was given, as the warehouse writes a floating point number.
LEFT_OUT = {
    "orders_rejected": Leave(columns=["raw_refund_amount"]),
    "order_lines_rejected": Leave(columns=["raw_quantity"]),
}


@pytest.fixture(scope="module")
def environment() -> Path:
    """The environment of its own that has dbt-postgres and a server."""
    return made("postgres", REPOSITORY / "requirements-postgres.txt")


@pytest.fixture
def server(environment: Path) -> Iterator[Server]:
    with running(environment) as server:
        yield server


def test_the_demo_is_that_of_duckdb(environment: Path, server: Server, tmp_path: Path) -> None:
    warehouse = tmp_path / "customer_value.duckdb"
    variables: dict[str, object] = {"run_id": "the demo"}
    _build_on_duckdb(warehouse, variables)
    _bring_over(warehouse, server, "demo_orders")
    # With its tests, which are translated too. dbt would insert the demo's orders for minutes.
    _build_on_postgres(
        *(environment, server, tmp_path, variables),
        *("--exclude", "path:python_models", "demo_orders"),
        *("--exclude-resource-type", "unit_test"),
    )
    assert _differences(warehouse, server, tmp_path) == {}


def test_every_input_and_a_second_refresh_are_those_of_duckdb(
    environment: Path, server: Server, tmp_path: Path
) -> None:
    warehouse = tmp_path / "customer_value.duckdb"
    everything_shop.write(warehouse)
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        for name in everything_shop.TYPES:
            relation = _table(connection, everything_shop.SCHEMA, name)
            server.load(relation, everything_shop.SCHEMA, name)
    for as_of_date in REFRESHES:
        variables = everything_shop.variables() | {
            "as_of_date": as_of_date,
            "run_id": f"refresh of {as_of_date}",
        }
        _build_on_duckdb(warehouse, variables)
        _bring_over(warehouse, server)
        _build_on_postgres(
            *(environment, server, tmp_path, variables, "--exclude", "path:python_models"),
            *MODELS_ONLY,
        )
    found = _differences(warehouse, server, tmp_path)
    assert found == {}


# What a rule says, asked of both


# A query in a file, which answers the same whoever is asked.
CASES = sorted((Path(__file__).parent / "dialect_cases").glob("*.sql"))


@pytest.fixture(scope="module")
def asked(environment: Path) -> Iterator[Server]:
    with running(environment) as server:
        yield server


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_what_a_rule_says_postgres_means(case: Path, asked: Server) -> None:
    sql = case.read_text()
    answers = duckdb.sql(f"select * from ({sql}) as answer")
    rows = _asked(asked, sql, answers)
    assert sorted(map(repr, rows)) == sorted(map(repr, answers.fetchall()))


def test_halves_of_a_cent_go_where_they_go_on_duckdb(asked: Server) -> None:
    chance = random.Random(8)
    halves = [
        chance.randint(-(10**7), 10**7) / chance.choice([2, 4, 8, 200, 1000]) for _ in range(3000)
    ]
    shares = [round(chance.uniform(-100, 100), 3) / chance.randint(1, 40) for _ in range(1000)]
    values = ", ".join(f"({number!r}::double)" for number in halves + shares)
    sql = f"""
        select
            x,
            cast(x as decimal(18, 2)) as amount,
            cast(x as decimal(38, 6)) as fine,
            round(x, 1) as tenths,
            cast(round(x) as bigint) as whole,
            cast(x as bigint) as cast_whole,
            cast(cast(x as decimal(18, 4)) as decimal(18, 2)) as twice,
            try_cast(x as decimal(18, 2)) as tried
        from (values {values}) as numbers (x)
    """
    answers = duckdb.sql(f"select * from ({sql}) as answer")
    assert sorted(_asked(asked, sql, answers)) == sorted(answers.fetchall())


def test_what_stops_a_query_says_its_sentence(asked: Server) -> None:
    stop = "cast(error('no more than ' || 1) as boolean)"
    sql = f"select case when n > 1 then {stop} end as stop from t"
    asked.asked("create table t as select 1 as n")
    assert asked.asked(translate(sql, "postgres")) == ""
    asked.asked("insert into t values (2)")
    with pytest.raises(RuntimeError, match="no more than 1"):
        asked.asked(translate(sql, "postgres"))


def _asked(server: Server, sql: str, answers: duckdb.DuckDBPyRelation) -> list[tuple[object, ...]]:
    """What PostgreSQL answers, of the types of DuckDB's answer."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "answer.csv"
        query = translate(sql, "postgres")
        text = server.asked(f"copy ({query}) to stdout (format csv, null '\\N')")
        file.write_text(text + "\n" if text else "")
        return _read(
            file, dict(zip(answers.columns, map(str, answers.types), strict=True)), header=False
        )


def _read(file: Path, types: dict[str, str], *, header: bool) -> list[tuple[object, ...]]:
    return duckdb.sql(f"from {_csv(file, types, header=header)}").fetchall()


def _csv(file: Path, types: dict[str, str], *, header: bool = True) -> str:
    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in types.items())
    return (
        f"read_csv('{file}', header = {header}, auto_detect = false, nullstr = '\\N', delim = ',', "
        f"quote = '\"', escape = '\"', max_line_size = 10000000, columns = {{{columns}}})"
    )


# Building on both


def _build_on_duckdb(warehouse: Path, variables: dict[str, object]) -> None:
    _run(
        [str(DBT), "build", *_places(warehouse.parent / "duckdb"), *MODELS_ONLY],
        {"CUSTOMER_VALUE_WAREHOUSE": str(warehouse)},
        variables,
    )


def _build_on_postgres(
    environment: Path, server: Server, folder: Path, variables: dict[str, object], *arguments: str
) -> None:
    _run(
        [
            *(str(environment / "bin" / "dbt"), "build", *_places(folder / "postgres")),
            *("--target", "postgres", *arguments),
        ],
        {
            "CUSTOMER_VALUE_POSTGRES_HOST": str(server.folder),
            # Where dbt finds the plugin that translates.
            "PYTHONPATH": str(REPOSITORY / "src"),
        },
        variables,
    )


def _places(folder: Path) -> tuple[str, ...]:
    return (
        *("--profiles-dir", "profiles"),
        *("--target-path", str(folder / "target")),
        *("--log-path", str(folder / "logs")),
    )


def _run(command: list[str], environment: dict[str, str], variables: dict[str, object]) -> None:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    finished = subprocess.run(
        [*command, "--vars", json.dumps(variables)],
        cwd=REPOSITORY,
        env=kept | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout[-6000:] + finished.stderr[-2000:]


def _bring_over(warehouse: Path, server: Server, *others: str) -> None:
    """The tables of Python models, and others by name."""
    manifest = json.loads((warehouse.parent / "duckdb" / "target" / "manifest.json").read_text())
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        for node in manifest["nodes"].values():
            if node.get("language") == "python" or node["name"] in others:
                relation = _table(connection, node["schema"], node["name"])
                server.load(relation, node["schema"], node["name"])


def _table(
    connection: duckdb.DuckDBPyConnection, schema: str, table: str
) -> duckdb.DuckDBPyRelation:
    # The file's catalog, and one of its schemas, bear the same name.
    return connection.sql(f"from customer_value.{schema}.{table}")


def _differences(warehouse: Path, server: Server, folder: Path) -> dict[str, list[str]]:
    saved = folder / "saved"
    saved.mkdir()

    def theirs(mart: Mart) -> str:
        with duckdb.connect(str(warehouse), read_only=True) as connection:
            relation = _table(connection, mart.schema, mart.name)
            types = dict(zip(relation.columns, map(str, relation.types), strict=True))
        file = saved / f"{mart.name}.csv"
        server.saved(mart.schema, mart.name, list(types), file)
        return _csv(file, types)

    marts = marts_of(warehouse.parent / "duckdb" / "target" / "manifest.json")
    assert len(marts) > 60
    return differences(marts, warehouse, theirs, LEFT_OUT, are_trained_on_both=False)
