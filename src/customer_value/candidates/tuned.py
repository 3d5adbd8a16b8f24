"""Which setting a candidate is fitted with at a date: what the latest search by then came to."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import pandas as pd

from customer_value.candidates import tuning
from customer_value.candidates.candidate import Candidate


@dataclass(frozen=True)
class Tuned:
    """What searches chose for the candidates of one target.

    Attributes:
        searched_on: the as_of_date of the run that searched, or None where none has.
        chosen: by candidate the settings that were chosen, in the order of time, each with
            ``known_by``: examples whose windows ended later were not looked at.
    """

    searched_on: dt.date | None = None
    chosen: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)

    def setting(self, candidate: Candidate, date: dt.date) -> dict[str, Any]:
        """The latest choice that knew nothing beyond the date, or else the default."""
        known = [
            dict(choice["setting"])
            for choice in self.chosen.get(candidate.name, ())
            if dt.date.fromisoformat(choice["known_by"]) <= date
        ]
        if known and _is_offered(known[-1], candidate):
            return known[-1]
        return dict(candidate.settings[0])

    def to_json(self) -> str:
        """All of it as text."""
        searched_on = None if self.searched_on is None else self.searched_on.isoformat()
        return json.dumps({"searched_on": searched_on, "chosen": self.chosen}, sort_keys=True)

    @classmethod
    def from_json(cls, told: object) -> Self:
        """What to_json told of; nothing was tuned where there is no text."""
        if not isinstance(told, str):
            return cls()
        read = json.loads(told)
        searched_on = read["searched_on"]
        return cls(searched_on and dt.date.fromisoformat(searched_on), read["chosen"])


def searched(
    candidates: Sequence[Candidate],
    known: Mapping[dt.date, pd.DataFrame],
    run: Mapping[str, Any],
    of_run: pd.DataFrame,
) -> Tuned:
    """Search the settings of a target's candidates, for past dates and for the run's own.

    Args:
        candidates: those that the run tries.
        known: by past date, in the order of time, the examples whose windows had ended by it. The
            first of them that holds folds is searched: for it and all later ones, so that a
            search costs the same for any number of them and knows nothing beyond any.
        run: what the run was asked for.
        of_run: candidate_tuning, what the run has found in all examples.
    """
    chosen: dict[str, list[dict[str, Any]]] = {}
    for candidate in candidates:
        if len(candidate.settings) < 2:
            continue
        found: list[dict[str, Any]] = []
        for date, examples in known.items():
            setting, rows = tuning.search(examples, run, candidate)
            if rows:
                found.append({"known_by": date.isoformat(), "setting": setting})
                break
        own = of_run[
            (of_run["target"] == candidate.target)
            & (of_run["candidate"] == candidate.name)
            & of_run["is_chosen"].to_numpy(dtype=bool)
        ]
        if len(own):
            # Features come after the settings and tell of both.
            last = "features" if (own["step"] == "features").any() else "settings"
            told = str(own.loc[own["step"] == last, "setting"].iloc[0])
            date = run["as_of_date"]
            found.append({"known_by": date.isoformat(), "setting": json.loads(told)})
        chosen[candidate.name] = found
    return Tuned(run["as_of_date"], chosen)


def kept(rows: pd.DataFrame, as_of_date: dt.date, days: int) -> dict[str, Tuned]:
    """By target what the latest search chose, if it is no older than so many days.

    Args:
        rows: candidate_backtest as earlier runs left it.
        as_of_date: the run's; searches of later dates are not looked at.
        days: how long a search counts.
    """
    latest: dict[str, Tuned] = {}
    if "tuning" not in rows.columns:
        return latest
    for target, told in zip(rows["target"], rows["tuning"], strict=True):
        one = Tuned.from_json(told)
        if one.searched_on is None or not 0 <= (as_of_date - one.searched_on).days <= days:
            continue
        before = latest.get(str(target), one)
        if before.searched_on is None or one.searched_on >= before.searched_on:
            latest[str(target)] = one
    return latest


def _is_offered(setting: Mapping[str, Any], candidate: Candidate) -> bool:
    """Whether the candidate still lists it: an earlier version may have had others."""
    groups = set(getattr(candidate, "feature_groups", {}))
    own = {name: value for name, value in setting.items() if name != "without"}
    listed = [json.loads(json.dumps(one)) for one in candidate.settings]
    return own in listed and set(setting.get("without", ())) <= groups
