"""What monitoring needs of the models themselves: their scores of old, and how true they came."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from duckdb import DuckDBPyRelation as Relation

from customer_value import metrics, registry, scoring_sql
from customer_value.errors import SentenceError

# Measured per scored date, in the names that model_metrics promises them under.
CHURN_METRICS = tuple(metrics.CHURN_METRICS)
VALUE_METRICS = ("mean_absolute_error", "total_bias", "normalized_gini", "decile_error")


class UnscoredError(SentenceError):
    """The training examples could not be scored."""


def score_training(examples: Relation, models: Relation) -> Relation:
    """What the newest models say of each customer and past date that they were trained on.

    Args:
        examples: training_examples.
        models: model_registry.

    Returns:
        Per customer and past as_of_date, however many horizons they were an example of: the
        churn and spend curves, as churn_scoring and spend_scoring give them for today.
    """
    known = models.df()
    curves = []
    for name in ("churn", "spend"):
        predictor = registry.newest(known, name)["linear_predictor_sql"]
        at_0, at_1 = (scoring_sql.at_log_horizon(predictor, point) for point in ("0e0", "1e0"))
        curves.append(f"{at_0} as {name}_intercept, {at_1} - ({at_0}) as {name}_slope")
    scored = examples.query(
        "training_examples",
        f"""
        with points as (
            select * from training_examples
            qualify row_number() over (
                partition by customer_id, as_of_date order by horizon_days
            ) = 1
        )
        select
            customer_id,
            as_of_date,
            purchases_per_day,
            expected_purchase_amount,
            {", ".join(curves)}
        from points
        """,
    )
    if scored is None:  # a select always has a relation; the binding's type does not say so
        raise UnscoredError("The training examples could not be scored.")
    return scored


def measure(pairs: Relation) -> pd.DataFrame:
    """How true past predictions came, by the metrics that the models were promised by.

    Args:
        pairs: int_customer_value__predictions_realized: per as_of_date, target and customer the
            prediction, its interval if it has one, and what happened.

    Returns:
        Per as_of_date, target and metric: the value, NaN where it is not defined.
    """
    frame = pairs.order("as_of_date, target, customer_id").df()
    rows: list[dict[str, Any]] = []
    for (as_of_date, target), group in frame.groupby(["as_of_date", "target"]):
        columns = ("actual", "predicted", "predicted_lower", "predicted_upper")
        actual, predicted, lower, upper = (group[c].to_numpy(dtype=np.float64) for c in columns)
        figures = {
            name: metric(actual, predicted) for name, metric in _metrics_of(str(target)).items()
        }
        if target != "churn":
            figures["interval_coverage"] = float(np.mean((lower <= actual) & (actual <= upper)))
        rows += [
            {"as_of_date": as_of_date, "target": target, "metric": name, "realized_value": value}
            for name, value in figures.items()
        ]
    types = {"as_of_date": "datetime64[ns]", "target": "string", "metric": "string"}
    measured = pd.DataFrame(rows, columns=[*types, "realized_value"])
    return measured.astype(types | {"realized_value": "float64"})


def _metrics_of(target: str) -> dict[str, Callable[..., float]]:
    if target == "churn":
        return {name: metrics.CHURN_METRICS[name] for name in CHURN_METRICS}
    return {name: metrics.SPEND_METRICS[name] for name in VALUE_METRICS}
