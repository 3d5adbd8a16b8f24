"""What the customers known at a date will go on bringing, forecast from cohorts by week.

One Poisson regression with a penalty, over the weeks of the shop's own history: what the
customers who first ordered in one week bring in a later one, per customer, is

    decay with age * level of the cohorts * season of the year * drift of the shop * trend.

The penalty is what does the shrinking. Every effect is a normal deviate about no effect, with
a standard deviation that is stated below, and the variance of the weeks about the fit is
estimated; so a history that is short, small or noisy leaves them at nothing, and a long one
sets them free. The drift is a random walk, in steps: forecasts go on from where it has come to.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import PoissonRegressor

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

DAYS_PER_WEEK = 7
WEEKS_PER_YEAR = 365.25 / DAYS_PER_WEEK

# Fewer weeks, or fewer weeks in which anything was bought again, can't tell an effect from noise.
MINIMUM_WEEKS = 8
MINIMUM_REPEAT_ORDERS = 20

# Standard deviations, on the logarithmic scale, of what is held possible before looking.
DECAY = 1.0
LATE_DECAY = 0.5
DECAY_PER_YEAR = 0.3
COHORT_LEVEL = 0.4
DRIFT_STEP = 0.1
TREND_PER_YEAR = 0.25
SEASON = 0.3

# The decay with age may bend after so many weeks.
LATE_AGE_WEEKS = 8
COHORT_GROUPS = 8
DRIFT_STEP_WEEKS = 8
# A trend fades out: of each year's growth in the future, so much is believed in the first instants
# and e times less with each such part of a year.
TREND_LIFE_YEARS = 0.5
# Season is told apart from drift, and from how cohorts age, by seeing the same weeks twice: it is
# taken in from a year of history on, and fully where half of the year has been seen twice.
HARMONICS = 6
SEASON_FROM_WEEKS = 52
SEASON_FULL_WEEKS = 78


@dataclass(frozen=True)
class CohortWeeks:
    """The shop's past as of a date, in weeks counted back from it.

    Attributes:
        as_of_date: the date; nothing on or after it is in here.
        customers: how many first ordered in each week back, index 0 being the last week.
        cohort: per cell, the week back in which its customers first ordered.
        week: per cell, the week back in which they ordered again, at most ``cohort``.
        amount: per cell, what that came to, in currency or in orders.
        order_count: per cell, the number of orders.
    """

    as_of_date: np.datetime64
    customers: Floats
    cohort: Whole
    week: Whole
    amount: Floats
    order_count: Floats

    @classmethod
    def of(cls, rows: pd.DataFrame, as_of_date: pd.Timestamp) -> CohortWeeks:
        """Fill the grid of one date from its rows of int_customer_value__cohort_weeks."""
        weeks = int(rows["cohort_week"].max()) + 1
        shape = (weeks, weeks)
        position = rows["cohort_week"].to_numpy() * weeks + rows["week_number"].to_numpy()

        def grid(column: str) -> Floats:
            values = rows[column].to_numpy(dtype=np.float64)
            summed = np.bincount(position, values, minlength=weeks * weeks)
            return np.asarray(summed.reshape(shape), dtype=np.float64)

        customers = grid("new_customer_count").sum(axis=1)
        cohort, week = np.nonzero(np.tri(weeks, dtype=bool) & (customers > 0)[:, np.newaxis])
        return cls(
            as_of_date.to_datetime64(),
            customers,
            cohort,
            week,
            grid("net_amount")[cohort, week],
            grid("order_count")[cohort, week],
        )

    @property
    def weeks(self) -> int:
        """How many weeks the history covers."""
        return len(self.customers)


class CohortForecast:
    """The fitted regression.

    Attributes:
        dispersion_: variance of a week's total over its mean, in units of a mean order.
    """

    def fit(self, past: CohortWeeks) -> CohortForecast:
        """Fit on all weeks of the past.

        Raises:
            ValueError: there are fewer than MINIMUM_WEEKS or MINIMUM_REPEAT_ORDERS, or no amount.
        """
        if not is_enough(past):
            message = f"{past.weeks} weeks and {past.order_count.sum():.0f} orders are too little."
            raise ValueError(message)
        self.past_ = past
        cumulative = np.cumsum(past.customers)
        shares = np.linspace(0, 1, COHORT_GROUPS + 1)[1:-1]
        self.group_ends_ = np.unique(np.searchsorted(cumulative, shares * cumulative[-1]))
        # Refunds can leave a week with less than nothing, which a Poisson mean can't be.
        amount = np.maximum(past.amount, 0)
        self.unit_ = max(float(amount.sum() / past.order_count.sum()), 1e-9)
        # In the week of the first order half of it is left to order again, on average.
        exposure = past.customers[past.cohort] * np.where(past.cohort == past.week, 0.5, 1.0)
        design = self._design(past.cohort, past.week)
        total = np.bincount(past.week, amount / self.unit_)
        self.dispersion_ = 1.0
        # The penalty needs the dispersion, which needs a fit: it settles at once.
        for _ in range(3):
            self.regression_ = PoissonRegressor(
                alpha=self.dispersion_ / exposure.sum(),
                solver="newton-cholesky",
                max_iter=300,
                tol=1e-8,
            ).fit(design, amount / self.unit_ / exposure, sample_weight=exposure)
            fitted = np.bincount(past.week, self.regression_.predict(design) * exposure)
            seen = fitted > 0
            self.dispersion_ = max(
                1.0, float(np.mean((total[seen] - fitted[seen]) ** 2 / fitted[seen]))
            )
        return self

    def within(self, days: Floats, without: str | None = None) -> Floats:
        """What the known customers bring within each number of days from the date.

        Args:
            days: one horizon or more, in days.
            without: an effect to leave out, ``season`` or ``trend``. (The steps of the drift lie in
                the past: the future is where they have come to.)
        """
        weeks = max(1, math.ceil(float(np.max(days)) / DAYS_PER_WEEK))
        cohorts = np.flatnonzero(self.past_.customers)
        cohort = np.tile(cohorts, weeks)
        week = np.repeat(-np.arange(1, weeks + 1), len(cohorts))
        expected = self.regression_.predict(self._design(cohort, week, without))
        by_week = np.bincount(-week - 1, expected * self.past_.customers[cohort]) * self.unit_
        cumulative = np.concatenate([[0.0], np.cumsum(by_week)])
        return np.asarray(np.interp(days / DAYS_PER_WEEK, np.arange(weeks + 1), cumulative))

    def _design(self, cohort: Whole, week: Whole, without: str | None = None) -> Floats:
        """The effects, each scaled by its deviation, so that one penalty is right for all."""
        log_age = np.log1p(cohort - week)
        decay = [
            DECAY * log_age,
            LATE_DECAY * np.maximum(0, log_age - math.log1p(LATE_AGE_WEEKS)),
            DECAY_PER_YEAR * (cohort - week) / WEEKS_PER_YEAR,
        ]
        group = np.searchsorted(self.group_ends_, cohort)
        level = [COHORT_LEVEL * (group == number) for number in range(len(self.group_ends_) + 1)]
        season = self._season(week)
        movement = self._movement(week)
        for name, effects in (("season", season), ("trend", movement)):
            if without == name:
                effects[:] = [np.zeros(len(week)) for _ in effects]
        return np.column_stack([*decay, *level, *season, *movement]).astype(np.float64)

    def _season(self, week: Whole) -> list[Floats]:
        """Waves over the circle of the year, the shorter ones held to be smaller."""
        share = np.clip(
            (self.past_.weeks - SEASON_FROM_WEEKS) / (SEASON_FULL_WEEKS - SEASON_FROM_WEEKS), 0, 1
        )
        days_from_date = np.floor(-(week + 0.5) * DAYS_PER_WEEK).astype("timedelta64[D]")
        day = self.past_.as_of_date.astype("datetime64[D]") + days_from_date
        angle = 2 * math.pi * (day - day.astype("datetime64[Y]")).astype(np.float64) / 365.25
        return [
            share * SEASON / math.sqrt(harmonic) * wave(harmonic * angle)
            for harmonic in range(1, HARMONICS + 1)
            for wave in (np.sin, np.cos)
        ]

    def _movement(self, week: Whole) -> list[Floats]:
        """The trend, which fades out in the future, and the steps of the drift."""
        years = -(week + 0.5) / WEEKS_PER_YEAR
        faded = TREND_LIFE_YEARS * -np.expm1(-np.maximum(years, 0) / TREND_LIFE_YEARS)
        steps = range(DRIFT_STEP_WEEKS, self.past_.weeks - DRIFT_STEP_WEEKS // 2, DRIFT_STEP_WEEKS)
        trend = np.asarray(TREND_PER_YEAR * np.where(years > 0, faded, years), dtype=np.float64)
        # Taken from what lies before each step, so that the future is where it has come to.
        return [trend, *(np.asarray(DRIFT_STEP * (week >= step)) for step in steps)]


def is_enough(past: CohortWeeks) -> bool:
    """Whether there is anything to fit on, be it that refunds have taken all of it back."""
    return (
        past.weeks >= MINIMUM_WEEKS
        and float(past.order_count.sum()) >= MINIMUM_REPEAT_ORDERS
        and bool((past.amount > 0).any())
    )
