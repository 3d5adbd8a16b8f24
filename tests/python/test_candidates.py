"""Every candidate of the registry: fits, health, JSON, SQL, and the search of its settings."""

from __future__ import annotations

import datetime as dt
import json
import warnings
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.tree import DecisionTreeRegressor

from customer_value import churn, scoring_sql, spend
from customer_value.btyd import BgNbd, Nbd
from customer_value.candidates import CANDIDATES, fitted_from, targets, tuning
from customer_value.candidates.candidate import Candidate, Fitted
from customer_value.candidates.combination import best_weights
from customer_value.candidates.elastic_net import logistic_path_point
from customer_value.candidates.folds import folds
from customer_value.candidates.gradient_boosting import boosted
from customer_value.candidates.scores.counting import NoOrder
from customer_value.candidates.scores.trees import Trees, of_decision_tree
from customer_value.candidates.shifted_beta_geometric import contract_days

Floats = NDArray[np.float64]

# A row of model_registry and the plan of a query carry so much well.
LARGEST_TEXT = 1_000_000
RUN: dict[str, Any] = {"churn_window_days": 90, "random_seed": 42, "history_days": 360}
EVERY = [(target, name) for target, named in CANDIDATES.items() for name in named]
DATES = (120, 180, 240, 300)
HORIZONS = (30, 60, 120)
END = 360


def histories(
    customers: int, seed: int = 1, gap_shape: float = 1.0, mean_gap: float | None = None
) -> list[tuple[Floats, Floats]]:
    """Days and amounts of each customer's orders: gamma gaps at paces of their own, until gone."""
    random = np.random.default_rng(seed)
    told = []
    for _ in range(customers):
        gap = 1 / random.gamma(1.5, 1 / 60) if mean_gap is None else mean_gap
        day, days = random.uniform(0, 110), []
        while day < END:
            days.append(np.floor(day))
            if random.random() < 0.12:
                break
            day += max(1.0, random.gamma(gap_shape, gap / gap_shape))
        amounts = random.gamma(4, 10, len(days)) * random.gamma(5, 0.2)
        told.append((np.array(days), np.round(amounts, 2)))
    return told


def features(days: Floats, amounts: Floats, as_of: int, shop_amount: float) -> dict[str, Any]:
    """A customer as known on a day, as customer_features has it, in short."""
    tenure, recency, count = as_of - days[0], as_of - days[-1], len(days)
    gaps = np.diff(days)
    mean_gap = (tenure - recency) / max(count - 1, 1)
    rate = count / (tenure + 200)
    net = float(amounts.sum())
    expected = (net + shop_amount) / (count + 1)
    missed = count * np.log((tenure + 200) / (tenure - recency + 200))
    last_30 = float((as_of - days <= 30).sum())
    return {
        "purchase_day_count": count,
        "recency_days": int(recency),
        "tenure_days": int(tenure),
        "average_days_between_purchases": mean_gap if count > 1 else None,
        "deviation_of_days_between_purchases": float(gaps.std()) if count > 1 else None,
        "net_amount": net,
        **{
            f"net_last_{back}_days_amount": float(amounts[as_of - days <= back].sum())
            for back in (30, 90, 180, 365)
        },
        "purchases_per_day": rate,
        "expected_purchase_amount": expected,
        "log_purchases": np.log(count),
        "single_purchase_indicator": float(count == 1),
        "log_recency": np.log1p(recency),
        "log_tenure": np.log(tenure),
        "log_purchase_rate": np.log(rate),
        "log_silence": np.log1p(missed),
        "log_long_silence": max(np.log1p(missed) - 1, 0.0),
        "gap_variation": (2 + (gaps.std() / mean_gap if count > 1 else 0)) / (count + 1),
        "lateness": float(np.clip((recency - mean_gap) / (mean_gap + 1), -3, 6)),
        "log_purchases_last_30_days": np.log1p(last_30),
        "log_fading_purchases_30": np.log1p((0.5 ** ((as_of - days) / 30)).sum()),
        "log_fading_purchases_90": np.log1p((0.5 ** ((as_of - days) / 90)).sum()),
        "log_pace_trend": np.log((last_30 + 0.5) / (rate * 30 + 0.5)),
        "log_amount": np.log(expected / shop_amount),
        "log_last_amount": np.log((amounts[-1] + expected) / (2 * expected)),
        "log_recent_amount": np.log((amounts[-1] + 2 * expected) / (3 * expected)),
        "log_typical_amount": np.log((np.median(amounts) + expected) / (2 * expected)),
        "log_largest_amount": np.log((amounts.max() + expected) / (2 * expected)),
    }


