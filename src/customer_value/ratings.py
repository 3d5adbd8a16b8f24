"""What a customer would rate a product: means, drawn to each other, and tastes where there are any.

Means of products and customers as deviations, each drawn to 0 by as much as it is of few reviews
(Koren, Factor in the Neighbors, TKDD 2010, section 2.1). On top of them factors of tastes, fitted
to what the means leave by alternating least squares whose penalty grows with the number of reviews
(Zhou, Wilkinson, Schreiber and Pan, AAIM 2008). How far means are drawn, and whether there are any
factors, is what does best on reviews that come later.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from duckdb import DuckDBPyRelation as Relation
from numpy.typing import NDArray
from scipy import sparse

from customer_value import backtest
from customer_value.spark_frames import on_driver

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

# Shares of reviews by time: those before the first are learned from to choose settings on those up
# to the second; those after it are for the report alone.
CHOICE_FROM, REPORT_FROM = 0.6, 0.8
# Of fewer nothing is measured, and the means are drawn as the settings' defaults say.
FEWEST_REVIEWS = 100
DAMPINGS = (1.0, 3.0, 10.0, 30.0, 100.0, 1000.0)
FACTOR_COUNTS = (2, 8)
PENALTIES = (0.05, 0.2, 0.8)
ROUNDS = 12
# By less of the error, tastes are no better than the means.
CLEAR_GAIN = 0.005
# Products with few reviews have nothing but the mean, and no customer looks at more.
FEWEST_PER_PRODUCT = 5
MOST_PRODUCTS = 1000
PREDICTED_PER_CUSTOMER = 10
CUSTOMERS_AT_ONCE = 2000

METRICS = {"method": "string", "metric": "string", "error": "float64", "settings": "string"}
METRICS |= {"review_count": "int64", "is_chosen": "bool"}
PREDICTIONS = {"customer_number": "int64", "product_number": "int64", "prediction_rank": "int64"}
PREDICTIONS |= {"predicted_rating": "float64"}


@dataclass(frozen=True)
class Settings:
    """How ratings are predicted.

    Attributes:
        product_damping: reviews without a deviation that are added to each product's.
        customer_damping: the same for each customer's.
        factor_count: tastes; 0 for none.
        penalty: per review, on the squares of the factors.
    """

    product_damping: float = 10.0
    customer_damping: float = 10.0
    factor_count: int = 0
    penalty: float = 0.2


@dataclass(frozen=True)
class Reviews:
    """Reviews, one entry each: who, of what, and the rating on the shop's scale."""

    customer: Whole
    product: Whole
    rating: Floats
    customer_count: int
    product_count: int

    def __getitem__(self, chosen: NDArray[np.bool_]) -> Reviews:
        """Some of them, of the same customers and products."""
        return Reviews(
            self.customer[chosen],
            self.product[chosen],
            self.rating[chosen],
            self.customer_count,
            self.product_count,
        )

    def matrix(self, values: Floats) -> sparse.csr_array:
        """One value per review, customers by products."""
        shape = (self.customer_count, self.product_count)
        return sparse.csr_array((values, (self.customer, self.product)), shape=shape)


@dataclass(frozen=True)
class Fitted:
    """What one fit found.

    Attributes:
        mean: of all ratings.
        customers: deviation of each.
        products: deviation of each.
        customer_factors: customers by tastes.
        product_factors: products by tastes.
        lowest: rating that was given.
        highest: rating that was given.
    """

    mean: float
    customers: Floats
    products: Floats
    customer_factors: Floats
    product_factors: Floats
    lowest: float
    highest: float

    def predicted(self, customer: Whole, product: Whole) -> Floats:
        """The rating of each pair."""
        tastes = np.einsum(
            "nk,nk->n", self.customer_factors[customer], self.product_factors[product]
        )
        rating = self.mean + self.customers[customer] + self.products[product] + tastes
        predicted: Floats = np.clip(rating, self.lowest, self.highest)
        return predicted


