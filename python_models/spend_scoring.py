"""Applies the newest spend model to every customer's features, in the engine."""

from customer_value import scoring


def model(dbt, session):
    """Return the relation that the library builds; no customer is fetched into Python."""
    features = dbt.ref("customer_features")
    registry = dbt.ref("model_registry")
    run = dbt.ref("int_customer_value__run")
    return scoring.score_spend(features, registry, run)
