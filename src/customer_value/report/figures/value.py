"""What customers brought and are predicted to bring, in all and by tier."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

import duckdb

from customer_value.report.figures.shares import share
from customer_value.report.reading import one_row


@dataclass(frozen=True)
class Horizon:
    """How far predicted_value looks: from the first day up to end_date, which it excludes."""

    start_date: dt.date
    end_date: dt.date
    words: str


@dataclass(frozen=True)
class Value:
    """Sums over all customers, in currency; currencies: the codes that the orders name."""

    historic_value: Decimal
    predicted_value: Decimal
    total_value: Decimal
    horizon: Horizon | None
    currencies: tuple[str, ...]


@dataclass(frozen=True)
class Tier:
    """A tier, its size and predicted value, and the share of all customers and of all value.

    The share of value is None for every tier where the total is not positive or a tier is
    negative: parts that don't add up to a whole have no shares.
    """

    tier: str
    customer_count: int
    customer_rate: float | None
    predicted_value: Decimal
    predicted_value_rate: float | None


@dataclass(frozen=True)
class RiskCell:
    """The customers of one tier and risk band; value in currency, probabilities in 0..1."""

    tier: str
    band: str
    customer_count: int
    predicted_value: Decimal
    lowest_probability: float
    highest_probability: float
    churn_window_days: int


def value(connection: duckdb.DuckDBPyConnection) -> Value:
    """Of all customers together."""
    sums = one_row(
        connection,
        """
        select
            round(sum(historic_value), 2),
            round(sum(predicted_value), 2),
            round(sum(total_value), 2)
        from customer_cltv
        """,
    )
    currencies = connection.execute(
        "select distinct currency from orders_cleaned where currency is not null order by currency"
    ).fetchall()
    historic, predicted, total = (_money(amount) for amount in sums)
    return Value(
        historic, predicted, total, horizon(connection), tuple(code for (code,) in currencies)
    )


def horizon(connection: duckdb.DuckDBPyConnection) -> Horizon | None:
    """What predicted_value looks ahead to, or None without a customer."""
    count, start, end, is_monthly, shortest, longest, is_discounted = one_row(
        connection,
        """
        with periods as (

            select distinct
                as_of_date, period_number, period_start, period_end, discount_factor
            from customer_value_by_period

        )

        select
            count(*),
            min(period_start),
            max(period_end),
            bool_and(period_end = cast(as_of_date + to_months(period_number) as date)),
            min(period_end - period_start),
            max(period_end - period_start),
            bool_or(discount_factor <> 1)
        from periods
        """,
    )
    if not count:
        return None
    if is_monthly:
        ahead = "next month" if count == 1 else f"next {count} months"
    elif shortest == longest:
        periods = "" if count == 1 else f"{count} periods of "
        ahead = f"next {periods}{shortest} days"
    else:
        ahead = f"next {count} periods"
    return Horizon(start, end, f"{ahead}, {'' if is_discounted else 'not '}discounted")


def tiers(connection: duckdb.DuckDBPyConnection) -> tuple[Tier, ...]:
    """The tiers, the most valuable first."""
    rows = connection.execute(
        """
        select tier, count(*), round(sum(predicted_value), 2)
        from customer_tiers
        group by tier
        order by max(cltv_percentile) desc, tier
        """
    ).fetchall()
    customer_count = sum(count for _, count, _ in rows)
    values = [_money(value) for _, _, value in rows]
    has_shares = bool(values) and min(values) >= 0
    return tuple(
        Tier(
            tier=tier,
            customer_count=count,
            customer_rate=share(count, customer_count),
            predicted_value=value,
            predicted_value_rate=share(value, sum(values)) if has_shares else None,
        )
        for (tier, count, _), value in zip(rows, values, strict=True)
    )


def risk_cells(connection: duckdb.DuckDBPyConnection) -> list[RiskCell]:
    """Tiers by risk band: the most valuable tier first, in it the band of least risk."""
    rows = connection.execute(
        """
        with ranks as (

            select tier, max(cltv_percentile) as tier_rank from customer_tiers group by tier

        )

        select
            tier,
            churn_risk_band,
            count(*),
            coalesce(sum(predicted_value), 0),
            min(churn_probability),
            max(churn_probability),
            max(churn_window_days)
        from customer_tiers
        inner join customer_churn using (customer_id)
        inner join ranks using (tier)
        group by tier, churn_risk_band, tier_rank
        order by tier_rank desc, tier, min(churn_probability)
        """
    ).fetchall()
    return [RiskCell(*row) for row in rows]


def _money(amount: Decimal | None) -> Decimal:
    """To the cent, and 0 for the sum of nothing."""
    cents = Decimal(amount or 0).quantize(Decimal("0.01"))
    # Never minus zero.
    return cents or Decimal("0.00")
