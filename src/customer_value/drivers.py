"""What drives the models: how much each feature matters, which way, and how sure that is.

Importance is asked of the twin that the backtest fitted on what was known at the untouched origin,
about the customers of that origin: by what share its error grows when one feature is shuffled among
them (permutation importance: Breiman, 2001). It can be asked of any model. Of the regressions the
effect itself is told too.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from duckdb import DuckDBPyRelation as Relation
from numpy.typing import NDArray

from customer_value import (
    backtest,
    churn,
    evaluation,
    feature_effects,
    registry,
    scoring_sql,
    spend,
)
from customer_value.calibration import Calibration
from customer_value.candidates import fitted_from, targets
from customer_value.spark_frames import on_driver

Floats = NDArray[np.float64]
Predict = Callable[[pd.DataFrame], Floats]
Losses = Callable[[Floats, Floats], Floats]

# So many held-out customers, shuffled so often, and drawn anew so often for the intervals.
CUSTOMERS = 4000
SHUFFLES = 5
DRAWS = 400
# The share of cases that intervals are to hold what is true in.
LEVEL = 0.95
# Half way between counts and sizes: of nothing bought and of much bought alike.
TWEEDIE_POWER = 1.5
# A prediction of money of 0 would be infinitely wrong about whoever bought something.
AMOUNT_FLOOR = 1e-6

# What counts of one history can't be parted: nobody has ordered last before they ordered first.
# A model that reads them has them as one feature.
HISTORY = ("net_amount", "purchase_day_count", "recency_days", "tenure_days")

COLUMNS = (
    "model_name",
    "model_version",
    "feature_name",
    "importance",
    "importance_lower",
    "importance_upper",
    "prediction_change",
    "effect_kind",
    "effect_per_deviation",
    "effect_per_deviation_lower",
    "effect_per_deviation_upper",
    "effect_per_unit",
    "effect_per_unit_lower",
    "effect_per_unit_upper",
    "feature_mean",
    "feature_deviation",
    "horizon_days",
    "split_as_of_date",
    "customer_count",
)


@on_driver
@backtest.reproducible()
def measure(
    relation: Relation, models: Relation, run_relation: Relation, backtested: Relation
) -> pd.DataFrame:
    """What drives the newest models.

    Args:
        relation: training_examples.
        models: model_registry.
        run_relation: int_customer_value__run.
        backtested: candidate_backtest, whose twins are asked.

    Returns:
        Per model and feature that it reads: its importance among held-out customers, the change
        of the mean prediction from the feature's 10th to its 90th percentile among them, and for
        regressions the effect; NaN where the history is too short or the model is no regression.
        No row of a model that a fallback stands in for.
    """
    examples, run = backtest.fetched(relation, run_relation)
    known, verdicts = models.df(), backtested.df()
    twins = {name: _twin(verdicts, name, run) for name in evaluation.TARGETS}
    parts = []
    for name in evaluation.TARGETS:
        model = registry.newest(known, name)
        if isinstance(model["fallback"], str) or examples.empty:
            continue
        told = [
            _effects(name, model, examples, run),
            _importances(name, twins, examples, run["random_seed"]),
        ]
        measured = pd.concat(told, axis=1).rename_axis("feature_name").reset_index()
        parts.append(
            measured.assign(model_name=name, model_version=model["model_version"]).reindex(
                columns=list(COLUMNS)
            )
        )
    numbers = dict.fromkeys(COLUMNS[3:], "float64")
    texts = dict.fromkeys((*COLUMNS[:3], "effect_kind"), "string")
    types = numbers | texts | {"split_as_of_date": "datetime64[ns]"}
    parts = [part for part in parts if len(part)]
    drivers = pd.concat(parts) if parts else pd.DataFrame(columns=list(COLUMNS))
    return drivers.astype(types).sort_values(["model_name", "feature_name"], ignore_index=True)


def _twin(verdicts: pd.DataFrame, name: str, run: Mapping[str, Any]) -> dict[str, Any]:
    """What the newest verdict kept of the champion at the untouched origin; empty without one."""
    dates = pd.to_datetime(verdicts["as_of_date"]).dt.date
    of_target = verdicts[(verdicts["target"] == name) & (dates <= run["as_of_date"])]
    newest = of_target.sort_values(["as_of_date", "is_full"]).tail(1)
    twin: dict[str, Any] = json.loads(newest["held_out"].iloc[0]) if len(newest) else {}
    return twin


def _importances(
    name: str, twins: Mapping[str, Mapping[str, Any]], examples: pd.DataFrame, seed: int
) -> pd.DataFrame:
    twin, churn_twin = twins[name], twins["churn"]
    if not twin or not churn_twin or twin["fitted"]["fallback"] is not None:
        return pd.DataFrame()
    date = pd.Timestamp(twin["as_of_date"])
    is_later = (examples["as_of_date"] == date) & (examples["horizon_days"] == twin["horizon_days"])
    later = examples[is_later].reset_index(drop=True)
    # A place among the top tenth is one among all customers, not among those drawn.
    later = later.assign(happened=evaluation.actual_of(name, later))
    later = backtest.sampled(later, CUSTOMERS).reset_index(drop=True)
    if name == "spend":
        chance = evaluation.fitted_chance(
            fitted_from(churn_twin["fitted"]), Calibration(**churn_twin["calibration"])
        )
        later = later.assign(order_probability=chance(later))
    fitted, line = fitted_from(twin["fitted"]), Calibration(**twin["calibration"])

    def predict(asked: pd.DataFrame) -> Floats:
        predicted = fitted.predict(asked)
        return predicted if name == "spend" else line.applied(predicted)

    losses = _tweedie_losses if name == "spend" else _log_losses
    actual = np.maximum(later["happened"].to_numpy(dtype=np.float64), 0)
    found = importances(predict, later, read_by(predict, later), actual, losses, seed)
    return found.assign(split_as_of_date=date, customer_count=float(len(later)))


def read_by(predict: Predict, examples: pd.DataFrame) -> list[str]:
    """The features that a model reads: those without which it can't predict."""
    no_features = {scoring_sql.LOG_HORIZON, "horizon_days", "order_probability", "happened"}
    sample, read = examples.head(5), []
    for name in sample.select_dtypes("number").columns:
        if name in no_features or str(name).endswith("_in_horizon"):
            continue
        try:
            predict(sample.drop(columns=name))
        except KeyError:
            read.append(str(name))
    return read


