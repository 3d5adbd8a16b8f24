"""What customers do next, and which steps lead to a purchase: Markov chains of events.

Everything comes from how often an event followed two others, so it costs the same whatever the
number of events. Longer contexts are drawn to shorter ones by how little they have been seen
(Witten and Bell 1991; Chen and Goodman 1999), down to all outcomes alike. The chance of a purchase
is that of a chain in which purchase and exit absorb (Kemeny and Snell 1960). What a step is worth
is what is lost without it: the removal effect (Anderl, Becker, von Wangenheim and Schumann 2016).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from duckdb import DuckDBPyRelation as Relation
from numpy.typing import NDArray

from customer_value import backtest
from customer_value.spark_frames import on_driver

Floats = NDArray[np.float64]

START, PURCHASE, EXIT, ANY = "(start)", "(purchase)", "(exit)", "(any)"
# Of fewer a pair of events is no context of its own: one event tells as much.
MINIMUM_CONTEXT = 30
METHODS = ("no_context", "first_order", "second_order")

TRANSITION_COLUMNS = {
    "chain_order": "int64",
    "event_before": "string",
    "from_event": "string",
    "to_event": "string",
    "transition_count": "int64",
    "context_count": "int64",
    "next_event_probability": "float64",
    "prediction_rank": "int64",
    "purchase_probability": "float64",
}
STEP_COLUMNS = {
    "path_event": "string",
    "all_path_count": "int64",
    "all_purchase_count": "int64",
    "overall_conversion": "float64",
    "purchase_probability": "float64",
    "exit_rate": "float64",
    "conversion_if_removed": "float64",
    "conversion_if_avoided": "float64",
}
METRIC_COLUMNS = {
    "prediction": "string",
    "method": "string",
    "metric": "string",
    "metric_value": "float64",
    "is_used": "bool",
    "case_count": "int64",
}


@dataclass(frozen=True)
class Chain:
    """How often each event followed, by the event before and the one before that.

    Attributes:
        befores: names of the second event back, one per first axis of counts.
        events: names of the last event, one per second axis; the start among them.
        outcomes: names of what followed, one per third axis; the exit among them.
        counts: of shape (befores, events, outcomes).
    """

    befores: Sequence[str]
    events: Sequence[str]
    outcomes: Sequence[str]
    counts: Floats

    @property
    def first_order_counts(self) -> Floats:
        """Counts by the last event alone, of shape (events, outcomes)."""
        return np.asarray(self.counts.sum(axis=0))

    def probabilities(self) -> tuple[Floats, Floats, Floats]:
        """What follows, by no context, by the last event, and by the last two.

        Returns:
            Of shapes (events, outcomes), the same, and (befores, events, outcomes). No session
            exits before it has an event: that is impossible in each of them.
        """
        possible = np.ones((len(self.events), len(self.outcomes)))
        if EXIT in self.outcomes and START in self.events:
            possible[self.events.index(START), self.outcomes.index(EXIT)] = 0
        first = self.first_order_counts
        # Without a context an event is told by those that followed where it was possible at all.
        alike = possible / np.maximum(possible.sum(axis=1, keepdims=True), 1)
        none = drawn(np.asarray(first.sum(axis=0)) * possible, alike)
        one = drawn(first, none)
        return none, one, drawn(self.counts, one[np.newaxis])

    def purchase_chances(self) -> Floats:
        """The chance that a purchase comes before the exit, from each outcome on.

        Returns:
            Of shape (outcomes,): 1 for the purchase, 0 for the exit.
        """
        inside = [name for name in self.outcomes if name not in {PURCHASE, EXIT}]
        chances = dict(zip(inside, _absorbed(*self._rows(inside)), strict=True))
        return np.array(
            [float(name == PURCHASE) or chances.get(name, 0.0) for name in self.outcomes]
        )

    def _rows(self, inside: Sequence[str]) -> tuple[Floats, Floats]:
        """Shares of transitions among events that don't absorb, and from them to the purchase."""
        shares = self._shares(inside)
        among = shares[:, [self.outcomes.index(name) for name in inside]]
        bought = (
            shares[:, self.outcomes.index(PURCHASE)]
            if PURCHASE in self.outcomes
            else np.zeros(len(inside))
        )
        return among, bought

    def _shares(self, names: Sequence[str]) -> Floats:
        counts = pd.DataFrame(self.first_order_counts, index=list(self.events))
        rows = counts.reindex(list(names), fill_value=0.0).to_numpy()
        total = rows.sum(axis=1, keepdims=True)
        return np.asarray(np.divide(rows, total, out=np.zeros_like(rows), where=total > 0))


