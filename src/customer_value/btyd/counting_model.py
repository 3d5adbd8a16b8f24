"""What the models of how many orders follow have in common: fitting, and what they answer.

Each of them lets a customer buy at random at a pace of their own until they drop out, for good
and unseen. So each answer is the probability that the customer is still alive at the end of
observation, times the answer for one who is.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from customer_value.btyd.fitted_model import MINIMUM_REPEAT_BUYERS, FittedModel, health_of
from customer_value.btyd.histories import (
    CHUNK,
    Histories,
    ImpossibleInputError,
    aligned,
    distinct,
    totals,
)
from customer_value.btyd.maximum_likelihood import LogLikelihood, Maximum, maximise
from customer_value.btyd.rising_factorial import log_rising

Floats = NDArray[np.float64]

# Twice this is the 95% quantile of chi-squared with the two degrees that dropout takes. A gain
# below it is what data without any dropout give by chance.
LEAST_DROPOUT_GAIN = 3.0


class CountingModel(Protocol):
    """A fitted model of orders to come, whichever it is."""

    name: ClassVar[str]

    @property
    def parameters(self) -> Mapping[str, float]:
        """Name to value."""

    @property
    def log_likelihood(self) -> float:
        """The sum over customers."""

    @property
    def customers(self) -> float:
        """How many were fitted on."""

    @property
    def health(self) -> str:
        """``ok``, or the name of what keeps the fit from being trusted."""

    @property
    def fallback(self) -> str | None:
        """The simpler model to take instead."""

    def expected_orders(
        self, horizon: ArrayLike, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike
    ) -> Floats:
        """Orders within the horizon, given the history."""

    def probability_alive(self, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike) -> Floats:
        """The probability of not having dropped out, given the history."""

    def probability_of_order(
        self, horizon: ArrayLike, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike
    ) -> Floats:
        """The probability of at least one order within the horizon, given the history."""

    def to_dict(self) -> dict[str, Any]:
        """All of it in types that JSON has."""


@dataclass(frozen=True)
class CountingFit(FittedModel):
    """The shared part. A subclass says its likelihood, and what a customer alive will do.

    The fallbacks: ``nbd``, the model without dropout; ``prior``, the same model fitted again with
    prior_scale=1, which picks one of the values that the likelihood hardly tells apart;
    ``own_rate``, each customer's orders over age; and ``mean``, that over all customers.
    """

    fallbacks: ClassVar[Mapping[str, str]] = {
        "dropout_unidentified": "nbd",
        "boundary": "prior",
        "did_not_converge": "own_rate",
        "too_few_repeat_buyers": "mean",
    }
    # Those of the parameters that are times.
    time_parameters: ClassVar[frozenset[str]]

    @classmethod
    def fit(
        cls,
        frequency: ArrayLike,
        recency: ArrayLike,
        age: ArrayLike,
        count: ArrayLike | None = None,
        *,
        prior_scale: float | None = None,
    ) -> Self:
        """Fit by maximum likelihood. Look at ``health`` before using what comes back.

        Args:
            frequency: x, repeat purchases, whole numbers, shape (m,).
            recency: t_x, from the first purchase to the last, in any unit of time.
            age: T, from the first purchase to the end of observation, in the same unit.
            count: how many customers share each history, 1 by default.
            prior_scale: None for maximum likelihood. Else the standard deviation of a normal
                prior on the logarithms of the parameters, about the paces that fit best without
                dropout and a wide distribution of dropout. 1 is weak, and keeps parameters from
                running off to a boundary.

        Raises:
            ImpossibleInputError: an array is impossible, or there is no customer.
        """
        histories = Histories.checked(frequency, recency, age, count).grouped()
        if histories.customers == 0:
            raise ImpossibleInputError("There are no customers to fit on.")
        if prior_scale is not None and not prior_scale > 0:
            raise ImpossibleInputError(f"prior_scale must be above 0, not {prior_scale}.")
        unit = float(histories.count @ histories.age) / histories.customers or 1.0
        maximum, health = cls._fitted(histories.in_unit(unit), prior_scale)
        values = dict(zip(cls.parameter_names, map(float, maximum.parameters), strict=True))
        # A density per scaled unit becomes one per the user's: each order counts once.
        orders = float(histories.count @ histories.frequency)
        return cls(
            parameters={
                name: value * (unit if name in cls.time_parameters else 1.0)
                for name, value in values.items()
            },
            log_likelihood=maximum.log_likelihood - orders * float(np.log(unit)),
            customers=histories.customers,
            health=health,
        )

    @classmethod
    def _fitted(cls, histories: Histories, prior_scale: float | None) -> tuple[Maximum, str]:
        """The maximum, in the scaled unit of time, and its health."""
        without_dropout = maximum_without_dropout(histories, prior_scale)
        maximum = maximise(
            summed(cls.terms, histories),
            histories.customers,
            cls._starts(*map(float, without_dropout.parameters)),
            prior_scale,
        )
        gain = maximum.log_likelihood - without_dropout.log_likelihood
        if histories.repeat_buyers < MINIMUM_REPEAT_BUYERS:
            return maximum, "too_few_repeat_buyers"
        # The NBD model is a limit of each of these models: below it, the search was lost.
        if not maximum.is_converged or gain < -LEAST_DROPOUT_GAIN:
            return maximum, "did_not_converge"
        if gain < LEAST_DROPOUT_GAIN:
            return maximum, "dropout_unidentified"
        return maximum, health_of(maximum)

    def log_likelihoods(self, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike) -> Floats:
        """The log-likelihood of each history, shape (m,).

        Raises:
            ImpossibleInputError: an array is impossible.
        """
        parts = Histories.checked(frequency, recency, age).parts
        return np.concatenate([self.terms(self._values, part)[0] for part in parts])

    def expected_orders(
        self, horizon: ArrayLike, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike
    ) -> Floats:
        """E[orders within the horizon | history], shape (m,).

        Args:
            horizon: how far to look ahead from the end of observation, a scalar or shape (m,),
                in the unit of time of the fit.
            frequency: x, shape (m,); scalars are repeated.
            recency: t_x.
            age: T. A customer yet to come has 0 in all three.

        Raises:
            ImpossibleInputError: an array is impossible.
        """
        histories, ahead = _with_horizon(horizon, frequency, recency, age)
        return self._alive_by_parts(histories) * _once_per_kind(
            self._expected_if_alive, ahead, histories.frequency, histories.age
        )

    def probability_alive(self, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike) -> Floats:
        """P(not dropped out by the end of observation | history), shape (m,).

        Raises:
            ImpossibleInputError: an array is impossible.
        """
        return self._alive_by_parts(Histories.checked(frequency, recency, age))

    def probability_of_order(
        self, horizon: ArrayLike, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike
    ) -> Floats:
        """P(at least one order within the horizon | history), shape (m,).

        Args and errors are those of expected_orders.
        """
        histories, ahead = _with_horizon(horizon, frequency, recency, age)
        return self._alive_by_parts(histories) * _once_per_kind(
            self._order_probability_if_alive, ahead, histories.frequency, histories.age
        )

    @property
    def _values(self) -> Floats:
        return np.array([self.parameters[name] for name in self.parameter_names])

    def _alive_by_parts(self, histories: Histories) -> Floats:
        return np.concatenate([self._alive(part) for part in histories.parts])

    @classmethod
    @abstractmethod
    def terms(cls, parameters: Floats, histories: Histories) -> tuple[Floats, Floats]:
        """Log-likelihoods, shape (m,), and derivatives by the parameters, shape (k, m).

        Args:
            parameters: in the order of parameter_names, shape (k,).
            histories: in the unit of time of the parameters.
        """

    @classmethod
    @abstractmethod
    def _starts(cls, r: float, alpha: float) -> Sequence[Sequence[float]]:
        """Where to begin, from the pace that fits best without dropout."""

    @abstractmethod
    def _alive(self, histories: Histories) -> Floats:
        """P(alive), shape (m,)."""

    @abstractmethod
    def _expected_if_alive(self, horizon: Floats, frequency: Floats, age: Floats) -> Floats:
        """E[orders | alive at the end of observation], shape (m,)."""

    @abstractmethod
    def _order_probability_if_alive(
        self, horizon: Floats, frequency: Floats, age: Floats
    ) -> Floats:
        """P(at least one order | alive at the end of observation), shape (m,)."""


def pace_terms(
    r: float, alpha: float, frequency: Floats, time: Floats
) -> tuple[Floats, Floats, Floats]:
    """What x orders by a time t say of a pace that is Gamma(r, α) distributed.

    The logarithm of α^r / (α + t)^(r + x), written so that nothing cancels where α is large,
    and its derivatives by r and α.
    """
    share = time / alpha
    log_share = np.log1p(share)
    value = -(r + frequency) * log_share - frequency * np.log(alpha)
    return value, -log_share, (r * share - frequency) / (alpha + time)


def summed(
    terms: Callable[[Floats, Histories], tuple[Floats, Floats]], histories: Histories
) -> LogLikelihood:
    """The log-likelihood of all customers, from that of each history."""

    def log_likelihood(parameters: Floats) -> tuple[float, Floats]:
        value, gradient = 0.0, np.zeros(len(parameters))
        for part in histories.parts:
            values, derivatives = terms(parameters, part)
            value += float(part.count @ values)
            gradient += derivatives @ part.count
        return value, gradient

    return log_likelihood


def maximum_without_dropout(histories: Histories, prior_scale: float | None = None) -> Maximum:
    """The NBD model's fit: Gamma-distributed paces, nobody drops out (Ehrenberg, 1959).

    Args:
        histories: times scaled to about 1.
        prior_scale: as in fit.
    """
    rows, positions = distinct(histories.frequency, histories.age)
    kinds = Histories(
        frequency=histories.frequency[rows],
        recency=np.zeros(len(rows)),
        age=histories.age[rows],
        count=totals(positions, histories.count),
    )
    likelihood = summed(terms_without_dropout, kinds)
    return maximise(likelihood, kinds.customers, [(1.0, 1.0)], prior_scale)


def terms_without_dropout(parameters: Floats, histories: Histories) -> tuple[Floats, Floats]:
    """The NBD model's log-likelihoods, shape (m,), and derivatives by r and α, shape (2, m)."""
    r, alpha = map(float, parameters)
    rising, by_r = rising_terms(r, histories)
    value, pace_by_r, pace_by_alpha = pace_terms(r, alpha, histories.frequency, histories.age)
    return rising + value, np.stack([by_r + pace_by_r, pace_by_alpha])


def rising_terms(start: float, histories: Histories, shift: int = 0) -> tuple[Floats, Floats]:
    """What is ln Γ(start + x + shift) - ln Γ(start) of each history, and its derivative."""
    distinct_frequency, positions = histories.by_frequency
    length = distinct_frequency + shift
    value = log_rising(start, length)
    slope = special.digamma(start + length) - special.digamma(start)
    return value[positions], slope[positions]


def _with_horizon(
    horizon: ArrayLike, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike
) -> tuple[Histories, Floats]:
    arrays = aligned(horizon=horizon, frequency=frequency, recency=recency, age=age)
    ahead = arrays.pop("horizon")
    return Histories.checked(**arrays), ahead


def _once_per_kind(
    answer: Callable[[Floats, Floats, Floats], Floats],
    horizon: Floats,
    frequency: Floats,
    age: Floats,
) -> Floats:
    """The answer of each row, asked once for rows that are equal, some thousand at a time."""
    rows, positions = distinct(frequency, age, horizon)
    answers = [
        answer(horizon[part], frequency[part], age[part])
        for part in np.split(rows, range(CHUNK, len(rows), CHUNK))
    ]
    return np.asarray(np.concatenate(answers)[positions])
