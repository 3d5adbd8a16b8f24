"""The figures as text: on the console, in docs/accuracy.md and in short in the README."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from accuracy import targets
from accuracy.measure import BY_KEY, FIGURES, Figure
from accuracy.results import Result

README_BEGIN, README_END = "<!-- accuracy: begin -->", "<!-- accuracy: end -->"
README_KEYS = ("roc_auc", "log_loss", "normalized_gini", "decile_error", "bias", "mae")

INTRODUCTION = """# How accurate it is

Written by `make bench-accuracy`, which fits everything anew, from the data; change nothing here by
hand.

The package is built as any user would build it, with an `as_of_date` at the end of calibration.
Every customer with an order by then is predicted: the chance of no order in the holdout, the number
of order days, and the amount spent. Orders of one customer and day are summed. Nothing after
calibration may touch features, fitting, tuning or the choice of a model; a training window that
reaches beyond it stops the run.

**Ours is what the package chose by itself inside the calibration period. The best peer is chosen
for each figure in hindsight**, which nobody could have known. Peers are lifetimes 0.11.3 and
pymc-marketing 0.19.2 (BG/NBD, MBG/NBD and Pareto/NBD, each with Gamma-Gamma on repeat orders and on
all), fitted in the same run in an environment of their own, and three naive models: the customer's
own rate of repeats, the last window once more, and the mean.

The winner of each line is bold, whoever it is. *Bias* is the predicted total over the actual one,
*decile MAPE* the mean error of ten groups by prediction, *top 10%* the share of actual spend that
the tenth predicted highest hold, *normalized Gini* how much of the best possible ranking by spend
is reached. Where most customers spend nothing, MAE favours models whose totals are too low, and
recall one that calls everybody churned.
"""


def told(figure: Figure, value: float) -> str:
    """A value with the figure's digits, or n/a where it is not defined."""
    return "n/a" if math.isnan(value) else f"{value:,.{figure.digits}f}"


def _marked(figure: Figure, values: Sequence[float]) -> list[str]:
    """Values as told, the best of them in bold; what reads alike is equally good."""
    losses = [
        math.inf
        if math.isnan(value)
        else round(figure.loss(round(value, figure.digits)), figure.digits)
        for value in values
    ]
    return [
        f"**{told(figure, value)}**" if loss == min(losses) < math.inf else told(figure, value)
        for value, loss in zip(values, losses, strict=True)
    ]


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _verdict(result: Result, figure: Figure) -> str:
    value = result.ours[figure.key]
    for name, goals in (("stretch", targets.STRETCH), ("at least", targets.AT_LEAST)):
        bounds = targets.bound(goals, result.trial.name, figure.key)
        if bounds is not None and targets.is_met(bounds, value):
            return f"{name} met"
    is_bound = targets.bound(targets.AT_LEAST, result.trial.name, figure.key) is not None
    has_stretch = targets.bound(targets.STRETCH, result.trial.name, figure.key) is not None
    if is_bound:
        return "MISSED"
    return "stretch missed" if has_stretch else ""


def _bounds(result: Result, figure: Figure) -> tuple[str, str]:
    return (
        targets.said(targets.bound(targets.AT_LEAST, result.trial.name, figure.key)),
        targets.said(targets.bound(targets.STRETCH, result.trial.name, figure.key)),
    )


def heading(result: Result) -> str:
    """What was parted where, and who predicts."""
    trial = result.trial
    return (
        f"Calibration before {trial.as_of_date}, holdout of {trial.horizon_days} days, "
        f"{result.customers:,} customers, {result.active_share:.1%} of them active in it, "
        f"amounts in {trial.currency}."
    )


def champion_sentence(result: Result) -> str:
    """By what we predict."""
    named = ", ".join(f"{model} by {candidate}" for model, candidate in result.champions.items())
    return f"Ours: {named}."


def failure_sentences(result: Result) -> list[str]:
    """Which peers gave nothing, and why."""
    return [f"{name} gave no usable fit: {reason}." for name, reason in result.failures.items()]


CONSOLE_HEADER = (
    f"{'':26}{'ours':>9}{'best peer':>11}{'BG/NBD+GG':>11}{'naive':>10}  "
    f"{'at least':13}{'stretch':13}{'verdict':15}best peer is"
)


def largest_sentence(result: Result) -> str:
    """How much of ranking and error hangs on one customer."""
    others = {n: f for n, f in result.without_largest.items() if n != "ours"}
    compared = []
    for key in ("normalized_gini", "mae"):
        figure = BY_KEY[key]
        ours = told(figure, result.without_largest["ours"][key])
        name, peer = result.best(key, others)
        compared.append(f"{ours} by {figure.label} ({name}: {told(figure, peer)})")
    return (
        f"The customer who spent most holds {result.largest_share:.1%} of the holdout's spend; "
        f"without it, ours is {' and '.join(compared)}."
    )


