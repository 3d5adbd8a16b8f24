"""Fits clusters of customers on a bounded sample: one row each, beside those of earlier runs."""

from customer_value import clusters


def model(dbt, session):
    """Return this run's clusters; what earlier runs left gives them their numbers."""
    # Here too: dbt takes a Python model for a table whatever dbt_project.yml says.
    dbt.config(materialized="incremental")
    sample = dbt.ref("int_customer_value__cluster_sample")
    run = dbt.ref("int_customer_value__run")
    kept = session.table(str(dbt.this)) if dbt.is_incremental else None
    return clusters.train(sample, run, kept)
