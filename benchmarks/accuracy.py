"""Held-out accuracy of the whole package, beside its peers: make bench-accuracy.

The package is built as any user would build it, with an as_of_date at the end of calibration;
its tables are then held against what customers did afterwards. The protocol: one row per
customer and day, every customer with an order by the end of calibration is predicted, churned
is who does not order in the holdout.

    python benchmarks/accuracy.py            CDNOW, the published sample and all customers
    python benchmarks/accuracy.py --check    the same, and exit 1 where a target is missed
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import numpy as np

from customer_value import metrics

PROJECT = Path(__file__).resolve().parent.parent
DEMO_ORDERS = PROJECT / "seeds" / "demo" / "demo_orders.csv"


@dataclass(frozen=True)
class Trial:
    """One data set, parted at a date.

    Attributes:
        rows: SQL over the demo orders, giving the rows to keep.
        peers: figures of other tools on the same protocol, (best of all in hindsight, BG/NBD
            with Gamma-Gamma): lifetimes 0.11.3 and pymc-marketing, three probabilistic models
            each, and three naive ones.
        targets: bounds that --check holds us to, (lowest, highest).
    """

    name: str
    rows: str
    as_of_date: dt.date
    horizon_days: int
    peers: dict[str, tuple[str, str]]
    targets: dict[str, tuple[float, float]] = field(default_factory=dict)


TRIALS = [
    Trial(
        "CDNOW sample",
        "in_published_sample = 1",
        dt.date(1997, 10, 1),
        273,
        {
            "roc_auc": ("0.771", "0.757"),
            "log_loss": ("0.505", "0.506"),
            "brier_score": ("0.161", "0.161"),
            "calibration_error": ("0.043", "0.043"),
            "orders_mean_absolute_error": ("0.755", "0.786"),
            "orders_total_bias": ("0.902", "0.879"),
            "mean_absolute_error": ("29.20", "30.01"),
            "root_mean_squared_error": ("71.95", "72.91"),
            "normalized_gini": ("0.693", "0.672"),
            "decile_error": ("0.235", "0.319"),
            "total_bias": ("0.87-1.13", "0.829"),
            "top_10_percent_share": ("0.504", "0.497"),
        },
        {
            "roc_auc": (0.77, 1),
            "log_loss": (0, 0.50),
            "normalized_gini": (0.69, 1),
            "total_bias": (0.85, 1.15),
        },
    ),
    Trial(
        "CDNOW all",
        "true",
        dt.date(1997, 10, 1),
        273,
        {
            "roc_auc": ("0.763", "0.747"),
            "log_loss": ("0.512", "0.512"),
            "brier_score": ("0.165", "0.165"),
            "calibration_error": ("0.040", "0.040"),
            "orders_mean_absolute_error": ("0.794", "0.819"),
            "orders_total_bias": ("0.87-1.10", "0.857"),
            "mean_absolute_error": ("31.46", "32.19"),
            "root_mean_squared_error": ("92.85", "92.93"),
            "normalized_gini": ("0.720", "0.710"),
            "decile_error": ("0.156", "0.332"),
            "total_bias": ("0.84-1.11", "0.810"),
            "top_10_percent_share": ("0.525", "0.524"),
        },
    ),
]


def day_orders(trial: Trial, folder: Path) -> Path:
    """Write the trial's orders, those of one customer and day summed, and return the file."""
    path = folder / "orders.parquet"
    duckdb.sql(f"""
        copy (
            select
                customer_id || '-' || ordered_at as order_id,
                customer_id,
                ordered_at,
                sum(amount) as amount
            from read_csv('{DEMO_ORDERS}', types = {{
                'customer_id': 'varchar', 'ordered_at': 'date', 'amount': 'decimal(18, 2)'
            }})
            where {trial.rows}
            group by all
        ) to '{path}'
    """)
    return path


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
            *("dbt", "--quiet", "build", "--profiles-dir", "profiles"),
            *("--target-path", str(folder / "target"), "--log-path", str(folder / "logs")),
            *("--exclude-resource-type", "test", "unit_test"),
            *("--vars", json.dumps(variables)),
        ],
        cwd=PROJECT,
        env={**os.environ, "CUSTOMER_VALUE_WAREHOUSE": str(database)},
        check=True,
    )
    return database


