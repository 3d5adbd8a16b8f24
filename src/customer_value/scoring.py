"""Applying the newest models to every customer: in the engine, or in batches where SQL can't.

Whatever the champion, its answers for a customer become a line in ln(days). Most are one by
nature. Through those that are not, the line is put through the two horizons whose numbers are
shown: the churn window and the end of the value horizon, for spend the end of the first period
and that of the horizon.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from duckdb import DuckDBPyConnection as Connection
from duckdb import DuckDBPyRelation as Relation
from numpy.typing import NDArray

from customer_value import registry, scoring_sql
from customer_value.calibration import Calibration
from customer_value.candidates import fitted_from
from customer_value.candidates.candidate import Fitted
from customer_value.errors import SentenceError
from customer_value.predictor import LARGEST_LOGARITHM, predictor
from customer_value.spark_frames import frame_of, is_spark_frame, row_count, sent, spark_query

Floats = NDArray[np.float64]

REASON_COUNT = 3
BASELINE = ("purchases_per_day", "expected_purchase_amount", "orders_per_purchase_day")

# A longer expression, a forest's, say, is repeated for both horizons and for every reason: planning
# it takes longer than reading the customers in batches.
LONGEST_SQL = 20_000
# So many customers' features are in memory at a time.
ROWS_PER_BATCH = 40_000
# Two horizons nearer to each other than this ratio would let rounding set the slope.
NEAREST_RATIO = 1.05


class MissingFeatureError(SentenceError):
    """A model reads a feature that customer_features no longer has."""


class OutdatedModelError(SentenceError):
    """The newest model was trained by an earlier version, and lacks what this one needs."""


@dataclass(frozen=True)
class Applied:
    """A model of the registry, ready to be applied.

    Attributes:
        name: churn, spend or high_value; version: its model_version.
        sql: its predictor, where that is to be applied in the engine.
        parameters: as the registry has them.
        logarithms: the two log horizons that the line goes through.
        window: the logarithm of the churn window.
    """

    name: str
    version: str
    sql: str | None
    parameters: Mapping[str, Any]
    logarithms: tuple[float, float]
    window: float

    @property
    def is_affine(self) -> bool:
        """Whether the predictor is a line by nature."""
        return bool(self.parameters["is_affine"])

    @property
    def calibration(self) -> Calibration:
        """What is done to its log odds."""
        return Calibration(**self.parameters["calibration"])

    @property
    def reasons(self) -> Mapping[str, Mapping[str, float]]:
        """Reason to its features and their reference values."""
        return self.parameters["reasons"]  # type: ignore[no-any-return]

    def fitted(self) -> Fitted:
        """The candidate as it was fitted."""
        return fitted_from(self.parameters["fitted"])


def newest(models: pd.DataFrame, name: str, run: Mapping[str, Any]) -> Applied:
    """The newest model of a name, and the horizons that the run asks of it.

    Args:
        models: rows of model_registry.
        name: churn, spend or high_value.
        run: int_customer_value__run.

    Raises:
        NoTrainedModelError: there is none.
        OutdatedModelError: it does not say all that is needed here.
    """
    row = registry.newest(models, name)
    parameters = row["parameters"]
    if "fitted" not in parameters:
        message = (
            f"The newest {name} model, {row['model_version']}, was trained by an earlier version. "
            "Train it anew: dbt build --selector train"
        )
        raise OutdatedModelError(message)
    sql = row["linear_predictor_sql"]
    is_in_engine = isinstance(sql, str) and len(sql) <= LONGEST_SQL
    days = (0.0, 0.0)
    if name == "spend":
        last = float(run["value_horizon_days"])
        days = _apart(last, float(run["first_period_days"]))
    else:
        days = _apart(float(run["churn_window_days"]), float(run["value_horizon_days"]))
    logarithms = (0.0, 1.0) if parameters["is_affine"] else (math.log(days[0]), math.log(days[1]))
    return Applied(
        name,
        str(row["model_version"]),
        sql if is_in_engine else None,
        parameters,
        logarithms,
        math.log(run["churn_window_days"]),
    )


def _apart(days: float, others: float) -> tuple[float, float]:
    ratio = max(days, others) / min(days, others)
    return (days, others) if ratio >= NEAREST_RATIO else (days, days / 2)


def settings_of(run: Relation) -> dict[str, Any]:
    """The one row of int_customer_value__run."""
    (row,) = frame_of(run).to_dict(orient="records")
    return {str(name): value for name, value in row.items()}


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
        return _in_batches(connection, customers, model, lambda batch: _churn_batch(batch, model))
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
        return _in_batches(connection, customers, model, lambda batch: _spend_batch(batch, model))
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
            return _keys(batch, model).assign(high_value_probability=calibrated)

        return _in_batches(connection, customers, model, batch_of)
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


def _churn_batch(batch: pd.DataFrame, model: Applied) -> pd.DataFrame:
    """What _churn_query says, for a model that only Python can apply."""
    fitted = model.fitted()
    intercept, slope = line_of(model, fitted, batch, None)
    scored = _keys(batch, model).assign(churn_intercept=intercept, churn_slope=slope)
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


def _spend_batch(batch: pd.DataFrame, model: Applied) -> pd.DataFrame:
    churn_line = (batch["churn_intercept"].to_numpy(), batch["churn_slope"].to_numpy())
    intercept, slope = line_of(model, model.fitted(), batch, churn_line)
    scored = _keys(batch, model).assign(spend_intercept=intercept, spend_slope=slope)
    return scored.assign(**{name: batch[name] for name in BASELINE})


def _keys(batch: pd.DataFrame, model: Applied) -> pd.DataFrame:
    return batch[["customer_id", "as_of_date"]].assign(model_version=model.version)


def _now(features: Relation, settings: Mapping[str, Any]) -> Relation:
    """The features as of the run's date."""
    date = pd.Timestamp(settings["as_of_date"]).date()
    return features.filter(f"as_of_date = date '{date}'")


def batches_of(relation: Relation) -> Iterator[pd.DataFrame]:
    """The rows of a relation in frames of some 40,000; at least one, be it empty.

    A relation keeps no place between calls, so the customers are dealt out by a hash of their ids.
    """
    parts = max(1, math.ceil(row_count(relation) / ROWS_PER_BATCH))
    for part in range(parts):
        # Spark's hash may be negative, and so may its remainder.
        yield frame_of(relation.filter(f"abs(hash(customer_id) % {parts}) = {part}"))


def _in_batches(
    connection: Connection,
    customers: Relation,
    model: Applied,
    score: Callable[[pd.DataFrame], pd.DataFrame],
) -> Relation:
    """Scores of all customers, of whom no more than a batch is in Python at a time."""
    if is_spark_frame(customers):
        return _in_batches_of_spark(customers, score)
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


def _in_batches_of_spark(
    customers: Relation, score: Callable[[pd.DataFrame], pd.DataFrame]
) -> Relation:
    """The same for data frames: Spark has the scores of a batch when the next is fetched."""
    scored = [sent(score(batch), customers) for batch in batches_of(customers)]
    whole: Relation = functools.reduce(lambda scores, more: scores.unionByName(more), scored)
    return whole


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
