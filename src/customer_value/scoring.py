"""Applying the newest models in the engine: SQL over customer_features, no row in Python."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from duckdb import DuckDBPyRelation as Relation

from customer_value import registry, scoring_sql
from customer_value.errors import SentenceError

REASON_COUNT = 3


class MissingFeatureError(SentenceError):
    """A model reads a feature that customer_features no longer has."""


def score_churn(features: Relation, models: Relation, run: Relation) -> Relation:
    """Each customer's churn curve, and what moved it most.

    Args:
        features: customer_features.
        models: model_registry.
        run: int_customer_value__run.

    Returns:
        Per customer at the run's as_of_date: churn_intercept and churn_slope, so that
        1 / (1 + exp(-(churn_intercept + churn_slope * ln(days)))) is the probability that no
        order follows within so many days; reason_1 to reason_3, keys of the seed churn_reasons,
        and what each adds to the log odds, reason_1_contribution to reason_3_contribution.
    """
    model = registry.newest(models.df(), "churn")
    reasons: Mapping[str, str] = model["parameters"]["reasons"]
    contributions = "".join(
        f"{expression} as contribution_of_{reason}, " for reason, expression in reasons.items()
    )
    ranked = ", ".join(
        f"{{'strength': abs(contribution_of_{reason}), 'reason': '{reason}_' || "
        f"case when contribution_of_{reason} > 0 then 'raises' else 'lowers' end, "
        f"'contribution': contribution_of_{reason}}}"
        for reason in reasons
    )
    top = "".join(
        f", ranked_reasons[{number}].reason as reason_{number}"
        f", ranked_reasons[{number}].contribution as reason_{number}_contribution"
        if reasons
        else f", cast(null as varchar) as reason_{number}"
        f", cast(null as double) as reason_{number}_contribution"
        for number in range(1, REASON_COUNT + 1)
    )
    return _applied(
        features,
        model,
        run,
        "churn",
        extra=f"{contributions}",
        ranked=f", list_reverse_sort([{ranked}]) as ranked_reasons" if reasons else "",
        chosen=top,
    )


def score_spend(features: Relation, models: Relation, run: Relation) -> Relation:
    """Each customer's spend curve and the baseline that it multiplies.

    Args:
        features: customer_features.
        models: model_registry.
        run: int_customer_value__run.

    Returns:
        Per customer at the run's as_of_date: spend_intercept and spend_slope, the logarithm of
        the ratio to the baseline being affine in ln(days); purchases_per_day and
        expected_purchase_amount (currency) of the baseline, and orders_per_purchase_day.
    """
    model = registry.newest(models.df(), "spend")
    baseline = "purchases_per_day, expected_purchase_amount, orders_per_purchase_day"
    return _applied(features, model, run, "spend", extra=f"{baseline}, ", chosen=f", {baseline}")


def _applied(  # noqa: PLR0913 - the parts of one query
    features: Relation,
    model: Mapping[str, Any],
    run: Relation,
    name: str,
    *,
    extra: str,
    chosen: str,
    ranked: str = "",
) -> Relation:
    missing = [
        column
        for column in model["parameters"]["coefficients"]
        if column not in {"intercept", scoring_sql.LOG_HORIZON, *features.columns}
        and not column.endswith(scoring_sql.INTERACTION_SUFFIX)
    ]
    if missing:
        message = (
            f"The newest {name} model, {model['model_version']}, reads features that "
            f"customer_features does not have: {', '.join(missing)}. "
            "Train it anew: dbt build --selector train"
        )
        raise MissingFeatureError(message)
    predictor = model["linear_predictor_sql"]
    as_of_date = run.df()["as_of_date"].iloc[0].date()
    # Affine in the log horizon: its values at 0 and at 1 tell the whole line.
    scored = features.query(
        "customer_features",
        f"""
        with at_two_horizons as (
            select
                customer_id,
                as_of_date,
                {extra}
                {scoring_sql.at_log_horizon(predictor, "0e0")} as predictor_at_0,
                {scoring_sql.at_log_horizon(predictor, "1e0")} as predictor_at_1
            from customer_features
            where as_of_date = date '{as_of_date}'
        ),
        ranked as (select * {ranked} from at_two_horizons)
        select
            customer_id,
            as_of_date,
            '{model["model_version"]}' as model_version,
            predictor_at_0 as {name}_intercept,
            predictor_at_1 - predictor_at_0 as {name}_slope
            {chosen}
        from ranked
        """,
    )
    if scored is None:  # a select always has a relation; the binding's type does not say so
        raise MissingFeatureError(f"The {name} scores could not be queried.")
    return scored
