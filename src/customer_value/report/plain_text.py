"""The figures of a refresh as a page of text, for a terminal or a log."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from decimal import Decimal

from customer_value.report import words
from customer_value.report.figures import Summary
from customer_value.report.figures.customers import Churn, Customers
from customer_value.report.figures.inputs import DataQuality, Orders
from customer_value.report.figures.models import HEADLINE_METRICS, Health, Model
from customer_value.report.figures.shares import share
from customer_value.report.figures.value import Value

NOT_DEFINED = "-"
BAR_WIDTH = 24
RULE_WIDTH = 78
# What a terminal without these signs shows in their place.
PLAIN_SIGNS = str.maketrans({"█": "#", "─": "-", "·": "-"})


# Sets a heading off from the text, or leaves it as it is.
Heading = Callable[[str], str]


def percent(rate: float | None) -> str:
    """A rate in 0..1 as text, or a dash where it is not defined."""
    return NOT_DEFINED if rate is None else words.exact_percent(rate)


def render(figures: Summary, *, is_bold: bool = False) -> str:
    """The report as text, without a newline at its end.

    Args:
        figures: what figures.summary() returned.
        is_bold: set headings in bold by control codes, for terminals.
    """
    as_of = f"as of {figures.as_of_date}" if figures.as_of_date else "no clean orders yet"
    heading = _bold if is_bold else str
    blocks = [
        [heading(f"Customer value · {as_of}"), "─" * RULE_WIDTH],
        *_facts(figures, heading),
        _quality_lines(figures.data_quality, heading),
        _tier_lines(figures, heading),
        _model_lines(figures, heading),
        _health_lines(figures.model_health, heading),
        [heading("Database"), f"  {figures.database}"],
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _bold(text: str) -> str:
    return f"\x1b[1m{text}\x1b[0m"


def _amount(amount: Decimal) -> str:
    return f"{amount:,.2f}"


def _aligned(rows: Sequence[Sequence[str]], sides: str) -> list[str]:
    """Columns as wide as their widest cell; sides: one of < and > per column."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            f"{cell:{side}{width}}" for cell, side, width in zip(row, sides, widths, strict=True)
        ).rstrip()
        for row in rows
    ]


def _facts(figures: Summary, heading: Heading) -> list[list[str]]:
    """The sections of label, figure and note, all aligned with each other."""
    sections = {
        "Orders": _order_rows(figures.orders),
        "Customers": _customer_rows(figures.customers),
        _churn_heading(figures): _churn_rows(figures.churn),
        "Value": _value_rows(figures.value),
    }
    rows = [row for section in sections.values() for row in section]
    lines = iter(_aligned([(f"  {label}", *rest) for label, *rest in rows], "<><"))
    return [[heading(name), *(next(lines) for _ in section)] for name, section in sections.items()]


def _order_rows(orders: Orders) -> list[tuple[str, str, str]]:
    def noted(count: int) -> str:
        return f"{percent(share(count, orders.input_count)):>6}"

    return [
        ("in", f"{orders.input_count:,}", ""),
        ("cleaned", f"{orders.cleaned_count:,}", noted(orders.cleaned_count)),
        ("rejected", f"{orders.rejected_count:,}", noted(orders.rejected_count)),
        *(
            (f"  {reason}", f"{count:,}", noted(count))
            for reason, count in orders.rejected_by_reason.items()
        ),
    ]


def _customer_rows(customers: Customers) -> list[tuple[str, str, str]]:
    repeating = f"{customers.repeat_customer_count:,} with two or more orders"
    return [
        ("customers", f"{customers.customer_count:,}", ""),
        ("repeat rate", percent(customers.repeat_rate), repeating),
    ]


def _churn_heading(figures: Summary) -> str:
    window = figures.churn.churn_window_days
    if window is None:
        return "Churn"
    return f"Churn: no order in the {window:,} days from {figures.as_of_date}"


def _churn_rows(churn: Churn) -> list[tuple[str, str, str]]:
    churned = f"{churn.churned_customer_count:,} more likely to churn than not"
    return [
        ("predicted churned", percent(churn.churned_rate), churned),
        ("mean probability", percent(churn.mean_churn_probability), ""),
    ]


