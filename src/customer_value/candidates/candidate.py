"""What every candidate has in common, so that a backtest can try one like another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Fitted(Protocol):
    """A candidate that has learnt. It predicts, and it can be written down as JSON."""

    @property
    def health(self) -> str:
        """``ok``, or the name of what keeps the fit from being trusted."""

    @property
    def fallback(self) -> str | None:
        """The simpler model that answers in its place, or None where it answers itself."""

    def predict(self, examples: pd.DataFrame) -> Floats:
        """One value per example, looking ``exp(log_horizon)`` days ahead.

        Args:
            examples: columns of customer_features and ``log_horizon``; for spend also
                ``order_probability``, the chance of at least one order within the horizon.

        Returns:
            churn: P(no order within the horizon). spend: E[net amount within the horizon] in
            currency, whether or not there is an order. high_value: P(net amount within the horizon
            among the top tenth).
        """

    def predictor_sql(self) -> str | None:
        """The same as an expression over the same columns, or None where SQL can't say it exactly.

        Probabilities as log odds, spend as its logarithm.
        """

    def to_dict(self) -> dict[str, Any]:
        """All that predict needs, in types that JSON has."""

    @classmethod
    def from_dict(cls, fitted: Mapping[str, Any]) -> Self:
        """What to_dict told of; nothing in it is run as code."""


class Candidate(Protocol):
    """A way to learn a target from training examples.

    Attributes:
        name: its key in the registry.
        target: ``churn``, ``spend`` or ``high_value``.
        is_naive: whether it is one of those that a champion has to beat.
        settings: what tuning may try, as keyword arguments of fit; the first is the default.
    """

    @property
    def name(self) -> str:
        """Such as ``logistic``."""

    @property
    def target(self) -> str:
        """``churn``, ``spend`` or ``high_value``."""

    @property
    def is_naive(self) -> bool:
        """Whether a champion has to beat it."""

    @property
    def settings(self) -> Sequence[Mapping[str, Any]]:
        """The first is the default."""

    def fit(self, examples: pd.DataFrame, run: Mapping[str, Any], **setting: Any) -> Fitted:
        """Learn from training_examples, rows in the order of their key.

        Args:
            examples: rows of training_examples, for spend with ``order_probability`` beside them.
            run: what the run was asked for: churn_window_days, random_seed, history_days.
            setting: one of ``settings``.
        """
