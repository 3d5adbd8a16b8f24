"""Predicts what each reviewer would rate best of what they haven't rated, for predicted_ratings."""

from customer_value import ratings


def model(dbt, session):
    """Return the highest predicted ratings by customer; none without reviews."""
    rated = dbt.ref("int_customer_value__reviews_rated")
    measured = dbt.ref("rating_measurement")
    return ratings.predict(rated, measured)
