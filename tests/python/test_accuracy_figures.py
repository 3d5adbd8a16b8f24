"""The figures that the README quotes are those of docs/accuracy.md, and mean what they say."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from accuracy import measure, naive, ours, table, targets, trials
from accuracy.measure import BY_KEY, FIGURES
from accuracy.results import Result
from accuracy.trials import PROJECT, TRIALS, Trial

DOCUMENT = (PROJECT / "docs" / "accuracy.md").read_text()
README = (PROJECT / "README.md").read_text()
LABELS = {figure.label for figure in FIGURES}


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split(" | ")]


def documented() -> dict[str, dict[str, list[str]]]:
    """The cells ours and best peer of docs/accuracy.md, by data set and figure."""
    figures: dict[str, dict[str, list[str]]] = {}
    section = ""
    for line in DOCUMENT.splitlines():
        if line.startswith("## "):
            section = line.removeprefix("## ")
        elif line.startswith("| ") and cells(line)[0] in LABELS:
            label, mine, peer = cells(line)[:3]
            figures.setdefault(section, {})[label] = [mine.strip("*"), peer.strip("*")]
    return figures


def test_readme_quotes_the_document() -> None:
    _, _, rest = README.partition(table.README_BEGIN)
    header, _, *rows = rest.partition(table.README_END)[0].strip().splitlines()
    known = documented()
    quoted = {
        (name, label): [part.strip("*") for part in cell.split(" / ")]
        for name, *values in map(cells, rows)
        for label, cell in zip(cells(header)[1:], values, strict=True)
    }
    assert quoted == {
        (name, BY_KEY[key].label): known[name][BY_KEY[key].label]
        for name in known
        for key in table.README_KEYS
    }


def test_document_tells_every_figure_of_every_data_set() -> None:
    known = documented()
    for trial in TRIALS:
        if trial.name in known:
            assert set(known[trial.name]) == LABELS
        else:
            assert f"## {trial.name}\n\nNot measured: " in DOCUMENT


OUTCOMES = pd.DataFrame(
    {
        "customer_id": ["a", "b", "c", "d"],
        "actual_order_count": [0.0, 0.0, 1.0, 3.0],
        "actual_net_amount": [0.0, 0.0, 10.0, 30.0],
    }
)
PREDICTIONS = pd.DataFrame(
    {
        "customer_id": ["d", "c", "b", "a"],
        "churn_probability": [0.1, 0.6, 0.2, 0.9],
        "order_count": [3.0, 1.0, 1.0, 0.0],
        "net_amount": [20.0, 10.0, 5.0, 0.0],
    }
)


def test_figures_by_hand() -> None:
    figures = measure.figures(OUTCOMES, PREDICTIONS)
    # Called churned: a and c; churned are a and b.
    assert figures["accuracy"] == figures["recall"] == figures["f1"] == 0.5
    assert figures["roc_auc"] == 0.75
    assert figures["brier_score"] == pytest.approx((0.01 + 0.64 + 0.36 + 0.01) / 4)
    assert (figures["orders_mae"], figures["orders_bias"]) == (0.25, 1.25)
    assert (figures["mae"], figures["bias"]) == (3.75, 0.875)
    # Ranks 1.5, 1.5, 3, 4 against 1, 2, 3, 4.
    assert figures["spearman"] == pytest.approx(4.5 / np.sqrt(4.5 * 5))


def test_figures_refuse_to_leave_a_customer_out() -> None:
    with pytest.raises(measure.MissingCustomerError, match="1 of 4 customers have no prediction"):
        measure.figures(OUTCOMES, PREDICTIONS.iloc[1:])


def test_largest_customer_is_left_out() -> None:
    remaining = measure.without_largest(OUTCOMES)
    assert remaining["customer_id"].tolist() == ["a", "b", "c"]
    assert measure.figures(remaining, PREDICTIONS)["mae"] == pytest.approx(5 / 3)


def result(mine: dict[str, float], peers: dict[str, dict[str, float]]) -> Result:
    return Result(
        trial=next(trial for trial in TRIALS if trial.name == "CDNOW all"),
        customers=4,
        active_share=0.5,
        ours=dict.fromkeys(BY_KEY, 0.5) | mine,
        champions={"churn": "logistic"},
        largest_share=0.75,
        without_largest={"ours": dict.fromkeys(BY_KEY, 0.25)},
        peers={name: dict.fromkeys(BY_KEY, 0.5) | figures for name, figures in peers.items()},
        naive={"mean": dict.fromkeys(BY_KEY, 0.5) | {"bias": 1.3, "mae": np.nan}},
        failures={"lifetimes Pareto/NBD": "no number for 2 customers"},
    )


GOOD = {"log_loss": 0.4, "roc_auc": 0.8, "normalized_gini": 0.9, "decile_error": 0.1, "bias": 1.05}


def test_best_is_by_what_is_good_of_each_figure() -> None:
    measured = result(
        GOOD,
        {"x": {"log_loss": 0.3, "roc_auc": 0.6, "bias": 1.2, "mae": 2}, "y": {"roc_auc": 0.7}},
    )
    assert measured.best_peer("log_loss") == ("x", 0.3)
    assert measured.best_peer("roc_auc") == ("y", 0.7)
    assert measured.best_peer("bias") == ("x", 1.2)
    assert measured.best_peer("mae") == ("y", 0.5)


def test_goals_are_missed_where_they_are_missed() -> None:
    assert result(GOOD, {}).missed() == []
    assert result(GOOD | {"decile_error": 0.13}, {}).missed() == ["CDNOW all, spend: decile MAPE"]
    assert result(GOOD | {"bias": float("nan")}, {}).missed() == ["CDNOW all, spend: bias"]
    assert "**missed**" in table.document([result(GOOD | {"bias": 0.8}, {})], {})


def test_winner_is_bold_whoever_it_is() -> None:
    lines = table.document([result(GOOD, {"x": {"log_loss": 0.3}})], {"Other": "no file."})
    assert "| churn: log loss | 0.400 | **0.300** | x |" in lines
    assert "| churn: AUC | **0.800** | 0.500 | x |" in lines
    assert "churn: log loss (0.400 against 0.300 of x)" in lines
    assert "lifetimes Pareto/NBD gave no usable fit: no number for 2 customers." in lines
    assert "holds 75.0% of the holdout's spend; without it, ours is" in lines
    assert "## Other\n\nNot measured: no file." in lines


def test_stretch_is_stricter_than_at_least() -> None:
    for name, goals in targets.STRETCH.items():
        for key, (lowest, highest) in goals.items():
            bounds = targets.bound(targets.AT_LEAST, name, key)
            if bounds is not None:
                assert lowest >= bounds[0] or lowest == -np.inf
                assert highest <= bounds[1] or bounds[0] > -np.inf


ORDERS = """
    select customer_id, date '2026-01-01' + day as ordered_at, amount::decimal(18, 2) as amount
    from (values
        ('a', 0, 5), ('a', 0, 5), ('a', 10, 20), ('a', 19, 40), ('a', 21, 60),
        ('b', 12, 7), ('b', 30, 1000), ('late', 20, 9)
    ) as t (customer_id, day, amount)
