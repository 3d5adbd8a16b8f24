"""The imputer of one reading of the columns, as numbers and as SQL, held against each other."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import numpy as np
import pandas as pd

from customer_value.imputation import sql
from customer_value.imputation.linear_imputer import LinearImputer
from customer_value.imputation.plan import Plan
from customer_value.imputation.scales import Floats, Reading, unscaled

CHECKED_ROWS = 2000
CHECKED_GAP_RATE = 0.3
# SQL and scikit-learn may differ by rounding alone: of the value, or of its column's spread.
TOLERANCE = 1e-9


@dataclass(frozen=True)
class ReadingImputer:
    """The imputer of one reading of the columns, and the way back to amounts.

    Attributes:
        factors: per predicted target, what makes the predictions of its known rows add up to
            their amounts: the mean of a logarithm is no mean of amounts, nor is what was cut at 0.
    """

    plan: Plan
    reading: Reading
    linear: LinearImputer
    factors: dict[int, float]

    @staticmethod
    def fit(plan: Plan, reading: Reading, values: Floats, random_seed: int) -> ReadingImputer:
        """Fit on sampled rows of all columns, shape (rows, columns), nan where not known."""
        working = plan.working(reading, values)
        linear = LinearImputer.fit(working, plan.gaps, random_seed)
        factors = {}
        for number in plan.predicted():
            known = ~np.isnan(values[:, number])
            low, high = plan.lowest[number], plan.highest[number]
            refitted = linear.refitted(working[known], plan.use.index(number))
            predicted = np.clip(unscaled(refitted, plan.scale(reading, number)), low, high).sum()
            actual = np.clip(values[known, number], low, high).sum()
            # Where amounts are of both signs their sums can be near 0, and have no ratio.
            has_ratio = low >= 0 and predicted > 0
            factors[number] = float(actual / predicted) if has_ratio else 1.0
        return ReadingImputer(plan, reading, linear, factors)

    def amounts(self, values: Floats) -> dict[int, Floats]:
        """Per predicted target, the amounts that rows of all columns are filled with."""
        filled = self.linear.filled(self.plan.working(self.reading, values))
        return {
            number: np.clip(
                self.factors[number]
                * unscaled(
                    filled[:, self.plan.use.index(number)], self.plan.scale(self.reading, number)
                ),
                self.plan.lowest[number],
                self.plan.highest[number],
            )
            for number in self.plan.predicted()
        }

    def amount_sql(self, number: int) -> str:
        """The amount that a target is filled with, over the columns that the steps leave."""
        position = self.plan.use.index(number)
        working = (
            f"({sql.literal(self.linear.center[position])} + "
            f"{sql.literal(self.linear.spread[position])} * {self.reading}_z_{position})"
        )
        amount = sql.from_working(working, self.plan.scale(self.reading, number))
        return sql.clipped(
            f"{sql.literal(self.factors[number])} * {amount}",
            self.plan.lowest[number],
            self.plan.highest[number],
        )

    def steps(self) -> list[str]:
        """Projections that add this reading's columns, standardised and filled, to the raw ones."""
        linear, plan, prefix = self.linear, self.plan, f"{self.reading}_"
        scaled = [
            sql.working(
                f"column_{column}",
                plan.scale(self.reading, column),
                plan.lowest[column],
                plan.highest[column],
            )
            + f" as {prefix}x_{position}"
            for position, column in enumerate(plan.use)
        ]
        initial = linear.imputer.initial_imputer_.statistics_
        standardised = [
            f"coalesce(({prefix}x_{position} - {sql.literal(linear.center[position])}) "
            f"/ {sql.literal(linear.spread[position])}, {sql.literal(initial[position])}) "
            f"as {prefix}z_{position}"
            for position in range(len(plan.use))
        ]
        return [
            ", ".join(["*", *scaled]),
            ", ".join(["*", *standardised]),
            *sql.steps_of(
                linear.imputer.imputation_sequence_,
                linear.lowest.tolist(),
                linear.highest.tolist(),
                prefix,
            ),
        ]


def check(imputer: ReadingImputer, values: Floats, random_seed: int) -> None:
    """Hold the SQL against scikit-learn, on rows of the sample with gaps knocked into them.

    Raises:
        ImputationError: they differ by more than 1e-9 of the value or of its column's spread.
    """
    plan = imputer.plan
    rows = values[:CHECKED_ROWS].copy()
    can_lack = np.zeros(values.shape[1], dtype=np.bool_)
    can_lack[plan.use] = plan.gaps
    chance = np.random.default_rng(random_seed)
    rows[can_lack & (chance.random(rows.shape) < CHECKED_GAP_RATE)] = np.nan
    frame = pd.DataFrame(rows, columns=[f"column_{number}" for number in range(rows.shape[1])])
    frame["record_key"] = np.arange(len(frame))
    with duckdb.connect() as connection:
        answer = sql.applied(connection.from_df(frame), imputer.steps()).order("record_key").df()
    names = [f"{imputer.reading}_z_{position}" for position in range(len(plan.use))]
    _check_equal(
        answer[names].to_numpy(np.float64),
        imputer.linear.standard(plan.working(imputer.reading, rows)),
    )


def _check_equal(given: Floats, wanted: Floats) -> None:
    difference = np.abs(given - wanted) / np.maximum(1, np.abs(wanted))
    largest = float(np.max(difference, initial=0.0))
    if not largest <= TOLERANCE:
        raise sql.ImputationError(
            f"The SQL that fills missing values differs from scikit-learn's by {largest:.1e} "
            f"(at most {TOLERANCE:.0e} is allowed), so nothing was filled. Install the versions "
            "of duckdb and scikit-learn that requirements.txt names."
        )
