"""Maximum likelihood over positive parameters, and whether the data determine what it found.

Parameters are searched in their logarithms by L-BFGS-B with analytic gradients, from fixed
starts, so that the same data give the same fit. What comes back says also how sure each
parameter is: a likelihood that is flat along a ridge, or that rises towards infinity, gives a
point like any other, and predictions from it would look as good as any.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

Floats = NDArray[np.float64]
# Parameters, shape (k,), to the log-likelihood of all customers and its derivatives, shape (k,).
LogLikelihood = Callable[[Floats], tuple[float, Floats]]

# Logarithms beyond this are the boundary; times and amounts are scaled to about 1 before.
BOUND = 12.0
# A fit has converged where the mean gradient per customer, in logarithms of parameters, is below
# this, or where all customers together would gain less than 0.01 from a parameter e times as large.
GRADIENT_TOLERANCE = 1e-5
NEGLIGIBLE_GAIN = 0.01
# Along a ridge the search may stop early; begun again from there, it has no false memory.
SEARCHES = 3
# A parameter known within a factor of exp(2 * 2) at best, 50 either way, is not known.
LARGEST_LOG_ERROR = 2.0
DIFFERENCE_STEP = 1e-3
FLAT = 1e-9


@dataclass(frozen=True)
class Maximum:
    """Where the search ended.

    Attributes:
        parameters: shape (k,), above 0.
        log_likelihood: the sum over customers.
        is_converged: the gradient is 0, but for bounds.
        is_determined: one flag per parameter, shape (k,): it is within its bounds and its
            logarithm's standard error, from the inverse of the observed information, is small.
    """

    parameters: Floats
    log_likelihood: float
    is_converged: bool
    is_determined: NDArray[np.bool_]


def maximise(
    log_likelihood: LogLikelihood,
    customers: float,
    starts: Sequence[Sequence[float]],
    prior_scale: float | None = None,
) -> Maximum:
    """The largest likelihood that is reached from any start.

    Args:
        log_likelihood: the sum over customers, and its derivatives by the parameters.
        customers: how many there are, above 0.
        starts: where to begin, k values above 0 each.
        prior_scale: where given, logarithms of parameters are held near those of the first
            start, by a normal prior with this standard deviation. It moves a parameter that the
            data determine by little, and gives one that they don't a value to be lived with.
    """
    center = np.log(starts[0])
    precision = 0.0 if prior_scale is None else prior_scale**-2

    def objective(logarithms: Floats) -> tuple[float, Floats]:
        parameters = np.exp(logarithms)
        value, gradient = log_likelihood(parameters)
        away = logarithms - center
        return (
            (precision / 2 * float(away @ away) - value) / customers,
            (precision * away - gradient * parameters) / customers,
        )

    tolerance = max(GRADIENT_TOLERANCE, NEGLIGIBLE_GAIN / customers)
    ends = [_search(objective, np.log(start), tolerance) for start in starts]
    at, value, gradient = min(ends, key=lambda end: end[1])
    return Maximum(
        parameters=np.exp(at),
        log_likelihood=log_likelihood(np.exp(at))[0],
        is_converged=bool(np.isfinite(value) and _is_flat(at, gradient, tolerance)),
        is_determined=(np.abs(at) < BOUND - 1e-6)
        & (_log_errors(objective, at, customers) < LARGEST_LOG_ERROR),
    )


def _search(
    objective: LogLikelihood, start: Floats, tolerance: float
) -> tuple[Floats, float, Floats]:
    """The logarithms of the parameters at the minimum, its value and its gradient."""
    for _ in range(SEARCHES):
        found = optimize.minimize(
            objective,
            start,
            jac=True,
            method="L-BFGS-B",
            bounds=[(-BOUND, BOUND)] * len(start),
            options={"maxiter": 1000, "maxfun": 2000, "ftol": 1e-14, "gtol": 1e-8, "maxcor": 20},
        )
        start = np.asarray(found.x)
        if _is_flat(start, found.jac, tolerance):
            break
    return start, float(found.fun), np.asarray(found.jac)


def _is_flat(at: Floats, gradient: Floats, tolerance: float) -> bool:
    # At a bound the gradient may point outwards.
    is_outwards = ((at >= BOUND) & (gradient < 0)) | ((at <= -BOUND) & (gradient > 0))
    return bool((is_outwards | (np.abs(gradient) < tolerance)).all())


def _log_errors(objective: LogLikelihood, at: Floats, customers: float) -> Floats:
    """Standard errors of the parameters' logarithms; vast where the likelihood is flat."""
    steps = np.eye(len(at)) * DIFFERENCE_STEP
    columns = [objective(at + step)[1] - objective(at - step)[1] for step in steps]
    information = customers * np.array(columns) / (2 * DIFFERENCE_STEP)
    values, vectors = np.linalg.eigh((information + information.T) / 2)
    # A direction without curvature has no finite error, and rounding may give it a negative one;
    # what moves along it only by rounding is no worse for it.
    return np.asarray(np.sqrt(vectors**2 @ (1 / np.maximum(values, FLAT))))
