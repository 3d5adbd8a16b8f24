"""The harness: any order log through the whole dbt project, in a database of its own."""

from __future__ import annotations

import datetime as dt
import functools
import json
import os
import pickle
import random
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from types import CodeType
from typing import Any
from unittest.mock import patch

import duckdb
import hypothesis
import pandas as pd
import pytest
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest
from dbt_common.clients.jinja import MacroFuzzEnvironment

# The same examples on every run. Not shrunk: that takes minutes where an example is a build.
hypothesis.settings.register_profile(
    "stable",
    deadline=None,
    derandomize=True,
    database=None,
    phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
)
hypothesis.settings.load_profile("stable")

PROJECT = Path(__file__).resolve().parents[2]
# Real data that is not in the repository: tests that need it say so where it is absent.
SHARED_DATA = Path(os.environ.get("SHARED_DATA") or PROJECT.parent / "shared" / "data")
ONLINE_RETAIL = SHARED_DATA / "online_retail_2010_2011.parquet"
OPTIONAL_COLUMNS = (
    "status",
    "discount_amount",
    "refund_amount",
    "cost_amount",
    "currency",
    "channel",
    "store",
    "updated_at",
)
# Of the slow tests, those files whose end all would wait for, were they not the first to begin.
LONGEST_FIRST = ("test_replay.py", "test_monitoring.py", "test_incremental.py", "test_shops.py")
# Every test of the package runs over the demo orders in `make test`; here only models run.
MODELS_ONLY = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
# Of inputs that most tests don't give. A third of the models, for which a build takes longer.
OF_OTHER_INPUTS = ("tag:from_events", "tag:from_order_lines")

# SQL text, or rows by column name.
Orders = str | Sequence[Mapping[str, object]]
Row = tuple[Any, ...]


def _remembered(compile_: Any) -> Any:
    """What Jinja compiles a text to: every build has the same texts, a seventh of its time.

    By kind of environment, since a native one writes other code.
    """
    codes: dict[tuple[type, str], CodeType] = {}

    @functools.wraps(compile_)
    def wrapper(self: Any, source: str) -> CodeType:
        key = (type(self), source)
        if key not in codes:
            codes[key] = compile_(self, source)
        return codes[key]

    return wrapper


MacroFuzzEnvironment.compile = _remembered(MacroFuzzEnvironment.compile)  # type: ignore[method-assign]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """In the order that xdist keeps with --no-loadscope-reorder."""
    rank = {name: number for number, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: rank.get(item.path.name, len(rank)))


class BuildError(AssertionError):
    """What dbt says to the user when it stops."""


@dataclass(frozen=True)
class Warehouse:
    """The database that one build left behind."""

    folder: Path

    @property
    def database(self) -> Path:
        """The file; its catalog and its schema share the name customer_value, as by default."""
        return self.folder / "customer_value.duckdb"

    def frame(self, sql: str) -> pd.DataFrame:
        """The answer to a query; tables of customer_value need no schema."""
        with duckdb.connect() as connection:
            self._attach(connection)
            frame: pd.DataFrame = connection.sql(sql).df()
        return frame

    def rows(self, sql: str) -> list[Row]:
        """The answer to a query, with exact decimals."""
        with duckdb.connect() as connection:
            self._attach(connection)
            return connection.sql(sql).fetchall()

    def value(self, sql: str) -> Any:
        """The only value that a query gives."""
        ((value,),) = self.rows(sql)
        return value

    def mapping(self, sql: str) -> dict[Any, Any]:
        """A query's first column to its second, or to the tuple of all others."""
        rows = self.rows(sql)
        mapping = {row[0]: row[1] if len(row) == 2 else row[1:] for row in rows}
        assert len(mapping) == len(rows), "the first column is no key"
        return mapping

    def snapshot(self, schema: str = "customer_value") -> dict[str, list[Row]]:
        """Every table of a schema, sorted, without the mark of the run."""
        with duckdb.connect() as connection:
            self._attach(connection)
            tables = connection.execute(
                "select table_name from duckdb_tables() where schema_name = ? order by all",
                [schema],
            ).fetchall()
            return {
                table: connection.sql(
                    f"select columns(lambda name: name <> 'run_id') "
                    f"from {schema}.{table} order by all"
                ).fetchall()
                for (table,) in tables
            }

    def _attach(self, connection: duckdb.DuckDBPyConnection) -> None:
        connection.execute(f"attach {_quoted(self.database)} as warehouse (read_only)")
        connection.execute("use warehouse.customer_value")
        connection.execute("set TimeZone = 'UTC'")


