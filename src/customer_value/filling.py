"""Which missing amounts are predicted, and what dbt gets of it: one relation for each input."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Sequence

from duckdb import DuckDBPyRelation as Relation

from customer_value.errors import SentenceError
from customer_value.spark_frames import is_spark_frame, on_driver, row_count


class OnlyOnDuckDBError(SentenceError):
    """Something is asked of another engine that only DuckDB is asked for."""


def _on_duckdb(
    fill: Callable[[Relation, Relation], Relation],
) -> Callable[[Relation, Relation], Relation]:
    """Fill as ever; on Spark nothing, since all orders would have to come to the driver."""

    @functools.wraps(fill)
    def wrapper(relation: Relation, targets: Relation) -> Relation:
        if is_spark_frame(relation):
            if row_count(targets):
                message = (
                    "The var missing_values asks to predict what is missing, which only DuckDB "
                    "does: take median, mode or keep."
                )
                raise OnlyOnDuckDBError(message)
            relation = relation.limit(0)
        return on_driver(fill)(relation, targets)

    return wrapper


@_on_duckdb
def fill_orders(orders: Relation, targets: Relation) -> Relation:
    """Fill the missing amounts of orders.

    Args:
        orders: int_customer_value__orders_kept.
        targets: int_customer_value__imputation_targets.

    Returns:
        A row per order in which something was filled: order_id; gross_amount, discount_amount and
        cost_amount, null where nothing was; description, one JSON object for all rows.
    """
    others = ["ordered_at", "currency", "channel", "store", "status"]
    amounts = ["gross_amount", "discount_amount", "cost_amount"]
    return _filled(orders, "order_id", amounts, others, targets.filter("input_name = 'orders'"))


@_on_duckdb
def fill_customers(customers: Relation, targets: Relation) -> Relation:
    """Fill the missing acquisition costs of customers.

    Args:
        customers: int_customer_value__customers_won.
        targets: int_customer_value__imputation_targets.

    Returns:
        A row per customer in which something was filled: customer_id, acquisition_cost and
        description, one JSON object for all rows.
    """
    others = ["acquired_at", "acquisition_channel"]
    wanted = targets.filter("input_name = 'customers'")
    return _filled(customers, "customer_id", ["acquisition_cost"], others, wanted)


def _filled(
    relation: Relation, key: str, amounts: Sequence[str], others: Sequence[str], wanted: Relation
) -> Relation:
    """Each wanted amount fitted by itself, from the other amounts and the others.

    An amount tells of another where it is known, whether or not it is wanted itself elsewhere.
    """
    settings = wanted.order("column_name").fetchall()
    if settings:
        # Here, since most shops fill nothing, and scikit-learn takes seconds to load.
        from customer_value.imputation import fit  # noqa: PLC0415
    typed = ", ".join(f"null::decimal(18, 2) as {name}" for name in amounts)
    filled = relation.filter("false").project(f"{key}::varchar as {key}, {typed}")
    description = {}
    for _, target, max_rows, random_seed in settings:
        predictors = [*(name for name in amounts if name != target), *others]
        fitted = fit(
            relation, key, [target], predictors, max_rows=max_rows, random_seed=random_seed
        )
        description[target] = fitted.description
        columns = ", ".join(
            name if name == target else f"null::decimal(18, 2) as {name}" for name in amounts
        )
        filled = filled.union(fitted.apply(relation).project(f"{key}, {columns}"))
    largest = ", ".join(f"max({name}) as {name}" for name in amounts)
    text = json.dumps(description, sort_keys=True).replace("'", "''")
    return filled.aggregate(f"{key}, {largest}", key).project(f"*, '{text}' as description")
