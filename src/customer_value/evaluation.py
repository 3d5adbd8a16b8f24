"""The rolling-origin backtest: every candidate at several past dates, and what follows from it.

At each origin everything is done with what was known at it: a candidate is fitted on windows that
had ended, the churn model behind an amount is the one that earlier origins would have chosen, and
probabilities are calibrated on what came of earlier forecasts. The champion is chosen by all
origins but the last, and reported on the last.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from duckdb import DuckDBPyRelation as Relation
from numpy.typing import NDArray

from customer_value import backtest, calibration, champion, intervals, metrics
from customer_value.backtest import Origin
from customer_value.calibration import Calibration
from customer_value.candidates import CANDIDATES, tuned
from customer_value.candidates.candidate import Fitted
from customer_value.candidates.targets import is_high_value
from customer_value.candidates.tuned import Tuned
from customer_value.champion import Trial
from customer_value.errors import SentenceError
from customer_value.registry import finite
from customer_value.spark_frames import on_driver

Floats = NDArray[np.float64]
Chance = Callable[[pd.DataFrame], Floats]

# Churn first: amounts are asked for its chance of an order.
TARGETS = ("churn", "spend", "high_value")
# In place of a list of names.
ALL = "all"
# At an origin a candidate is fitted on the examples of so many rows' worth of customers: enough to
# tell candidates apart, and the same for a shop of any size.
ROWS_PER_ORIGIN = 50_000
# So long the champion of a full evaluation stays the default of plain builds, and so long settings
# that were searched for are used: a quarter, in which a shop's customers seldom become others.
EVALUATION_LASTS_DAYS = 92


class UnknownCandidateError(SentenceError):
    """A var names a candidate that there is not."""


@dataclass(frozen=True)
class Verdict:
    """What the backtest of a target came to.

    Attributes:
        target: churn, spend or high_value.
        as_of_date: the run's date; nothing on or after it was known.
        is_full: whether all candidates were tried.
        default: the candidate that stays in doubt.
        champion: the one that is to be trained; reason: why.
        tuning: the settings that candidates are fitted with, at each date.
        results: one entry per origin, candidate and metric.
        calibration: for probabilities of the champion, by all origins.
        interval_bands: for amounts of the champion, by all origins; else none.
        held_out: what the report at the untouched origin was made with; empty without origins.
    """

    target: str
    as_of_date: dt.date
    is_full: bool
    default: str
    champion: str
    reason: str
    tuning: Tuned
    results: list[dict[str, Any]]
    calibration: Calibration
    interval_bands: list[dict[str, float]]
    held_out: dict[str, Any]

    def to_row(self) -> dict[str, Any]:
        """A row of candidate_backtest: names and dates, and the rest as JSON."""
        return {
            "target": self.target,
            "is_full": self.is_full,
            "as_of_date": self.as_of_date,
            "default_candidate": self.default,
            "champion": self.champion,
            "reason": self.reason,
            "tuning": self.tuning.to_json(),
            "results": json.dumps(finite(self.results)),
            "calibration": json.dumps(vars(self.calibration)),
            "interval_bands": json.dumps(self.interval_bands),
            "held_out": json.dumps(finite(self.held_out)),
        }


@on_driver
@backtest.reproducible()
def evaluate(
    relation: Relation, run_relation: Relation, searched: Relation, kept: Relation | None
) -> pd.DataFrame:
    """Backtest the candidates that the run lists, or all of them.

    Args:
        relation: training_examples.
        run_relation: int_customer_value__run.
        searched: candidate_tuning.
        kept: candidate_backtest as earlier runs left it, or None before the first.

    Returns:
        One row per target, for candidate_backtest.
    """
    examples, run = backtest.fetched(relation, run_relation)
    before = pd.DataFrame() if kept is None else kept.df()
    incumbents, settings = {}, {}
    if len(before):
        incumbents = _evaluated(before, run["as_of_date"])
        settings = tuned.kept(before, run["as_of_date"], EVALUATION_LASTS_DAYS)
    found = searched.df() if run["is_tuned"] else None
    judged = verdicts(examples, run, incumbents, settings, found)
    return pd.DataFrame([verdict.to_row() for verdict in judged])


def verdicts(
    examples: pd.DataFrame,
    run: Mapping[str, Any],
    incumbents: Mapping[str, str],
    settings: Mapping[str, Tuned] | None = None,
    searched: pd.DataFrame | None = None,
) -> list[Verdict]:
    """Each target's verdict.

    Args:
        examples: rows of training_examples, in the order of their key.
        run: what the run was asked for, as int_customer_value__run has it.
        incumbents: by target the champion of a recent full evaluation, where there is one. It
            takes the place of the default, first of its list.
        settings: by target what a recent search chose, where there is one.
        searched: candidate_tuning where this run searches, and then past dates are searched too.
    """
    dates = backtest.origins(examples, run)
    judged: list[Verdict] = []
    chances: Mapping[dt.date, Chance] = {}
    for target in TARGETS:
        names, is_full = candidate_names(target, run)
        default = incumbents.get(target, names[0])
        listed = [default, *(name for name in names if name != default)]
        tuning = (settings or {}).get(target, Tuned())
        if searched is not None:
            candidates = [CANDIDATES[target][name] for name in listed]
            known = {origin.as_of_date: origin.earlier for origin in dates}
            tuning = tuned.searched(candidates, known, run, searched)
        trials = {
            name: [_trial(target, name, origin, run, tuning, chances) for origin in dates]
            for name in listed
        }
        if target == "churn":
            chances = {
                origin.as_of_date: _chance_of_an_order(default, trials, number)
                for number, origin in enumerate(dates)
            }
        judged.append(
            _verdict(target, default, trials, run, tuning, chances, dates, is_full=is_full)
        )
    return judged


def candidate_names(target: str, run: Mapping[str, Any]) -> tuple[list[str], bool]:
    """The candidates that the run lists, the default first, and whether that is all there are.

    Raises:
        UnknownCandidateError: there is none of a name.
    """
    known = CANDIDATES[target]
    asked = str(run[f"{target}_candidates"])
    if asked == ALL:
        return list(known), True
    names = [name.strip() for name in asked.split(",")]
    unknown = [name for name in names if name not in known]
    if unknown:
        message = (
            f"{target}_candidates names {', '.join(unknown)}, which is no candidate; "
            f"there are {', '.join(known)}, or all."
        )
        raise UnknownCandidateError(message)
    return names, False


def actual_of(target: str, examples: pd.DataFrame) -> Floats:
    """What happened: 0 or 1, or a net amount in currency."""
    if target == "churn":
        return examples["is_churned_in_horizon"].to_numpy(dtype=np.float64)
    if target == "high_value":
        return is_high_value(examples).astype(np.float64)
    return examples["net_amount_in_horizon"].to_numpy(dtype=np.float64)


def _trial(  # noqa: PLR0913, PLR0917 - the parts of one trial
    target: str,
    name: str,
    origin: Origin,
    run: Mapping[str, Any],
    tuning: Tuned,
    chances: Mapping[dt.date, Chance],
) -> Trial:
    candidate = CANDIDATES[target][name]
    earlier = backtest.sampled(origin.earlier, ROWS_PER_ORIGIN)
    later = origin.later[target]
    if target == "spend":
        chance = chances[origin.as_of_date]
        earlier = earlier.assign(order_probability=chance(earlier))
        later = later.assign(order_probability=chance(later))
    setting = tuning.setting(candidate, origin.as_of_date)
    fitted = candidate.fit(earlier, run, **setting)
    return Trial(
        name,
        candidate.is_naive,
        origin.as_of_date,
        origin.window_end(target),
        origin.horizon_days(target),
        origin.is_untouched,
        fitted,
        fitted.predict(later),
        actual_of(target, later),
        backtest.customer_positions(later),
        setting,
    )


def _chance_of_an_order(default: str, trials: Mapping[str, Sequence[Trial]], number: int) -> Chance:
    """What the churn champion of the origins before says of examples, calibrated by them."""
    date = trials[default][number].as_of_date
    name = champion.choose("churn", default, trials, date).candidate
    fitted = trials[name][number].fitted
    line = calibration.agreed(_said(trials[name], date))
    return lambda examples: 1 - line.applied(fitted.predict(examples))


def _said(trials: Sequence[Trial], known_by: dt.date) -> list[tuple[Floats, Floats]]:
    return [(trial.actual, trial.predicted) for trial in trials if trial.window_end <= known_by]


def _verdict(  # noqa: PLR0913, PLR0917 - the parts of one backtest
    target: str,
    default: str,
    trials: Mapping[str, Sequence[Trial]],
    run: Mapping[str, Any],
    tuning: Tuned,
    chances: Mapping[dt.date, Chance],
    dates: Sequence[Origin],
    *,
    is_full: bool,
) -> Verdict:
    level = run["interval_level"]
    if not dates:
        bands = [intervals.band_without_evidence(level)] if target == "spend" else []
        reason = "default: too short a history, or too few customers, for a backtest"
        as_of_date = run["as_of_date"]
        return Verdict(
            target,
            as_of_date,
            is_full,
            default,
            default,
            reason,
            tuning,
            [],
            Calibration(),
            bands,
            {},
        )
    last = dates[-1].as_of_date
    choice = champion.choose(target, default, trials, last)
    chosen = trials[choice.candidate]
    line, line_then, bands, bands_then = Calibration(), Calibration(), [], []
    if target == "spend":
        ratios = [
            _ratios(trial, chances[origin.as_of_date](origin.later[target]))
            for trial, origin in zip(chosen, dates, strict=True)
        ]
        bands_then = _bands(
            [r for r, t in zip(ratios, chosen, strict=True) if t.window_end <= last], level
        )
        bands = _bands(ratios, level)
    else:
        line_then = calibration.agreed(_said(chosen, last))
        line = calibration.agreed(_said(chosen, run["as_of_date"]))
    held_out = {
        "as_of_date": last.isoformat(),
        "horizon_days": chosen[-1].horizon_days,
        "customer_count": len(chosen[-1].actual),
        "candidate": choice.candidate,
        "fitted": chosen[-1].fitted.to_dict(),
        "calibration": vars(line_then),
        "interval_bands": bands_then,
        "metrics": _report(target, choice.candidate, trials, line_then),
    }
    return Verdict(
        target,
        run["as_of_date"],
        is_full,
        default,
        choice.candidate,
        choice.reason,
        tuning,
        _results(target, choice.candidate, trials),
        line,
        bands,
        held_out,
    )


def _ratios(trial: Trial, chance: Floats) -> tuple[Floats, Floats]:
    return chance, trial.actual / np.maximum(trial.predicted, np.finfo(np.float64).tiny)


def _bands(ratios: Sequence[tuple[Floats, Floats]], level: float) -> list[dict[str, float]]:
    if not ratios:
        return [intervals.band_without_evidence(level)]
    chance, ratio = (np.concatenate(parts) for parts in zip(*ratios, strict=True))
    origin = np.repeat(np.arange(len(ratios)), [len(ratio) for _, ratio in ratios])
    return intervals.interval_bands(chance, ratio, level, origin)


def _results(
    target: str, chosen: str, trials: Mapping[str, Sequence[Trial]]
) -> list[dict[str, Any]]:
    """Every metric of every trial, and how much the champion gains on it."""
    rows = []
    for name, tried in trials.items():
        for trial, champions in zip(tried, trials[chosen], strict=True):
            score = metrics.SCORES[target]
            champions_gain: tuple[float, float | None] = (
                score(trial.actual, trial.predicted) - score(champions.actual, champions.predicted),
                None,
            )
            if trial.is_untouched and name != chosen:
                gained = champion.gain(score, [champions], [trial])
                champions_gain = (gained.value, gained.standard_error)
            figures = {
                metric: (function(trial.actual, trial.predicted), None)
                for metric, function in metrics.METRICS[target].items()
            } | {
                "score": (score(trial.actual, trial.predicted), None),
                "champion_gain": champions_gain,
            }
            rows += [
                {
                    "origin_date": trial.as_of_date.isoformat(),
                    "horizon_days": trial.horizon_days,
                    "candidate": name,
                    "metric": metric,
                    "value": _rounded(value),
                    "standard_error": _rounded(error),
                    "customer_count": len(trial.actual),
                    "is_naive": trial.is_naive,
                    "is_champion": name == chosen,
                    "is_untouched": trial.is_untouched,
                    "fit_health": trial.fitted.health,
                    "setting": json.dumps(trial.setting, sort_keys=True),
                }
                for metric, (value, error) in figures.items()
            ]
    return rows


def _report(
    target: str, chosen: str, trials: Mapping[str, Sequence[Trial]], line: Calibration
) -> list[dict[str, Any]]:
    """The metrics of the untouched origin, those of the champion as calibrated."""
    last = {name: tried[-1] for name, tried in trials.items()}
    rows = []
    for name, trial in last.items():
        predicted = trial.predicted
        if name == chosen and target != "spend":
            predicted = line.applied(predicted)
        for metric, function in metrics.METRICS[target].items():
            naive = [function(t.actual, t.predicted) for t in last.values() if t.is_naive]
            rows.append(
                {
                    "split": "out_of_time",
                    "split_as_of_date": trial.as_of_date.isoformat(),
                    "horizon_days": trial.horizon_days,
                    "customer_count": len(trial.actual),
                    "candidate": name,
                    "is_naive": trial.is_naive,
                    "metric": metric,
                    "value": _rounded(function(trial.actual, predicted)),
                    "uncalibrated_value": _rounded(function(trial.actual, trial.predicted)),
                    "baseline_value": _rounded(_best(metric, naive)),
                }
            )
    return rows


def _best(metric: str, values: Sequence[float]) -> float | None:
    """The best of the figures that are defined, or None."""
    defined = [value for value in values if np.isfinite(value)]
    return min(defined, key=lambda value: metrics.distance(metric, value)) if defined else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), 9)


def _evaluated(kept: pd.DataFrame, as_of_date: dt.date) -> dict[str, str]:
    """By target the champion of the latest full evaluation that still counts and still exists."""
    dates = pd.to_datetime(kept["as_of_date"]).dt.date
    ages = np.array([(as_of_date - date).days for date in dates])
    full = kept[
        kept["is_full"].to_numpy(dtype=bool) & (ages >= 0) & (ages <= EVALUATION_LASTS_DAYS)
    ]
    latest = full.sort_values("as_of_date").groupby("target")["champion"].last()
    return {
        str(target): str(name)
        for target, name in latest.items()
        if name in CANDIDATES.get(str(target), {})
    }


def newest_verdict(verdicts: pd.DataFrame, target: str, as_of_date: dt.date) -> dict[str, Any]:
    """That of this run: the latest by its date, and of one date the full evaluation."""
    dates = pd.to_datetime(verdicts["as_of_date"]).dt.date
    of_target = verdicts[(verdicts["target"] == target) & (dates <= as_of_date)]
    (newest,) = of_target.sort_values(["as_of_date", "is_full"]).tail(1).to_dict(orient="records")
    return {str(name): value for name, value in newest.items()}


def fitted_chance(fitted: Fitted, line: Calibration) -> Chance:
    """The chance of an order by a fitted churn model and its calibration."""
    return lambda examples: 1 - line.applied(fitted.predict(examples))
