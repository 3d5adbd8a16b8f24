"""Gamma-Gamma: what a purchase of a customer is worth, from the mean of few.

Fader and Hardie (2013), "The Gamma-Gamma model of monetary value". Amounts vary about each
customer's own mean, and means vary over customers, independently of how often they buy. So the
expected amount is between the customer's mean and everyone's, nearer to the former the more
purchases there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from customer_value.btyd.fitted_model import MINIMUM_REPEAT_BUYERS, OK, FittedModel, health_of
from customer_value.btyd.histories import (
    CHUNK,
    ImpossibleInputError,
    aligned,
    distinct,
    numbers,
    require,
    totals,
)
from customer_value.btyd.maximum_likelihood import Maximum, maximise
from customer_value.btyd.rising_factorial import log_rising

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class GammaGamma(FittedModel):
    """Amounts are Gamma(p, ν) distributed, and ν is Gamma(q, γ) distributed over customers.

    Parameters: p, q, and gamma, an amount. Everyone's mean is p γ / (q - 1), which is finite
    only where q is above 1. The fallback is the mean over all customers, or, at a boundary, the
    same model fitted again with prior_scale=1.

    >>> fitted = {"p": 6.25, "q": 3.74, "gamma": 15.44}
    >>> model = GammaGamma(fitted, log_likelihood=-4055.9, customers=946)
    >>> print(model.expected_amount([0, 2], [0.0, 50.0]).round(2))
    [35.22 47.34]
    """

    name: ClassVar[str] = "gamma_gamma"
    parameter_names: ClassVar[tuple[str, ...]] = ("p", "q", "gamma")
    fallbacks: ClassVar[Mapping[str, str]] = {
        "infinite_mean": "mean",
        "boundary": "prior",
        "did_not_converge": "mean",
        "too_few_repeat_buyers": "mean",
    }

    @classmethod
    def fit(
        cls,
        frequency: ArrayLike,
        mean_amount: ArrayLike,
        count: ArrayLike | None = None,
        *,
        prior_scale: float | None = None,
    ) -> Self:
        """Fit by maximum likelihood. Look at ``health`` before using what comes back.

        Args:
            frequency: x, the purchases that the mean is taken over, shape (m,). The papers count
                repeat purchases alone. Customers without any say nothing and are left out.
            mean_amount: the mean of these purchases, above 0 where there are any, any currency.
            count: how many customers share each row, 1 by default.
            prior_scale: None for maximum likelihood. Else the standard deviation of a normal
                prior on the logarithms of the parameters, about p = 5, q = 4.

        Raises:
            ImpossibleInputError: an array is impossible, or nobody has bought.
        """
        x, mean, weight = _purchases(frequency, mean_amount, 1.0 if count is None else count)
        if prior_scale is not None and not prior_scale > 0:
            raise ImpossibleInputError(f"prior_scale must be above 0, not {prior_scale}.")
        rows, positions = distinct(x, mean)
        weight = totals(positions, weight)
        x, mean, customers = x[rows], mean[rows], float(weight.sum())
        if customers == 0:
            raise ImpossibleInputError("There are no customers with purchases to fit on.")
        unit = float(weight @ mean) / customers
        mean = mean / unit

        def log_likelihood(parameters: Floats) -> tuple[float, Floats]:
            value, gradient = 0.0, np.zeros(3)
            for start in range(0, len(x), CHUNK):
                part = slice(start, start + CHUNK)
                values, derivatives = _terms(parameters, x[part], mean[part])
                value += float(weight[part] @ values)
                gradient += derivatives @ weight[part]
            return value, gradient

        # About the shape that amounts in shops have; p γ / (q - 1) is then the mean.
        maximum = maximise(log_likelihood, customers, [(5.0, 4.0, 0.6)], prior_scale)
        p, q, gamma = map(float, maximum.parameters)
        return cls(
            parameters={"p": p, "q": q, "gamma": gamma * unit},
            # A density per scaled amount becomes one per the user's.
            log_likelihood=maximum.log_likelihood - customers * float(np.log(unit)),
            customers=customers,
            health=_health(maximum, customers),
        )

    def log_likelihoods(self, frequency: ArrayLike, mean_amount: ArrayLike) -> Floats:
        """The log-likelihood of each customer's mean, shape (m,); 0 without purchases.

        Raises:
            ImpossibleInputError: an array is impossible.
        """
        arrays = _checked(frequency, mean_amount)
        values = np.zeros(len(arrays[0]))
        is_known = arrays[0] > 0
        values[is_known] = _terms(self._values, arrays[0][is_known], arrays[1][is_known])[0]
        return values

    def expected_amount(self, frequency: ArrayLike, mean_amount: ArrayLike) -> Floats:
        """E[amount of a purchase | the customer's mean], p (γ + x m) / (p x + q - 1).

        Args:
            frequency: x, the purchases that the mean is taken over, shape (m,). With none, the
                answer is everyone's mean.
            mean_amount: the mean of these purchases, m, in the currency of the fit; what it is
                without purchases doesn't matter.

        Returns:
            Shape (m,). Infinite where the expectation is, p x + q at most 1: only where health
            says ``infinite_mean``.

        Raises:
            ImpossibleInputError: an array is impossible.
        """
        x, mean = _checked(frequency, mean_amount)
        p, q, gamma = map(float, self._values)
        weight = p * x + q - 1
        is_finite = weight > 0
        amount = p * (gamma + x * mean) / np.where(is_finite, weight, 1.0)
        return np.where(is_finite, amount, np.inf)

    @property
    def _values(self) -> Floats:
        return np.array([self.parameters[name] for name in self.parameter_names])


def _terms(parameters: Floats, x: Floats, mean: Floats) -> tuple[Floats, Floats]:
    """Log-likelihoods, shape (m,), and derivatives by p, q and γ, shape (3, m).

    Written over γ / (γ + x m), so that nothing cancels where p and x are large.
    """
    p, q, gamma = map(float, parameters)
    total = x * mean
    log_total = np.log1p(gamma / total)
    log_gamma = np.log1p(total / gamma)
    value = (
        log_rising(p * x, q) - special.gammaln(q) - p * x * log_total - q * log_gamma - np.log(mean)
    )
    both = special.digamma(p * x + q)
    gradient = np.stack(
        [
            x * (both - special.digamma(p * x) - log_total),
            both - special.digamma(q) - log_gamma,
            (q * total / gamma - p * x) / (gamma + total),
        ]
    )
    return value, gradient


def _health(maximum: Maximum, customers: float) -> str:
    if customers < MINIMUM_REPEAT_BUYERS:
        return "too_few_repeat_buyers"
    if maximum.is_converged and maximum.parameters[1] <= 1:
        return "infinite_mean"
    health = health_of(maximum)
    # p without bound: every purchase of a customer is of one amount. The expected amount is then
    # the customer's mean, which is what it should be.
    return OK if health == "boundary" and maximum.is_determined[1] else health


def _checked(frequency: ArrayLike, mean_amount: ArrayLike) -> tuple[Floats, Floats]:
    x, mean, _ = _aligned(frequency, mean_amount, 1.0)
    return x, mean


def _purchases(
    frequency: ArrayLike, mean_amount: ArrayLike, count: ArrayLike
) -> tuple[Floats, Floats, Floats]:
    x, mean, weight = _aligned(frequency, mean_amount, count)
    is_known = x > 0
    return x[is_known], mean[is_known], weight[is_known]


def _aligned(
    frequency: ArrayLike, mean_amount: ArrayLike, count: ArrayLike
) -> tuple[Floats, Floats, Floats]:
    purchases, means = numbers("frequency", frequency), numbers("mean_amount", mean_amount)
    # Without purchases there is no mean, and a missing one does no harm.
    if purchases.shape == means.shape or () in (purchases.shape, means.shape):
        means = np.where(purchases == 0, 0.0, means)
    arrays = aligned(frequency=purchases, mean_amount=means, count=count)
    x, mean, weight = arrays.values()
    require(x == np.floor(x), "frequency", "must be a whole number of purchases")
    require((x == 0) | (mean > 0), "mean_amount", "must be above 0 where there are purchases")
    return x, mean, weight
