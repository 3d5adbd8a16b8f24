"""The horizon model predicts what its scikit-learn estimator predicts, at every horizon."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

from customer_value.horizon_model import HorizonModel

FEATURES = ("pace", "silence", "constant")
BY_HORIZON = ("silence",)


def examples(count: int = 400, seed: int = 0) -> pd.DataFrame:
    """Random features over a few horizons; one of them never varies."""
    chance = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "pace": chance.normal(3, 2, count),
            "silence": chance.exponential(5, count),
            "constant": 7.0,
            "log_horizon": np.log(chance.choice([7, 30, 90, 365], count)),
        }
    )


def test_raw_coefficients_predict_what_the_estimator_does() -> None:
    frame = examples()
    is_churned = (np.random.default_rng(1).random(len(frame)) < 0.4).astype(float)
    model = HorizonModel(LogisticRegression(), FEATURES, BY_HORIZON).fit(frame, is_churned)
    expected = model.estimator_.decision_function(model.design(frame))
    np.testing.assert_allclose(model.linear_predictor(frame), expected, rtol=1e-9, atol=1e-9)


def test_recovers_coefficients_that_the_data_were_made_with() -> None:
    frame = examples()
    target = (
        2.0
        + 0.5 * frame["pace"]
        - 0.25 * frame["silence"]
        - 1.5 * frame["log_horizon"]
        + 0.125 * frame["silence"] * frame["log_horizon"]
    ).to_numpy()
    model = HorizonModel(LinearRegression(), FEATURES, BY_HORIZON).fit(frame, target)
    assert model.coefficients() == pytest.approx(
        {
            "intercept": 2.0,
            "pace": 0.5,
            "silence": -0.25,
            "constant": 0.0,
            "log_horizon": -1.5,
            "silence_x_log_horizon": 0.125,
        }
    )


def test_the_predictor_is_affine_in_the_log_horizon() -> None:
    frame = examples()
    target = np.random.default_rng(2).normal(size=len(frame))
    model = HorizonModel(LinearRegression(), FEATURES, BY_HORIZON).fit(frame, target)
    at_0, at_1, at_2 = (
        model.linear_predictor(frame.assign(log_horizon=value)) for value in (0.0, 1.0, 2.0)
    )
    np.testing.assert_allclose(at_2 - at_1, at_1 - at_0, atol=1e-9)


def test_a_fixed_model_is_the_same_for_everybody() -> None:
    frame = examples()
    model = HorizonModel(LinearRegression(), FEATURES, BY_HORIZON).fixed(0.5, -1.0)
    np.testing.assert_allclose(model.linear_predictor(frame), 0.5 - frame["log_horizon"])


def test_shifting_adds_to_every_prediction() -> None:
    frame = examples()
    model = HorizonModel(LinearRegression(), FEATURES, BY_HORIZON).fixed(0.0, 1.0)
    before = model.linear_predictor(frame)
    np.testing.assert_allclose(model.shifted(0.25).linear_predictor(frame), before + 0.25)
