"""The models that may be champion, one file each, and the registry that lists them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from customer_value.candidates.boosted_linear import BoostedGamma, BoostedLogistic
from customer_value.candidates.buy_till_you_die import BuyTillYouDie, BuyTillYouDieSpend
from customer_value.candidates.candidate import Candidate, Fitted
from customer_value.candidates.combination import Combination, FittedCombination
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
from customer_value.candidates.shifted_beta_geometric import ShiftedBetaGeometricChurn
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
    ShiftedBetaGeometricChurn(),
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
# What is combined, the default first. Models that err differently gain most by each other, as a
# regression and a buy-till-you-die model do; with one that has no SQL, all is scored in batches.
_COMBINED: dict[str, tuple[tuple[str, ...], ...]] = {
    CHURN: (
        ("logistic", "boosted_logistic", "spline_logistic", "mbg_nbd"),
        ("logistic", "boosted_logistic", "pareto_nbd"),
    ),
    SPEND: (
        ("gamma", "spline_gamma", "gradient_boosting", "pareto_nbd"),
        ("gamma", "spline_gamma", "gradient_boosting", "linear_svm"),
    ),
    HIGH_VALUE: (("logistic", "boosted_logistic", "gradient_boosting"),),
}
for _target, _sets in _COMBINED.items():
    CANDIDATES[_target]["combination"] = Combination(_target, dict(CANDIDATES[_target]), *_sets)


def fitted_from(told: Mapping[str, Any]) -> Fitted:
    """The fitted candidate that a to_dict told of, whichever it was."""
    if told["kind"] == FittedCombination.kind:
        return FittedCombination.from_dict(told)
    return FittedScore.from_dict(told)


__all__ = ["CANDIDATES", "CHURN", "HIGH_VALUE", "SPEND", "Candidate", "Fitted", "fitted_from"]