"""
TRIAL = Trial("planted", ORDERS, dt.date(2026, 1, 21), 10)


def test_trial_parts_orders_at_its_date(tmp_path: Path) -> None:
    orders = trials.write_orders(TRIAL, tmp_path)
    assert trials.outcomes(TRIAL, orders).to_numpy().tolist() == [["a", 1.0, 60.0], ["b", 0.0, 0.0]]
    known = trials.histories(TRIAL, orders)
    assert known["frequency"].tolist() == [2, 0]
    assert known["recency"].tolist() == [pytest.approx(19 / 7), 0]
    assert known["age"].tolist() == [pytest.approx(19 / 7), 1]
    assert known["repeat_amount"].tolist() == [30, 0]
    assert known["mean_amount"].tolist() == [pytest.approx(70 / 3), 7]
    naively = naive.predictions(known, TRIAL.horizon_days)
    # a: 2 repeats in 19 days, both in the last 10 of them, of which b was not there for all.
    assert naively["own rate"]["order_count"].tolist() == [pytest.approx(20 / 19), 0]
    assert naively["last window"]["net_amount"].tolist() == [60, 7]
    assert naively["mean"]["net_amount"].tolist() == [60, 60]


def test_window_that_reaches_into_the_holdout_stops_the_run(tmp_path: Path) -> None:
    database = tmp_path / "built.duckdb"
    for last, is_refused in ((dt.date(2026, 1, 21), False), (dt.date(2026, 1, 22), True)):
        with duckdb.connect(str(database)) as connection:
            connection.execute("create schema if not exists customer_value")
            connection.execute(f"""
                create or replace table customer_value.model_registry as
                select
                    'churn' as model_name,
                    date '{last}' as trained_as_of_date,
                    date '{last}' as training_to_date,
                    '{json.dumps({"estimator": "logistic regression"})}' as parameters
            """)
        if is_refused:
            with pytest.raises(ours.LookAheadError, match="2026-01-22"):
                ours.champions(TRIAL, database)
        else:
            assert ours.champions(TRIAL, database) == {"churn": "logistic regression"}
