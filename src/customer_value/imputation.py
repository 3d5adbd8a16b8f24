"""Missing amounts, predicted from the other columns: fitted on a sample, applied in the engine."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

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
# Beyond so many standard deviations, told by the quartiles of the logarithms, a value is taken
# for the last one within: one order of 1e12 among thousands of 100 is no relation to learn.
ROBUST_DEVIATIONS = 7
QUARTILES_PER_DEVIATION = 1.349
# The strength of the penalty, on columns of unit variance; see DECISIONS.md.
PENALTY = 1.0
# One round predicts from what was filled with means; after the second, columns that are missing
# together begin to amplify each other. See DECISIONS.md.
MAXIMUM_ROUNDS = 2
# The SQL grows with rounds x columns with gaps x columns: with very many, rounds become fewer.
MAXIMUM_TERMS = 20_000
# One row in so many is held out to choose the scale on, and as many to measure on.
HELD_OUT_EVERY = 5
MAXIMUM_PATTERNS = 100
# |x - mean| is on average at most twice |x - median|, whatever the distribution: a prediction
# that is farther off than that is worse than none.
WORST_RATIO_TO_MEDIAN = 2

CHECKED_ROWS = 2000
CHECKED_GAP_RATE = 0.3
# SQL and scikit-learn may differ by rounding alone: of the value, or of its column's spread.
TOLERANCE = 1e-9

# Amounts add (4 plus 60% of the price) or multiply (60% of the price, give or take a tenth).
# Both readings are fitted; each target is filled by the one that was nearer on rows not fitted.
Reading = Literal["log", "plain"]
READINGS: tuple[Reading, ...] = ("log", "plain")

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
    gaps = _Gaps.of(raw, targets, columns)
    sample = _sample(raw, targets, columns, max_rows) if gaps.to_fill.any() else None
    values = np.empty((0, len(columns))) if sample is None else sample
    plan = _Plan.of(values, columns, gaps)
    trial = _Trial.of(plan, values, gaps, random_seed) if plan.use else None
    fallbacks = plan.fallbacks | (trial.fallbacks() if trial else {})
    readings = {
        number: reading
        for number, reading in (trial.chosen if trial else {}).items()
        if number not in fallbacks
    }
    fitted = {
        reading: _ReadingImputer.fit(plan, reading, values, random_seed)
        for reading in sorted(set(readings.values()))
    }
    for imputer in fitted.values():
        _check(imputer, values, random_seed)
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
        answer = raw.aggregate(f"{flags}, count(*), {counts}", flags).order("all").fetchall()
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
            has_gap=np.any(lacking[:, 1:] < lacking[:, :1], axis=0),
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

    def refitted(self, working: Floats, position: int) -> Floats:
        """On the working scale, what a column's last regression says of rows, known or not."""
        standard = self.standard(working)
        step = [step for step in self.imputer.imputation_sequence_ if step.feat_idx == position][-1]
        predicted = step.estimator.predict(standard[:, step.neighbor_feat_idx])
        predicted = np.clip(predicted, self.lowest[position], self.highest[position])
        refitted: Floats = self.center[position] + self.spread[position] * predicted
        return refitted


