"""How fast the package is, and in how much memory, beside SQL written by hand.

``python benchmarks/speed.py`` generates an order log once, and in the same run

1. runs ``handwritten.sql`` over it, in a process and a database of its own;
2. runs the dbt models that give the same tables, and no others: the ratio of the two times is
   the price of the package for cleaning, RFM and cohorts;
3. checks that both gave the same rows;
4. runs the whole ``dbt build`` without the newest 1% of the orders, for its time and its peak
   memory;
5. refreshes what it built with all orders, by ``--selector refresh`` with its tests, for the share
   of the whole build's time that it takes, and checks that it too gave the same rows.

It prints a table, writes the figures to ``speed.json`` and exits with 1 if a target is missed or
the results differ. The time of step 2 is the wall clock from the start of the first model to the
end of the last, so dbt's own start-up is not in it, nor is Python's in step 1. With ``--runs``
above one, the quickest run of each side counts. Peak memory is the resident set of the process.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import os
import platform
import re
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import duckdb
import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BENCHMARKS: Final = Path(__file__).resolve().parent
PROJECT: Final = BENCHMARKS.parent
PROFILE: Final = "customer_value"
TARGET: Final = "dev"
SCHEMA: Final = "customer_value"
GIGABYTE: Final = 1e9

MOST_TIMES_HANDWRITTEN: Final = 2.0
MOST_GIGABYTES: Final = 8.0
MOST_OF_THE_BUILD: Final = 0.15

# The share of the orders that only the refresh finds: the newest by updated_at.
NEW_SHARE: Final = 0.01
REFRESHED: Final = ("--selector", "refresh", "--exclude-resource-type", "unit_test")

# What the file has beyond the columns that an order log must have.
OPTIONAL_COLUMNS: Final = ("discount_amount", "refund_amount", "channel", "updated_at")

# What cleaning, RFM and cohorts end in; all that they are made of is run with them.
SELECTED_MODELS: Final = ("+orders_rejected", "+customer_rfm", "+cohort_retention")
# Their models that take time, with the table of handwritten.sql that does its work.
HANDWRITTEN_TABLES: Final = {
    "stg_customer_value__orders": None,
    "int_customer_value__orders_checked": None,
    "int_customer_value__orders_repeated": "orders_repeated",
    "int_customer_value__amount_limits": "amount_limits",
    "int_customer_value__refunds_checked": None,
    "int_customer_value__orders_filled": None,
    "orders_cleaned": "orders_cleaned",
    "orders_rejected": "orders_rejected",
    "int_customer_value__run": None,
    "int_customer_value__shop_rhythms": None,
    "customers": "customers",
    "customer_rfm": "customer_rfm",
    "cohort_retention": "cohort_retention",
}
COMPARED_TABLES: Final = (
    "orders_cleaned",
    "orders_rejected",
    "customers",
    "customer_rfm",
    "cohort_retention",
)
NEEDED_SEEDS: Final = ("rfm_segments", "lifecycle_stages", "order_statuses", "non_goods")

# Nodes of the whole build that took less are printed as one line.
SHORTEST_SECONDS: Final = 0.5


@dataclasses.dataclass(frozen=True)
class Measured:
    """What one process took: seconds by statement or node, and as a whole.

    Attributes:
        wall_seconds: from the start of the first statement to the end of the last.
        cpu_seconds: of the whole process, its start-up included; steadier on a busy machine.
        peak_gigabytes: the largest resident set.
        seconds: by table or dbt node, which may overlap in time.
    """

    wall_seconds: float
    cpu_seconds: float
    peak_gigabytes: float
    seconds: dict[str, float]


def run_measured(
    command: Sequence[str], environment: Mapping[str, str] | None = None
) -> tuple[float, float]:
    """Run a command in the project's folder; stop the benchmark with its output if it fails.

    Returns:
        The CPU seconds and the peak gigabytes of the process.
    """
    with subprocess.Popen(
        command,
        cwd=PROJECT,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        output = process.stdout.read() if process.stdout else ""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{output[-6000:]}\nFailed with {process.returncode}: {' '.join(command)}")
    bytes_per_unit = 1 if sys.platform == "darwin" else 1024
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * bytes_per_unit / GIGABYTE


def delete_database(path: Path) -> None:
    """Delete a DuckDB file and its write-ahead log, if they are there."""
    path.unlink(missing_ok=True)
    path.with_name(path.name + ".wal").unlink(missing_ok=True)


def generated_orders(directory: Path, customers: int, seed: int) -> Path:
    """Return the order log of so many customers, generated unless this generator made it before."""
    generator = BENCHMARKS / "generate_orders.py"
    version = hashlib.sha256(generator.read_bytes()).hexdigest()[:8]
    path = directory / f"orders_{customers}_{seed}_{version}.parquet"
    if not path.exists():
        print(f"Generating the orders of {customers:,} customers ...", flush=True)
        run_measured(
            [
                sys.executable,
                str(generator),
                str(path),
                "--customers",
                str(customers),
                "--seed",
                str(seed),
            ]
        )
    return path


def without_newest(orders: Path) -> Path:
    """Return the order log as it was delivered before its newest orders, written once."""
    path = orders.with_name(f"{orders.stem}_without_newest.parquet")
    if not path.exists():
        with duckdb.connect() as connection:
            connection.execute(
                f"copy (from {quoted(orders)} where updated_at <= (select "
                f"quantile_disc(updated_at, {1 - NEW_SHARE}) from {quoted(orders)}) "
                f"order by updated_at, order_id) to {quoted(path)} (format parquet)"
            )
    return path


def profile_settings() -> dict[str, Any]:
    """Read the DuckDB settings that the package's own profile makes."""
    profiles = yaml.safe_load((PROJECT / "profiles" / "profiles.yml").read_text(encoding="utf-8"))
    return dict(profiles[PROFILE]["outputs"][TARGET].get("settings") or {})


