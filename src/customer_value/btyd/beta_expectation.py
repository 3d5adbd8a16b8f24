"""Expectations over a Beta distribution, to ten digits for any history and horizon.

The published formulas of these models hold Gauss's hypergeometric function, whose usual
evaluations overflow or lose all digits for customers with many orders or long horizons, and are
singular where a parameter is 1. Each of those formulas is the expectation of a plain, positive
function of a probability p that has a Beta distribution. In ln(p / (1 - p)) the density falls
off exponentially on either side and is analytic in between, and there the trapezoidal rule
converges faster than any power of its step (Takahasi and Mori, 1974). No difference of large
numbers is taken, so nothing is lost.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

NODES = 160
# exp(-40) is far below the last bit of 1.
TAIL = 40.0
# Where p underflows, functions of it have long reached their limit at 0.
SMALLEST = 1e-290


def beta_rule(a: float, b: ArrayLike) -> tuple[Floats, Floats]:
    """Nodes and weights for expectations over Beta(a, b).

    Args:
        a: the first parameter, above 0.
        b: the second ones, above 0, shape (m,).

    Returns:
        Values of p and weights that sum to 1 along the last axis, each of shape (m, NODES). The
        expectation of f is ``(weights * f(p)).sum(axis=-1)``.

    >>> p, weights = beta_rule(2.0, [3.0])
    >>> print((weights * p).sum(axis=-1).round(9))
    [0.4]
    """
    b = np.asarray(b, dtype=np.float64)[:, None]
    center = np.log((a + 0.5) / (b + 0.5))
    width = np.minimum(1.0, np.sqrt(1 / a + 1 / b))
    # ln(p / (1 - p)) is center + width * sinh(step): even steps within the core, and growing
    # ones along a tail, which is the longer the smaller its parameter.
    left = -np.arcsinh(12 + TAIL / (a * width))
    right = np.arcsinh(12 + TAIL / (b * width))
    step = left + (right - left) * np.linspace(0, 1, NODES)
    logit = center + width * np.sinh(step)
    log_density = -a * np.logaddexp(0, -logit) - b * np.logaddexp(0, logit)
    weights = np.exp(log_density - log_density.max(axis=-1, keepdims=True)) * np.cosh(step)
    weights /= weights.sum(axis=-1, keepdims=True)
    p = np.maximum(np.exp(-np.logaddexp(0, -logit)), SMALLEST)
    return p, weights
