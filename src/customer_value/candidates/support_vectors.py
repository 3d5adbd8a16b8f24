"""Support vector machines (Cortes and Vapnik, 1995), linear and with random cosines.

A Gaussian kernel over many rows is approximated by cosines in random directions (Rahimi and Recht,
2007), which a linear machine then weighs; unlike a kernel machine that costs the same however
many rows there are. Distances from the margin become probabilities on customers that were kept
apart (Platt, 1999).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC, LinearSVR

from customer_value import churn, spend
from customer_value.candidates.learning import CHURN, Flags, ProbabilityCandidate, RatioCandidate
from customer_value.candidates.logistic import HIGH_VALUE_FEATURES
from customer_value.candidates.scores import columns
from customer_value.candidates.scores.blend import Blend
from customer_value.candidates.scores.inputs import Inputs
from customer_value.candidates.scores.units import COSINE, Units
from customer_value.candidates.spline_design import SplineDesign
from customer_value.candidates.targets import RatioTarget, sampled

Floats = NDArray[np.float64]

LINEAR_ROWS = 30_000
KERNEL_ROWS = 15_000
# 48 directions in some 20 columns are about 100 kB of SQL, far below the megabyte that a row of
# model_registry and a query plan carry well.
COSINES = 48
KERNEL_SETTINGS = tuple(
    {"inverse_penalty": c, "width": width}
    for c, width in ((0.001, 6.0), (0.01, 6.0), (0.001, 12.0))
)
# Every so many customers one is kept apart for the probabilities.
KEPT_APART = 3


@dataclass(frozen=True)
class Machine:
    """The columns of a machine: linear ones, and cosines where there is a kernel.

    Attributes:
        design: of the linear part.
        cosines: with strengths of 0 yet, or None.
    """

    design: SplineDesign
    cosines: Units | None

    @classmethod
    def of(
        cls,
        rows: pd.DataFrame,
        features: Sequence[str],
        by_horizon: Sequence[str],
        width: float | None,
        random_seed: int,
    ) -> Machine:
        """Draw the directions, from a Gaussian whose spread is 1 / width, by the seed."""
        design = SplineDesign.of(rows, features, by_horizon)
        if width is None:
            return cls(design, None)
        inputs = Inputs.of(rows, (*features, columns.LOG_HORIZON))
        random = np.random.default_rng(random_seed)
        directions = random.normal(size=(COSINES, len(inputs.columns))) / width
        offsets = random.uniform(0, 2 * np.pi, COSINES)
        cosines = Units(inputs, COSINE, directions, offsets, np.zeros(COSINES), 0.0)
        return cls(design, cosines)

    def matrix(self, rows: pd.DataFrame) -> Floats:
        """What the machine weighs, linear part first."""
        linear = self.design.matrix(rows)
        if self.cosines is None:
            return linear
        return np.hstack([linear, self.cosines.each(rows)])

    def score(self, coefficients: Floats, intercept: float, scale: float, shift: float) -> Blend:
        """Shift + scale * (the weighted sum)."""
        count = self.design.width
        parts: list[tuple[float, Any]] = [
            (scale, self.design.score(coefficients[:count], intercept))
        ]
        if self.cosines is not None:
            parts.append((scale, self.cosines.weighed(coefficients[count:])))
        return Blend(shift, parts)


class LinearSvm(ProbabilityCandidate):
    """A separating plane, by squared hinge loss."""

    name = "linear_svm"
    settings = tuple({"inverse_penalty": c} for c in (0.0001, 0.001, 0.00001))
    most_rows = LINEAR_ROWS

    def learn(
        self, examples: pd.DataFrame, is_event: Flags, run: Mapping[str, Any], **setting: Any
    ) -> Blend:
        """Fit on most customers, and turn distances into log odds on the others."""
        rows = sampled(examples.assign(is_event=is_event), self.most_rows, run["random_seed"])
        is_apart = pd.factorize(rows["customer_id"])[0] % KEPT_APART == 0
        fitted_on, kept_apart = rows[~is_apart], rows[is_apart]
        # Too few customers to part would leave one of the two without both kinds.
        if min(part["is_event"].nunique() for part in (fitted_on, kept_apart)) < 2:
            fitted_on = kept_apart = rows
        features = churn.FEATURES if self.target == CHURN else HIGH_VALUE_FEATURES
        machine = Machine.of(
            fitted_on, features, churn.BY_HORIZON, setting.get("width"), run["random_seed"]
        )
        model = LinearSVC(C=setting["inverse_penalty"], dual=False, max_iter=2000)
        model.fit(machine.matrix(fitted_on), fitted_on["is_event"])
        distance = model.decision_function(machine.matrix(kept_apart))
        platt = LogisticRegression(C=1e3).fit(distance[:, None], kept_apart["is_event"])
        return machine.score(
            model.coef_[0],
            float(model.intercept_[0]),
            float(platt.coef_[0, 0]),
            float(platt.intercept_[0]),
        )


class KernelSvm(LinearSvm):
    """The same with cosines beside the linear part, which leads beyond the horizons seen."""

    name = "kernel_svm"
    settings = KERNEL_SETTINGS
    most_rows = KERNEL_ROWS


class LinearSvr(RatioCandidate):
    """The logarithm of the ratio within a margin; its mean level is put back afterwards."""

    name = "linear_svm"
    settings = tuple({"inverse_penalty": c} for c in (0.001, 0.0001, 0.01))
    most_rows = LINEAR_ROWS

    def learn_ratio(self, target: RatioTarget, run: Mapping[str, Any], **setting: Any) -> Blend:
        """Squared epsilon-insensitive loss; then the level at which the examples add up."""
        rows = target.sampled(self.most_rows, run["random_seed"])
        machine = Machine.of(
            rows, spend.FEATURES, spend.BY_HORIZON, setting.get("width"), run["random_seed"]
        )
        matrix, ratio = machine.matrix(rows), rows["ratio"].to_numpy(dtype=np.float64)
        model = LinearSVR(
            epsilon=0.1,
            C=setting["inverse_penalty"],
            loss="squared_epsilon_insensitive",
            dual=False,
            max_iter=2000,
        )
        model.fit(matrix, np.log(ratio), rows["weight"])
        level = level_of(model.predict(matrix), ratio, rows["weight"].to_numpy(dtype=np.float64))
        intercept = float(np.ravel(model.intercept_)[0])
        return machine.score(model.coef_, intercept, 1.0, level + float(np.log(target.scale)))


class KernelSvr(LinearSvr):
    """The same with cosines beside the linear part."""

    name = "kernel_svm"
    settings = KERNEL_SETTINGS
    most_rows = KERNEL_ROWS


def level_of(log_ratio: Floats, ratio: Floats, weight: Floats) -> float:
    """What brings the exponentials of a fit on logarithms up to the mean (Duan, 1983)."""
    return float(np.log((weight @ ratio) / (weight @ np.exp(log_ratio))))
