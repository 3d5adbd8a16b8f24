"""Ratings: tastes are found where they are planted, and the means stand where they are not."""

from __future__ import annotations

import datetime as dt
import json

import duckdb
import numpy as np
import pandas as pd
import pytest

from conftest import Build, orders_input, write_orders
from customer_value import ratings

CUSTOMERS, PRODUCTS = 400, 60


def reviews(kind: str, seed: int = 1) -> pd.DataFrame:
    """Twenty reviews of each customer, in random order of time.

    Args:
        kind: `noise`; `means`, where customers and products differ; `tastes`, where half of the
            customers love what the other half hate.
        seed: of the draw.
    """
    chance = np.random.default_rng(seed)
    pair = chance.permutation(CUSTOMERS * PRODUCTS)[: 20 * CUSTOMERS]
    customer, product = pair // PRODUCTS, pair % PRODUCTS
    rating = 3 + chance.normal(0, 0.5, len(pair))
    if kind != "noise":
        rating += chance.normal(0, 0.6, CUSTOMERS)[customer]
        rating += chance.normal(0, 0.6, PRODUCTS)[product]
    if kind == "tastes":
        rating += np.where(customer % 2 == product % 2, 0.8, -0.8)
    return pd.DataFrame(
        {
            "customer_number": customer,
            "product_number": product,
            "rating": rating,
            "review_number": np.arange(len(pair)),
        }
    )


def errors(frame: pd.DataFrame) -> tuple[dict[str, float], ratings.Settings]:
    with duckdb.connect() as connection:
        found = ratings.measure(connection.from_df(frame)).query("metric == 'rmse'")
    (settings,) = found.query("is_chosen")["settings"]
    by_method = {str(row["method"]): float(row["error"]) for row in found.to_dict("records")}
    return by_method, ratings.Settings(**json.loads(settings))


def test_planted_tastes_are_found_and_beat_every_mean() -> None:
    error, settings = errors(reviews("tastes"))
    assert settings.factor_count > 0
    chosen = error.pop("chosen")
    # The noise that is left has a deviation of 0.5.
    assert chosen < 0.65
    assert chosen < 0.7 * min(error.values())


def test_without_tastes_means_of_both_are_drawn_together() -> None:
    error, settings = errors(reviews("means"))
    assert settings.factor_count == 0
    chosen = error.pop("chosen")
    assert chosen < 0.55
    assert chosen < min(error.values())


def test_without_any_structure_it_is_the_mean_of_all() -> None:
    error, settings = errors(reviews("noise"))
    assert settings.factor_count == 0
    assert error["chosen"] == pytest.approx(error["global_mean"], rel=0.005)
    assert error["chosen"] < min(error["product_mean"], error["customer_mean"])


def test_what_is_rated_is_not_predicted_and_favourites_come_first() -> None:
    frame = reviews("tastes")
    with duckdb.connect() as connection:
        rated = connection.from_df(frame)
        measured = connection.from_df(ratings.measure(rated))
        predicted = ratings.predict(rated, measured)
    assert predicted.groupby("customer_number").size().eq(10).all()
    keys = ["customer_number", "product_number"]
    assert predicted.merge(frame, on=keys).empty
    is_liked = predicted["customer_number"] % 2 == predicted["product_number"] % 2
    assert is_liked.mean() > 0.95


def test_too_few_reviews_are_not_measured_and_nobody_is_no_error() -> None:
    frame = reviews("means").head(50)
    with duckdb.connect() as connection:
        few = connection.from_df(frame)
        nothing = ratings.measure(few)
        assert nothing.empty
        assert list(nothing) == list(ratings.METRICS)
        none = connection.from_df(frame.head(0))
        assert ratings.predict(none, connection.from_df(nothing)).empty


def test_reviews_become_tables(build: Build, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("reviews")
    start = dt.datetime(2024, 1, 1)
    given = reviews("tastes").assign(
        customer_id=lambda frame: "c" + frame["customer_number"].astype(str),
        product_id=lambda frame: "p" + frame["product_number"].astype(str),
        reviewed_at=lambda frame: start + pd.to_timedelta(frame["review_number"], unit="min"),
    )
    columns = ["customer_id", "product_id", "reviewed_at", "rating"]
    # A customer who comes back to a product, and a review that nobody knows of yet.
    again = given[columns].head(1).assign(reviewed_at=dt.datetime(2024, 2, 1), rating=1.0)
    later = given[columns].tail(1).assign(reviewed_at=dt.datetime(2024, 6, 1), product_id="new")
    path = folder / "reviews.parquet"
    with duckdb.connect() as connection:
        connection.from_df(pd.concat([given[columns], again, later])).write_parquet(str(path))
    orders = (
        "select 'o' as order_id, 'c1' as customer_id, date '2024-03-01' as ordered_at, 1 as amount"
    )
    names = write_orders(orders, folder / "orders.parquet")
    warehouse = build(
        "select null as order_id limit 0",
        variables={
            "inputs": {
                **orders_input(folder / "orders.parquet", names),
                "reviews": {"path": str(path)},
            },
            "as_of_date": "2024-04-01",
        },
        select=("+predicted_ratings", "+rating_metrics"),
    )
    assert warehouse.rows(
        "select count(*), count(distinct customer_id), bool_and(predicted_rating between 0 and 7),"
        " count(*) filter (product_id = 'new') from predicted_ratings"
    ) == [(10 * CUSTOMERS, CUSTOMERS, True, 0)]
    ((error, best_mean),) = warehouse.rows(
        "select prediction_error, best_mean_error from rating_metrics"
        " where is_chosen and metric = 'rmse'"
    )
    assert error < 0.7 * best_mean
    assert warehouse.value(
        "select count(*) from customer_value_internal.int_customer_value__reviews_rated"
    ) == len(given)