def console(result: Result) -> str:
    """One trial, for reading in a terminal."""
    lines = [
        "",
        f"{result.trial.name}. {heading(result)}",
        champion_sentence(result),
        *failure_sentences(result),
        largest_sentence(result),
        "",
        CONSOLE_HEADER,
    ]
    reference = result.reference()
    for figure in FIGURES:
        name, peer = result.best_peer(figure.key)
        naive = result.best(figure.key, result.naive)[1]
        at_least, stretch = _bounds(result, figure)
        lines.append(
            f"{figure.label:26}{told(figure, result.ours[figure.key]):>9}"
            f"{told(figure, peer):>11}{told(figure, reference[figure.key]):>11}"
            f"{told(figure, naive):>10}  {at_least:13}{stretch:13}"
            f"{_verdict(result, figure):15}{name}"
        )
    ahead, level, behind = result.wins()
    lines.append(f"Against the best peer: ahead in {ahead}, level in {level}, behind in {behind}.")
    return "\n".join(lines)


COLUMNS = (
    *("figure", "ours", "best peer", "which", "BG/NBD + GG on all", "best naive"),
    *("at least", "stretch", "verdict"),
)


def _section(result: Result) -> list[str]:
    ahead, level, behind = result.wins()
    lines = [
        f"## {result.trial.name}",
        "",
        heading(result),
        champion_sentence(result),
        *failure_sentences(result),
        largest_sentence(result),
        f"Against the best peer: ahead in {ahead}, level in {level}, behind in {behind}.",
        "",
        _row(COLUMNS),
        "|---" * len(COLUMNS) + "|",
    ]
    reference = result.reference()
    for figure in FIGURES:
        name, peer = result.best_peer(figure.key)
        values = [
            result.ours[figure.key],
            peer,
            reference[figure.key],
            result.best(figure.key, result.naive)[1],
        ]
        ours, best, bgnbd, naive = _marked(figure, values)
        lines.append(
            _row(
                [
                    figure.label,
                    *(ours, best, name, bgnbd, naive),
                    *_bounds(result, figure),
                    _verdict(result, figure).replace("MISSED", "**missed**"),
                ]
            )
        )
    return [*lines, "", *_every_model(result), ""]


def _every_model(result: Result) -> list[str]:
    """Each model by itself, so that nobody has to take the best for granted."""
    models = {"ours": result.ours, **result.peers, **result.naive}
    lines = [
        "<details><summary>Each model by itself</summary>",
        "",
        _row(["", *(figure.label for figure in FIGURES)]),
        "|---" * (len(FIGURES) + 1) + "|",
    ]
    columns = [
        _marked(figure, [figures[figure.key] for figures in models.values()]) for figure in FIGURES
    ]
    lines += [_row([name, *cells]) for name, *cells in zip(models, *columns, strict=True)]
    return [*lines, "", "</details>"]


def _loses(results: Iterable[Result]) -> list[str]:
    lines = []
    for result in results:
        behind = [
            f"{figure.label} ({told(figure, result.ours[figure.key])} against {told(figure, peer)} "
            f"of {name})"
            for figure in FIGURES
            for name, peer in [result.best_peer(figure.key)]
            if figure.loss(round(result.ours[figure.key], figure.digits))
            > figure.loss(round(peer, figure.digits))
        ]
        lines.append(f"- **{result.trial.name}**: {'; '.join(behind) or 'nowhere'}.")
    return lines


def document(results: Sequence[Result], absent: Mapping[str, str]) -> str:
    """docs/accuracy.md: every figure of every trial, and why a trial is not there."""
    missed = [name for result in results for name in result.missed()]
    lines = [
        INTRODUCTION,
        f"Missed goals: {'; '.join(missed) or 'none'}.",
        "",
        "## Where a peer is better",
        "",
        *_loses(results),
        "",
    ]
    for result in results:
        lines += _section(result)
    for name, reason in absent.items():
        lines += [f"## {name}", "", f"Not measured: {reason}", ""]
    return "\n".join(lines)


def readme_table(results: Sequence[Result]) -> str:
    """The short table: ours / best peer in hindsight, the better one bold."""
    header = [BY_KEY[key].label for key in README_KEYS]
    lines = [_row(["ours / best peer", *header]), "|---" * (len(header) + 1) + "|"]
    for result in results:
        cells = [
            " / ".join(_marked(BY_KEY[key], [result.ours[key], result.best_peer(key)[1]]))
            for key in README_KEYS
        ]
        lines.append(_row([result.trial.name, *cells]))
    return "\n".join(lines)


def with_readme_table(readme: str, results: Sequence[Result]) -> str:
    """The README with its table replaced by that of these results."""
    before, _, rest = readme.partition(README_BEGIN)
    _, _, after = rest.partition(README_END)
    return f"{before}{README_BEGIN}\n{readme_table(results)}\n{README_END}{after}"
