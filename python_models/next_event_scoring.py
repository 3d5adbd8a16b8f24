"""Tells what follows each context of events, for event_transitions and next_event_predictions."""

from customer_value import paths


def model(dbt, session):
    """Return each context's outcomes with their probabilities; none without events."""
    contexts = dbt.ref("int_customer_value__event_contexts")
    return paths.transitions(contexts)
