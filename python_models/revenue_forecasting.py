"""Forecasts what the known customers bring, and how far the customer model is levelled to it."""

from customer_value import level


def model(dbt, session):
    """Return one row per future period, from sums over the shop alone."""
    cohort_weeks = dbt.ref("int_customer_value__cohort_weeks")
    customer_model = dbt.ref("int_customer_value__period_totals")
    periods = dbt.ref("int_customer_value__periods")
    tried = dbt.ref("revenue_backtesting")
    run = dbt.ref("int_customer_value__run")
    return level.forecast(cohort_weeks, customer_model, periods, tried, run)
