"""Applies the newest spend model to every customer's features."""

from customer_value import scoring


def model(dbt, session):
    """Return what the library builds: the scores, made in the engine or batch by batch."""
    features = dbt.ref("customer_features")
    churn_scoring = dbt.ref("churn_scoring")
    registry = dbt.ref("model_registry")
    run = dbt.ref("int_customer_value__run")
    return scoring.score_spend(features, churn_scoring, registry, run, session)
