"""What the customer model would have said of the total at past dates, for want of this model then.

Twins of the champions in office, with their settings, are fitted on what had ended by each date and
asked for the windows after it, so that the level corrects the very model that is shown.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from duckdb import DuckDBPyRelation as Relation
from numpy.typing import NDArray

from customer_value import backtest, evaluation
from customer_value.calibration import Calibration
from customer_value.candidates import CANDIDATES
from customer_value.candidates.candidate import Candidate, Fitted
from customer_value.candidates.tuned import Tuned
from customer_value.spark_frames import on_driver

Floats = NDArray[np.float64]

# A twin for each date costs a training each: a few dates, from the earliest to the latest, and
# a part of the customers tell how totals come out.
MAXIMUM_DATES = 5
MAXIMUM_ROWS = 60_000

COLUMNS = {
    "as_of_date": "datetime64[us]",
    "horizon_days": "int64",
    "sampled_customer_count": "int64",
    "sampled_last_year_amount": "float64",
    "predicted_net_amount": "float64",
}


@dataclass(frozen=True)
class InOffice:
    """The champions of churn and spend, and how they are fitted.

    Attributes:
        churn: candidate and setting; spend: likewise.
        line: the calibration of the chance of an order.
        run: what the run was asked for, as candidates take it.
    """

    churn: tuple[Candidate, Mapping[str, Any]]
    spend: tuple[Candidate, Mapping[str, Any]]
    line: Calibration
    run: Mapping[str, Any]

    @classmethod
    def of(cls, verdicts: pd.DataFrame, run: Mapping[str, Any]) -> Self:
        """By the rows of candidate_backtest, as training takes them."""
        rows = {
            target: evaluation.newest_verdict(verdicts, target, run["as_of_date"])
            for target in ("churn", "spend")
        }
        champions = {target: CANDIDATES[target][row["champion"]] for target, row in rows.items()}
        churn, spend = (
            (one, Tuned.from_json(rows[target].get("tuning")).setting(one, run["as_of_date"]))
            for target, one in champions.items()
        )
        return cls(churn, spend, Calibration(**json.loads(rows["churn"]["calibration"])), run)

    def fitted(self, which: tuple[Candidate, Mapping[str, Any]], examples: pd.DataFrame) -> Fitted:
        """A twin, fitted on other examples."""
        candidate, setting = which
        return candidate.fit(examples, self.run, **setting)


def expected_amounts(earlier: pd.DataFrame, later: pd.DataFrame, champions: InOffice) -> Floats:
    """What twins fitted on earlier examples expect of each later one, in currency.

    Args:
        earlier: rows of training_examples whose windows had ended by the later ones' date.
        later: rows of that date.
        champions: whose twins are asked.
    """
    churn = champions.fitted(champions.churn, earlier)
    line = Calibration() if churn.fallback else champions.line
    chance = evaluation.fitted_chance(churn, line)
    spend = champions.fitted(champions.spend, earlier.assign(order_probability=chance(earlier)))
    return spend.predict(later.assign(order_probability=chance(later)))


@on_driver
@backtest.reproducible()
def at_past_dates(
    examples_relation: Relation, run_relation: Relation, backtested: Relation
) -> pd.DataFrame:
    """Sum up, for past dates, what the customer model would have expected.

    Args:
        examples_relation: training_examples.
        run_relation: int_customer_value__run.
        backtested: candidate_backtest, which says who is in office.

    Returns:
        Per past as_of_date and horizon, over the sampled customers: how many they were, what they
        had spent in the year before the date, and what was expected of them.
    """
    examples, run = backtest.fetched(examples_relation, run_relation)
    champions = InOffice.of(backtested.df(), run)
    sampled = _every_so_many_customers(examples)
    ends = sampled["as_of_date"] + pd.to_timedelta(sampled["horizon_days"], unit="D")
    parts = {
        date: (sampled[ends <= date], sampled[sampled["as_of_date"] == date])
        for date in sorted(sampled["as_of_date"].unique())
    }
    able = [
        date
        for date, both in parts.items()
        if min(part["customer_id"].nunique() for part in both) >= backtest.MINIMUM_CUSTOMERS
    ]
    rows: list[dict[str, Any]] = []
    for date in _spread(able):
        earlier, later = (part.reset_index(drop=True) for part in parts[date])
        rows += _totals(earlier, later, champions)
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def _totals(
    earlier: pd.DataFrame, later: pd.DataFrame, champions: InOffice
) -> list[dict[str, Any]]:
    expected = expected_amounts(earlier, later, champions)
    last_year = later["net_last_365_days_amount"].to_numpy(dtype=np.float64)
    return [
        {
            "as_of_date": window["as_of_date"].iloc[0],
            "horizon_days": horizon_days,
            "sampled_customer_count": len(window),
            "sampled_last_year_amount": round(float(last_year[window.index].sum()), 2),
            "predicted_net_amount": round(float(expected[window.index].sum()), 6),
        }
        for horizon_days, window in later.groupby("horizon_days")
    ]


def _every_so_many_customers(examples: pd.DataFrame) -> pd.DataFrame:
    """All examples of every nth customer by key, n so that they are few enough."""
    number = pd.factorize(examples["customer_id"], sort=True)[0]
    each = max(1, math.ceil(len(examples) / MAXIMUM_ROWS))
    kept: pd.DataFrame = examples[number % each == 0]
    return kept


def _spread(dates: list[Any]) -> list[Any]:
    """At most MAXIMUM_DATES of them, the first and the last among them."""
    chosen = np.linspace(0, len(dates) - 1, min(MAXIMUM_DATES, len(dates)))
    return [dates[position] for position in np.unique(chosen.round().astype(int))]
