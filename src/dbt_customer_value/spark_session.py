"""What dbt-spark lacks for a plain session of Spark: Python models, and seeds of any text.

dbt-spark submits Python models to clusters of Databricks alone. Here the very code that it would
submit runs in the process of dbt, which is the driver of the session.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from dbt.adapters.spark.impl import SparkAdapter

METHOD = "session"
# Formats whose tables can lose rows again, as incremental models need it.
DELETABLE = {"delta", "iceberg", "hudi"}

_seeds = threading.local()


class SessionJob:
    """A Python model that is run where dbt itself runs."""

    def __init__(self, parsed_model: dict[str, Any], credentials: Any) -> None:  # noqa: ANN401
        """Take what dbt gives every such job; credentials are the session's own."""
        self.parsed_model = parsed_model
        self.credentials = credentials

    def submit(self, compiled_code: str) -> None:
        """Run the compiled model, which ends by writing its table."""
        from pyspark.sql import SparkSession  # noqa: PLC0415

        name = f"{self.parsed_model['alias']}.py"
        code = compile(compiled_code, name, "exec")
        exec(code, {"spark": SparkSession.builder.getOrCreate(), "__name__": name})  # noqa: S102


def prepare(credentials: Any) -> None:  # noqa: ANN401 - dbt-spark's
    """Give dbt-spark's adapter the method session for Python models, where it is the profile's.

    And let Spark stop at a number that does not fit: dbt-spark takes that from every session,
    whatever its profile says, and then a sum that is too large is silently another number.
    """
    if credentials.method != METHOD:
        return
    credentials.server_side_parameters["spark.sql.ansi.enabled"] = "true"
    if METHOD in _methods():
        return
    helpers = SparkAdapter.python_submission_helpers.fget
    SparkAdapter.python_submission_helpers = property(
        lambda self: helpers(self) | {METHOD: SessionJob}
    )
    SparkAdapter.default_python_submission_method = property(lambda _: METHOD)
    _insert_as_data()


def _methods() -> dict[str, Any]:
    methods: dict[str, Any] = SparkAdapter.python_submission_helpers.fget(None)
    return methods


def suit_files(node: Any) -> None:  # noqa: ANN401 - a node of dbt's manifest
    """Make Parquet files where the project names no format, and whole tables where rows must stay.

    dbt-spark takes Delta for granted in some places, which only Databricks brings along.
    """
    if not node.config.get("file_format"):
        node.config["file_format"] = "parquet"
    is_incremental = getattr(node.config, "materialized", None) == "incremental"
    if is_incremental and node.config.get("file_format") not in DELETABLE:
        node.config.materialized = "table"


@contextmanager
def rows_as_data() -> Iterator[None]:
    """While rows of our seeds are inserted: they come to Spark as data, not as text of a query.

    dbt-spark writes them into a statement, which takes Spark a minute for each ten thousand, and
    neither escapes an apostrophe nor tells nothing from the text None.
    """
    _seeds.wanted = True
    try:
        yield
    finally:
        _seeds.wanted = False


def _insert_as_data() -> None:
    from dbt.adapters.spark.session import SessionConnectionWrapper  # noqa: PLC0415

    execute = SessionConnectionWrapper.execute

    def wrapper(self: Any, sql: str, bindings: Sequence[Any] | None = None) -> None:  # noqa: ANN401
        if bindings is None or not getattr(_seeds, "wanted", False):
            execute(self, sql, bindings)
        else:
            _insert(sql, bindings)

    SessionConnectionWrapper.execute = wrapper


def _insert(statement: str, values: Sequence[Any]) -> None:
    """Insert rows, given dbt-spark's statement, which names the table and each value's type."""
    import pyarrow as pa  # noqa: PLC0415
    from pyspark.sql import SparkSession  # noqa: PLC0415

    table = re.search(r"insert into (\S+) values", statement)
    first_row = re.search(r"values\s*\((.*?)\)\s*(?:,\s*\(|$)", statement, re.DOTALL)
    assert table and first_row, statement[:200]  # noqa: S101, PT018 - as dbt-spark writes it
    types = re.findall(r"cast\(%s as (.+?)\)(?=\s*(?:,|$))", first_row[1])
    count = len(types)
    columns = [
        pa.array(
            [None if value is None else str(value) for value in values[place::count]], "string"
        )
        for place in range(count)
    ]
    names = [f"column_{place}" for place in range(count)]
    session = SparkSession.builder.getOrCreate()
    rows = session.createDataFrame(pa.table(columns, names))
    typed = [f"cast({name} as {type_}) as {name}" for name, type_ in zip(names, types, strict=True)]
    rows.selectExpr(*typed).write.insertInto(table[1])