def measure(trial: Trial, orders: Path, database: Path) -> dict[str, float]:
    """Every figure of the protocol, of the package's tables against the holdout."""
    with duckdb.connect() as connection:
        connection.execute(f"attach '{database}' as built (read_only)")
        outcome = connection.sql(f"""
            with holdout as (
                select customer_id, count(*) as order_count, sum(amount) as net_amount
                from '{orders}'
                where ordered_at >= date '{trial.as_of_date}'
                    and ordered_at < date '{trial.as_of_date}' + {trial.horizon_days}
                group by all
            )
            select
                churn.churn_probability,
                period.expected_net_amount::double as predicted,
                period.expected_order_count as predicted_orders,
                coalesce(holdout.net_amount, 0)::double as actual,
                coalesce(holdout.order_count, 0) as actual_orders
            from built.customer_value.customer_churn as churn
            inner join built.customer_value.customer_value_by_period as period using (customer_id)
            left join holdout using (customer_id)
            order by customer_id
        """).fetchnumpy()
        (last_seen,) = connection.sql("""
            select max(training_to_date) from built.customer_value.model_registry
        """).fetchall()[0]
    if last_seen > trial.as_of_date:
        raise AssertionError(f"A model was fitted on windows up to {last_seen}.")
    is_churned = (outcome["actual_orders"] == 0).astype(float)
    orders_metrics = {"mean_absolute_error", "root_mean_squared_error", "total_bias"}
    return {
        "customers": len(is_churned),
        "active_share": float(1 - np.mean(is_churned)),
        **{
            name: metric(is_churned, outcome["churn_probability"])
            for name, metric in metrics.CHURN_METRICS.items()
        },
        **{
            f"orders_{name}": metric(outcome["actual_orders"], outcome["predicted_orders"])
            for name, metric in metrics.SPEND_METRICS.items()
            if name in orders_metrics
        },
        **{
            name: metric(outcome["actual"], outcome["predicted"])
            for name, metric in metrics.SPEND_METRICS.items()
        },
    }


def main() -> int:
    """Run every trial and print its table; the exit code tells whether targets are met."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--vars",
        type=json.loads,
        default={},
        help='other vars to try, as JSON: {"winsorize_outliers": true}',
    )
    parser.add_argument("--check", action="store_true", help="exit 1 where a target is missed")
    arguments = parser.parse_args()
    missed = []
    for trial in TRIALS:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            orders = day_orders(trial, folder)
            figures = measure(trial, orders, build(trial, orders, folder, arguments.vars))
        print(
            f"\n{trial.name}: calibration before {trial.as_of_date}, holdout of "
            f"{trial.horizon_days} days, {figures.pop('customers'):,} customers, "
            f"{figures.pop('active_share'):.1%} active in it\n"
        )
        print(f"{'':32}{'ours':>9}{'best peer':>11}{'BG/NBD+GG':>11}   target")
        for name, value in figures.items():
            best, bgnbd = trial.peers.get(name, ("", ""))
            low, high = trial.targets.get(name, (None, None))
            verdict = ""
            if low is not None and high is not None:
                is_met = low <= value <= high
                verdict = f"{low:g} to {high:g}: {'met' if is_met else 'MISSED'}"
                missed += [] if is_met else [f"{trial.name} {name}"]
            print(f"{name:32}{value:9.3f}{best:>11}{bgnbd:>11}   {verdict}")
    if missed:
        print(f"\nMissed: {', '.join(missed)}")
    return 1 if missed and arguments.check else 0


if __name__ == "__main__":
    sys.exit(main())
