"""What the package predicts, built as any user would build it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import duckdb
import pandas as pd

from accuracy.trials import PROJECT, Trial


class LookAheadError(AssertionError):
    """A model was fitted on days that it is to predict."""


def build(trial: Trial, orders: Path, folder: Path, others: Mapping[str, object]) -> Path:
    """Run dbt build as of the end of calibration and return the database."""
    database = folder / "accuracy.duckdb"
    variables = {
        "inputs": {"orders": {"path": str(orders)}},
        "as_of_date": trial.as_of_date.isoformat(),
        "churn_window_days": trial.horizon_days,
        "period": trial.horizon_days,
        "horizon_periods": 1,
        "annual_discount_rate": 0,
        **others,
    }
    subprocess.run(
        [
            *(str(Path(sys.executable).with_name("dbt")), "--quiet", "build"),
            *("--profiles-dir", "profiles", "--indirect-selection", "cautious"),
            *("--select", "+customer_value_by_period", "+customer_churn", "+model_registry"),
            *("--target-path", str(folder / "target"), "--log-path", str(folder / "logs")),
            *("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"),
            *("--vars", json.dumps(variables)),
        ],
        cwd=PROJECT,
        env={**os.environ, "CUSTOMER_VALUE_WAREHOUSE": str(database)},
        check=True,
    )
    return database


def predictions(database: Path) -> pd.DataFrame:
    """customer_id, churn_probability, order_count and net_amount of every customer."""
    with duckdb.connect() as connection:
        connection.execute(f"attach '{database}' as built (read_only)")
        frame: pd.DataFrame = connection.sql("""
            select
                customer_id,
                churn.churn_probability,
                period.expected_order_count as order_count,
                period.expected_net_amount::double as net_amount
            from built.customer_value.customer_churn as churn
            inner join built.customer_value.customer_value_by_period as period using (customer_id)
            order by customer_id
        """).df()
    return frame


def champions(trial: Trial, database: Path) -> dict[str, str]:
    """What the package chose to predict with, by model name.

    Raises:
        LookAheadError: a training window reaches into the holdout.
    """
    with duckdb.connect() as connection:
        connection.execute(f"attach '{database}' as built (read_only)")
        registry = connection.sql("""
            select * from built.customer_value.model_registry
            order by model_name, trained_as_of_date
        """).df()
    last_seen = registry["training_to_date"].max()
    if last_seen > pd.Timestamp(trial.as_of_date):
        raise LookAheadError(f"A model was fitted on windows up to {last_seen:%Y-%m-%d}.")
    return {
        str(row["model_name"]): str(
            row.get("candidate") or json.loads(row["parameters"])["estimator"]
        )
        for row in registry.to_dict(orient="records")
    }
