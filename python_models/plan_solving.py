"""Finds the best plan of a small shop for its budget, for action_plan and budget_frontier."""

from customer_value import plan


def model(dbt, session):
    """Return the action of each customer in the best plan; none where it is large or unproven."""
    problem = dbt.ref("int_customer_value__action_problem")
    return plan.solve(problem)
