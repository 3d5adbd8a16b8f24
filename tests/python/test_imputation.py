"""Missing amounts are predicted as scikit-learn would, in SQL, and nothing known is touched."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from customer_value.imputation import FittedImputation, fit, reading_imputer, sql, trial
from customer_value.imputation.sql import ImputationError

Relation = duckdb.DuckDBPyRelation
SEED = 7


@pytest.fixture
def session() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def shop(relation: str, row_count: int = 3000, seed: int = 1) -> pd.DataFrame:
    """Orders whose cost follows from amount and channel, 30% of the costs taken away.

    The truth stands beside them. Costs add a fixed part or multiply with chance.
    """
    chance = np.random.default_rng(seed)
    amount = np.round(np.exp(chance.normal(3.5, 1.2, row_count)), 2) + 0.01
    channel = chance.choice(["web", "store", "app 'é' 🛒"], row_count)
    rate = np.select([channel == "web", channel == "store"], [0.4, 0.7], 0.55)
    truth = {
        "additive": 5 + 0.6 * amount + chance.uniform(0, 1, row_count),
        "multiplicative": amount * rate * np.exp(chance.normal(0, 0.1, row_count)),
        "none": np.exp(chance.normal(3, 1, row_count)),
    }[relation]
    truth = np.round(truth, 2) + 0.01
    return pd.DataFrame(
        {
            "order_id": [f"order-{number:05}" for number in range(row_count)],
            "amount": amount,
            "ordered_at": pd.Timestamp("2024-01-01")
            + pd.to_timedelta(chance.integers(0, 86400 * 300, row_count), unit="s"),
            "channel": pd.Series(channel).mask(chance.random(row_count) < 0.05),
            "cost_amount": np.where(chance.random(row_count) < 0.3, np.nan, truth),
            "truth": truth,
        }
    )


PREDICTORS = ("amount", "ordered_at", "channel")


def fit_costs(relation: Relation, max_rows: int = 2000) -> FittedImputation:
    return fit(
        relation,
        "order_id",
        ["cost_amount"],
        PREDICTORS,
        max_rows=max_rows,
        random_seed=SEED,
    )


def rows_of(relation: Relation) -> list[tuple[Any, ...]]:
    return relation.order("all").fetchall()


def only_target(fitted: FittedImputation) -> dict[str, Any]:
    (target,) = fitted.description["targets"].values()
    described: dict[str, Any] = target
    return described


@pytest.mark.parametrize("relation", ["additive", "multiplicative"])
def test_finds_a_planted_relation_that_the_median_misses(
    session: duckdb.DuckDBPyConnection, relation: str
) -> None:
    orders = shop(relation)
    given_orders = session.from_df(orders)
    fitted = fit_costs(given_orders)
    filled = fitted.apply(given_orders).df().merge(orders, on="order_id", suffixes=("", "_raw"))
    missing = orders["cost_amount"].isna()
    assert len(filled) == missing.sum()
    error = filled["cost_amount"].astype(float) - filled["truth"]
    of_median = orders["cost_amount"].median() - filled["truth"]
    assert error.abs().mean() < of_median.abs().mean() / 5
    # What is filled adds up to what is missing.
    assert abs(error.sum()) < 0.02 * filled["truth"].sum()
    target = only_target(fitted)
    assert target["scale"] == {"additive": "plain", "multiplicative": "log"}[relation]
    assert target["held_out"]["mean_absolute_error"] == pytest.approx(error.abs().mean(), rel=0.35)


def test_fills_only_what_is_missing(session: duckdb.DuckDBPyConnection) -> None:
    orders = shop("multiplicative").assign(
        fee_amount=lambda frame: np.where(frame.index % 3 == 0, np.nan, frame["truth"] / 10)
    )
    relation = session.from_df(orders)
    targets = ["cost_amount", "fee_amount"]
    fitted = fit(relation, "order_id", targets, PREDICTORS, max_rows=2000, random_seed=SEED)
    filled = fitted.apply(relation)
    assert filled.columns == ["order_id", "cost_amount", "fee_amount"]
    assert [str(kind) for kind in filled.types] == ["VARCHAR", "DECIMAL(18,2)", "DECIMAL(18,2)"]
    by_key = {row[0]: row[1:] for row in filled.fetchall()}
    for key, is_missing in zip(
        orders["order_id"],
        orders[["cost_amount", "fee_amount"]].isna().to_numpy().tolist(),
        strict=True,
    ):
        assert [amount is not None for amount in by_key.get(key, (None, None))] == is_missing


def test_the_order_of_rows_and_the_threads_change_nothing() -> None:
    orders = shop("multiplicative", row_count=20_000)
    outcomes = []
    for threads, frame in ((1, orders), (4, orders.sample(frac=1, random_state=3))):
        with duckdb.connect(config={"threads": threads}) as connection:
            relation = connection.from_df(frame)
            fitted = fit_costs(relation, max_rows=3000)
            outcomes.append((fitted, rows_of(fitted.apply(relation))))
    assert outcomes[0] == outcomes[1]


def test_two_imputations_may_be_open_at_once(session: duckdb.DuckDBPyConnection) -> None:
    first = session.from_df(shop("multiplicative", 400))
    second = session.from_df(shop("additive", 500, seed=2))
    of_first, of_second = fit_costs(first).apply(first), fit_costs(second).apply(second)
    assert rows_of(of_first) == rows_of(fit_costs(first).apply(first))
    assert rows_of(of_second) == rows_of(fit_costs(second).apply(second))


def test_what_is_not_in_the_sample_is_filled_within_the_range_that_is(
    session: duckdb.DuckDBPyConnection,
) -> None:
    orders = shop("multiplicative")
    fitted = fit_costs(session.from_df(orders))
    strange = orders.head(4).assign(
        order_id=["a", "b", "c", "d"],
        amount=[1e12, -50.0, np.inf, 0.0],
        channel=["never seen", "'; drop table x; --", "", "web"],
        cost_amount=np.nan,
    )
    known = orders["cost_amount"].dropna()
    filled = fitted.apply(session.from_df(strange)).fetchall()
    assert len(filled) == 4
    assert all(known.min() <= float(amount) <= known.max() for _, amount in filled)


def test_rows_held_out_are_not_fitted(
    session: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    original = reading_imputer.ReadingImputer.fit

    def noted(plan: Any, reading: Any, values: Any, random_seed: int) -> Any:
        seen.append(len(values))
        return original(plan, reading, values, random_seed)

    monkeypatch.setattr(reading_imputer.ReadingImputer, "fit", noted)
    fitted = fit_costs(session.from_df(shop("multiplicative")), max_rows=1000)
    # Three fifths for the two readings, then all for the one that was chosen.
    assert seen == [600, 600, 1000]
    assert only_target(fitted)["held_out"]["rows"] == 200
    assert fitted.description["rows_fitted"] == 1000


def test_where_there_is_nothing_to_find_the_held_out_error_says_so(
    session: duckdb.DuckDBPyConnection,
) -> None:
    held_out = only_target(fit_costs(session.from_df(shop("none"))))["held_out"]
    assert held_out["mean_absolute_error"] > 0.9 * held_out["mean_absolute_error_of_median"]
    # Yet the totals are kept, which the median of skewed amounts does not do.
    assert abs(held_out["bias"]) < abs(held_out["bias_of_median"]) / 2


def test_the_description_is_json(session: duckdb.DuckDBPyConnection) -> None:
    description = fit_costs(session.from_df(shop("multiplicative"))).description
    assert json.loads(json.dumps(description, allow_nan=False)) == description
    assert description["predictors"] == list(PREDICTORS)
    assert "channel: web" in description["columns"]


FALLBACKS = {
    "no_known_value": ("null", None),
    "median_few_rows": ("case when i % 50 = 0 then i % 100 + 1 end", Decimal("26.00")),
    "median_constant": ("case when i % 2 = 0 then 12.5 end", Decimal("12.50")),
    "nothing_missing": ("1.5 + i", None),
}


@pytest.mark.parametrize("fallback", FALLBACKS)
def test_falls_back_under_a_name(session: duckdb.DuckDBPyConnection, fallback: str) -> None:
    expression, expected = FALLBACKS[fallback]
    relation = session.sql(
        f"select i as k, i % 10 as p, ({expression})::decimal(18, 2) as a "
        "from range(1000) as numbers(i)"
    )
    fitted = fit(relation, "k", ["a"], ["p"], max_rows=1000, random_seed=SEED)
    assert only_target(fitted)["fallback"] == fallback
    values = {row[1] for row in fitted.apply(relation).fetchall()}
    assert values == (set() if expected is None else {expected})


@pytest.mark.parametrize("predictor", ["null", "null::double", "5", "'nan'::double"])
def test_a_predictor_that_says_nothing_leaves_the_median(
    session: duckdb.DuckDBPyConnection, predictor: str
) -> None:
    relation = session.sql(
        f"select i as k, {predictor} as p, case when i % 2 = 0 then i end::double as a "
        "from range(401) as numbers(i)"
    )
    fitted = fit(relation, "k", ["a"], ["p"], max_rows=1000, random_seed=SEED)
    assert only_target(fitted)["fallback"] == "median_no_predictors"
    assert {row[1] for row in fitted.apply(relation).fetchall()} == {Decimal("200.00")}


def test_a_prediction_far_worse_than_the_median_gives_way_to_it(
    session: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "WORST_RATIO_TO_MEDIAN", 1e-3)
    relation = session.from_df(shop("multiplicative"))
    fitted = fit_costs(relation)
    assert only_target(fitted)["method"] == "median"
    assert only_target(fitted)["fallback"] == "median_nearer"
    assert len({amount for _, amount in fitted.apply(relation).fetchall()}) == 1


def test_targets_missing_together_are_measured_as_missing_together(
    session: duckdb.DuckDBPyConnection,
) -> None:
    orders = shop("multiplicative").assign(
        copy_amount=lambda frame: np.where(frame["cost_amount"].isna(), np.nan, frame["truth"])
    )
    relation = session.from_df(orders)
    # Each would tell the other to the cent, but never does where it is needed: had only one of
    # them been hidden from the rows held out, the error would seem to be next to nothing.
    fitted = fit(
        relation,
        "order_id",
        ["cost_amount", "copy_amount"],
        PREDICTORS,
        max_rows=4000,
        random_seed=SEED,
    )
    filled = fitted.apply(relation).df().merge(orders[["order_id", "truth"]], on="order_id")
    error = (filled["cost_amount"].astype(float) - filled["truth"]).abs().mean()
    told = fitted.description["targets"]["cost_amount"]["held_out"]["mean_absolute_error"]
    assert told == pytest.approx(error, rel=0.35)


def test_an_empty_relation_fills_nothing(session: duckdb.DuckDBPyConnection) -> None:
    relation = session.from_df(shop("multiplicative")).limit(0)
    assert fit_costs(relation).apply(relation).fetchall() == []


@pytest.mark.parametrize(
    ("targets", "predictors", "max_rows", "sentence"),
    [
        (["cost"], ["amount"], 100, "columns that are not there: cost. There are: order_id"),
        (["cost_amount"], ["size"], 100, "not there: size"),
        (["channel"], ["amount"], 100, "The column channel holds varchar"),
        ([], ["amount"], 100, "name at least one"),
        (["cost_amount"], ["amount"], 0, "allow at least one row"),
    ],
)
def test_refuses_in_a_sentence(
    session: duckdb.DuckDBPyConnection,
    targets: Sequence[str],
    predictors: Sequence[str],
    max_rows: int,
    sentence: str,
) -> None:
    relation = session.from_df(shop("multiplicative", 100))
    with pytest.raises(ImputationError, match=sentence):
        fit(relation, "order_id", targets, predictors, max_rows=max_rows, random_seed=SEED)


def test_sql_that_differs_from_scikit_learn_is_refused(
    session: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = sql.affine

    def shifted(intercept: float, coefficients: Sequence[float], names: Sequence[str]) -> str:
        return original(intercept + 1e-6, coefficients, names)

    monkeypatch.setattr(sql, "affine", shifted)
    with pytest.raises(ImputationError, match="differs from scikit-learn's by"):
        fit_costs(session.from_df(shop("multiplicative")))


def test_what_is_no_number_fails_the_comparison_too() -> None:
    with pytest.raises(ImputationError, match="differs from scikit-learn's by nan"):
        reading_imputer._check_equal(np.array([[np.nan]]), np.array([[1.0]]))


def test_many_columns_make_no_expression_too_deep(session: duckdb.DuckDBPyConnection) -> None:
    chance = np.random.default_rng(0)
    frame = pd.DataFrame(chance.lognormal(1, 1, (300, 150))).add_prefix("p")
    frame = frame.mask(chance.random(frame.shape) < 0.1)
    frame["k"] = np.arange(300)
    relation = session.from_df(frame)
    predictors = [name for name in frame.columns if name not in {"k", "p0"}]
    filled = fit(relation, "k", ["p0"], predictors, max_rows=300, random_seed=SEED).apply(relation)
    assert len(filled.fetchall()) == frame["p0"].isna().sum()


numbers = st.one_of(
    st.none(),
    st.floats(allow_nan=True, allow_infinity=True),
    st.floats(-100, 100),
    st.sampled_from([0.0, 1e12, -1e12, 1e-300, 1e300, 5.0]),
)
amounts = st.one_of(
    st.floats(0.01, 1000),
    st.none(),
    st.sampled_from([math.nan, math.inf, 0.0, -3.5, 1e12, 1e15, 1e300]),
)
texts = st.one_of(st.none(), st.sampled_from(["it's", '"', "🛒", "\x00", "", "web", "a" * 300]))
times = st.one_of(
    st.none(),
    st.datetimes(),
    st.sampled_from([pd.Timestamp("2024-05-05 23:59").to_pydatetime()]),
)


@settings(max_examples=60)
@given(st.data())
def test_any_rows_are_filled_with_amounts_or_not_at_all(data: st.DataObject) -> None:
    target, number, text, time = data.draw(st.permutations(["a", 'b "q"', "select", "it's 🛒"]))
    # A few rows, repeated with drawn noise: enough of them for the imputer to be fitted.
    pool = data.draw(st.lists(st.tuples(amounts, numbers, texts, times), min_size=1, max_size=12))
    repeats = data.draw(st.sampled_from([1, 10, 40]))
    chance = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    rows = [
        (
            f"key {index}",
            *(values[column] for column, values in enumerate(_shuffled(pool, chance))),
        )
        for index in range(len(pool) * repeats)
    ]
    with duckdb.connect() as connection:
        quoted = [sql.quoted(name) for name in (target, number, text, time)]
        connection.execute(
            f"create table orders (k varchar, {quoted[0]} double, {quoted[1]} double, "
            f"{quoted[2]} varchar, {quoted[3]} timestamp)"
        )
        connection.executemany("insert into orders values (?, ?, ?, ?, ?)", rows)
        relation = connection.table("orders")
        fitted = fit(relation, "k", [target], [number, text, time], max_rows=500, random_seed=1)
        json.dumps(fitted.description, allow_nan=False)
        filled = dict(fitted.apply(relation).fetchall())
    known = {
        key: amount for key, amount, *_ in rows if amount is not None and math.isfinite(amount)
    }
    missing = {key for key, *_ in rows} - set(known)
    learnt = [amount for amount in known.values() if abs(amount) < sql.LARGEST_AMOUNT]
    assert set(filled) == (missing if learnt else set())
    for amount in filled.values():
        assert isinstance(amount, Decimal)
        assert amount.is_finite()
        assert min(learnt) - 0.01 <= amount <= max(learnt) + 0.01


def _shuffled(pool: list[tuple[Any, ...]], chance: np.random.Generator) -> list[tuple[Any, ...]]:
    """As many rows as there are columns, so that each column's value comes from any of them."""
    return [pool[index] for index in chance.integers(0, len(pool), len(pool[0]))]


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.1, 1.0, 3.0]))
def test_the_sql_gives_what_scikit_learn_gives(seed: int, width: float) -> None:
    chance = np.random.default_rng(seed)
    frame = pd.DataFrame(np.exp(chance.normal(3, width, (300, 4))), columns=list("abcd"))
    frame["b"] = frame["a"] * frame["b"] - 20
    frame = frame.mask(chance.random(frame.shape) < 0.25)
    frame["k"] = np.arange(300)
    largest = []
    original = reading_imputer._check_equal

    def noted(given_values: Any, wanted: Any) -> None:
        largest.append(np.max(np.abs(given_values - wanted) / np.maximum(1, np.abs(wanted))))
        original(given_values, wanted)

    with pytest.MonkeyPatch.context() as patch, duckdb.connect() as connection:
        patch.setattr(reading_imputer, "_check_equal", noted)
        patch.setattr(trial, "WORST_RATIO_TO_MEDIAN", math.inf)
        fit(connection.from_df(frame), "k", ["a", "b"], ["c", "d"], max_rows=600, random_seed=seed)
    assert largest
    assert max(largest) <= 1e-9
