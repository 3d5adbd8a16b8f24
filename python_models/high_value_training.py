"""Trains the champion of high value on training_examples: one row for model_registry."""

from customer_value import training


def model(dbt, session):
    """Return what the library's training gives for the run's examples."""
    examples = dbt.ref("training_examples")
    run = dbt.ref("int_customer_value__run")
    backtested = dbt.ref("candidate_backtest")
    return training.train("high_value", examples, run, backtested)
