"""The newest models of the registry, ready to be applied to customers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from duckdb import DuckDBPyRelation as Relation

from customer_value import registry
from customer_value.calibration import Calibration
from customer_value.candidates import fitted_from
from customer_value.candidates.candidate import Fitted
from customer_value.errors import SentenceError
from customer_value.spark_frames import frame_of

# A longer expression, a forest's, say, is repeated for both horizons and for every reason: planning
# it takes longer than reading the customers in batches.
LONGEST_SQL = 20_000
# Two horizons nearer to each other than this ratio would let rounding set the slope.
NEAREST_RATIO = 1.05


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