@on_driver
def measure(rated: Relation) -> pd.DataFrame:
    """Errors on the latest reviews, of settings chosen on those before, beside plain means.

    Args:
        rated: int_customer_value__reviews_rated.

    Returns:
        One row per method and metric; none where there are too few reviews.
    """
    reviews, order = _read(rated)
    if len(order) < FEWEST_REVIEWS:
        return pd.DataFrame(columns=list(METRICS)).astype(METRICS)
    position = order / len(order)
    is_early, is_late = position < CHOICE_FROM, position >= REPORT_FROM
    with backtest.reproducible():
        settings = choose(reviews[is_early], reviews[~is_early & ~is_late])
        known, held_out = reviews[~is_late], reviews[is_late]
        methods = {"chosen": fit(known, settings), **_naive(known)}
    rows = []
    for method, fitted in methods.items():
        misses = fitted.predicted(held_out.customer, held_out.product) - held_out.rating
        errors = {"rmse": float(np.sqrt((misses**2).mean())), "mae": float(np.abs(misses).mean())}
        rows += [
            {
                "method": method,
                "metric": metric,
                "error": error,
                "settings": json.dumps(asdict(settings)) if method == "chosen" else None,
                "review_count": len(misses),
                "is_chosen": method == "chosen",
            }
            for metric, error in errors.items()
        ]
    return pd.DataFrame(rows)[list(METRICS)].astype(METRICS)


@on_driver
def predict(rated: Relation, measured: Relation) -> pd.DataFrame:
    """The highest predicted ratings of each customer, of products that the customer hasn't rated.

    Of the products with most reviews, so that the work grows with the reviews.

    Args:
        rated: int_customer_value__reviews_rated.
        measured: what measure returned, for its settings.
    """
    reviews, order = _read(rated)
    chosen = measured.df().query("is_chosen")["settings"]
    settings = Settings(**json.loads(chosen.iloc[0])) if len(chosen) else Settings()
    counts = np.bincount(reviews.product, minlength=reviews.product_count)
    common = np.argsort(-counts, kind="stable")[:MOST_PRODUCTS]
    common = np.sort(common[counts[common] >= FEWEST_PER_PRODUCT])
    if len(order) == 0 or len(common) == 0:
        return pd.DataFrame(columns=list(PREDICTIONS)).astype(PREDICTIONS)
    with backtest.reproducible():
        fitted = fit(reviews, settings)
        return pd.concat(_best(fitted, reviews, common), ignore_index=True).astype(PREDICTIONS)


def _best(fitted: Fitted, reviews: Reviews, common: Whole) -> Iterator[pd.DataFrame]:
    is_rated = reviews.matrix(np.ones(len(reviews.rating)))[:, common]
    count = min(PREDICTED_PER_CUSTOMER, len(common))
    for start in range(0, reviews.customer_count, CUSTOMERS_AT_ONCE):
        customers = np.arange(start, min(start + CUSTOMERS_AT_ONCE, reviews.customer_count))
        ratings = np.round(
            fitted.mean
            + fitted.customers[customers, None]
            + fitted.products[common]
            + fitted.customer_factors[customers] @ fitted.product_factors[common].T,
            9,
        )
        ratings[is_rated[customers].toarray() > 0] = -np.inf
        # Stable: of equals the first by number.
        best = np.argsort(-ratings, axis=1, kind="stable")[:, :count]
        frame = pd.DataFrame(
            {
                "customer_number": np.repeat(customers, count),
                "product_number": common[best].ravel(),
                "prediction_rank": np.tile(np.arange(1, count + 1), len(customers)),
                "predicted_rating": np.take_along_axis(ratings, best, axis=1).ravel(),
            }
        )
        left = frame[np.isfinite(frame["predicted_rating"])]
        yield left.assign(
            predicted_rating=left["predicted_rating"].clip(fitted.lowest, fitted.highest)
        )


