"""The integral of a product of two decaying powers, which the Pareto/NBD model is made of.

    J = integral from 0 to D of (1 + t / A)^-j (1 + t / B)^-k dt

Its published form is a difference of two hypergeometric functions, which cancel where the last
order is recent or orders are many. The integrand itself is positive and decreases; on a
logarithmic scale of time, whose unit is how fast it falls at 0, a short Gauss-Legendre rule
takes it to eight digits whatever the powers.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(32)
# Between 0 and 1.
NODES: Floats = (_NODES + 1) / 2
WEIGHTS: Floats = _WEIGHTS / 2
# What lies where one of the powers has fallen below exp(-40) is left out.
NEGLIGIBLE = 40.0


class DecayNodes(NamedTuple):
    """The integral's terms, each array of shape (m, 32).

    Attributes:
        time: the nodes t.
        amount: what each adds: J is the sum of these along the last axis, and the integral with
            a factor f(t) is the sum of these times f(t).
        log_first: ln(1 + t / A).
        log_second: ln(1 + t / B).
    """

    time: Floats
    amount: Floats
    log_first: Floats
    log_second: Floats


def decay_nodes(
    first: Floats, first_power: Floats, second: Floats, second_power: Floats, end: Floats
) -> DecayNodes:
    """Times, and what each of them adds to the integral.

    Args:
        first: A, above 0, shape (m,), as all others.
        first_power: j, above 0.
        second: B, above 0.
        second_power: k, above 0.
        end: D, at least 0, in the same unit as A and B.

    >>> one = np.ones(1)
    >>> print(decay_nodes(one, one, one, one, 3 * one).amount.sum(axis=1).round(9))
    [0.75]
    """
    end = np.minimum(end, _negligible_from(first, first_power))
    end = np.minimum(end, _negligible_from(second, second_power))
    unit = 1 / (first_power / first + second_power / second)
    length = np.log1p(end / unit)
    scaled = length[:, None] * NODES
    time = unit[:, None] * np.expm1(scaled)
    log_first = np.log1p(time / first[:, None])
    log_second = np.log1p(time / second[:, None])
    log_decay = first_power[:, None] * log_first + second_power[:, None] * log_second
    amount = np.exp(scaled - log_decay) * ((unit * length)[:, None] * WEIGHTS)
    return DecayNodes(time, amount, log_first, log_second)


def _negligible_from(scale: Floats, power: Floats) -> Floats:
    # exp(700) is about the largest double; no end is later than that.
    return np.asarray(scale * np.expm1(np.minimum(NEGLIGIBLE / power, 600.0)))
