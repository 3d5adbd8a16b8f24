"""Churn of subscribers by the shifted beta-geometric model, where data show subscriptions.

The model speaks of customers who renew at fixed intervals and can leave only then. What tells them
from others is how regular they are: random buyers have gaps about as variable as they are long,
subscribers have gaps of one length. So it applies where most customers with at least three
purchase days keep their gap within a quarter of its length; anywhere else, health is
``no_contracts`` and the base rate answers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from customer_value.btyd import ShiftedBetaGeometric
from customer_value.candidates.buy_till_you_die import latest
from customer_value.candidates.fitted_score import LOG_ODDS, FittedScore
from customer_value.candidates.learning import CHURN, Flags, ProbabilityCandidate, base_rate
from customer_value.candidates.scores.renewal import MISSED, Renewal, gaps
from customer_value.candidates.scores.score import Score

# Who tells: customers with as many purchase days, so that there are two gaps to compare.
LEAST_PURCHASES = 3
LARGEST_VARIATION = 0.25
LEAST_REGULAR_SHARE = 0.5
LEAST_CUSTOMERS = 30
# So many renewals in mind, a constant retention is a Beta distribution without spread.
NO_SPREAD = 1e9


class ShiftedBetaGeometricChurn(ProbabilityCandidate):
    """Whether the next renewal is the one that does not come."""

    name = "shifted_beta_geometric"

    def learn(
        self, examples: pd.DataFrame, is_event: Flags, run: Mapping[str, Any], **setting: Any
    ) -> Score | FittedScore:
        """Count renewals and losses by how many came before, and fit by maximum likelihood."""
        customers = latest(examples)
        usual_gap = contract_days(customers)
        if usual_gap is None:
            return base_rate(examples, is_event, run, CHURN, "no_contracts")
        model = ShiftedBetaGeometric.fit(*_cohorts(customers, usual_gap))
        alpha, beta = model.parameters["alpha"], model.parameters["beta"]
        if model.fallback is not None:
            lost, kept = _renewals(customers, usual_gap)
            share = (lost + 1) / (lost + kept + 2)
            alpha, beta = share * NO_SPREAD, (1 - share) * NO_SPREAD
        state = Renewal(alpha, beta, usual_gap).states(examples)
        learnt = Renewal(
            alpha,
            beta,
            usual_gap,
            **{name: _log_odds(is_event[state == name]) for name in ("waiting", "late", "missed")},
        )
        return FittedScore(LOG_ODDS, learnt, model.health, model.fallback)


def contract_days(customers: pd.DataFrame) -> float | None:
    """The usual gap of a shop whose customers are regular, or None where most are not.

    Args:
        customers: one row of customer_features for each.
    """
    known = customers[customers["purchase_day_count"] >= LEAST_PURCHASES]
    if len(known) < LEAST_CUSTOMERS:
        return None
    gap = known["average_days_between_purchases"].to_numpy(dtype=np.float64)
    deviation = known["deviation_of_days_between_purchases"].to_numpy(dtype=np.float64)
    is_regular = deviation <= LARGEST_VARIATION * gap
    return float(np.median(gap[is_regular])) if is_regular.mean() >= LEAST_REGULAR_SHARE else None


def _is_lost(customers: pd.DataFrame, usual_gap: float) -> Flags:
    recency = customers["recency_days"].to_numpy(dtype=np.float64)
    return np.asarray(recency > MISSED * gaps(customers, usual_gap))


def _cohorts(customers: pd.DataFrame, usual_gap: float) -> list[list[int]]:
    """Survivors: those with as many renewals who have left, and those who may go on."""
    is_lost = _is_lost(customers, usual_gap)
    renewals = customers["purchase_day_count"].to_numpy(dtype=np.int64) - 1
    cohorts = []
    for made in np.unique(renewals):
        left = int(((renewals == made) & is_lost).sum())
        stayed = int(((renewals == made) & ~is_lost).sum())
        if left:
            cohorts.append([left] * (int(made) + 1) + [0])
        # Who has made no renewal yet and may still make it tells nothing.
        if stayed and made:
            cohorts.append([stayed] * (int(made) + 1))
    return cohorts


def _renewals(customers: pd.DataFrame, usual_gap: float) -> tuple[float, float]:
    """How many renewals did not come, and how many did."""
    made = customers["purchase_day_count"].to_numpy(dtype=np.float64) - 1
    return float(_is_lost(customers, usual_gap).sum()), float(made.sum())


def _log_odds(is_event: Flags) -> float:
    """Of the share of events, one of each kind added."""
    return math.log((is_event.sum() + 1) / ((~is_event).sum() + 1))
