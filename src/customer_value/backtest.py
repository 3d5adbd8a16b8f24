"""How a model would have done: fitted on the past, measured on what came after."""

from __future__ import annotations

import datetime as dt
import math
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
class Origin:
    """A past date to forecast from, with what was known at it and what then happened.

    Attributes:
        as_of_date: the date.
        earlier: examples whose windows had ended by the date.
        later: by target, the examples that look from the date over one horizon; none is in earlier.
        is_untouched: whether it is the last one, which nothing is chosen by.
    """

    as_of_date: dt.date
    earlier: pd.DataFrame
    later: Mapping[str, pd.DataFrame]
    is_untouched: bool

    def horizon_days(self, target: str) -> int:
        """The length of the window that the target is judged over."""
        return int(self.later[target]["horizon_days"].iloc[0])

    def window_end(self, target: str) -> dt.date:
        """The day at which that window ends, itself not in it."""
        return self.as_of_date + dt.timedelta(days=self.horizon_days(target))


def origins(examples: pd.DataFrame, run: Mapping[str, Any]) -> list[Origin]:
    """Past dates to forecast from, in the order of time; the last one is for the report alone.

    The last is the latest date from which the window that is asked for, or a third of the history
    where that is shorter, has ended. An earlier one is judged over what had ended by the last: so
    what is chosen on the earlier ones was known when the last one's window began.

    Args:
        examples: rows of training_examples, in the order of their key.
        run: churn_window_days and value_horizon_days, the windows that are asked for;
            history_days; backtest_origins, how many dates at most.

    Returns:
        None, where the last date itself would have too few customers before or after it.
    """
    wanted = {
        "churn": run["churn_window_days"],
        "spend": run["value_horizon_days"],
        "high_value": run["value_horizon_days"],
    }
    longest = run["history_days"] // 3
    lengths = sorted(length for length in examples["horizon_days"].unique() if length <= longest)
    if not lengths:
        return []
    horizons = {
        target: min(lengths, key=lambda length: abs(math.log(length / days)))
        for target, days in wanted.items()
    }
    spanning = examples["horizon_days"] == max(horizons.values())
    if not spanning.any():
        return []
    last = examples.loc[spanning, "as_of_date"].max()
    dates = [date for date in examples["as_of_date"].drop_duplicates().sort_values() if date < last]
    earlier = [_origin(examples, date, last, horizons) for date in dates]
    kept = [origin for origin in earlier if origin is not None]
    untouched = _origin(examples, last, None, horizons)
    count = run["backtest_origins"] - 1
    return [] if untouched is None else [*(kept[-count:] if count else []), untouched]


def _origin(
    examples: pd.DataFrame,
    date: pd.Timestamp,
    known_by: pd.Timestamp | None,
    horizons: Mapping[str, int],
) -> Origin | None:
    """The date as an origin, or None where it has no window that had ended, or few customers."""
    from_here = examples[examples["as_of_date"] == date]
    if known_by is not None:
        from_here = from_here[from_here["horizon_days"] <= (known_by - date).days]
    ends = examples["as_of_date"] + pd.to_timedelta(examples["horizon_days"], unit="D")
    earlier = examples[ends <= date].reset_index(drop=True)
    later = {}
    for target, horizon in horizons.items():
        lengths = from_here.loc[from_here["horizon_days"] <= horizon, "horizon_days"]
        if lengths.empty:
            return None
        window = from_here[from_here["horizon_days"] == lengths.max()]
        later[target] = window.reset_index(drop=True)
    fewest = min(earlier["customer_id"].nunique(), *(len(window) for window in later.values()))
    if fewest < MINIMUM_CUSTOMERS:
        return None
    return Origin(date.date(), earlier, later, known_by is None)


def sampled(examples: pd.DataFrame, rows: int) -> pd.DataFrame:
    """About so many rows at most: those of the customers whose ids hash lowest."""
    if len(examples) <= rows:
        return examples
    positions = customer_positions(examples)
    return examples[positions < rows / len(examples)].reset_index(drop=True)


def customer_positions(examples: pd.DataFrame) -> Floats:
    """A place in 0..1 for each row, by its customer's id: the same in every run."""
    hashed = pd.util.hash_array(examples["customer_id"].to_numpy(dtype=object), categorize=True)
    return np.asarray(hashed / 2.0**64, dtype=np.float64)


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
