"""The level of each future period: how the sum over customers is drawn to the shop's forecast.

Two forecasts speak of the same total, what the known customers will bring: the sum of what the
customer model expects of each, times the season that the cohorts show, for the model knows none;
and the forecast from cohorts by week. Both were made at past dates too, and how far each was off
then, over windows as long in proportion to the history, tells how much the one is to give way to
the other, and by how much both are to be corrected. Where neither was ever tried, the customer
model stands.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
from duckdb import DuckDBPyRelation as Relation
from numpy.typing import NDArray
from scipy.optimize import brentq

from customer_value import backtest
from customer_value.cohort_forecast import CohortForecast, CohortWeeks, is_enough
from customer_value.spark_frames import on_driver

Floats = NDArray[np.float64]

CUSTOMER_MODEL = "customer_model"
SEASONED = "seasoned"
COHORTS = "cohorts"
LEVELLED = "levelled"
LAST_WINDOW = "last_window"
LAST_YEAR = "last_year"

# Past windows count by how near their share of the history then is to that of the window now, on
# a logarithmic scale: half as long or twice as long counts e to the -1/2.
NEARNESS = math.log(2)
# What is held of each forecast before it has been tried, as if seen at so many past dates: typical
# errors on the logarithmic scale. The customer model has the benefit of the doubt.
PRIOR_DATES = 2.0
PRIOR_ERROR = {SEASONED: 0.12, COHORTS: 0.2, LEVELLED: 0.2}
# A forecast that was too low at past dates is raised, and one that was too high lowered: by their
# mean error, as if it had been right at so many past dates more. What erred one way erred so for a
# reason that may be over.
PRIOR_DATES_WITHOUT_BIAS = 4.0
# One failed forecast of a window in which next to nothing happened must not decide for all.
LARGEST_ERROR = 1.5
# However wrong the customer model was, its total is not moved further than this many times.
LARGEST_FACTOR = 2.5
# Known customers rarely bring more than all customers did in as many days before, first orders
# included: in a year 0.1 more, on the logarithmic scale; in less the season may be another, and
# 0.5 more in no time at all. Or as much more as they have brought at past dates, on average.
GROWTH_IN_YEAR = 0.1
GROWTH_AT_ONCE = 0.5
DAYS_PER_YEAR = 365

BACKTEST_COLUMNS = {
    "as_of_date": "datetime64[us]",
    "horizon_days": "int64",
    "history_days": "int64",
    "customer_count": "int64",
    "actual_net_amount": "float64",
    "method": "string",
    "forecast_net_amount": "float64",
    "forecast_lower": "Float64",
    "forecast_upper": "Float64",
}
FORECAST_COLUMNS = {
    "period_number": "int64",
    "customer_model_net_amount": "float64",
    "cohort_net_amount": "Float64",
    "level_factor": "float64",
    "season_factor": "Float64",
    "trend_factor": "Float64",
    "lower_ratio": "float64",
    "upper_ratio": "float64",
}


@dataclass(frozen=True)
class PastErrors:
    """How far each forecast was off at past dates, one element per past date and window.

    Attributes:
        as_of_date: the past date.
        relative_horizon: days of the window over days of the history at the date.
        errors: per method, the logarithm of forecast over actual.
    """

    as_of_date: NDArray[Any]
    relative_horizon: Floats
    errors: dict[str, Floats]

    @classmethod
    def of(cls, tried: pd.DataFrame, methods: Iterable[str]) -> PastErrors:
        """Those of the windows that all of some methods foretold, from the rows of a backtest."""
        # Nothing is learnt of a level, on this scale, from a window that brought nothing.
        known = tried[(tried["actual_net_amount"] > 0) & (tried["forecast_net_amount"] > 0)]
        keys = ["as_of_date", "horizon_days", "history_days", "actual_net_amount"]
        wide = known.pivot_table("forecast_net_amount", keys, "method", observed=True)
        wide = wide.reindex(columns=list(methods)).dropna().reset_index()
        actual = wide["actual_net_amount"].to_numpy(dtype=np.float64)
        return cls(
            wide["as_of_date"].to_numpy(),
            (wide["horizon_days"] / wide["history_days"]).to_numpy(dtype=np.float64),
            {
                method: np.clip(
                    np.log(wide[method].to_numpy(dtype=np.float64) / actual),
                    -LARGEST_ERROR,
                    LARGEST_ERROR,
                )
                for method in methods
            },
        )

    def weight(self, relative_horizon: float) -> Floats:
        """What each window counts for one of another length; a date's windows at most 1 in all."""
        if len(self.relative_horizon) == 0:
            return np.zeros(0)
        distance = np.log(self.relative_horizon / relative_horizon) / NEARNESS
        near = np.exp(-0.5 * distance**2)
        _, date = np.unique(self.as_of_date, return_inverse=True)
        return np.asarray(near / np.maximum(1.0, np.bincount(date, near)[date]))

    def mean(self, method: str, relative_horizon: float) -> float:
        """The mean error, drawn to none by how little has been seen."""
        weight = self.weight(relative_horizon)
        return float(weight @ self.errors[method]) / (
            float(weight.sum()) + PRIOR_DATES_WITHOUT_BIAS
        )

    def mean_square(self, method: str, relative_horizon: float, about: float = 0.0) -> float:
        """The typical squared error, drawn to what is held of it before any has been seen.

        Args:
            method: whose.
            relative_horizon: days of the window over days of the history.
            about: the part of the errors that is known, and corrected.
        """
        weight = self.weight(relative_horizon)
        seen = float(weight @ (self.errors[method] - about) ** 2)
        prior = PRIOR_DATES * PRIOR_ERROR[method] ** 2
        return (seen + prior) / (float(weight.sum()) + PRIOR_DATES)


