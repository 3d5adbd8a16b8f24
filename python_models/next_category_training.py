"""Fits how much each source of what a customer orders next is worth, for next_category."""

from customer_value import next_category


def model(dbt, session):
    """Return one row per band of customers by their orders."""
    candidates = dbt.ref("int_customer_value__category_candidates")
    return next_category.train(candidates)
