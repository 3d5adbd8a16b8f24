"""NBD: customers buy at paces of their own and never drop out (Ehrenberg, 1959).

The limit of every model here where dropout can't be told from the data, and what then takes
over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from customer_value.btyd.counting_model import (
    CountingFit,
    maximum_without_dropout,
    terms_without_dropout,
)
from customer_value.btyd.fitted_model import MINIMUM_REPEAT_BUYERS, health_of
from customer_value.btyd.histories import Histories
from customer_value.btyd.maximum_likelihood import Maximum

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Nbd(CountingFit):
    """Orders are Poisson with a pace that is Gamma distributed over customers.

    Parameters: r, the shape; alpha, the inverse scale, a time.

    >>> model = Nbd({"r": 0.5, "alpha": 10.0}, log_likelihood=0.0, customers=1.0)
    >>> print(model.expected_orders(10.0, frequency=2, recency=5.0, age=15.0).round(9))
    [1.]
    """

    name: ClassVar[str] = "nbd"
    parameter_names: ClassVar[tuple[str, ...]] = ("r", "alpha")
    time_parameters: ClassVar[frozenset[str]] = frozenset({"alpha"})

    @classmethod
    def _fitted(cls, histories: Histories, prior_scale: float | None) -> tuple[Maximum, str]:
        maximum = maximum_without_dropout(histories, prior_scale)
        if histories.repeat_buyers < MINIMUM_REPEAT_BUYERS:
            return maximum, "too_few_repeat_buyers"
        return maximum, health_of(maximum)

    @classmethod
    def terms(cls, parameters: Floats, histories: Histories) -> tuple[Floats, Floats]:
        """Log-likelihoods, shape (m,), and derivatives by the parameters, shape (2, m)."""
        return terms_without_dropout(parameters, histories)

    @classmethod
    def _starts(cls, r: float, alpha: float) -> Sequence[Sequence[float]]:
        return [(r, alpha)]

    def _alive(self, histories: Histories) -> Floats:
        return np.ones(len(histories.frequency))

    def _expected_if_alive(self, horizon: Floats, frequency: Floats, age: Floats) -> Floats:
        r, alpha = self._values
        return np.asarray((r + frequency) / (alpha + age) * horizon)

    def _order_probability_if_alive(
        self, horizon: Floats, frequency: Floats, age: Floats
    ) -> Floats:
        r, alpha = self._values
        return np.asarray(-np.expm1(-(r + frequency) * np.log1p(horizon / (alpha + age))))
