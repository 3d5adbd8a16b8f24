"""What a feature does in the two regressions whose penalty is known, as ratios with intervals.

An interval knows that one customer's examples say much the same several times.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from customer_value import scoring_sql
from customer_value.candidates import targets

Floats = NDArray[np.float64]

# Of intervals that are to hold what is true in 95% of cases.
NORMAL_QUANTILE = 1.959963984540054


@dataclass(frozen=True)
class LinearFit:
    """A penalised linear model at its optimum, as far as the spread of its coefficients goes.

    Attributes:
        design: a column of ones, then what the penalty treats alike, one row per example.
        score: the derivative of each example's loss by its linear predictor.
        curvature: the second derivative, likewise.
        penalty: the strength of the squared penalty on every column but the first.
        customers: the customer of each example, as numbers from 0.
    """

    design: Floats
    score: Floats
    curvature: Floats
    penalty: float
    customers: NDArray[np.intp]

    def covariance(self) -> Floats:
        """Of the coefficients, by the sandwich that adds up a customer's examples first.

        After Huber (1967) and Liang and Zeger (1986). The penalty belongs to the bread: the
        interval is about the coefficients that this penalty would find in all customers that
        there could be.
        """
        strength = np.full(self.design.shape[1], self.penalty)
        strength[0] = 0.0
        bread = self.design.T @ (self.design * self.curvature[:, None]) + np.diag(strength)
        count = int(self.customers.max()) + 1
        sums = np.column_stack(
            [
                np.bincount(self.customers, column * self.score, minlength=count)
                for column in self.design.T
            ]
        )
        # At the optimum the sums add up to the penalty's pull, which is no one customer's.
        sums -= sums.mean(axis=0)
        inverse = np.linalg.pinv(bread, hermitian=True)
        covariance = inverse @ (sums.T @ sums) @ inverse * count / max(count - 1, 1)
        return np.asarray(covariance, dtype=np.float64)


def odds_ratios(
    coefficients: Mapping[str, float],
    examples: pd.DataFrame,
    happened: NDArray[np.bool_],
    horizon_days: int,
    inverse_penalty: float,
) -> pd.DataFrame:
    """Odds ratios of an outcome within a horizon, by feature, with their intervals.

    Args:
        coefficients: of the raw columns, as model_registry has them.
        examples: all that the model was fitted on.
        happened: what it was to predict of each.
        horizon_days: the horizon that the effects are told for.
        inverse_penalty: C of the logistic regression.
    """
    design, predictor = _standardised(coefficients, examples)
    probability = 1 / (1 + np.exp(-predictor))
    fit = LinearFit(
        design=design,
        score=happened - probability,
        curvature=probability * (1 - probability),
        penalty=1 / inverse_penalty,
        customers=_numbered(examples),
    )
    told = _told(coefficients, examples, fit.covariance(), horizon_days)
    return told.assign(effect_kind="odds_ratio")


def amount_ratios(
    coefficients: Mapping[str, float], examples: pd.DataFrame, horizon_days: int, penalty: float
) -> pd.DataFrame:
    """Ratios of the amount given an order, by feature, with their intervals.

    Args:
        coefficients: of the raw columns, as model_registry has them.
        examples: all that training was given; those with an order are what it was fitted on.
        horizon_days: the horizon that the effects are told for.
        penalty: alpha of the Gamma regression.
    """
    target = targets.ratio_if_any(examples)
    design, predictor = _standardised(coefficients, target.examples)
    relative = target.ratio * target.scale / np.exp(predictor)
    share = target.weight / target.weight.sum()
    fit = LinearFit(
        design=design,
        score=share * (relative - 1),
        curvature=share * relative,
        penalty=penalty,
        customers=_numbered(target.examples),
    )
    told = _told(coefficients, target.examples, fit.covariance(), horizon_days)
    return told.assign(effect_kind="amount_ratio")


def _features(coefficients: Mapping[str, float]) -> tuple[list[str], list[str]]:
    """The features of a horizon model, and those of them whose effect depends on the horizon."""
    suffix = scoring_sql.INTERACTION_SUFFIX
    by_horizon = [name.removesuffix(suffix) for name in coefficients if name.endswith(suffix)]
    features = [
        name
        for name in coefficients
        if name not in {"intercept", scoring_sql.LOG_HORIZON} and not name.endswith(suffix)
    ]
    return features, by_horizon


def _moments(features: list[str], examples: pd.DataFrame) -> tuple[Floats, Floats, Floats]:
    """The raw columns, the log horizon last, with their means and deviations."""
    raw = examples[[*features, scoring_sql.LOG_HORIZON]].to_numpy(dtype=np.float64)
    deviation = raw.std(axis=0)
    return raw, raw.mean(axis=0), np.where(deviation > 1e-9, deviation, 1.0)


def _standardised(
    coefficients: Mapping[str, float], examples: pd.DataFrame
) -> tuple[Floats, Floats]:
    """The columns that the model was fitted on, as HorizonModel has them, and its predictor."""
    features, by_horizon = _features(coefficients)
    raw, means, deviations = _moments(features, examples)
    standardised = (raw - means) / deviations
    positions = [features.index(name) for name in by_horizon]
    products = standardised[:, positions] * standardised[:, -1:]
    predictor = np.full(len(raw), coefficients["intercept"])
    for position, name in enumerate([*features, scoring_sql.LOG_HORIZON]):
        predictor += coefficients[name] * raw[:, position]
    for position, name in zip(positions, by_horizon, strict=True):
        slope = coefficients[f"{name}{scoring_sql.INTERACTION_SUFFIX}"]
        predictor += slope * raw[:, position] * raw[:, -1]
    return np.column_stack([np.ones(len(raw)), standardised, products]), predictor


def _numbered(examples: pd.DataFrame) -> NDArray[np.intp]:
    _, numbers = np.unique(examples["customer_id"].to_numpy(str), return_inverse=True)
    return numbers


def _told(
    coefficients: Mapping[str, float],
    examples: pd.DataFrame,
    covariance: Floats,
    horizon_days: int,
) -> pd.DataFrame:
    """Each feature's effect at one horizon, as ratios, with intervals."""
    features, by_horizon = _features(coefficients)
    _, means, deviations = _moments(features, examples)
    log_horizon = math.log(horizon_days)
    rows = {}
    for position, name in enumerate(features):
        # The effect of one deviation: the feature's own coefficient, and its product's with as
        # many deviations as the horizon is from the mean one.
        contrast = np.zeros(len(covariance))
        contrast[1 + position] = 1.0
        effect = coefficients[name]
        if name in by_horizon:
            product = 1 + len(features) + 1 + by_horizon.index(name)
            contrast[product] = (log_horizon - means[-1]) / deviations[-1]
            effect += log_horizon * coefficients[f"{name}{scoring_sql.INTERACTION_SUFFIX}"]
        error = math.sqrt(max(0.0, float(contrast @ covariance @ contrast)))
        per_deviation = effect * deviations[position]
        row = {"feature_mean": means[position], "feature_deviation": deviations[position]}
        for unit, scale in (("deviation", 1.0), ("unit", 1 / deviations[position])):
            for end, shift in (("", 0.0), ("_lower", -1.0), ("_upper", 1.0)):
                told = (per_deviation + shift * NORMAL_QUANTILE * error) * scale
                row[f"effect_per_{unit}{end}"] = math.exp(min(told, 700.0))
        rows[name] = row | {"horizon_days": float(horizon_days)}
    return pd.DataFrame.from_dict(rows, orient="index")
