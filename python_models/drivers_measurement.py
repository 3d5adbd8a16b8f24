"""Measures what drives the newest models: one row per feature, for model_drivers."""

from customer_value import drivers


def model(dbt, session):
    """Return importances and effects; none of a model that a fallback stands in for."""
    examples = dbt.ref("training_examples")
    registry = dbt.ref("model_registry")
    run = dbt.ref("int_customer_value__run")
    backtested = dbt.ref("candidate_backtest")
    return drivers.measure(examples, registry, run, backtested)
