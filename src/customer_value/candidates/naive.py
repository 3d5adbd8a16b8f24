"""The simple forecasts that a champion has to beat."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from customer_value.candidates import targets
from customer_value.candidates.learning import (
    HIGH_VALUE,
    LOG_AMOUNT,
    Flags,
    ProbabilityCandidate,
    SpendCandidate,
)
from customer_value.candidates.scores import columns
from customer_value.candidates.scores.blend import Blend
from customer_value.candidates.scores.formula import LEAST_AMOUNT, Formula
from customer_value.candidates.scores.linear import Linear
from customer_value.candidates.scores.trees import Trees, of_grid

Floats = NDArray[np.float64]

# A penalty as good as none, which keeps shares of 0 and 1 finite.
NO_PENALTY = 1e4


class BaseRate(ProbabilityCandidate):
    """The share of events, its log odds affine in the log horizon."""

    name = "base_rate"
    is_naive = True

    def learn(
        self, examples: pd.DataFrame, is_event: Flags, run: Mapping[str, Any], **setting: Any
    ) -> Linear:
        """A logistic regression on the log horizon alone."""
        if self.target == HIGH_VALUE:
            share = float(is_event.mean())
            return Linear(math.log(share / (1 - share)))
        horizon = columns.values_of(examples, [columns.LOG_HORIZON])
        center = float(horizon.mean())
        model = LogisticRegression(C=NO_PENALTY).fit(horizon - center, is_event)
        slope = float(model.coef_[0, 0])
        return Linear(float(model.intercept_[0]) - slope * center, {columns.LOG_HORIZON: slope})


class OwnRate(ProbabilityCandidate):
    """Orders as a Poisson process at the customer's own pace, as it was so far."""

    name = "own_rate"
    is_naive = True

    def learn(
        self, examples: pd.DataFrame, is_event: Flags, run: Mapping[str, Any], **setting: Any
    ) -> Formula:
        """Nothing is learnt."""
        return Formula("no_order_at_own_pace")


class Persistence(ProbabilityCandidate):
    """Who was silent for as long as the horizon will stay so: as often as it came true."""

    name = "persistence"
    is_naive = True

    def learn(
        self, examples: pd.DataFrame, is_event: Flags, run: Mapping[str, Any], **setting: Any
    ) -> Trees:
        """Two shares: after a silence of the horizon's length, and after an order within it."""
        # A silence of r days is ln(1 + r), above ln(h) from r = h on.
        return _shares([columns.LOG_RECENCY_TO_HORIZON], [np.array([1e-9])], examples, is_event)


class RecencyFifths(ProbabilityCandidate):
    """The share of events in each fifth by days since the last order."""

    name = "recency_fifths"
    is_naive = True

    def learn(
        self, examples: pd.DataFrame, is_event: Flags, run: Mapping[str, Any], **setting: Any
    ) -> Blend:
        """Log odds by fifth, and how they fall with the logarithm of the horizon."""
        recency = columns.values_of(examples, ["recency_days"])
        fifths = np.unique(np.quantile(recency, [0.2, 0.4, 0.6, 0.8]))
        members = np.searchsorted(fifths, recency[:, 0])
        horizon = columns.values_of(examples, [columns.LOG_HORIZON])
        center = float(horizon.mean())
        design = np.hstack([members[:, None] == range(len(fifths) + 1), horizon - center])
        model = LogisticRegression(C=1.0, max_iter=1000).fit(design, is_event)
        slope = float(model.coef_[0, -1])
        linear = Linear(float(model.intercept_[0]) - slope * center, {columns.LOG_HORIZON: slope})
        table = Trees(("recency_days",), 0.0, (of_grid([fifths], model.coef_[0, :-1]),))
        return Blend(0.0, [(1.0, linear), (1.0, table)])


class SpendTenths(ProbabilityCandidate):
    """The share of events in each tenth by what was spent in a day so far."""

    name = "spend_tenths"
    is_naive = True

    def learn(
        self, examples: pd.DataFrame, is_event: Flags, run: Mapping[str, Any], **setting: Any
    ) -> Trees:
        """A table of shares."""
        rate = columns.values_of(examples, [columns.LOG_SPEND_RATE])[:, 0]
        tenths = np.unique(np.quantile(rate, np.linspace(0.1, 0.9, 9)))
        return _shares([columns.LOG_SPEND_RATE], [tenths], examples, is_event)


class SpendRule(SpendCandidate):
    """A formula over the features, in which nothing is to be learnt."""

    is_naive = True
    meaning = LOG_AMOUNT
    formula: ClassVar[str]

    def learn(self, examples: pd.DataFrame, run: Mapping[str, Any], **setting: Any) -> Formula:
        """The formula, whatever the examples."""
        return Formula(self.formula)


class OwnRateSpend(SpendRule):
    """What was spent in a day so far, times the horizon."""

    name = "own_rate"
    formula = "amount_at_own_pace"


class LastWindowSpend(SpendRule):
    """What was spent in the trailing window nearest to the horizon's length, again."""

    name = "persistence"
    formula = "amount_of_last_window"


class MeanSpend(SpendCandidate):
    """The same for every customer: the mean, a power of the horizon."""

    name = "mean"
    is_naive = True
    meaning = LOG_AMOUNT

    def learn(self, examples: pd.DataFrame, run: Mapping[str, Any], **setting: Any) -> Linear:
        """Least squares through the logarithms of the mean at each horizon, by their examples."""
        means = (
            pd.DataFrame(
                {
                    "log_horizon": columns.values_of(examples, [columns.LOG_HORIZON])[:, 0],
                    "amount": targets.net_amount(examples),
                }
            )
            .groupby("log_horizon")["amount"]
            .agg(["mean", "size"])
        )
        horizon = means.index.to_numpy(dtype=np.float64)
        log_mean = np.log(np.maximum(means["mean"].to_numpy(dtype=np.float64), LEAST_AMOUNT))
        if len(horizon) < 2:
            # One horizon tells no slope; a steady pace is then the plainest.
            return Linear(float(log_mean[0] - horizon[0]), {columns.LOG_HORIZON: 1.0})
        weight = np.sqrt(means["size"].to_numpy(dtype=np.float64))
        slope, intercept = np.polyfit(horizon, log_mean, 1, w=weight)
        return Linear(float(intercept), {columns.LOG_HORIZON: float(slope)})


def _shares(
    names: list[str], edges: list[Floats], examples: pd.DataFrame, is_event: Flags
) -> Trees:
    """Log odds of the share of events in each cell; one of each kind is added to every cell."""
    design = columns.values_of(examples, names)
    shape = tuple(len(edge) + 1 for edge in edges)
    cell = np.ravel_multi_index(
        tuple(np.searchsorted(edge, design[:, axis]) for axis, edge in enumerate(edges)), shape
    )
    events = np.bincount(cell, weights=is_event, minlength=math.prod(shape)) + 1
    others = np.bincount(cell, weights=~is_event, minlength=math.prod(shape)) + 1
    log_odds = np.log(events / others).reshape(shape)
    return Trees(tuple(names), 0.0, (of_grid(edges, log_odds),))
