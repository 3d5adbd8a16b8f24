"""The package on Apache Spark: the demo's tables are those of DuckDB, row by row.

Once within one process (local[2]), and once on a standalone master with two workers, which are
processes of this machine: nothing may depend on the driver's memory or on what a worker has.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest
from equal_marts import Leave, Mart, differences, marts_of
from own_environment import made

REPOSITORY = Path(__file__).resolve().parents[2]
DBT = Path(sys.executable).with_name("dbt")
MODELS_ONLY = ("--exclude-resource-type", "unit_test", "test")
LOOPBACK = "127.0.0.1"
# A model as text has all of its digits, of which the sixteenth is another library's.
DIGITS = Leave(columns=("parameters", "linear_predictor_sql", "scoring_sql"))
# Of this rule of thumb alone the figures hang on who is on which side of the edge of a tenth, so on
# the sixteenth digit of a logarithm; and the champion's gain is over the best of such rules.
TENTHS = Leave(rows="candidate = 'spend_tenths' and origin_date = date '1997-08-16'")
LEFT_OUT = {"model_registry": DIGITS, "model_backtest": TENTHS}


@pytest.fixture(scope="module")
def spark() -> Path:
    """The environment of its own that has dbt-spark and Spark."""
    return made("spark", REPOSITORY / "requirements-spark.txt")


@pytest.fixture(scope="module")
def on_duckdb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the demo as DuckDB builds it, and its orders as a file."""
    folder = tmp_path_factory.mktemp("on duckdb")
    file = folder / "customer_value.duckdb"
    _run(
        [str(DBT), "build", *_places(folder), *MODELS_ONLY], {"CUSTOMER_VALUE_WAREHOUSE": str(file)}
    )
    with duckdb.connect(str(file), read_only=True) as connection:
        connection.execute(
            f"copy customer_value_internal.demo_orders to '{folder / 'demo_orders.parquet'}'"
        )
    return folder


@pytest.fixture(scope="module")
def cluster(spark: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a master with two workers of one core each."""
    folder = tmp_path_factory.mktemp("cluster")
    address = f"spark://{LOOPBACK}:{_free_port()}"
    master = ("master.Master", "--host", LOOPBACK, "--port", address.rpartition(":")[2])
    worker = ("worker.Worker", "--host", LOOPBACK, "--cores", "1", "--memory", "1500m")
    with _started(spark, folder / "master", *master):
        _wait_for(folder / "master", "I have been elected leader", 1)
        with (
            _started(spark, folder / "first", *worker, "--work-dir", str(folder / "w1"), address),
            _started(spark, folder / "second", *worker, "--work-dir", str(folder / "w2"), address),
        ):
            _wait_for(folder / "master", "Registering worker", 2)
            yield address


def test_tables_in_one_process_are_those_of_duckdb(
    spark: Path, on_duckdb: Path, tmp_path: Path
) -> None:
    _build(spark, "local[2]", on_duckdb, tmp_path)
    assert not _differences(on_duckdb, tmp_path)


def test_tables_of_two_workers_are_those_of_duckdb(
    spark: Path, cluster: str, on_duckdb: Path, tmp_path: Path
) -> None:
    _build(spark, cluster, on_duckdb, tmp_path)
    assert not _differences(on_duckdb, tmp_path)


def _build(spark: Path, master: str, on_duckdb: Path, folder: Path) -> None:
    # The orders as a file: dbt-spark renders each value of a seed, which takes minutes.
    orders = f'parquet."{on_duckdb / "demo_orders.parquet"}"'
    _run(
        [
            *(
                str(spark / "bin" / "dbt"),
                "build",
                *_places(folder),
                "--target",
                "spark",
                *MODELS_ONLY,
            ),
            *("--exclude", "demo_orders"),
            *("--vars", f"{{inputs: {{orders: {{table: '{orders}'}}}}}}"),
        ],
        {
            "CUSTOMER_VALUE_SPARK_MASTER": master,
            "CUSTOMER_VALUE_SPARK_WAREHOUSE": str(folder / "spark"),
            "CUSTOMER_VALUE_SPARK_CATALOG": "in-memory",
            "CUSTOMER_VALUE_SPARK_PARTITIONS": "2",
            "PYTHONPATH": str(REPOSITORY / "src"),
            "SPARK_LOCAL_IP": LOOPBACK,
        },
    )


def _differences(on_duckdb: Path, folder: Path) -> dict[str, list[str]]:
    def files(mart: Mart) -> str:
        return f"read_parquet('{folder}/spark/{mart.schema}.db/{mart.name}/*.parquet')"

    marts = marts_of(on_duckdb / "target" / "manifest.json")
    return differences(marts, on_duckdb / "customer_value.duckdb", files, LEFT_OUT)


def _places(folder: Path) -> tuple[str, ...]:
    return (
        *("--profiles-dir", "profiles"),
        *("--target-path", str(folder / "target")),
        *("--log-path", str(folder / "logs")),
    )


def _run(command: list[str], environment: dict[str, str]) -> None:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "JAVA_HOME") if name in os.environ}
    finished = subprocess.run(
        command,
        cwd=REPOSITORY,
        env=kept | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout[-6000:] + finished.stderr[-2000:]


@contextmanager
def _started(spark: Path, log: Path, name: str, *arguments: str) -> Iterator[None]:
    """A process of Spark's standalone cluster, which pyspark ships without a script to start it."""
    (home,) = spark.glob("lib/python*/site-packages/pyspark")
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "JAVA_HOME") if name in os.environ}
    with log.open("w") as written:
        process = subprocess.Popen(
            [
                *(str(home / "bin" / "spark-class"), f"org.apache.spark.deploy.{name}"),
                *("--webui-port", "0", *arguments),
            ],
            env=kept
            | {
                "SPARK_HOME": str(home),
                "SPARK_LOCAL_IP": LOOPBACK,
                # A second way in, on a fixed port.
                "SPARK_MASTER_OPTS": "-Dspark.master.rest.enabled=false",
            },
            stdout=written,
            stderr=subprocess.STDOUT,
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_for(log: Path, sentence: str, times: int) -> None:
    until = time.monotonic() + 120
    while log.read_text().count(sentence) < times:
        assert time.monotonic() < until, log.read_text()
        time.sleep(0.2)


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind((LOOPBACK, 0))
        port: int = listening.getsockname()[1]
    return port
