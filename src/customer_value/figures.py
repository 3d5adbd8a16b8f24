"""What a refresh says of the shop: the figures behind ``customer-value report``.

The engine adds up; only the sums come here. Money is in the currency of the orders, as exact
decimals to the cent; rates and probabilities are in 0..1, and None where they are not defined.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

DEFAULT_DATABASE = Path("warehouse/customer_value.duckdb")
SCHEMA = "customer_value"
BUILD_COMMAND = "dbt build --profiles-dir profiles"
TABLES = (
    "orders_cleaned",
    "orders_rejected",
    "customers",
    "customer_rfm",
    "cohort_retention",
    "customer_churn",
    "customer_value_by_period",
    "customer_cltv",
    "customer_tiers",
    "model_registry",
    "model_metrics",
    "data_quality",
    "model_health",
)

# The one metric of each model that tells a reader whether to trust it, and what it is called.
HEADLINE_METRICS = {
    "churn": ("roc_auc", "AUC"),
    "spend": ("normalized_gini", "normalized Gini"),
    "high_value": ("roc_auc", "AUC"),
}


class ReportError(Exception):
    """The report can't be made; the message is one sentence, or two, with what to do."""


@dataclass(frozen=True)
class Orders:
    """Input rows, and where they went: cleaned + rejected = input, counted as rows."""

    input_count: int
    cleaned_count: int
    rejected_count: int
    rejected_by_reason: dict[str, int]


@dataclass(frozen=True)
class Breach:
    """A figure of an input beyond a threshold: the error's where severity is error.

    subject: the column that it is a figure of, or all; value and threshold: in 0..1, or for a
    metric that ends in _days, days.
    """

    severity: str
    input_name: str
    metric: str
    subject: str
    value: float
    threshold: float


@dataclass(frozen=True)
class DataQuality:
    """How good the inputs were; figure_count: the figures that have a threshold."""

    figure_count: int
    breaches: tuple[Breach, ...]


@dataclass(frozen=True)
class Customers:
    """Customers with at least one clean order; repeat_rate: the share with two or more."""

    customer_count: int
    repeat_customer_count: int
    repeat_rate: float | None


@dataclass(frozen=True)
class Churn:
    """Who is predicted to place no order in the window, in days, that starts at as_of_date."""

    churn_window_days: int | None
    churned_customer_count: int
    churned_rate: float | None
    mean_churn_probability: float | None


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
class Metric:
    """A model's figure on customers and days held out of its training, beside its baseline's."""

    metric: str
    value: float | None
    baseline_value: float | None
    split_as_of_date: dt.date | None
    horizon_days: int | None
    customer_count: int | None


@dataclass(frozen=True)
class Model:
    """The trained model that the scores came from; fallback: its stand-in's name, or None."""

    model_name: str
    model_version: str
    estimator: str
    fallback: str | None
    trained_as_of_date: dt.date | None
    training_rows: int
    out_of_time: Metric | None


@dataclass(frozen=True)
class Health:
    """What monitoring advises of a model: ok, retrain or investigate, and why in words."""

    model_name: str
    advice: str
    reason: str


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


def summary(database: Path, schema: str = SCHEMA) -> Summary:
    """Read the figures of the report from a built database, which is not changed.

    Args:
        database: the DuckDB file that ``dbt build`` wrote.
        schema: the schema of the tables for BI in it.

    Raises:
        ReportError: there is no such file, it is locked, or it lacks what the report reads.
    """
    with connected(database, schema) as connection:
        customers = _customers(connection)
        return Summary(
            database=str(database),
            as_of_date=as_of_date(connection),
            orders=_orders(connection),
            data_quality=_data_quality(connection),
            customers=customers,
            churn=_churn(connection),
            value=_value(connection),
            tiers=tiers(connection),
            models=_models(connection),
            model_health=_model_health(connection),
        )


