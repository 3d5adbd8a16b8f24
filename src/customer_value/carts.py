"""The chance that an open cart is bought: a logistic regression over what carts are like.

Carts are counted by how long they have been idle, how far they came, how much is in them, and
whether the customer had bought before, so it costs the same whatever their number.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from duckdb import DuckDBPyRelation as Relation
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from customer_value import backtest
from customer_value.paths import METRIC_COLUMNS
from customer_value.spark_frames import on_driver

Floats = NDArray[np.float64]

TRAITS: dict[str, list[Any]] = {
    "idle_days": list(range(1, 8)),
    "furthest_step": [2, 3, 4],
    "item_band": ["one", "few", "many", "none"],
    "has_bought_before": [False, True],
}
SCORE_COLUMNS = {
    "idle_days": "int64",
    "furthest_step": "int64",
    "item_band": "string",
    "has_bought_before": "bool",
    "purchase_probability": "float64",
}


@on_driver
@backtest.reproducible()
def score(cells: Relation) -> pd.DataFrame:
    """The chance that a cart is bought within seven days, for every kind of cart.

    Args:
        cells: int_customer_value__cart_cells.

    Returns:
        One row per combination of traits; none where no cart has been looked back at.
    """
    frame = _read(cells)
    if frame.empty:
        return pd.DataFrame(columns=list(SCORE_COLUMNS)).astype(SCORE_COLUMNS)
    grid = pd.DataFrame(list(product(*TRAITS.values())), columns=list(TRAITS))
    grid["purchase_probability"] = chances(frame, grid)
    return grid.astype(SCORE_COLUMNS)


def chances(known: pd.DataFrame, asked: pd.DataFrame) -> Floats:
    """The chance of a purchase for each kind of cart, from counts of others.

    Args:
        known: one row per kind of cart: TRAITS, cart_count and bought_count.
        asked: TRAITS.

    Returns:
        One probability per row of asked, never quite 0 or 1.
    """
    carts, bought = (
        known[name].to_numpy(dtype=np.float64) for name in ("cart_count", "bought_count")
    )
    # A purchase and a cart left that nobody has seen: neither is ever impossible.
    base = (bought.sum() + 0.5) / (carts.sum() + 1)
    if not 0 < bought.sum() < carts.sum():
        return np.full(len(asked), base)
    model = LogisticRegression(C=1.0, max_iter=1000, tol=1e-8)
    design = _design(known)
    model.fit(
        np.vstack([design, design]),
        np.repeat([1, 0], len(known)),
        sample_weight=np.concatenate([bought, carts - bought]),
    )
    return np.asarray(model.predict_proba(_design(asked))[:, 1])


def _design(carts: pd.DataFrame) -> Floats:
    """One column per level of each trait but the first, and the logarithm of the idle days."""
    columns = [np.log(carts["idle_days"].to_numpy(dtype=np.float64))]
    for trait, levels in TRAITS.items():
        columns += [(carts[trait] == level).to_numpy(dtype=np.float64) for level in levels[1:]]
    return np.column_stack(columns)


@on_driver
@backtest.reproducible()
def try_out_of_time(cells: Relation) -> pd.DataFrame:
    """How true the chances came of carts that were open lately, beside one rate for all.

    Args:
        cells: int_customer_value__cart_cells.

    Returns:
        Per method log loss, Brier score and predicted purchases over actual ones; none where either
        time has no carts.
    """
    frame = _read(cells)
    earlier, recent = (frame[frame["period"] == period] for period in ("earlier", "recent"))
    if earlier.empty or recent.empty:
        return pd.DataFrame(columns=list(METRIC_COLUMNS)).astype(METRIC_COLUMNS)
    carts, bought = (
        recent[name].to_numpy(dtype=np.float64) for name in ("cart_count", "bought_count")
    )
    rate = (earlier["bought_count"].sum() + 0.5) / (earlier["cart_count"].sum() + 1)
    told = {"one_rate": np.full(len(recent), rate), "logistic": chances(earlier, recent)}
    rows = []
    for method, chance in told.items():
        likely = bought * np.log(chance) + (carts - bought) * np.log(1 - chance)
        figures = {
            "log_loss": -likely.sum() / carts.sum(),
            "brier_score": (bought * (1 - chance) ** 2 + (carts - bought) * chance**2).sum()
            / carts.sum(),
            "predicted_over_actual": (carts * chance).sum() / bought.sum()
            if bought.sum()
            else np.nan,
        }
        rows += [
            {
                "prediction": "cart_bought",
                "method": method,
                "metric": metric,
                "metric_value": figure,
                "is_used": method == "logistic",
                "case_count": carts.sum(),
            }
            for metric, figure in figures.items()
        ]
    return pd.DataFrame(rows).dropna().astype(METRIC_COLUMNS)


def _read(cells: Relation) -> pd.DataFrame:
    frame: pd.DataFrame = cells.order(
        "idle_days, furthest_step, item_band, has_bought_before, period"
    ).df()
    return frame
