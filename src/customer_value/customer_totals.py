"""What the customer model would have said of the total at past dates, for want of this model then.

Twins of the churn and spend models are fitted on what had ended by each date and asked for the
windows after it. Whoever replaces those models replaces ``expected_amounts`` with them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from duckdb import DuckDBPyRelation as Relation
from numpy.typing import NDArray

from customer_value import backtest, churn, spend

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


def expected_amounts(earlier: pd.DataFrame, later: pd.DataFrame, churn_window_days: int) -> Floats:
    """What twins fitted on earlier examples expect of each later one, in currency.

    Args:
        earlier: rows of training_examples whose windows had ended by the later ones' date.
        later: rows of that date.
        churn_window_days: as churn.fit takes it.
    """
    churn_model, _ = churn.fit(earlier, churn_window_days)
    spend_model, _ = spend.fit(earlier)
    order_probability = 1 - churn.probability(churn_model, later)
    return np.asarray(order_probability * spend.amount_if_any(spend_model, later))


@backtest.reproducible()
def at_past_dates(examples_relation: Relation, run_relation: Relation) -> pd.DataFrame:
    """Sum up, for past dates, what the customer model would have expected.

    Args:
        examples_relation: training_examples.
        run_relation: int_customer_value__run.

    Returns:
        Per past as_of_date and horizon, over the sampled customers: how many they were, what they
        had spent in the year before the date, and what was expected of them.
    """
    examples, run = backtest.fetched(examples_relation, run_relation)
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
        rows += _totals(earlier, later, run)
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def _totals(
    earlier: pd.DataFrame, later: pd.DataFrame, run: Mapping[str, Any]
) -> list[dict[str, Any]]:
    expected = expected_amounts(earlier, later, run["churn_window_days"])
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