def quoted(text: object) -> str:
    """Quote a text for SQL."""
    return "'" + str(text).replace("'", "''") + "'"


def time_handwritten(orders: Path, database: Path) -> None:
    """Run each statement of handwritten.sql in this process and print their seconds as JSON."""
    seconds: dict[str, float] = {}
    with duckdb.connect(database) as connection:
        for name, value in profile_settings().items():
            connection.execute(f"set {name} = {quoted(value)}")
        connection.execute(f"create view order_log as from read_parquet({quoted(orders)})")
        segments = PROJECT / "seeds" / "reference" / "rfm_segments.csv"
        connection.execute(f"create table rfm_segments as from read_csv({quoted(segments)})")
        script = (BENCHMARKS / "handwritten.sql").read_text(encoding="utf-8")
        for statement in connection.extract_statements(script):
            created = re.search(
                r"^create (?:temporary )?(?:table|macro) (\w+)",
                statement.query.strip(),
                re.MULTILINE,
            )
            started = time.perf_counter()
            connection.execute(statement)
            if created:
                seconds[created[1]] = time.perf_counter() - started
    (database.parent / "handwritten.json").write_text(json.dumps(seconds), encoding="utf-8")


def run_handwritten(orders: Path, database: Path) -> Measured:
    """Run handwritten.sql in a process and a database of its own."""
    delete_database(database)
    cpu_seconds, peak = run_measured(
        [sys.executable, __file__, "--handwritten", str(orders), str(database)]
    )
    seconds: dict[str, float] = json.loads(
        (database.parent / "handwritten.json").read_text(encoding="utf-8")
    )
    return Measured(sum(seconds.values()), cpu_seconds, peak, seconds)


def run_dbt(
    verb: str,
    orders: Path,
    database: Path,
    select: Sequence[str] = (),
    options: Sequence[str] = (),
) -> Measured:
    """Run dbt over the generated orders, as a process of its own.

    Args:
        verb: seed, run or build.
        orders: the order log.
        database: the DuckDB file that dbt builds.
        select: the nodes to run, or none for all.
        options: of the command line.
    """
    directory = database.parent
    inputs = {"orders": {"path": str(orders), "columns": {name: name for name in OPTIONAL_COLUMNS}}}
    command = [
        *(sys.executable, "-m", "dbt.cli.main", verb),
        *("--profiles-dir", "profiles", "--target", TARGET, "--no-use-colors"),
        *("--target-path", str(directory / "target"), "--log-path", str(directory / "logs")),
        *("--vars", json.dumps({"inputs": inputs})),
        *(("--select", *select) if select else ()),
        *options,
    ]
    cpu_seconds, peak = run_measured(command, {"CUSTOMER_VALUE_WAREHOUSE": str(database)})

    results = json.loads((directory / "target" / "run_results.json").read_text(encoding="utf-8"))[
        "results"
    ]
    seconds = {result["unique_id"]: float(result["execution_time"]) for result in results}
    executed = [
        step for result in results for step in result["timing"] if step["name"] == "execute"
    ]
    started = [datetime.fromisoformat(step["started_at"]) for step in executed]
    completed = [datetime.fromisoformat(step["completed_at"]) for step in executed]
    wall_seconds = (max(completed) - min(started)).total_seconds() if executed else 0.0
    return Measured(wall_seconds, cpu_seconds, peak, seconds)