def level_factor(
    past: PastErrors, relative_horizon: float, seasoned: float, cohorts: float
) -> float:
    """What the customer model's total over one window, in its season, is to be multiplied by.

    Args:
        past: how far both forecasts were off before.
        relative_horizon: days of the window over days of the history.
        seasoned: the sum over customers times the season, in currency.
        cohorts: what the cohorts are forecast to bring; NaN where there is no such forecast.

    Returns:
        Each of the two is corrected by its mean error at past dates. The factor is their weighted
        geometric mean over the first as it was: the weights are their inverse mean squared errors
        (Bates and Granger, 1969), drawn to the customer model by how little has been seen of them.
        1 where nothing has.
    """
    if not seasoned > 0:
        return 1.0
    moved = -past.mean(SEASONED, relative_horizon)
    if cohorts > 0:
        bias = {method: past.mean(method, relative_horizon) for method in (SEASONED, COHORTS)}
        square = {m: past.mean_square(m, relative_horizon, about=bias[m]) for m in bias}
        seen = float(past.weight(relative_horizon).sum())
        share = seen / (seen + PRIOR_DATES) * square[SEASONED] / sum(square.values())
        apart = math.log(cohorts / seasoned) - bias[COHORTS] + bias[SEASONED]
        moved += share * apart
    largest = math.log(LARGEST_FACTOR)
    return math.exp(min(max(moved, -largest), largest))


def largest_log_growth(past: PastErrors, relative_horizon: float, days: float) -> float:
    """How far beyond the last window of its length a total may be forecast, as a logarithm.

    Args:
        past: the errors of the last window as a forecast.
        relative_horizon: days of the window over days of the history.
        days: of the window.
    """
    part_of_year = min(days / DAYS_PER_YEAR, 1.0)
    growth = GROWTH_AT_ONCE + (GROWTH_IN_YEAR - GROWTH_AT_ONCE) * part_of_year
    weight = past.weight(relative_horizon)
    if weight.sum() < 1:
        return growth
    return max(growth, float(np.average(-past.errors[LAST_WINDOW], weights=weight)))


def bounded(amounts: Floats, ends: Floats, largest: float) -> Floats:
    """Shrink the terms of a total that is too large, the later the more, until it is the largest.

    Args:
        amounts: one per period, none negative.
        ends: days from now to each period's end.
        largest: what they may add up to.
    """
    total = float(amounts.sum())
    if total <= largest or not largest > 0:
        return amounts
    weight, kept = amounts / total, largest / total
    # What is far off is least known. As a power of time the shrinkage has one unknown.
    share = ends / ends[-1]

    def excess(strength: float) -> float:
        return float(weight @ np.exp(-strength * share)) - kept

    strength = brentq(excess, 0.0, -2 * math.log(kept) / float(share[0]))
    return np.asarray(amounts * np.exp(-strength * share), dtype=np.float64)


def interval_ratios(past: PastErrors, relative_horizon: float, level: float) -> tuple[float, float]:
    """Between which multiples of a levelled forecast the total falls, by how far it was off before.

    Args:
        past: the errors of levelled forecasts.
        relative_horizon: days of the window over days of the history.
        level: how often it is to fall between the two, in 0..1.
    """
    deviation = math.sqrt(past.mean_square(LEVELLED, relative_horizon))
    reach = NormalDist().inv_cdf((1 + level) / 2) * deviation
    return math.exp(-reach), math.exp(reach)


