"""Which categories a customer's next order has: a mixture of what is known, weighed by what came.

Four rates say something of it: in what share of the customer's orders the category was, lately and
ever; in what share of all customers' orders after such a last one; and in what share of the shop's.
Each is worth more or less by how many orders a customer has, so weights are fitted apart for each
band of them, by expectation maximisation on what came next at an earlier date: deleted
interpolation (Jelinek and Mercer 1980) of the chance that a category is in an order.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from duckdb import DuckDBPyRelation as Relation
from numpy.typing import NDArray

from customer_value import backtest
from customer_value.paths import METRIC_COLUMNS
from customer_value.spark_frames import on_driver

Floats = NDArray[np.float64]

PARTS = ("recent", "own", "follow", "shop")
RATES = [f"{part}_rate" for part in PARTS]
BANDS = ("one", "few", "several", "many")
# A rate of one order is 0 or 1, and neither is ever certain.
LEAST_CHANCE = 1e-3
ROUNDS = 200
# Candidates by which a band's weights are drawn to equal ones.
LENT_CANDIDATES = 20.0

WEIGHT_COLUMNS = {
    "history_band": "string",
    **{f"{part}_weight": "float64" for part in PARTS},
    "case_count": "int64",
}


@on_driver
@backtest.reproducible()
def train(candidates: Relation) -> pd.DataFrame:
    """The weight of each share, by how many orders a customer has.

    Args:
        candidates: int_customer_value__category_candidates.

    Returns:
        One row per band. From the latest date whose answers are known; equal weights without any.
    """
    cases = _read(candidates, "test")
    weights = fitted(cases)
    return pd.DataFrame(
        {
            "history_band": BANDS,
            **{f"{part}_weight": weights[:, place] for place, part in enumerate(PARTS)},
            "case_count": [
                cases.loc[cases["history_band"] == band, "customer_id"].nunique() for band in BANDS
            ],
        }
    ).astype(WEIGHT_COLUMNS)


def fitted(cases: pd.DataFrame) -> Floats:
    """Weights of the rates that make what came, and what did not, likeliest.

    Args:
        cases: history_band, RATES and is_in_next_order.

    Returns:
        Of shape (BANDS, PARTS); rows add up to 1.
    """
    weights = np.full((len(BANDS), len(PARTS)), 1 / len(PARTS))
    for place, band in enumerate(BANDS):
        of_band = cases[cases["history_band"] == band]
        rates = np.clip(of_band[RATES].to_numpy(dtype=np.float64), LEAST_CHANCE, 1 - LEAST_CHANCE)
        came = of_band["is_in_next_order"].to_numpy(dtype=bool)
        likely = np.where(came[:, None], rates, 1 - rates)
        for _ in range(ROUNDS):
            parts = weights[place] * likely
            claimed = (parts / parts.sum(axis=1, keepdims=True)).sum(axis=0)
            claimed += LENT_CANDIDATES / len(PARTS)
            weights[place] = claimed / claimed.sum()
    return weights


@on_driver
@backtest.reproducible()
def try_out_of_time(candidates: Relation) -> pd.DataFrame:
    """How true the mixture came, beside popularity and the customer's own history.

    Args:
        candidates: int_customer_value__category_candidates.

    Returns:
        Per method log loss, per candidate, and how often the next order had the likeliest category
        or one of the three likeliest. Weights are of the date before; none where either date has no
        orders.
    """
    earlier, cases = _read(candidates, "fit"), _read(candidates, "test")
    if earlier.empty or cases.empty:
        return pd.DataFrame(columns=list(METRIC_COLUMNS)).astype(METRIC_COLUMNS)
    weights = fitted(earlier)[pd.Index(BANDS).get_indexer(pd.Index(cases["history_band"]))]
    rates = cases[RATES].to_numpy(dtype=np.float64)
    told = {
        "popularity": rates[:, PARTS.index("shop")],
        # Ties of a short history are broken by what is popular.
        "own_history": rates @ np.array([0.0, 0.9, 0.0, 0.1]),
        "mixture": (weights * rates).sum(axis=1),
    }
    came = cases["is_in_next_order"].to_numpy(dtype=bool)
    customers = cases["customer_id"].nunique()
    rows = []
    for method, rate in told.items():
        chance = np.clip(rate, LEAST_CHANCE, 1 - LEAST_CHANCE)
        ranked = cases.assign(chance=np.round(rate, 12)).sort_values(
            ["customer_id", "chance", "category"], ascending=[True, False, True]
        )
        rank = ranked.groupby("customer_id").cumcount()
        found = ranked["is_in_next_order"].astype(bool)
        figures = {"log_loss": -np.log(np.where(came, chance, 1 - chance)).mean()}
        for most in (1, 3):
            hits = (found & (rank < most)).groupby(ranked["customer_id"]).any()
            figures[f"top_{most}_accuracy"] = hits.mean()
        rows += [
            {
                "prediction": "next_category",
                "method": method,
                "metric": metric,
                "metric_value": figure,
                "is_used": method == "mixture",
                "case_count": customers,
            }
            for metric, figure in figures.items()
        ]
    return pd.DataFrame(rows).astype(METRIC_COLUMNS)


def _read(candidates: Relation, purpose: str) -> pd.DataFrame:
    of_purpose = candidates.filter(f"purpose = '{purpose}'")
    frame: pd.DataFrame = of_purpose.order("customer_id, category").df()
    return frame
