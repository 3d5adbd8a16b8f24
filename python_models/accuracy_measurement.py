"""Measures past predictions by what then happened, with the metrics that training promised."""

from customer_value import monitoring


def model(dbt, session):
    """Return each metric by scored date; none where no window has closed lately."""
    pairs = dbt.ref("int_customer_value__predictions_realized")
    return monitoring.measure(pairs)
