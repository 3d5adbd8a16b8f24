"""Which category a customer orders next: a mixture of what is known, weighed by what came.

Four shares say something of it: what the customer ordered lately, and ever; what follows the last
order's categories among all customers; and what is popular in the shop. Each is worth more or less
by how many orders a customer has, so weights are fitted apart for each band of them, by expectation
maximisation on what came next at an earlier date: deleted interpolation (Jelinek and Mercer 1980).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from duckdb import DuckDBPyRelation as Relation
from numpy.typing import NDArray

from customer_value import backtest
from customer_value.paths import METRIC_COLUMNS

Floats = NDArray[np.float64]

PARTS = ("recent", "own", "follow", "shop")
SHARES = [f"{part}_share" for part in PARTS]
BANDS = ("one", "few", "several", "many")
# What was never ordered before has to have some chance, or one such case would decide a log loss.
LEAST_CHANCE = 1e-6
ROUNDS = 200
# Orders by which a band's weights are drawn to equal ones.
LENT_ORDERS = 5.0

WEIGHT_COLUMNS = {
    "history_band": "string",
    **{f"{part}_weight": "float64" for part in PARTS},
    "case_count": "int64",
}


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
    """Weights of the shares that make what came likeliest.

    Args:
        cases: history_band, SHARES, and target_weight, what share of the next order was of the
            category.

    Returns:
        Of shape (BANDS, PARTS); rows add up to 1.
    """
    weights = np.full((len(BANDS), len(PARTS)), 1 / len(PARTS))
    for place, band in enumerate(BANDS):
        came = cases[(cases["history_band"] == band) & (cases["target_weight"] > 0)]
        shares = came[SHARES].to_numpy(dtype=np.float64)
        amount = came["target_weight"].to_numpy(dtype=np.float64)
        for _ in range(ROUNDS):
            parts = weights[place] * shares + LEAST_CHANCE / len(PARTS)
            claimed = (amount[:, None] * parts / parts.sum(axis=1, keepdims=True)).sum(axis=0)
            claimed += LENT_ORDERS / len(PARTS)
            weights[place] = claimed / claimed.sum()
    return weights


@backtest.reproducible()
def try_out_of_time(candidates: Relation) -> pd.DataFrame:
    """How true the mixture came, beside popularity and the customer's own history.

    Args:
        candidates: int_customer_value__category_candidates.

    Returns:
        Per method log loss, and how often the next order had the likeliest category or one of the
        three likeliest. Weights are of the date before; none where either date has no orders.
    """
    earlier, cases = _read(candidates, "fit"), _read(candidates, "test")
    if earlier.empty or cases.empty:
        return pd.DataFrame(columns=list(METRIC_COLUMNS)).astype(METRIC_COLUMNS)
    weights = fitted(earlier)[pd.Index(BANDS).get_indexer(cases["history_band"])]
    shares = cases[SHARES].to_numpy(dtype=np.float64)
    own = shares @ np.array([0.0, 0.9, 0.0, 0.1])
    rows = []
    for method, chance in (
        ("popularity", shares[:, PARTS.index("shop")]),
        ("own_history", own),
        ("mixture", (weights * shares).sum(axis=1)),
    ):
        told = cases.assign(chance=np.round(chance, 12)).sort_values(
            ["customer_id", "chance", "category"], ascending=[True, False, True]
        )
        rank = told.groupby("customer_id").cumcount()
        came = told["target_weight"] > 0
        customers = told["customer_id"].nunique()
        loss = -told["target_weight"] * np.log(np.maximum(told["chance"], LEAST_CHANCE))
        figures = {
            "log_loss": loss.sum() / customers,
            **{
                f"top_{most}_accuracy": (came & (rank < most))
                .groupby(told["customer_id"])
                .any()
                .mean()
                for most in (1, 3)
            },
        }
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
    return candidates.filter(f"purpose = '{purpose}'").order("customer_id, category").df()