@contextmanager
def connected(
    database: Path, schema: str = SCHEMA, needed: Sequence[str] = TABLES
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that reads the package's schema by table names alone, and can't write.

    Args:
        database: the DuckDB file that ``dbt build`` wrote.
        schema: the schema of the tables for BI in it.
        needed: the tables without which there is nothing to read.

    Raises:
        ReportError: the file can't be opened or read; also for what fails inside the block.
    """
    if not os.access(database, os.F_OK):
        raise ReportError(
            f"There is no database at {database}. "
            f"Build it with `{BUILD_COMMAND}`, or name another file with --database."
        )
    if not database.is_file() or not os.access(database, os.R_OK):
        raise ReportError(
            f"{database} is not a file that can be read. Name the DuckDB file with --database."
        )
    with duckdb.connect() as connection:
        try:
            # Catalog and schema have the same name in a file called customer_value.duckdb, so that
            # two-part names would be ambiguous: hence the alias.
            path = str(database.resolve()).replace("'", "''")
            connection.execute(f"attach '{path}' as warehouse (type duckdb, read_only)")
            _check_tables(connection, database, schema, needed)
            quoted = schema.replace('"', '""')
            connection.execute(f'use warehouse."{quoted}"')
            yield connection
        except duckdb.Error as error:
            raise ReportError(_sentence(database, error)) from error


def as_of_date(connection: duckdb.DuckDBPyConnection) -> dt.date | None:
    """The day at whose start everything was known, or None without a customer."""
    found: dt.date | None = _row(connection, "select max(as_of_date) from customers")[0]
    return found


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


def horizon(connection: duckdb.DuckDBPyConnection) -> Horizon | None:
    """What predicted_value looks ahead to, or None without a customer."""
    count, start, end, is_monthly, shortest, longest, is_discounted = _row(
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


def share(part: int | Decimal, whole: int | Decimal) -> float | None:
    """The part of the whole, in 0..1, or None where the whole is not positive."""
    return round(float(part) / float(whole), 9) if whole > 0 else None


def _row(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    row: tuple[Any, ...] | None = connection.execute(query).fetchone()
    if row is None:
        raise LookupError(f"no row from: {query}")
    return row


def _money(amount: Decimal | None) -> Decimal:
    """To the cent, and 0 for the sum of nothing."""
    cents = Decimal(amount or 0).quantize(Decimal("0.01"))
    # Never minus zero.
    return cents or Decimal("0.00")


def _orders(connection: duckdb.DuckDBPyConnection) -> Orders:
    (cleaned,) = _row(connection, "select count(*) from orders_cleaned")
    reasons: dict[str, int] = dict(
        connection.execute(
            """
            select coalesce(reject_reason, 'unknown') as reason, count(*) as order_count
            from orders_rejected
            group by reason
            order by order_count desc, reason
            """
        ).fetchall()
    )
    rejected = sum(reasons.values())
    return Orders(cleaned + rejected, cleaned, rejected, reasons)


def _data_quality(connection: duckdb.DuckDBPyConnection) -> DataQuality:
    """Of the date that the other tables are for; without a customer, of the latest one."""
    rows = connection.execute(
        """
        select
            severity,
            input_name,
            metric,
            subject,
            value,
            case severity when 'error' then error_threshold else warn_threshold end as threshold
        from data_quality
        where
            coalesce(warn_threshold, error_threshold) is not null
            and as_of_date = coalesce(
                (select max(as_of_date) from customers), (select max(as_of_date) from data_quality)
            )
        order by severity, input_name, metric, subject
        """
    ).fetchall()
    return DataQuality(len(rows), tuple(Breach(*row) for row in rows if row[0] != "pass"))


def _customers(connection: duckdb.DuckDBPyConnection) -> Customers:
    count, repeating = _row(
        connection, "select count(*), count(*) filter (order_count >= 2) from customers"
    )
    return Customers(count, repeating, share(repeating, count))


def _churn(connection: duckdb.DuckDBPyConnection) -> Churn:
    count, window, churned, mean_probability = _row(
        connection,
        """
        select
            count(*),
            max(churn_window_days),
            count(*) filter (is_churned_prediction),
            -- Added exactly, so that the order of the rows can't move the last digit.
            cast(sum(cast(churn_probability as decimal(38, 9))) as double) / nullif(count(*), 0)
        from customer_churn
        """,
    )
    rounded = None if mean_probability is None else round(mean_probability, 9)
    return Churn(window, churned, share(churned, count), rounded)


def _value(connection: duckdb.DuckDBPyConnection) -> Value:
    sums = _row(
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


def _models(connection: duckdb.DuckDBPyConnection) -> tuple[Model, ...]:
    """The models that scored the customers; where there are none, the newest ones."""
    rows = connection.execute(
        """
        with used as (

            -- Named model-version+model-version: the scores came from both.
            select unnest(string_split(max(model_version), '+')) as model_version
            from customer_cltv

        ),

        newest as (

            select model_name, max(registration_number) as registration_number
            from model_registry
            group by model_name

        )

        select
            model_registry.model_name,
            model_registry.model_version,
            model_registry.parameters,
            model_registry.fallback,
            model_registry.trained_as_of_date,
            model_registry.training_rows
        from model_registry
        inner join newest using (model_name)
        left join used on model_registry.model_version = used.model_version
        qualify row_number() over (
            partition by model_registry.model_name
            order by used.model_version is null, model_registry.registration_number desc
        ) = 1
        order by model_registry.model_name
        """
    ).fetchall()
    return tuple(
        Model(
            name,
            version,
            json.loads(parameters or "{}").get("estimator", name),
            fallback,
            trained_as_of_date,
            training_rows or 0,
            _metric(connection, name, version),
        )
        for name, version, parameters, fallback, trained_as_of_date, training_rows in rows
    )


def _model_health(connection: duckdb.DuckDBPyConnection) -> tuple[Health, ...]:
    """Of the date that the customers are of; nothing where that date was not watched."""
    rows = connection.execute(
        """
        select model_name, advice, reason from model_health
        where as_of_date = (select max(as_of_date) from customers)
        order by model_name
        """
    ).fetchall()
    return tuple(Health(*row) for row in rows)


def _metric(
    connection: duckdb.DuckDBPyConnection, model_name: str, model_version: str
) -> Metric | None:
    if model_name not in HEADLINE_METRICS:
        return None
    metric, _ = HEADLINE_METRICS[model_name]
    row = connection.execute(
        """
        select metric, value, baseline_value, split_as_of_date, horizon_days, customer_count
        from model_metrics
        where model_version = $version and metric = $metric and split = 'out_of_time' and is_trained
        order by split_as_of_date desc, horizon_days
        limit 1
        """,
        {"version": model_version, "metric": metric},
    ).fetchone()
    return Metric(*row) if row else None


def _check_tables(
    connection: duckdb.DuckDBPyConnection, database: Path, schema: str, needed: Sequence[str]
) -> None:
    found = connection.execute(
        """
        select table_name from information_schema.tables
        where table_catalog = 'warehouse' and table_schema = $schema
        """,
        {"schema": schema},
    ).fetchall()
    missing = [table for table in needed if (table,) not in found]
    if missing:
        others = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise ReportError(
            f"{database} lacks the table {schema}.{missing[0]}{others}. "
            f"Build what is missing with `{BUILD_COMMAND}`, or name another schema with --schema."
        )


def _sentence(database: Path, error: duckdb.Error) -> str:
    text = str(error)
    if "lock on file" in text or "being used by another process" in text:
        holder = re.search(r"PID (\d+)", text)
        process = f"process {holder.group(1)}" if holder else "another process"
        return f"{database} is open for writing by {process}. Wait until it ends, then try again."
    if "not a valid DuckDB database" in text:
        return f"{database} is not a DuckDB database. Name the right file with --database."
    if isinstance(error, duckdb.BinderException | duckdb.CatalogException):
        return (
            f"{database} was built by another version of the package "
            f"({_first_line(text)}). Build it anew with `{BUILD_COMMAND}`."
        )
    return f"DuckDB can't read {database} ({_first_line(text)}). Check the file, then try again."


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0].rstrip(".!")


def _json_value(value: object) -> float | str:
    # A double holds cents exactly up to 90 trillion.
    return float(value) if isinstance(value, Decimal) else str(value)
