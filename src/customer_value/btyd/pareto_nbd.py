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
        time: when it may have been, since the first purchase, shape (m, nodes).
        share: how likely each of these times is, given that it was, shape (m, nodes).
    """

    log_odds: Floats
    time: Floats
    share: Floats


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
        x, age = histories.frequency, histories.age
        rising, by_r = rising_terms(r, histories)
        pace, alive_by_r, alive_by_alpha = pace_terms(r, alpha, x, age)
        stay, alive_by_s, alive_by_beta = pace_terms(s, beta, np.zeros(1), age)
        out = cls._dropped_out(r, alpha, s, beta, histories)
        is_dead, is_alive = special.expit(out.log_odds), special.expit(-out.log_odds)
        x_column = x[:, None]
        log_pace, log_stay = np.log1p(out.time / alpha), np.log1p(out.time / beta)
        by_alpha = (r * out.time / alpha - x_column) / (alpha + out.time)
        by_beta = (s * out.time / beta - 1) / (beta + out.time)
        gradient = np.stack(
            [
                by_r + is_alive * alive_by_r - is_dead * (out.share * log_pace).sum(axis=1),
                is_alive * alive_by_alpha + is_dead * (out.share * by_alpha).sum(axis=1),
                is_alive * alive_by_s + is_dead * (1 / s - (out.share * log_stay).sum(axis=1)),
                is_alive * alive_by_beta + is_dead * (out.share * by_beta).sum(axis=1),
            ]
        )
        return rising + pace + stay + np.logaddexp(0, out.log_odds), gradient

    @classmethod
    def _dropped_out(
        cls, r: float, alpha: float, s: float, beta: float, histories: Histories
    ) -> _DroppedOut:
        x, t_x, age = histories.frequency, histories.recency, histories.age
        silence = age - t_x
        pace, stay = alpha + t_x, beta + t_x
        elapsed, amount = decay_nodes(pace, r + x, stay, np.full_like(x, s + 1), silence)
        integral = amount.sum(axis=1)
        is_silent = integral > 0
        safe = np.where(is_silent, integral, 1.0)
        log_odds = (
            np.log(s)
            - np.log(stay)
            + np.log(safe)
            + (r + x) * np.log1p(silence / pace)
            + s * np.log1p(silence / stay)
        )
        return _DroppedOut(
            np.where(is_silent, log_odds, -np.inf),
            t_x[:, None] + elapsed,
            amount / safe[:, None],
        )

    @classmethod
    def _starts(cls, r: float, alpha: float) -> Sequence[Sequence[float]]:
        return [(r, alpha, 0.5, 0.5)]

    def _alive(self, histories: Histories) -> Floats:
        r, alpha, s, beta = map(float, self._values)
        return np.asarray(
            special.expit(-self._dropped_out(r, alpha, s, beta, histories).log_odds)
        )

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
        _, amount = decay_nodes(pace, r + frequency + 1, beta + age, np.full_like(age, s), horizon)
        return np.asarray((r + frequency) / pace * amount.sum(axis=1))
