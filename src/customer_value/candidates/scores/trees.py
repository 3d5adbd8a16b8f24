"""Regression trees as arrays: a sum of step functions, exact in SQL as nested CASE.

scikit-learn rounds features to single precision before it walks a decision tree or a forest. The
thresholds here are shifted to where that rounding makes the difference, so that double precision
takes the same turns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special
from sklearn.tree import BaseDecisionTree

from customer_value.candidates.scores import columns

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

# The value of a leaf has no left child.
LEAF = -1


@dataclass(frozen=True)
class Tree:
    """One tree, its root first.

    Attributes:
        column: position of the column that a node looks at; 0 at a leaf, for no use.
        threshold: at most this goes left.
        left: the node to go to, or -1 at a leaf; right: the other.
        value: what a leaf says.
    """

    column: Whole
    threshold: Floats
    left: Whole
    right: Whole
    value: Floats

    def values(self, design: Floats) -> Floats:
        """The value of the leaf that each row ends in."""
        node = np.zeros(len(design), dtype=np.int64)
        row = np.arange(len(design))
        while True:
            is_inner = self.left[node] != LEAF
            if not is_inner.any():
                return np.asarray(self.value[node])
            goes_left = design[row, self.column[node]] <= self.threshold[node]
            step = np.where(goes_left, self.left[node], self.right[node])
            node = np.where(is_inner, step, node)

    def sql(self, names: Sequence[str], node: int = 0) -> str:
        """Nested CASE over the columns' expressions."""
        if self.left[node] == LEAF:
            return columns.number(self.value[node])
        test = f"{names[self.column[node]]} <= {columns.number(self.threshold[node])}"
        left = self.sql(names, int(self.left[node]))
        return f"case when {test} then {left} else {self.sql(names, int(self.right[node]))} end"


@dataclass(frozen=True)
class Trees:
    """The sum of an intercept and of trees, seen through a link.

    Attributes:
        columns: what the trees look at.
        intercept: what is added to their sum.
        trees: in the order that they are added up.
        link: ``identity``, or ``logit`` or ``log`` where the sum is a probability or an amount.
    """

    kind: ClassVar[str] = "trees"

    columns: tuple[str, ...]
    intercept: float
    trees: tuple[Tree, ...]
    link: str = "identity"

    def values(self, examples: pd.DataFrame) -> Floats:
        """The sum over trees, one example after another."""
        design = columns.values_of(examples, self.columns)
        total = np.full(len(design), self.intercept)
        for tree in self.trees:
            total += tree.values(design)
        if self.link == "logit":
            return np.asarray(special.logit(total))
        return np.asarray(np.log(total)) if self.link == "log" else total

    def sql(self) -> str:
        """The same sum, in the same order."""
        names = [columns.sql_of(name) for name in self.columns]
        terms = [columns.number(self.intercept), *(f"({tree.sql(names)})" for tree in self.trees)]
        total = " + ".join(terms)
        if self.link == "logit":
            return f"ln(({total}) / (1 - ({total})))"
        return f"ln({total})" if self.link == "log" else f"({total})"

    def to_dict(self) -> dict[str, Any]:
        """Every array of every tree."""
        return {
            "kind": self.kind,
            "columns": list(self.columns),
            "intercept": float(self.intercept),
            "link": self.link,
            "trees": [
                {
                    "column": tree.column.tolist(),
                    "threshold": tree.threshold.tolist(),
                    "left": tree.left.tolist(),
                    "right": tree.right.tolist(),
                    "value": tree.value.tolist(),
                }
                for tree in self.trees
            ],
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """The function that to_dict told of."""
        return cls(
            tuple(told["columns"]),
            float(told["intercept"]),
            tuple(
                Tree(
                    np.array(tree["column"], dtype=np.int64),
                    np.array(tree["threshold"], dtype=np.float64),
                    np.array(tree["left"], dtype=np.int64),
                    np.array(tree["right"], dtype=np.int64),
                    np.array(tree["value"], dtype=np.float64),
                )
                for tree in told["trees"]
            ),
            str(told["link"]),
        )


def of_decision_tree(fitted: BaseDecisionTree, value: Floats) -> Tree:
    """A scikit-learn tree, with these values at its nodes."""
    arrays = fitted.tree_
    is_leaf = arrays.children_left == LEAF
    return Tree(
        np.where(is_leaf, 0, arrays.feature).astype(np.int64),
        np.where(is_leaf, 0.0, in_double_precision(arrays.threshold)),
        arrays.children_left.astype(np.int64),
        arrays.children_right.astype(np.int64),
        np.asarray(np.where(is_leaf, value, 0.0), dtype=np.float64),
    )


def of_boosted(nodes: NDArray[np.void]) -> Tree:
    """One tree of scikit-learn's histogram gradient boosting, from its array of nodes."""
    is_leaf = nodes["is_leaf"].astype(bool)
    return Tree(
        np.where(is_leaf, 0, nodes["feature_idx"]).astype(np.int64),
        np.where(is_leaf, 0.0, nodes["num_threshold"]).astype(np.float64),
        np.where(is_leaf, LEAF, nodes["left"].astype(np.int64)),
        np.where(is_leaf, LEAF, nodes["right"].astype(np.int64)),
        np.where(is_leaf, nodes["value"], 0.0).astype(np.float64),
    )


def of_grid(edges: Sequence[Floats], values: Floats) -> Tree:
    """A table as a tree: one axis for each column, whose cells end at the edges.

    Args:
        edges: for each column the upper ends of all its cells but the last, rising.
        values: the cells, one axis for each column.
    """
    column: list[int] = []
    threshold: list[float] = []
    left: list[int] = []
    right: list[int] = []
    value: list[float] = []

    def grow(axis: int, first: int, last: int, cells: Floats) -> int:
        node = len(column)
        column.append(axis)
        threshold.append(0.0)
        left.append(LEAF)
        right.append(LEAF)
        value.append(0.0)
        if first < last:
            middle = (first + last) // 2
            threshold[node] = float(edges[axis][middle])
            left[node] = grow(axis, first, middle, cells)
            right[node] = grow(axis, middle + 1, last, cells)
        elif axis + 1 < len(edges):
            below = grow(axis + 1, 0, len(edges[axis + 1]), cells[first])
            # The root of the inner table takes this node's place.
            column[node], threshold[node], value[node] = (
                column[below],
                threshold[below],
                value[below],
            )
            left[node], right[node] = left[below], right[below]
        else:
            column[node] = 0
            value[node] = float(cells[first])
        return node

    grow(0, 0, len(edges[0]), values)
    return Tree(
        np.array(column, dtype=np.int64),
        np.array(threshold, dtype=np.float64),
        np.array(left, dtype=np.int64),
        np.array(right, dtype=np.int64),
        np.array(value, dtype=np.float64),
    )


def in_double_precision(threshold: Floats) -> Floats:
    """The largest double that single precision rounds to one at most the threshold.

    >>> limit = in_double_precision(np.array([0.1]))[0]
    >>> [float(np.float32(value)) <= 0.1 for value in (limit, np.nextafter(limit, 1))]
    [True, False]
    """
    below = threshold.astype(np.float32)
    below = np.where(below > threshold, np.nextafter(below, np.float32(-np.inf)), below)
    above = np.nextafter(below, np.float32(np.inf))
    middle = (below.astype(np.float64) + above.astype(np.float64)) / 2
    # A tie goes to the neighbour whose last bit is even.
    return np.where(middle.astype(np.float32) <= threshold, middle, np.nextafter(middle, -np.inf))
