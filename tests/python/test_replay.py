"""The published CDNOW sample, delivered with all that goes wrong and refreshed step by step."""

from __future__ import annotations

import csv
import datetime as dt
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from conftest import MODELS_ONLY, PROJECT, complaint, invoke
from delivered_history import DeliveredHistory

pytestmark = pytest.mark.slow

SELECTED = (
    "orders_rejected",
    "customer_rfm",
    "cohort_retention",
    "revenue_months",
    "customer_features",
)
STEP_DAYS = 30
LAST_DAY = dt.datetime(1998, 7, 1)


def sample_orders() -> list[dict[str, object]]:
    """The orders of the 2,357 customers of the published sample."""
    with (PROJECT / "seeds" / "demo" / "demo_orders.csv").open(encoding="utf-8") as file:
        return [
            {
                "order_id": row["order_id"],
                "customer_id": row["customer_id"],
                "ordered_at": dt.datetime.fromisoformat(row["ordered_at"]),
                "amount": Decimal(row["amount"]),
            }
            for row in csv.DictReader(file)
            if row["in_published_sample"] == "1"
        ]


def build(database: Path, inputs: dict[str, object]) -> None:
    """Run the models over the inputs, into a new database or one that an earlier day built."""
    # One name for all runs, or every row would tell which it is of.
    variables = {"inputs": inputs, "run_id": "replay"}
    arguments = [*MODELS_ONLY, "--select", *(f"+{name}" for name in SELECTED)]
    assert complaint(invoke("build", database.parent, arguments, variables)) is None


def differences(refreshed: Path, whole: Path) -> dict[str, int]:
    """Rows of either database that the other does not have, by table."""
    with duckdb.connect() as connection:
        connection.execute(f"attach '{refreshed}' as refreshed (read_only)")
        connection.execute(f"attach '{whole}' as whole (read_only)")
        tables = connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables() "
            "where database_name = 'whole' and table_name not like '%int_customer_value__run'"
        ).fetchall()
        assert len(tables) > 20
        found = {}
        for (table,) in tables:
            # Without a tolerance: sums are exact, and what is not is rounded.
            (count,) = connection.execute(
                f"select count(*) from ((from refreshed.{table} except all from whole.{table}) "
                f"union all (from whole.{table} except all from refreshed.{table}))"
            ).fetchall()[0]
            if count:
                found[table] = count
        return found


def test_refreshes_through_the_whole_history_end_in_a_full_refresh(tmp_path: Path) -> None:
    history = DeliveredHistory(sample_orders(), delay_days=90)
    folder = tmp_path / "refreshed"
    folder.mkdir()
    refreshed = folder / "customer_value.duckdb"
    moment = dt.datetime(1997, 2, 1)
    while moment < LAST_DAY:
        moment = min(moment + dt.timedelta(days=STEP_DAYS), LAST_DAY)
        inputs = history.inputs_at(moment, folder)
        build(refreshed, inputs)
    whole = tmp_path / "whole" / "customer_value.duckdb"
    whole.parent.mkdir()
    build(whole, inputs)
    with duckdb.connect(str(whole), read_only=True) as connection:
        ((order_count,),) = connection.execute(
            "select count(*) from customer_value.customer_value.orders_cleaned"
        ).fetchall()
    assert order_count > 5000
    assert differences(refreshed, whole) == {}
