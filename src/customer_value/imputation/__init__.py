"""Missing amounts, predicted from the other columns: fitted on a sample, applied in the engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from duckdb import DuckDBPyRelation as Relation

from customer_value import backtest
from customer_value.imputation import sql
from customer_value.imputation.gaps import Gaps
from customer_value.imputation.linear_imputer import PENALTY
from customer_value.imputation.plan import Plan
from customer_value.imputation.reading_imputer import ReadingImputer, check
from customer_value.imputation.scales import Floats
from customer_value.imputation.sql import Column, ImputationError
from customer_value.imputation.trial import Trial

NOT_FILLED = ("nothing_missing", "no_known_value")


@dataclass(frozen=True)
class FittedImputation:
    """What fitting leaves behind: SQL and a description, both plain enough for JSON.

    Attributes:
        needs_filling: the condition on the user's rows that a target is missing.
        steps: projections, each over the one before, from those rows to the result.
        is_filled: the condition on the result's rows that anything was filled in them.
        description: method, predictors, rows fitted; per target how it is filled, the fallback's
            name or None, rows known and to be filled, and the held-out error beside the median's.
    """

    needs_filling: str
    steps: tuple[str, ...]
    is_filled: str
    description: dict[str, Any]

    def apply(self, relation: Relation) -> Relation:
        """Fill the missing values of rows like those fitted on; nothing is fetched.

        Returns:
            The rows in which something was filled: the key as varchar and per target the filled
            value as decimal(18, 2), null where the row's own value is known or nothing is.
        """
        needing = relation.filter(self.needs_filling)
        return sql.applied(needing, self.steps).filter(self.is_filled)


@backtest.reproducible()
def fit(  # noqa: PLR0913 - the interface that models call
    relation: Relation,
    key: str,
    targets: Sequence[str],
    predictors: Sequence[str],
    *,
    max_rows: int,
    random_seed: int,
) -> FittedImputation:
    """Fit one imputation of all targets, having measured a twin on rows that it did not see.

    Args:
        relation: any rows; it is read several times, and must give the same rows each time.
        key: identifies a row; which rows are sampled depends on it and on the seed alone.
        targets: number columns with missing values: null, or not finite. Amounts of 1e13 and more
            are known, but not learnt from. Targets that are missing together and nearly tell
            each other are better fitted apart: the imputer's first guess of either is its mean,
            and the other then holds it there.
        predictors: columns of any type; a target among them counts as a target. Their frequent
            levels stand in the description, so no personal data may be among them.
        max_rows: the most rows to fit on, an equal share of them for each target.
        random_seed: picks the sample and what is held out.

    Raises:
        ImputationError: a column is not there, a target holds no numbers, no target is named or
            max_rows is less than one for each; the SQL does not give what scikit-learn gives.
    """
    (key,) = sql.actual_names(relation, [key])
    targets = list(dict.fromkeys(sql.actual_names(relation, targets)))
    predictors = list(dict.fromkeys(sql.actual_names(relation, predictors)))
    predictors = [name for name in predictors if name not in {*targets, key}]
    if not targets or max_rows < len(targets):
        raise ImputationError(
            f"{len(targets)} columns can't be predicted from {max_rows} rows: name at least one, "
            "and allow at least one row for each."
        )
    columns = [sql.target_column(relation, name) for name in targets]
    columns += [column for name in predictors for column in sql.predictor_columns(relation, name)]
    raw = relation.project(_raw(key, targets, columns, random_seed))
    gaps = Gaps.of(raw, targets, columns)
    sample = _sample(raw, targets, columns, max_rows) if gaps.to_fill.any() else None
    values = np.empty((0, len(columns))) if sample is None else sample
    plan = Plan.of(values, columns, gaps)
    trial = Trial.of(plan, values, gaps, random_seed) if plan.use else None
    fallbacks = plan.fallbacks | (trial.fallbacks() if trial else {})
    readings = {
        number: reading
        for number, reading in (trial.chosen if trial else {}).items()
        if number not in fallbacks
    }
    fitted = {
        reading: ReadingImputer.fit(plan, reading, values, random_seed)
        for reading in sorted(set(readings.values()))
    }
    for imputer in fitted.values():
        check(imputer, values, random_seed)
    outputs, described = [], {}
    for number, name in enumerate(targets):
        fallback = fallbacks.get(number)
        if fallback in NOT_FILLED:
            method, amount = "none", "null"
        elif fallback is not None:
            known = values[~np.isnan(values[:, number]), number]
            method, amount = "median", sql.literal(float(np.median(known)))
        else:
            method, amount = "predict", fitted[readings[number]].amount_sql(number)
        outputs.append(
            f"case when is_missing_{number} then round({amount}, 2) end::decimal(18, 2) "
            f"as {sql.quoted(name)}"
        )
        described[name] = {
            "method": method,
            "fallback": fallback,
            "scale": readings[number] if method == "predict" else None,
            "rows_known": int(gaps.known[number]),
            "rows_to_fill": int(gaps.to_fill[number]),
            "held_out": trial.measured.get(number) if trial else None,
        }
    return FittedImputation(
        needs_filling=" or ".join(sql.is_missing(name) for name in targets),
        steps=(
            _raw(key, targets, columns, random_seed),
            *(step for imputer in fitted.values() for step in imputer.steps()),
            ", ".join([f"record_key as {sql.quoted(key)}", *outputs]),
        ),
        is_filled=" or ".join(f"{sql.quoted(name)} is not null" for name in targets),
        description={
            "method": "iterative imputer of ridge regressions",
            "penalty": PENALTY,
            "rounds": {reading: imputer.linear.rounds for reading, imputer in fitted.items()},
            "random_seed": random_seed,
            "rows_fitted": len(values),
            "predictors": predictors,
            "columns": [columns[position].label for position in plan.use],
            "targets": described,
        },
    )


def _raw(key: str, targets: Sequence[str], columns: Sequence[Column], random_seed: int) -> str:
    """The user's columns under names of our own, as doubles, with a place in the sample's order."""
    key_text = f"{sql.quoted(key)}::varchar"
    return ", ".join(
        [
            f"{key_text} as record_key",
            f"md5(concat('{random_seed}:', {key_text})) as sample_position",
            *(f"{sql.is_missing(name)} as is_missing_{n}" for n, name in enumerate(targets)),
            *(f"{column.sql} as column_{n}" for n, column in enumerate(columns)),
        ]
    )


def _sample(
    raw: Relation, targets: Sequence[str], columns: Sequence[Column], max_rows: int
) -> Floats:
    """Rows in which a target is known, an equal share for each; shape (rows, columns)."""
    names = [f"column_{number}" for number in range(len(columns))]
    # Rows that share a key are told apart by what they say; if they say the same, any will do.
    order = ", ".join(["sample_position", "record_key", *names])
    share = max_rows // len(targets)
    parts = [
        raw.filter(f"column_{number} is not null").order(order).limit(share)
        for number in range(len(targets))
    ]
    rows = parts[0].project(order)
    for part in parts[1:]:
        rows = rows.union(part.project(order))
    frame: pd.DataFrame = rows.distinct().order(order).df()
    return frame[names].to_numpy(dtype=np.float64)