@dataclass(frozen=True)
class _Plan:
    """What is read, within which range, and what can't be predicted.

    Attributes:
        target_count: how many of the columns, the first ones, are targets.
        use: positions among all columns of those that the imputer sees, in order.
        gaps: per used column, whether it can lack a value.
        fallbacks: of each target that can't be predicted, why.
        lowest: per column, the least that is read or predicted; highest: the most.
        log_scales: per column, its scale in the reading by logarithms.
    """

    target_count: int
    use: list[int]
    gaps: Flags
    fallbacks: dict[int, str]
    lowest: Floats
    highest: Floats
    log_scales: list[Scale]

    @staticmethod
    def of(values: Floats, columns: Sequence[Column], gaps: _Gaps) -> _Plan:
        """Look at the sample, shape (rows, columns), nan where not known; targets come first."""
        target_count = len(gaps.to_fill)
        lowest, highest = np.zeros(len(columns)), np.zeros(len(columns))
        log_scales: list[Scale] = []
        use = []
        for number, column in enumerate(columns):
            known = values[~np.isnan(values[:, number]), number]
            scale = _log_scale(column, known)
            log_scales.append(scale)
            if not len(known):
                continue
            lowest[number], highest[number] = _range(known, scale, is_number=column.is_number)
            within = np.clip(known, lowest[number], highest[number])
            enough = number >= target_count or len(known) >= MINIMUM_KNOWN
            if enough and _varies(within) and _varies(_scaled(within, scale)):
                use.append(number)
        fallbacks = {
            number: fallback
            for number in range(target_count)
            if (fallback := _fallback(number, values, gaps, use)) is not None
        }
        if len(fallbacks) == target_count:
            use = []
        return _Plan(target_count, use, gaps.has_gap[use], fallbacks, lowest, highest, log_scales)

    def predicted(self) -> list[int]:
        """The targets that have no fallback."""
        return [number for number in range(self.target_count) if number not in self.fallbacks]

    def scale(self, reading: Reading, column: int) -> Scale:
        """A column's working scale in a reading."""
        return self.log_scales[column] if reading == "log" else "plain"

    def working(self, reading: Reading, values: Floats) -> Floats:
        """The used columns on their working scales, nan where not known."""
        within = np.clip(values, self.lowest, self.highest)
        return np.column_stack(
            [_scaled(within[:, column], self.scale(reading, column)) for column in self.use]
        )


@dataclass(frozen=True)
class _ReadingImputer:
    """The imputer of one reading of the columns, and the way back to amounts.

    Attributes:
        factors: per predicted target, what makes the predictions of its known rows add up to
            their amounts: the mean of a logarithm is no mean of amounts, nor is what was cut at 0.
    """

    plan: _Plan
    reading: Reading
    linear: _LinearImputer
    factors: dict[int, float]

    @staticmethod
    def fit(plan: _Plan, reading: Reading, values: Floats, random_seed: int) -> _ReadingImputer:
        """Fit on sampled rows of all columns, shape (rows, columns), nan where not known."""
        working = plan.working(reading, values)
        linear = _LinearImputer.fit(working, plan.gaps, random_seed)
        factors = {}
        for number in plan.predicted():
            known = ~np.isnan(values[:, number])
            low, high = plan.lowest[number], plan.highest[number]
            refitted = linear.refitted(working[known], plan.use.index(number))
            predicted = np.clip(_unscaled(refitted, plan.scale(reading, number)), low, high).sum()
            actual = np.clip(values[known, number], low, high).sum()
            # Where amounts are of both signs their sums can be near 0, and have no ratio.
            has_ratio = low >= 0 and predicted > 0
            factors[number] = float(actual / predicted) if has_ratio else 1.0
        return _ReadingImputer(plan, reading, linear, factors)

    def amounts(self, values: Floats) -> dict[int, Floats]:
        """Per predicted target, the amounts that rows of all columns are filled with."""
        filled = self.linear.filled(self.plan.working(self.reading, values))
        return {
            number: np.clip(
                self.factors[number]
                * _unscaled(
                    filled[:, self.plan.use.index(number)], self.plan.scale(self.reading, number)
                ),
                self.plan.lowest[number],
                self.plan.highest[number],
            )
            for number in self.plan.predicted()
        }

    def amount_sql(self, number: int) -> str:
        """The amount that a target is filled with, over the columns that the steps leave."""
        position = self.plan.use.index(number)
        working = (
            f"({sql.literal(self.linear.center[position])} + "
            f"{sql.literal(self.linear.spread[position])} * {self.reading}_z_{position})"
        )
        amount = sql.from_working(working, self.plan.scale(self.reading, number))
        return sql.clipped(
            f"{sql.literal(self.factors[number])} * {amount}",
            self.plan.lowest[number],
            self.plan.highest[number],
        )

    def steps(self) -> list[str]:
        """Projections that add this reading's columns, standardised and filled, to the raw ones."""
        linear, plan, prefix = self.linear, self.plan, f"{self.reading}_"
        scaled = [
            sql.working(
                f"column_{column}",
                plan.scale(self.reading, column),
                plan.lowest[column],
                plan.highest[column],
            )
            + f" as {prefix}x_{position}"
            for position, column in enumerate(plan.use)
        ]
        initial = linear.imputer.initial_imputer_.statistics_
        standardised = [
            f"coalesce(({prefix}x_{position} - {sql.literal(linear.center[position])}) "
            f"/ {sql.literal(linear.spread[position])}, {sql.literal(initial[position])}) "
            f"as {prefix}z_{position}"
            for position in range(len(plan.use))
        ]
        return [
            ", ".join(["*", *scaled]),
            ", ".join(["*", *standardised]),
            *sql.steps_of(
                linear.imputer.imputation_sequence_,
                linear.lowest.tolist(),
                linear.highest.tolist(),
                prefix,
            ),
        ]


