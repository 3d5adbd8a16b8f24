"""Forecasts what the known customers bring, as every method would have done it at past dates."""

from customer_value import level


def model(dbt, session):
    """Return each method's forecast by past date and horizon, beside what came."""
    cohort_weeks = dbt.ref("int_customer_value__cohort_weeks")
    windows = dbt.ref("int_customer_value__window_totals")
    customer_totals = dbt.ref("customer_model_backtesting")
    run = dbt.ref("int_customer_value__run")
    return level.try_at_past_dates(cohort_weeks, windows, customer_totals, run)
