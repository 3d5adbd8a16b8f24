"""What twins of the models said at the date that nothing was chosen by, beside what happened."""

from customer_value import training


def model(dbt, session):
    """Return one row per customer of that date."""
    examples = dbt.ref("training_examples")
    run = dbt.ref("int_customer_value__run")
    backtested = dbt.ref("candidate_backtest")
    return training.score_held_out(examples, run, backtested)
