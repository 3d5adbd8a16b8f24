"""Holds chains of the past to the recent events, for path_metrics."""

from customer_value import paths


def model(dbt, session):
    """Return one row per prediction, method and metric; none without a past."""
    contexts = dbt.ref("int_customer_value__event_contexts")
    return paths.try_out_of_time(contexts)
