"""Tries the run's candidates at several past dates: one row per target, with the champion."""

from customer_value import evaluation


def model(dbt, session):
    """Return this run's verdicts; what an earlier run left tells which champion is in office."""
    # dbt reads the materialization of a Python model here alone.
    dbt.config(materialized="incremental")
    examples = dbt.ref("training_examples")
    run = dbt.ref("int_customer_value__run")
    searched = dbt.ref("candidate_tuning")
    kept = session.table(str(dbt.this)) if dbt.is_incremental else None
    return evaluation.evaluate(examples, run, searched, kept)
