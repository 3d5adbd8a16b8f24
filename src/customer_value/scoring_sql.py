"""A linear model as one SQL expression over the columns of customer_features.

orbital translates the scikit-learn model; what it gives is a query of one or more steps, which
is folded here into a single expression, so that the engine can apply it wherever it likes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import duckdb
import numpy as np
import orbital
import orbital.types
import pandas as pd
import sqlglot
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sqlglot import expressions

from customer_value.errors import SentenceError

LOG_HORIZON = "log_horizon"
INTERACTION_SUFFIX = "_x_log_horizon"

# Scores by SQL and by scikit-learn may differ by rounding alone.
RELATIVE_TOLERANCE = 1e-9
SAMPLE_ROWS = 2000


class ScoringMismatchError(SentenceError):
    """The SQL expression of a model does not give what the model itself gives."""


def with_interactions(features: pd.DataFrame, interactions: Sequence[str]) -> pd.DataFrame:
    """Beside the features, some of them times the horizon's logarithm.

    Args:
        features: one row per example, numeric, with a column ``log_horizon``.
        interactions: the features whose effect depends on the horizon.
    """
    products = {
        f"{name}{INTERACTION_SUFFIX}": features[name] * features[LOG_HORIZON]
        for name in interactions
    }
    return features.assign(**products)


def linear_predictor_sql(linear: LinearRegression) -> str:
    """A linear regression as a DuckDB expression over feature columns and ``log_horizon``.

    Args:
        linear: fitted, with ``feature_names_in_``; a name that ends in ``_x_log_horizon``
            stands for that feature times ``log_horizon``.
    """
    names = [str(name) for name in linear.feature_names_in_]
    columns = {name: orbital.types.DoubleColumnType() for name in names}
    parsed = orbital.parse_pipeline(make_pipeline(linear), features=columns)
    exported = orbital.export_sql("features", parsed, dialect="duckdb")
    query = sqlglot.parse_one(exported, read="duckdb", into=expressions.Select)
    return _folded(query).sql(dialect="duckdb")


def at_log_horizon(expression: str, log_horizon: str) -> str:
    """The expression with its horizon fixed: a number's or another column's SQL in its place."""
    return expression.replace(f'"{LOG_HORIZON}"', log_horizon)


def substituted(expression: str, values: Mapping[str, str]) -> str:
    """The expression with other SQL in the place of some columns.

    >>> print(substituted('2 * "pace" + "pace_trend"', {"pace": "3e0"}))
    2 * 3e0 + "pace_trend"
    """
    for name, value in values.items():
        expression = expression.replace(f'"{name}"', value)
    return expression


def columns_of(expression: str) -> set[str]:
    """The columns that an expression reads."""
    parsed = sqlglot.parse_one(expression, read="duckdb")
    return {column.name for column in parsed.find_all(expressions.Column)}


def number(value: float) -> str:
    """A double as SQL that reads back as exactly the same one.

    >>> print(number(0.1), number(-2.0))
    (0.1::double) (-2.0::double)
    """
    return f"({float(value)!r}::double)"


def _folded(query: expressions.Select) -> expressions.Expression:
    """One expression from a query whose steps each read only the step before."""
    known: dict[str, expressions.Expression] = {}

    def resolved(node: expressions.Expression) -> expressions.Expression:
        if not isinstance(node, expressions.Column):
            return node
        if node.name in known:
            return expressions.paren(known[node.name].copy())
        return _feature(node.name)

    for step in [*(step.this for step in query.ctes), query]:
        known = known | {
            column.alias_or_name: column.unalias().copy().transform(resolved)
            for column in step.selects
        }
    (outcome,) = query.selects
    return known[outcome.alias_or_name]


def _feature(name: str) -> expressions.Expression:
    if name.endswith(INTERACTION_SUFFIX):
        product = expressions.Mul(
            this=_feature(name.removesuffix(INTERACTION_SUFFIX)), expression=_feature(LOG_HORIZON)
        )
        return expressions.paren(product)
    return expressions.column(name, quoted=True)


def check_equal(
    expression: str, features: pd.DataFrame, expected: np.ndarray, model_name: str
) -> float:
    """Hold a SQL expression against what scikit-learn predicts, on the first rows of a sample.

    Returns:
        The largest relative difference found.

    Raises:
        ScoringMismatchError: a difference exceeds 1e-9 of the prediction.
    """
    sample = features.head(SAMPLE_ROWS).reset_index(drop=True).reset_index(names="row_position")
    with duckdb.connect() as connection:
        connection.register("sample", sample)
        scored = connection.sql(
            f"select ({expression})::double as score from sample order by row_position"
        ).fetchnumpy()["score"]
    wanted = np.asarray(expected, dtype=np.float64)[: len(sample)]
    difference = np.abs(np.asarray(scored, dtype=np.float64) - wanted)
    largest = float(np.max(difference / np.abs(wanted), initial=0.0))
    if not largest <= RELATIVE_TOLERANCE:
        message = (
            f"The SQL expression of the {model_name} model differs from scikit-learn's "
            f"prediction by {largest:.1e} of it (at most {RELATIVE_TOLERANCE:.0e} is allowed), "
            "so the model was not registered. Install the versions of orbital and scikit-learn "
            "that requirements.txt names."
        )
        raise ScoringMismatchError(message)
    return largest
