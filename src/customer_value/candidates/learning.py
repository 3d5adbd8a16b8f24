"""What candidates of one target share: when examples are too few, and what answers then.

A candidate is one small class that says how a function of one example is learnt. All else is
here: the health of the examples, the named fallback, and what the function means.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from customer_value import churn, spend
from customer_value.candidates import targets
from customer_value.candidates.fitted_score import (
    LOG_AMOUNT,
    LOG_ODDS,
    LOG_RATIO,
    LOG_RATIO_IF_ANY,
    OK,
    FittedScore,
)
from customer_value.candidates.scores.columns import LOG_HORIZON
from customer_value.candidates.scores.linear import Linear
from customer_value.candidates.scores.score import Score

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Setting = Mapping[str, Any]

CHURN = "churn"
SPEND = "spend"
HIGH_VALUE = "high_value"


class ProbabilityCandidate(ABC):
    """Learns the log odds of churn, or of being among the top tenth."""

    name: str
    is_naive: ClassVar[bool] = False
    settings: ClassVar[Sequence[Setting]] = ({},)
    # Groups of features that the setting ``without`` may name, for those who can do without.
    feature_groups: ClassVar[Mapping[str, Sequence[str]]] = {}

    def __init__(self, target: str = CHURN) -> None:
        """For one of the two targets."""
        self.target = target

    def fit(self, examples: pd.DataFrame, run: Mapping[str, Any], **setting: Any) -> FittedScore:
        """Learn it, or let the base rate answer where either kind is too rare to tell."""
        if self.target == HIGH_VALUE and len(examples):
            examples = examples[targets.with_enough_buyers(examples)]
        is_event = self.outcome(examples)
        rarer = int(min(is_event.sum(), (~is_event).sum()))
        if rarer < churn.MINIMUM_OF_EACH_KIND:
            health = (
                "too_few_examples" if rarer else "one_class" if len(examples) else "no_examples"
            )
            return base_rate(examples, is_event, run, self.target, health)
        learnt = self.learn(examples, is_event, run, **dict(self.settings[0]) | setting)
        return learnt if isinstance(learnt, FittedScore) else FittedScore(LOG_ODDS, learnt)

    def outcome(self, examples: pd.DataFrame) -> Flags:
        """What happened."""
        is_churn = self.target == CHURN
        return targets.is_churned(examples) if is_churn else targets.is_high_value(examples)

    @abstractmethod
    def learn(
        self,
        examples: pd.DataFrame,
        is_event: Flags,
        run: Mapping[str, Any],
        **setting: Any,
    ) -> Score | FittedScore:
        """Log odds as a function of one example, learnt from enough of both kinds.

        Beside its health where that may be more than what the examples have.
        """


class SpendCandidate(ABC):
    """Learns an amount, or its ratio to the personal baseline."""

    name: str
    target: ClassVar[str] = SPEND
    is_naive: ClassVar[bool] = False
    settings: ClassVar[Sequence[Setting]] = ({},)
    # Groups of features that the setting ``without`` may name, for those who can do without.
    feature_groups: ClassVar[Mapping[str, Sequence[str]]] = {}
    # LOG_AMOUNT, LOG_RATIO, or LOG_RATIO_IF_ANY.
    meaning: ClassVar[str]

    def fit(self, examples: pd.DataFrame, run: Mapping[str, Any], **setting: Any) -> FittedScore:
        """Learn it, or let the personal baseline answer where orders are too few."""
        if (
            int((~targets.is_churned(examples)).sum()) < spend.MINIMUM_ACTIVE
            or not (targets.net_amount(examples) > 0).any()
        ):
            health = "too_few_examples" if len(examples) else "no_examples"
            return personal_baseline(health)
        learnt = self.learn(examples, run, **dict(self.settings[0]) | setting)
        return learnt if isinstance(learnt, FittedScore) else FittedScore(self.meaning, learnt)

    @abstractmethod
    def learn(
        self,
        examples: pd.DataFrame,
        run: Mapping[str, Any],
        **setting: Any,
    ) -> Score | FittedScore:
        """The logarithm of what ``meaning`` says as a function of one example.

        Beside its health where that may be more than what the examples have.
        """


class RatioCandidate(SpendCandidate):
    """Learns the ratio to the personal baseline given an order, in two parts with churn."""

    meaning = LOG_RATIO_IF_ANY

    def learn(self, examples: pd.DataFrame, run: Mapping[str, Any], **setting: Any) -> Score:
        """Learn from the examples with an order."""
        return self.learn_ratio(targets.ratio_if_any(examples), run, **setting)

    @abstractmethod
    def learn_ratio(
        self,
        target: targets.RatioTarget,
        run: Mapping[str, Any],
        **setting: Any,
    ) -> Score:
        """The logarithm of the ratio itself, scale included."""


def base_rate(
    examples: pd.DataFrame, is_event: Flags, run: Mapping[str, Any], target: str, health: str
) -> FittedScore:
    """The share of events, one of each kind added.

    The odds of an order grow in proportion to the horizon, as they do for rare orders at a steady
    pace; a place among the top tenth doesn't depend on it.
    """
    events, others = int(is_event.sum()), int((~is_event).sum())
    if target == HIGH_VALUE:
        share = (events + targets.TOP_SHARE) / (events + others + 1)
        return FittedScore(LOG_ODDS, Linear(math.log(share / (1 - share))), health, "base_rate")
    horizon = math.exp(examples[LOG_HORIZON].mean()) if len(examples) else run["churn_window_days"]
    intercept = math.log((events + 1) / (others + 1)) + math.log(horizon)
    return FittedScore(LOG_ODDS, Linear(intercept, {LOG_HORIZON: -1.0}), health, "base_rate")


def personal_baseline(health: str) -> FittedScore:
    """The customer's own baseline, times the chance of an order."""
    return FittedScore(LOG_RATIO_IF_ANY, Linear(0.0), health, "personal_baseline")


__all__ = [
    "CHURN",
    "HIGH_VALUE",
    "LOG_AMOUNT",
    "LOG_ODDS",
    "LOG_RATIO",
    "LOG_RATIO_IF_ANY",
    "OK",
    "SPEND",
    "ProbabilityCandidate",
    "RatioCandidate",
    "SpendCandidate",
    "base_rate",
    "personal_baseline",
]
