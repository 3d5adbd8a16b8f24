"""Measures past plans beside those for whom the action was withheld, for action_results."""

from customer_value import campaigns


def model(dbt, session):
    """Return each plan's difference by action and metric; none before a window has closed."""
    arms = dbt.ref("int_customer_value__action_arms")
    return campaigns.measure(arms)