def importances(  # noqa: PLR0913, PLR0917 - what is asked of whom
    predict: Predict,
    later: pd.DataFrame,
    features: Sequence[str],
    actual: Floats,
    losses: Losses,
    seed: int,
) -> pd.DataFrame:
    """By what share the held-out error grows when a feature is shuffled among the customers.

    The interval is of customers drawn anew, each with all of their shuffles.

    Args:
        predict: the model; it must not know the customers.
        later: one row per held-out customer.
        features: the columns to shuffle, one after the other; those of a history together.
        actual: what happened, one per customer.
        losses: what each prediction costs.
        seed: of shuffles and draws.

    Returns:
        By feature: importance, its interval, and prediction_change.
    """
    chance = np.random.default_rng(seed)
    count = len(later)
    orders = [chance.permutation(count) for _ in range(SHUFFLES)]
    weights = chance.multinomial(count, np.full(count, 1 / count), size=DRAWS).astype(np.float64)
    repeated = pd.concat([later] * SHUFFLES, ignore_index=True)
    without_change = losses(actual, predict(later))
    base, drawn_base = without_change.mean(), weights @ without_change / count
    tail = (1 - LEVEL) / 2
    history = [name for name in features if name in HISTORY]
    rows = {}
    for names in [*([history] if history else []), *([n] for n in features if n not in HISTORY)]:
        shuffled = {
            name: np.concatenate([later[name].to_numpy()[order] for order in orders])
            for name in names
        }
        predicted = predict(repeated.assign(**shuffled))
        with_change = losses(np.tile(actual, SHUFFLES), predicted).reshape(SHUFFLES, count)
        growth = with_change.mean(axis=0) - without_change
        drawn = (weights @ growth / count) / drawn_base
        lower, upper = np.quantile(drawn, [tail, 1 - tail])
        rows["+".join(names)] = {
            "importance": growth.mean() / base,
            "importance_lower": lower,
            "importance_upper": upper,
            "prediction_change": math.nan if names == history else _change(predict, later, *names),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def _change(predict: Predict, later: pd.DataFrame, name: str) -> float:
    """Of the mean prediction, as a feature goes from low to high and all else stays."""
    low, high = _spread(later[name].to_numpy(dtype=np.float64))
    change = predict(later.assign(**{name: high})) - predict(later.assign(**{name: low}))
    return float(change.mean())


def _spread(values: Floats) -> tuple[float, float]:
    """From low to high: the outer tenths, or what there is where most values are the same."""
    low, high = np.quantile(values, [0.1, 0.9])
    if low == high:
        low, high = values.min(), values.max()
    return float(low), float(high)


def _log_losses(actual: Floats, predicted: Floats) -> Floats:
    clipped = np.clip(predicted, 1e-6, 1 - 1e-6)
    return np.asarray(-(actual * np.log(clipped) + (1 - actual) * np.log1p(-clipped)))


def _tweedie_losses(actual: Floats, predicted: Floats) -> Floats:
    """The deviance of each, as scikit-learn's mean_tweedie_deviance has it."""
    power, expected = TWEEDIE_POWER, np.maximum(predicted, AMOUNT_FLOOR)
    return np.asarray(
        2
        * (
            actual ** (2 - power) / ((1 - power) * (2 - power))
            - actual * expected ** (1 - power) / (1 - power)
            + expected ** (2 - power) / (2 - power)
        )
    )


def _effects(
    name: str, model: Mapping[str, Any], examples: pd.DataFrame, run: Mapping[str, Any]
) -> pd.DataFrame:
    """Of the two regressions whose penalty is known; none of other champions."""
    parameters = model["parameters"]
    coefficients = parameters.get("coefficients")
    setting = parameters.get("setting", {})
    if not coefficients or model["candidate"] not in {"logistic", "gamma"}:
        return pd.DataFrame()
    if model["candidate"] == "gamma":
        return feature_effects.amount_ratios(
            coefficients, examples, run["value_horizon_days"], setting.get("penalty", spend.PENALTY)
        )
    is_churn = name == "churn"
    if not is_churn:
        # As it was fitted: where hardly anybody buys, all buyers would be the top tenth.
        examples = examples[targets.with_enough_buyers(examples)]
    happened = targets.is_churned(examples) if is_churn else targets.is_high_value(examples)
    told = feature_effects.odds_ratios(
        coefficients,
        examples,
        happened,
        run["churn_window_days" if is_churn else "value_horizon_days"],
        setting.get("inverse_penalty", churn.INVERSE_PENALTY),
    )
    # What is applied are the calibrated log odds, a multiple of the model's own.
    factor = parameters["calibration"]["slope"]
    ratios = [str(column) for column in told if str(column).startswith("effect_per")]
    return told.assign(**{column: told[column] ** factor for column in ratios})
