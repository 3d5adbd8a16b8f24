"""How much of each category will be ordered in the coming weeks.

A week has every day of the week once, so what is left to forecast is a level, a trend that fades,
and the time of the year. Levels are exponentially smoothed, with damped trends (Gardner and
McKenzie 1985). The season is what the same weeks brought a year ago, over those a year before
today; of a category it is drawn to the whole shop's. How fast to forget, whether to follow the
trend and how far to believe the season is decided for all categories at once, by the errors of
forecasts made at past dates, and the mean of the best three is taken: what is common is learnt from
all, so that a small category needs no history of its own. Seasonal naive, the same week of last
year, is one of those tried.

Intervals hold as much as past errors say: their quantiles, in units of how far the category's weeks
are usually off, as in split conformal prediction (Vovk, Gammerman and Shafer 2005).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
from duckdb import DuckDBPyRelation as Relation
from numpy.typing import NDArray

from customer_value import backtest
from customer_value.spark_frames import on_driver

Floats = NDArray[np.float64]

MEASURES = ("quantity", "order_count", "amount")
HORIZON = 13
YEAR = 52
# So many weeks before a date a year ago tell the level then.
BASE_WEEKS = 8
FEWEST_WEEKS = 8
# Past dates to forecast from: every second week of the last year and a half.
ORIGIN_WEEKS, ORIGIN_STEP = 78, 2
RETENTIONS = (0.05, 0.1, 0.2, 0.35, 0.6)
TREND_GAIN, TREND_DAMPING = 0.1, 0.9
SEASON_WEIGHTS = (0.0, 0.5, 1.0)
# Weeks of the shop's season that a category's own is mixed with.
LENT_WEEKS = 8.0
COMBINED = 3
# Of fewer past errors of a horizon a quantile says little; then the normal distribution's.
FEWEST_ERRORS = 40
HORIZON_BANDS = np.array([0, 0, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 3])
NAIVE = "seasonal_naive"
DEFAULT = (0.2, False, 0.0)

FORECAST_COLUMNS = {
    "category": "string",
    "period_number": "int64",
    **{
        f"{measure}_{part}": "float64"
        for measure in MEASURES
        for part in ("forecast", "lower", "upper", "recent_mean")
    },
    "forecast_method": "string",
    "history_weeks": "int64",
}
BACKTEST_COLUMNS = {
    "measure": "string",
    "scope": "string",
    "period_number": "int64",
    "method": "string",
    "absolute_error_rate": "float64",
    "bias_rate": "float64",
    "coverage_rate": "float64",
    "season_weeks": "int64",
    "origin_count": "int64",
    "case_count": "int64",
}

# How fast a level forgets, whether it follows a trend, how far the season is believed; or NAIVE.
Candidate = tuple[float, bool, float] | str
LEVELS = [*product(RETENTIONS, (False, True))]
CANDIDATES: list[Candidate] = [
    *((gain, has_trend, weight) for gain, has_trend in LEVELS for weight in SEASON_WEIGHTS),
    NAIVE,
]


@dataclass(frozen=True)
class Panel:
    """Weeks of categories, the oldest first.

    Attributes:
        totals: of shape (weeks, categories), none below 0.
    """

    totals: Floats

    def levels(self) -> dict[tuple[float, bool], tuple[Floats, Floats]]:
        """Level and trend after each week, each of shape (weeks, categories)."""
        return {
            (gain, has_trend): _smoothed(self.totals, gain, TREND_GAIN if has_trend else 0.0)
            for gain, has_trend in LEVELS
        }

    def season(self, weeks: int, levels: Floats) -> Floats | None:
        """What the coming weeks were a year ago, over the level then: (HORIZON, categories).

        Args:
            weeks: how many are known. None where they do not reach far enough back.
            levels: after each week, as today's is smoothed, so that both lag alike.
        """
        start = weeks - YEAR
        if start < BASE_WEEKS:
            return None
        own = levels[start - 1]
        # The mean of three weeks: holidays move, and a single one is mostly noise.
        after = np.stack(
            [
                self.totals[start + ahead - 1 : start + ahead + 2].mean(axis=0)
                for ahead in range(HORIZON)
            ]
        )
        whole = float(own.sum())
        shop = after.sum(axis=1, keepdims=True) / whole if whole > 0 else np.ones((HORIZON, 1))
        typical = max(float(own.mean()), 1e-9)
        # A category with as much as a typical one is half its own.
        trust = own / (own + typical)
        change = np.divide(after, own, out=np.ones_like(after), where=own > 0)
        return np.asarray(trust * np.clip(change, 0.1, 10) + (1 - trust) * np.clip(shop, 0.1, 10))


def _smoothed(values: Floats, gain: float, trend_gain: float) -> tuple[Floats, Floats]:
    # Early on a level is the mean of what there is, until so many weeks are remembered.
    level, trend = np.zeros(values.shape[1]), np.zeros(values.shape[1])
    levels, trends = np.empty_like(values), np.empty_like(values)
    for week, value in enumerate(values):
        now = max(gain, 1 / (week + 1))
        expected = level + TREND_DAMPING * trend
        next_level = now * value + (1 - now) * expected
        if week:
            trend = trend_gain * (next_level - level) + (1 - trend_gain) * TREND_DAMPING * trend
        level = next_level
        levels[week], trends[week] = level, trend
    return levels, trends


@dataclass(frozen=True)
class Trial:
    """Forecasts of one measure from past dates and from today, by every candidate.

    Attributes:
        panel: the weeks.
        origins: how many weeks were known at each date; the last one is today.
        forecasts: by candidate, of shape (origins, HORIZON, categories).
        scale: of shape (origins, categories), how far a week usually was from the level then.
    """

    panel: Panel
    origins: NDArray[np.int64]
    forecasts: Mapping[Candidate, Floats]
    scale: Floats

    @classmethod
    def of(cls, panel: Panel) -> Trial:
        """Forecast from every date that has enough weeks before it."""
        weeks = len(panel.totals)
        first = max(FEWEST_WEEKS, weeks - ORIGIN_WEEKS)
        origins = np.arange(weeks, min(first, weeks) - 1, -ORIGIN_STEP, dtype=np.int64)[::-1]
        levels = panel.levels()
        forecasts: dict[Candidate, Floats] = {}
        ahead = np.arange(1, HORIZON + 1)
        damped = np.cumsum(TREND_DAMPING**ahead)[:, None]
        for candidate in CANDIDATES:
            rows = []
            for known in origins:
                if isinstance(candidate, str):
                    rows.append(naive(panel.totals[:known]))
                    continue
                gain, has_trend, weight = candidate
                level, trend = (part[known - 1] for part in levels[gain, has_trend])
                path = np.maximum(level + damped * trend * has_trend, 0)
                season = panel.season(int(known), levels[gain, False][0]) if weight else None
                rows.append(path if season is None else path * season**weight)
            forecasts[candidate] = np.stack(rows)
        return cls(panel, origins, forecasts, _scales(panel.totals, origins))

    def actual(self) -> Floats:
        """What came, of the shape of forecasts; NaN where it has not come yet."""
        weeks = self.origins[:, None] + np.arange(HORIZON)
        padded = np.vstack(
            [self.panel.totals, np.full((HORIZON, self.panel.totals.shape[1]), np.nan)]
        )
        return np.asarray(padded[weeks])

    def combined(self) -> tuple[Floats, list[list[Candidate]]]:
        """The mean of the best three candidates, chosen at each date by what had come before it.

        No two of them are of one level: of each level the best weight of the season enters, none
        where it makes no difference.

        Returns:
            Of the shape of forecasts, and the three of each date.
        """
        actual = self.actual()
        stacked = np.stack([self.forecasts[name] for name in CANDIDATES])
        errors = np.abs(stacked - actual).sum(axis=3, where=~np.isnan(actual))
        # Candidates of one level stand together; the naive one is the last.
        starts = np.arange(1, len(LEVELS) + 1) * len(SEASON_WEIGHTS)
        groups = np.split(np.arange(len(CANDIDATES)), starts)
        chosen, means = [], []
        for position, known in enumerate(self.origins):
            ended = self._ended(int(known))
            best = [CANDIDATES.index(DEFAULT)]
            if ended.sum() >= HORIZON:
                total = errors[:, ended].sum(axis=1)
                finalists = np.array([group[int(np.argmin(total[group]))] for group in groups])
                order = np.argsort(total[finalists], kind="stable")
                best = list(finalists[order[:COMBINED]])
            chosen.append([CANDIDATES[place] for place in best])
            means.append(stacked[best, position].mean(axis=0))
        return np.stack(means), chosen

    def _ended(self, known: int) -> NDArray[np.bool_]:
        """Of which dates and weeks ahead the outcome was known, of shape (origins, HORIZON)."""
        return (self.origins[:, None] + np.arange(1, HORIZON + 1)) <= known

    def bounds(self, forecasts: Floats, level: float) -> tuple[Floats, Floats]:
        """Between what each forecast's actual falls, by errors that were known at its date.

        Args:
            forecasts: what combined gives.
            level: how often it is to fall between, in 0..1.
        """
        actual = self.actual()
        unit = self.scale[:, None, :] * np.ones((1, HORIZON, 1))
        off = (actual - forecasts) / unit
        lower, upper = np.empty_like(forecasts), np.empty_like(forecasts)
        tails = ((1 - level) / 2, (1 + level) / 2)
        normal = NormalDist().inv_cdf(tails[1])
        for position, known in enumerate(self.origins):
            ended = self._ended(int(known))
            for band in range(HORIZON_BANDS[-1] + 1):
                weeks = np.flatnonzero(band == HORIZON_BANDS)
                past = off[:, weeks][ended[:, weeks]]
                past = past[~np.isnan(past)]
                ends = np.quantile(past, tails) if len(past) >= FEWEST_ERRORS else (-normal, normal)
                for out, end in zip((lower, upper), ends, strict=True):
                    out[position, weeks] = forecasts[position, weeks] + end * unit[position, weeks]
        # What is forecast lies within what is held possible, and nothing is below 0.
        return (
            np.maximum(np.minimum(lower, forecasts), 0),
            np.maximum(upper, forecasts),
        )


def naive(known: Floats) -> Floats:
    """The same week of last year; with less than a year, the last week.

    Args:
        known: of shape (weeks, categories).

    Returns:
        Of shape (HORIZON, categories).
    """
    if len(known) < YEAR:
        return np.repeat(known[-1:], HORIZON, axis=0)
    return known[len(known) - YEAR : len(known) - YEAR + HORIZON]


def _scales(values: Floats, origins: NDArray[np.int64]) -> Floats:
    levels, _ = _smoothed(values, 0.1, 0.0)
    before = np.vstack([values[:1], levels[:-1]])
    squares, _ = _smoothed((values - before) ** 2, 0.1, 0.0)
    # No week is nearer than chance lets counts be, nor a category that lay still quite certain.
    floor = np.maximum(0.5 * np.sqrt(np.maximum(levels, 0)), 1e-3)
    return np.asarray(np.maximum(np.sqrt(squares), floor)[origins - 1])


def panels(weeks: pd.DataFrame) -> tuple[list[str], dict[str, Panel]]:
    """The categories, and their weeks by measure.

    Args:
        weeks: int_customer_value__category_weeks.
    """
    categories = sorted(weeks["category"].unique())
    last = int(weeks["weeks_ago"].max())
    shape = (last, len(categories))
    rows = last - weeks["weeks_ago"].to_numpy()
    columns = pd.Index(categories).get_indexer(weeks["category"])
    found = {}
    for measure in MEASURES:
        values = np.zeros(shape)
        values[rows, columns] = weeks[measure].to_numpy(dtype=np.float64)
        found[measure] = Panel(values)
    return categories, found


@on_driver
@backtest.reproducible()
def forecast(weeks: Relation, run: Relation) -> pd.DataFrame:
    """The coming thirteen weeks of every category.

    Args:
        weeks: int_customer_value__category_weeks.
        run: int_customer_value__run.

    Returns:
        One row per category and week; none with fewer than FEWEST_WEEKS weeks of history.
    """
    known = weeks.order("category, weeks_ago").df()
    if known.empty or known["weeks_ago"].max() < FEWEST_WEEKS:
        return pd.DataFrame(columns=list(FORECAST_COLUMNS)).astype(FORECAST_COLUMNS)
    ((level,),) = run.select("interval_level").fetchall()
    categories, by_measure = panels(known)
    columns: dict[str, Any] = {
        "category": np.repeat(categories, HORIZON),
        "period_number": np.tile(np.arange(1, HORIZON + 1), len(categories)),
    }
    for measure, panel in by_measure.items():
        trial = Trial.of(panel)
        combined, chosen = trial.combined()
        lower, upper = trial.bounds(combined, level)
        recent = np.broadcast_to(panel.totals[-HORIZON:].mean(axis=0), combined[-1].shape)
        for part, values in (
            ("forecast", combined[-1]),
            ("lower", lower[-1]),
            ("upper", upper[-1]),
            ("recent_mean", recent),
        ):
            columns[f"{measure}_{part}"] = values.T.ravel()
        columns["forecast_method"] = "; ".join(map(_words, chosen[-1]))
        columns["history_weeks"] = len(panel.totals)
    return pd.DataFrame(columns)[list(FORECAST_COLUMNS)].astype(FORECAST_COLUMNS)


def _words(candidate: Candidate) -> str:
    if isinstance(candidate, str):
        return "same week of last year"
    gain, has_trend, weight = candidate
    trend = " with trend" if has_trend else ""
    season = f" and {weight:.0%} of the season" if weight else ""
    return f"level of about {round(2 / gain - 1)} weeks{trend}{season}"


@on_driver
@backtest.reproducible()
def try_out_of_time(weeks: Relation, run: Relation) -> pd.DataFrame:
    """How true forecasts of past dates came, beside seasonal naive and the recent mean.

    Args:
        weeks: int_customer_value__category_weeks.
        run: int_customer_value__run.

    Returns:
        Per measure, scope, week ahead and method: the sum of absolute errors and of errors over
        what came, and of the forecasts how often it fell within the interval. Each forecast knew
        what came before its date alone, its method and interval included.
    """
    known = weeks.order("category, weeks_ago").df()
    if known.empty or known["weeks_ago"].max() < FEWEST_WEEKS + 2 * HORIZON:
        return pd.DataFrame(columns=list(BACKTEST_COLUMNS)).astype(BACKTEST_COLUMNS)
    ((level,),) = run.select("interval_level").fetchall()
    rows = []
    for measure, panel in panels(known)[1].items():
        trial = Trial.of(panel)
        combined, _ = trial.combined()
        lower, upper = trial.bounds(combined, level)
        actual = trial.actual()
        recent = np.stack(
            [
                np.repeat(panel.totals[max(n - HORIZON, 0) : n].mean(axis=0)[None], HORIZON, axis=0)
                for n in trial.origins
            ]
        )
        # From where a choice among candidates was possible on.
        is_tried = trial.origins >= trial.origins[0] + HORIZON
        methods = {"forecast": combined, NAIVE: trial.forecasts[NAIVE], "recent_mean": recent}
        for ahead, (method, said) in product(range(HORIZON), methods.items()):
            came = actual[:, ahead]
            used = is_tried & ~np.isnan(came[:, 0])
            if not used.any():
                continue
            came, told = came[used], said[used, ahead]
            held = (lower[used, ahead] <= came) & (came <= upper[used, ahead])
            for scope, ours, theirs in (
                ("category", told, came),
                ("total", told.sum(axis=1), came.sum(axis=1)),
            ):
                total = theirs.sum()
                if total <= 0:
                    continue
                rows.append(
                    {
                        "measure": measure,
                        "scope": scope,
                        "period_number": ahead + 1,
                        "method": method,
                        "absolute_error_rate": np.abs(ours - theirs).sum() / total,
                        "bias_rate": (ours - theirs).sum() / total,
                        "coverage_rate": held.mean()
                        if method == "forecast" and scope == "category"
                        else np.nan,
                        "season_weeks": YEAR if trial.origins[used].max() >= YEAR else 1,
                        "origin_count": used.sum(),
                        "case_count": ours.size,
                    }
                )
    return pd.DataFrame(rows, columns=list(BACKTEST_COLUMNS)).astype(BACKTEST_COLUMNS)
