"""Which candidate is champion: by past origins, and with a preference for the default."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from customer_value import metrics
from customer_value.candidates.candidate import Fitted
from customer_value.metrics import Metric

Floats = NDArray[np.float64]

# A candidate replaces the default only where it gains more than so many standard errors. One would
# do for a single rival; the best of many is the luckiest too.
EVIDENCE = 2.0
# Fewer origins can't show that a gain lasts.
FEWEST_ORIGINS = 2
# Parts of the customers that are left out in turn, to see what a gain owes to a few of them.
PARTS = 10


@dataclass(frozen=True, eq=False)
class Trial:
    """What a candidate said at an origin, and what happened.

    Attributes:
        candidate: its name; is_naive: whether it is one of those that a champion has to beat.
        as_of_date: the origin; window_end: the end of what was forecast, itself not in it.
        horizon_days: the days between them.
        is_untouched: whether nothing is chosen by this origin.
        fitted: the candidate as it was fitted on what had ended by the origin.
        predicted: one value per customer; actual: what happened.
        position: a place in 0..1 that goes by the customer, the same at each origin.
        setting: what it was fitted with.
    """

    candidate: str
    is_naive: bool
    as_of_date: dt.date
    window_end: dt.date
    horizon_days: int
    is_untouched: bool
    fitted: Fitted
    predicted: Floats
    actual: Floats
    position: Floats
    setting: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Gain:
    """How much lower the score of one candidate is than another's, and how sure that is."""

    value: float
    standard_error: float

    @property
    def is_clear(self) -> bool:
        """Whether it is more than chance."""
        return self.value > EVIDENCE * self.standard_error

    @property
    def at_least(self) -> float:
        """What remains if chance helped as much as is credible."""
        return self.value - EVIDENCE * self.standard_error


@dataclass(frozen=True)
class Choice:
    """The champion, and why it is."""

    candidate: str
    reason: str


def choose(
    target: str, default: str, trials: Mapping[str, Sequence[Trial]], known_by: dt.date
) -> Choice:
    """The champion of a target by what had happened by a date.

    The default stays, unless another gains on it, on average over the origins, more than two
    standard errors; of several that do, the one whose gain is largest after they are taken off.
    What a candidate is measured by is one score of the target, metrics.SCORES.

    Args:
        target: ``churn``, ``spend`` or ``high_value``.
        default: the candidate that stays in doubt.
        trials: of each candidate its trials, one per origin, in the same order.
        known_by: windows that ended later were not known.
    """
    known = {
        name: [trial for trial in tried if trial.window_end <= known_by]
        for name, tried in trials.items()
    }
    count = len(known[default])
    if count < FEWEST_ORIGINS:
        return Choice(default, f"default: {count} earlier origins can't show a lasting gain")
    gains = {
        name: gain(metrics.SCORES[target], tried, known[default])
        for name, tried in known.items()
        # What a fallback answered for is not its own.
        if name != default and all(trial.fitted.fallback is None for trial in tried)
    }
    clear = [name for name, gained in gains.items() if gained.is_clear]
    if not clear:
        return Choice(default, f"default: no candidate gains clearly over {count} origins")
    best = max(clear, key=lambda name: gains[name].at_least)
    return Choice(
        best,
        f"gains {gains[best].value:.4f} on {default} over {count} origins, "
        f"standard error {gains[best].standard_error:.4f}",
    )


def gain(score: Metric, challenger: Sequence[Trial], incumbent: Sequence[Trial]) -> Gain:
    """How much lower the challenger's score is, on average over the origins.

    Its standard error has two parts: what changes as tenths of the customers are left out (a
    grouped jackknife: Quenouille, 1956), and what changes from one origin to another.
    """
    pairs = list(zip(challenger, incumbent, strict=True))
    by_origin = np.array([_gained(score, *pair, slice(None)) for pair in pairs])
    if not len(by_origin) or not np.isfinite(by_origin).all():
        return Gain(0.0, 0.0)
    return Gain(float(by_origin.mean()), _standard_error(score, pairs, by_origin))


def _standard_error(
    score: Metric, pairs: Sequence[tuple[Trial, Trial]], by_origin: Floats
) -> float:
    left_out = np.array(
        [
            np.mean([_gained(score, *pair, _without(part, pair[0])) for pair in pairs])
            for part in range(PARTS)
        ]
    )
    left_out = left_out[np.isfinite(left_out)]
    spread = left_out - left_out.mean() if len(left_out) else left_out
    by_customers = (PARTS - 1) / PARTS * float(spread @ spread)
    by_origins = float(by_origin.var(ddof=1)) / len(by_origin) if len(by_origin) > 1 else 0.0
    return float(np.sqrt(by_customers + by_origins))


def _without(part: int, trial: Trial) -> NDArray[np.bool_]:
    return np.asarray(np.minimum((trial.position * PARTS).astype(int), PARTS - 1) != part)


def _gained(
    score: Callable[[Floats, Floats], float],
    challenger: Trial,
    incumbent: Trial,
    rows: slice | NDArray[np.bool_],
) -> float:
    actual = incumbent.actual[rows]
    return score(actual, incumbent.predicted[rows]) - score(actual, challenger.predicted[rows])
