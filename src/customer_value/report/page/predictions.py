"""What was predicted on a date, over all customers."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from customer_value.report.page.tables import Tables


@dataclass(frozen=True)
class Predictions:
    """Of one scored date; predicted_value is None where it was not kept then."""

    customer_count: int
    churn_probability: float
    churn_window_days: int
    predicted_value: Decimal | None
    horizon_end_date: dt.date


def summed(tables: Tables, date: dt.date | None) -> Predictions | None:
    """From the history; None where that date is not in it."""
    if date is None or not tables.has("prediction_history"):
        return None
    value = (
        "sum(predicted_value)" if tables.has("prediction_history", "predicted_value") else "null"
    )
    found = tables.row(
        f"""
        select
            count(*),
            -- Added exactly, so that the order of the rows can't move the last digit.
            cast(sum(cast(churn_probability as decimal(38, 9))) as double) / nullif(count(*), 0),
            max(churn_window_days),
            {value},
            max(horizon_end_date)
        from prediction_history
        where as_of_date = $date
        """,
        date=date,
    )
    return Predictions(*found) if found[0] else None
