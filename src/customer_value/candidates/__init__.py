"""The models that may be champion, one file each, and the registry that lists them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from customer_value.candidates.boosted_linear import BoostedGamma, BoostedLogistic
from customer_value.candidates.buy_till_you_die import BuyTillYouDie, BuyTillYouDieSpend
from customer_value.candidates.candidate import Candidate, Fitted
from customer_value.candidates.elastic_net import ElasticNetGamma, ElasticNetLogistic
from customer_value.candidates.fitted_score import FittedScore
from customer_value.candidates.forest import (
    DecisionTree,
    DecisionTreeSpend,
    RandomForest,
    RandomForestSpend,
)
from customer_value.candidates.gamma import Gamma
from customer_value.candidates.gradient_boosting import GradientBoosting, GradientBoostingSpend
from customer_value.candidates.learning import CHURN, HIGH_VALUE, SPEND
from customer_value.candidates.logistic import Logistic
from customer_value.candidates.naive import (
    BaseRate,
    LastWindowSpend,
    MeanSpend,
    OwnRate,
    OwnRateSpend,
    Persistence,
    RecencyFifths,
    SpendTenths,
)
from customer_value.candidates.neural_network import NeuralNetwork, NeuralNetworkSpend
from customer_value.candidates.spline import SplineGamma, SplineLogistic
from customer_value.candidates.support_vectors import KernelSvm, KernelSvr, LinearSvm, LinearSvr
from customer_value.candidates.tweedie import Tweedie

_COUNTING = ("bg_nbd", "mbg_nbd", "pareto_nbd")

_ALL: list[Candidate] = [
    # churn
    Logistic(),
    SplineLogistic(),
    ElasticNetLogistic(),
    BoostedLogistic(),
    GradientBoosting(),
    DecisionTree(),
    RandomForest(),
    LinearSvm(),
    KernelSvm(),
    NeuralNetwork(),
    *(BuyTillYouDie(name) for name in _COUNTING),
    BaseRate(),
    OwnRate(),
    Persistence(),
    RecencyFifths(),
    # spend
    Gamma(),
    SplineGamma(),
    ElasticNetGamma(),
    Tweedie(),
    BoostedGamma(),
    GradientBoostingSpend(),
    DecisionTreeSpend(),
    RandomForestSpend(),
    LinearSvr(),
    KernelSvr(),
    NeuralNetworkSpend(),
    *(BuyTillYouDieSpend(name) for name in _COUNTING),
    OwnRateSpend(),
    LastWindowSpend(),
    MeanSpend(),
    # high_value
    Logistic(HIGH_VALUE),
    BoostedLogistic(HIGH_VALUE),
    GradientBoosting(HIGH_VALUE),
    BaseRate(HIGH_VALUE),
    SpendTenths(HIGH_VALUE),
]

# Target to name to candidate.
CANDIDATES: dict[str, dict[str, Candidate]] = {
    target: {candidate.name: candidate for candidate in _ALL if candidate.target == target}
    for target in (CHURN, SPEND, HIGH_VALUE)
}


def fitted_from(told: Mapping[str, Any]) -> Fitted:
    """The fitted candidate that a to_dict told of, whichever it was."""
    return FittedScore.from_dict(told)


__all__ = ["CANDIDATES", "CHURN", "HIGH_VALUE", "SPEND", "Candidate", "Fitted", "fitted_from"]
