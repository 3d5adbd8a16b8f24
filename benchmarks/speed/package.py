"""The package: dbt as a process of its own, over the generated orders or the demo's."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import duckdb
import yaml

from speed import processes
from speed.processes import PROJECT, Measured

PROFILE: Final = "customer_value"
SCHEMA: Final = "customer_value"

# What the file has beyond the columns that an order log must have.
OPTIONAL_COLUMNS: Final = ("discount_amount", "refund_amount", "channel", "updated_at")
OPTIONAL_COLUMNS_OF_LINES: Final = ("line_number", "category")
# What cleaning, RFM and cohorts end in; all that they are made of is run with them.
CLEANING_RFM_COHORTS: Final = ("+orders_rejected", "+customer_rfm", "+cohort_retention")
NEEDED_SEEDS: Final = ("rfm_segments", "lifecycle_stages", "order_statuses", "non_goods")
WITHOUT_UNIT_TESTS: Final = ("--exclude-resource-type", "unit_test")
REFRESHED: Final = ("--selector", "refresh", *WITHOUT_UNIT_TESTS)

# In time: what reads the customers' features and predicts; what fits on the sample.
SCORING: Final = ("churn_scoring", "spend_scoring", "high_value_scoring")
TRAINING: Final = ("churn_training", "spend_training", "high_value_training")
RFM: Final = ("customers", "customer_rfm")
# The folder of segments, recommendations, baskets, paths, demand, campaigns and the plan.
DECISIONS: Final = "decisions"


def settings(target: str) -> dict[str, Any]:
    """Read the DuckDB settings of a target of the package's own profile."""
    profiles = yaml.safe_load((PROJECT / "profiles" / "profiles.yml").read_text(encoding="utf-8"))
    return dict(profiles[PROFILE]["outputs"][target].get("settings") or {})


def delete(database: Path) -> None:
    """Delete a DuckDB file and its write-ahead log, if they are there."""
    database.unlink(missing_ok=True)
    database.with_name(database.name + ".wal").unlink(missing_ok=True)


def row_counts(database: Path, schema_pattern: str) -> dict[str, int]:
    """The rows of each table, as DuckDB has them written down."""
    with duckdb.connect(str(database), read_only=True) as connection:
        return dict(
            connection.execute(
                "select table_name, estimated_size from duckdb_tables() where schema_name like ?",
                [schema_pattern],
            ).fetchall()
        )


@dataclasses.dataclass(frozen=True)
class Warehouse:
    """A database that the package builds.

    Attributes:
        orders: the order log; None for the demo's.
        database: the DuckDB file.
        target: of the profile.
        lines: what was in the orders; None where the shop doesn't tell.
    """

    orders: Path | None
    database: Path
    target: str
    lines: Path | None = None

    def dbt(self, verb: str, select: Sequence[str] = (), options: Sequence[str] = ()) -> Measured:
        """Run dbt, and measure each node.

        Args:
            verb: seed, run or build.
            select: the nodes to run, or none for all.
            options: of the command line.
        """
        folder = self.database.parent
        inputs = {
            name: {"path": str(path), "columns": {column: column for column in columns}}
            for name, path, columns in (
                ("orders", self.orders, OPTIONAL_COLUMNS),
                ("order_lines", self.lines, OPTIONAL_COLUMNS_OF_LINES),
            )
            if path
        }
        variables = {"inputs": inputs} if inputs else {}
        finished = processes.run(
            [
                *(sys.executable, "-m", "dbt.cli.main", verb),
                *("--profiles-dir", "profiles", "--target", self.target, "--no-use-colors"),
                *("--target-path", str(folder / "target"), "--log-path", str(folder / "logs")),
                *("--vars", json.dumps(variables)),
                *(("--select", *select) if select else ()),
                *options,
            ],
            {"CUSTOMER_VALUE_WAREHOUSE": str(self.database)},
            self.database,
        )
        intervals = executed(folder / "target")
        return finished.measured(intervals, row_counts(self.database, f"{SCHEMA}%"))

    def nodes_of_decisions(self) -> list[str]:
        """Ids of the models of decisions and their tests, of the project that was run last."""
        file = self.database.parent / "target" / "manifest.json"
        nodes = json.loads(file.read_text(encoding="utf-8"))["nodes"]
        return sorted(node for node, told in nodes.items() if DECISIONS in told["fqn"])


def executed(target: Path) -> dict[str, tuple[float, float]]:
    """When each node of dbt's last run began and ended, in seconds, by its id.

    Args:
        target: dbt's folder of artifacts.
    """
    results = json.loads((target / "run_results.json").read_text(encoding="utf-8"))["results"]
    return {
        result["unique_id"]: (_seconds(step["started_at"]), _seconds(step["completed_at"]))
        for result in results
        for step in result["timing"]
        if step["name"] == "execute"
    }


def _seconds(time: str) -> float:
    return datetime.fromisoformat(time).timestamp()


def seconds_of(models: Sequence[str], run: Measured) -> float:
    """The seconds of these models together, as if one ran after the other."""
    return sum(run.steps[f"model.{PROFILE}.{model}"].seconds for model in models)
