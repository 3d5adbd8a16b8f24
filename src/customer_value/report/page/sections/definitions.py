"""What the words mean, and which run and models the page is of."""

from __future__ import annotations

from customer_value.report import words
from customer_value.report.page.blocks import Section, Table
from customer_value.report.page.tables import Tables


def section(tables: Tables) -> Section:
    """Terms in a sentence each, then models."""
    terms = [
        ("customer", "Who placed at least one order that could be used."),
        ("net", "After discounts and refunds."),
        *_churn(tables),
        (
            "predicted value",
            (
                "What a customer is expected to bring over the horizon ahead: the margin of each "
                "period, discounted to today."
            ),
        ),
        ("tier", "Customers by predicted value, from the best down; rules are the shop’s own."),
        ("RFM segment", "By recency, frequency and amount of orders, each scored from 1 to 5."),
        ("held out", "Customers and days that a model was not shown when it learnt."),
    ]
    found = [Table("Terms", ("term", "meaning"), terms, frozenset({1}))]
    models = _models(tables)
    if models:
        heads = ("model", "version", "trained as of", "examples")
        found.append(Table("Models in use", heads, models, frozenset({1, 2})))
    return Section("definitions", "How to read this", tables=found)


def _churn(tables: Tables) -> list[tuple[str, str]]:
    if not tables.has("customer_churn"):
        return []
    (window,) = tables.row("select max(churn_window_days) from customer_churn")
    if window is None:
        return []
    return [("churn", f"No order within {words.counted(window, 'day')}; a definition, not a fact.")]


def _models(tables: Tables) -> list[tuple[str, str, str, str]]:
    if not tables.has("model_registry", "registration_number"):
        return []
    rows = tables.rows(
        """
        select model_name, model_version, trained_as_of_date, training_rows
        from model_registry
        qualify row_number() over (partition by model_name order by registration_number desc) = 1
        order by model_name
        """
    )
    return [
        (words.spoken(name), version, words.day(date), words.count(count))
        for name, version, date, count in rows
    ]
