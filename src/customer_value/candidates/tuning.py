"""Tuning and feature selection: which setting of a candidate predicts later windows best.

A bounded search: each candidate lists a handful of settings, and each is fitted on the earlier
part of each time-ordered fold, of a sample of customers. The folds lie within the examples that
are given, so whatever is held out from them stays unseen.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from duckdb import DuckDBPyRelation as Relation
from numpy.typing import NDArray
from scipy import special

from customer_value import backtest, metrics
from customer_value.candidates import CANDIDATES, targets
from customer_value.candidates.candidate import Candidate
from customer_value.candidates.folds import Fold, folds
from customer_value.candidates.learning import CHURN, SPEND
from customer_value.spark_frames import on_driver

Floats = NDArray[np.float64]

# All examples of as many customers as have so many: what tells settings apart shows in these.
MOST_ROWS = 15_000
# A setting has to be better by this share of the loss before the default is left: less than that
# is chance, and one split has chosen badly before.
LEAST_GAIN = 0.005
# Fewer features are better where the loss is the same, but for what the solver leaves open.
NO_WORSE = 1 + 1e-4

COLUMNS = (
    "target",
    "candidate",
    "step",
    "setting",
    "fold_date",
    "horizon_days",
    "metric",
    "value",
    "customer_count",
    "is_chosen",
)
TEXTS = ("target", "candidate", "step", "setting", "fold_date", "metric")


@dataclass(frozen=True)
class Measured:
    """A setting's loss in one cell: a fold and one horizon of it."""

    fold_date: str
    horizon_days: int
    value: float
    customer_count: int


