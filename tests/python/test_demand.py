"""Demand of categories and the next one: planted truth, and what is known when."""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

from customer_value import demand, next_category

Floats = np.ndarray[Any, np.dtype[np.float64]]


def run() -> duckdb.DuckDBPyRelation:
    """What is read of int_customer_value__run."""
    return duckdb.connect().from_df(pd.DataFrame({"interval_level": [0.8]}))


def weeks(expected: Floats, seed: int) -> duckdb.DuckDBPyRelation:
    """int_customer_value__category_weeks with Poisson counts about what is planted.

    Args:
        expected: of shape (weeks, categories), the oldest week first.
        seed: of the draw.
    """
    counts = np.random.default_rng(seed).poisson(expected)
    week, category = np.nonzero(counts)
    orders = counts[week, category]
    frame = pd.DataFrame(
        {
            "category": np.char.add("category ", category.astype(str)),
            "weeks_ago": len(expected) - week,
            "quantity": 2 * orders,
            "order_count": orders,
            "amount": 10.0 * orders,
        }
    )
    return duckdb.connect().from_df(frame)


def tried(expected: Floats, seed: int) -> dict[str, dict[str, float]]:
    """Mean figures of a backtest's categories by method."""
    known = weeks(expected, seed)
    table = demand.try_out_of_time(known, run())
    table = table[(table["measure"] == "order_count") & (table["scope"] == "category")]
    figures = ["absolute_error_rate", "bias_rate", "coverage_rate"]
    return {
        str(method): {figure: float(of_method[figure].mean()) for figure in figures}
        for method, of_method in table.groupby("method")
    }


def level(count: int, seed: int = 1) -> Floats:
    """How much of each category is ordered in a week, some a hundred times as much as others."""
    return np.asarray(np.random.default_rng(seed).lognormal(3, 1.2, count))


def test_of_steady_categories_the_level_is_found_and_intervals_hold_their_share() -> None:
    figures = tried(np.tile(level(40), (104, 1)), 2)
    assert (
        figures["forecast"]["absolute_error_rate"]
        < 0.8 * figures["seasonal_naive"]["absolute_error_rate"]
    )
    assert (
        figures["forecast"]["absolute_error_rate"]
        < 1.03 * figures["recent_mean"]["absolute_error_rate"]
    )
    assert figures["forecast"]["coverage_rate"] == pytest.approx(0.8, abs=0.05)
    assert abs(figures["forecast"]["bias_rate"]) < 0.03


def test_a_planted_season_is_found() -> None:
    year = np.arange(156) % 52
    season = 1 + 0.6 * np.sin(2 * np.pi * year / 52)
    figures = tried(season[:, None] * level(40), 3)
    assert (
        figures["forecast"]["absolute_error_rate"]
        < 0.75 * figures["recent_mean"]["absolute_error_rate"]
    )
    assert (
        figures["forecast"]["absolute_error_rate"]
        < figures["seasonal_naive"]["absolute_error_rate"]
    )
    assert figures["forecast"]["coverage_rate"] == pytest.approx(0.8, abs=0.07)


def test_growth_is_followed() -> None:
    growth = np.exp(np.linspace(0, 1.5, 104))
    figures = tried(growth[:, None] * level(40), 4)
    assert (
        figures["forecast"]["absolute_error_rate"] < figures["recent_mean"]["absolute_error_rate"]
    )
    assert abs(figures["forecast"]["bias_rate"]) < abs(figures["recent_mean"]["bias_rate"])


def test_what_came_later_changes_no_earlier_forecast() -> None:
    expected = np.tile(level(8), (70, 1))
    counts = np.random.default_rng(5).poisson(expected).astype(float)
    whole = demand.Trial.of(demand.Panel(counts))
    # Ten weeks fewer are known.
    past = demand.Trial.of(demand.Panel(counts[:60]))
    here, there = list(whole.origins).index(60), list(past.origins).index(60)
    for trial_whole, trial_past in zip(
        (whole.combined()[0], *whole.bounds(whole.combined()[0], 0.8)),
        (past.combined()[0], *past.bounds(past.combined()[0], 0.8)),
        strict=True,
    ):
        assert trial_whole[here] == pytest.approx(trial_past[there])


def test_forecasts_are_whole_and_ordered() -> None:
    known = weeks(np.tile(level(10), (30, 1)), 6)
    table = demand.forecast(known, run())
    assert len(table) == 10 * demand.HORIZON
    for measure in demand.MEASURES:
        said = table[[f"{measure}_{part}" for part in ("lower", "forecast", "upper")]].to_numpy()
        assert (np.diff(said, axis=1) >= 0).all()
        assert (said >= 0).all()
    total = table["order_count_forecast"].sum() / demand.HORIZON
    assert total == pytest.approx(level(10).sum(), rel=0.1)
    assert demand.forecast(known.filter("weeks_ago < 8"), run()).empty
    assert demand.forecast(known.filter("false"), run()).empty
    assert demand.try_out_of_time(known.filter("false"), run()).empty


def candidates(loyalty: dict[str, float], seed: int = 7) -> duckdb.DuckDBPyRelation:
    """int_customer_value__category_candidates of customers of planted loyalty by their orders."""
    chance = np.random.default_rng(seed)
    popular = np.array([0.5, 0.4, 0.2, 0.1, 0.05])
    rows = []
    for purpose in ("fit", "test"):
        for number in range(1500):
            band = next_category.BANDS[number % 4]
            own = chance.dirichlet(np.full(5, 0.5))
            came = chance.random(5) < loyalty[band] * own + (1 - loyalty[band]) * popular
            # What is random says nothing, whatever rate it claims.
            noise = chance.random(5)
            rows += [
                (purpose, f"{number:04}", f"c{category}", band, own[category], own[category],
                 noise[category], popular[category], came[category])
                for category in range(5)
            ]  # fmt: skip
    columns = ["purpose", "customer_id", "category", "history_band", *RATES, "is_in_next_order"]
    return duckdb.connect().from_df(pd.DataFrame(rows, columns=columns))


RATES = ["recent_rate", "own_rate", "follow_rate", "shop_rate"]
LOYALTY = {"one": 0.1, "few": 0.4, "several": 0.7, "many": 0.9}


def test_weights_of_the_mixture_are_the_planted_loyalty() -> None:
    weights = next_category.train(candidates(LOYALTY)).set_index("history_band")
    own = weights["recent_weight"] + weights["own_weight"]
    for band, planted in LOYALTY.items():
        assert own[band] == pytest.approx(planted, abs=0.1)
    assert (weights["follow_weight"] < 0.1).all()


def test_the_mixture_is_truer_than_popularity_and_than_history_alone() -> None:
    value = next_category.try_out_of_time(candidates(LOYALTY)).set_index(["method", "metric"])[
        "metric_value"
    ]
    for other in ("popularity", "own_history"):
        assert value["mixture", "log_loss"] < 0.97 * value[other, "log_loss"]
        assert value["mixture", "top_1_accuracy"] > value[other, "top_1_accuracy"]
    nothing = candidates(LOYALTY).filter("false")
    assert next_category.try_out_of_time(nothing).empty
    assert np.allclose(next_category.train(nothing)["shop_weight"], 0.25)
