"""Run the benchmark: make bench, make bench-large.

PYTHONPATH=benchmarks python -m speed                           10 million orders
PYTHONPATH=benchmarks python -m speed --customers 20000         a quick look, nothing asked

In one run, over an order log that is generated once:

1. SQL written by hand, in a process and a database of its own, and the dbt models that give the
   same tables, and no others: the ratio of their times is the price of the package for cleaning,
   RFM and cohorts. Both must have given the same rows. Of several runs the quickest counts.
2. With --peers, rfm_summary of pymc-marketing on the cleaned orders, up to 10 million, and BG/NBD
   of at most a million customers by ours and by others.
3. The whole dbt build, and what reading and writing its features takes.
4. With --refresh, step 3 is without the newest 1% of the orders, and a refresh with all of them by
   --selector refresh follows, whose rows must be the same too. With --demo, the demo's build.
5. With --lines, the whole build once more, of orders whose lines are told, about six each.

The figures go to a file, which docs/speed.md is made of where the size is one of those that
something is asked of; the exit code is 1 where that is missed, or results differ.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib.metadata
import platform
import sys
from pathlib import Path

from speed import by_hand, document, floors, order_log, package, peers, results, targets
from speed.processes import PROJECT, Measured
from speed.results import RESULTS, SIZES, Result

VERSIONS = ("dbt-core", "dbt-duckdb", "duckdb")


def parsed_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="speed", description="Time the package beside SQL written by hand, and other packages."
    )
    parser.add_argument("--customers", type=int, default=1_000_000, help="ten orders each")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--runs", type=int, default=1, help="of cleaning, RFM and cohorts")
    parser.add_argument("--target", default="dev", help="of the profile, with its settings")
    parser.add_argument("--peers", action="store_true", help="time other packages, too")
    parser.add_argument("--refresh", action="store_true", help="refresh what was built, too")
    parser.add_argument("--demo", action="store_true", help="time the demo's build, too")
    parser.add_argument("--lines", action="store_true", help="build it with order lines, too")
    parser.add_argument(
        "--directory", type=Path, default=PROJECT / "build" / "bench", help="for data"
    )
    parser.add_argument("--keep", action="store_true", help="keep orders and databases")
    return parser.parse_args()


def compared(
    by_hand_database: Path, models: package.Warehouse, orders: Path, runs: int
) -> tuple[Measured, Measured]:
    """The quickest run of the SQL written by hand, and that of the models; in turns."""
    theirs, ours = [], []
    for _ in range(runs):
        theirs.append(by_hand.run(orders, by_hand_database, models.target))
        package.delete(models.database)
        models.dbt("seed", package.NEEDED_SEEDS)
        ours.append(models.dbt("run", package.CLEANING_RFM_COHORTS))
    return min(theirs, key=lambda run: run.wall_seconds), min(
        ours, key=lambda run: run.wall_seconds
    )


def of_demo(directory: Path, target: str) -> Measured:
    """The demo's build, in a database that is deleted."""
    demo = package.Warehouse(None, directory / "customer_value.duckdb", target)
    package.delete(demo.database)
    measured = demo.dbt("build", options=package.WITHOUT_UNIT_TESTS)
    package.delete(demo.database)
    return measured


def with_lines(orders: Path, database: Path, target: str) -> tuple[Measured, float]:
    """The whole build of orders with lines, and the seconds of the nodes of decisions in it."""
    warehouse = package.Warehouse(orders, database, target, order_log.lines_of(orders))
    package.delete(database)
    build = warehouse.dbt("build")
    print(f"the whole build, with lines: {build.wall_seconds:,.1f} s", flush=True)
    decisions = warehouse.nodes_of_decisions()
    return build, sum(build.steps[node].seconds for node in decisions if node in build.steps)


def run(arguments: argparse.Namespace) -> Result:
    """All of it; databases are deleted as soon as nothing reads them any more."""
    directory: Path = arguments.directory.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    orders = order_log.generated(
        directory, arguments.customers, arguments.seed, lines=arguments.lines
    )
    order_count = order_log.count(orders)
    print(f"{order_count:,} orders of {arguments.customers:,} customers", flush=True)

    by_hand_database = directory / "by_hand.duckdb"
    models = package.Warehouse(orders, directory / "models.duckdb", arguments.target)
    theirs, ours = compared(by_hand_database, models, orders, arguments.runs)
    differences = by_hand.differences(by_hand_database, models.database)
    print(
        f"cleaning, RFM and cohorts: {ours.wall_seconds:,.1f} s, by hand "
        f"{theirs.wall_seconds:,.1f} s; {'; '.join(differences) or 'the same rows'}",
        flush=True,
    )
    # Ten times the orders are more than pandas has room for.
    is_small = arguments.customers <= targets.SMALLER
    rfm_summary = peers.rfm_summary(models.database) if arguments.peers and is_small else None
    fits = peers.fits(models.database) if arguments.peers else {}
    if not arguments.keep:
        package.delete(models.database)
        if not arguments.refresh:
            package.delete(by_hand_database)

    first = order_log.without_newest(orders) if arguments.refresh else orders
    whole = package.Warehouse(first, directory / "build.duckdb", arguments.target)
    package.delete(whole.database)
    build = whole.dbt("build")
    print(f"the whole build: {build.wall_seconds:,.1f} s", flush=True)
    features = floors.measured(whole.database, arguments.target)
    refresh = None
    if arguments.refresh:
        refreshed = dataclasses.replace(whole, orders=orders)
        refresh = refreshed.dbt("build", options=package.REFRESHED)
        differences += [
            f"after the refresh, {difference}"
            for difference in by_hand.differences(by_hand_database, whole.database)
        ]
        print(f"a refresh: {refresh.wall_seconds:,.1f} s", flush=True)
    demo = of_demo(directory, arguments.target) if arguments.demo else None
    lines_database = directory / "lines.duckdb"
    lines, decision_seconds = (
        with_lines(orders, lines_database, arguments.target) if arguments.lines else (None, None)
    )
    if not arguments.keep:
        for database in (by_hand_database, whole.database, lines_database):
            package.delete(database)
        if not is_small:
            orders.unlink()
    return Result(
        customers=arguments.customers,
        orders=order_count,
        seed=arguments.seed,
        target=arguments.target,
        machine=results.machine(),
        versions={
            "Python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in VERSIONS},
        },
        by_hand=theirs,
        models=ours,
        build=build,
        refresh=refresh,
        demo=demo,
        with_lines=lines,
        decision_seconds=decision_seconds,
        features=features,
        rfm_summary=rfm_summary,
        fits=fits,
        differences=differences,
    )


def main() -> int:
    """Run, write, print; return 1 if a target is missed or results differ."""
    arguments = parsed_arguments()
    result = run(arguments)
    is_asked = arguments.customers in SIZES
    path = result.write(RESULTS if is_asked else arguments.directory)
    asked = targets.verdicts(result, Result.read(targets.SMALLER))
    print("", *document.section(result, asked), "", f"Written to {path}.", sep="\n")
    if is_asked:
        document.written()
    is_missed = any(not verdict.is_met for verdict in asked)
    return 1 if is_missed or result.differences else 0


if __name__ == "__main__":
    sys.exit(main())
