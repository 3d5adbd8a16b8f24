"""Forecasts the coming weeks of every category, for category_demand."""

from customer_value import demand


def model(dbt, session):
    """Return one row per category and week; none without order lines."""
    weeks = dbt.ref("int_customer_value__category_weeks")
    run = dbt.ref("int_customer_value__run")
    return demand.forecast(weeks, run)