Build = Callable[..., Warehouse]


def _quoted(text: object) -> str:
    return "'" + str(text).replace("'", "''") + "'"


def write_orders(orders: Orders, path: Path) -> list[str]:
    """Write orders to a Parquet or CSV file; its columns' names."""
    with duckdb.connect() as connection:
        if isinstance(orders, str):
            relation = connection.sql(orders)
        else:
            relation = connection.from_df(pd.DataFrame(list(orders), dtype=object))
        relation.create("given_orders")
        connection.execute(f"copy given_orders to {_quoted(path)}")
        return relation.columns


def orders_input(path: Path, columns: Sequence[str]) -> dict[str, object]:
    """The var inputs for a file whose columns bear our own names."""
    mapped = {name: name for name in columns if name in OPTIONAL_COLUMNS}
    return {"orders": {"path": str(path), "columns": mapped}}


def invoke(
    command: str, folder: Path, arguments: Sequence[str], variables: Mapping[str, object]
) -> Any:  # dbt types its results as a union over all of its commands
    """Run dbt on the project in this process, everything that it writes going to a folder.

    In process, since importing dbt for every build would add a second or two to each, and
    since a warning raised within a model then fails the test.
    """
    warehouse = {"CUSTOMER_VALUE_WAREHOUSE": str(folder / "customer_value.duckdb")}
    with patch.dict(os.environ, warehouse):
        result = dbtRunner(manifest=_parsed(command, arguments, variables)).invoke(
            [
                command,
                *("--project-dir", str(PROJECT)),
                *("--profiles-dir", str(PROJECT / "profiles")),
                *("--target-path", str(folder / "target")),
                *("--log-path", str(folder / "logs")),
                *("--log-level-file", "none"),
                *("--vars", json.dumps(variables)),
                "--no-partial-parse",
                "--quiet",
                *_artifacts(command, arguments),
                *arguments,
            ]
        )
    # dbt holds the file open for a next command that may follow in the same process.
    DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
    return result


def _artifacts(command: str, arguments: Sequence[str]) -> tuple[str, ...]:
    # Writing the manifest takes a fifth of a small build, and nobody reads it.
    return ("--no-write-json",) if command == "build" and "--write-json" not in arguments else ()


def _parsed(
    command: str, arguments: Sequence[str], variables: Mapping[str, object]
) -> Manifest | None:
    """The parsed project, for builds on files: what they read alone tells them apart.

    dbt would parse before every build, longer than most builds take. None where inputs name
    models, which are edges of the graph.
    """
    inputs = variables.get("inputs")
    is_read_from_files = isinstance(inputs, Mapping) and all(
        isinstance(declared, Mapping) and "path" in declared
        for given in inputs.values()
        for declared in (given if isinstance(given, list) else [given])
    )
    if command != "build" or not is_read_from_files:
        return None
    is_with_tests = not set(MODELS_ONLY) <= set(arguments)
    pickled = _project_on_files(is_with_tests=is_with_tests)
    parsed: Manifest = pickle.loads(pickled)  # noqa: S301 - our own, of this process
    return parsed


