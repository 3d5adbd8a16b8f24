"""The package on Apache Spark: the tables are those of DuckDB, row by row.

The demo once within one process (local[2]), and once on a standalone master with two workers, which
are processes of this machine: nothing may depend on the driver's memory or on what a worker has.
And a shop with every input, within one process.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import everything_shop
import pytest
from equal_marts import Leave, Mart, differences, marts_of
from own_environment import PIP, made

from spark_cluster import LOOPBACK, cluster

REPOSITORY = Path(__file__).resolve().parents[2]
DBT = Path(sys.executable).with_name("dbt")
MODELS_ONLY = ("--exclude-resource-type", "unit_test", "test")
# A model as text has all of its digits, of which the sixteenth is another library's.
DIGITS = Leave(columns=("parameters", "linear_predictor_sql", "scoring_sql"))
# Of this rule of thumb alone the figures hang on who is on which side of the edge of a tenth, so on
# the sixteenth digit of a logarithm; and the champion's gain is over the best of such rules.
TENTHS = Leave(rows="candidate = 'spend_tenths' and origin_date = date '1997-08-16'")
LEFT_OUT = {"model_registry": DIGITS, "model_backtest": TENTHS}
# Spark has no infinite time, so the text of one can't be read there; on DuckDB it is implausible.
INFINITY = Leave(rows="raw_ordered_at = 'infinity'")
COUNTS_OF_INFINITY = Leave(rows="subject in ('unparseable_ordered_at', 'implausible_ordered_at')")
# What was given, as the warehouse writes a time with a zone.
GIVEN = Leave(columns=("raw_values",))
LEFT_OUT_OF_EVERYTHING = LEFT_OUT | {
    "orders_rejected": INFINITY,
    "data_quality": COUNTS_OF_INFINITY,
    "inputs_rejected": GIVEN,
}


@pytest.fixture(scope="module")
def spark() -> Path:
    """The environment of its own that has dbt-spark and Spark."""
    environment = made("spark", REPOSITORY / "requirements-spark.txt")
    this_package = ("--no-deps", "--no-build-isolation", "--editable", str(REPOSITORY))
    _run([str(environment / "bin" / "python"), *PIP, *this_package], {})
    return environment


@dataclass(frozen=True)
class Shop:
    """What DuckDB made of a shop, and the vars by which Spark reads the same inputs."""

    folder: Path
    variables: dict[str, object]

    @property
    def database(self) -> Path:
        return self.folder / "customer_value.duckdb"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """The demo; its orders as a file, since dbt-spark takes minutes for a seed of so many rows."""
    shop = Shop(tmp_path_factory.mktemp("demo"), {})
    _build_on_duckdb(shop, {})
    return _as_files(shop, {"orders": "customer_value_internal.demo_orders"}, {})


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A made-up shop with every input."""
    shop = Shop(tmp_path_factory.mktemp("everything"), everything_shop.variables())
    everything_shop.write(shop.database)
    _build_on_duckdb(shop, shop.variables)
    tables = {name: f"{everything_shop.SCHEMA}.{name}" for name in everything_shop.TYPES}
    return _as_files(shop, tables, shop.variables)


def _build_on_duckdb(shop: Shop, variables: Mapping[str, object]) -> None:
    given = ("--vars", json.dumps(variables))
    command = [str(DBT), "build", *_places(shop.folder), *given, *MODELS_ONLY]
    _run(command, {"CUSTOMER_VALUE_WAREHOUSE": str(shop.database)})


def _as_files(shop: Shop, tables: Mapping[str, str], variables: Mapping[str, Any]) -> Shop:
    """The shop with its inputs as Parquet files, which Spark is told to read."""
    inputs = {}
    with duckdb.connect(str(shop.database), read_only=True) as connection:
        for name, table in tables.items():
            file = shop.folder / f"{name}.parquet"
            connection.execute(f"copy customer_value.{table} to '{file}'")
            declared = variables.get("inputs", {}).get(name, {})
            inputs[name] = declared | {"table": f'parquet."{file}"'}
    return Shop(shop.folder, {**variables, "inputs": inputs})


