"""The weighted combination of several candidates (stacking; Wolpert, 1992; Breiman, 1996).

Each member learns from earlier windows and predicts later ones, time-ordered; the weights are
those that are best there, none below 0 and adding up to 1, so that a combination is never further
out than its members. Then every member learns once more from all examples. Log odds are averaged
for probabilities, and logarithms for amounts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import optimize, special

from customer_value.candidates import targets
from customer_value.candidates.candidate import Candidate
from customer_value.candidates.fitted_score import LARGEST_LOGARITHM, OK, FittedScore
from customer_value.candidates.folds import folds
from customer_value.candidates.learning import CHURN, SPEND
from customer_value.candidates.scores.columns import number
from customer_value.candidates.scores.formula import LEAST_AMOUNT

Floats = NDArray[np.float64]

# How much equal weights are preferred, in the loss that weights may gain: a hair's breadth on the
# folds is no reason to drop a member.
EVENNESS = 0.002
LEAST_PROBABILITY = 1e-12


@dataclass(frozen=True)
class FittedCombination:
    """Fitted members and their weights.

    Attributes:
        target: churn, spend or high_value.
        members: weight and fitted member.
        health: ``ok``, or what keeps the weights from being trusted.
        fallback: what took their place, or None.
    """

    kind: ClassVar[str] = "combination"

    target: str
    members: Sequence[tuple[float, FittedScore]]
    health: str = OK
    fallback: str | None = None

    def predict(self, examples: pd.DataFrame) -> Floats:
        """The weighted mean on the scale of log odds or logarithms, taken back."""
        total = np.zeros(len(examples))
        for weight, member in self.members:
            total += weight * transformed(self.target, member.predict(examples))
        return np.exp(total) if self.target == SPEND else np.asarray(special.expit(total))

    def predictor_sql(self) -> str | None:
        """The weighted sum of the members' own, where every one has SQL."""
        terms = []
        for weight, member in self.members:
            expression = member.predictor_sql()
            if expression is None:
                return None
            if self.target == SPEND:
                bounded = f"greatest({expression}, ln({number(LEAST_AMOUNT)}))"
            else:
                limit = number(LARGEST_LOGARITHM)
                bounded = f"least(greatest({expression}, -{limit}), {limit})"
            terms.append(f"{number(weight)} * {bounded}")
        return " + ".join(terms)

    def to_dict(self) -> dict[str, Any]:
        """Weights and members."""
        return {
            "kind": self.kind,
            "target": self.target,
            "members": [
                {"weight": float(weight), "fitted": member.to_dict()}
                for weight, member in self.members
            ],
            "health": self.health,
            "fallback": self.fallback,
        }

    @classmethod
    def from_dict(cls, fitted: Mapping[str, Any]) -> Self:
        """What to_dict told of."""
        return cls(
            str(fitted["target"]),
            [
                (float(member["weight"]), FittedScore.from_dict(member["fitted"]))
                for member in fitted["members"]
            ],
            str(fitted["health"]),
            None if fitted["fallback"] is None else str(fitted["fallback"]),
        )


class Combination:
    """Weighs members by how well each predicts later windows."""

    name: ClassVar[str] = "combination"
    is_naive: ClassVar[bool] = False

    def __init__(self, target: str, members: Mapping[str, Candidate], *sets: Sequence[str]) -> None:
        """Members by name, and the sets of them that may be tried, the default first."""
        self.target = target
        self.members = members
        self.settings: Sequence[Mapping[str, Any]] = [{"members": list(names)} for names in sets]

    def fit(
        self, examples: pd.DataFrame, run: Mapping[str, Any], **setting: Any
    ) -> FittedCombination:
        """Weigh on inner folds, then fit all members on all examples."""
        names: Sequence[str] = setting.get("members", self.settings[0]["members"])
        weights, health = self._weights(examples, run, names)
        fitted = [self.members[name].fit(examples, run) for name in names]
        members = [
            (float(weight), member)
            for weight, member in zip(weights, fitted, strict=True)
            if weight > 0 and isinstance(member, FittedScore)
        ]
        # A member that could not learn answers by its fallback, and so then does the whole.
        sick = [member for _, member in members if member.fallback]
        if len(sick) == len(members):
            return FittedCombination(self.target, members, sick[0].health, sick[0].fallback)
        return FittedCombination(
            self.target, members, health, None if health == OK else "equal_weights"
        )

    def _weights(
        self, examples: pd.DataFrame, run: Mapping[str, Any], names: Sequence[str]
    ) -> tuple[Floats, str]:
        equal = np.full(len(names), 1 / len(names))
        predicted, actual = [], []
        for fold in folds(examples):
            members = [self.members[name].fit(fold.earlier, run) for name in names]
            later = fold.with_chances(run) if self.target == SPEND else fold.later
            predicted.append(
                np.column_stack(
                    [transformed(self.target, member.predict(later)) for member in members]
                )
            )
            actual.append(self._actual(fold.later))
        if not actual:
            return equal, "too_few_examples"
        return best_weights(self.target, np.vstack(predicted), np.concatenate(actual)), OK

    def _actual(self, examples: pd.DataFrame) -> Floats:
        if self.target == SPEND:
            return targets.net_amount(examples)
        is_event = (
            targets.is_churned(examples)
            if self.target == CHURN
            else targets.is_high_value(examples)
        )
        return is_event.astype(np.float64)


def transformed(target: str, predicted: Floats) -> Floats:
    """Log odds of probabilities, logarithms of amounts, kept finite."""
    if target == SPEND:
        return np.asarray(np.log(np.maximum(predicted, LEAST_AMOUNT)))
    return np.asarray(np.clip(special.logit(predicted), -LARGEST_LOGARITHM, LARGEST_LOGARITHM))


def best_weights(target: str, predicted: Floats, actual: Floats) -> Floats:
    """Weights from 0 that add up to 1 and have the least loss, evenly drawn to each other.

    The loss is log loss for probabilities. For amounts it is Poisson deviance, over its value at
    equal weights: unlike squared error it isn't one large customer's alone.

    Args:
        target: churn, spend or high_value.
        predicted: on the scale that is averaged, shape (rows, members).
        actual: 0 or 1, or the amount, shape (rows,).
    """
    count = predicted.shape[1]
    equal = np.full(count, 1 / count)

    def loss(weights: Floats) -> float:
        total = predicted @ weights
        if target != SPEND:
            return float(np.mean(np.logaddexp(0, total) - actual * total))
        amount = np.exp(total)
        positive = actual > 0
        deviance = amount - actual
        deviance[positive] += actual[positive] * (np.log(actual[positive]) - total[positive])
        return float(np.mean(deviance))

    unit = max(loss(equal), 1e-12)

    def objective(weights: Floats) -> float:
        uneven = float(((weights - equal) ** 2).sum())
        return float(loss(weights) / unit + EVENNESS * count * uneven)

    found = optimize.minimize(
        objective,
        equal,
        method="SLSQP",
        bounds=[(0.0, 1.0)] * count,
        constraints=[{"type": "eq", "fun": lambda weights: weights.sum() - 1}],
        options={"maxiter": 200, "ftol": 1e-10},
    )
    if not found.success or not np.isfinite(found.x).all():
        return equal
    # Weights are shares: a thousandth is as good as none, and nothing is below 0.
    weights = np.where(found.x < 1e-3, 0.0, found.x)
    return np.asarray(np.round(weights / weights.sum(), 6))