def examples_of(told: list[tuple[Floats, Floats]]) -> pd.DataFrame:
    """As training_examples has them, with the chance of an order beside each."""
    rows = []
    for number, (days, amounts) in enumerate(told):
        for as_of in DATES:
            known = days < as_of
            if not known.any():
                continue
            row = features(days[known], amounts[known], as_of, 40.0)
            for horizon in (h for h in HORIZONS if as_of + h <= END):
                later = (days >= as_of) & (days < as_of + horizon)
                rows.append(
                    {
                        "customer_id": f"c{number:04}",
                        "as_of_date": dt.datetime(2024, 1, 1) + dt.timedelta(days=as_of),
                        **row,
                        "horizon_days": horizon,
                        "log_horizon": np.log(horizon),
                        "is_churned_in_horizon": not later.any(),
                        "net_amount_in_horizon": float(amounts[later].sum()),
                    }
                )
    frame = pd.DataFrame(rows)
    frame["as_of_date"] = frame["as_of_date"].astype("datetime64[us]")
    return frame.assign(order_probability=0.4)


@pytest.fixture(scope="module")
def examples() -> pd.DataFrame:
    return examples_of(histories(220))


@pytest.fixture(scope="module")
def fitted(examples: pd.DataFrame) -> dict[tuple[str, str], Fitted]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return {
            (target, name): CANDIDATES[target][name].fit(examples, RUN) for target, name in EVERY
        }


@pytest.fixture(scope="module")
def expressions(fitted: dict[tuple[str, str], Fitted]) -> dict[tuple[str, str], str | None]:
    return {key: model.predictor_sql() for key, model in fitted.items()}


def assert_sound(target: str, predicted: Floats) -> None:
    assert np.isfinite(predicted).all()
    assert (predicted >= 0).all()
    assert target == "spend" or (predicted <= 1).all()


def test_each_target_has_simple_ones_and_names_that_can_be_typed() -> None:
    for named in CANDIDATES.values():
        assert any(candidate.is_naive for candidate in named.values())
        assert not all(candidate.is_naive for candidate in named.values())
        for name, candidate in named.items():
            assert name == candidate.name
            assert name.isidentifier()
            assert name.islower()


@pytest.mark.parametrize(("target", "name"), EVERY)
def test_what_is_written_down_predicts_the_same(
    target: str, name: str, examples: pd.DataFrame, fitted: dict[tuple[str, str], Fitted]
) -> None:
    model = fitted[target, name]
    predicted = model.predict(examples)
    assert_sound(target, predicted)
    written = json.dumps(model.to_dict(), allow_nan=False)
    assert len(written) < LARGEST_TEXT
    read = fitted_from(json.loads(written))
    assert (read.predict(examples) == predicted).all()
    assert read.to_dict() == model.to_dict()


@pytest.mark.parametrize(("target", "name"), EVERY)
def test_sql_predicts_the_same(
    target: str,
    name: str,
    examples: pd.DataFrame,
    fitted: dict[tuple[str, str], Fitted],
    expressions: dict[tuple[str, str], str | None],
) -> None:
    expression = expressions[target, name]
    if expression is None:
        pytest.skip("scored in batches")
    assert len(expression) < LARGEST_TEXT
    told = f"exp({expression})" if target == "spend" else f"1 / (1 + exp(-({expression})))"
    some = examples.sample(200, random_state=1)
    scoring_sql.check_equal(told, some, fitted[target, name].predict(some), name)


def test_only_what_is_no_elementary_function_has_no_sql(
    expressions: dict[tuple[str, str], str | None],
) -> None:
    without = {key for key, expression in expressions.items() if expression is None}
    assert without == {
        ("churn", "pareto_nbd"),
        ("spend", "bg_nbd"),
        ("spend", "mbg_nbd"),
        ("spend", "pareto_nbd"),
    }


@pytest.mark.parametrize(("target", "name"), EVERY)
def test_a_second_fit_is_the_first(
    target: str, name: str, examples: pd.DataFrame, fitted: dict[tuple[str, str], Fitted]
) -> None:
    if name == "combination":
        pytest.skip("made of fits that are each tested")
    again = CANDIDATES[target][name].fit(examples, RUN)
    assert again.to_dict() == fitted[target, name].to_dict()


