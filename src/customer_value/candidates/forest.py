"""A decision tree and a random forest (Breiman, 2001), for churn and for the ratio.

Trees are steps: beyond the longest horizon that examples have, only the expected purchases at the
customer's own pace still grow with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import pandas as pd
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

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


class DecisionTree(ProbabilityCandidate):
    """One tree, the model that can be read off a page."""

    name = "decision_tree"
    settings = tuple({"leaves": leaves} for leaves in (12, 24, 48))
    most_rows: ClassVar[int] = TREE_ROWS

    def learn(
        self, examples: pd.DataFrame, is_event: Flags, run: Mapping[str, Any], **setting: Any
    ) -> Trees:
        """Fit on a sample of the rows; each leaf is drawn toward the base rate by one example."""
        names = COLUMNS if self.target == CHURN else HIGH_VALUE_COLUMNS
        rows = sampled(examples.assign(is_event=is_event), self.most_rows, run["random_seed"])
        # As many monotone columns as there are: no order becomes no likelier in a longer horizon.
        monotone = falling(names) if self.target == CHURN else None
        fitted = self._fitted(
            columns.values_of(rows, names), rows["is_event"].to_numpy(), monotone, run, setting
        )
        share = float(rows["is_event"].mean())
        trees = [_probabilities(tree, share, len(fitted)) for tree in fitted]
        return Trees(names, 0.0, tuple(trees), "logit")

    def _fitted(
        self,
        design: columns.Floats,
        is_event: Flags,
        monotone: list[int] | None,
        run: Mapping[str, Any],
        setting: Mapping[str, Any],
    ) -> list[DecisionTreeClassifier]:
        model = DecisionTreeClassifier(
            max_leaf_nodes=setting["leaves"],
            min_samples_leaf=_least_in_leaf(len(design), 200),
            max_depth=DEPTH,
            monotonic_cst=monotone,
            random_state=run["random_seed"],
        )
        return [model.fit(design, is_event)]


class RandomForest(DecisionTree):
    """The mean of trees, each of a bootstrap sample and of some columns at each node."""

    name = "random_forest"
    settings = tuple({"column_share": share} for share in (0.35, 0.15, 0.7))
    most_rows = FOREST_ROWS

    def _fitted(
        self,
        design: columns.Floats,
        is_event: Flags,
        monotone: list[int] | None,
        run: Mapping[str, Any],
        setting: Mapping[str, Any],
    ) -> list[DecisionTreeClassifier]:
        model = RandomForestClassifier(
            monotonic_cst=monotone, **_forest_options(len(design), run, setting)
        )
        return list(model.fit(design, is_event).estimators_)


class DecisionTreeSpend(RatioCandidate):
    """One tree of the ratio."""

    name = "decision_tree"
    settings = tuple({"leaves": leaves} for leaves in (16, 8, 32))
    most_rows: ClassVar[int] = TREE_ROWS

    def learn_ratio(self, target: RatioTarget, run: Mapping[str, Any], **setting: Any) -> Trees:
        """Fit on a sample of the rows, by squared error."""
        rows = sampled(
            target.examples.assign(ratio=target.ratio, weight=target.weight),
            self.most_rows,
            run["random_seed"],
        )
        fitted = self._fitted(columns.values_of(rows, SPEND_COLUMNS), rows, run, setting)
        trees = [
            of_decision_tree(tree, tree.tree_.value[:, 0, 0] * target.scale / len(fitted))
            for tree in fitted
        ]
        return Trees(SPEND_COLUMNS, 0.0, tuple(trees), "log")

    def _fitted(
        self,
        design: columns.Floats,
        rows: pd.DataFrame,
        run: Mapping[str, Any],
        setting: Mapping[str, Any],
    ) -> list[DecisionTreeRegressor]:
        model = DecisionTreeRegressor(
            max_leaf_nodes=setting["leaves"],
            min_samples_leaf=_least_in_leaf(len(design), 200),
            max_depth=DEPTH,
            random_state=run["random_seed"],
        )
        return [model.fit(design, rows["ratio"], rows["weight"])]


class RandomForestSpend(DecisionTreeSpend):
    """The mean of trees of the ratio."""

    name = "random_forest"
    settings = tuple({"column_share": share} for share in (0.35, 0.15, 0.7))
    most_rows = FOREST_ROWS

    def _fitted(
        self,
        design: columns.Floats,
        rows: pd.DataFrame,
        run: Mapping[str, Any],
        setting: Mapping[str, Any],
    ) -> list[DecisionTreeRegressor]:
        model = RandomForestRegressor(**_forest_options(len(design), run, setting))
        return list(model.fit(design, rows["ratio"], rows["weight"]).estimators_)


def _forest_options(
    rows: int, run: Mapping[str, Any], setting: Mapping[str, Any]
) -> dict[str, Any]:
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


def _least_in_leaf(rows: int, usual: int) -> int:
    return max(5, min(usual, rows // 50))


def _probabilities(fitted: DecisionTreeClassifier, share: float, count: int) -> Tree:
    """A leaf of one kind alone would be certain; one example at the base rate is added to each."""
    size = fitted.tree_.weighted_n_node_samples
    chance = (fitted.tree_.value[:, 0, 1] * size + share) / (size + 1)
    return of_decision_tree(fitted, chance / count)
