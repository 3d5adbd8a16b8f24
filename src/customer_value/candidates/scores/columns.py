"""The columns that functions read, as numbers and as SQL.

Beside the columns of customer_features and ``log_horizon`` there are two kinds that are computed:
a feature times the horizon's logarithm, and sums of logarithms, which a model that is made of
steps can't take by itself.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from customer_value import scoring_sql

Floats = NDArray[np.float64]

LOG_HORIZON = scoring_sql.LOG_HORIZON
# Purchases that the own pace brings within the horizon; the silence as a multiple of the horizon;
# what the customer has spent in a day, in mean purchases of the shop.
LOG_EXPECTED_PURCHASES = "log_expected_purchases"
LOG_RECENCY_TO_HORIZON = "log_recency_to_horizon"
LOG_SPEND_RATE = "log_spend_rate"
SUMS: dict[str, tuple[tuple[str, int], ...]] = {
    LOG_EXPECTED_PURCHASES: (("log_purchase_rate", 1), (LOG_HORIZON, 1)),
    LOG_RECENCY_TO_HORIZON: (("log_recency", 1), (LOG_HORIZON, -1)),
    LOG_SPEND_RATE: (("log_amount", 1), ("log_purchases", 1), ("log_tenure", -1)),
}


def values_of(examples: pd.DataFrame, columns: Sequence[str]) -> Floats:
    """The columns side by side, shape (rows, columns)."""
    arrays = [_values(examples, name) for name in columns]
    return np.column_stack(arrays) if arrays else np.zeros((len(examples), 0))


def _values(examples: pd.DataFrame, name: str) -> Floats:
    if name in SUMS:
        total = np.zeros(len(examples))
        for part, sign in SUMS[name]:
            total = total + sign * _values(examples, part)
        return total
    if name.endswith(scoring_sql.INTERACTION_SUFFIX):
        feature = name.removesuffix(scoring_sql.INTERACTION_SUFFIX)
        return _values(examples, feature) * _values(examples, LOG_HORIZON)
    return examples[name].to_numpy(dtype=np.float64)


def sql_of(name: str) -> str:
    """The column as an expression over columns that are there."""
    if name in SUMS:
        return (
            "(0e0" + "".join(f' {"+" if sign > 0 else "-"} "{p}"' for p, sign in SUMS[name]) + ")"
        )
    if name.endswith(scoring_sql.INTERACTION_SUFFIX):
        feature = name.removesuffix(scoring_sql.INTERACTION_SUFFIX)
        return f'("{feature}" * "{LOG_HORIZON}")'
    return f'"{name}"'


def number(value: float) -> str:
    """A literal that reads back as exactly this double: without an exponent it were a decimal.

    >>> print(number(0.1), number(-1e-20))
    0.1e0 (-1e-20)
    """
    text = repr(float(value))
    text = text if "e" in text else f"{text}e0"
    return f"({text})" if value < 0 else text
