"""Holds the chances of carts to what came of recent ones, for path_metrics."""

from customer_value import carts


def model(dbt, session):
    """Return one row per method and metric; none without a past."""
    cells = dbt.ref("int_customer_value__cart_cells")
    return carts.try_out_of_time(cells)