def find_differences(handwritten: Path, package: Path) -> list[str]:
    """Compare what both sides made, column by column of the hand-written tables.

    Rows are compared as a bag: by their number and by the sum of their hashes.

    Returns:
        A sentence for each table that differs; none if all rows are equal.
    """
    differences = []
    with duckdb.connect() as connection:
        connection.execute(f"attach {quoted(handwritten)} as by_hand (read_only)")
        connection.execute(f"attach {quoted(package)} as package (read_only)")

        def fingerprint(
            relation: str, columns: Sequence[tuple[str, str]]
        ) -> tuple[Any, ...] | None:
            values = ", ".join(f"cast({name} as {kind})" for name, kind in columns)
            return connection.execute(
                f"select count(*), sum(cast(hash({values}) as hugeint)) from {relation}"
            ).fetchone()

        for table in COMPARED_TABLES:
            relations = (f"by_hand.main.{table}", f"package.{SCHEMA}.{table}")
            columns = connection.execute(
                "select column_name, data_type from duckdb_columns() "
                "where database_name = 'by_hand' and table_name = ? order by column_index",
                [table],
            ).fetchall()
            if len({fingerprint(relation, columns) for relation in relations}) == 1:
                continue
            # Beside the first column, which is the key or the first part of it.
            unequal = [
                column[0]
                for column in columns
                if len({fingerprint(relation, [columns[0], column]) for relation in relations}) > 1
            ]
            differences.append(
                f"{table} differs in {', '.join(unequal) or 'how its columns belong together'}"
            )
    return differences


def print_line(
    name: str, package: float | None = None, by_hand: float | None = None, note: str = ""
) -> None:
    """Print one line of the table: seconds of the package, and by hand."""
    figures = "".join(
        f"{'' if value is None else f'{value:,.2f}':>10}" for value in (package, by_hand)
    )
    print(f"{name:<52}{figures}  {note}".rstrip())


def print_comparison(by_hand: Measured, models: Measured) -> None:
    """Print cleaning, RFM and cohorts, model by model."""
    print_line("cleaning, RFM and cohorts: seconds")
    print(f"{'':<52}{'dbt':>10}{'by hand':>10}")
    node_seconds = {node.rpartition(".")[2]: seconds for node, seconds in models.seconds.items()}
    for model, table in HANDWRITTEN_TABLES.items():
        print_line(f"  {model}", node_seconds.get(model), by_hand.seconds[table] if table else None)
    others = [node_seconds[node] for node in node_seconds if node not in HANDWRITTEN_TABLES]
    print_line(f"  {len(others)} others, of inputs that are not given", sum(others))
    print_line("  sum of the models (some ran at the same time)", sum(models.seconds.values()))
    print_line(
        "  wall clock, first start to last end",
        models.wall_seconds,
        by_hand.wall_seconds,
        f"ratio {models.wall_seconds / by_hand.wall_seconds:.2f}, at most {MOST_TIMES_HANDWRITTEN}",
    )
    print_line("  CPU seconds with start-up", models.cpu_seconds, by_hand.cpu_seconds)
    print_line("  peak memory, GB", models.peak_gigabytes, by_hand.peak_gigabytes)


def print_build(build: Measured, title: str) -> None:
    """Print a whole build or refresh, its longest nodes first."""
    print(f"\n{title}: seconds")
    longest = sorted(build.seconds.items(), key=lambda item: -item[1])
    shown = [(node, seconds) for node, seconds in longest if seconds >= SHORTEST_SECONDS]
    for node, seconds in shown:
        kind, _, name = node.partition(".")
        print_line(f"  {kind} {name.removeprefix(f'{PROFILE}.')}"[:52], seconds)
    rest = [seconds for _, seconds in longest[len(shown) :]]
    print_line(f"  {len(rest)} nodes below {SHORTEST_SECONDS} seconds", sum(rest))
    print_line("  wall clock, first start to last end", build.wall_seconds)
    print_line("  CPU seconds with start-up", build.cpu_seconds)
    print_line("  peak memory, GB", build.peak_gigabytes, note=f"at most {MOST_GIGABYTES}")