@on_driver
@backtest.reproducible()
def try_at_past_dates(
    cohort_weeks: Relation, windows: Relation, customer_totals: Relation, run: Relation
) -> pd.DataFrame:
    """Make every forecast as it would have been made at past dates.

    Args:
        cohort_weeks: int_customer_value__cohort_weeks.
        windows: int_customer_value__window_totals.
        customer_totals: what customer_totals.at_past_dates gives.
        run: int_customer_value__run.

    Returns:
        Per past date, horizon and method: the forecast, of levelled ones its interval, and what
        came. A levelled forecast has learnt only from windows that had ended by its date.
    """
    weeks = cohort_weeks.order("as_of_date, cohort_week, week_number").df()
    window = windows.order("as_of_date, horizon_days").df()
    totals = customer_totals.order("as_of_date, horizon_days").df()
    ((interval_level,),) = run.select("interval_level").fetchall() or ((0.5,),)
    past_weeks = weeks[~weeks["is_current"].astype(bool)]
    tried = window.merge(totals, how="left", on=["as_of_date", "horizon_days"])
    tried["actual_net_amount"] = tried["net_amount"].astype(np.float64)
    # The sample stands for all in proportion to what both had spent in the year before.
    share = tried["known_last_year_amount"] / tried["sampled_last_year_amount"]
    by_count = tried["customer_count"] / tried["sampled_customer_count"]
    share = share.where((share > 0) & np.isfinite(share), by_count)
    customer_model = tried["predicted_net_amount"] * share
    cohorts, season = _cohort_forecasts(past_weeks, tried)
    forecasts = {
        CUSTOMER_MODEL: customer_model,
        SEASONED: customer_model * season,
        COHORTS: cohorts,
        LAST_WINDOW: tried["persisted_amount"],
        LAST_YEAR: tried["last_year_amount"],
    }
    keys = ["as_of_date", "horizon_days", "history_days", "customer_count", "actual_net_amount"]
    long = pd.concat(
        [
            tried[keys].assign(method=method, forecast_net_amount=forecast.astype(np.float64))
            for method, forecast in forecasts.items()
        ]
    ).dropna(subset=["forecast_net_amount"])
    return _with_levelled(long, float(interval_level))


