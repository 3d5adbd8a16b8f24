"""The figures as text: docs/speed.md, and what a run prints.

PYTHONPATH=benchmarks python -m speed.document writes docs/speed.md anew from benchmarks/results.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from speed import package
from speed.by_hand import TABLE_OF_MODEL
from speed.processes import PROJECT, Measured, Step, table_of
from speed.results import RESULTS, SIZES, Result, SparkRun
from speed.targets import SMALLER, Verdict, verdicts

DOCUMENT: Final = PROJECT / "docs" / "speed.md"
# Of the whole build, nodes that took less than this share of its seconds are one line.
LEAST_SHARE: Final = 0.01

INTRODUCTION: Final = """# How fast it is

Written by `make bench`, `make bench-large` and `make bench-spark`; change nothing here by hand.

All generate an order log, ten orders per customer in the mean. The first two measure in one run
beside the package: SQL written by hand for the same tables of cleaning, RFM and cohorts, which
knows its one file and has nothing to configure, and whose rows must be the same; `rfm_summary` of
pymc-marketing, over cleaned orders that are in memory already; fits of BG/NBD by other packages.

Seconds of models are wall clock from the start of the first to the end of the last, so dbt's
start-up is not in them. Models run at the same time where their inputs allow, so their own seconds
add up to more. *Memory* is the largest resident set of the whole process meanwhile, *on disk* the
most that DuckDB had spilled meanwhile: both are of all that ran at the time. GB are 10⁹ bytes.
"""


def written() -> None:
    """Write the document from what the last runs left."""
    DOCUMENT.write_text(text(), encoding="utf-8")


def text(folder: Path = RESULTS) -> str:
    """The whole document."""
    results = {customers: Result.read(customers, folder) for customers in SIZES}
    known = [result for result in results.values() if result is not None]
    parts = [INTRODUCTION]
    for result in known:
        asked = verdicts(result, results[SMALLER])
        parts.append("\n".join(section(result, asked)) + "\n")
    on_spark = SparkRun.read(SMALLER, folder)
    if on_spark:
        parts.append("\n".join(section_of_spark(on_spark)) + "\n")
    return "\n".join(parts)


def section(result: Result, asked: Iterable[Verdict]) -> Iterator[str]:
    """The lines of one run."""
    size = SIZES.get(result.customers, f"{result.orders:,} orders")
    machine = result.machine
    yield f"## {size[0].upper()}{size[1:]}"
    yield ""
    yield (
        f"{result.orders:,} rows of {result.customers:,} customers, seed {result.seed}, profile "
        f"target `{result.target}`; {machine['cores']:.0f} cores, {machine['gigabytes']:.0f} GB; "
        f"{_versions(result.versions)}."
    )
    if asked := list(asked):
        yield from _table(("target", "asked", "measured", ""), map(_told, asked))
    yield from _cleaning(result)
    yield from _peers(result)
    yield from _build("The whole build", result.build)
    yield ""
    yield (
        f"Training took {package.seconds_of(package.TRAINING, result.build):,.1f} s, scoring "
        f"{package.seconds_of(package.SCORING, result.build):,.1f} s. One full scan of "
        f"`customer_features` takes {result.features.scan_seconds:,.1f} s, writing it "
        f"{result.features.write_seconds:,.1f} s."
    )
    if result.demo:
        demo = result.demo
        yield ""
        yield (
            f"The demo's whole build takes {demo.elapsed_seconds:,.1f} s, of which dbt's start-up "
            f"and end are {demo.elapsed_seconds - demo.wall_seconds:,.1f} s."
        )
    if result.refresh:
        yield from _build("A refresh with 1% new orders, without training", result.refresh)
    if result.with_lines:
        yield from _build("The whole build, with order lines", result.with_lines)


def section_of_spark(run: SparkRun) -> Iterator[str]:
    """The lines of the run on a cluster."""
    yield "## On Spark"
    yield ""
    yield (
        f"The models, without tests, over {run.orders:,} rows of {run.customers:,} customers, on a "
        f"standalone cluster of {run.workers} workers with one core and {run.worker_memory} each, "
        f"on one machine of {run.machine['cores']:.0f} cores and "
        f"{run.machine['gigabytes']:.0f} GB, where the driver stands too; "
        f"{_versions(run.versions)}."
    )
    least = LEAST_SHARE * sum(run.seconds.values())
    longest = sorted(run.seconds.items(), key=lambda item: -item[1])
    shown = [(name, seconds) for name, seconds in longest if seconds >= least]
    rest = [seconds for _, seconds in longest[len(shown) :]]
    yield from _table(
        ("model", "seconds"),
        [
            *((f"`{name}`", f"{seconds:,.1f}") for name, seconds in shown),
            (f"{len(rest)} models of less than 1%", f"{sum(rest):,.1f}"),
            ("**wall clock**", f"**{run.models_seconds:,.1f}**"),
            ("with the start of dbt and of Spark", f"{run.elapsed_seconds:,.1f}"),
        ],
    )


def _versions(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def _cleaning(result: Result) -> Iterator[str]:
    steps = {table_of(node): step for node, step in result.models.steps.items()}
    by_hand = result.by_hand.steps
    rows = [
        (
            f"`{model}`",
            _seconds(steps.get(model)),
            _seconds(by_hand.get(table)) if table else "",
            *_sizes(steps.get(model)),
        )
        for model, table in TABLE_OF_MODEL.items()
        if model in steps
    ]
    others = [step for model, step in steps.items() if model not in TABLE_OF_MODEL]
    rows.append(
        (f"{len(others)} others", f"{sum(step.seconds for step in others):,.2f}", "", "", "", "")
    )
    yield ""
    yield "### Cleaning, RFM and cohorts"
    yield from _table(
        ("model", "seconds", "by hand", "rows", "memory, GB", "on disk, GB"),
        [*rows, *_totals(result.models, result.by_hand)],
    )
    yield ""
    yield f"Results: {'; '.join(result.differences) or 'equal in every row and column'}."


def _totals(models: Measured, by_hand: Measured | None = None) -> Iterator[tuple[str, ...]]:
    def beside(measured: Measured | None, value: str) -> str:
        return f"{getattr(measured, value):,.2f}" if measured else ""

    yield (
        "**wall clock, and peaks of the process**",
        f"**{models.wall_seconds:,.2f}**",
        *([f"**{beside(by_hand, 'wall_seconds')}**"] if by_hand else []),
        "",
        f"{models.peak_gigabytes:.2f}"
        + (f" (by hand {by_hand.peak_gigabytes:.2f})" if by_hand else ""),
        f"{models.temporary_gigabytes:.2f}"
        + (f" (by hand {by_hand.temporary_gigabytes:.2f})" if by_hand else ""),
    )
    yield (
        "CPU, start-up included",
        f"{models.cpu_seconds:,.2f}",
        *([beside(by_hand, "cpu_seconds")] if by_hand else []),
        *("", "", ""),
    )


def _peers(result: Result) -> Iterator[str]:
    if not (result.rfm_summary or result.fits):
        return
    rows = []
    if result.rfm_summary:
        ours = package.seconds_of(package.RFM, result.models)
        rows.append(("RFM of all orders: `customers` and `customer_rfm`", f"{ours:,.2f}", "", ""))
        rows.append(
            (
                "RFM of all orders: `rfm_summary` of pymc-marketing",
                _called(result.rfm_summary.seconds),
                f"{result.rfm_summary.peak_gigabytes:.2f}",
                result.rfm_summary.failure or "",
            )
        )
    rows += [
        (
            f"BG/NBD of at most 1 million customers: {name}",
            _called(fit.seconds),
            f"{fit.peak_gigabytes:.2f}",
            fit.failure or _parameters(fit.parameters),
        )
        for name, fit in result.fits.items()
    ]
    yield ""
    yield "### Beside other packages"
    yield from _table(("what", "seconds", "memory of the process, GB", ""), rows)


def _build(title: str, build: Measured) -> Iterator[str]:
    least = LEAST_SHARE * sum(step.seconds for step in build.steps.values())
    longest = sorted(build.steps.items(), key=lambda item: -item[1].seconds)
    shown = [(node, step) for node, step in longest if step.seconds >= least]
    rest = [step.seconds for _, step in longest[len(shown) :]]
    rows = [(_node(node), _seconds(step), *_sizes(step)) for node, step in shown]
    rows.append((f"{len(rest)} nodes of less than 1%", f"{sum(rest):,.2f}", "", "", ""))
    yield ""
    yield f"### {title}"
    yield from _table(
        ("node", "seconds", "rows", "memory, GB", "on disk, GB"), [*rows, *_totals(build)]
    )


def _node(node: str) -> str:
    kind, _, rest = node.partition(".")
    name = rest.removeprefix(f"{package.PROFILE}.")
    # dbt ends the ids of generic tests in a hash.
    name = name.partition(".")[0] if kind == "test" else name
    return f"{kind} `{name}`"


def _told(verdict: Verdict) -> tuple[str, ...]:
    bound = "at least" if verdict.is_least else "at most"
    return (
        verdict.figure,
        f"{bound} {verdict.limit:g}{verdict.unit}",
        f"{verdict.value:,.2f}{verdict.unit}",
        "met" if verdict.is_met else "**missed**",
    )


def _seconds(step: Step | None) -> str:
    return "" if step is None else f"{step.seconds:,.2f}"


def _called(seconds: float | None) -> str:
    return "failed" if seconds is None else f"{seconds:,.2f}"


def _parameters(parameters: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in parameters.items())


def _sizes(step: Step | None) -> tuple[str, str, str]:
    if step is None:
        return ("", "", "")
    return (
        "" if step.rows is None else f"{step.rows:,}",
        "" if step.peak_gigabytes is None else f"{step.peak_gigabytes:.2f}",
        "" if not step.temporary_gigabytes else f"{step.temporary_gigabytes:.2f}",
    )


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield ""
    yield f"| {' | '.join(header)} |"
    yield f"|{'---|' * len(header)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


if __name__ == "__main__":
    written()