def chain(contexts: pd.DataFrame, names: pd.DataFrame | None = None) -> Chain:
    """The counts of contexts as an array.

    Args:
        contexts: int_customer_value__event_contexts, or a part of it.
        names: rows whose events are to have a place too, also where contexts lacks them.
    """
    named = contexts if names is None else names
    befores, events, outcomes = (
        sorted(named[column].unique()) for column in ("event_before", "from_event", "to_event")
    )
    counts = np.zeros((len(befores), len(events), len(outcomes)))
    places = tuple(
        pd.Index(axis).get_indexer(contexts[column])
        for axis, column in (
            (befores, "event_before"),
            (events, "from_event"),
            (outcomes, "to_event"),
        )
    )
    np.add.at(counts, places, contexts["transition_count"].to_numpy(dtype=np.float64))
    return Chain(befores, events, outcomes, counts)


def drawn(counts: Floats, shorter: Floats) -> Floats:
    """Shares, drawn to those of a shorter context by how many different outcomes were seen.

    Witten and Bell's: of n cases with t different outcomes, a new one is expected t times in n + t.

    Args:
        counts: of shape (..., outcomes).
        shorter: probabilities of the shorter context, of a shape that counts can be broadcast with.

    Returns:
        Of the shape of counts; where a context was never seen, those of the shorter one.
    """
    total = counts.sum(axis=-1, keepdims=True)
    kinds = np.maximum((counts > 0).sum(axis=-1, keepdims=True), 1)
    probabilities: Floats = (counts + kinds * shorter) / (total + kinds)
    return probabilities


def _absorbed(among: Floats, bought: Floats) -> Floats:
    """The chance of a purchase from each event: (I - among) chance = bought.

    Rows that never leave, such as an event seen in open sessions alone, count as exits.
    """
    system = np.eye(len(among)) - among * (1 - 1e-12)
    return np.asarray(np.clip(np.linalg.solve(system, bought), 0.0, 1.0))


