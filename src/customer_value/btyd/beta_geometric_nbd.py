"""BG/NBD and MBG/NBD: after each purchase a customer drops out with a chance of their own.

In BG/NBD (Fader, Hardie and Lee, 2005, "Counting your customers the easy way") the first
purchase is spared, so that nobody who bought once can have dropped out. In MBG/NBD (Batislam,
Denizel and Filiztekin, 2007) it isn't. All else is the same, and is written once, over the
number of times that a customer may have dropped out: x, or x + 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from customer_value.btyd.beta_expectation import beta_rule
from customer_value.btyd.counting_model import CountingFit, pace_terms, rising_terms
from customer_value.btyd.histories import Histories

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class BetaGeometricNbd(CountingFit):
    """Gamma-distributed paces, and chances to drop out that are Beta distributed.

    Parameters: r, the shape, and alpha, the inverse scale, a time, of the pace; a and b of the
    chance to drop out after a purchase, whose mean is a / (a + b).
    """

    parameter_names: ClassVar[tuple[str, ...]] = ("r", "alpha", "a", "b")
    time_parameters: ClassVar[frozenset[str]] = frozenset({"alpha"})
    # How often one may have dropped out, beyond once per repeat purchase.
    chances_at_first_purchase: ClassVar[int]

    @classmethod
    def terms(cls, parameters: Floats, histories: Histories) -> tuple[Floats, Floats]:
        """Log-likelihoods, shape (m,), and derivatives by the parameters, shape (4, m).

        The likelihood is the sum of two cases: alive at T, or dropped out at the last purchase.
        Each derivative is the mean of those of the two cases, weighted by their probabilities.
        """
        r, alpha, a, b = map(float, parameters)
        chances = cls.chances_at_first_purchase
        rising_r, by_r = rising_terms(r, histories)
        survival, by_b = rising_terms(b, histories, chances)
        all_ways, by_both = rising_terms(a + b, histories, chances)
        x = histories.frequency
        alive, alive_by_r, alive_by_alpha = pace_terms(r, alpha, x, histories.age)
        _, dead_by_r, dead_by_alpha = pace_terms(r, alpha, x, histories.recency)
        # Either derivative by r is less the logarithm of 1 + t / α, at T and at t_x.
        log_odds, last_chance = cls._log_odds_dropped_out(r, a, b, x, dead_by_r - alive_by_r)
        is_dead, is_alive = special.expit(log_odds), special.expit(-log_odds)
        value = rising_r + survival - all_ways + alive + np.logaddexp(0, log_odds)
        gradient = np.stack(
            [
                by_r + is_alive * alive_by_r + is_dead * dead_by_r,
                is_alive * alive_by_alpha + is_dead * dead_by_alpha,
                is_dead / a - by_both,
                by_b - by_both - is_dead / last_chance,
            ]
        )
        return value, gradient

    @classmethod
    def _log_odds_dropped_out(
        cls, r: float, a: float, b: float, frequency: Floats, log_silence: Floats
    ) -> tuple[Floats, Floats]:
        """The log odds of having dropped out, and b + the number of chances survived for sure.

        The first is -inf where there was no chance, and the second then 1, for no use.
        ``log_silence`` is the logarithm of (α + T) / (α + t_x).
        """
        chances = frequency + cls.chances_at_first_purchase
        last_chance = np.where(chances > 0, b + chances - 1, 1.0)
        log_odds = np.log(a / last_chance) + (r + frequency) * log_silence
        return np.where(chances > 0, log_odds, -np.inf), last_chance

    @classmethod
    def _starts(cls, r: float, alpha: float) -> Sequence[Sequence[float]]:
        return [(r, alpha, 1.0, 2.0)]

    def _alive(self, histories: Histories) -> Floats:
        r, alpha, a, b = map(float, self._values)
        silence = np.log1p((histories.age - histories.recency) / (alpha + histories.recency))
        log_odds, _ = self._log_odds_dropped_out(r, a, b, histories.frequency, silence)
        return np.asarray(special.expit(-log_odds))

    def _expected_if_alive(self, horizon: Floats, frequency: Floats, age: Floats) -> Floats:
        """E[(1 - exp(-λ p t)) / p], λ and p given the history, over λ in closed form.

        That is E[(1 - (1 + p t / (α + T))^-(r + x)) / p] over p ~ Beta(a, b + chances), which
        the papers write as (a + b + x - 1) / (a - 1) times 1 less a hypergeometric function.
        """
        r, alpha, a, b = map(float, self._values)
        positions, frequencies = pd.factorize(frequency, sort=True)
        p, weights = beta_rule(a, b + frequencies + self.chances_at_first_purchase)
        p, weights = p[positions], weights[positions]
        share = (horizon / (alpha + age))[:, None]
        none = np.log1p(p * share) * -(r + frequency)[:, None]
        return np.asarray((weights * (-np.expm1(none) / p)).sum(axis=1))

    def _order_probability_if_alive(
        self, horizon: Floats, frequency: Floats, age: Floats
    ) -> Floats:
        """1 - E[exp(-λ t)]: whether there is a next order doesn't depend on what follows it."""
        r, alpha, _, _ = map(float, self._values)
        return np.asarray(-np.expm1(-(r + frequency) * np.log1p(horizon / (alpha + age))))


@dataclass(frozen=True)
class BgNbd(BetaGeometricNbd):
    """The BG/NBD model: no dropout at the first purchase.

    >>> fitted = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}
    >>> model = BgNbd(fitted, log_likelihood=-9582.4, customers=2357)
    >>> print(model.expected_orders(39, frequency=2, recency=30.43, age=38.86).round(2))
    [1.23]
    """

    name: ClassVar[str] = "bg_nbd"
    chances_at_first_purchase: ClassVar[int] = 0


@dataclass(frozen=True)
class MbgNbd(BetaGeometricNbd):
    """The MBG/NBD model: dropout from the first purchase on."""

    name: ClassVar[str] = "mbg_nbd"
    chances_at_first_purchase: ClassVar[int] = 1