def search(
    examples: pd.DataFrame, run: Mapping[str, Any], candidate: Candidate
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Find the setting to fit with, and tell what was tried.

    First the candidate's own settings are compared. Then, for one that can leave out groups of
    features, each group is left out in turn; those that are not missed in the sum of their losses
    are left out together, if that is no worse either.

    Args:
        examples: rows of training_examples, in the order of their key.
        run: what the run was asked for: churn_window_days, random_seed.
        candidate: any of the registry.

    Returns:
        The setting, as keyword arguments of fit, and rows of model_tuning. Without folds that
        hold enough customers these are the default and none.
    """
    tried = _Trials(run, candidate, folds(_customers(examples, run["random_seed"])))
    if not tried.folds:
        return dict(candidate.settings[0]), []
    chosen = tried.best("settings", [dict(setting) for setting in candidate.settings])
    groups: Sequence[str] = tuple(getattr(candidate, "feature_groups", {}))
    if groups:
        whole = chosen
        single = [whole | {"without": [group]} for group in groups]
        tried.best("features", [whole, *single])
        missed = [tried.relative(setting, whole) for setting in single]
        spare = [group for group, loss in zip(groups, missed, strict=True) if loss <= NO_WORSE]
        without = whole | {"without": spare}
        if spare and tried.relative(without, whole) <= NO_WORSE:
            chosen = without
        tried.choose("features", chosen)
    return chosen, tried.rows()


@on_driver
@backtest.reproducible()
def search_all(relation: Relation, run_relation: Relation) -> pd.DataFrame:
    """Search the settings of every candidate that is not naive, where the run asks for it.

    Args:
        relation: training_examples.
        run_relation: int_customer_value__run; its ``is_tuned`` says whether to search.

    Returns:
        Rows of model_tuning, none where the run doesn't ask.
    """
    rows: list[dict[str, Any]] = []
    (asked,) = run_relation.project("is_tuned").fetchall()
    if asked[0]:
        examples, run = backtest.fetched(relation, run_relation)
        for candidates in CANDIDATES.values():
            for candidate in candidates.values():
                if len(candidate.settings) > 1:
                    rows.extend(search(examples, run, candidate)[1])
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return frame.astype(
        dict.fromkeys(TEXTS, "string")
        | {"horizon_days": "int64", "customer_count": "int64", "value": "float64"}
        | {"is_chosen": "bool"}
    )


class _Trials:
    """Losses of settings by fold and horizon, each fitted once."""

    def __init__(
        self, run: Mapping[str, Any], candidate: Candidate, of_folds: Sequence[Fold]
    ) -> None:
        self.run = run
        self.candidate = candidate
        self.folds = of_folds
        self._later = [
            fold.with_chances(run) if candidate.target == SPEND else fold.later for fold in of_folds
        ]
        self._losses: dict[str, list[Measured]] = {}
        self._steps: dict[str, dict[str, bool]] = {}

    def best(self, step: str, settings: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """The best of them; the first stays unless another is better by more than LEAST_GAIN."""
        ratios = [self.relative(setting, settings[0]) for setting in settings]
        tried = self._steps.setdefault(step, {})
        for setting in settings:
            tried.setdefault(_told(setting), False)
        least = int(np.argmin(ratios))
        chosen = settings[least if ratios[least] < 1 - LEAST_GAIN else 0]
        self.choose(step, chosen)
        return chosen

    def choose(self, step: str, chosen: dict[str, Any]) -> None:
        """Mark it as what the step came to."""
        tried = self._steps[step]
        tried.setdefault(_told(chosen), False)
        for told in tried:
            tried[told] = told == _told(chosen)

    def relative(self, setting: dict[str, Any], standard: dict[str, Any]) -> float:
        """The mean over folds and horizons of its loss over the standard's."""
        pairs = zip(self.losses(setting), self.losses(standard), strict=True)
        return float(np.mean([own.value / max(other.value, 1e-12) for own, other in pairs]))

    def losses(self, setting: dict[str, Any]) -> list[Measured]:
        """The loss at each horizon of each fold."""
        told = _told(setting)
        if told not in self._losses:
            self._losses[told] = list(self._measured(setting))
        return self._losses[told]

    def _measured(self, setting: dict[str, Any]) -> Iterator[Measured]:
        for fold, later in zip(self.folds, self._later, strict=True):
            fitted = self.candidate.fit(fold.earlier, self.run, **setting)
            predicted = fitted.predict(later)
            horizons = later["horizon_days"].to_numpy()
            actual = _actual(self.candidate.target, later)
            for horizon_days in np.unique(horizons):
                members = horizons == horizon_days
                yield Measured(
                    fold.as_of_date.isoformat(),
                    int(horizon_days),
                    loss(self.candidate.target, actual[members], predicted[members]),
                    int(members.sum()),
                )

    def rows(self) -> list[dict[str, Any]]:
        """What was tried, as model_tuning lists it."""
        metric = "amount_deviance" if self.candidate.target == SPEND else "log_loss"
        return [
            {
                "target": self.candidate.target,
                "candidate": self.candidate.name,
                "step": step,
                "setting": told,
                "fold_date": measured.fold_date,
                "horizon_days": measured.horizon_days,
                "metric": metric,
                "value": round(measured.value, 9),
                "customer_count": measured.customer_count,
                "is_chosen": is_chosen,
            }
            for step, tried in self._steps.items()
            for told, is_chosen in tried.items()
            for measured in self._losses[told]
        ]


def loss(target: str, actual: Floats, predicted: Floats) -> float:
    """What a setting is judged by: log loss, or the mean Poisson deviance of amounts.

    Unlike squared error the deviance is not one large customer's alone, and unlike absolute error
    it is least at the mean and not at the median, which most often is 0.
    """
    if target != SPEND:
        return metrics.log_loss(actual, predicted)
    deviance = predicted - actual + special.xlogy(actual, actual / np.maximum(predicted, 1e-9))
    return float(2 * np.mean(deviance))


def _actual(target: str, examples: pd.DataFrame) -> Floats:
    if target == SPEND:
        return targets.net_amount(examples)
    flags = targets.is_churned if target == CHURN else targets.is_high_value
    return flags(examples).astype(np.float64)


def _told(setting: Mapping[str, Any]) -> str:
    return json.dumps(setting, sort_keys=True)


def _customers(examples: pd.DataFrame, random_seed: int) -> pd.DataFrame:
    """All examples of a sample of customers, drawn by the seed, in the order that they had."""
    if len(examples) <= MOST_ROWS:
        return examples
    customers = examples["customer_id"].unique()
    count = max(1, len(customers) * MOST_ROWS // len(examples))
    drawn = np.random.default_rng(random_seed).choice(len(customers), count, replace=False)
    return examples[examples["customer_id"].isin(customers[np.sort(drawn)])]
