"""A learnt function and what it stands for: a probability's log odds, or an amount's logarithm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from customer_value import spend
from customer_value.candidates.scores.columns import number
from customer_value.candidates.scores.score import Score
from customer_value.candidates.scores.written import score_from

Floats = NDArray[np.float64]

OK = "ok"

# What the function says: the log odds of the target; the logarithm of the amount; that of its
# ratio to the personal baseline; or that ratio given an order, times the chance of one.
LOG_ODDS = "log_odds"
LOG_AMOUNT = "log_amount"
LOG_RATIO = "log_ratio"
LOG_RATIO_IF_ANY = "log_ratio_if_any"

# exp of it stays finite and above 0 in any currency. Nothing learnt from data comes near.
LARGEST_LOGARITHM = 30.0
LEAST_PROBABILITY = 1e-12


@dataclass(frozen=True)
class FittedScore:
    """A candidate that has learnt a function of one example.

    Attributes:
        meaning: what the function says.
        score: the function.
        health: ``ok``, or what keeps the fit from being trusted.
        fallback: what has taken its place, or None.
    """

    kind: ClassVar[str] = "fitted_score"

    meaning: str
    score: Score
    health: str = OK
    fallback: str | None = None

    def predict(self, examples: pd.DataFrame) -> Floats:
        """Probability or amount of each example, finite whatever the features are."""
        values = self.score.values(examples)
        if self.meaning == LOG_ODDS:
            return np.asarray(special.expit(values))
        amount = np.exp(np.clip(values, -LARGEST_LOGARITHM, LARGEST_LOGARITHM))
        if self.meaning != LOG_AMOUNT:
            amount = amount * spend.baseline(examples)
        if self.meaning == LOG_RATIO_IF_ANY:
            chance = examples["order_probability"].to_numpy(dtype=np.float64)
            amount = amount * np.maximum(chance, LEAST_PROBABILITY)
        return np.asarray(amount)

    def predictor_sql(self) -> str | None:
        """The log odds, or the logarithm of the amount."""
        expression = self.score.sql()
        if expression is None or self.meaning == LOG_ODDS:
            return expression
        limit = number(LARGEST_LOGARITHM)
        terms = [f"least(greatest({expression}, -{limit}), {limit})"]
        if self.meaning != LOG_AMOUNT:
            terms.append(f"ln({spend.BASELINE_SQL})")
        if self.meaning == LOG_RATIO_IF_ANY:
            terms.append(f'ln(greatest("order_probability", {number(LEAST_PROBABILITY)}))')
        return " + ".join(terms)

    def to_dict(self) -> dict[str, Any]:
        """Meaning, function and health."""
        return {
            "kind": self.kind,
            "meaning": self.meaning,
            "score": self.score.to_dict(),
            "health": self.health,
            "fallback": self.fallback,
        }

    @classmethod
    def from_dict(cls, fitted: Mapping[str, Any]) -> Self:
        """What to_dict told of."""
        return cls(
            str(fitted["meaning"]),
            score_from(fitted["score"]),
            str(fitted["health"]),
            None if fitted["fallback"] is None else str(fitted["fallback"]),
        )
