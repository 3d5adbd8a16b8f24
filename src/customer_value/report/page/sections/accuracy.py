"""How far the models can be trusted, in plain words, beside models that anybody could make."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from customer_value.report import words
from customer_value.report.figures.models import HEADLINE_METRICS, MODELS_IN_USE
from customer_value.report.page import drawing
from customer_value.report.page.blocks import Picture, Section, Table
from customer_value.report.page.tables import Tables

BIN_COUNT = 10
# In the order in which they are drawn.
MODEL_NAMES = {
    "churn": "who leaves",
    "high_value": "who is among the best",
    "spend": "who spends most",
}


@dataclass(frozen=True)
class Score:
    """How one candidate for a model did on customers held out, and the best simple rule."""

    model_name: str
    candidate: str
    is_naive: bool
    is_trained: bool
    value: float
    baseline_value: float | None
    customer_count: int
    split_as_of_date: dt.date


@dataclass(frozen=True)
class Bin:
    """Customers whose risk was said to be about the same, and what share of them left."""

    predicted_rate: float
    actual_rate: float
    customer_count: int


def section(tables: Tables) -> Section | None:
    """Words, then candidates side by side, then what came of earlier predictions."""
    if not tables.has("model_metrics", "candidate", "is_naive", "is_trained"):
        return None
    if not tables.has("model_registry") or not tables.has("customer_cltv"):
        return None
    scores = _scores(tables)
    lead = [*_words(tables), *_intervals(tables)]
    pictures = []
    if scores:
        pictures.append(_comparison(scores))
    calibrated = _calibration(tables)
    if calibrated is not None:
        pictures.append(calibrated)
    if not lead:
        lead = [
            (
                "The history is too short to hold out a part of it, so nobody knows yet how good "
                "the predictions are. Take them as a first guess."
            )
        ]
    return Section("accuracy", "How far can the predictions be trusted?", lead, pictures=pictures)


def _scores(tables: Tables) -> list[Score]:
    rows = tables.rows(
        f"""
        with {MODELS_IN_USE}

        select
            model_metrics.metric,
            model_metrics.model_name,
            model_metrics.candidate,
            model_metrics.is_naive,
            model_metrics.is_trained,
            model_metrics.value,
            model_metrics.baseline_value,
            model_metrics.customer_count,
            model_metrics.split_as_of_date
        from model_metrics
        inner join models using (model_version)
        where model_metrics.split = 'out_of_time' and isfinite(model_metrics.value)
        order by
            model_metrics.model_name,
            model_metrics.is_trained desc,
            model_metrics.value desc,
            model_metrics.candidate
        """
    )
    headlines = {(metric, name) for name, (metric, _) in HEADLINE_METRICS.items()}
    return [Score(*row) for metric, *row in rows if (metric, row[0]) in headlines]


def _metrics(tables: Tables, model_name: str) -> dict[str, tuple[float, float | None]]:
    """Of the trained model: its figure and the best of any naive one."""
    rows = tables.rows(
        f"""
        with {MODELS_IN_USE}

        select metric, value, baseline_value
        from model_metrics
        inner join models using (model_version)
        where split = 'out_of_time' and is_trained and models.model_name = $model_name
            and isfinite(value)
        order by metric
        """,
        model_name=model_name,
    )
    return {metric: (value, baseline) for metric, value, baseline in rows}


def _words(tables: Tables) -> list[str]:
    said = []
    churn, spend = _metrics(tables, "churn"), _metrics(tables, "spend")
    if "roc_auc" in churn:
        value, baseline = churn["roc_auc"]
        sentence = (
            "Take one customer who left and one who stayed: the model gives the higher risk to the "
            f"one who left {100 * value:.0f} times in 100, where tossing a coin is right 50 times"
        )
        if baseline is not None:
            sentence += f" and the best simple rule {100 * baseline:.0f} times"
            if value < baseline:
                sentence += ". So the simple rule does better: don't rely on the model"
        said.append(f"{sentence}.")
    if "calibration_error" in churn:
        said.append(
            f"A risk that it gives is off by {100 * churn['calibration_error'][0]:.1f} percentage "
            "points on average: that is how far said and seen shares of leavers are apart."
        )
    if "total_bias" in spend:
        value, _ = spend["total_bias"]
        side = "less" if value < 1 else "more"
        said.append(
            f"Revenue that it predicted for customers held out came to {100 * value:.0f}% of what "
            f"they then spent, {100 * abs(value - 1):.0f}% {side}."
        )
    return said


def _intervals(tables: Tables) -> list[str]:
    if not tables.has("interval_coverage"):
        return []
    rows = tables.rows(
        """
        select interval_level, covered_rate, customer_count
        from interval_coverage where tier = 'all'
        """
    )
    return [
        f"The interval about each customer’s value is to hold {100 * level:.0f}% of customers; of "
        f"{words.counted(count, 'customer')} held out it held {words.percent(covered)}."
        for level, covered, count in rows
    ]


def _comparison(scores: Sequence[Score]) -> Picture:
    trained = [score for score in scores if score.is_trained]
    won = [
        score
        for score in trained
        if score.baseline_value is None or score.value >= score.baseline_value
    ]
    title = (
        f"{len(won)} of {words.counted(len(trained), 'model')} "
        "rank customers better than every simple rule"
    )
    if len(won) == len(trained):
        title = "Each model ranks customers better than every simple rule"
        if len(trained) == 1:
            title = "The model ranks customers better than every simple rule"
    held_out = max(score.customer_count for score in scores)
    since = max(score.split_as_of_date for score in scores)
    return Picture(
        title,
        "Dots on a scale from no better than chance to perfect, one row for each model: the model "
        "that is used, and the others that were tried.",
        lambda space: _draw_comparison(space, scores),
        Table(
            "Candidates on customers and days held out",
            ("model", "candidate", "kind", "score"),
            [
                (
                    words.spoken(score.model_name),
                    words.spoken(score.candidate),
                    "in use" if score.is_trained else "simple rule" if score.is_naive else "tried",
                    f"{score.value:.3f}",
                )
                for score in scores
            ],
            frozenset({1, 2}),
        ),
        f"How well each ranks {words.count(held_out)} customers whom it had not seen, from "
        f"{words.day(since)} on: in use (blue), simple rules (grey), others tried (pale). "
        "AUC for who leaves and who is among the best, normalized Gini for who spends most; 1 is "
        "perfect.",
    )


def _draw_comparison(space: drawing.Space, scores: Sequence[Score]) -> Figure:
    names = [name for name in MODEL_NAMES if any(score.model_name == name for score in scores)]
    left = 2 if space.is_narrow else 180
    row, lift = (78, 26) if space.is_narrow else (56, 0)
    figure, axes = space.canvas(row * len(names) + 30, left=left + 12, right=16, top=4, bottom=26)
    lowest = min(0.5, *(score.value for score in scores))
    axes.set_xlim(lowest, 1)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xticks([])
    axes.set_yticks([])
    for place, name in enumerate(names):
        at = place + (0.18 if space.is_narrow else 0.06)
        axes.axhline(at, color=drawing.FAINT, linewidth=1.2, zorder=0)
        text = MODEL_NAMES[name]
        drawing.label(
            axes, text, (lowest, at), (-12 if lift else -left, lift), size=13, fontweight="bold"
        )
        own = [score for score in scores if score.model_name == name]
        for score in sorted(own, key=lambda score: score.is_trained):
            colour = drawing.GREY if score.is_naive else drawing.LIGHT_BLUE
            size = 7.0
            if score.is_trained:
                colour, size = drawing.BLUE, 11.0
            axes.plot(score.value, at, "o", color=colour, markersize=size, clip_on=False)
        for score in [score for score in own if score.is_trained]:
            text = f"{score.value:.2f}"
            drawing.label(
                axes, text, (score.value, at), (0, 17), ha="center", size=13, fontweight="bold"
            )
        naive = [score for score in own if score.is_naive]
        if naive:
            best = max(naive, key=lambda score: score.value)
            text = f"{words.spoken(best.candidate)} {best.value:.2f}"
            drawing.label(
                axes, text, (best.value, at), (0, -16), size=11, **drawing.CENTRED_QUIETLY
            )
    for tick in (0, 0.25, 0.5, 0.75, 1):
        if tick >= lowest:
            drawing.label(
                axes, f"{tick:g}", (tick, len(names) - 0.5), (0, -14), **drawing.CENTRED_QUIETLY
            )
    return figure


def _calibration(tables: Tables) -> Picture | None:
    """Of the last date whose window is over: what was said then, and what came."""
    if not tables.has("prediction_history") or not tables.has("orders_cleaned", "order_date"):
        return None
    (date,) = tables.row(
        """
        select max(as_of_date) from prediction_history
        where as_of_date + churn_window_days <= $today
        """,
        today=tables.as_of_date,
    )
    if date is None:
        return None
    rows = tables.rows(
        """
        with predictions as (

            select customer_id, churn_probability, as_of_date + churn_window_days as window_end_date
            from prediction_history
            where as_of_date = $date

        ),

        stayed as (

            select distinct orders_cleaned.customer_id
            from orders_cleaned
            inner join predictions using (customer_id)
            where
                orders_cleaned.order_date >= $date
                and orders_cleaned.order_date < predictions.window_end_date

        )

        select
            avg(predictions.churn_probability),
            avg(case when stayed.customer_id is null then 1.0 else 0.0 end),
            count(*)
        from predictions
        left join stayed using (customer_id)
        group by least(floor(predictions.churn_probability * $bins), $bins - 1)
        order by 1
        """,
        date=date,
        bins=BIN_COUNT,
    )
    bins = [Bin(*row) for row in rows]
    customers = sum(found.customer_count for found in bins)
    said = sum(found.predicted_rate * found.customer_count for found in bins) / customers
    seen = sum(found.actual_rate * found.customer_count for found in bins) / customers
    return Picture(
        f"Of the customers of {words.day(date)}, {words.percent(said)} were expected to leave and "
        f"{words.percent(seen)} did",
        "Dots of the share of customers who left against the risk that was said; dots on the "
        "diagonal were right.",
        lambda space: _draw_calibration(space, bins),
        Table(
            "Risk said and share that left",
            ("risk said, mean", "share that left", "customers"),
            [
                (
                    f"{100 * found.predicted_rate:.1f}%",
                    f"{100 * found.actual_rate:.1f}%",
                    words.count(found.customer_count),
                )
                for found in bins
            ],
        ),
        "Customers in tenths of risk as it was said then (across), and the share of each that "
        "placed no order in the window (up). The larger a dot, the more customers; on the line "
        "said and seen agree.",
    )


def _draw_calibration(space: drawing.Space, bins: Sequence[Bin]) -> Figure:
    side = min(space.width - 70, 330)
    figure, axes = space.canvas(
        side + 72, left=48, right=space.width - 48 - side, top=28, bottom=44
    )
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.set_xticks([])
    axes.set_yticks([])
    for tick in (0, 0.25, 0.5, 0.75, 1):
        axes.axhline(tick, color=drawing.FAINT, linewidth=0.8, zorder=0)
        axes.axvline(tick, color=drawing.FAINT, linewidth=0.8, zorder=0)
        drawing.label(axes, f"{100 * tick:.0f}%", (tick, 0), (0, -13), **drawing.CENTRED_QUIETLY)
        drawing.label(axes, f"{100 * tick:.0f}%", (0, tick), (-8, 0), ha="right", **drawing.QUIETLY)
    axes.plot([0, 1], [0, 1], color=drawing.QUIET, linewidth=1.2, linestyle=(0, (4, 3)), zorder=1)
    drawing.label(axes, "risk said", (0.5, 0), (0, -33), **drawing.CENTRED_QUIETLY)
    most = max(found.customer_count for found in bins)
    for found in bins:
        area = 30 + 220 * found.customer_count / most
        axes.scatter(
            found.predicted_rate,
            found.actual_rate,
            s=area,
            color=drawing.BLUE,
            edgecolors=drawing.PAPER,
            clip_on=False,
            zorder=2,
        )
    drawing.label(axes, "share that left", (0, 1), (-40, 15), **drawing.QUIETLY)
    drawing.label(axes, "more left than said", (0.04, 0.9), **drawing.QUIETLY)
    drawing.label(axes, "fewer left than said", (0.96, 0.1), ha="right", **drawing.QUIETLY)
    return figure
