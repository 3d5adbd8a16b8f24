"""Missing amounts, predicted from the other columns: fitted on a sample, applied in the engine."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import pandas as pd
from duckdb import DuckDBPyRelation as Relation
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.experimental import enable_iterative_imputer  # noqa: F401 - makes the next one work
from sklearn.impute import IterativeImputer
from sklearn.linear_model import Ridge

from customer_value import backtest
from customer_value import imputation_sql as sql
from customer_value.imputation_sql import Column, ImputationError, Scale

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

# Fewer known values than this can't tell a relation from chance.
MINIMUM_KNOWN = 50
# A column that varies by less of its size than this is held to be constant.
SMALLEST_RELATIVE_SPREAD = 1e-5
# The strength of the penalty, on columns of unit variance; see DECISIONS.md.
PENALTY = 1.0
MAXIMUM_ROUNDS = 5
# The SQL grows with rounds x columns with gaps x columns: with very many, rounds become fewer.
MAXIMUM_TERMS = 20_000
# One row in so many is held out to measure on.
HELD_OUT_EVERY = 5
MAXIMUM_PATTERNS = 100

CHECKED_ROWS = 2000
CHECKED_GAP_RATE = 0.3
# SQL and scikit-learn may differ by rounding alone: of the value, or of its column's spread.
TOLERANCE = 1e-9

SMEARING = "duan"


@dataclass(frozen=True)
class FittedImputation:
    """What fitting leaves behind: SQL and a description, both plain enough for JSON.

    Attributes:
        steps: projections, each over the one before, from the user's relation to the result.
        is_filled: the condition on the result's rows that anything was filled in them.
        needs_filling: the condition on the user's rows that anything can be.
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