@settings(max_examples=15)
@given(
    count=st.integers(1, 5000),
    tenure=st.integers(1, 4000),
    recency=st.floats(0, 1),
    horizon=st.integers(1, 3660),
    amount=st.floats(-1e6, 1e9),
    level=st.floats(-25, 25),
)
def test_wild_customers_are_predicted_finitely(  # noqa: PLR0917
    fitted: dict[tuple[str, str], Fitted],
    count: int,
    tenure: int,
    recency: float,
    horizon: int,
    amount: float,
    level: float,
) -> None:
    tenure = max(tenure, count)
    silent = tenure if count == 1 else max(1, int(recency * (tenure - 1)))
    logarithms = [*churn.FEATURES, *spend.FEATURES]
    wild = pd.DataFrame(
        [
            dict.fromkeys(logarithms, level)
            | {f"net_last_{back}_days_amount": amount for back in (30, 90, 180, 365)}
            | {
                "purchase_day_count": count,
                "tenure_days": tenure,
                "recency_days": silent,
                "average_days_between_purchases": None if count == 1 else tenure / count,
                "deviation_of_days_between_purchases": None if count == 1 else 0.0,
                "net_amount": amount,
                "purchases_per_day": count / (tenure + 200),
                "expected_purchase_amount": max(amount, 0.01),
                "log_horizon": np.log(horizon),
                "order_probability": 0.0,
            }
        ]
    )
    for (target, _), model in fitted.items():
        assert_sound(target, model.predict(wild))


@pytest.mark.parametrize(("target", "name"), EVERY)
def test_too_few_examples_have_a_named_fallback(
    target: str, name: str, examples: pd.DataFrame
) -> None:
    candidate = CANDIDATES[target][name]
    nobody = examples[examples["is_churned_in_horizon"]]
    for few in (examples.head(0), examples.head(1), examples.head(30), nobody):
        model = candidate.fit(few, RUN)
        assert model.health != "ok"
        assert model.fallback
        assert_sound(target, model.predict(examples))
        assert_sound(target, fitted_from(model.to_dict()).predict(examples))
        assert len(model.predict(examples.head(0))) == 0


@pytest.mark.parametrize(("target", "name"), EVERY)
def test_a_longer_horizon_makes_no_order_less_likely_and_amounts_larger(
    target: str, name: str, examples: pd.DataFrame, fitted: dict[tuple[str, str], Fitted]
) -> None:
    if target == "high_value":
        pytest.skip("the tenth is a tenth in any horizon")
    short, long = (
        fitted[target, name].predict(examples.assign(log_horizon=np.log(days)))
        for days in (20, 110)
    )
    assert long.mean() < short.mean() if target == "churn" else long.mean() > short.mean()


@pytest.mark.parametrize("target", list(CANDIDATES))
def test_what_learns_beats_what_is_naive_where_there_is_something_to_learn(target: str) -> None:
    everyone = examples_of(histories(320, seed=5))
    date = pd.Timestamp(2024, 1, 1) + pd.Timedelta(days=240)
    ends = everyone["as_of_date"] + pd.to_timedelta(everyone["horizon_days"], unit="D")
    earlier, later = everyone[ends <= date], everyone[everyone["as_of_date"] == date]
    actual = tuning._actual(target, later)
    default = {"churn": "logistic", "spend": "gamma", "high_value": "logistic"}[target]
    if target == "spend":
        model, _ = churn.fit(earlier, 90)
        later = later.assign(order_probability=1 - churn.probability(model, later))
    losses = {
        name: tuning.loss(target, actual, candidate.fit(earlier, RUN).predict(later))
        for name, candidate in CANDIDATES[target].items()
        if candidate.is_naive or name == default
    }
    assert losses[default] < min(loss for name, loss in losses.items() if name != default)


