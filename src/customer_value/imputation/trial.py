"""What is found on rows that were not fitted: which reading is nearer, and by how much it errs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from customer_value.imputation.gaps import Gaps
from customer_value.imputation.plan import Plan
from customer_value.imputation.reading_imputer import ReadingImputer
from customer_value.imputation.scales import READINGS, Floats, Reading

# One row in so many is held out to choose the scale on, and as many to measure on.
HELD_OUT_EVERY = 5
# |x - mean| is on average at most twice |x - median|, whatever the distribution: a prediction
# that is farther off than that is worse than none.
WORST_RATIO_TO_MEDIAN = 2


@dataclass(frozen=True)
class Trial:
    """What was found on rows that were not fitted.

    Attributes:
        chosen: per predicted target, the reading that was nearer.
        measured: per predicted target, the errors of that reading and of the median, on rows
            that neither were fitted nor had a say in the choice; a target of which no such row
            is known is not there.
    """

    chosen: dict[int, Reading]
    measured: dict[int, dict[str, Any]]

    @staticmethod
    def of(plan: Plan, values: Floats, gaps: Gaps, random_seed: int) -> Trial:
        """Fit both readings on three fifths of the sample, choose on one, measure on one.

        What is hidden of a row is what a row of the relation lacks: targets that are missing
        together are hidden together.
        """
        part = np.arange(len(values)) % HELD_OUT_EVERY
        seen = values[part >= 2]
        hidden = gaps.drawn(len(values), random_seed)
        incomplete = values.copy()
        incomplete[:, : plan.target_count] = np.where(
            hidden, np.nan, values[:, : plan.target_count]
        )
        predicted = {
            reading: ReadingImputer.fit(plan, reading, seen, random_seed).amounts(incomplete)
            for reading in READINGS
        }
        chosen: dict[int, Reading] = {}
        measured = {}
        for number in plan.predicted():
            actual = values[:, number]
            is_told = hidden[:, number] & ~np.isnan(actual)
            choosing, measuring = is_told & (part == 0), is_told & (part == 1)
            errors = {reading: predicted[reading][number] - actual for reading in READINGS}
            chosen[number] = min(
                READINGS, key=lambda reading: float(np.abs(errors[reading][choosing]).sum())
            )
            if not measuring.any() or np.isnan(seen[:, number]).all():
                continue
            error = errors[chosen[number]][measuring]
            median_error = float(np.nanmedian(seen[:, number])) - actual[measuring]
            measured[number] = {
                "rows": int(measuring.sum()),
                "mean_absolute_error": _rounded(np.abs(error).mean()),
                "mean_absolute_error_of_median": _rounded(np.abs(median_error).mean()),
                "bias": _rounded(error.mean()),
                "bias_of_median": _rounded(median_error.mean()),
            }
        return Trial(chosen, measured)

    def fallbacks(self) -> dict[int, str]:
        """The targets whose median is so much nearer that no relation can have been found."""
        return {
            number: "median_nearer"
            for number, errors in self.measured.items()
            if errors["mean_absolute_error"]
            > WORST_RATIO_TO_MEDIAN * errors["mean_absolute_error_of_median"]
        }


def _rounded(value: float) -> float:
    return round(float(value), 6)
