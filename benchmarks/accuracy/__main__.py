"""Run the trials: make bench-accuracy.

PYTHONPATH=benchmarks python -m accuracy                      all, and write the docs
PYTHONPATH=benchmarks python -m accuracy --only "CDNOW all"   one, and write nothing
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from accuracy import measure, naive, ours, peers, table, trials
from accuracy.results import Result
from accuracy.trials import PROJECT, TRIALS, AbsentError, Trial

DOCUMENT = PROJECT / "docs" / "accuracy.md"
README = PROJECT / "README.md"


def run(trial: Trial, others: Mapping[str, object], *, with_peers: bool) -> Result:
    """Build, fit the peers, and measure all of them alike."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        orders = trials.write_orders(trial, folder)
        outcomes = trials.outcomes(trial, orders)
        histories = trials.histories(trial, orders)
        database = ours.build(trial, orders, folder, others)
        champions = ours.champions(trial, database)
        predicted = ours.predictions(database)
    peer_predictions, failures = (
        peers.predictions(histories, trial.horizon_days) if with_peers else ({}, {})
    )
    naive_predictions = naive.predictions(histories, trial.horizon_days)
    every = {"ours": predicted, **peer_predictions, **naive_predictions}
    others_than_largest = measure.without_largest(outcomes)
    spent = outcomes["actual_net_amount"]
    return Result(
        trial=trial,
        customers=len(outcomes),
        active_share=float((outcomes["actual_order_count"] > 0).mean()),
        ours=measure.figures(outcomes, predicted),
        champions=champions,
        largest_share=float(spent.max() / spent.sum()),
        without_largest={n: measure.figures(others_than_largest, p) for n, p in every.items()},
        peers={n: measure.figures(outcomes, p) for n, p in peer_predictions.items()},
        naive={n: measure.figures(outcomes, p) for n, p in naive_predictions.items()},
        failures=failures,
    )


def main() -> int:
    """Run, print, and write the docs; the exit code tells whether the goals are met."""
    parser = argparse.ArgumentParser(prog="accuracy", description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="exit 1 where a goal is missed")
    parser.add_argument(
        "--only",
        action="append",
        metavar="DATA_SET",
        choices=[trial.name for trial in TRIALS],
        help="this data set alone, may be given again; the docs are not written then",
    )
    parser.add_argument(
        "--vars",
        type=json.loads,
        default={},
        help='other vars to try, as JSON: {"winsorize_outliers": true}; no docs are written then',
    )
    parser.add_argument("--without-peers", action="store_true", help="ours and the naive models")
    arguments = parser.parse_args()
    results: list[Result] = []
    absent: dict[str, str] = {}
    for trial in TRIALS:
        if arguments.only and trial.name not in arguments.only:
            continue
        try:
            result = run(trial, arguments.vars, with_peers=not arguments.without_peers)
        except AbsentError as error:
            absent[trial.name] = str(error)
            print(f"\n{trial.name} is not measured: {error}", flush=True)
            continue
        results.append(result)
        print(table.console(result), flush=True)
    missed = [name for result in results for name in result.missed()]
    print(f"\nMissed: {'; '.join(missed)}" if missed else "\nEvery goal is met.")
    if not (arguments.only or arguments.vars or arguments.without_peers):
        DOCUMENT.write_text(table.document(results, absent))
        README.write_text(table.with_readme_table(README.read_text(), results))
    return 1 if missed and arguments.check else 0


if __name__ == "__main__":
    sys.exit(main())
