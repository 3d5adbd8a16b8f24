"""Training the champion of a target on all examples: one row of model_registry."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from duckdb import DuckDBPyRelation as Relation
from numpy.typing import NDArray

from customer_value import backtest, churn, evaluation, scoring_sql, spend
from customer_value.calibration import Calibration
from customer_value.candidates import CANDIDATES, fitted_from
from customer_value.candidates.candidate import Fitted
from customer_value.candidates.tuned import Tuned
from customer_value.predictor import predictor
from customer_value.registry import TrainedModel
from customer_value.spark_frames import on_driver

Floats = NDArray[np.float64]

# Rows on which the shape of a predictor is looked at.
SHAPE_ROWS = 200
# A predictor is a line where it departs from one by rounding alone.
SHAPE_TOLERANCE = 1e-6


@on_driver
@backtest.reproducible()
def train(
    target: str,
    relation: Relation,
    run_relation: Relation,
    backtested: Relation,
    churn_training: Relation | None = None,
) -> pd.DataFrame:
    """Train the candidate that the backtest has made champion.

    Args:
        target: ``churn``, ``spend`` or ``high_value``.
        relation: training_examples.
        run_relation: int_customer_value__run.
        backtested: candidate_backtest.
        churn_training: for spend the churn model of the same run, whose chance of an order
            stands beside the examples.

    Returns:
        One row for model_registry.

    Raises:
        ScoringMismatchError: the SQL expression does not give what the model gives.
    """
    examples, run = backtest.fetched(relation, run_relation)
    verdict = evaluation.newest_verdict(backtested.df(), target, run["as_of_date"])
    if churn_training is not None:
        chance = _chance_of(churn_training.df().iloc[0])
        examples = examples.assign(order_probability=chance(examples))
    candidate = CANDIDATES[target][verdict["champion"]]
    setting = Tuned.from_json(verdict.get("tuning")).setting(candidate, run["as_of_date"])
    fitted = candidate.fit(examples, run, **setting)
    line = Calibration(**json.loads(verdict["calibration"]))
    if fitted.fallback is not None:
        # The line is the champion's; what answers in its place has not been measured.
        line = Calibration()
    predictor_sql, expression = _as_sql(target, fitted, line, examples)
    held_out = json.loads(verdict["held_out"])
    return TrainedModel(
        model_name=target,
        candidate=candidate.name,
        **backtest.window_of(examples, run),
        fallback=fitted.fallback,
        fit_health=fitted.health,
        linear_predictor_sql=predictor_sql,
        scoring_sql=expression,
        metrics=held_out.get("metrics", []),
        parameters={
            "estimator": candidate.name.replace("_", " "),
            "setting": setting,
            "random_seed": run["random_seed"],
            "chosen": verdict["reason"],
            "calibration": vars(line),
            "fitted": fitted.to_dict(),
            "is_affine": _is_affine(target, fitted, examples, run),
            **_shape(target, fitted, examples, run["churn_window_days"]),
            **_interval(target, verdict, run),
        },
    ).to_frame()


def _chance_of(row: Mapping[str, Any]) -> evaluation.Chance:
    parameters = json.loads(row["parameters"])
    line = Calibration(**parameters["calibration"])
    return evaluation.fitted_chance(fitted_from(parameters["fitted"]), line)


def _as_sql(
    target: str, fitted: Fitted, line: Calibration, examples: pd.DataFrame
) -> tuple[str | None, str | None]:
    """The predictor that curves are made of, and the prediction itself, where SQL can say them."""
    told = fitted.predictor_sql()
    if told is None:
        return None, None
    if target == "spend":
        expression = f"exp({told})"
        scoring_sql.check_equal(expression, examples, fitted.predict(examples), target)
        ratio = f'({told}) - ln("order_probability") - ln({spend.BASELINE_SQL})'
        return ratio, expression
    calibrated = line.sql(told)
    expression = f"1 / (1 + exp(-({calibrated})))"
    scoring_sql.check_equal(expression, examples, line.applied(fitted.predict(examples)), target)
    return calibrated, expression


def _is_affine(target: str, fitted: Fitted, examples: pd.DataFrame, run: Mapping[str, Any]) -> bool:
    """Whether the predictor is a line in the log horizon, whatever the chance of an order."""
    sample = examples.head(SHAPE_ROWS)
    points = [0.0, 1.0, math.log(run["churn_window_days"]), 8.0]
    values = [
        predictor(target, fitted, sample.assign(log_horizon=point, order_probability=chance))
        for point, chance in zip(points, (1.0, 0.5, 0.25, 0.125), strict=True)
    ]
    on_line = [values[0] + point * (values[1] - values[0]) for point in points]
    return all(
        np.allclose(value, straight, rtol=0, atol=SHAPE_TOLERANCE)
        for value, straight in zip(values, on_line, strict=True)
    )


def _shape(target: str, fitted: Fitted, examples: pd.DataFrame, window_days: int) -> dict[str, Any]:
    """What reasons and monitoring need: coefficients where there are any, and reference values.

    The reference is the average customer of the examples. Where the predictor is linear in the
    features, what a feature contributes is its coefficient at the churn window times its distance
    from the reference; else it is found by putting the reference in its place.
    """
    score = fitted.to_dict().get("score", {})
    shape: dict[str, Any] = {}
    if score.get("kind") == "linear":
        shape["coefficients"] = {"intercept": score["intercept"], **score["coefficients"]}
    if target != "churn" or fitted.fallback is not None or examples.empty:
        return shape | {"reasons": {}}
    names = [name for group in churn.REASONS.values() for name in group]
    means = examples[names].mean()
    reference = {name: float(np.round(means[name], 12)) for name in names}
    log_window = math.log(window_days)
    groups = {
        reason: {name: reference[name] for name in group} for reason, group in churn.REASONS.items()
    }
    shape["reasons"] = groups
    slopes = _slopes(target, fitted, examples, reference, log_window)
    if slopes is not None:
        shape["contribution_per_unit"] = slopes
    return shape


def _slopes(
    target: str,
    fitted: Fitted,
    examples: pd.DataFrame,
    reference: Mapping[str, float],
    log_window: float,
) -> dict[str, float] | None:
    """Of each feature what one unit of it adds at the churn window; None if that is no constant."""
    sample = examples.head(SHAPE_ROWS).assign(log_horizon=log_window)
    average = sample.assign(**reference)
    at_average = predictor(target, fitted, average)
    slopes = {
        name: float(
            predictor(target, fitted, average.assign(**{name: value + 1.0}))[0] - at_average[0]
        )
        for name, value in reference.items()
    }
    rest = predictor(target, fitted, sample) - at_average
    for name, value in reference.items():
        rest = rest - slopes[name] * (sample[name].to_numpy(dtype=np.float64) - value)
    return slopes if np.allclose(rest, 0, rtol=0, atol=SHAPE_TOLERANCE) else None


def _interval(target: str, verdict: Mapping[str, Any], run: Mapping[str, Any]) -> dict[str, Any]:
    if target != "spend":
        return {}
    return {
        "interval_level": run["interval_level"],
        "interval_bands": json.loads(verdict["interval_bands"]),
    }


@on_driver
def score_held_out(
    relation: Relation, run_relation: Relation, backtested: Relation
) -> pd.DataFrame:
    """What twins of the models said at the untouched origin, beside what then happened.

    Args:
        relation: training_examples.
        run_relation: int_customer_value__run.
        backtested: candidate_backtest.

    Returns:
        One row per customer of the origin's value window; none where the history was too short.
    """
    examples, run = backtest.fetched(relation, run_relation)
    verdicts = {
        target: evaluation.newest_verdict(backtested.df(), target, run["as_of_date"])
        for target in evaluation.TARGETS
    }
    held_out = {t: json.loads(verdict["held_out"]) for t, verdict in verdicts.items()}
    columns = HELD_OUT_COLUMNS
    if not all(held_out.values()):
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in columns.items()})
    date = pd.Timestamp(held_out["spend"]["as_of_date"])
    at_origin = examples[examples["as_of_date"] == date]
    churn_window = _window(at_origin, held_out["churn"]["horizon_days"])
    value_window = _window(at_origin, held_out["spend"]["horizon_days"])
    chance = _twin_chance(held_out["churn"])
    order_probability = chance(value_window)
    with_chance = value_window.assign(order_probability=order_probability)
    predicted = fitted_from(held_out["spend"]["fitted"]).predict(with_chance)
    lower, upper = _ends(held_out["spend"]["interval_bands"], order_probability, predicted)
    high = held_out["high_value"]
    high_value = Calibration(**high["calibration"]).applied(
        fitted_from(high["fitted"]).predict(value_window)
    )
    frame = pd.DataFrame(
        {
            "customer_id": value_window["customer_id"],
            "as_of_date": date,
            "churn_horizon_days": held_out["churn"]["horizon_days"],
            "churn_probability": 1 - chance(churn_window),
            "is_churned": churn_window["is_churned_in_horizon"],
            "value_horizon_days": held_out["spend"]["horizon_days"],
            "order_probability": order_probability,
            "predicted_net_amount": predicted,
            "predicted_net_amount_lower": lower,
            "predicted_net_amount_upper": upper,
            "actual_net_amount": value_window["net_amount_in_horizon"].to_numpy(dtype=np.float64),
            "high_value_probability": high_value,
            "is_high_value": evaluation.actual_of("high_value", value_window) > 0,
            "interval_level": run["interval_level"],
        }
    )
    return frame.astype(columns)


HELD_OUT_COLUMNS = {
    "customer_id": "str",
    "as_of_date": "datetime64[us]",
    "churn_horizon_days": "int64",
    "churn_probability": "float64",
    "is_churned": "bool",
    "value_horizon_days": "int64",
    "order_probability": "float64",
    "predicted_net_amount": "float64",
    "predicted_net_amount_lower": "float64",
    "predicted_net_amount_upper": "float64",
    "actual_net_amount": "float64",
    "high_value_probability": "float64",
    "is_high_value": "bool",
    "interval_level": "float64",
}


def _window(at_origin: pd.DataFrame, horizon_days: int) -> pd.DataFrame:
    """The examples of one horizon, of every customer once and in the order of their key."""
    return at_origin[at_origin["horizon_days"] == horizon_days].reset_index(drop=True)


def _twin_chance(told: Mapping[str, Any]) -> evaluation.Chance:
    line = Calibration(**told["calibration"])
    return evaluation.fitted_chance(fitted_from(told["fitted"]), line)


def _ends(
    bands: Sequence[Mapping[str, float]], chance: Floats, predicted: Floats
) -> tuple[Floats, Floats]:
    """The interval about each prediction, never drawn in beyond the prediction itself."""
    edges = [band["order_probability_to"] for band in bands]
    position = np.minimum(np.searchsorted(edges, chance, side="right"), len(bands) - 1)
    lower, upper = (
        np.array([band[f"{end}_ratio"] for band in bands])[position] for end in ("lower", "upper")
    )
    return predicted * np.minimum(lower, 1), predicted * np.maximum(upper, 1)