def test_trees_turn_where_scikit_learn_turns() -> None:
    random = np.random.default_rng(3)
    # Single precision and its neighbours, where rounding decides the turn.
    values = random.normal(size=(400, 2)).astype(np.float32).astype(np.float64)
    near = np.vstack([values, np.nextafter(values, 9), np.nextafter(values, -9), values + 3e-8])
    target = np.sin(3 * near[:, 0]) + near[:, 1]
    tree = DecisionTreeRegressor(max_leaf_nodes=60, random_state=1).fit(near, target)
    ours = of_decision_tree(tree, tree.tree_.value[:, 0, 0])
    assert (ours.values(near) == tree.predict(near)).all()
    # Halfway between two neighbours in single precision, where a tie goes to the even one.
    middle = (values + np.nextafter(values.astype(np.float32), np.float32(9))) / 2
    assert (ours.values(middle) == tree.predict(middle)).all()


def test_boosted_trees_add_up_to_scikit_learn_s_prediction() -> None:
    random = np.random.default_rng(4)
    design = random.normal(size=(500, 2))
    model = HistGradientBoostingRegressor(max_iter=20, loss="gamma")
    model.fit(design, np.exp(design[:, 0]) + 0.1)
    frame = pd.DataFrame(design, columns=["log_recency", "log_tenure"])
    ours: Trees = boosted(model, ("log_recency", "log_tenure"))
    assert np.exp(ours.values(frame)) == pytest.approx(model.predict(design), rel=1e-12)


def test_an_elastic_net_without_penalty_is_the_logistic_regression() -> None:
    random = np.random.default_rng(6)
    design = random.normal(size=(4000, 2))
    happened = random.random(4000) < 1 / (1 + np.exp(3 - design[:, 0]))
    coefficients, intercept = logistic_path_point(design, happened.astype(float), 1e-6, 0.5)
    assert [*coefficients, intercept] == pytest.approx([1, 0, -3], abs=0.2)
    none, _ = logistic_path_point(design, happened.astype(float), 0.2, 1.0)
    assert (none == 0).all()


