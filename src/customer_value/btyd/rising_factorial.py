"""The logarithm of z (z + 1) ... (z + n - 1), exact to the last digits for any size of either.

The difference of two log gammas loses all its digits where z is large and n small, which is
where the likelihood of a model at its boundary goes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

Floats = NDArray[np.float64]

# From here on four terms of Stirling's series leave less than the last bit.
STIRLING_FROM = 20.0


def log_rising(start: ArrayLike, length: ArrayLike) -> Floats:
    """The logarithm of Γ(start + length) / Γ(start).

    Args:
        start: above 0, any shape.
        length: 0 or above, not necessarily whole, a shape that broadcasts with start.

    Returns:
        The logarithm, in the common shape.

    >>> print(np.exp(log_rising(2.0, 3)).round(9))
    24.0
    """
    start, length = np.broadcast_arrays(
        np.asarray(start, dtype=np.float64), np.asarray(length, dtype=np.float64)
    )
    end = start + length
    is_large = start >= STIRLING_FROM
    safe_start = np.where(is_large, start, STIRLING_FROM)
    safe_end = np.where(is_large, end, STIRLING_FROM)
    large = (
        (safe_start - 0.5) * np.log1p(np.where(is_large, length, 0.0) / safe_start)
        + length * np.log(safe_end)
        - length
        + _stirling(safe_end)
        - _stirling(safe_start)
    )
    small = special.gammaln(end) - special.gammaln(start)
    return np.asarray(np.where(is_large, large, small))


def _stirling(value: Floats) -> Floats:
    """What ln Γ(z) exceeds (z - 1/2) ln z - z + ln(2π) / 2 by."""
    square = 1 / value**2
    return np.asarray((1 / 12 - square * (1 / 360 - square * (1 / 1260 - square / 1680))) / value)
