"""BG/NBD, MBG/NBD and Pareto/NBD as candidates; spend by Gamma-Gamma beside them.

They are fitted on each customer's latest history among the examples. Fits that the data don't
identify are named, and the fallback that the model itself names takes over.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from customer_value.btyd import COUNTING_MODELS, GammaGamma, Nbd
from customer_value.btyd.counting_model import CountingFit
from customer_value.candidates.fitted_score import LOG_AMOUNT, LOG_ODDS, OK, FittedScore
from customer_value.candidates.learning import (
    Flags,
    ProbabilityCandidate,
    SpendCandidate,
    base_rate,
    personal_baseline,
)
from customer_value.candidates.scores.counting import (
    ExpectedValue,
    NoOrder,
    amounts_of,
    histories_of,
)
from customer_value.candidates.scores.formula import Formula

Floats = NDArray[np.float64]


def latest(examples: pd.DataFrame) -> pd.DataFrame:
    """Each customer as last seen: one observation each, as long as there is."""
    return examples.sort_values(["customer_id", "as_of_date", "horizon_days"]).drop_duplicates(
        "customer_id", keep="last"
    )


def sound_model(name: str, customers: pd.DataFrame) -> tuple[CountingFit | None, str, str | None]:
    """The model fitted, or what takes its place.

    Returns:
        A model to answer with, or None where none is sound; the health of the fit that was asked
        for; and the name of what took over, or None.
    """
    histories = histories_of(customers)
    model = COUNTING_MODELS[name].fit(*histories)
    if model.health == OK:
        return model, OK, None
    if model.fallback == "prior":
        return COUNTING_MODELS[name].fit(*histories, prior_scale=1.0), model.health, "prior"
    if model.fallback == "nbd":
        without_dropout = Nbd.fit(*histories)
        # Without any spread of paces that has no maximum either; the prior settles it.
        if without_dropout.health != OK:
            without_dropout = Nbd.fit(*histories, prior_scale=1.0)
        return without_dropout, model.health, "nbd"
    return None, model.health, model.fallback


class BuyTillYouDie(ProbabilityCandidate):
    """The probability of no order by one of the counting models."""

    def __init__(self, name: str) -> None:
        """By its name among btyd.COUNTING_MODELS."""
        super().__init__()
        self.name = name

    def learn(
        self,
        examples: pd.DataFrame,
        is_event: Flags,
        run: Mapping[str, Any],
        **setting: Any,
    ) -> FittedScore:
        """Fit by maximum likelihood; see sound_model."""
        model, health, fallback = sound_model(self.name, latest(examples))
        if model is not None:
            return FittedScore(LOG_ODDS, NoOrder(model), health, fallback)
        if fallback == "own_rate":
            return FittedScore(LOG_ODDS, Formula("no_order_at_own_pace"), health, fallback)
        return base_rate(examples, is_event, run, self.target, health)


class BuyTillYouDieSpend(SpendCandidate):
    """Expected orders by one of the counting models, times the expected amount of one."""

    meaning = LOG_AMOUNT

    def __init__(self, name: str) -> None:
        """By its name among btyd.COUNTING_MODELS."""
        self.name = name

    def learn(
        self,
        examples: pd.DataFrame,
        run: Mapping[str, Any],
        **setting: Any,
    ) -> FittedScore:
        """Gamma-Gamma is fitted on repeat buyers, by the mean over all their purchase days."""
        customers = latest(examples)
        model, health, fallback = sound_model(self.name, customers)
        if model is None:
            return personal_baseline(health)
        amounts, amounts_health = sound_amounts(customers)
        purchases, mean = amounts_of(customers)
        mean_amount = float(purchases @ mean / max(purchases.sum(), 1.0))
        if health == OK and amounts is None:
            health, fallback = f"amounts_{amounts_health}", "mean_amount"
        return FittedScore(LOG_AMOUNT, ExpectedValue(model, amounts, mean_amount), health, fallback)


def sound_amounts(customers: pd.DataFrame) -> tuple[GammaGamma | None, str]:
    """Gamma-Gamma of the repeat buyers and its health; None where their mean has to do."""
    purchases, mean = amounts_of(customers)
    is_repeat = purchases > 1
    if not is_repeat.any():
        return None, "too_few_repeat_buyers"
    model = GammaGamma.fit(purchases[is_repeat], mean[is_repeat])
    if model.fallback == "prior":
        again = GammaGamma.fit(purchases[is_repeat], mean[is_repeat], prior_scale=1.0)
        return (None if again.fallback == "mean" else again), model.health
    return (None if model.fallback else model), model.health
