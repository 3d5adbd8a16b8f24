"""The figures of a refresh, by what they are of; ``summary`` reads those of the text.

Money is in the currency of the orders, as exact decimals to the cent; rates and probabilities are
in 0..1, and None where they are not defined.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path

from customer_value.report import reading
from customer_value.report.figures import customers, inputs, models, value
from customer_value.report.figures.customers import Churn, Customers
from customer_value.report.figures.inputs import DataQuality, Orders
from customer_value.report.figures.models import Health, Model
from customer_value.report.figures.value import Tier, Value


@dataclass(frozen=True)
class Summary:
    """All figures of the report. as_of_date is None where there is not one clean order."""

    database: str
    as_of_date: dt.date | None
    orders: Orders
    data_quality: DataQuality
    customers: Customers
    churn: Churn
    value: Value
    tiers: tuple[Tier, ...]
    models: tuple[Model, ...]
    model_health: tuple[Health, ...]

    def to_json(self) -> str:
        """The same figures as one JSON object; dates as YYYY-MM-DD, money as numbers."""
        return json.dumps(asdict(self), default=_json_value, ensure_ascii=False, indent=2)


def summary(database: Path, schema: str = reading.SCHEMA) -> Summary:
    """Read the figures of the report from a built database, which is not changed.

    Args:
        database: the DuckDB file that ``dbt build`` wrote.
        schema: the schema of the tables for BI in it.

    Raises:
        SentenceError: there is no such file, it is locked, or it lacks what the report reads.
    """
    with reading.connected(database, schema) as connection:
        return Summary(
            database=str(database),
            as_of_date=customers.as_of_date(connection),
            orders=inputs.orders(connection),
            data_quality=inputs.data_quality(connection),
            customers=customers.customers(connection),
            churn=customers.churn(connection),
            value=value.value(connection),
            tiers=value.tiers(connection),
            models=models.models(connection),
            model_health=models.model_health(connection),
        )


def _json_value(value: object) -> float | str:
    # A double holds cents exactly up to 90 trillion.
    return float(value) if isinstance(value, Decimal) else str(value)
