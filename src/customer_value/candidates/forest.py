"""A decision tree and a random forest (Breiman, 2001), for churn and for the ratio.

Trees are steps: beyond the longest horizon that examples have, only the expected purchases at the
customer's own pace still grow with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.tree import BaseDecisionTree, DecisionTreeClassifier, DecisionTreeRegressor

from customer_value.candidates.gradient_boosting import (
    COLUMNS,
    HIGH_VALUE_COLUMNS,
    SPEND_COLUMNS,
    falling,
)
from customer_value.candidates.learning import CHURN, Flags, ProbabilityCandidate, RatioCandidate
from customer_value.candidates.scores import columns
from customer_value.candidates.scores.trees import Tree, Trees, of_decision_tree
from customer_value.candidates.targets import RatioTarget, sampled

# Whole sorts of every column at every node are what a forest costs; a tree alone can have more.
FOREST_ROWS = 15_000
TREE_ROWS = 60_000
# 40 trees of 64 leaves are about 300 kB of SQL and of JSON, below the megabyte that a row of
# model_registry and a query plan carry well.
TREES = 40
LEAVES = 64
DEPTH = 14

FOREST_SETTINGS = tuple({"column_share": share} for share in (0.35, 0.15, 0.7))


def tree_options(rows: int, run: Mapping[str, Any], setting: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of scikit-learn's, for one tree."""
    return {
        "max_leaf_nodes": setting["leaves"],
        "min_samples_leaf": _least_in_leaf(rows, 200),
        "max_depth": DEPTH,
        "random_state": run["random_seed"],
    }


def forest_options(rows: int, run: Mapping[str, Any], setting: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of scikit-learn's, for many of them."""
    return {
        "n_estimators": TREES,
        "max_leaf_nodes": LEAVES,
        "min_samples_leaf": _least_in_leaf(rows, 30),
        "max_depth": DEPTH,
        "max_features": setting["column_share"],
        "max_samples": 0.5,
        "n_jobs": 1,
        "random_state": run["random_seed"],
    }


class DecisionTree(ProbabilityCandidate):
    """One tree, the model that can be read off a page."""

    name = "decision_tree"
    settings = tuple({"leaves": leaves} for leaves in (12, 24, 48))
    most_rows: ClassVar[int] = TREE_ROWS
    model: ClassVar[type[BaseEstimator]] = DecisionTreeClassifier
    options = staticmethod(tree_options)

    def learn(
        self, examples: pd.DataFrame, is_event: Flags, run: Mapping[str, Any], **setting: Any
    ) -> Trees:
        """Fit on a sample of the rows; each leaf is drawn toward the base rate by one example."""
        names = COLUMNS if self.target == CHURN else HIGH_VALUE_COLUMNS
        rows = sampled(examples.assign(is_event=is_event), self.most_rows, run["random_seed"])
        # As many monotone columns as there are: no order becomes no likelier in a longer horizon.
        monotone = falling(names) if self.target == CHURN else None
        model = self.model(monotonic_cst=monotone, **self.options(len(rows), run, setting))
        fitted = _trees(model.fit(columns.values_of(rows, names), rows["is_event"].to_numpy()))
        share = float(rows["is_event"].mean())
        trees = [_probabilities(tree, share, len(fitted)) for tree in fitted]
        return Trees(names, 0.0, tuple(trees), "logit")


class RandomForest(DecisionTree):
    """The mean of trees, each of a bootstrap sample and of some columns at each node."""

    name = "random_forest"
    settings = FOREST_SETTINGS
    most_rows = FOREST_ROWS
    model = RandomForestClassifier
    options = staticmethod(forest_options)


class DecisionTreeSpend(RatioCandidate):
    """One tree of the ratio."""

    name = "decision_tree"
    settings = tuple({"leaves": leaves} for leaves in (16, 8, 32))
    most_rows: ClassVar[int] = TREE_ROWS
    model: ClassVar[type[BaseEstimator]] = DecisionTreeRegressor
    options = staticmethod(tree_options)

    def learn_ratio(self, target: RatioTarget, run: Mapping[str, Any], **setting: Any) -> Trees:
        """Fit on a sample of the rows, by squared error."""
        rows = target.sampled(self.most_rows, run["random_seed"])
        model = self.model(**self.options(len(rows), run, setting))
        design = columns.values_of(rows, SPEND_COLUMNS)
        fitted = _trees(model.fit(design, rows["ratio"], rows["weight"]))
        trees = [
            of_decision_tree(tree, tree.tree_.value[:, 0, 0] * target.scale / len(fitted))
            for tree in fitted
        ]
        return Trees(SPEND_COLUMNS, 0.0, tuple(trees), "log")


class RandomForestSpend(DecisionTreeSpend):
    """The mean of trees of the ratio."""

    name = "random_forest"
    settings = FOREST_SETTINGS
    most_rows = FOREST_ROWS
    model = RandomForestRegressor
    options = staticmethod(forest_options)


def _trees(fitted: BaseEstimator) -> list[BaseDecisionTree]:
    """Those of a forest, or the one."""
    return list(getattr(fitted, "estimators_", [fitted]))


def _least_in_leaf(rows: int, usual: int) -> int:
    return max(5, min(usual, rows // 50))


def _probabilities(fitted: DecisionTreeClassifier, share: float, count: int) -> Tree:
    """A leaf of one kind alone would be certain; one example at the base rate is added to each."""
    size = fitted.tree_.weighted_n_node_samples
    chance = (fitted.tree_.value[:, 0, 1] * size + share) / (size + 1)
    return of_decision_tree(fitted, chance / count)
