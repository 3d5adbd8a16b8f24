"""A model's SQL gives what scikit-learn gives, or the model is refused."""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression

from customer_value import scoring_sql
from customer_value.horizon_model import HorizonModel

FEATURES = ("first feature", "select", "third")
BY_HORIZON = ("third",)


def random_model(seed: int, scale: float) -> tuple[HorizonModel, pd.DataFrame, np.ndarray]:
    """A fitted model, what it was fitted on, and what it predicts for it."""
    chance = np.random.default_rng(seed)
    frame = pd.DataFrame(chance.normal(1, scale, (60, 3)), columns=list(FEATURES))
    frame["log_horizon"] = np.log(chance.integers(1, 400, len(frame)))
    model = HorizonModel(LinearRegression(), FEATURES, BY_HORIZON)
    model.fit(frame, chance.normal(10, 1, len(frame)))
    return model, frame, model.estimator_.predict(model.design(frame))


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1e-3, 1.0, 1e3]))
def test_the_sql_of_any_linear_model_gives_what_scikit_learn_gives(seed: int, scale: float) -> None:
    model, frame, expected = random_model(seed, scale)
    expression = scoring_sql.linear_predictor_sql(model.linear_)
    assert scoring_sql.check_equal(expression, frame, expected, "random") <= 1e-9


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_a_link_around_the_predictor_stays_equal(seed: int) -> None:
    model, frame, expected = random_model(seed, 1.0)
    expression = f"1 / (1 + exp(-({scoring_sql.linear_predictor_sql(model.linear_)})))"
    assert scoring_sql.check_equal(expression, frame, 1 / (1 + np.exp(-expected)), "any") <= 1e-9


def test_a_horizon_can_be_put_in_place_of_the_column() -> None:
    model, frame, _ = random_model(7, 1.0)
    predictor = scoring_sql.linear_predictor_sql(model.linear_)
    fixed = scoring_sql.at_log_horizon(predictor, "2.5e0")
    assert "log_horizon" not in fixed
    with duckdb.connect() as connection:
        connection.register("features", frame.drop(columns="log_horizon"))
        scored = connection.sql(f"select {fixed} as score from features").fetchnumpy()["score"]
    expected = model.linear_predictor(frame.assign(log_horizon=2.5))
    np.testing.assert_allclose(scored, expected, rtol=1e-9)


def test_a_score_that_differs_stops_the_training_with_a_sentence() -> None:
    model, frame, expected = random_model(7, 1.0)
    expression = scoring_sql.linear_predictor_sql(model.linear_)
    with pytest.raises(scoring_sql.ScoringMismatchError, match="churn model differs from scikit"):
        scoring_sql.check_equal(expression, frame, expected * (1 + 1e-6), "churn")


def test_a_score_that_is_no_number_stops_it_too() -> None:
    _, frame, expected = random_model(7, 1.0)
    for expression in ("'nan'::double", "null"):
        with pytest.raises(scoring_sql.ScoringMismatchError):
            scoring_sql.check_equal(expression, frame, expected, "churn")