def _value_rows(value: Value) -> list[tuple[str, str, str]]:
    ahead = ""
    if value.horizon:
        last_date = value.horizon.end_date - dt.timedelta(days=1)
        ahead = f"{value.horizon.words}, to {last_date}"
    return [
        ("historic", _amount(value.historic_value), "margin of all orders so far"),
        ("predicted", _amount(value.predicted_value), ahead),
        ("total", _amount(value.total_value), _currency_note(value.currencies)),
    ]


def _currency_note(currencies: Sequence[str]) -> str:
    if len(currencies) <= 1:
        return "".join(f"all in {code}" for code in currencies)
    return f"{len(currencies)} currencies, added as they are"


def _quality_lines(quality: DataQuality, heading: Heading) -> list[str]:
    if not quality.figure_count:
        return [heading("Data quality"), "  not measured for this date"]
    if not quality.breaches:
        count = quality.figure_count
        within = "the one figure is within its threshold"
        if count > 1:
            within = f"all {count} figures are within their thresholds"
        return [heading("Data quality"), f"  {within}"]
    rows = [
        (
            f"  {breach.severity}",
            breach.input_name,
            breach.metric if breach.subject == "all" else f"{breach.metric} of {breach.subject}",
            _measure(breach.metric, breach.value),
            f"above {_measure(breach.metric, breach.threshold)}",
        )
        for breach in quality.breaches
    ]
    return [heading("Data quality"), *_aligned(rows, "<<<><")]


def _measure(metric: str, value: float) -> str:
    return f"{value:,.0f} days" if metric.endswith("_days") else percent(value)


def _tier_lines(figures: Summary, heading: Heading) -> list[str]:
    if not figures.tiers:
        return [heading("Tiers"), "  no customers yet"]
    heads = ("Tiers", "customers", "share", "predicted value", "share", "")
    rows = [
        (
            f"  {tier.tier}",
            f"{tier.customer_count:,}",
            percent(tier.customer_rate),
            _amount(tier.predicted_value),
            percent(tier.predicted_value_rate),
            _bar(tier.predicted_value_rate),
        )
        for tier in figures.tiers
    ]
    head, *lines = _aligned([heads, *rows], "<>>>><")
    return [heading(head), *lines]


def _bar(rate: float | None) -> str:
    """Of the value's share; what is not nothing has at least one sign."""
    return "█" * max(round(BAR_WIDTH * rate), 1) if rate else ""


def _model_lines(figures: Summary, heading: Heading) -> list[str]:
    if not figures.models:
        return [heading("Models"), "  none trained yet"]
    lines = [heading("Models")]
    width = max(len(model.model_name) for model in figures.models)
    for model in figures.models:
        first, *others = _model_sentences(model)
        lines.append(f"  {model.model_name:<{width}}  {first}")
        lines.extend(f"  {'':<{width}}  {other}" for other in others)
    return lines


def _model_sentences(model: Model) -> list[str]:
    estimator = [model.estimator]
    if model.fallback:
        estimator = [f"fallback {model.fallback}", f"instead of {model.estimator}"]
    trained = f"trained on {model.training_rows:,} examples up to {model.trained_as_of_date}"
    if model.training_rows == 0:
        trained = "no examples to train on"
    return [*estimator, f"{model.model_version}, {trained}", *_metric_sentences(model)]


def _metric_sentences(model: Model) -> list[str]:
    metric = model.out_of_time
    if metric is None or metric.value is None:
        return ["not measured out of time: too little history to hold any out"]
    _, name = HEADLINE_METRICS[model.model_name]
    held_out = (
        f"out of time: {metric.customer_count:,} customers, "
        f"{metric.horizon_days} days from {metric.split_as_of_date}"
    )
    if metric.baseline_value is None:
        return [f"{name} {metric.value:.3f}, no baseline", held_out]
    figures = f"{name} {metric.value:.3f}, baseline {metric.baseline_value:.3f}"
    if metric.value < metric.baseline_value:
        figures += ": worse than its baseline, don't rely on it"
    return [figures, held_out]


def _health_lines(health: Sequence[Health], heading: Heading) -> list[str]:
    """One line where all is well, else one for each model that needs something."""
    if not health:
        return [heading("Model health"), "  not watched for this date"]
    others = [model for model in health if model.advice != "ok"]
    if not others:
        return [heading("Model health"), "  ok: no threshold of monitoring is passed"]
    rows = [(f"  {model.model_name}", model.advice, model.reason) for model in others]
    return [heading("Model health"), *_aligned(rows, "<<<")]
