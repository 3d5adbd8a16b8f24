"""Measures what each event is worth on the way to a purchase, for path_steps."""

from customer_value import paths


def model(dbt, session):
    """Return one row per event; none without events."""
    contexts = dbt.ref("int_customer_value__event_contexts")
    return paths.measure_steps(contexts)
