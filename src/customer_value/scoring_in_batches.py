"""Applying models that SQL can't say: in Python, to one batch of customers after the other."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from duckdb import DuckDBPyConnection as Connection
from duckdb import DuckDBPyRelation as Relation
from numpy.typing import NDArray

from customer_value.applied_models import Applied
from customer_value.candidates.candidate import Fitted
from customer_value.predictor import LARGEST_LOGARITHM, predictor
from customer_value.spark_frames import frame_of, is_spark_frame, row_count, sent

Floats = NDArray[np.float64]

REASON_COUNT = 3
BASELINE = ("purchases_per_day", "expected_purchase_amount", "orders_per_purchase_day")
# So many customers' features are in memory at a time.
ROWS_PER_BATCH = 40_000


def line_of(
    model: Applied, fitted: Fitted, batch: pd.DataFrame, churn_line: tuple[Floats, Floats] | None
) -> tuple[Floats, Floats]:
    """Intercept and slope of each customer's line; for spend, given those of the churn model."""
    values = []
    for logarithm in model.logarithms:
        examples = batch.assign(log_horizon=logarithm)
        if churn_line is not None:
            chance = np.ones(len(batch))
            if not model.is_affine:
                intercept, slope = churn_line
                odds = intercept + np.maximum(slope, 0) * model.window
                odds = odds + np.minimum(slope, 0) * logarithm
                chance = 1 / (1 + np.exp(np.clip(odds, -LARGEST_LOGARITHM, LARGEST_LOGARITHM)))
            examples = examples.assign(order_probability=chance)
        values.append(calibrated(model, fitted, examples))
    start, end = model.logarithms
    slopes = (values[1] - values[0]) / (end - start)
    return values[0] - slopes * start, slopes


def calibrated(model: Applied, fitted: Fitted, examples: pd.DataFrame) -> Floats:
    """The predictor as the model's SQL would give it."""
    values = predictor(model.name, fitted, examples)
    if model.name == "spend":
        return values
    return model.calibration.intercept + model.calibration.slope * values


def churn_batch(batch: pd.DataFrame, model: Applied) -> pd.DataFrame:
    """What score_churn says, for a model that only Python can apply."""
    fitted = model.fitted()
    intercept, slope = line_of(model, fitted, batch, None)
    scored = keys(batch, model).assign(churn_intercept=intercept, churn_slope=slope)
    if not model.reasons:
        nothing: dict[str, Any] = {}
        for number in range(1, REASON_COUNT + 1):
            nothing[f"reason_{number}"] = pd.Series(None, scored.index, dtype="string")
            nothing[f"reason_{number}_feature"] = pd.Series(None, scored.index, dtype="string")
            nothing[f"reason_{number}_contribution"] = np.nan
        return scored.assign(**nothing)
    here = batch.assign(log_horizon=model.window)
    usual = calibrated(model, fitted, here)

    def moved(reference: Mapping[str, float]) -> Floats:
        return usual - calibrated(model, fitted, here.assign(**reference))

    reasons = list(model.reasons)
    contributions = np.column_stack([moved(model.reasons[reason]) for reason in reasons])
    leading = np.empty(contributions.shape, dtype=object)
    for column, reason in enumerate(reasons):
        names = np.array(list(model.reasons[reason]), dtype=object)
        by = np.column_stack([moved({name: model.reasons[reason][name]}) for name in names])
        is_raised = contributions[:, column] > 0
        leading[:, column] = names[np.where(is_raised, by.argmax(axis=1), by.argmin(axis=1))]
    # Strongest first; of equals the later name, as the engine sorts them.
    by_name = np.argsort(np.array(reasons))[::-1]
    order = by_name[np.argsort(-np.abs(contributions[:, by_name]), axis=1, kind="stable")]
    rows = np.arange(len(batch))
    for number in range(1, REASON_COUNT + 1):
        chosen = order[:, number - 1]
        contribution = contributions[rows, chosen]
        direction = np.where(contribution > 0, "_raises", "_lowers").astype(object)
        scored[f"reason_{number}"] = np.array(reasons, dtype=object)[chosen] + direction
        scored[f"reason_{number}_feature"] = leading[rows, chosen]
        scored[f"reason_{number}_contribution"] = contribution
    return scored


def spend_batch(batch: pd.DataFrame, model: Applied) -> pd.DataFrame:
    """What score_spend says, for a model that only Python can apply."""
    churn_line = (batch["churn_intercept"].to_numpy(), batch["churn_slope"].to_numpy())
    intercept, slope = line_of(model, model.fitted(), batch, churn_line)
    scored = keys(batch, model).assign(spend_intercept=intercept, spend_slope=slope)
    return scored.assign(**{name: batch[name] for name in BASELINE})


def keys(batch: pd.DataFrame, model: Applied) -> pd.DataFrame:
    """What every table of scores begins with."""
    return batch[["customer_id", "as_of_date"]].assign(model_version=model.version)


def batches_of(relation: Relation) -> Iterator[pd.DataFrame]:
    """The rows of a relation in frames of some 40,000; at least one, be it empty.

    A relation keeps no place between calls, so the customers are dealt out by a hash of their ids.
    """
    parts = max(1, math.ceil(row_count(relation) / ROWS_PER_BATCH))
    for part in range(parts):
        # Spark's hash may be negative, and so may its remainder.
        yield frame_of(relation.filter(f"abs(hash(customer_id) % {parts}) = {part}"))


def in_batches(
    connection: Connection,
    customers: Relation,
    model: Applied,
    score: Callable[[pd.DataFrame], pd.DataFrame],
) -> Relation:
    """Scores of all customers, of whom no more than a batch is in Python at a time."""
    if is_spark_frame(customers):
        return _in_spark(customers, score)
    table = f"{model.name}_scores"
    for number, batch in enumerate(batches_of(customers)):
        connection.register("scored_batch", score(batch))
        connection.execute(
            f"insert into {table} by name from scored_batch"
            if number
            else f"create or replace temporary table {table} as from scored_batch"
        )
        connection.unregister("scored_batch")
    return connection.table(table)


def _in_spark(customers: Relation, score: Callable[[pd.DataFrame], pd.DataFrame]) -> Relation:
    """The same for data frames: Spark has the scores of a batch when the next is fetched."""
    scored = [sent(score(batch), customers) for batch in batches_of(customers)]
    whole: Relation = functools.reduce(lambda scores, more: scores.unionByName(more), scored)
    return whole
