"""Calibrating probabilities on what models said out of time, no more than origins agree on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from customer_value.metrics import log_loss

Floats = NDArray[np.float64]

# Log odds beyond it are as good as certain; they would only let one outlier set the line.
LIMIT = 8.0
# A line flatter than this would take nearly all of the ranking for noise.
LEAST_SLOPE = 0.2


@dataclass(frozen=True)
class Calibration:
    """A rising line in the log odds (Platt, 1999), so that the ranking stays.

    Attributes:
        intercept: what is added to the log odds; 0 leaves them.
        slope: what they are multiplied by; 1 leaves them.
    """

    intercept: float = 0.0
    slope: float = 1.0

    @property
    def is_identity(self) -> bool:
        """Whether it changes nothing."""
        return self.intercept == 0 and self.slope == 1

    def applied(self, probability: Floats) -> Floats:
        """The calibrated probabilities."""
        if self.is_identity:
            return probability
        return np.asarray(1 / (1 + np.exp(-(self.intercept + self.slope * log_odds(probability)))))

    def sql(self, predictor: str) -> str:
        """The calibrated log odds of a SQL expression's."""
        if self.is_identity:
            return predictor
        return f"({self.intercept!r}::double) + ({self.slope!r}::double) * ({predictor})"


def log_odds(probability: Floats) -> Floats:
    """The logarithm of p / (1 - p), where certainty counts as 30."""
    clipped = np.clip(probability, 1e-13, 1 - 1e-13)
    return np.asarray(np.log(clipped) - np.log1p(-clipped))


def fit(trials: Sequence[tuple[Floats, Floats]]) -> Calibration:
    """The line that past origins agree on.

    Each origin's own line is fitted by maximum likelihood. Their mean is then drawn towards the
    identity by how much they differ, by 1 - (standard error / distance)^2 and not below 0 (James
    and Stein, 1961): a shift that one year brings and the next takes back is none to learn, and
    a single origin can't tell.

    Args:
        trials: of each origin what happened (0 or 1) and the probability that was given.
    """
    lines = np.array([_line(actual, given) for actual, given in trials if np.ptp(actual) > 0])
    if len(lines) < 2:
        return Calibration()
    mean = lines.mean(axis=0)
    error = lines.std(axis=0, ddof=1) / np.sqrt(len(lines))
    distance = mean - np.array([0.0, 1.0])
    kept = np.maximum(0, 1 - (error / np.where(distance == 0, 1, distance)) ** 2)
    intercept, slope = np.array([0.0, 1.0]) + np.where(distance == 0, 0, kept) * distance
    return Calibration(float(np.round(intercept, 9)), float(np.round(slope, 9)))


def agreed(trials: Sequence[tuple[Floats, Floats]]) -> Calibration:
    """The line of past origins, if it would have helped: else none.

    Each origin in turn is calibrated by the others; the line is kept where log loss falls on
    average, by more than its standard error over the origins.

    Args:
        trials: as fit takes them.
    """
    line = fit(trials)
    if line.is_identity:
        return line
    gains = np.array(
        [
            log_loss(actual, given)
            - log_loss(actual, fit([*trials[:n], *trials[n + 1 :]]).applied(given))
            for n, (actual, given) in enumerate(trials)
        ]
    )
    is_better = gains.mean() > gains.std(ddof=1) / np.sqrt(len(gains))
    return line if is_better else Calibration()


def _line(actual: Floats, given: Floats) -> Floats:
    """Intercept and slope of the log odds, by maximum likelihood with a little shrinkage."""
    odds = np.clip(log_odds(given), -LIMIT, LIMIT)

    def loss(line: Floats) -> tuple[float, Floats]:
        predictor = line[0] + line[1] * odds
        residual = 1 / (1 + np.exp(-predictor)) - actual
        value = np.sum(np.logaddexp(0, predictor) - actual * predictor)
        # As if each of the two were known to within 1 beforehand.
        prior = line - np.array([0.0, 1.0])
        gradient = np.array([residual.sum(), (residual * odds).sum()]) + prior
        return float(value + prior @ prior / 2), gradient

    bounds = [(-LIMIT, LIMIT), (LEAST_SLOPE, 1 / LEAST_SLOPE)]
    best = minimize(loss, np.array([0.0, 1.0]), jac=True, method="L-BFGS-B", bounds=bounds)
    return np.asarray(best.x, dtype=np.float64)
