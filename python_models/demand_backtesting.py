"""Holds forecasts of categories made at past dates to what came, for category_demand_backtest."""

from customer_value import demand


def model(dbt, session):
    """Return one row per measure, scope, week ahead and method; none without enough weeks."""
    weeks = dbt.ref("int_customer_value__category_weeks")
    run = dbt.ref("int_customer_value__run")
    return demand.try_out_of_time(weeks, run)
