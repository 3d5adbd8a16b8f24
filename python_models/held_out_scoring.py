"""Applies twins of the models to customers whom they do not know: what fairness is judged by."""

from customer_value import held_out


def model(dbt, session):
    """Return what the twins said and what then happened; none without fairness groups."""
    examples = dbt.ref("training_examples")
    run = dbt.ref("int_customer_value__run")
    return held_out.score(examples, run)
