"""How long Spark takes for what ``speed`` measures on DuckDB, on a cluster of this machine.

``python benchmarks/spark.py`` generates an order log, starts a standalone master with two workers
of one core each, and runs the whole ``dbt build`` of the models there. It prints the seconds of the
models that took longest and of the whole, from the start of the first model to the end of the last,
and writes them to ``spark.json``. Needs ``make build/spark/ready``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import time
from datetime import datetime
from pathlib import Path
from typing import Final

from spark_cluster import LOOPBACK, cluster
from speed.order_log import generated
from speed.package import OPTIONAL_COLUMNS
from speed.processes import PROJECT

ENVIRONMENT: Final = PROJECT / "build" / "spark"
PRINTED: Final = 20


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description="Time the package on a cluster of Spark.")
    parser.add_argument("--customers", type=int, default=1_000_000, help="ten orders each")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--directory", type=Path, default=Path("/tmp/customer_value_spark"))  # noqa: S108
    parser.add_argument("--worker-memory", default="3g")
    parser.add_argument("--select", nargs="*", default=[], help="models; all if none is named")
    arguments = parser.parse_args()
    folder: Path = arguments.directory
    folder.mkdir(parents=True, exist_ok=True)
    orders = generated(folder, arguments.customers, arguments.seed)
    with cluster(ENVIRONMENT, folder, memory=arguments.worker_memory) as master:
        started = time.perf_counter()
        _build(master, orders, folder, arguments.worker_memory, arguments.select)
        wall = time.perf_counter() - started
    results = json.loads((folder / "target" / "run_results.json").read_text())["results"]
    seconds = {
        result["unique_id"].rpartition(".")[2]: result["execution_time"] for result in results
    }
    moments = [
        datetime.fromisoformat(timing[moment])
        for result in results
        for timing in result["timing"]
        for moment in ("started_at", "completed_at")
        if timing[moment]
    ]
    models = (max(moments) - min(moments)).total_seconds()
    for name in sorted(seconds, key=seconds.__getitem__, reverse=True)[:PRINTED]:
        print(f"{name:60} {seconds[name]:8.1f} s")
    print(f"{'all models, from the first to the last':60} {models:8.1f} s")
    print(f"{'dbt and Spark, start-up included':60} {wall:8.1f} s")
    figures = {
        "customers": arguments.customers,
        "models_seconds": models,
        "wall_seconds": wall,
        "seconds": seconds,
    }
    (folder / "spark.json").write_text(json.dumps(figures, indent=2) + "\n")


def _build(master: str, orders: Path, folder: Path, memory: str, select: list[str]) -> None:
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
            *(("--select", *select) if select else ()),
        ],
        cwd=PROJECT,
        env={**os.environ, **environment},
        check=True,
    )


if __name__ == "__main__":
    main()
