"""Holds predicted categories to the next orders, for path_metrics."""

from customer_value import next_category


def model(dbt, session):
    """Return one row per method and metric; none without a past."""
    candidates = dbt.ref("int_customer_value__category_candidates")
    return next_category.try_out_of_time(candidates)