def choose(known: Reviews, later: Reviews) -> Settings:
    """The settings that predict later reviews best; tastes only where they clearly help."""
    best = min(
        (Settings(of_product, of_customer) for of_product in DAMPINGS for of_customer in DAMPINGS),
        key=lambda settings: _error(known, later, settings),
    )
    tastes = min(
        (
            Settings(best.product_damping, best.customer_damping, count, penalty)
            for count in FACTOR_COUNTS
            for penalty in PENALTIES
        ),
        key=lambda settings: _error(known, later, settings),
    )
    is_clear = _error(known, later, tastes) < (1 - CLEAR_GAIN) * _error(known, later, best)
    return tastes if is_clear else best


def _error(known: Reviews, later: Reviews, settings: Settings) -> float:
    misses = fit(known, settings).predicted(later.customer, later.product) - later.rating
    return round(float(np.sqrt((misses**2).mean())), 9)


def fit(reviews: Reviews, settings: Settings) -> Fitted:
    """Fit means and tastes to reviews."""
    mean = float(reviews.rating.mean())
    products = _drawn(
        reviews.product, reviews.rating - mean, reviews.product_count, settings.product_damping
    )
    left = reviews.rating - mean - products[reviews.product]
    customers = _drawn(reviews.customer, left, reviews.customer_count, settings.customer_damping)
    left = left - customers[reviews.customer]
    customer_factors, product_factors = _tastes(reviews, left, settings)
    return Fitted(
        mean,
        customers,
        products,
        customer_factors,
        product_factors,
        float(reviews.rating.min()),
        float(reviews.rating.max()),
    )


def _drawn(key: Whole, values: Floats, count: int, damping: float) -> Floats:
    sums = np.bincount(key, weights=values, minlength=count)
    numbers = np.bincount(key, minlength=count) + damping
    drawn: Floats = np.divide(sums, numbers, out=np.zeros(count), where=numbers > 0)
    return drawn


def _tastes(reviews: Reviews, left: Floats, settings: Settings) -> tuple[Floats, Floats]:
    rank = settings.factor_count
    customer_factors = np.zeros((reviews.customer_count, rank))
    # A start that favours nothing, always the same.
    product_factors = np.random.default_rng(0).normal(0, 0.1, (reviews.product_count, rank))
    if rank == 0:
        return customer_factors, product_factors
    values, ones = reviews.matrix(left), reviews.matrix(np.ones(len(left)))
    for _ in range(ROUNDS):
        customer_factors = _solved(values, ones, product_factors, settings.penalty)
        product_factors = _solved(values.T, ones.T, customer_factors, settings.penalty)
    return customer_factors, product_factors


def _solved(
    values: sparse.csr_array, ones: sparse.csr_array, factors: Floats, penalty: float
) -> Floats:
    """The factors of one side by least squares, those of the other held; 0 without a review."""
    count, rank = values.shape[0], factors.shape[1]
    squares = (factors[:, :, None] * factors[:, None, :]).reshape(len(factors), rank * rank)
    products = (ones @ squares).reshape(count, rank, rank)
    numbers = np.maximum(np.asarray(ones.sum(axis=1)).ravel(), 1)
    products += penalty * numbers[:, None, None] * np.eye(rank)
    solved: Floats = np.linalg.solve(products, (values @ factors)[:, :, None])[:, :, 0]
    return solved


def _naive(reviews: Reviews) -> Mapping[str, Fitted]:
    """Plain means, none drawn to another: of all, of the product's, of the customer's reviews.

    Of who or what has no review, the mean of all.
    """
    nobody = 1e12
    return {
        "global_mean": fit(reviews, Settings(nobody, nobody)),
        "product_mean": fit(reviews, Settings(0.0, nobody)),
        "customer_mean": fit(reviews, Settings(nobody, 0.0)),
    }


def _read(rated: Relation) -> tuple[Reviews, Whole]:
    """Reviews by time, and their place in it."""
    frame = rated.order("review_number").df()
    customer, product = (
        frame[f"{name}_number"].to_numpy(dtype=np.int64) for name in ("customer", "product")
    )
    reviews = Reviews(
        customer,
        product,
        frame["rating"].to_numpy(dtype=float),
        int(customer.max()) + 1 if len(frame) else 0,
        int(product.max()) + 1 if len(frame) else 0,
    )
    return reviews, frame["review_number"].to_numpy(dtype=np.int64)
