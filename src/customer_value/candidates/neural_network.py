"""A neural network with one hidden layer of rectified units, scikit-learn's MLP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from sklearn.neural_network import MLPClassifier, MLPRegressor

from customer_value import churn, spend
from customer_value.candidates.learning import CHURN, Flags, ProbabilityCandidate, RatioCandidate
from customer_value.candidates.logistic import HIGH_VALUE_FEATURES
from customer_value.candidates.scores import columns
from customer_value.candidates.scores.inputs import Inputs
from customer_value.candidates.scores.units import RECTIFIED, Units
from customer_value.candidates.support_vectors import level_of
from customer_value.candidates.targets import RatioTarget, sampled

MOST_ROWS = 20_000
# More epochs than this begin to learn the examples by heart; fixed, so that no part of the
# examples is spent on deciding when to stop.
EPOCHS = 25
# One layer of 12 units: each column stands in the SQL once for every unit.
UNITS = 12

SETTINGS = tuple({"penalty": penalty} for penalty in (1.0, 0.1, 10.0))


class NeuralNetwork(ProbabilityCandidate):
    """Log odds as a weighted sum of rectified sums."""

    name = "neural_network"
    settings = SETTINGS

    def learn(
        self, examples: pd.DataFrame, is_event: Flags, run: Mapping[str, Any], **setting: Any
    ) -> Units:
        """Fit by Adam on a sample of the rows, in an order that the seed draws."""
        rows = sampled(examples.assign(is_event=is_event), MOST_ROWS, run["random_seed"])
        features = churn.FEATURES if self.target == CHURN else HIGH_VALUE_FEATURES
        inputs = _inputs(rows, features)
        design, happened = inputs.standardised(rows), rows["is_event"].to_numpy()
        model = MLPClassifier(**_options(setting, run))
        for _ in range(EPOCHS):
            model.partial_fit(design, happened, classes=[False, True])
        return _units(inputs, model, 0.0)


class NeuralNetworkSpend(RatioCandidate):
    """The logarithm of the ratio as a weighted sum of rectified sums."""

    name = "neural_network"
    settings = SETTINGS

    def learn_ratio(self, target: RatioTarget, run: Mapping[str, Any], **setting: Any) -> Units:
        """Fit by Adam on a sample of the rows; then the level at which the examples add up."""
        rows = target.sampled(MOST_ROWS, run["random_seed"])
        inputs = _inputs(rows, spend.FEATURES)
        design, ratio = inputs.standardised(rows), rows["ratio"].to_numpy(dtype=np.float64)
        model = MLPRegressor(**_options(setting, run))
        for _ in range(EPOCHS):
            model.partial_fit(design, np.log(ratio))
        level = level_of(model.predict(design), ratio, rows["weight"].to_numpy(dtype=np.float64))
        return _units(inputs, model, level + float(np.log(target.scale)))


def _inputs(rows: pd.DataFrame, features: tuple[str, ...]) -> Inputs:
    # A rectified sum goes on in a straight line: that is how it answers longer horizons.
    return Inputs.of(rows, (*features, columns.LOG_HORIZON), free={columns.LOG_HORIZON})


def _options(setting: Mapping[str, Any], run: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "hidden_layer_sizes": (UNITS,),
        "alpha": setting["penalty"],
        "batch_size": 256,
        "learning_rate_init": 0.003,
        "random_state": run["random_seed"],
    }


def _units(inputs: Inputs, model: MLPClassifier | MLPRegressor, shift: float) -> Units:
    hidden, outer = model.coefs_
    return Units(
        inputs,
        RECTIFIED,
        np.ascontiguousarray(hidden.T, dtype=np.float64),
        np.asarray(model.intercepts_[0], dtype=np.float64),
        np.ascontiguousarray(outer[:, 0], dtype=np.float64),
        float(model.intercepts_[1][0]) + shift,
    )
