"""Buy-till-you-die models as functions of one example.

Their sufficient statistics are columns of customer_features: purchase days but the first, the days
from the first to the last, and the days since the first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from customer_value.btyd import COUNTING_MODELS, BgNbd, GammaGamma, MbgNbd, Nbd
from customer_value.btyd.counting_model import CountingFit
from customer_value.candidates.scores.columns import LOG_HORIZON, number
from customer_value.candidates.scores.formula import LEAST_AMOUNT

Floats = NDArray[np.float64]

# Nearer to 0 and 1 than this, a double can't tell the odds.
LEAST_PROBABILITY = 1e-15
# The models whose answer is made of logarithms alone.
WRITTEN_IN_SQL = (BgNbd, MbgNbd, Nbd)

_FREQUENCY_SQL = '("purchase_day_count" - 1)'
_AGE_SQL = 'cast("tenure_days" as double)'
_RECENCY_SQL = 'cast("tenure_days" - "recency_days" as double)'


def histories_of(examples: pd.DataFrame) -> tuple[Floats, Floats, Floats]:
    """Frequency, recency and age of each example, in days."""
    frequency = examples["purchase_day_count"].to_numpy(dtype=np.float64) - 1
    age = examples["tenure_days"].to_numpy(dtype=np.float64)
    recency = age - examples["recency_days"].to_numpy(dtype=np.float64)
    return frequency, recency, age


@dataclass(frozen=True)
class NoOrder:
    """The log odds that no order follows within the horizon."""

    kind: ClassVar[str] = "no_order"

    model: CountingFit

    def values(self, examples: pd.DataFrame) -> Floats:
        """1 - P(at least one order | history), as log odds."""
        horizon = np.exp(examples[LOG_HORIZON].to_numpy(dtype=np.float64))
        chance = self.model.probability_of_order(horizon, *histories_of(examples))
        return np.asarray(-special.logit(np.clip(chance, LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)))

    def sql(self) -> str | None:
        """P(alive) P(order | alive), for the models where both are elementary."""
        if not isinstance(self.model, WRITTEN_IN_SQL):
            return None
        named = {name: number(value) for name, value in self.model.parameters.items()}
        shape = f"({named['r']} + {_FREQUENCY_SQL})"
        age = f"({named['alpha']} + {_AGE_SQL})"
        chance = f'(1 - exp(-{shape} * ln(1 + exp("{LOG_HORIZON}") / {age})))'
        if not isinstance(self.model, Nbd):
            silence = f"ln({age} / ({named['alpha']} + {_RECENCY_SQL}))"
            chances = self.model.chances_at_first_purchase
            last = f"({named['b']} + greatest({_FREQUENCY_SQL} + {chances}, 1) - 1)"
            alive = f"1 / (1 + exp(least(ln({named['a']} / {last}) + {shape} * {silence}, 700)))"
            if not chances:
                alive = f"case when {_FREQUENCY_SQL} > 0 then {alive} else 1 end"
            chance = f"{chance} * ({alive})"
        least = number(LEAST_PROBABILITY)
        bounded = f"least(greatest({chance}, {least}), 1 - {least})"
        return f"ln((1 - {bounded}) / {bounded})"

    def to_dict(self) -> dict[str, Any]:
        """The model's parameters."""
        return {"kind": self.kind, "model": self.model.to_dict()}

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """The function that to_dict told of."""
        return cls(model_from(told["model"]))


@dataclass(frozen=True)
class ExpectedValue:
    """The logarithm of expected orders times the expected amount of one.

    Attributes:
        model: of how many orders follow.
        amounts: of what an order is worth, or None where ``mean_amount`` has to do.
        mean_amount: of a purchase day, over all customers, in currency.
    """

    kind: ClassVar[str] = "expected_value"

    model: CountingFit
    amounts: GammaGamma | None
    mean_amount: float

    def values(self, examples: pd.DataFrame) -> Floats:
        """No expectation is elementary here, so there is no SQL for it."""
        horizon = np.exp(examples[LOG_HORIZON].to_numpy(dtype=np.float64))
        orders = self.model.expected_orders(horizon, *histories_of(examples))
        amount = np.full(len(examples), self.mean_amount)
        if self.amounts is not None:
            purchases, mean = amounts_of(examples)
            amount = self.amounts.expected_amount(purchases, mean)
        return np.asarray(np.log(np.maximum(orders * amount, LEAST_AMOUNT)))

    def sql(self) -> None:
        """None: scoring applies ``values`` to batches."""
        return

    def to_dict(self) -> dict[str, Any]:
        """Both models' parameters."""
        return {
            "kind": self.kind,
            "model": self.model.to_dict(),
            "amounts": None if self.amounts is None else self.amounts.to_dict(),
            "mean_amount": float(self.mean_amount),
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """The function that to_dict told of."""
        amounts = told["amounts"]
        return cls(
            model_from(told["model"]),
            None if amounts is None else GammaGamma.from_dict(amounts),
            float(told["mean_amount"]),
        )


def amounts_of(examples: pd.DataFrame) -> tuple[Floats, Floats]:
    """Purchase days and their mean net amount; none where refunds have left nothing."""
    purchases = examples["purchase_day_count"].to_numpy(dtype=np.float64)
    mean = examples["net_amount"].to_numpy(dtype=np.float64) / purchases
    return np.asarray(np.where(mean > 0, purchases, 0.0)), np.maximum(mean, 0.0)


def model_from(told: Mapping[str, Any]) -> CountingFit:
    """The counting model that a to_dict told of, by its name."""
    return COUNTING_MODELS[str(told["model"])].from_dict(told)
