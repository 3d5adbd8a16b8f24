"""What one run of the benchmark found, as a file."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Self

from speed.floors import Floor
from speed.peers import Timed
from speed.processes import GIGABYTE, PROJECT, Measured

# Results of the sizes that have targets, which docs/speed.md is made of.
RESULTS: Final = PROJECT / "benchmarks" / "results"
# By the number of customers, who have ten orders each: make bench, and make bench-large.
SIZES: Final = {1_000_000: "10 million orders", 10_000_000: "100 million orders"}


@dataclasses.dataclass(frozen=True)
class Result:
    """One run.

    Attributes:
        customers: how many were generated.
        orders: how many rows their orders are.
        seed: of the generator.
        target: of the profile, with its settings.
        machine: cores and gigabytes.
        versions: by package.
        by_hand: cleaning, RFM and cohorts in SQL written by hand.
        models: the same by the package's models, and those alone.
        build: the whole of dbt build.
        refresh: a second build with new orders, without training; None where it wasn't run.
        demo: dbt build of the demo; None where it wasn't run.
        with_lines: the whole of dbt build where orders have lines; None where it wasn't run.
        decision_seconds: of it, all nodes of decisions and their tests, one after the other.
        features: what reading and writing the features takes.
        rfm_summary: of pymc-marketing; None where it wasn't run.
        fits: BG/NBD by package; empty where they weren't run.
        differences: where results were not those of the SQL written by hand.
    """

    customers: int
    orders: int
    seed: int
    target: str
    machine: Mapping[str, float]
    versions: Mapping[str, str]
    by_hand: Measured
    models: Measured
    build: Measured
    refresh: Measured | None
    demo: Measured | None
    with_lines: Measured | None
    decision_seconds: float | None
    features: Floor
    rfm_summary: Timed | None
    fits: Mapping[str, Timed]
    differences: list[str]

    def write(self, folder: Path) -> Path:
        """Write it to a file that is named after its size."""
        return _written(dataclasses.asdict(self), folder / _name(self.customers))

    @classmethod
    def read(cls, customers: int, folder: Path = RESULTS) -> Self | None:
        """The last run of so many customers; None where there is none."""
        path = folder / _name(customers)
        if not path.exists():
            return None
        figures = json.loads(path.read_text(encoding="utf-8"))
        for name in ("by_hand", "models", "build", "refresh", "demo", "with_lines"):
            figures[name] = figures[name] and Measured.read(figures[name])
        figures["features"] = Floor(**figures["features"])
        figures["rfm_summary"] = figures["rfm_summary"] and Timed(**figures["rfm_summary"])
        figures["fits"] = {name: Timed(**fit) for name, fit in figures["fits"].items()}
        return cls(**figures)


@dataclasses.dataclass(frozen=True)
class SparkRun:
    """All models once on a cluster of Spark, without their tests.

    Attributes:
        customers: how many were generated.
        orders: how many rows their orders are.
        workers: of one core each.
        worker_memory: of each, as Spark takes it.
        machine: cores and gigabytes.
        versions: by package.
        models_seconds: from the start of the first model to the end of the last.
        elapsed_seconds: the same with the start of dbt and of Spark.
        seconds: by model.
    """

    customers: int
    orders: int
    workers: int
    worker_memory: str
    machine: Mapping[str, float]
    versions: Mapping[str, str]
    models_seconds: float
    elapsed_seconds: float
    seconds: Mapping[str, float]

    def write(self, folder: Path) -> Path:
        """Write it to a file that is named after its size."""
        return _written(dataclasses.asdict(self), folder / f"spark_{self.customers}.json")

    @classmethod
    def read(cls, customers: int, folder: Path = RESULTS) -> Self | None:
        """The last run of so many customers; None where there is none."""
        path = folder / f"spark_{customers}.json"
        return cls(**json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None


def machine() -> dict[str, float]:
    """What there is to run on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {"cores": os.cpu_count() or 0, "gigabytes": memory / GIGABYTE}


def _name(customers: int) -> str:
    return f"speed_{customers}.json"


def _written(figures: Mapping[str, Any], path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(_rounded(figures), indent=1) + "\n", encoding="utf-8")
    return path


def _rounded(value: Any) -> Any:  # noqa: ANN401 - any part of a JSON document
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {name: _rounded(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_rounded(part) for part in value]
    return value