@on_driver
@backtest.reproducible()
def transitions(contexts: Relation) -> pd.DataFrame:
    """What follows each context, and the chance of a purchase from there.

    Args:
        contexts: int_customer_value__event_contexts.

    Returns:
        One row per context and outcome. Contexts are pairs of events that were seen
        MINIMUM_CONTEXT times, each event alone, and none at all; `(any)` stands for what a context
        leaves open. Outcomes that were never seen are left out, apart from those of no context.
    """
    frame = _read(contexts)
    if frame.empty:
        return pd.DataFrame(columns=list(TRANSITION_COLUMNS)).astype(TRANSITION_COLUMNS)
    found = chain(frame)
    none, one, two = found.probabilities()
    chances = found.purchase_chances()
    first = found.first_order_counts
    everywhere = first.sum(axis=0)
    rows = [_rows_of(0, [ANY], [ANY], everywhere[None, None], _overall(none, first)[None, None])]
    rows.append(_rows_of(1, [ANY], found.events, first[np.newaxis], one[np.newaxis]))
    rows.append(_rows_of(2, found.befores, found.events, found.counts, two))
    table = pd.concat(
        [
            part.assign(to_event=np.tile(found.outcomes, len(part) // len(found.outcomes)))
            for part in rows
        ]
    )
    table["chance"] = table["next_event_probability"] * np.tile(chances, len(table) // len(chances))
    keys = ["chain_order", "event_before", "from_event"]
    groups = table.groupby(keys)
    table["context_count"] = groups["transition_count"].transform("sum")
    table["purchase_probability"] = groups["chance"].transform("sum").clip(0.0, 1.0)
    is_kept = (table["context_count"] > 0) & (table["transition_count"] > 0)
    is_kept &= (table["chain_order"] < 2) | (table["context_count"] >= MINIMUM_CONTEXT)
    table = table[is_kept].sort_values(
        [*keys, "next_event_probability", "to_event"], ascending=[True] * 3 + [False, True]
    )
    table["prediction_rank"] = table.groupby(keys).cumcount() + 1
    return table[list(TRANSITION_COLUMNS)].astype(TRANSITION_COLUMNS).reset_index(drop=True)


def _overall(none: Floats, first: Floats) -> Floats:
    """What follows without any context: the start's rows differ, so all are weighed."""
    weights = first.sum(axis=1)
    return np.asarray(weights @ none / weights.sum())


def _rows_of(
    order: int, befores: Sequence[str], events: Sequence[str], counts: Floats, probabilities: Floats
) -> pd.DataFrame:
    size = counts.shape[-1]
    return pd.DataFrame(
        {
            "chain_order": order,
            "event_before": np.repeat(list(befores), len(events) * size),
            "from_event": np.tile(np.repeat(list(events), size), len(befores)),
            "transition_count": counts.ravel(),
            "next_event_probability": probabilities.ravel(),
        }
    )


@on_driver
@backtest.reproducible()
def measure_steps(contexts: Relation) -> pd.DataFrame:
    """What each event is worth on the way to a purchase.

    Args:
        contexts: int_customer_value__event_contexts.

    Returns:
        One row per event that is neither purchase nor exit. A path is what comes before a purchase
        or an exit; the part of a session after a purchase is a path of its own. Conversion if
        removed: whoever would come to the event leaves. If avoided: they do what others do at that
        point.
    """
    frame = _read(contexts)
    if frame.empty:
        return pd.DataFrame(columns=list(STEP_COLUMNS)).astype(STEP_COLUMNS)
    found = chain(frame)
    inside = [name for name in found.outcomes if name not in {PURCHASE, EXIT}]
    among, bought = found._rows(inside)  # noqa: SLF001 - of this module
    exits = 1 - among.sum(axis=1) - bought
    counts = pd.DataFrame(
        found.first_order_counts, index=list(found.events), columns=list(found.outcomes)
    )
    # Paths begin with a session, and after a purchase.
    begins = counts.reindex([START, PURCHASE], fill_value=0.0).sum()
    paths = begins.drop(EXIT, errors="ignore")
    begin = paths.reindex(inside).to_numpy() / max(paths.sum(), 1)
    at_once = float(paths.get(PURCHASE, 0.0)) / max(paths.sum(), 1)
    chances = _absorbed(among, bought)
    removed, avoided = [], []
    for position in range(len(inside)):
        others = np.delete(np.arange(len(inside)), position)
        left = among[np.ix_(others, others)]
        removed.append(at_once + begin[others] @ _absorbed(left, bought[others]))
        share = 1 - among[others, position]
        scale = np.divide(1.0, share, out=np.zeros_like(share), where=share > 0)
        rest = 1 - begin[position]
        chance = _absorbed(left * scale[:, None], bought[others] * scale)
        avoided.append((at_once + begin[others] @ chance) / rest if rest > 0 else 0.0)
    return (
        pd.DataFrame(
            {
                "path_event": inside,
                "all_path_count": paths.sum(),
                "all_purchase_count": counts.get(PURCHASE, pd.Series(0.0, counts.index)).sum(),
                "overall_conversion": at_once + begin @ chances,
                "purchase_probability": chances,
                "exit_rate": np.clip(exits, 0.0, 1.0),
                "conversion_if_removed": removed,
                "conversion_if_avoided": avoided,
            }
        )
        .astype(STEP_COLUMNS)
        .reset_index(drop=True)
    )


@on_driver
@backtest.reproducible()
def try_out_of_time(contexts: Relation) -> pd.DataFrame:
    """How well chains of what was before tell the recent events, beside shorter ones.

    Args:
        contexts: int_customer_value__event_contexts.

    Returns:
        One row per prediction, method and metric; none where either time has no events. The next
        event: log loss, and how often it is the likeliest or among the three likeliest. A purchase
        in the session: log loss and Brier score.
    """
    frame = _read(contexts)
    recent = frame[frame["is_recent"]]
    earlier = frame[~frame["is_recent"]]
    if recent.empty or earlier.empty:
        return pd.DataFrame(columns=list(METRIC_COLUMNS)).astype(METRIC_COLUMNS)
    learnt = chain(earlier, frame)
    none, one, two = learnt.probabilities()
    is_known = learnt.counts.sum(axis=2, keepdims=True) >= MINIMUM_CONTEXT
    shape = learnt.counts.shape
    told = {
        "no_context": np.broadcast_to(none, shape),
        "first_order": np.broadcast_to(one, shape),
        "second_order": np.where(is_known, two, one),
    }
    came = chain(recent, frame).counts
    bought = chain(recent.assign(transition_count=recent["purchase_count"]), frame).counts.sum(
        axis=2
    )
    cases = came.sum(axis=2)
    # As likely as among the earlier ones, whatever was done before.
    rate = earlier["purchase_count"].sum() / earlier["transition_count"].sum()
    chances = learnt.purchase_chances()
    rows = []
    for method, probabilities in told.items():
        order = np.argsort(-probabilities, axis=2, kind="stable")
        hits = np.take_along_axis(came, order[:, :, :3], axis=2)
        buys = np.full(cases.shape, rate) if method == "no_context" else probabilities @ chances
        buys = np.clip(buys, 1e-6, 1 - 1e-6)
        figures = {
            ("next_event", "log_loss"): -(came * np.log(np.maximum(probabilities, 1e-300))).sum(),
            ("next_event", "top_1_accuracy"): hits[:, :, 0].sum(),
            ("next_event", "top_3_accuracy"): hits.sum(),
            ("purchase_in_session", "log_loss"): -(
                bought * np.log(buys) + (cases - bought) * np.log(1 - buys)
            ).sum(),
            ("purchase_in_session", "brier_score"): (
                bought * (1 - buys) ** 2 + (cases - bought) * buys**2
            ).sum(),
        }
        rows += [
            {
                "prediction": prediction,
                "method": method,
                "metric": metric,
                "metric_value": total / cases.sum(),
                "is_used": method == METHODS[-1],
                "case_count": cases.sum(),
            }
            for (prediction, metric), total in figures.items()
        ]
    return pd.DataFrame(rows).astype(METRIC_COLUMNS)


def _read(contexts: Relation) -> pd.DataFrame:
    frame: pd.DataFrame = contexts.order("event_before, from_event, to_event, is_recent").df()
    return frame
