"""How long Spark takes for what ``speed`` measures on DuckDB, on a cluster of this machine.

``PYTHONPATH=benchmarks python benchmarks/spark.py`` generates an order log, starts a standalone
master with two workers of one core each, and builds all models there. It prints their seconds, and
writes them to a file: docs/speed.md is made of that of 10 million orders. Needs
``make build/spark/ready``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import time
from pathlib import Path
from typing import Final

from spark_cluster import LOOPBACK, cluster
from speed import document, order_log
from speed.package import OPTIONAL_COLUMNS, executed
from speed.processes import PROJECT
from speed.results import RESULTS, SparkRun, machine
from speed.targets import SMALLER

ENVIRONMENT: Final = PROJECT / "build" / "spark"
WORKERS: Final = 2
VERSIONS: Final = ("dbt-core", "dbt-spark", "pyspark")


def main() -> None:
    """Measure, write, print."""
    parser = argparse.ArgumentParser(description="Time the package on a cluster of Spark.")
    parser.add_argument("--customers", type=int, default=SMALLER, help="ten orders each")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--directory", type=Path, default=PROJECT / "build" / "bench")
    parser.add_argument("--worker-memory", default="3g")
    arguments = parser.parse_args()
    folder: Path = arguments.directory / "spark"
    folder.mkdir(parents=True, exist_ok=True)
    orders = order_log.generated(arguments.directory, arguments.customers, arguments.seed)
    memory: str = arguments.worker_memory
    with cluster(ENVIRONMENT, folder, workers=WORKERS, memory=memory) as master:
        started = time.perf_counter()
        _build(master, orders, folder, memory)
        elapsed = time.perf_counter() - started
    nodes = executed(folder / "target")
    run = SparkRun(
        customers=arguments.customers,
        orders=order_log.count(orders),
        workers=WORKERS,
        worker_memory=memory,
        machine=machine(),
        versions=_versions(),
        models_seconds=max(end for _, end in nodes.values())
        - min(start for start, _ in nodes.values()),
        elapsed_seconds=elapsed,
        seconds={node.rpartition(".")[2]: end - start for node, (start, end) in nodes.items()},
    )
    is_asked = run.customers == SMALLER
    path = run.write(RESULTS if is_asked else folder)
    print("", *document.section_of_spark(run), "", f"Written to {path}.", sep="\n")
    if is_asked:
        document.written()


def _versions() -> dict[str, str]:
    asked = "import importlib.metadata as m, sys; print(*map(m.version, sys.argv[1:]))"
    python = str(ENVIRONMENT / "bin" / "python")
    told = subprocess.run([python, "-c", asked, *VERSIONS], capture_output=True, check=True)
    return dict(zip(VERSIONS, told.stdout.decode().split(), strict=True))


def _build(master: str, orders: Path, folder: Path, memory: str) -> None:
    columns = {name: name for name in OPTIONAL_COLUMNS}
    declared = {"table": f'parquet."{orders}"', "columns": columns}
    # What an executor takes beside its heap is not the worker's to give.
    environment = {
        "CUSTOMER_VALUE_SPARK_MASTER": master,
        "CUSTOMER_VALUE_SPARK_WAREHOUSE": str(folder / "warehouse"),
        "CUSTOMER_VALUE_SPARK_CATALOG": "in-memory",
        "CUSTOMER_VALUE_SPARK_EXECUTOR_MEMORY": memory,
        "SPARK_LOCAL_IP": LOOPBACK,
    }
    subprocess.run(
        [
            *(str(ENVIRONMENT / "bin" / "dbt"), "build", "--profiles-dir", "profiles"),
            *("--target", "spark", "--target-path", str(folder / "target")),
            *("--exclude-resource-type", "test", "unit_test", "--exclude", "demo_orders"),
            *("--vars", json.dumps({"inputs": {"orders": declared}})),
        ],
        cwd=PROJECT,
        env={**os.environ, **environment},
        check=True,
    )


if __name__ == "__main__":
    main()
