"""Applying the newest models to every customer: in the engine, or in batches where SQL can't.

Whatever the champion, its answers for a customer become a line in ln(days). Most are one by
nature. Through those that are not, the line is put through the two horizons whose numbers are
shown: the churn window and the end of the value horizon, for spend the end of the first period
and that of the horizon.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from duckdb import DuckDBPyConnection as Connection
from duckdb import DuckDBPyRelation as Relation

from customer_value import scoring_sql
from customer_value.applied_models import Applied, newest, settings_of
from customer_value.errors import SentenceError
from customer_value.predictor import LARGEST_LOGARITHM
from customer_value.scoring_in_batches import (
    BASELINE,
    REASON_COUNT,
    churn_batch,
    in_batches,
    keys,
    spend_batch,
)
from customer_value.spark_frames import frame_of, is_spark_frame, spark_query


class MissingFeatureError(SentenceError):
    """A model reads a feature that customer_features no longer has."""


def score_churn(
    features: Relation, models: Relation, run: Relation, connection: Connection
) -> Relation:
    """Each customer's churn curve, and what moved it most.

    Args:
        features: customer_features.
        models: model_registry.
        run: int_customer_value__run.
        connection: that of the relations; scores made in batches go into a temporary table of it.

    Returns:
        Per customer at the run's as_of_date: churn_intercept and churn_slope, so that
        1 / (1 + exp(-(churn_intercept + churn_slope * ln(days)))) is the probability that no
        order follows within so many days; reason_1 to reason_3, keys of the seed churn_reasons,
        and of each the feature that leads it and what the reason adds to the log odds at the churn
        window, beyond an average customer's.
    """
    settings = settings_of(run)
    model = newest(frame_of(models), "churn", settings)
    customers = _now(features, settings)
    if model.sql is None:
        return in_batches(connection, customers, model, lambda batch: churn_batch(batch, model))
    _require_features(model, features.columns)
    return queried(customers, _churn_query(model))


def score_spend(
    features: Relation,
    churn_scores: Relation,
    models: Relation,
    run: Relation,
    connection: Connection,
) -> Relation:
    """Each customer's spend curve and the baseline that it multiplies.

    Args:
        features: customer_features.
        churn_scores: churn_scoring, whose chance of an order an unconditional amount is parted by.
        models: model_registry.
        run: int_customer_value__run.
        connection: that of the relations; scores made in batches go into a temporary table of it.

    Returns:
        Per customer at the run's as_of_date: spend_intercept and spend_slope, the logarithm of
        the ratio to the baseline being affine in ln(days); purchases_per_day and
        expected_purchase_amount (currency) of the baseline, and orders_per_purchase_day.
    """
    settings = settings_of(run)
    model = newest(frame_of(models), "spend", settings)
    customers = _now(features, settings)
    if model.sql is None or not model.is_affine:
        wanted = ("customer_id", "churn_intercept", "churn_slope")
        if is_spark_frame(churn_scores):
            lines = churn_scores.select(*wanted)
        else:
            lines = churn_scores.select(", ".join(wanted))
        customers = customers.join(lines, "customer_id")
    if model.sql is None:
        return in_batches(connection, customers, model, lambda batch: spend_batch(batch, model))
    _require_features(model, features.columns)
    intercept, slope = line_sql(model)
    return queried(
        customers,
        f"""
        select
            customer_id,
            as_of_date,
            '{model.version}' as model_version,
            {intercept} as spend_intercept,
            {slope} as spend_slope,
            {", ".join(BASELINE)}
        from customers
        """,
    )


def score_high_value(
    features: Relation, models: Relation, run: Relation, connection: Connection
) -> Relation:
    """Each customer's chance to be among the tenth that spends most over the value horizon.

    Args:
        features: customer_features.
        models: model_registry.
        run: int_customer_value__run.
        connection: that of the relations; scores made in batches go into a temporary table of it.

    Returns:
        Per customer at the run's as_of_date: high_value_probability.
    """
    settings = settings_of(run)
    model = newest(frame_of(models), "high_value", settings)
    customers = _now(features, settings)
    log_horizon = math.log(settings["value_horizon_days"])
    if model.sql is None:
        fitted = model.fitted()

        def batch_of(batch: pd.DataFrame) -> pd.DataFrame:
            chance = fitted.predict(batch.assign(log_horizon=log_horizon))
            calibrated = model.calibration.applied(chance)
            return keys(batch, model).assign(high_value_probability=calibrated)

        return in_batches(connection, customers, model, batch_of)
    _require_features(model, features.columns)
    limit = LARGEST_LOGARITHM
    odds = scoring_sql.at_log_horizon(model.sql, scoring_sql.number(log_horizon))
    return queried(
        customers,
        f"""
        select
            customer_id,
            as_of_date,
            '{model.version}' as model_version,
            1 / (1 + exp(-greatest(-{limit}, least({limit}, {odds})))) as high_value_probability
        from customers
        """,
    )


def line_sql(model: Applied) -> tuple[str, str]:
    """Intercept and slope of a customer's line, as SQL over the columns that the model reads.

    Those of a spend model that is no line by nature read churn_intercept and churn_slope besides.
    """
    if model.sql is None:
        raise ValueError(model.name)
    first, second = (_at(model, model.sql, logarithm) for logarithm in model.logarithms)
    start, end = model.logarithms
    slope = f"(({second}) - ({first}))"
    if end - start != 1:
        slope = f"({slope} / {scoring_sql.number(end - start)})"
    intercept = (
        f"({first})" if start == 0 else f"(({first}) - {slope} * {scoring_sql.number(start)})"
    )
    return intercept, slope


def _at(model: Applied, expression: str, logarithm: float) -> str:
    at = scoring_sql.number(logarithm)
    expression = scoring_sql.at_log_horizon(expression, at)
    if model.name != "spend":
        return expression
    chance = "1e0"
    if not model.is_affine:
        # As int_customer_value__customer_curves has it: the chance of an order can't fall.
        window = scoring_sql.number(model.window)
        odds = (
            f"churn_intercept + greatest(churn_slope, 0) * {window} + least(churn_slope, 0) * {at}"
        )
        chance = (
            f"(1 / (1 + exp(greatest(-{LARGEST_LOGARITHM}, least({LARGEST_LOGARITHM}, {odds})))))"
        )
    return scoring_sql.substituted(expression, {"order_probability": chance})


def _churn_query(model: Applied) -> str:
    """Lines, and reasons by how far each moves the log odds at the churn window."""
    intercept, slope = line_sql(model)
    contributions, ranked = _contributions_sql(model)
    chosen = "".join(
        f", ranked_reasons[{number}].reason as reason_{number}"
        f", ranked_reasons[{number}].feature as reason_{number}_feature"
        f", ranked_reasons[{number}].contribution as reason_{number}_contribution"
        if model.reasons
        else f", cast(null as varchar) as reason_{number}"
        f", cast(null as varchar) as reason_{number}_feature"
        f", cast(null as double) as reason_{number}_contribution"
        for number in range(1, REASON_COUNT + 1)
    )
    return f"""
        with measured as (
            select
                customer_id,
                as_of_date,
                {contributions}
                {intercept} as churn_intercept,
                {slope} as churn_slope
            from customers
        ),
        summed as (select * {_sums_sql(model)} from measured),
        ranked as (select * {ranked} from summed)
        select
            customer_id,
            as_of_date,
            '{model.version}' as model_version,
            churn_intercept,
            churn_slope
            {chosen}
        from ranked
    """


def _contributions_sql(model: Applied) -> tuple[str, str]:
    """What each feature adds, and the list of reasons by strength."""
    parts = [
        f"{_contribution_sql(model, {name: value})} as by_{name}, "
        for group in model.reasons.values()
        for name, value in group.items()
    ]
    if not _is_additive(model):
        parts += [
            f"{_contribution_sql(model, group)} as contribution_of_{reason}, "
            for reason, group in model.reasons.items()
        ]
    structs = ", ".join(
        f"{{'strength': abs(contribution_of_{reason}), "
        f"'reason': '{reason}_' || case when contribution_of_{reason} > 0 then 'raises' "
        f"else 'lowers' end, "
        f"'feature': {_leading_sql(reason, list(group))}, "
        f"'contribution': contribution_of_{reason}}}"
        for reason, group in model.reasons.items()
    )
    ranked = f", list_reverse_sort([{structs}]) as ranked_reasons" if model.reasons else ""
    return "".join(parts), ranked


def _sums_sql(model: Applied) -> str:
    if not _is_additive(model):
        return ""
    return "".join(
        f", {' + '.join(f'by_{name}' for name in group)} as contribution_of_{reason}"
        for reason, group in model.reasons.items()
    )


def _is_additive(model: Applied) -> bool:
    """Whether features contribute each by itself, so that a group is the sum of its own."""
    return "contribution_per_unit" in model.parameters


def _contribution_sql(model: Applied, reference: Mapping[str, float]) -> str:
    """What the customer's values add over the reference's, at the churn window."""
    number = scoring_sql.number
    if _is_additive(model):
        per_unit, slope = model.parameters["contribution_per_unit"], model.calibration.slope
        return " + ".join(
            f'{number(per_unit[name] * slope)} * ("{name}" - {number(value)})'
            for name, value in reference.items()
        )
    at_window = _at(model, str(model.sql), model.window)
    values = {name: number(value) for name, value in reference.items()}
    return f"(({at_window}) - ({scoring_sql.substituted(at_window, values)}))"


def _leading_sql(reason: str, names: Sequence[str]) -> str:
    """The feature of a group that moves it furthest the way that the group as a whole goes."""
    by = [f"by_{name}" for name in names]
    if len(by) == 1:
        return f"'{names[0]}'"
    whens = " ".join(f"when {column} then '{name}'" for column, name in zip(by, names, strict=True))
    return (
        f"case when contribution_of_{reason} > 0 "
        f"then case greatest({', '.join(by)}) {whens} end "
        f"else case least({', '.join(by)}) {whens} end end"
    )


def _now(features: Relation, settings: Mapping[str, Any]) -> Relation:
    """The features as of the run's date."""
    date = pd.Timestamp(settings["as_of_date"]).date()
    return features.filter(f"as_of_date = date '{date}'")


def queried(rows: Relation, query: str, name: str = "customers") -> Relation:
    """A query over the relation, by a name that what the relation itself queries must not bear."""
    if is_spark_frame(rows):
        answer: Relation = spark_query(rows, name, query)
        return answer
    scored = rows.query(name, query)
    if scored is None:  # a select always has a relation; the binding's type does not say so
        raise MissingFeatureError("The scores could not be queried.")
    return scored


def _require_features(model: Applied, columns: Sequence[str]) -> None:
    there = {*columns, scoring_sql.LOG_HORIZON, "order_probability"}
    missing = sorted(scoring_sql.columns_of(str(model.sql)) - there)
    if missing:
        message = (
            f"The newest {model.name} model, {model.version}, reads features that "
            f"customer_features does not have: {', '.join(missing)}. "
            "Train it anew: dbt build --selector train"
        )
        raise MissingFeatureError(message)
