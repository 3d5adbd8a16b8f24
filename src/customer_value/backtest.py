"""How a model would have done: fitted on the past, measured on what came after."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from duckdb import DuckDBPyRelation as Relation
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from customer_value.metrics import Metric

Floats = NDArray[np.float64]

MINIMUM_CUSTOMERS = 30


# dbt trains several models at once in threads of one process, and the limit below is the
# process's: whoever left it first would lift it for the others.
_ONE_AT_A_TIME = threading.Lock()


@contextmanager
def reproducible() -> Iterator[None]:
    """Train on one thread, one model at a time: sums in another order differ in their last bits."""
    with _ONE_AT_A_TIME, threadpool_limits(limits=1):
        yield


def fetched(examples: Relation, run: Relation) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The training examples in the order of their key, and what the run was asked for.

    Args:
        examples: training_examples.
        run: int_customer_value__run.
    """
    (settings,) = run.df().to_dict(orient="records")
    settings["as_of_date"] = settings["as_of_date"].date()
    return examples.order("customer_id, as_of_date, horizon_days").df(), settings


@dataclass(frozen=True)
class OutOfTime:
    """Training examples parted at a date.

    Attributes:
        as_of_date: the date that parts them.
        horizon_days: the length of the later window.
        earlier: examples whose windows had ended by the date.
        later: the examples that look from the date over one horizon; none is in earlier.
    """

    as_of_date: dt.date
    horizon_days: int
    earlier: pd.DataFrame
    later: pd.DataFrame


def out_of_time(examples: pd.DataFrame, history_days: int) -> OutOfTime | None:
    """Hold out the last third of the history: learn from what had ended by its beginning.

    Args:
        examples: rows of training_examples.
        history_days: the days that their grid of dates and horizons was laid over.

    Returns:
        The two parts, or None where either of them would hold too few customers to tell.
    """
    horizon_days = int(history_days // 3)
    spanning = examples[examples["horizon_days"] == horizon_days]
    if spanning.empty:
        return None
    as_of_date = spanning["as_of_date"].max()
    ends = examples["as_of_date"] + pd.to_timedelta(examples["horizon_days"], unit="D")
    earlier = examples[ends <= as_of_date]
    later = spanning[spanning["as_of_date"] == as_of_date]
    if min(earlier["customer_id"].nunique(), len(later)) < MINIMUM_CUSTOMERS:
        return None
    return OutOfTime(
        as_of_date.date(),
        horizon_days,
        earlier.reset_index(drop=True),
        later.reset_index(drop=True),
    )


def measured(
    split: OutOfTime,
    metrics: Mapping[str, Metric],
    actual: Floats,
    predicted: Floats,
    baseline: Floats,
) -> list[dict[str, Any]]:
    """Every metric of a prediction and of a baseline, as model_metrics lists them."""
    return [
        {
            "split": "out_of_time",
            "split_as_of_date": split.as_of_date.isoformat(),
            "horizon_days": split.horizon_days,
            "customer_count": len(split.later),
            "metric": name,
            "value": round(metric(actual, predicted), 9),
            "baseline_value": round(metric(actual, baseline), 9),
        }
        for name, metric in metrics.items()
    ]


def window_of(examples: pd.DataFrame, run: Mapping[str, Any]) -> dict[str, Any]:
    """What a registry row says of the examples that a model was trained on."""
    ends = examples["as_of_date"] + pd.to_timedelta(examples["horizon_days"], unit="D")
    return {
        "trained_as_of_date": run["as_of_date"],
        "training_from_date": examples["as_of_date"].min().date() if len(examples) else None,
        "training_to_date": ends.max().date() if len(examples) else None,
        "training_rows": len(examples),
        "training_customers": int(examples["customer_id"].nunique()),
    }
