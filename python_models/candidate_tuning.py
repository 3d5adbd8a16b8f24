"""Searches each candidate's settings over past dates, where the run asks for it."""

from customer_value.candidates import tuning


def model(dbt, session):
    """Return every setting's loss by fold and horizon; no row where the run doesn't ask."""
    examples = dbt.ref("training_examples")
    run = dbt.ref("int_customer_value__run")
    return tuning.search_all(examples, run)
