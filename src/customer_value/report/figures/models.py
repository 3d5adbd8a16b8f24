"""The models that the predictions came from, how good they were, and what monitoring advises."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass

import duckdb

# The one metric of each model that tells a reader whether to trust it, and what it is called.
HEADLINE_METRICS = {
    "churn": ("roc_auc", "AUC"),
    "spend": ("normalized_gini", "normalized Gini"),
    "high_value": ("roc_auc", "AUC"),
}

# Of a query: the models that scored the customers; where none did, the newest.
MODELS_IN_USE = """
        used as (

            -- Named model-version+model-version: the scores came from both.
            select unnest(string_split(max(model_version), '+')) as model_version from customer_cltv

        ),

        models as (

            select model_registry.model_name, model_registry.model_version
            from model_registry
            left join used using (model_version)
            qualify row_number() over (
                partition by model_registry.model_name
                order by used.model_version is null, model_registry.registration_number desc
            ) = 1

        )
"""


@dataclass(frozen=True)
class Metric:
    """A model's figure on customers and days held out of its training, beside its baseline's."""

    metric: str
    value: float | None
    baseline_value: float | None
    split_as_of_date: dt.date | None
    horizon_days: int | None
    customer_count: int | None


@dataclass(frozen=True)
class Model:
    """The trained model that the scores came from; fallback: its stand-in's name, or None."""

    model_name: str
    model_version: str
    estimator: str
    fallback: str | None
    trained_as_of_date: dt.date | None
    training_rows: int
    out_of_time: Metric | None


@dataclass(frozen=True)
class Health:
    """What monitoring advises of a model: ok, retrain or investigate, and why in words."""

    model_name: str
    advice: str
    reason: str


def models(connection: duckdb.DuckDBPyConnection) -> tuple[Model, ...]:
    """The models that scored the customers; where there are none, the newest ones."""
    rows = connection.execute(
        f"""
        with {MODELS_IN_USE}

        select
            model_registry.model_name,
            model_registry.model_version,
            model_registry.parameters,
            model_registry.fallback,
            model_registry.trained_as_of_date,
            model_registry.training_rows
        from model_registry
        inner join models using (model_name, model_version)
        order by model_registry.model_name
        """
    ).fetchall()
    return tuple(
        Model(
            name,
            version,
            json.loads(parameters or "{}").get("estimator", name),
            fallback,
            trained_as_of_date,
            training_rows or 0,
            _metric(connection, name, version),
        )
        for name, version, parameters, fallback, trained_as_of_date, training_rows in rows
    )


def _metric(
    connection: duckdb.DuckDBPyConnection, model_name: str, model_version: str
) -> Metric | None:
    if model_name not in HEADLINE_METRICS:
        return None
    metric, _ = HEADLINE_METRICS[model_name]
    row = connection.execute(
        """
        select metric, value, baseline_value, split_as_of_date, horizon_days, customer_count
        from model_metrics
        where model_version = $version and metric = $metric and split = 'out_of_time' and is_trained
        order by split_as_of_date desc, horizon_days
        limit 1
        """,
        {"version": model_version, "metric": metric},
    ).fetchone()
    return Metric(*row) if row else None


def model_health(connection: duckdb.DuckDBPyConnection) -> tuple[Health, ...]:
    """Of the date that the customers are of; nothing where that date was not watched."""
    rows = connection.execute(
        """
        select model_name, advice, reason from model_health
        where as_of_date = (select max(as_of_date) from customers)
        order by model_name
        """
    ).fetchall()
    return tuple(Health(*row) for row in rows)
