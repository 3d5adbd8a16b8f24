"""Trains the champion of spend on training_examples: one row for model_registry."""

from customer_value import training


def model(dbt, session):
    """Return what the library's training gives, the churn model's chance of an order beside it."""
    examples = dbt.ref("training_examples")
    run = dbt.ref("int_customer_value__run")
    backtested = dbt.ref("candidate_backtest")
    churn_training = dbt.ref("churn_training")
    return training.train("spend", examples, run, backtested, churn_training)
