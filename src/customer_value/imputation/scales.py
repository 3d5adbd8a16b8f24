"""On which scale a column is read, within which range.

Amounts add (4 plus 60% of the price) or multiply (60% of the price, give or take a tenth). Both
readings are fitted; each target is filled by the one that was nearer on rows not fitted.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from customer_value.imputation.sql import Column, Scale

Floats = NDArray[np.float64]

Reading = Literal["log", "plain"]
READINGS: tuple[Reading, ...] = ("log", "plain")

# A column that varies by less of its size than this is held to be constant.
SMALLEST_RELATIVE_SPREAD = 1e-5
# Beyond so many standard deviations, told by the quartiles of the logarithms, a value is taken
# for the last one within: one order of 1e12 among thousands of 100 is no relation to learn.
ROBUST_DEVIATIONS = 7
QUARTILES_PER_DEVIATION = 1.349


def log_scale(column: Column, known: Floats) -> Scale:
    """A column's scale in the reading by logarithms."""
    if not column.is_number:
        return "plain"
    return "log" if (known > 0).all() else "signed_log"


def scaled(values: Floats, scale: Scale) -> Floats:
    """Values on a working scale."""
    if scale == "plain":
        return values
    scaled = np.log(values) if scale == "log" else np.sign(values) * np.log(1 + np.abs(values))
    return np.asarray(scaled, dtype=np.float64)


def unscaled(working: Floats, scale: Scale) -> Floats:
    """The way back from it."""
    if scale == "plain":
        return working
    sizes = np.exp(working) if scale == "log" else np.exp(np.abs(working)) - 1
    return np.asarray(sizes if scale == "log" else np.sign(working) * sizes, dtype=np.float64)


def credible_range(known: Floats, scale: Scale, *, is_number: bool) -> tuple[float, float]:
    """The ends of what is read and predicted: as seen, or where sizes become incredible."""
    lowest, highest = float(known.min()), float(known.max())
    sizes = np.log(np.abs(known[known != 0]))
    if not is_number or not len(sizes):
        return lowest, highest
    lower, middle, upper = np.quantile(sizes, [0.25, 0.5, 0.75])
    reach = ROBUST_DEVIATIONS * (upper - lower) / QUARTILES_PER_DEVIATION
    if reach == 0:
        return lowest, highest
    with np.errstate(over="ignore"):
        largest = float(np.exp(middle + reach))
    smallest = float(np.exp(middle - reach)) if scale == "log" else -largest
    return max(lowest, smallest), min(highest, largest)


def varies(known: Floats) -> bool:
    """Whether there is anything to tell one value from another by."""
    size = float(np.abs(known).max())
    return float(known.std()) > SMALLEST_RELATIVE_SPREAD * size
