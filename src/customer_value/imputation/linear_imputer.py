"""Ridge regressions in turn, fitted as scikit-learn's IterativeImputer does it."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.experimental import enable_iterative_imputer  # noqa: F401 - makes the next one work
from sklearn.impute import IterativeImputer
from sklearn.linear_model import Ridge

from customer_value.imputation.gaps import Flags
from customer_value.imputation.scales import Floats

# The strength of the penalty, on columns of unit variance; see DECISIONS.md.
PENALTY = 1.0
# One round predicts from what was filled with means; after the second, columns that are missing
# together begin to amplify each other. See DECISIONS.md.
MAXIMUM_ROUNDS = 2
# The SQL grows with rounds x columns with gaps x columns: with very many, rounds become fewer.
MAXIMUM_TERMS = 20_000


@dataclass(frozen=True)
class LinearImputer:
    """An IterativeImputer of ridge regressions over standardised columns.

    Attributes:
        center, spread: per column, on its working scale.
        lowest, highest: per column, the standardised range that predictions stay in.
    """

    imputer: IterativeImputer
    center: Floats
    spread: Floats
    lowest: Floats
    highest: Floats

    @staticmethod
    def fit(working: Floats, gaps: Flags, random_seed: int) -> LinearImputer:
        """Fit on rows of working values, shape (rows, columns), nan where not known."""
        known = ~np.isnan(working)
        count = np.maximum(known.sum(axis=0), 1)
        center = np.where(known, working, 0).sum(axis=0) / count
        deviation = np.where(known, working - center, 0)
        spread = np.sqrt((deviation**2).sum(axis=0) / count)
        spread = np.where(spread > 0, spread, 1)
        standard = (working - center) / spread
        lowest = np.where(known, standard, np.inf).min(axis=0)
        highest = np.where(known, standard, -np.inf).max(axis=0)
        constant = ~(highest > lowest)
        lowest, highest = np.where(constant, -np.inf, lowest), np.where(constant, np.inf, highest)
        terms = max(1, int(gaps.sum()) * len(gaps))
        imputer = IterativeImputer(
            Ridge(alpha=PENALTY, solver="cholesky"),
            max_iter=min(MAXIMUM_ROUNDS, max(1, MAXIMUM_TERMS // terms)),
            min_value=lowest,
            max_value=highest,
            keep_empty_features=True,
            skip_complete=True,
            random_state=random_seed,
        )
        # A column's regression is fitted only where the imputer sees a gap. This row has one
        # wherever the relation has any, and it is learnt from nowhere else.
        gap_row = np.where(gaps, np.nan, 0.0)
        with warnings.catch_warnings():
            # The rounds are bounded on purpose; what they leave open is in the held-out error.
            warnings.simplefilter("ignore", ConvergenceWarning)
            imputer.fit(np.vstack([standard, gap_row]))
        return LinearImputer(imputer, center, spread, lowest, highest)

    @property
    def rounds(self) -> int:
        """How often it went over all columns with gaps."""
        return int(self.imputer.n_iter_)

    def standard(self, working: Floats) -> Floats:
        """Filled, standardised values."""
        filled: Floats = self.imputer.transform((working - self.center) / self.spread)
        return filled

    def filled(self, working: Floats) -> Floats:
        """Filled values on the working scale."""
        return self.center + self.spread * self.standard(working)

    def refitted(self, working: Floats, position: int) -> Floats:
        """On the working scale, what a column's last regression says of rows, known or not."""
        standard = self.standard(working)
        step = [step for step in self.imputer.imputation_sequence_ if step.feat_idx == position][-1]
        predicted = step.estimator.predict(standard[:, step.neighbor_feat_idx])
        predicted = np.clip(predicted, self.lowest[position], self.highest[position])
        refitted: Floats = self.center[position] + self.spread[position] * predicted
        return refitted
