"""Applies the newest models to what they were trained on: what today's scores are compared with."""

from customer_value import monitoring


def model(dbt, session):
    """Return what the library builds: the scores, made in the engine or batch by batch."""
    examples = dbt.ref("training_examples")
    registry = dbt.ref("model_registry")
    run = dbt.ref("int_customer_value__run")
    return monitoring.score_training(examples, registry, run)
