"""Shifted beta-geometric: how long subscribers stay, who can leave only when they renew.

Fader and Hardie (2007), "How to project customer retention": each subscriber leaves at every
renewal with a chance of their own. So a cohort's retention rises with time, since those who
leave easily go first, though nobody's own chance changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from customer_value.btyd.beta_expectation import beta_rule
from customer_value.btyd.fitted_model import FittedModel, health_of
from customer_value.btyd.histories import ImpossibleInputError, aligned, require
from customer_value.btyd.maximum_likelihood import maximise
from customer_value.btyd.rising_factorial import log_rising

Floats = NDArray[np.float64]

# Fewer who left can't carry a distribution of chances to leave.
MINIMUM_LOSSES = 20


@dataclass(frozen=True)
class ShiftedBetaGeometric(FittedModel):
    """Chances to leave at a renewal are Beta(alpha, beta) distributed over subscribers.

    Time is counted in renewals. The fallback is one constant retention for all, survivors over
    those who could have left.

    >>> fitted = {"alpha": 0.668, "beta": 3.806}
    >>> model = ShiftedBetaGeometric(fitted, log_likelihood=-1611.2, customers=1000)
    >>> print(model.retention([1, 7]).round(3), model.survival([7]).round(3))
    [0.851 0.936] [0.489]
    """

    name: ClassVar[str] = "shifted_beta_geometric"
    parameter_names: ClassVar[tuple[str, ...]] = ("alpha", "beta")
    fallbacks: ClassVar[Mapping[str, str]] = {
        "too_few_losses": "constant_retention",
        "boundary": "constant_retention",
        "did_not_converge": "constant_retention",
    }

    @classmethod
    def fit(cls, *cohorts: ArrayLike) -> Self:
        """Fit by maximum likelihood. Look at ``health`` before using what comes back.

        Args:
            cohorts: for each cohort how many are active at the start and after each renewal
                since, so that the first number is its size; shapes (k,) that may differ.

        Raises:
            ImpossibleInputError: a cohort has no renewal, or gains members, or nobody is in any.
        """
        tables = [_survivors(cohort) for cohort in cohorts]
        customers = float(sum(table[0] for table in tables))
        if customers == 0:
            raise ImpossibleInputError("There are no subscribers to fit on.")
        longest = max(len(table) for table in tables)
        lost, kept = np.zeros(longest - 1), np.zeros(longest - 1)
        for table in tables:
            lost[: len(table) - 1] += -np.diff(table)
            kept[: len(table) - 1] += table[1:]
        before = np.arange(longest - 1.0)

        def log_likelihood(parameters: Floats) -> tuple[float, Floats]:
            """Each renewal is a toss: left, α / (α + β + t), or stayed, (β + t) / (α + β + t)."""
            alpha, beta = map(float, parameters)
            tosses = (lost + kept) / (alpha + beta + before)
            value = lost @ np.log(alpha / (alpha + beta + before)) + kept @ np.log1p(
                -alpha / (alpha + beta + before)
            )
            by_alpha = float((lost / alpha - tosses).sum())
            return float(value), np.array(
                [by_alpha, float((kept / (beta + before) - tosses).sum())]
            )

        maximum = maximise(log_likelihood, customers, [(1.0, 3.0)])
        too_few = lost.sum() < MINIMUM_LOSSES
        return cls(
            parameters=dict(zip(cls.parameter_names, map(float, maximum.parameters), strict=True)),
            log_likelihood=maximum.log_likelihood,
            customers=customers,
            health="too_few_losses" if too_few else health_of(maximum),
        )

    def retention(self, renewal: ArrayLike) -> Floats:
        """P(stays at this renewal | stayed until then), (β + t - 1) / (α + β + t - 1).

        Args:
            renewal: t, whole numbers from 1, shape (m,).

        Raises:
            ImpossibleInputError: a renewal is not so.
        """
        (t,) = _whole(renewal=renewal)
        require(t >= 1, "renewal", "must be 1 or above")
        alpha, beta = self.parameters["alpha"], self.parameters["beta"]
        return np.asarray((beta + t - 1) / (alpha + beta + t - 1))

    def survival(self, renewals: ArrayLike) -> Floats:
        """P(still there after so many renewals), B(α, β + t) / B(α, β).

        Args:
            renewals: t, whole numbers from 0, shape (m,).

        Raises:
            ImpossibleInputError: a number of renewals is not so.
        """
        (t,) = _whole(renewals=renewals)
        alpha, beta = self.parameters["alpha"], self.parameters["beta"]
        return np.exp(log_rising(beta, t) - log_rising(alpha + beta, t))

    def expected_residual_lifetime(
        self, renewals: ArrayLike, discount_rate: float | ArrayLike = 0.0
    ) -> Floats:
        """Discounted periods to come of one who is there, seen just before the next renewal.

        The sum over k from 0 of P(stays at the next k + 1 renewals) / (1 + d)^k, after Fader and
        Hardie (2010), "Customer-base valuation in a contractual setting", who write it with a
        hypergeometric function; here as E[(1 - θ) (1 + d) / (d + θ)] over the chance to leave.

        Args:
            renewals: how many the subscriber has made, whole numbers from 0, shape (m,).
            discount_rate: d, per period, at least 0, a scalar or shape (m,).

        Returns:
            Shape (m,), in periods; infinite where d = 0 and α is at most 1.

        Raises:
            ImpossibleInputError: an array is not so.
        """
        arrays = aligned(renewals=renewals, discount_rate=discount_rate)
        t, rate = arrays["renewals"][:, None], arrays["discount_rate"][:, None]
        require(arrays["renewals"] == np.floor(t[:, 0]), "renewals", "must be a whole number")
        alpha, beta = self.parameters["alpha"], self.parameters["beta"]
        theta, weights = beta_rule(alpha, beta + t[:, 0])
        discounted = (weights * (1 - theta) * (1 + rate) / (rate + theta)).sum(axis=1)
        undiscounted = (beta + t[:, 0]) / (alpha - 1) if alpha > 1 else np.full(len(t), np.inf)
        return np.where(rate[:, 0] > 0, discounted, undiscounted)


def _survivors(cohort: ArrayLike) -> Floats:
    table = aligned(cohort=cohort)["cohort"]
    if len(table) < 2:
        raise ImpossibleInputError("A cohort needs its size and at least one renewal.")
    gains = np.diff(table, prepend=table[0])
    require(gains <= 0, "cohort", "must not gain members")
    return table


def _whole(**arrays: ArrayLike) -> list[Floats]:
    converted = aligned(**arrays)
    for name, array in converted.items():
        require(array == np.floor(array), name, "must be a whole number")
    return list(converted.values())
