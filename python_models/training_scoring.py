"""Applies the newest models to what they were trained on: what today's scores are compared with."""

from customer_value import monitoring


def model(dbt, session):
    """Return the relation that the library builds; no customer is fetched into Python."""
    examples = dbt.ref("training_examples")
    registry = dbt.ref("model_registry")
    return monitoring.score_training(examples, registry)