@pytest.fixture(scope="module")
def two_workers(spark: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a master with two workers of one core each."""
    with cluster(spark, tmp_path_factory.mktemp("cluster"), memory="1500m") as address:
        yield address


def test_the_demo_in_one_process_is_that_of_duckdb(spark: Path, demo: Shop, tmp_path: Path) -> None:
    assert not _differences_on_spark(spark, "local[2]", demo, tmp_path)


def test_the_demo_of_two_workers_is_that_of_duckdb(
    spark: Path, two_workers: str, demo: Shop, tmp_path: Path
) -> None:
    assert not _differences_on_spark(spark, two_workers, demo, tmp_path)


def test_every_input_in_one_process_is_that_of_duckdb(
    spark: Path, everything: Shop, tmp_path: Path
) -> None:
    left_out = LEFT_OUT_OF_EVERYTHING
    assert not _differences_on_spark(spark, "local[2]", everything, tmp_path, left_out)


OVERFLOW = """
from dbt.adapters.spark.connections import SparkCredentials
from dbt.adapters.spark.session import Connection
from dbt_customer_value import spark_session

credentials = SparkCredentials(method="session", host="session", schema="s")
credentials.server_side_parameters["spark.sql.catalogImplementation"] = "in-memory"
spark_session.prepare(credentials)
cursor = Connection(server_side_parameters=credentials.server_side_parameters).cursor()
cursor.execute("select cast(2147483647 as int) + cast(1 as int)")
print(cursor.fetchall())
"""


def test_a_number_that_does_not_fit_stops_the_query(spark: Path, tmp_path: Path) -> None:
    finished = subprocess.run(
        [str(spark / "bin" / "python"), "-c", OVERFLOW],
        cwd=tmp_path,
        env=_environment() | {"SPARK_LOCAL_IP": LOOPBACK},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode != 0, finished.stdout
    assert "ARITHMETIC_OVERFLOW" in finished.stderr, finished.stderr[-4000:]


# Each gives one row, whose values have the same text on both.
QUERIES = (
    # Borders of a unit, not whole units; also backwards.
    """
    select
        date_diff('day', timestamp '2024-01-01 23:59:59', timestamp '2024-01-02 00:00:00'),
        date_diff('day', timestamp '2024-03-01 00:00:00', timestamp '2024-02-28 23:00:00'),
        date_diff('month', date '2024-01-31', date '2024-02-01'),
        date_diff('month', date '2024-03-01', date '2023-12-31'),
        date_diff('second', timestamp '2024-01-01 00:00:00.9', timestamp '2024-01-01 00:00:01.1'),
        cast(date_diff('minute', timestamp '1969-12-31 23:59:59', timestamp '1970-01-01') as int)
    """,
    """
    select
        cast(date '2024-01-31' + cast(1 as bigint) * interval '1 month' as date),
        cast(timestamp '2024-02-28 12:30:00' + cast(24 as bigint) * interval '1 hour' as timestamp),
        cast(date_trunc('month', moment) as date),
        cast(date_trunc('week', moment) as date)
    from (select timestamp '2024-03-03 12:30:00' as moment) as given
    """,
    # A half that is a little less in binary, and one that is none.
    """
    select
        cast(0.145::double as decimal(18, 2)),
        cast(-2.675::double as decimal(18, 2)),
        cast(cast(2.345 as decimal(18, 3)) as decimal(18, 2)),
        cast(1e15::double as decimal(38, 6)),
        cast(x as decimal(18, 2))
    from (select cast(null as double) as x) as given
    """,
    # What a text is, and what it only looks like.
    """
    select
        string_agg(coalesce(cast(try_cast(v as decimal(9, 2)) as varchar), 'none'), ' ' order by k),
        string_agg(coalesce(cast(try_cast(v as double) as varchar), 'none'), ' ' order by k)
    from (
        values (1, '5'), (2, ' 5.125 '), (3, '-1.005'), (4, '1_000'), (5, '5d'), (6, '0x1F'),
        (7, '.5'), (8, '5.'), (9, '+5'), (10, '5e2'), (11, '1,000'), (12, ''), (13, '1__0')
    ) as t (k, v)
    """,
    """
    select string_agg(coalesce(cast(try_cast(v as timestamp) as varchar), 'none'), ', ' order by k)
    from (
        values (1, '2024-05-01'), (2, '2024/5/1 10:00'), (3, '2024-05'), (4, '2024'), (5, '12:30'),
        (6, '2024-05-01T10:00:01'), (7, '2024-05-01 10'), (8, 'today'), (9, '1/2/2024'), (10, '')
    ) as t (k, v)
    """,
    "select try_cast(v as decimal(18, 2)) from (values (0.145::double)) as t (v)",
    # Whole numbers divide with a remainder, but for //.
    """
    select 7 / 2, cast(7 as decimal(18, 2)) / 4, 7 // 2, avg(x)
    from (select 1 as x union all select 2) as t
    """,
    # What is nothing has no say.
    """
    select
        arg_max(v, k),
        greatest(max(k), null),
        count(v),
        sum(v order by k),
        avg(v order by k)
    from (values (1, 10), (2, 20), (3, null)) as t (k, v)
    """,
    """
    select
        percentile_disc(0.5) within group (order by v),
        percentile_disc(0.9) within group (order by v),
        percentile_cont(0.25) within group (order by v),
        median(v)
    from (values (1.0::double), (2.0::double), (4.0::double), (8.0::double)) as t (v)
    """,
    """
    select
        cast(json_object('a', cast(null as varchar), 'b', 'it''s') as varchar),
        'a\\b' || '"',
        trim('  a '),
        split_part('a+b', '+', 2),
        split_part('a', '+', 2),
        concat_ws(', ', 'a', null, 'b'),
        sha256('a'),
        substring('abc', 1, 2)
    """,
    """
    select key, place from (
        select key, row_number() over (order by key) as place
        from (values ('b'), (null), ('a')) as t (key)
    ) as numbered
    qualify row_number() over (order by key desc) = 1
    """,
    "select string_agg(v, ', ' order by k) from (values (2, 'b'), (1, 'a')) as t (k, v)",
    "select count(*), sum(n) from (select unnest(generate_series(0, (select 4))) as n) as numbers",
)


def test_words_mean_on_spark_what_they_mean_on_duckdb(spark: Path) -> None:
    finished = subprocess.run(
        [str(spark / "bin" / "python"), str(Path(__file__).with_name("spark_answers.py"))],
        env=_environment() | {"SPARK_LOCAL_IP": LOOPBACK},
        input=json.dumps(QUERIES),
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr[-4000:]
    with duckdb.connect() as connection:
        rows = [connection.sql(query).fetchall() for query in QUERIES]
    ours = [[None if value is None else str(value) for value in row] for (row,) in rows]
    assert json.loads(finished.stdout) == ours


def _differences_on_spark(
    spark: Path, master: str, shop: Shop, folder: Path, left_out: Mapping[str, Leave] = LEFT_OUT
) -> dict[str, list[str]]:
    """Build a shop on Spark, and compare every mart with DuckDB's."""
    _run(
        [
            *(str(spark / "bin" / "dbt"), "build", *_places(folder), "--target", "spark"),
            *(*MODELS_ONLY, "--exclude", "demo_orders", "--vars", json.dumps(shop.variables)),
        ],
        {
            "CUSTOMER_VALUE_SPARK_MASTER": master,
            "CUSTOMER_VALUE_SPARK_WAREHOUSE": str(folder / "spark"),
            "CUSTOMER_VALUE_SPARK_CATALOG": "in-memory",
            "CUSTOMER_VALUE_SPARK_PARTITIONS": "2",
            "SPARK_LOCAL_IP": LOOPBACK,
            # Hundreds of small queries: the compiler that is quick is the faster one. By itself it
            # has less room than it fills here, and once that is full it compiles no more.
            "JAVA_TOOL_OPTIONS": (
                "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=512m -XX:+UseParallelGC"
            ),
        },
    )

    def files(mart: Mart) -> str:
        return f"read_parquet('{folder}/spark/{mart.schema}.db/{mart.name}/*.parquet')"

    marts = marts_of(shop.folder / "target" / "manifest.json")
    return differences(marts, shop.database, files, left_out)


def _environment() -> dict[str, str]:
    kept = ("PATH", "HOME", "JAVA_HOME")
    return {name: os.environ[name] for name in kept if name in os.environ}


def _places(folder: Path) -> tuple[str, ...]:
    return (
        *("--profiles-dir", "profiles"),
        *("--target-path", str(folder / "target")),
        *("--log-path", str(folder / "logs")),
    )


def _run(command: list[str], environment: dict[str, str]) -> None:
    finished = subprocess.run(
        command,
        cwd=REPOSITORY,
        env=_environment() | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    told = (finished.stdout[-6000:], finished.stderr[:4000], finished.stderr[-2000:])
    assert finished.returncode == 0, "\n[...]\n".join(told)