@dataclass(frozen=True)
class _Trial:
    """What was found on rows that were not fitted.

    Attributes:
        chosen: per predicted target, the reading that was nearer.
        measured: per predicted target, the errors of that reading and of the median, on rows
            that neither were fitted nor had a say in the choice; a target of which no such row
            is known is not there.
    """

    chosen: dict[int, Reading]
    measured: dict[int, dict[str, Any]]

    @staticmethod
    def of(plan: _Plan, values: Floats, gaps: _Gaps, random_seed: int) -> _Trial:
        """Fit both readings on three fifths of the sample, choose on one, measure on one.

        What is hidden of a row is what a row of the relation lacks: targets that are missing
        together are hidden together.
        """
        part = np.arange(len(values)) % HELD_OUT_EVERY
        seen = values[part >= 2]
        hidden = gaps.drawn(len(values), random_seed)
        incomplete = values.copy()
        incomplete[:, : plan.target_count] = np.where(
            hidden, np.nan, values[:, : plan.target_count]
        )
        predicted = {
            reading: _ReadingImputer.fit(plan, reading, seen, random_seed).amounts(incomplete)
            for reading in READINGS
        }
        chosen: dict[int, Reading] = {}
        measured = {}
        for number in plan.predicted():
            actual = values[:, number]
            is_told = hidden[:, number] & ~np.isnan(actual)
            choosing, measuring = is_told & (part == 0), is_told & (part == 1)
            errors = {reading: predicted[reading][number] - actual for reading in READINGS}
            chosen[number] = min(
                READINGS, key=lambda reading: float(np.abs(errors[reading][choosing]).sum())
            )
            if not measuring.any() or np.isnan(seen[:, number]).all():
                continue
            error = errors[chosen[number]][measuring]
            median_error = float(np.nanmedian(seen[:, number])) - actual[measuring]
            measured[number] = {
                "rows": int(measuring.sum()),
                "mean_absolute_error": _rounded(np.abs(error).mean()),
                "mean_absolute_error_of_median": _rounded(np.abs(median_error).mean()),
                "bias": _rounded(error.mean()),
                "bias_of_median": _rounded(median_error.mean()),
            }
        return _Trial(chosen, measured)

    def fallbacks(self) -> dict[int, str]:
        """The targets whose median is so much nearer that no relation can have been found."""
        return {
            number: "median_nearer"
            for number, errors in self.measured.items()
            if errors["mean_absolute_error"]
            > WORST_RATIO_TO_MEDIAN * errors["mean_absolute_error_of_median"]
        }


