"""What the customer model would have said of the total at past dates, by twins fitted then."""

from customer_value import customer_totals


def model(dbt, session):
    """Return its sums by past date and horizon; none where the history is too short for twins."""
    examples = dbt.ref("training_examples")
    run = dbt.ref("int_customer_value__run")
    backtested = dbt.ref("candidate_backtest")
    return customer_totals.at_past_dates(examples, run, backtested)
