"""Measures how groups of customers fare with the models, for model_fairness."""

from customer_value import fairness


def model(dbt, session):
    """Return each metric by group, beside that of all customers; none without groups."""
    cases = dbt.ref("int_customer_value__fairness_cases")
    run = dbt.ref("int_customer_value__run")
    return fairness.measure(cases, run)