def _fallback(number: int, values: Floats, gaps: _Gaps, use: Sequence[int]) -> str | None:
    """Why a target can't be predicted, or None."""
    seen = int((~np.isnan(values[:, number])).sum())
    if gaps.to_fill[number] == 0:
        return "nothing_missing"
    if seen == 0:
        return "no_known_value"
    if seen < MINIMUM_KNOWN:
        return "median_few_rows"
    if number not in use:
        return "median_constant"
    return "median_no_predictors" if len(use) == 1 else None


def _log_scale(column: Column, known: Floats) -> Scale:
    if not column.is_number:
        return "plain"
    return "log" if (known > 0).all() else "signed_log"


def _scaled(values: Floats, scale: Scale) -> Floats:
    if scale == "plain":
        return values
    scaled = np.log(values) if scale == "log" else np.sign(values) * np.log(1 + np.abs(values))
    return np.asarray(scaled, dtype=np.float64)


def _unscaled(working: Floats, scale: Scale) -> Floats:
    if scale == "plain":
        return working
    sizes = np.exp(working) if scale == "log" else np.exp(np.abs(working)) - 1
    return np.asarray(sizes if scale == "log" else np.sign(working) * sizes, dtype=np.float64)


def _range(known: Floats, scale: Scale, *, is_number: bool) -> tuple[float, float]:
    """The ends of what is read and predicted: as seen, or where sizes become incredible."""
    lowest, highest = float(known.min()), float(known.max())
    sizes = np.log(np.abs(known[known != 0]))
    if not is_number or not len(sizes):
        return lowest, highest
    lower, middle, upper = np.quantile(sizes, [0.25, 0.5, 0.75])
    reach = ROBUST_DEVIATIONS * (upper - lower) / QUARTILES_PER_DEVIATION
    if reach == 0:
        return lowest, highest
    with np.errstate(over="ignore"):
        largest = float(np.exp(middle + reach))
    smallest = float(np.exp(middle - reach)) if scale == "log" else -largest
    return max(lowest, smallest), min(highest, largest)


def _varies(known: Floats) -> bool:
    size = float(np.abs(known).max())
    return float(known.std()) > SMALLEST_RELATIVE_SPREAD * size


def _rounded(value: float) -> float:
    return round(float(value), 6)


def _check(imputer: _ReadingImputer, values: Floats, random_seed: int) -> None:
    """Hold the SQL against scikit-learn, on rows of the sample with gaps knocked into them.

    Raises:
        ImputationError: they differ by more than 1e-9 of the value or of its column's spread.
    """
    plan = imputer.plan
    rows = values[:CHECKED_ROWS].copy()
    can_lack = np.zeros(values.shape[1], dtype=np.bool_)
    can_lack[plan.use] = plan.gaps
    chance = np.random.default_rng(random_seed)
    rows[can_lack & (chance.random(rows.shape) < CHECKED_GAP_RATE)] = np.nan
    frame = pd.DataFrame(rows, columns=[f"column_{number}" for number in range(rows.shape[1])])
    frame["record_key"] = np.arange(len(frame))
    with duckdb.connect() as connection:
        answer = sql.applied(connection.from_df(frame), imputer.steps()).order("record_key").df()
    names = [f"{imputer.reading}_z_{position}" for position in range(len(plan.use))]
    _check_equal(
        answer[names].to_numpy(np.float64),
        imputer.linear.standard(plan.working(imputer.reading, rows)),
    )


def _check_equal(given: Floats, wanted: Floats) -> None:
    difference = np.abs(given - wanted) / np.maximum(1, np.abs(wanted))
    largest = float(np.max(difference, initial=0.0))
    if not largest <= TOLERANCE:
        raise ImputationError(
            f"The SQL that fills missing values differs from scikit-learn's by {largest:.1e} "
            f"(at most {TOLERANCE:.0e} is allowed), so nothing was filled. Install the versions "
            "of duckdb and scikit-learn that requirements.txt names."
        )
