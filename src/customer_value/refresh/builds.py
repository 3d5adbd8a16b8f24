"""dbt, run on the copy: the only module of a refresh that imports dbt, and the last to be loaded.

In this process and not in one of its own: who kills the refresh has killed the build too, and
nothing is left behind that still writes into the copy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.artifacts.schemas.run import RunExecutionResult
from dbt.cli.main import dbtRunner

FAILED = frozenset({"error", "fail", "runtime error", "partial success"})


@dataclass
class Build:
    """What one command of dbt did.

    statuses: of each node, by dbt's name of it: success, pass, warn, fail, error, skipped.
    messages: dbt's own words, of those that failed. problem: why it ended before any node, or None.
    """

    is_success: bool
    statuses: dict[str, str] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)
    problem: str | None = None
    is_interrupted: bool = False


def run(arguments: Sequence[str], progress: Callable[[int, int, str], None]) -> Build:
    """Run one command of dbt.

    Args:
        arguments: as on the command line, without ``dbt``.
        progress: is called with the nodes done, all of them, and the name of what has begun.
    """
    counts = {"done": 0, "total": 0}

    def listen(event: Any) -> None:  # noqa: ANN401 - dbt's events are generated classes
        if event.info.name == "NodeFinished":
            counts["done"] += 1
        elif event.info.name == "LogStartLine":
            counts["total"] = event.data.total
            progress(counts["done"], counts["total"], event.data.node_info.node_name)

    try:
        ended = dbtRunner(callbacks=[listen]).invoke(list(arguments))
    finally:
        # dbt holds the file open for a next command that may follow in the same process.
        DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
    build = Build(ended.success)
    if isinstance(ended.result, RunExecutionResult):
        for result in ended.result.results:
            build.statuses[result.node.unique_id] = str(result.status)
            if str(result.status) in FAILED:
                build.messages.append(f"{result.node.name}: {result.message}")
    if ended.exception is not None:
        build.is_interrupted = isinstance(ended.exception, KeyboardInterrupt)
        build.problem = str(ended.exception) or type(ended.exception).__name__
    return build
