"""The figures of docs/speed.md are those of the last runs, and mean what they say."""

from __future__ import annotations

import dataclasses
import re
import sys
from pathlib import Path

import duckdb
import pytest

from conftest import PROJECT
from speed import document, package, processes, targets
from speed.floors import Floor
from speed.peers import Timed
from speed.processes import Measured, Step
from speed.results import RESULTS, SIZES, Result, SparkRun
from speed.targets import LARGER, SMALLER


def measured(wall_seconds: float, **models: float) -> Measured:
    steps = {f"model.customer_value.{name}": Step(seconds) for name, seconds in models.items()}
    return Measured(wall_seconds, wall_seconds + 8, 2 * wall_seconds, 3.0, 0.0, steps)


def result(customers: int, *, build_seconds: float = 100.0) -> Result:
    rfm = {"customers": 2.0, "customer_rfm": 1.0}
    predicting = {**dict.fromkeys(package.SCORING, 1.5), **dict.fromkeys(package.TRAINING, 4.0)}
    by_hand = Measured(20.0, 21.0, 40.0, 2.0, 0.5, {"customers": Step(1.0)})
    return Result(
        customers=customers,
        orders=10 * customers,
        seed=42,
        target="dev",
        machine={"cores": 2, "gigabytes": 24.0},
        versions={"duckdb": "2.0.0"},
        by_hand=by_hand,
        models=measured(25.0, **rfm),
        build=measured(build_seconds, **rfm, **predicting),
        refresh=None,
        demo=measured(12.0),
        with_lines=measured(200.0, customers=50.0, basket_pairs=30.0, item_neighbours=30.0),
        decision_seconds=60.0,
        features=Floor(scan_seconds=1.0, write_seconds=2.5),
        rfm_summary=Timed(60.0, 4.0, {"customers": float(customers)}),
        fits={"ours": Timed(8.0, 1.0, {"r": 0.2}), "lifetimes": Timed(None, 1.0, {}, "no fit")},
        differences=[],
    )


def asked(of: Result, smaller: Result | None = None) -> dict[str, tuple[float, bool]]:
    return {v.figure: (v.value, v.is_met) for v in targets.verdicts(of, smaller)}


@pytest.mark.skipif(not list(RESULTS.glob("*.json")), reason="make bench has not been run")
def test_the_document_is_made_of_the_last_runs() -> None:
    assert document.DOCUMENT.read_text() == document.text()


@pytest.mark.skipif(Result.read(SMALLER) is None, reason="make bench has not been run")
def test_what_other_documents_quote_is_what_was_measured() -> None:
    last = Result.read(SMALLER)
    assert last is not None
    assert last.refresh is not None
    readme = (PROJECT / "README.md").read_text()
    cleaning, by_hand = last.models.wall_seconds, last.by_hand.wall_seconds
    share = last.refresh.wall_seconds / last.build.wall_seconds
    for quoted in (
        f"{cleaning:.1f} s, {cleaning / by_hand:.2f} times",
        f"the {by_hand:.1f} s of the hand-written SQL",
        f"{last.build.wall_seconds:.0f} s and at most {last.build.peak_gigabytes:.1f} GB",
        f"took {share:.0%} of that",
    ):
        assert quoted in readme.replace("\n", " ")
    told = (PROJECT / "docs" / "incremental.md").read_text()
    for value in ("wall_seconds", "cpu_seconds"):
        whole, part = getattr(last.build, value), getattr(last.refresh, value)
        assert f"| {whole:.1f} | {part:.1f} | {part / whole:.0%} |" in told
    seconds = {node.rpartition(".")[2]: step.seconds for node, step in last.refresh.steps.items()}
    quoted_seconds = re.findall(r"^\| `(\w+)` \| ([\d.]+) \|", told, re.MULTILINE)
    assert quoted_seconds
    for model, figure in quoted_seconds:
        assert figure == f"{seconds[model]:.1f}", model


