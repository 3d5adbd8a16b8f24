"""What is read of each column, what the imputer sees, and what can't be predicted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from customer_value.imputation.gaps import Flags, Gaps
from customer_value.imputation.scales import (
    Floats,
    Reading,
    credible_range,
    log_scale,
    scaled,
    varies,
)
from customer_value.imputation.sql import Column, Scale

# Fewer known values than this can't tell a relation from chance.
MINIMUM_KNOWN = 50


@dataclass(frozen=True)
class Plan:
    """What is read, within which range, and what can't be predicted.

    Attributes:
        target_count: how many of the columns, the first ones, are targets.
        use: positions among all columns of those that the imputer sees, in order.
        gaps: per used column, whether it can lack a value.
        fallbacks: of each target that can't be predicted, why.
        lowest: per column, the least that is read or predicted; highest: the most.
        log_scales: per column, its scale in the reading by logarithms.
    """

    target_count: int
    use: list[int]
    gaps: Flags
    fallbacks: dict[int, str]
    lowest: Floats
    highest: Floats
    log_scales: list[Scale]

    @staticmethod
    def of(values: Floats, columns: Sequence[Column], gaps: Gaps) -> Plan:
        """Look at the sample, shape (rows, columns), nan where not known; targets come first."""
        target_count = len(gaps.to_fill)
        lowest, highest = np.zeros(len(columns)), np.zeros(len(columns))
        log_scales: list[Scale] = []
        use = []
        for number, column in enumerate(columns):
            known = values[~np.isnan(values[:, number]), number]
            scale = log_scale(column, known)
            log_scales.append(scale)
            if not len(known):
                continue
            lowest[number], highest[number] = credible_range(
                known, scale, is_number=column.is_number
            )
            within = np.clip(known, lowest[number], highest[number])
            enough = number >= target_count or len(known) >= MINIMUM_KNOWN
            if enough and varies(within) and varies(scaled(within, scale)):
                use.append(number)
        fallbacks = {
            number: fallback
            for number in range(target_count)
            if (fallback := _fallback(number, values, gaps, use)) is not None
        }
        if len(fallbacks) == target_count:
            use = []
        return Plan(target_count, use, gaps.has_gap[use], fallbacks, lowest, highest, log_scales)

    def predicted(self) -> list[int]:
        """The targets that have no fallback."""
        return [number for number in range(self.target_count) if number not in self.fallbacks]

    def scale(self, reading: Reading, column: int) -> Scale:
        """A column's working scale in a reading."""
        return self.log_scales[column] if reading == "log" else "plain"

    def working(self, reading: Reading, values: Floats) -> Floats:
        """The used columns on their working scales, nan where not known."""
        within = np.clip(values, self.lowest, self.highest)
        return np.column_stack(
            [scaled(within[:, column], self.scale(reading, column)) for column in self.use]
        )


def _fallback(number: int, values: Floats, gaps: Gaps, use: Sequence[int]) -> str | None:
    """Why a target can't be predicted, or None."""
    seen = int((~np.isnan(values[:, number])).sum())
    if gaps.to_fill[number] == 0:
        return "nothing_missing"
    if seen == 0:
        return "no_known_value"
    if seen < MINIMUM_KNOWN:
        return "median_few_rows"
    if number not in use:
        return "median_constant"
    return "median_no_predictors" if len(use) == 1 else None