def _cohort_forecasts(weeks: pd.DataFrame, windows: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """The cohorts' forecast of each window, NaN where there is none, and the season in it."""
    cohorts = pd.Series(np.nan, index=windows.index)
    season = pd.Series(1.0, index=windows.index)
    for as_of_date, group in windows.groupby("as_of_date"):
        model = _fitted(weeks[weeks["as_of_date"] == as_of_date])
        if model is not None:
            days = group["horizon_days"].to_numpy(dtype=np.float64)
            cohorts[group.index] = model.within(days)
            season[group.index] = cohorts[group.index] / model.within(days, "season")
    return cohorts, season


def _fitted(weeks: pd.DataFrame) -> CohortForecast | None:
    if weeks.empty:
        return None
    past = CohortWeeks.of(weeks, weeks["as_of_date"].iloc[0])
    return CohortForecast().fit(past) if is_enough(past) else None


def _with_levelled(tried: pd.DataFrame, interval_level: float) -> pd.DataFrame:
    """Add the levelled forecasts, date by date, each from those before it."""
    both = tried[tried["method"].isin([SEASONED, COHORTS])]
    used = tried[tried["method"].isin([SEASONED, COHORTS, LAST_WINDOW])]
    rows: list[dict[Any, Any]] = []
    for as_of_date, then in used.groupby("as_of_date"):
        past = PastErrors.of(_ended(both, as_of_date), (SEASONED, COHORTS))
        past_windows = PastErrors.of(_ended(tried, as_of_date), (LAST_WINDOW,))
        own_past = PastErrors.of(_ended(_backtest(rows), as_of_date), (LEVELLED,))
        for _, window in then.groupby("horizon_days"):
            said = window.set_index("method")["forecast_net_amount"]
            if SEASONED not in said:
                continue
            first = window.iloc[0]
            relative_horizon = first["horizon_days"] / first["history_days"]
            factor = level_factor(
                past, relative_horizon, said[SEASONED], said.get(COHORTS, math.nan)
            )
            growth = largest_log_growth(past_windows, relative_horizon, first["horizon_days"])
            largest = said.get(LAST_WINDOW, math.inf) * math.exp(growth)
            forecast = said[SEASONED] * factor
            forecast = min(forecast, largest) if largest > 0 else forecast
            lower, upper = interval_ratios(own_past, relative_horizon, interval_level)
            rows.append(
                {
                    **{str(name): value for name, value in first.items()},
                    "method": LEVELLED,
                    "forecast_net_amount": forecast,
                    "forecast_lower": forecast * lower,
                    "forecast_upper": forecast * upper,
                }
            )
    return _backtest([*tried.to_dict(orient="records"), *rows])


def _backtest(rows: Sequence[Mapping[Any, Any]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(BACKTEST_COLUMNS)).astype(BACKTEST_COLUMNS)


def _ended(tried: pd.DataFrame, as_of_date: Any) -> pd.DataFrame:  # noqa: ANN401 - a group's key
    """The windows whose outcome was known on a date."""
    ends = tried["as_of_date"] + pd.to_timedelta(tried["horizon_days"], unit="D")
    ended: pd.DataFrame = tried[ends <= as_of_date]
    return ended


@on_driver
@backtest.reproducible()
def forecast(
    cohort_weeks: Relation,
    customer_model: Relation,
    periods: Relation,
    tried: Relation,
    run: Relation,
) -> pd.DataFrame:
    """The level of each future period.

    Args:
        cohort_weeks: int_customer_value__cohort_weeks.
        customer_model: int_customer_value__period_totals.
        periods: int_customer_value__periods.
        tried: what try_at_past_dates gave.
        run: int_customer_value__run.

    Returns:
        Per period: what both forecasts say, the factor that levels the first, how season and trend
        move the second, and between which multiples of the levelled one the period's total falls.
    """
    ahead = periods.order("period_number").df()
    totals = customer_model.order("period_number").df()
    table = ahead.merge(totals, on="period_number")
    if table.empty:
        return pd.DataFrame([], columns=list(FORECAST_COLUMNS)).astype(FORECAST_COLUMNS)
    (settings,) = run.df().to_dict(orient="records")
    weeks = cohort_weeks.filter("is_current").order("cohort_week, week_number").df()
    model = _fitted(weeks)
    days = table[["days_to_start", "days_to_end"]].to_numpy(dtype=np.float64)
    cohorts = _in_periods(model, days)
    known = _backtest(tried.order("as_of_date, horizon_days, method").df().to_dict("records"))
    past = PastErrors.of(known, (SEASONED, COHORTS))
    past_windows = PastErrors.of(known, (LAST_WINDOW,))
    own_past = PastErrors.of(known, (LEVELLED,))
    expected = table["expected_net_amount"].to_numpy(dtype=np.float64)
    season = cohorts / _in_periods(model, days, "season")
    seasoned = expected * (season if model is not None else 1.0)
    relative_horizon = days[:, 1] / max(settings["history_days"], 1)
    drawn = np.array(
        [
            amount * level_factor(past, share, float(amount), float(cohort))
            for share, amount, cohort in zip(relative_horizon, seasoned, cohorts, strict=True)
        ]
    )
    growth = largest_log_growth(past_windows, float(relative_horizon[-1]), float(days[-1, 1]))
    largest = float(table["persisted_amount"].iloc[-1]) * math.exp(growth)
    levelled = bounded(drawn, days[:, 1], largest)
    factor = np.divide(levelled, expected, out=np.ones(len(expected)), where=expected > 0)
    ratios = [
        interval_ratios(own_past, share, settings["interval_level"]) for share in relative_horizon
    ]
    return pd.DataFrame(
        {
            "period_number": table["period_number"],
            "customer_model_net_amount": expected,
            "cohort_net_amount": np.round(cohorts, 6),
            "level_factor": np.round(factor, 9),
            "season_factor": np.round(season, 9),
            "trend_factor": np.round(cohorts / _in_periods(model, days, "trend"), 9),
            "lower_ratio": np.round([lower for lower, _ in ratios], 9),
            "upper_ratio": np.round([upper for _, upper in ratios], 9),
        }
    ).astype(FORECAST_COLUMNS)


def _in_periods(model: CohortForecast | None, days: Floats, without: str | None = None) -> Floats:
    if model is None:
        return np.full(len(days), np.nan)
    start, end = (model.within(days[:, column], without) for column in (0, 1))
    return end - start