def test_a_run_is_read_as_it_was_written(tmp_path: Path) -> None:
    written = result(SMALLER)
    written.write(tmp_path)
    assert Result.read(SMALLER, tmp_path) == written
    assert Result.read(LARGER, tmp_path) is None


def test_a_run_on_spark_is_read_as_it_was_written_and_told(tmp_path: Path) -> None:
    written = SparkRun(
        customers=SMALLER,
        orders=10 * SMALLER,
        workers=2,
        worker_memory="3g",
        machine={"cores": 2, "gigabytes": 24.0},
        versions={"pyspark": "4.1.0"},
        models_seconds=1234.5,
        elapsed_seconds=1250.0,
        seconds={"customers": 60.0, "customer_rfm": 39.5, "small": 0.5},
    )
    written.write(tmp_path)
    assert SparkRun.read(SMALLER, tmp_path) == written
    told = document.text(tmp_path)
    assert "| `customers` | 60.0 |" in told
    assert "| 1 models of less than 1% | 0.5 |" in told
    assert "| **wall clock** | **1,234.5** |" in told


def test_figures_are_held_to_their_limits() -> None:
    figures = asked(result(SMALLER, build_seconds=81.0))
    assert figures.pop("cleaning, RFM and cohorts, times the SQL written by hand") == (1.25, True)
    assert figures.pop("RFM, times faster than `rfm_summary` of pymc-marketing") == (20.0, True)
    (whole,) = [value for figure, value in figures.items() if figure.startswith("the whole build")]
    assert whole == (4.05, False)
    assert figures["BG/NBD of 1 million customers"] == (8.0, True)
    assert figures["the demo's build, start-up included"] == (20.0, True)
    decisions = "with order lines, all of decisions, times the rest of the build"
    assert figures[decisions] == (1.2, False)


def test_the_larger_size_is_held_to_the_smaller_one() -> None:
    figures = asked(result(LARGER, build_seconds=1300.0), result(SMALLER, build_seconds=100.0))
    assert figures["the whole build, times that of a tenth of the orders"] == (13.0, False)
    scoring = "scoring all customers, times two full scans and one write of the features"
    assert figures[scoring] == (1.0, True)


def test_nothing_is_asked_of_other_sizes() -> None:
    assert 20_000 not in SIZES
    assert asked(result(20_000)) == {}


def test_the_document_tells_what_was_missed_and_what_failed(tmp_path: Path) -> None:
    dataclasses.replace(result(SMALLER), differences=["customers differs in order_count"]).write(
        tmp_path
    )
    told = document.text(tmp_path)
    assert "| the demo's build, start-up included | at most 30 s | 20.00 s | met |" in told
    assert "cohorts | at most 4 | 5.00 | **missed** |" in told
    assert "| BG/NBD of at most 1 million customers: lifetimes | failed | 1.00 | no fit |" in told
    assert "Results: customers differs in order_count." in told
    assert "## 100 million orders" not in told


def test_a_process_is_watched_while_it_runs(tmp_path: Path) -> None:
    database = tmp_path / "watched.duckdb"
    script = "import time; held = bytearray(100_000_000); time.sleep(0.5); print('done')"
    ours = bytearray(1_100_000_000)  # is no part of what the process holds
    finished = processes.run([sys.executable, "-c", script], database=database)
    assert finished.output == "done\n"
    assert 0.1 < finished.peak_gigabytes < 1 < len(ours) / 1e9
    start, end = finished.samples[0].at, finished.samples[-1].at
    steps = finished.measured({"model.customer_value.held": (start, end)}, {"held": 7}).steps
    step = steps["model.customer_value.held"]
    assert step.rows == 7
    assert step.peak_gigabytes is not None
    assert step.peak_gigabytes >= 0.1


def test_rows_are_those_of_the_tables(tmp_path: Path) -> None:
    path = tmp_path / "counted.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema customer_value_internal")
        connection.execute("create table customer_value_internal.some as from range(5)")
        connection.execute("create table other as from range(7)")
    assert package.row_counts(path, "customer_value%") == {"some": 5}
