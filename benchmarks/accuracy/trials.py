"""The data sets, each parted at a date: what is known by then, and what is to be predicted."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd

PROJECT = Path(__file__).resolve().parents[2]
SHARED_DATA = Path(os.environ.get("SHARED_DATA") or PROJECT.parent / "shared" / "data")
ONLINE_RETAIL = SHARED_DATA / "online_retail_2010_2011.parquet"
GROCERY = PROJECT / "build" / "complete_journey"

CDNOW = f"""
    from read_csv('{PROJECT / "seeds" / "demo" / "demo_orders.csv"}', types = {{
        'customer_id': 'varchar', 'ordered_at': 'date', 'amount': 'decimal(18, 2)'
    }})
"""
COMPLETE_JOURNEY = f"""
    select household_id as customer_id, transaction_timestamp as ordered_at, sales_value as amount
    from '{GROCERY / "transactions.parquet"}'
"""
# Cancellations and free lines are left out, and lines that are there twice count once.
ONLINE_RETAIL_LINES = f"""
    select distinct
        *,
        CustomerID::bigint as customer_id,
        InvoiceDate as ordered_at,
        Quantity * UnitPrice as amount
    from '{ONLINE_RETAIL}'
    where CustomerID is not null and InvoiceNo not like 'C%' and Quantity > 0 and UnitPrice > 0
"""


class AbsentError(Exception):
    """The data of a trial are not there; the message is the sentence that says so."""


@dataclass(frozen=True)
class Trial:
    """One data set, parted at a date.

    Attributes:
        name: as in tables, and for --only.
        orders: SQL that gives customer_id, ordered_at and amount, in any number of rows per day.
        as_of_date: the first day of the holdout, the day after calibration.
        horizon_days: the length of the holdout.
        currency: what amounts are in.
    """

    name: str
    orders: str
    as_of_date: dt.date
    horizon_days: int
    currency: str = "dollars"


TRIALS = (
    Trial("CDNOW sample", f"{CDNOW} where in_published_sample = 1", dt.date(1997, 10, 1), 273),
    Trial("CDNOW all", CDNOW, dt.date(1997, 10, 1), 273),
    Trial("Complete Journey, 4 months", COMPLETE_JOURNEY, dt.date(2017, 9, 1), 122),
    Trial("Complete Journey, 3 months", COMPLETE_JOURNEY, dt.date(2017, 10, 1), 92),
    Trial("Online Retail", ONLINE_RETAIL_LINES, dt.date(2011, 9, 11), 90, "pounds"),
)


def _make_present(trial: Trial) -> None:
    if trial.orders == ONLINE_RETAIL_LINES and not ONLINE_RETAIL.exists():
        raise AbsentError(
            f"{ONLINE_RETAIL.name} is not there; set SHARED_DATA to the folder that holds it."
        )
    if trial.orders == COMPLETE_JOURNEY:
        fetched = subprocess.run(
            [sys.executable, str(PROJECT / "examples" / "complete_journey.py")],
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        if fetched.returncode != 0:
            raise AbsentError(fetched.stderr.strip().splitlines()[-1])


def write_orders(trial: Trial, folder: Path) -> Path:
    """Write the trial's orders, those of one customer and day summed, and return the file.

    Args:
        trial: the data set.
        folder: where to.

    Raises:
        AbsentError: the data are not on this machine, and can't be fetched.
    """
    _make_present(trial)
    path = folder / "orders.parquet"
    duckdb.sql(f"""
        copy (
            select
                customer_id || '-' || ordered_at::date as order_id,
                customer_id::varchar as customer_id,
                ordered_at::date as ordered_at,
                sum(amount)::decimal(18, 2) as amount
            from ({trial.orders})
            group by all
            order by all
        ) to '{path}'
    """)
    return path


def outcomes(trial: Trial, orders: Path) -> pd.DataFrame:
    """What each customer who was known at the end of calibration did in the holdout.

    Returns:
        customer_id, actual_order_count and actual_net_amount, by customer_id.
    """
    return _frame(f"""
        select
            customer_id,
            count(*) filter (where {_in_holdout(trial)})::double as actual_order_count,
            coalesce(sum(amount) filter (where {_in_holdout(trial)}), 0)::double
                as actual_net_amount
        from '{orders}'
        group by customer_id
        having min(ordered_at) < date '{trial.as_of_date}'
        order by customer_id
    """)


def _frame(sql: str) -> pd.DataFrame:
    with duckdb.connect() as connection:
        frame: pd.DataFrame = connection.sql(sql).df()
    return frame


def _in_holdout(trial: Trial) -> str:
    start = f"date '{trial.as_of_date}'"
    return f"ordered_at >= {start} and ordered_at < {start} + {trial.horizon_days}"


def histories(trial: Trial, orders: Path) -> pd.DataFrame:
    """What the peers know of each customer: nothing from the first day of the holdout on.

    Returns:
        By customer_id: frequency, recency, age, repeat_amount and mean_amount as peer_models.py
        reads them, times in weeks; last_order_count and last_net_amount of the last window as
        long as the holdout; past_order_count and past_net_amount of the last past_days, the same
        or, on short histories, half of the history; and age_days since the first order.
    """
    start = f"date '{trial.as_of_date}'"
    return _frame(f"""
        with known as (
            select
                *,
                row_number() over (partition by customer_id order by ordered_at) as purchase,
                ordered_at >= {start} - {trial.horizon_days} as is_in_last_window,
                least({trial.horizon_days}, ({start} - min(ordered_at) over ()) // 2) as past_days,
                ordered_at >= {start} - past_days::integer as is_in_past_days
            from '{orders}'
            where ordered_at < {start}
        )
        select
            customer_id,
            count(*) - 1 as frequency,
            (max(ordered_at) - min(ordered_at)) / 7.0 as recency,
            ({start} - 1 - min(ordered_at)) / 7.0 as age,
            coalesce(avg(amount) filter (where purchase > 1), 0)::double as repeat_amount,
            avg(amount)::double as mean_amount,
            (count(*) filter (where is_in_last_window))::double as last_order_count,
            coalesce(sum(amount) filter (where is_in_last_window), 0)::double as last_net_amount,
            (count(*) filter (where is_in_past_days))::double as past_order_count,
            coalesce(sum(amount) filter (where is_in_past_days), 0)::double as past_net_amount,
            any_value(past_days)::double as past_days,
            ({start} - min(ordered_at))::double as age_days
        from known
        group by customer_id
        order by customer_id
    """)
