"""What dbt-spark lacks for a plain session of Spark: Python models, and seeds of any text.

dbt-spark submits Python models to clusters of Databricks alone. Here the very code that it would
submit runs in the process of dbt, which is the driver of the session.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dbt.adapters.spark.impl import SparkAdapter

METHOD = "session"
# Formats whose tables can lose rows again, as incremental models need it.
DELETABLE = {"delta", "iceberg", "hudi"}

_exactly = threading.local()


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
    """Give dbt-spark's adapter the method session for Python models, where that is the profile's."""
    if credentials.method != METHOD or METHOD in _methods():
        return
    helpers = SparkAdapter.python_submission_helpers.fget
    SparkAdapter.python_submission_helpers = property(
        lambda self: helpers(self) | {METHOD: SessionJob}
    )
    SparkAdapter.default_python_submission_method = property(lambda _: METHOD)
    _bind_exactly()


def _methods() -> dict[str, Any]:
    methods: dict[str, Any] = SparkAdapter.python_submission_helpers.fget(None)
    return methods


def build_whole(node: Any) -> None:  # noqa: ANN401 - a node of dbt's manifest
    """Make a table of an incremental model whose format can't delete rows, such as Parquet."""
    is_incremental = getattr(node.config, "materialized", None) == "incremental"
    if is_incremental and node.config.get("file_format") not in DELETABLE:
        node.config.materialized = "table"


@contextmanager
def exact_bindings() -> Iterator[None]:
    """While rows of our seeds are inserted: apostrophes are escaped, and nothing stays nothing."""
    _exactly.wanted = True
    try:
        yield
    finally:
        _exactly.wanted = False


def _bind_exactly() -> None:
    from dbt.adapters.spark.session import SessionConnectionWrapper  # noqa: PLC0415

    fix = SessionConnectionWrapper._fix_binding  # noqa: SLF001 - where dbt-spark writes literals

    def fixed(value: Any) -> Any:  # noqa: ANN401
        if not getattr(_exactly, "wanted", False):
            return fix(value)
        if value is None:
            return "null"
        if isinstance(value, str):
            return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
        return fix(value)

    SessionConnectionWrapper._fix_binding = staticmethod(fixed)  # noqa: SLF001
