"""What monitoring needs of the models themselves: their scores of old, and how true they came."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from duckdb import DuckDBPyRelation as Relation

from customer_value import metrics, scoring
from customer_value.applied_models import Applied, newest, settings_of
from customer_value.scoring_in_batches import batches_of, line_of
from customer_value.spark_frames import on_driver

# Measured per scored date, in the names that model_metrics promises them under.
CHURN_METRICS = ("roc_auc", "log_loss", "brier_score", "calibration_error")
VALUE_METRICS = ("mean_absolute_error", "total_bias", "normalized_gini", "decile_error")


@on_driver
def score_training(examples: Relation, models: Relation, run: Relation) -> Relation | pd.DataFrame:
    """What the newest models say of each customer and past date that they were trained on.

    Args:
        examples: training_examples.
        models: model_registry.
        run: int_customer_value__run.

    Returns:
        Per customer and past as_of_date, however many horizons they were an example of: the
        churn and spend curves, as churn_scoring and spend_scoring give them for today.
    """
    settings = settings_of(run)
    known = models.df()
    churn, spend = (newest(known, name, settings) for name in ("churn", "spend"))
    points = scoring.queried(
        examples,
        """
        select * from examples
        qualify row_number() over (partition by customer_id, as_of_date order by horizon_days) = 1
        """,
        name="examples",
    )
    kept = ("customer_id", "as_of_date", "purchases_per_day", "expected_purchase_amount")
    if churn.sql is None or spend.sql is None:
        return pd.concat(
            [_lines_of(batch, churn, spend, kept) for batch in batches_of(points)],
            ignore_index=True,
        )
    churn_line, spend_line = scoring.line_sql(churn), scoring.line_sql(spend)
    return scoring.queried(
        points,
        f"""
        with churned as (
            select *, {churn_line[0]} as churn_intercept, {churn_line[1]} as churn_slope
            from customers
        )
        select
            {", ".join(kept)},
            churn_intercept,
            churn_slope,
            {spend_line[0]} as spend_intercept,
            {spend_line[1]} as spend_slope
        from churned
        """,
    )


def _lines_of(
    batch: pd.DataFrame, churn: Applied, spend: Applied, kept: Sequence[str]
) -> pd.DataFrame:
    churn_line = line_of(churn, churn.fitted(), batch, None)
    spend_line = line_of(spend, spend.fitted(), batch, churn_line)
    return batch[list(kept)].assign(
        churn_intercept=churn_line[0],
        churn_slope=churn_line[1],
        spend_intercept=spend_line[0],
        spend_slope=spend_line[1],
    )


@on_driver
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
