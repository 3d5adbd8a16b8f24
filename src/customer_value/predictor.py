"""What a candidate's predictions are turned into, so that they can be a line in the log horizon."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from customer_value import spend
from customer_value.calibration import log_odds
from customer_value.candidates.candidate import Fitted

Floats = NDArray[np.float64]

# Beyond it a chance is 0 or 1 for every use, as macros/order_probability.sql has it; and a ratio
# beyond every use.
LARGEST_LOGARITHM = 30.0


def predictor(target: str, fitted: Fitted, examples: pd.DataFrame) -> Floats:
    """The log odds; for spend the logarithm of the ratio to the personal baseline given an order.

    Args:
        target: ``churn``, ``spend`` or ``high_value``.
        fitted: a candidate of it.
        examples: as Fitted.predict takes them.
    """
    predicted = fitted.predict(examples)
    if target != "spend":
        return log_odds(predicted)
    chance = examples["order_probability"].to_numpy(dtype=np.float64)
    ratio = predicted / (chance * spend.baseline(examples))
    return np.asarray(np.log(np.maximum(ratio, math.exp(-LARGEST_LOGARITHM))))