def parsed_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description="Time the package beside hand-written SQL on generated orders."
    )
    parser.add_argument(
        "--customers",
        type=int,
        default=1_000_000,
        help="about ten orders each (default: %(default)s)",
    )
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument(
        "--runs",
        type=int,
        default=1,
        help="of each side; the quickest counts (default: %(default)s)",
    )
    parser.add_argument(
        "--directory", type=Path, default=PROJECT / "build" / "bench", help="for data and results"
    )
    parser.add_argument("--keep", action="store_true", help="keep the databases")
    parser.add_argument("--handwritten", type=Path, nargs=2, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> int:
    """Run the benchmark; return 1 if a target is missed or results differ."""
    arguments = parsed_arguments()
    if arguments.handwritten:
        time_handwritten(*arguments.handwritten)
        return 0

    directory: Path = arguments.directory.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    orders = generated_orders(directory, arguments.customers, arguments.seed)
    by_hand_database, models_database, build_database = databases = [
        directory / f"{name}.duckdb" for name in ("by_hand", "models", "build")
    ]

    # Both sides alternate, and the file is read once before either, so neither finds a colder disk.
    with duckdb.connect() as connection:
        described = connection.execute(
            f"select count(*), max(hash(columns(*))) from read_parquet({quoted(orders)})"
        ).fetchone()
    order_count = described[0] if described else 0
    print(
        f"{order_count:,} orders of {arguments.customers:,} customers, seed {arguments.seed}; "
        f"{os.cpu_count()} cores, DuckDB {duckdb.__version__}, "
        f"Python {platform.python_version()}\n",
        flush=True,
    )
    by_hand_runs, models_runs = [], []
    for _ in range(arguments.runs):
        by_hand_runs.append(run_handwritten(orders, by_hand_database))
        delete_database(models_database)
        run_dbt("seed", orders, models_database, NEEDED_SEEDS)
        models_runs.append(run_dbt("run", orders, models_database, SELECTED_MODELS))
    by_hand = min(by_hand_runs, key=lambda run: run.wall_seconds)
    models = min(models_runs, key=lambda run: run.wall_seconds)
    print_comparison(by_hand, models)

    differences = find_differences(by_hand_database, models_database)
    print(
        f"  results: {'; '.join(differences) if differences else 'equal in every row and column'}",
        flush=True,
    )

    delete_database(build_database)
    build = run_dbt("build", without_newest(orders), build_database)
    print_build(build, "whole dbt build")
    refresh = run_dbt("build", orders, build_database, options=REFRESHED)
    print_build(refresh, f"refresh with {NEW_SHARE:.0%} new orders, without training")
    share = refresh.wall_seconds / build.wall_seconds
    print_line("  share of the whole build's time", share, note=f"at most {MOST_OF_THE_BUILD}")
    drifted = find_differences(by_hand_database, build_database)
    print(f"  results: {'; '.join(drifted) if drifted else 'equal in every row and column'}")

    ratio = models.wall_seconds / by_hand.wall_seconds
    misses = [*differences, *(f"after the refresh, {difference}" for difference in drifted)]
    if share > MOST_OF_THE_BUILD:
        misses.append(f"the refresh took {share:.0%} of the build's time")
    if ratio > MOST_TIMES_HANDWRITTEN:
        misses.append(f"cleaning, RFM and cohorts took {ratio:.2f} times the hand-written SQL")
    if build.peak_gigabytes > MOST_GIGABYTES:
        misses.append(f"the build took {build.peak_gigabytes:.1f} GB")
    figures = {
        "customers": arguments.customers,
        "orders": order_count,
        "seed": arguments.seed,
        "cores": os.cpu_count(),
        "versions": {"duckdb": duckdb.__version__, "python": platform.python_version()},
        "ratio_to_handwritten": ratio,
        "handwritten": dataclasses.asdict(by_hand),
        "models": dataclasses.asdict(models),
        "build": dataclasses.asdict(build),
        "refresh": dataclasses.asdict(refresh),
        "refresh_share_of_build": share,
        "misses": misses,
    }
    (directory / "speed.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    if not arguments.keep:
        for database in databases:
            delete_database(database)
    print(f"\n{'Missed: ' + '; '.join(misses) if misses else 'Every target is met.'}")
    return 1 if misses else 0


if __name__ == "__main__":
    sys.exit(main())
