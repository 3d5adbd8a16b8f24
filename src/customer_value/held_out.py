"""Twins of the models, fitted on the past alone, and what they said of customers held out.

What a model makes of examples that it was fitted on tells little of what it makes of others. The
twins are fitted on windows that had ended by a date; what is asked of them is asked about the
windows that began there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from duckdb import DuckDBPyRelation as Relation
from numpy.typing import NDArray

from customer_value import backtest, churn, spend

Floats = NDArray[np.float64]
Predict = Callable[[pd.DataFrame], Floats]

# More examples fit no better a twin than is needed here, and would cost as much as training.
EARLIER_ROWS = 60_000
LATER_CUSTOMERS = 20_000

COLUMNS = {
    "customer_id": "string",
    "as_of_date": "datetime64[ns]",
    "horizon_days": "int64",
    "churn_probability": "float64",
    "is_churned": "bool",
    "predicted_net_amount": "float64",
    "net_amount": "float64",
}


@dataclass(frozen=True)
class Twins:
    """Two models that know nothing of what they are asked about.

    Attributes:
        split: the examples before and after the date; later ones with ``order_probability``.
        churn: P(no order within the horizon), of examples.
        spend: E[net amount within the horizon] in currency, likewise, order or not, by the
            ``order_probability`` beside the features.
    """

    split: backtest.OutOfTime
    churn: Predict
    spend: Predict


def twins(examples: pd.DataFrame, run: Mapping[str, Any]) -> Twins | None:
    """Fit both models on the earlier part of the history, on samples of bounded size.

    Args:
        examples: rows of training_examples, in an order that does not change.
        run: what the run was asked for.

    Returns:
        The twins, or None where either part of the history holds too few customers.
    """
    split = backtest.out_of_time(examples, run["history_days"])
    if split is None:
        return None
    earlier = sampled(split.earlier, EARLIER_ROWS, run["random_seed"])
    later = sampled(split.later, LATER_CUSTOMERS, run["random_seed"])
    churn_model, _ = churn.fit(earlier, run["churn_window_days"])
    spend_model, _ = spend.fit(earlier)

    def predict_churn(asked: pd.DataFrame) -> Floats:
        return churn.probability(churn_model, asked)

    def predict_spend(asked: pd.DataFrame) -> Floats:
        order_probability = asked["order_probability"].to_numpy(dtype=np.float64)
        return order_probability * spend.amount_if_any(spend_model, asked)

    later = later.assign(order_probability=1 - predict_churn(later))
    return Twins(replace(split, earlier=earlier, later=later), predict_churn, predict_spend)


def sampled(examples: pd.DataFrame, row_count: int, seed: int) -> pd.DataFrame:
    """All examples of as many customers, drawn by a seed, as come to at most so many rows."""
    if len(examples) <= row_count:
        return examples
    customers, position = np.unique(examples["customer_id"].to_numpy(str), return_inverse=True)
    drawn = np.random.default_rng(seed).permutation(len(customers))
    rows_up_to = np.cumsum(np.bincount(position)[drawn])
    is_kept = np.zeros(len(customers), dtype=bool)
    is_kept[drawn[rows_up_to <= row_count]] = True
    return examples[is_kept[position]].reset_index(drop=True)


@backtest.reproducible()
def score(relation: Relation, run_relation: Relation) -> pd.DataFrame:
    """What the twins said of each held-out customer, and what then happened.

    Args:
        relation: training_examples.
        run_relation: int_customer_value__run; no row where ``has_fairness_groups`` is false, since
            nobody would read it.

    Returns:
        Per customer: the date and the length of the window, the probability of no order and
        whether there was none, the predicted net amount and the actual one.
    """
    nothing = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in COLUMNS.items()})
    if not bool(run_relation.df()["has_fairness_groups"].iloc[0]):
        return nothing
    examples, run = backtest.fetched(relation, run_relation)
    fitted = twins(examples, run)
    if fitted is None:
        return nothing
    later = fitted.split.later
    scored = pd.DataFrame(
        {
            "customer_id": later["customer_id"],
            "as_of_date": later["as_of_date"],
            "horizon_days": later["horizon_days"],
            "churn_probability": np.round(fitted.churn(later), 9),
            "is_churned": later["is_churned_in_horizon"],
            "predicted_net_amount": np.round(fitted.spend(later), 6),
            "net_amount": later["net_amount_in_horizon"].to_numpy(dtype=np.float64),
        }
    )
    return scored.astype(COLUMNS)