@functools.cache
def _project_on_files(*, is_with_tests: bool) -> bytes:
    """The project with the inputs in files, parsed once; tests are three quarters of its graph."""
    if not is_with_tests:
        manifest: Manifest = pickle.loads(_project_on_files(is_with_tests=True))  # noqa: S301 - ours
        for key in [key for key in manifest.nodes if key.startswith("test.")]:
            del manifest.nodes[key]
        manifest.unit_tests = {}
        manifest.child_map = manifest.parent_map = None
        return pickle.dumps(manifest)
    with tempfile.TemporaryDirectory() as folder:
        result = dbtRunner().invoke(
            [
                "parse",
                *("--project-dir", str(PROJECT)),
                *("--profiles-dir", str(PROJECT / "profiles")),
                *("--target-path", str(Path(folder) / "target")),
                *("--log-path", str(Path(folder) / "logs")),
                *("--log-level-file", "none"),
                *("--vars", json.dumps({"inputs": {"orders": {"path": "orders.parquet"}}})),
                "--no-partial-parse",
                "--quiet",
            ]
        )
    DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
    assert isinstance(result.result, Manifest), result.exception
    manifest = result.result
    # dbt pickles its lookups in another order than it reads them in. It makes them when asked.
    for name in [name for name in vars(manifest) if name.endswith("_lookup")]:
        setattr(manifest, name, None)
    # Bytes, since a build leaves its mark on the manifest that it is given.
    return pickle.dumps(manifest)


def complaint(result: Any) -> str | None:
    """What dbt says went wrong, or None."""
    if result.success:
        return None
    if result.exception is not None:
        return str(result.exception)
    failures = [
        f"{outcome.node.name}: {outcome.message}"
        for outcome in result.result
        if outcome.status in {"error", "fail", "runtime error"}
    ]
    return "\n".join(failures)


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Build the project on given orders; raises BuildError with what dbt says if it stops."""

    def built(
        orders: Orders,
        *,
        variables: Mapping[str, object] | None = None,
        database: Warehouse | None = None,
        select: Sequence[str] = (),
        selector: str | None = None,
        threads: int = 2,
        file_format: str = "parquet",
        is_whole: bool = False,
    ) -> Warehouse:
        # The name's space is on purpose: nothing may break on a path that has one.
        warehouse = database or Warehouse(tmp_path_factory.mktemp("a shop"))
        path = warehouse.folder / f"its orders.{file_format}"
        columns = write_orders(orders, path)
        arguments = ["--threads", str(threads), *MODELS_ONLY]
        arguments += ["--select", *select] if select else []
        arguments += ["--selector", selector] if selector else []
        if not (select or selector or is_whole):
            arguments += ["--exclude", *OF_OTHER_INPUTS]
        result = invoke(
            "build",
            warehouse.folder,
            arguments,
            {"inputs": orders_input(path, columns), **(variables or {})},
        )
        message = complaint(result)
        if message is not None:
            raise BuildError(message)
        return warehouse

    return built


def shop(customer_count: int = 240, days: int = 720) -> list[dict[str, object]]:
    """Orders of a made-up shop, the same on every call.

    Customers arrive over two thirds of the time, each with a pace and a level of spending of
    their own, and leave at some point without a word.
    """
    chance = random.Random(19970101)
    opening = dt.datetime(2023, 1, 1)
    orders: list[dict[str, object]] = []
    for number in range(customer_count):
        day = chance.uniform(0, days * 2 / 3)
        gap = chance.lognormvariate(3.4, 0.8)
        level = chance.lognormvariate(3.5, 0.6)
        while day < days:
            amount = round(Decimal(level * chance.lognormvariate(0, 0.4)), 2)
            orders.append(
                {
                    "order_id": f"order-{len(orders):05}",
                    "customer_id": f"customer-{number:04}",
                    "ordered_at": opening + dt.timedelta(seconds=int(day * 86400)),
                    "amount": amount,
                    "discount_amount": round(amount / 10, 2) if chance.random() < 0.2 else None,
                    "refund_amount": amount if chance.random() < 0.05 else None,
                    "channel": chance.choice(["web", "store"]),
                }
            )
            if chance.random() < 0.15:
                break
            day += chance.expovariate(1 / gap)
    return orders


@pytest.fixture(scope="session")
def shop_orders() -> list[dict[str, object]]:
    """The made-up shop's orders; don't change them in place."""
    return shop()
