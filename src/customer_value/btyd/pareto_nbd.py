"""Pareto/NBD: customers drop out at any time, at rates of their own.

Schmittlein, Morrison and Colombo (1987), "Counting your customers"; the likelihood as Fader and
Hardie (2005), "A note on deriving the Pareto/NBD model", give it: either alive at T, or dropped
out at some time between the last purchase and T. The second case is an integral, and is taken
as one: see decay_integral.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from customer_value.btyd.counting_model import CountingFit, pace_terms, rising_terms
from customer_value.btyd.decay_integral import decay_nodes
from customer_value.btyd.histories import Histories

Floats = NDArray[np.float64]


class _DroppedOut(NamedTuple):
    """The case of a dropout between the last purchase and the end of observation.

    Attributes:
        log_odds: its probability's logarithm, less that of being alive, shape (m,).
        derivatives: of its own logarithm by r, alpha, s and beta, but for the terms that it
            shares with the other case, shape (4, m).
    """

    log_odds: Floats
    derivatives: Floats


@dataclass(frozen=True)
class ParetoNbd(CountingFit):
    """Gamma-distributed paces, and Gamma-distributed rates of dropping out.

    Parameters: r, the shape, and alpha, the inverse scale, a time, of the pace; s and beta, a
    time, those of the rate of dropping out.
    """

    name: ClassVar[str] = "pareto_nbd"
    parameter_names: ClassVar[tuple[str, ...]] = ("r", "alpha", "s", "beta")
    time_parameters: ClassVar[frozenset[str]] = frozenset({"alpha", "beta"})

    @classmethod
    def terms(cls, parameters: Floats, histories: Histories) -> tuple[Floats, Floats]:
        """Log-likelihoods, shape (m,), and derivatives by the parameters, shape (4, m).

        Each derivative is the mean of those of all cases, weighted by their probabilities.
        """
        r, alpha, s, beta = map(float, parameters)
        rising, by_r = rising_terms(r, histories)
        pace, *pace_derivatives = pace_terms(r, alpha, histories.frequency, histories.age)
        stay, *stay_derivatives = pace_terms(s, beta, np.zeros(1), histories.age)
        out = _dropped_out(r, alpha, s, beta, histories)
        is_dead, is_alive = special.expit(out.log_odds), special.expit(-out.log_odds)
        gradient = is_dead * out.derivatives
        gradient += is_alive * np.stack([*pace_derivatives, *stay_derivatives])
        gradient[0] += by_r
        return rising + pace + stay + np.logaddexp(0, out.log_odds), gradient

    @classmethod
    def _starts(cls, r: float, alpha: float) -> Sequence[Sequence[float]]:
        return [(r, alpha, 0.5, 0.5)]

    def _alive(self, histories: Histories) -> Floats:
        r, alpha, s, beta = map(float, self._values)
        return np.asarray(special.expit(-_dropped_out(r, alpha, s, beta, histories).log_odds))

    def _expected_if_alive(self, horizon: Floats, frequency: Floats, age: Floats) -> Floats:
        """E[λ] E[(1 - exp(-μ t)) / μ], both given the history and being alive.

        The second factor is (β + T) / (s - 1) times 1 less a power, and a logarithm at s = 1.
        """
        r, alpha, s, beta = map(float, self._values)
        decay = np.log1p(horizon / (beta + age))
        lifetime = (beta + age) * decay * special.exprel((1 - s) * decay)
        return np.asarray((r + frequency) / (alpha + age) * lifetime)

    def _order_probability_if_alive(
        self, horizon: Floats, frequency: Floats, age: Floats
    ) -> Floats:
        """The chance that the next order falls at a time within the horizon, before dropout.

        The integral over that time t of E[λ exp(-λ t)] E[exp(-μ t)].
        """
        r, alpha, s, beta = map(float, self._values)
        pace = alpha + age
        nodes = decay_nodes(pace, r + frequency + 1, beta + age, np.full_like(age, s), horizon)
        return np.asarray((r + frequency) / pace * nodes.amount.sum(axis=1))


def _dropped_out(
    r: float, alpha: float, s: float, beta: float, histories: Histories
) -> _DroppedOut:
    x, t_x, age = histories.frequency, histories.recency, histories.age
    silence = age - t_x
    pace, stay = alpha + t_x, beta + t_x
    nodes = decay_nodes(pace, r + x, stay, np.full_like(x, s + 1), silence)
    integral = nodes.amount.sum(axis=1)
    # One whose last purchase is at the end of observation had no time to drop out.
    is_silent = integral > 0
    safe = np.where(is_silent, integral, 1.0)
    log_odds = (
        np.log(s / stay)
        + np.log(safe)
        + (r + x) * np.log1p(silence / pace)
        + s * np.log1p(silence / stay)
    )

    def mean(values: Floats) -> Floats:
        return np.asarray((nodes.amount * values).sum(axis=1) / safe)

    time = t_x[:, None] + nodes.time
    derivatives = [
        -np.log1p(t_x / alpha) - mean(nodes.log_first),
        mean((r / alpha * time - x[:, None]) / (alpha + time)),
        1 / s - np.log1p(t_x / beta) - mean(nodes.log_second),
        mean((s / beta * time - 1) / (beta + time)),
    ]
    return _DroppedOut(np.where(is_silent, log_odds, -np.inf), np.stack(derivatives))