def impute(  # noqa: PLR0913 - the interface that models call
    relation: Relation,
    key: str,
    targets: Sequence[str],
    predictors: Sequence[str],
    *,
    max_rows: int,
    random_seed: int,
) -> Relation:
    """Fit on a relation and fill its own missing values: see ``fit`` and ``apply``."""
    fitted = fit(relation, key, targets, predictors, max_rows=max_rows, random_seed=random_seed)
    return fitted.apply(relation)


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
        targets: number columns with missing values: null, or no number. Amounts of 1e13 and more
            are known, but not learnt from.
        predictors: columns of any type; a target among them counts as a target.
        max_rows: the most rows to fit on, an equal share of them for each target.
        random_seed: picks the sample and what is held out.

    Raises:
        ImputationError: a column is not there or a target holds no numbers, there is no target
            or no row to fit on; the SQL does not give what scikit-learn gives.
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
    gaps = _Gaps.of(raw, targets, columns)
    sample = _sample(raw, targets, columns, max_rows) if gaps.to_fill.any() else None
    values = np.empty((0, len(columns))) if sample is None else sample
    plan = _Plan.of(values, columns, gaps)
    fitted = _LinearImputer.fit(plan.working(values), plan.gaps, random_seed) if plan.use else None
    measured = plan.measured(values, gaps, random_seed) if plan.use else {}
    outputs, described = [], {}
    for number, name in enumerate(targets):
        method, expression = plan.output(number, values, fitted)
        outputs.append(
            f"case when is_missing_{number} then {expression} end::decimal(18, 2) "
            f"as {sql.quoted(name)}"
        )
        described[name] = {
            "method": "predict" if method is None else "none" if expression == "null" else "median",
            "fallback": method,
            "scale": plan.scales[number] if method is None else None,
            "rows_known": int(gaps.known[number]),
            "rows_to_fill": int(gaps.to_fill[number]),
            "held_out": measured.get(number),
        }
    steps = [_raw(key, targets, columns, random_seed)]
    if fitted is not None:
        steps += plan.steps(fitted)
        _check(plan, fitted, values, random_seed)
    return FittedImputation(
        needs_filling=" or ".join(sql.is_missing(name) for name in targets),
        steps=(*steps, ", ".join([f"record_key as {sql.quoted(key)}", *outputs])),
        is_filled=" or ".join(f"{sql.quoted(name)} is not null" for name in targets),
        description={
            "method": "iterative imputer of ridge regressions",
            "penalty": PENALTY,
            "rounds": 0 if fitted is None else fitted.rounds,
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


@dataclass(frozen=True)
class _Gaps:
    """Where the relation lacks values.

    Attributes:
        known: rows per column with a value that can be learnt from.
        to_fill: rows per target that lack its value.
        has_gap: per column, whether a row that is to be filled lacks it.
        patterns: which targets are missing together, shape (patterns, targets), each with its
            rows in pattern_rows; the most frequent ones, never the one that misses nothing.
    """

    known: NDArray[np.int64]
    to_fill: NDArray[np.int64]
    has_gap: Flags
    patterns: Flags
    pattern_rows: NDArray[np.int64]

    @staticmethod
    def of(raw: Relation, targets: Sequence[str], columns: Sequence[Column]) -> _Gaps:
        flags = ", ".join(f"is_missing_{number}" for number in range(len(targets)))
        counts = ", ".join(f"count(column_{number})" for number in range(len(columns)))
        answer = raw.aggregate(f"{flags}, count(*), {counts}", flags).order(f"all").fetchall()
        count = len(targets)
        rows = [row for row in answer if any(row[:count])]
        rows.sort(key=lambda row: (-row[count], row[:count]))
        known = np.array([row[count + 1 :] for row in answer], dtype=np.int64)
        lacking = np.array([row[count:] for row in rows], dtype=np.int64)
        patterns = np.array([row[:count] for row in rows], dtype=np.bool_).reshape(-1, count)
        lacking = lacking.reshape(-1, len(columns) + 1)
        return _Gaps(
            known=known.reshape(-1, len(columns)).sum(axis=0),
            to_fill=(patterns * lacking[:, :1]).sum(axis=0),
            has_gap=(lacking[:, 1:] < lacking[:, :1]).any(axis=0),
            patterns=patterns[:MAXIMUM_PATTERNS],
            pattern_rows=lacking[:MAXIMUM_PATTERNS, 0],
        )

    def drawn(self, count: int, random_seed: int) -> Flags:
        """Patterns in proportion to their rows, shape (count, targets)."""
        chance = np.random.default_rng(random_seed)
        weights = self.pattern_rows / self.pattern_rows.sum()
        drawn: Flags = self.patterns[chance.choice(len(weights), count, p=weights)]
        return drawn


@dataclass(frozen=True)
class _LinearImputer:
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
    def fit(working: Floats, gaps: Flags, random_seed: int) -> _LinearImputer:
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
        return _LinearImputer(imputer, center, spread, lowest, highest)

    @property
    def rounds(self) -> int:
        return int(self.imputer.n_iter_)

    def standard(self, working: Floats) -> Floats:
        """Filled, standardised values."""
        filled: Floats = self.imputer.transform((working - self.center) / self.spread)
        return filled

    def filled(self, working: Floats) -> Floats:
        """Filled values on the working scale."""
        return self.center + self.spread * self.standard(working)

    def residuals(self, working: Floats, position: int) -> Floats:
        """On the working scale, of one column's last regression where the column is known."""
        known = ~np.isnan(working[:, position])
        standard = self.standard(working[known])
        step = [step for step in self.imputer.imputation_sequence_ if step.feat_idx == position][-1]
        predicted = step.estimator.predict(standard[:, step.neighbor_feat_idx])
        residuals: Floats = (standard[:, position] - predicted) * self.spread[position]
        return residuals


@dataclass(frozen=True)
class _Plan:
    """What is read, on which scale, and what can't be predicted.

    Attributes:
        use: positions among all columns of those that the imputer sees, in order.
        gaps: per used column, whether it can lack a value.
        fallbacks: per target, why it is not predicted, or None.
        scales, lowest, highest: per column.
    """

    use: list[int]
    gaps: Flags
    fallbacks: list[str | None]
    scales: list[Scale]
    lowest: Floats
    highest: Floats

    @staticmethod
    def of(values: Floats, columns: Sequence[Column], gaps: _Gaps) -> _Plan:
        known = ~np.isnan(values)
        lowest = np.where(known, values, np.inf).min(axis=0, initial=np.inf)
        highest = np.where(known, values, -np.inf).max(axis=0, initial=-np.inf)
        target_count = len(gaps.to_fill)
        scales = [
            _scale(column, low, is_target=number < target_count)
            for number, (column, low) in enumerate(zip(columns, lowest, strict=True))
        ]
        varies = [
            _varies(_scaled(values[known[:, number], number], scale))
            for number, scale in enumerate(scales)
        ]
        fallbacks: list[str | None] = []
        for number in range(target_count):
            seen = int(known[:, number].sum())
            fallbacks.append(
                "nothing_missing"
                if gaps.to_fill[number] == 0
                else "no_known_value"
                if seen == 0
                else "median_few_rows"
                if seen < MINIMUM_KNOWN
                else None
                if varies[number]
                else "median_constant"
            )
        use = [
            number
            for number in range(len(columns))
            if varies[number] and (number >= target_count or known[:, number].sum() >= MINIMUM_KNOWN)
        ]
        predicted = [number for number in use if number < target_count and not fallbacks[number]]
        if len(use) < 2 or not predicted:
            fallbacks = [fallback or "median_no_predictors" for fallback in fallbacks]
            use = []
        return _Plan(use, gaps.has_gap[use], fallbacks, scales, lowest, highest)

    def working(self, values: Floats) -> Floats:
        """The used columns on their working scales."""
        return np.column_stack(
            [_scaled(values[:, position], self.scales[position]) for position in self.use]
        )

    def predicted(self) -> list[int]:
        return [number for number, fallback in enumerate(self.fallbacks) if fallback is None]

    def factor(self, number: int, fitted: _LinearImputer, working: Floats) -> float:
        """What turns the median of a logarithm's prediction into the mean of its amounts."""
        if self.scales[number] != "log" or SMEARING == "median":
            return 1.0
        residuals = fitted.residuals(working, self.use.index(number))
        if SMEARING == "duan":
            return float(np.exp(residuals).mean())
        y = np.exp(working[:, self.use.index(number)])
        y = y[~np.isnan(y)]
        return float(y.sum() / (y / np.exp(residuals)).sum())

    def amounts(
        self, number: int, fitted: _LinearImputer, factor: float, filled: Floats
    ) -> Floats:
        """A target's amounts from filled working values."""
        predicted = filled[:, self.use.index(number)]
        if self.scales[number] == "log":
            predicted = np.exp(predicted) * factor
        return np.clip(predicted, self.lowest[number], self.highest[number])

    def output(
        self, number: int, values: Floats, fitted: _LinearImputer | None
    ) -> tuple[str | None, str]:
        """A target's fallback or None, and the SQL of what fills it."""
        fallback = self.fallbacks[number]
        if fallback in {"no_known_value", "nothing_missing"}:
            return fallback, "null"
        if fallback is not None or fitted is None:
            known = values[~np.isnan(values[:, number]), number]
            return fallback, f"round({sql.literal(float(np.median(known)))}, 2)"
        position = self.use.index(number)
        amount = (
            f"({sql.literal(fitted.center[position])} + {sql.literal(fitted.spread[position])} "
            f"* z_{position})"
        )
        if self.scales[number] == "log":
            factor = self.factor(number, fitted, self.working(values))
            amount = f"exp({amount}) * {sql.literal(factor)}"
        within = sql.clipped(amount, self.lowest[number], self.highest[number])
        return None, f"round({within}, 2)"

    def steps(self, fitted: _LinearImputer) -> list[str]:
        """Projections from the raw columns to the filled z_0, z_1, …, one per used column."""
        scaled = [
            sql.working(
                f"column_{column}",
                self.scales[column],
                self.lowest[column],
                self.highest[column],
            )
            + f" as x_{position}"
            for position, column in enumerate(self.use)
        ]
        initial = fitted.imputer.initial_imputer_.statistics_
        standardised = [
            f"coalesce((x_{position} - {sql.literal(fitted.center[position])}) "
            f"/ {sql.literal(fitted.spread[position])}, {sql.literal(initial[position])}) "
            f"as z_{position}"
            for position in range(len(self.use))
        ]
        flags = [f"is_missing_{number}" for number in range(len(self.fallbacks))]
        return [
            ", ".join(["record_key", *flags, *scaled]),
            ", ".join(["*", *standardised]),
            *sql.steps_of(
                fitted.imputer.imputation_sequence_,
                fitted.lowest.tolist(),
                fitted.highest.tolist(),
            ),
        ]

    def measured(self, values: Floats, gaps: _Gaps, random_seed: int) -> dict[int, dict[str, Any]]:
        """Each predicted target's errors on rows that the measured twin was not fitted on.

        What is hidden of a held-out row is what a row of the relation lacks: targets that are
        missing together are hidden together.
        """
        is_held_out = np.arange(len(values)) % HELD_OUT_EVERY == HELD_OUT_EVERY - 1
        seen, held_out = values[~is_held_out], values[is_held_out]
        twin = _LinearImputer.fit(self.working(seen), self.gaps, random_seed)
        hidden = gaps.drawn(len(held_out), random_seed)
        targets = np.arange(hidden.shape[1])
        incomplete = held_out.copy()
        incomplete[:, targets] = np.where(hidden, np.nan, held_out[:, targets])
        filled = twin.filled(self.working(incomplete))
        measured = {}
        for number in self.predicted():
            told = hidden[:, number] & ~np.isnan(held_out[:, number])
            if not told.any():
                continue
            factor = self.factor(number, twin, self.working(seen))
            error = (self.amounts(number, twin, factor, filled) - held_out[:, number])[told]
            median = np.nanmedian(seen[:, number])
            median_error = (median - held_out[:, number])[told]
            measured[number] = {
                "rows": int(told.sum()),
                "mean_absolute_error": round(float(np.abs(error).mean()), 6),
                "mean_absolute_error_of_median": round(float(np.abs(median_error).mean()), 6),
                "bias": round(float(error.mean()), 6),
                "bias_of_median": round(float(median_error.mean()), 6),
            }
        return measured


def _scale(column: Column, lowest: float, *, is_target: bool) -> Scale:
    """Amounts multiply: what is above 0 is read by its logarithm."""
    if not column.is_number:
        return "plain"
    if lowest > 0:
        return "log"
    return "plain" if is_target else "signed_log"


def _scaled(values: Floats, scale: Scale) -> Floats:
    if scale == "log":
        return np.log(values)
    if scale == "signed_log":
        return np.sign(values) * np.log(1 + np.abs(values))
    return values


def _varies(known: Floats) -> bool:
    if not len(known):
        return False
    size = float(np.abs(known).max())
    return float(known.std()) > SMALLEST_RELATIVE_SPREAD * size


def _check(plan: _Plan, fitted: _LinearImputer, values: Floats, random_seed: int) -> None:
    """Hold the SQL against scikit-learn, on rows of the sample with gaps knocked into them.

    Raises:
        ImputationError: they differ by more than 1e-9 of the value or of its column's spread.
    """
    rows = values[:CHECKED_ROWS].copy()
    chance = np.random.default_rng(random_seed)
    can_lack = np.zeros(values.shape[1], dtype=np.bool_)
    can_lack[plan.use] = plan.gaps
    rows[can_lack & (chance.random(rows.shape) < CHECKED_GAP_RATE)] = np.nan
    wanted = fitted.standard(plan.working(rows))
    frame = pd.DataFrame(rows, columns=[f"column_{number}" for number in range(rows.shape[1])])
    frame["record_key"] = np.arange(len(frame))
    for number in range(len(plan.fallbacks)):
        frame[f"is_missing_{number}"] = True
    with duckdb.connect() as connection:
        answer = sql.applied(connection.from_df(frame), plan.steps(fitted)).order("record_key").df()
    given = answer[[f"z_{position}" for position in range(len(plan.use))]].to_numpy(np.float64)
    difference = np.abs(given - wanted) / np.maximum(1, np.abs(wanted))
    largest = float(np.max(difference, initial=0.0))
    if not largest <= TOLERANCE:
        raise ImputationError(
            f"The SQL that fills missing values differs from scikit-learn's by {largest:.1e} "
            f"(at most {TOLERANCE:.0e} is allowed), so nothing was filled. Install the versions "
            "of duckdb and scikit-learn that requirements.txt names."
        )
