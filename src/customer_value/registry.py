"""What a training run leaves behind: one row of model_registry, and never a pickle."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from typing import Any

import pandas as pd

from customer_value.errors import SentenceError

LIBRARIES = ("dbt-customer-value", "duckdb", "numpy", "orbital", "scikit-learn", "scipy")


class NoTrainedModelError(SentenceError):
    """model_registry holds no row of the model that is to be applied."""


@dataclass(frozen=True)
class TrainedModel:
    """One trained model. Dates are days; parameters and metrics end as JSON text.

    Attributes:
        model_name: what it predicts: ``churn``, ``spend`` or ``high_value``.
        trained_as_of_date: nothing on or after this day was known to it.
        training_from_date: the earliest day that any training example looks from.
        training_to_date: the end of the latest window that was learnt from, exclusive.
        training_rows: examples fitted on; training_customers: how many customers gave them.
        candidate: which way of learning it, by its name in the registry of candidates.
        fallback: what has taken its place, or None.
        fit_health: ``ok``, or what keeps the fit from being trusted.
        parameters: settings and all that is fitted; metrics: as model_metrics lists them.
        linear_predictor_sql: the log odds, or the logarithm of the ratio to the personal baseline
            given an order; scoring_sql: the prediction itself. None where SQL can't say them.
    """

    model_name: str
    trained_as_of_date: dt.date
    training_from_date: dt.date | None
    training_to_date: dt.date | None
    training_rows: int
    training_customers: int
    candidate: str
    fallback: str | None
    fit_health: str
    linear_predictor_sql: str | None
    scoring_sql: str | None
    parameters: dict[str, Any] = field(default_factory=dict)
    metrics: list[dict[str, Any]] = field(default_factory=list)

    def to_frame(self) -> pd.DataFrame:
        """One row, its version a hash of everything else in it."""
        row = asdict(self)
        for name in ("parameters", "metrics"):
            row[name] = json.dumps(finite(row[name]), sort_keys=True)
        row["library_versions"] = json.dumps({name: version(name) for name in LIBRARIES})
        identity = json.dumps(row, sort_keys=True, default=str).encode()
        digest = hashlib.sha256(identity).hexdigest()[:12]
        row["model_version"] = f"{self.model_name}-{digest}"
        for name in ("trained_as_of_date", "training_from_date", "training_to_date"):
            row[name] = None if row[name] is None else row[name].isoformat()
        return pd.DataFrame([row]).astype(
            dict.fromkeys(("fallback", "linear_predictor_sql", "scoring_sql"), "string")
        )


def newest(registry: pd.DataFrame, model_name: str) -> dict[str, Any]:
    """The row of model_registry that scoring applies.

    Args:
        registry: rows of model_registry, at least its names, numbers, SQL and parameters.
        model_name: ``churn``, ``spend`` or ``high_value``.

    Raises:
        NoTrainedModelError: no such model has been trained yet.
    """
    candidates = registry[registry["model_name"] == model_name]
    if candidates.empty:
        message = (
            f"model_registry holds no {model_name} model to score with. "
            "Train one first: dbt build --selector train"
        )
        raise NoTrainedModelError(message)
    (row,) = candidates.nlargest(1, "registration_number").to_dict(orient="records")
    return {str(name): value for name, value in row.items()} | {
        "parameters": json.loads(row["parameters"])
    }


def finite(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """JSON knows no nan and no infinity: both become null."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