def test_counting_models_say_what_their_papers_do() -> None:
    model = BgNbd({"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}, -9582.4, 2357)
    customer = pd.DataFrame(
        {
            "purchase_day_count": [3, 1],
            "recency_days": [8.43, 38.86],
            "tenure_days": [38.86, 38.86],
            "log_horizon": np.log(39.0),
        }
    )
    odds = NoOrder(model).values(customer)
    # Alive with (1 + a / (b + x - 1) ((α + T) / (α + t_x))^(r + x))^-1, and then an order in time.
    alive = 1 / (1 + 0.793 / 3.426 * (43.274 / 34.844) ** 2.243)
    chance = alive * (1 - (43.274 / 82.274) ** 2.243)
    assert 1 / (1 + np.exp(odds[0])) == pytest.approx(chance, rel=1e-12)
    assert 1 / (1 + np.exp(odds[1])) == pytest.approx(1 - (43.274 / 82.274) ** 0.243, rel=1e-12)


def test_without_dropout_the_model_without_it_takes_over() -> None:
    random = np.random.default_rng(8)
    told = []
    for _ in range(400):
        pace = random.gamma(2, 1 / 60)
        days = np.unique(np.floor(np.cumsum(random.exponential(1 / pace, 60))))
        days = days[days < END]
        if len(days):
            told.append((days, np.full(len(days), 20.0)))
    model = CANDIDATES["churn"]["bg_nbd"].fit(examples_of(told), RUN)
    assert (model.health, model.fallback) == ("dropout_unidentified", "nbd")
    assert model.to_dict()["score"]["model"]["model"] == Nbd.name


def test_subscriptions_are_told_from_random_buyers() -> None:
    contracts = examples_of(histories(200, seed=2, gap_shape=400, mean_gap=30))
    model = CANDIDATES["churn"]["shifted_beta_geometric"].fit(contracts, RUN)
    assert model.fallback is None or model.fallback == "constant_retention"
    assert contract_days(contracts.drop_duplicates("customer_id", keep="last")) == pytest.approx(
        30, abs=1.5
    )
    # Who has paid on time and has a renewal due leaves with about the planted chance of 12%.
    due = contracts[(contracts["recency_days"] < 27) & (contracts["horizon_days"] >= 60)]
    assert model.predict(due).mean() == pytest.approx(due["is_churned_in_horizon"].mean(), abs=0.05)
    random_buyers = CANDIDATES["churn"]["shifted_beta_geometric"].fit(
        examples_of(histories(200)), RUN
    )
    assert (random_buyers.health, random_buyers.fallback) == ("no_contracts", "base_rate")


def test_at_most_a_tenth_is_high_value(examples: pd.DataFrame) -> None:
    top = examples.assign(is_top=targets.is_high_value(examples))
    share = top.groupby(["as_of_date", "horizon_days"])["is_top"].mean()
    assert (share <= 0.1).all()
    assert (share > 0.05).all()
    tied = examples.assign(net_amount_in_horizon=5.0)
    assert not targets.is_high_value(tied).any()


@pytest.mark.parametrize("target", list(CANDIDATES))
def test_weights_go_to_who_knows(target: str) -> None:
    random = np.random.default_rng(9)
    truth = random.normal(size=3000)
    actual = (
        random.gamma(2, np.exp(truth) / 2)
        if target == "spend"
        else (random.random(3000) < 1 / (1 + np.exp(-truth))).astype(float)
    )
    weights = best_weights(target, np.column_stack([truth, random.normal(size=3000)]), actual)
    assert weights.sum() == pytest.approx(1)
    assert (weights >= 0).all()
    assert weights[0] > 0.9


def test_folds_know_nothing_of_what_followed(examples: pd.DataFrame) -> None:
    parted = folds(examples)
    assert len(parted) == 2
    for fold in parted:
        date = pd.Timestamp(fold.as_of_date)
        ends = fold.earlier["as_of_date"] + pd.to_timedelta(fold.earlier["horizon_days"], "D")
        assert (ends <= date).all()
        assert (fold.later["as_of_date"] == date).all()
        # What is beside amounts is known on the date too: other outcomes change nothing.
        other = folds(
            examples.assign(
                is_churned_in_horizon=examples["is_churned_in_horizon"]
                ^ (examples["as_of_date"] >= date)
            )
        )
        same = next(again for again in other if again.as_of_date == fold.as_of_date)
        assert fold.with_chances(RUN)["order_probability"].equals(
            same.with_chances(RUN)["order_probability"]
        )
    assert folds(examples.head(0)) == []


class OneSound:
    """Knows the truth with one setting, and says the same of all with the others."""

    name = "one_sound"
    target = "churn"
    is_naive = False
    settings = ({"knows": False}, {"knows": True}, {"knows": None})

    def fit(self, examples: pd.DataFrame, run: dict[str, Any], **setting: Any) -> Any:  # noqa: ARG002
        class Answer:
            @staticmethod
            def predict(later: pd.DataFrame) -> Floats:
                known = later["is_churned_in_horizon"].to_numpy(dtype=np.float64)
                return known * 0.4 + 0.3 if setting["knows"] else known * 0 + 0.5

        return Answer()


def test_the_search_finds_the_planted_setting(examples: pd.DataFrame) -> None:
    candidate: Any = OneSound()
    setting, rows = tuning.search(examples, RUN, candidate)
    assert setting == {"knows": True}
    table = pd.DataFrame(rows)
    assert table.groupby("setting")["is_chosen"].first().to_dict() == {
        '{"knows": false}': False,
        '{"knows": true}': True,
        '{"knows": null}': False,
    }
    assert not table.duplicated(["setting", "fold_date", "horizon_days"]).any()
    # Nothing to gain: the default stays.
    candidate.settings = ({"knows": None}, {"knows": False})
    assert tuning.search(examples, RUN, candidate)[0] == {"knows": None}
    assert tuning.search(examples.head(0), RUN, candidate) == ({"knows": None}, [])


def test_features_that_tell_nothing_are_left_out(examples: pd.DataFrame) -> None:
    names = churn.REASONS["amount"]
    candidate: Candidate = CANDIDATES["churn"]["logistic"]
    setting, rows = tuning.search(examples.assign(**dict.fromkeys(names, 0.7)), RUN, candidate)
    assert "amount" in setting["without"]
    chosen = pd.DataFrame(rows).query("step == 'features' and is_chosen")["setting"].unique()
    assert [json.loads(told) for told in chosen] == [setting]
    model = candidate.fit(examples, RUN, **setting).to_dict()
    assert not set(names) & set(model["score"]["coefficients"])


def test_a_run_that_does_not_search_has_no_rows(examples: pd.DataFrame) -> None:
    with duckdb.connect() as connection:
        connection.register("examples", examples.head(5))
        run = connection.sql("select false as is_tuned, date '2024-12-26' as as_of_date")
        found = tuning.search_all(connection.table("examples"), run)
    assert found.empty
    assert list(found.columns) == list(tuning.COLUMNS)
    assert str(found["target"].dtype).startswith("str")
