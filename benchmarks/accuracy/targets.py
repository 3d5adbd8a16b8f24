"""What the figures are held to: the goals of the accuracy protocol, in one place.

Each bound is (lowest, highest) of a figure by its key in measure.py. Only AT_LEAST is what
--check fails on.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

Bounds = tuple[float, float]


def _at_most(value: float) -> Bounds:
    return (-math.inf, value)


def _at_least(value: float) -> Bounds:
    return (value, math.inf)


AT_LEAST: Mapping[str, Mapping[str, Bounds]] = {
    "CDNOW sample": {
        "log_loss": _at_most(0.492),
        "roc_auc": _at_least(0.775),
        "normalized_gini": _at_least(0.70),
        "r_squared": _at_least(0.31),
    },
    "CDNOW all": {
        "log_loss": _at_most(0.497),
        "roc_auc": _at_least(0.765),
        "normalized_gini": _at_least(0.720),
        "decile_error": _at_most(0.12),
        "bias": (0.88, 1.10),
    },
    "Complete Journey, 4 months": {
        "mae": _at_most(233),
        "normalized_gini": _at_least(0.866),
        "log_loss": _at_most(0.121),
        "roc_auc": _at_least(0.912),
    },
    "Online Retail": {
        "mae": _at_most(637),
        "normalized_gini": _at_least(0.70),
        "roc_auc": _at_least(0.735),
        "bias": _at_least(0.70),
    },
}
STRETCH: Mapping[str, Mapping[str, Bounds]] = {
    "CDNOW sample": {
        "log_loss": _at_most(0.480),
        "normalized_gini": _at_least(0.715),
        "r_squared": _at_least(0.35),
    },
    "CDNOW all": {
        "log_loss": _at_most(0.487),
        "roc_auc": _at_least(0.776),
        "normalized_gini": _at_least(0.730),
        "r_squared": _at_least(0.48),
        "decile_error": _at_most(0.06),
        "bias": (0.95, 1.05),
    },
    "Complete Journey, 4 months": {
        "mae": _at_most(225),
        "normalized_gini": _at_least(0.874),
        "log_loss": _at_most(0.115),
        "decile_error": _at_most(0.03),
    },
    "Online Retail": {
        "mae": _at_most(600),
        "normalized_gini": _at_least(0.75),
        "bias": (0.85, 1.15),
    },
}


def bound(goals: Mapping[str, Mapping[str, Bounds]], trial: str, key: str) -> Bounds | None:
    """The bounds of one figure on one data set, if it has any."""
    return goals.get(trial, {}).get(key)


def is_met(bounds: Bounds, value: float) -> bool:
    """Whether a value lies within; nan never does."""
    return bounds[0] <= value <= bounds[1]


def said(bounds: Bounds | None) -> str:
    """The bounds as tables say them."""
    if bounds is None:
        return ""
    lowest, highest = bounds
    if math.isinf(lowest):
        return f"≤ {highest:g}"
    return f"≥ {lowest:g}" if math.isinf(highest) else f"{lowest:g} to {highest:g}"
