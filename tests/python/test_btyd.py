"""The probability models give what their papers print, and stay right where those overflow."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import integrate, special

from conftest import ONLINE_RETAIL, PROJECT, SHARED_DATA
from customer_value import btyd
from customer_value.btyd.beta_expectation import beta_rule
from customer_value.btyd.counting_model import CountingFit
from customer_value.btyd.decay_integral import decay_nodes
from customer_value.btyd.histories import Histories, distinct
from customer_value.btyd.rising_factorial import log_rising

Floats = NDArray[np.float64]
Statistics = tuple[Floats, Floats, Floats]

SUBSCRIBERS = SHARED_DATA / "sbg_paper.parquet"
PUBLISHED = {
    "bg_nbd": ({"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}, -9582.4),
    "mbg_nbd": ({"r": 0.525, "alpha": 6.183, "a": 0.891, "b": 1.614}, -9582.1),
    "pareto_nbd": ({"r": 0.553, "alpha": 10.578, "s": 0.606, "beta": 11.669}, -9595.0),
}
WITH_DROPOUT = list(PUBLISHED)
COUNTING = [*PUBLISHED, "nbd"]


def published(name: str) -> CountingFit:
    parameters, log_likelihood = PUBLISHED.get(name, ({"r": 0.385, "alpha": 12.072}, -9763.7))
    return btyd.COUNTING_MODELS[name](parameters, log_likelihood, 2357)


def fetched(sql: str) -> dict[str, Any]:
    with duckdb.connect() as connection:
        return connection.sql(sql).fetchnumpy()


def statistics(rows: str) -> Statistics:
    """Frequency, recency and age in weeks of the demo's customers at the end of 1997-09-30."""
    found = fetched(f"""
        with days as (
            select distinct customer_id, ordered_at
            from '{PROJECT}/seeds/demo/demo_orders.csv'
            where ordered_at <= date '1997-09-30' and {rows}
        )
        select
            (count(*) - 1)::double as frequency,
            (max(ordered_at) - min(ordered_at)) / 7 as recency,
            (date '1997-09-30' - min(ordered_at)) / 7 as age
        from days
        group by customer_id
        order by customer_id
    """)
    return found["frequency"], found["recency"], found["age"]


@pytest.fixture(scope="module")
def sample() -> Statistics:
    return statistics("in_published_sample = 1")


@pytest.fixture(scope="module")
def mean_amounts() -> tuple[Floats, Floats]:
    """Repeat purchases and their mean, of the sample's customers."""
    found = fetched(f"""
        with days as (
            select customer_id, ordered_at, sum(amount) as amount
            from '{PROJECT}/seeds/demo/demo_orders.csv'
            where ordered_at <= date '1997-09-30' and in_published_sample = 1
            group by all
        ),

        ranked as (
            select *, row_number() over (partition by customer_id order by ordered_at) as rank
            from days
        )

        select
            (count(*) - 1)::double as frequency,
            coalesce(avg(amount) filter (where rank > 1), 0) as mean_amount
        from ranked
        group by customer_id
        order by customer_id
    """)
    return found["frequency"], found["mean_amount"]


def simulated(
    customers: int,
    pace: Callable[[np.random.Generator, int], Floats],
    *,
    chance: Callable[[np.random.Generator, int], Floats] | None = None,
    lifetime: Callable[[np.random.Generator, int], Floats] | None = None,
    is_first_spared: bool = True,
    horizon: float = 0.0,
    seed: int = 20240501,
) -> tuple[Statistics, Floats]:
    """Histories of made-up customers, and their orders in the horizon after."""
    random = np.random.default_rng(seed)
    rate, age = pace(random, customers), random.uniform(10, 52, customers)
    drop = np.zeros(customers) if chance is None else chance(random, customers)
    end = np.full(customers, np.inf) if lifetime is None else lifetime(random, customers)
    frequency, recency, later, time = (np.zeros(customers) for _ in range(4))
    is_alive = np.ones(customers, dtype=bool)
    if not is_first_spared:
        is_alive = random.random(customers) >= drop
    while is_alive.any():
        time = np.where(is_alive, time + random.exponential(1 / rate), time)
        is_order = is_alive & (time < np.minimum(age + horizon, end))
        is_seen = is_order & (time < age)
        frequency += is_seen
        later += is_order & ~is_seen
        recency = np.where(is_seen, time, recency)
        is_alive = is_order & (random.random(customers) >= drop)
    return (frequency, recency, age), later


def gamma(shape: float, rate: float) -> Callable[[np.random.Generator, int], Floats]:
    return lambda random, size: random.gamma(shape, 1 / rate, size)


def beta(a: float, b: float) -> Callable[[np.random.Generator, int], Floats]:
    return lambda random, size: random.beta(a, b, size)


def constant(value: float) -> Callable[[np.random.Generator, int], Floats]:
    return lambda _, size: np.full(size, value)


def lifetimes(s: float, rate: float) -> Callable[[np.random.Generator, int], Floats]:
    return lambda random, size: random.exponential(1 / random.gamma(s, 1 / rate, size))


SHOPS: dict[str, dict[str, Any]] = {
    "bg_nbd": {"pace": gamma(0.5, 6), "chance": beta(0.8, 2.4)},
    "mbg_nbd": {"pace": gamma(0.5, 6), "chance": beta(0.8, 2.4), "is_first_spared": False},
    "pareto_nbd": {"pace": gamma(0.55, 10.6), "lifetime": lifetimes(0.6, 11.7)},
    "nbd": {"pace": gamma(0.5, 6)},
}
TRUTH = {
    "bg_nbd": {"r": 0.5, "alpha": 6, "a": 0.8, "b": 2.4},
    "mbg_nbd": {"r": 0.5, "alpha": 6, "a": 0.8, "b": 2.4},
    "pareto_nbd": {"r": 0.55, "alpha": 10.6, "s": 0.6, "beta": 11.7},
    "nbd": {"r": 0.5, "alpha": 6},
}


# What the papers print


@pytest.mark.parametrize("name", WITH_DROPOUT)
def test_fits_the_published_parameters_on_the_cdnow_sample(name: str, sample: Statistics) -> None:
    parameters, log_likelihood = PUBLISHED[name]
    fitted = btyd.COUNTING_MODELS[name].fit(*sample)
    assert {key: round(value, 3) for key, value in fitted.parameters.items()} == parameters
    assert round(fitted.log_likelihood, 1) == log_likelihood
    assert (fitted.customers, fitted.health, fitted.fallback) == (2357, "ok", None)


@pytest.mark.parametrize(
    ("name", "log_likelihood"),
    [("bg_nbd", -95_368.4), ("mbg_nbd", -95_337.0), ("pareto_nbd", -95_415.1)],
)
def test_reaches_the_known_likelihood_on_all_of_cdnow(name: str, log_likelihood: float) -> None:
    fitted = btyd.COUNTING_MODELS[name].fit(*statistics("true"))
    assert round(fitted.log_likelihood, 1) == log_likelihood
    assert (fitted.customers, fitted.health) == (23_570, "ok")


def test_expects_the_published_orders_of_the_papers_customer(sample: Statistics) -> None:
    (expected,) = btyd.BgNbd.fit(*sample).expected_orders(39, 2, 30.43, 38.86)
    assert round(expected, 3) == 1.226


def test_gamma_gamma_fits_the_published_parameters(mean_amounts: tuple[Floats, Floats]) -> None:
    fitted = btyd.GammaGamma.fit(*mean_amounts)
    rounded = {name: round(value, 2) for name, value in fitted.parameters.items()}
    assert rounded == {"p": 6.25, "q": 3.74, "gamma": 15.44}
    assert round(fitted.log_likelihood, 2) == -4055.92
    assert (fitted.customers, fitted.health) == (946, "ok")


@pytest.mark.skipif(not SUBSCRIBERS.exists(), reason=f"{SUBSCRIBERS} is absent; set SHARED_DATA.")
@pytest.mark.parametrize(
    ("cohort", "alpha", "beta_", "log_likelihood"),
    [("highend", 0.668, 3.806, -1611.2), ("regular", 0.704, 1.182, -1680.3)],
)
def test_shifted_beta_geometric_fits_the_published_subscribers(
    cohort: str, alpha: float, beta_: float, log_likelihood: float
) -> None:
    query = f"select recency from '{SUBSCRIBERS}' where cohorts = '{cohort}'"
    last_seen = fetched(query)["recency"]
    survivors = [(last_seen > renewal).sum() for renewal in range(8)]
    fitted = btyd.ShiftedBetaGeometric.fit(survivors)
    assert round(fitted.parameters["alpha"], 3) == alpha
    assert round(fitted.parameters["beta"], 3) == beta_
    assert round(fitted.log_likelihood, 1) == log_likelihood
    assert fitted.health == "ok"
    # The curve follows the table that it was fitted to within two points.
    np.testing.assert_allclose(fitted.survival(np.arange(8)), np.array(survivors) / 1000, atol=0.02)


def test_shifted_beta_geometric_projects_the_published_retention() -> None:
    model = btyd.ShiftedBetaGeometric({"alpha": 0.668, "beta": 3.806}, -1611.2, 1000)
    np.testing.assert_allclose(
        model.survival([1, 2, 3, 12]), [0.851, 0.747, 0.670, 0.378], atol=5e-4
    )
    product = np.cumprod(model.retention(np.arange(1, 8)))
    np.testing.assert_allclose(product, model.survival(np.arange(1, 8)))


# The published formulas, where they can be evaluated


@pytest.mark.parametrize("x", [0, 1, 2, 7, 26])
@pytest.mark.parametrize("horizon", [0.5, 10, 39])
def test_bg_nbd_agrees_with_its_published_expectation(x: int, horizon: float) -> None:
    r, alpha, a, b = PUBLISHED["bg_nbd"][0].values()
    t_x, age = 30.43 * (x > 0), 38.86
    series = special.hyp2f1(r + x, b + x, a + b + x - 1, horizon / (alpha + age + horizon))
    share = (alpha + age) / (alpha + age + horizon)
    odds = (a / (b + x - 1)) * ((alpha + age) / (alpha + t_x)) ** (r + x) if x else 0
    by_hand = (a + b + x - 1) / (a - 1) * (1 - share ** (r + x) * series) / (1 + odds)
    (expected,) = published("bg_nbd").expected_orders(horizon, x, t_x, age)
    assert expected == pytest.approx(by_hand, rel=1e-9)


@pytest.mark.parametrize("x", [0, 1, 2, 7, 26])
@pytest.mark.parametrize("horizon", [0.5, 10, 39])
def test_mbg_nbd_agrees_with_its_published_expectation(x: int, horizon: float) -> None:
    r, alpha, a, b = PUBLISHED["mbg_nbd"][0].values()
    t_x, age = 30.43 * (x > 0), 38.86
    series = special.hyp2f1(r + x, b + x + 1, a + b + x, horizon / (alpha + age + horizon))
    share = (alpha + age) / (alpha + age + horizon)
    odds = (a / (b + x)) * ((alpha + age) / (alpha + t_x)) ** (r + x)
    by_hand = (a + b + x) / (a - 1) * (1 - share ** (r + x) * series) / (1 + odds)
    (expected,) = published("mbg_nbd").expected_orders(horizon, x, t_x, age)
    assert expected == pytest.approx(by_hand, rel=1e-9)


@pytest.mark.parametrize("x", [0, 1, 2, 7, 26])
@pytest.mark.parametrize("is_beta_larger", [False, True])
def test_pareto_nbd_agrees_with_its_published_likelihood(x: int, is_beta_larger: bool) -> None:  # noqa: FBT001
    r, alpha, s, beta_ = PUBLISHED["pareto_nbd"][0].values()
    if not is_beta_larger:
        alpha, beta_ = beta_, alpha
    t_x, age = 20.0 * (x > 0), 38.86
    larger, total = max(alpha, beta_), r + s + x

    def series(time: float) -> float:
        second = s + 1 if alpha >= beta_ else r + x
        return float(
            special.hyp2f1(total, second, total + 1, abs(alpha - beta_) / (larger + time))
            / (larger + time) ** total
        )

    alive = 1 / ((alpha + age) ** (r + x) * (beta_ + age) ** s)
    dropped_out = s / total * (series(t_x) - series(age))
    factor = special.gammaln(r + x) - special.gammaln(r) + r * np.log(alpha) + s * np.log(beta_)
    model = btyd.ParetoNbd({"r": r, "alpha": alpha, "s": s, "beta": beta_}, 0, 1)
    (value,) = model.log_likelihoods(x, t_x, age)
    assert value == pytest.approx(factor + np.log(alive + dropped_out), abs=1e-9)
    (is_alive,) = model.probability_alive(x, t_x, age)
    assert is_alive == pytest.approx(alive / (alive + dropped_out), rel=1e-8)


def test_pareto_nbd_order_probability_is_that_of_the_next_order() -> None:
    r, alpha, s, beta_ = PUBLISHED["pareto_nbd"][0].values()
    x, age, horizon = 3, 38.86, 26.0

    def density(time: float) -> float:
        pace, stay = alpha + age, beta_ + age
        next_order = (r + x) / (pace + time) * (pace / (pace + time)) ** (r + x)
        return float(next_order * (stay / (stay + time)) ** s)

    model = published("pareto_nbd")
    by_hand, _ = integrate.quad(density, 0, horizon, epsabs=0, epsrel=1e-12)
    (probability,) = model.probability_of_order(horizon, x, 30.0, age)
    (is_alive,) = model.probability_alive(x, 30.0, age)
    assert probability == pytest.approx(is_alive * by_hand, rel=1e-9)


def test_residual_lifetime_agrees_with_its_published_formula() -> None:
    alpha, beta_, rate = 0.668, 3.806, 0.1
    renewals = np.arange(6)
    by_hand = (
        (beta_ + renewals)
        / (alpha + beta_ + renewals)
        * special.hyp2f1(1, beta_ + renewals + 1, alpha + beta_ + renewals + 1, 1 / (1 + rate))
    )
    model = btyd.ShiftedBetaGeometric({"alpha": alpha, "beta": beta_}, 0, 1)
    np.testing.assert_allclose(model.expected_residual_lifetime(renewals, rate), by_hand, rtol=1e-9)


def test_residual_lifetime_without_discount_is_finite_only_above_one() -> None:
    lasting = btyd.ShiftedBetaGeometric({"alpha": 0.9, "beta": 3.0}, 0, 1)
    leaving = btyd.ShiftedBetaGeometric({"alpha": 3.0, "beta": 2.0}, 0, 1)
    assert lasting.expected_residual_lifetime(0).tolist() == [np.inf]
    assert leaving.expected_residual_lifetime([0, 2]) == pytest.approx([1, 2])
    # A discount of next to nothing gives next to the same.
    assert leaving.expected_residual_lifetime(0, 1e-9) == pytest.approx([1], rel=1e-6)


# Numbers that the published formulas can't take


@pytest.mark.parametrize("name", COUNTING)
@pytest.mark.parametrize("x", [1_000, 5_000, 100_000])
@pytest.mark.parametrize("silence", [0.0, 1e-9, 1.0, 300.0])
def test_thousands_of_orders_neither_overflow_nor_vanish(name: str, x: int, silence: float) -> None:
    model, age = published(name), 400.0
    history = (x, age - silence, age)
    (expected,) = model.expected_orders(1_000, *history)
    (probability,) = model.probability_of_order(1_000, *history)
    (is_alive,) = model.probability_alive(*history)
    assert np.isfinite(model.log_likelihoods(*history)).all()
    assert 0 <= probability <= is_alive + 1e-12
    assert is_alive <= 1
    assert 0 <= expected <= x / age * 1_000 * 1.1
    if silence < 1e-3:
        assert is_alive > 0.99
        assert expected > 1


@pytest.mark.parametrize("x", [0, 300, 5_000])
@pytest.mark.parametrize("a", [0.05, 0.793, 1.0, 5.0])
@pytest.mark.parametrize("horizon", [0.04, 43.0, 4_300.0])
def test_expected_orders_agree_with_an_adaptive_integral(x: int, a: float, horizon: float) -> None:
    r, alpha, b, age = 0.243, 4.414, 2.426, 38.86

    def orders(logit: float) -> float:
        p = special.expit(logit)
        density = -a * np.logaddexp(0, -logit) - (b + x) * np.logaddexp(0, logit)
        none = -(r + x) * np.log1p(p * horizon / (alpha + age))
        # As p goes to 0 the factor goes to the number of orders of one who never drops out.
        factor = -np.expm1(none) / p if p > 1e-200 else (r + x) * horizon / (alpha + age)
        return float(np.exp(density - special.betaln(a, b + x)) * factor)

    center = np.log((a + 0.5) / (b + x + 0.5))
    edges = [center - 50 / a, *(center + np.arange(-20, 20)), center + 60]
    by_hand = sum(
        integrate.quad(orders, start, end, epsabs=0, epsrel=1e-11)[0]
        for start, end in pairwise(edges)
    )
    model = btyd.BgNbd({"r": r, "alpha": alpha, "a": a, "b": b}, 0, 1)
    # The last order was at the end of observation, so that this factor is close to 1.
    history = (x, age * (x > 0), age)
    (expected,), (is_alive,) = (
        model.expected_orders(horizon, *history),
        model.probability_alive(*history),
    )
    assert expected == pytest.approx(is_alive * by_hand, rel=1e-8)


@pytest.mark.parametrize("a", [1e-3, 0.1, 0.5, 1.0, 1.5, 40.0, 1e5])
@pytest.mark.parametrize("b", [0.05, 1.0, 30.0, 5_000.0])
def test_beta_rule_gives_moments(a: float, b: float) -> None:
    p, weights = beta_rule(a, [b])
    assert (weights * p).sum() == pytest.approx(a / (a + b), rel=1e-8)
    assert (weights * (1 - p)).sum() == pytest.approx(b / (a + b), rel=1e-8)
    second = a * (a + 1) / ((a + b) * (a + b + 1))
    assert (weights * p**2).sum() == pytest.approx(second, rel=1e-8)


@pytest.mark.parametrize("power", [0.05, 1.0, 2.5, 60.0, 5_000.0])
@pytest.mark.parametrize("end", [0.0, 1e-6, 1.0, 500.0])
def test_decay_integral_agrees_with_the_power_rule(power: float, end: float) -> None:
    # Where both scales are one, the powers add up and the integral is elementary.
    scale, both = np.full(1, 7.0), np.full(1, power)
    found = decay_nodes(scale, both, scale, 0.5 + both, np.full(1, end)).amount.sum()
    log_end, exponent = np.log1p(end / 7.0), 0.5 - 2 * power
    assert found == pytest.approx(7.0 * log_end * special.exprel(exponent * log_end), rel=1e-8)


@pytest.mark.parametrize("start", [1e-6, 0.5, 19.9, 20.0, 1e3, 1e9])
def test_log_rising_adds_up_logarithms(start: float) -> None:
    steps = np.arange(50)
    by_hand = np.cumsum(np.log(start + steps))
    np.testing.assert_allclose(log_rising(start, steps + 1), by_hand, rtol=1e-12)


# Gradients


@pytest.mark.parametrize("name", COUNTING)
@pytest.mark.parametrize("factor", [0.1, 1.0, 30.0])
def test_gradient_is_that_of_the_likelihood(name: str, factor: float) -> None:
    model = btyd.COUNTING_MODELS[name]
    histories = Histories.checked(
        [0, 0, 1, 1, 2, 7, 40, 3_000],
        [0, 0, 1e-3, 20, 30, 20, 39, 38],
        [0, 30, 39, 20, 39, 39, 39, 39],
    )
    parameters = factor * np.array(list(published(name).parameters.values()))
    _, gradient = model.terms(parameters, histories)
    for position, value in enumerate(parameters):
        step = np.zeros(len(parameters))
        step[position] = 1e-5 * value
        above, below = (model.terms(parameters + s, histories)[0] for s in (step, -step))
        by_difference = (above - below) / (2e-5 * value)
        np.testing.assert_allclose(gradient[position], by_difference, rtol=1e-5, atol=1e-4 / value)


# What must not change the fit


@pytest.mark.parametrize("name", COUNTING)
def test_order_of_customers_and_counting_equals_together_change_nothing(
    name: str, sample: Statistics
) -> None:
    model = btyd.COUNTING_MODELS[name]
    whole = model.fit(*sample)
    x, t_x, age = sample
    shuffled = np.random.default_rng(0).permutation(len(x))
    assert model.fit(x[shuffled], t_x[shuffled], age[shuffled]) == whole
    rows, positions = distinct(*sample)
    assert len(rows) < len(x)
    counted = model.fit(x[rows], t_x[rows], age[rows], np.bincount(positions))
    assert counted == whole
    assert model.fit(*sample).to_dict() == whole.to_dict()


def test_distinct_gives_the_first_of_equal_rows() -> None:
    rows, positions = distinct(np.array([2.0, 1.0, 2.0, 1.0]), np.array([0.0, 5.0, 0.0, 4.0]))
    assert rows.tolist() == [3, 1, 0]
    assert positions.tolist() == [2, 1, 2, 0]


@pytest.mark.parametrize("name", COUNTING)
@pytest.mark.parametrize("unit", [7.0, 1 / 52])
def test_the_unit_of_time_scales_times_alone(name: str, unit: float, sample: Statistics) -> None:
    model = btyd.COUNTING_MODELS[name]
    frequency, recency, age = sample
    weeks, other = model.fit(*sample), model.fit(frequency, recency * unit, age * unit)
    for parameter, value in weeks.parameters.items():
        scale = unit if parameter in {"alpha", "beta"} else 1
        assert other.parameters[parameter] == pytest.approx(value * scale, rel=1e-4)
    shift = frequency.sum() * np.log(unit)
    assert other.log_likelihood == pytest.approx(weeks.log_likelihood - shift, abs=1e-4)
    np.testing.assert_allclose(
        other.expected_orders(39 * unit, frequency, recency * unit, age * unit),
        weeks.expected_orders(39, *sample),
        rtol=1e-4,
    )


def test_the_currency_scales_gamma_alone(mean_amounts: tuple[Floats, Floats]) -> None:
    frequency, mean = mean_amounts
    euros, cents = btyd.GammaGamma.fit(frequency, mean), btyd.GammaGamma.fit(frequency, 100 * mean)
    for parameter, scale in {"p": 1, "q": 1, "gamma": 100}.items():
        assert cents.parameters[parameter] == pytest.approx(
            scale * euros.parameters[parameter], rel=1e-4
        )
    np.testing.assert_allclose(
        cents.expected_amount(frequency, 100 * mean),
        100 * euros.expected_amount(frequency, mean),
        rtol=1e-4,
    )


@pytest.mark.parametrize("name", COUNTING)
def test_log_likelihoods_of_customers_sum_to_that_of_the_fit(name: str, sample: Statistics) -> None:
    fitted = btyd.COUNTING_MODELS[name].fit(*sample)
    assert fitted.log_likelihoods(*sample).sum() == pytest.approx(fitted.log_likelihood)


@pytest.mark.parametrize("name", COUNTING)
def test_survives_json(name: str, sample: Statistics) -> None:
    model = btyd.COUNTING_MODELS[name]
    fitted = model.fit(*sample)
    assert model.from_dict(json.loads(json.dumps(fitted.to_dict()))) == fitted


def test_a_model_is_not_read_as_another() -> None:
    with pytest.raises(ValueError, match="This is 'bg_nbd', not 'mbg_nbd'"):
        btyd.MbgNbd.from_dict(published("bg_nbd").to_dict())


# Simulated shops, whose truth is known


@pytest.mark.parametrize("name", COUNTING)
def test_recovers_the_parameters_of_a_simulated_shop(name: str) -> None:
    histories, _ = simulated(20_000, **SHOPS[name])
    model = btyd.COUNTING_MODELS[name]
    fitted, truth = model.fit(*histories), model(TRUTH[name], 0, 1)
    assert fitted.health == "ok"
    assert fitted.parameters == pytest.approx(TRUTH[name], rel=0.35)
    # Twice the gain over the truth is chi-squared with at most four degrees: below 20.
    assert 0 <= fitted.log_likelihood - truth.log_likelihoods(*histories).sum() < 10


@pytest.mark.parametrize("name", COUNTING)
def test_predictions_come_true_in_a_simulated_shop(name: str) -> None:
    histories, later = simulated(40_000, horizon=26.0, **SHOPS[name])
    model = btyd.COUNTING_MODELS[name](TRUTH[name], 0, 1)
    expected = model.expected_orders(26, *histories)
    probability = model.probability_of_order(26, *histories)
    for group in (histories[0] == 0, histories[0] == 1, histories[0] > 5):
        count = group.sum()
        error = 4 * later[group].std() / np.sqrt(count)
        assert expected[group].mean() == pytest.approx(later[group].mean(), abs=error)
        assert probability[group].mean() == pytest.approx(
            (later[group] > 0).mean(), abs=2 / np.sqrt(count)
        )


def test_gamma_gamma_recovers_a_simulated_shop() -> None:
    random = np.random.default_rng(3)
    frequency = 1.0 + random.poisson(2, 20_000)
    rate = random.gamma(3.5, 1 / 20, 20_000)
    mean = random.gamma(5 * frequency, 1 / (rate * frequency))
    fitted = btyd.GammaGamma.fit(frequency, mean)
    assert fitted.health == "ok"
    assert fitted.parameters == pytest.approx({"p": 5, "q": 3.5, "gamma": 20}, rel=0.1)


@pytest.mark.parametrize("name", WITH_DROPOUT)
@pytest.mark.parametrize("customers", [200, 2_000])
def test_a_shop_that_nobody_leaves_has_no_identified_dropout(name: str, customers: int) -> None:
    histories, _ = simulated(customers, **SHOPS["nbd"])
    fitted = btyd.COUNTING_MODELS[name].fit(*histories)
    assert (fitted.health, fitted.fallback) == ("dropout_unidentified", "nbd")
    assert btyd.Nbd.fit(*histories).health == "ok"


@pytest.mark.skipif(not ONLINE_RETAIL.exists(), reason=f"{ONLINE_RETAIL} is absent.")
@pytest.mark.parametrize("name", WITH_DROPOUT)
def test_nine_months_of_online_retail_have_no_identified_dropout(name: str) -> None:
    found = fetched(f"""
        with days as (
            select distinct CustomerID as customer_id, InvoiceDate::date as ordered_at
            from '{ONLINE_RETAIL}'
            where CustomerID is not null and Quantity > 0 and UnitPrice > 0
                and InvoiceDate < '2011-09-11'
        )
        select
            count(*) - 1 as frequency,
            max(ordered_at) - min(ordered_at) as recency,
            date '2011-09-10' - min(ordered_at) as age
        from days
        group by customer_id
    """)
    fitted = btyd.COUNTING_MODELS[name].fit(*found.values())
    assert fitted.customers == 3370
    assert (fitted.health, fitted.fallback) == ("dropout_unidentified", "nbd")


@pytest.mark.parametrize("name", WITH_DROPOUT)
def test_a_shop_whose_customers_are_all_alike_is_at_a_boundary(name: str) -> None:
    histories, _ = simulated(2_000, constant(0.2), chance=constant(0.2))
    model = btyd.COUNTING_MODELS[name]
    fitted = model.fit(*histories)
    assert (fitted.health, fitted.fallback) == ("boundary", "prior")
    held = model.fit(*histories, prior_scale=1)
    assert (held.health, held.fallback) == ("ok", None)
    # The data hardly mind, and neither do the predictions.
    assert held.log_likelihood <= fitted.log_likelihood + 1e-6
    free, bound = (each.expected_orders(26, *histories) for each in (fitted, held))
    assert bound.sum() == pytest.approx(free.sum(), rel=0.1)


def test_a_prior_moves_what_the_data_determine_by_little(sample: Statistics) -> None:
    free, held = btyd.BgNbd.fit(*sample), btyd.BgNbd.fit(*sample, prior_scale=1)
    assert held.parameters == pytest.approx(dict(free.parameters), rel=0.05)
    assert free.log_likelihood - 0.1 < held.log_likelihood < free.log_likelihood


@pytest.mark.parametrize("name", COUNTING)
@pytest.mark.parametrize(
    "history",
    [
        ([0.0], [0.0], [0.0]),
        ([0.0] * 50, [0.0] * 50, [10.0] * 50),
        ([1.0] * 19 + [0.0] * 50, [5.0] * 19 + [0.0] * 50, [10.0] * 69),
        ([5_000.0], [9.0], [10.0]),
    ],
    ids=["a first order today", "nobody came back", "nineteen did", "one regular"],
)
def test_few_repeat_buyers_are_named_and_still_give_numbers(
    name: str, history: tuple[list[float], ...]
) -> None:
    frequency, recency, age = history
    fitted = btyd.COUNTING_MODELS[name].fit(frequency, recency, age)
    assert (fitted.health, fitted.fallback) == ("too_few_repeat_buyers", "mean")
    assert np.isfinite(fitted.expected_orders(10, frequency, recency, age)).all()


def test_an_infinite_mean_amount_is_named() -> None:
    random = np.random.default_rng(3)
    frequency = np.full(2_000, 2.0)
    rate = random.gamma(0.7, 1 / 20, 2_000)
    mean = random.gamma(3 * frequency, 1 / (rate * frequency))
    fitted = btyd.GammaGamma.fit(frequency, mean)
    assert (fitted.health, fitted.fallback) == ("infinite_mean", "mean")
    assert fitted.expected_amount(0, 0.0).tolist() == [np.inf]
    assert np.isfinite(fitted.expected_amount(frequency, mean)).all()


def test_gamma_gamma_names_few_buyers_and_equal_amounts() -> None:
    assert btyd.GammaGamma.fit([1, 2, 3], [5.0, 6.0, 7.0]).health == "too_few_repeat_buyers"
    assert btyd.GammaGamma.fit([2] * 500, [9.99] * 500).health == "boundary"


def test_amounts_that_never_vary_within_a_customer_are_expected_again() -> None:
    mean = 1 / np.random.default_rng(3).gamma(3, 1 / 50, 2_000)
    fitted = btyd.GammaGamma.fit(3, mean)
    assert fitted.health == "ok"
    np.testing.assert_allclose(fitted.expected_amount(3, mean), mean, rtol=0.05)


@pytest.mark.parametrize(
    ("survivors", "health"),
    [
        ([1000, 1000, 1000], "too_few_losses"),
        ([1000, 800], "boundary"),
        ([1000, 800, 640, 512, 410], "boundary"),
        ([1000, 0], "boundary"),
    ],
    ids=["nobody left", "one renewal", "constant retention", "all left"],
)
def test_subscribers_who_tell_nothing_of_their_differences_are_named(
    survivors: list[int], health: str
) -> None:
    fitted = btyd.ShiftedBetaGeometric.fit(survivors)
    assert (fitted.health, fitted.fallback) == (health, "constant_retention")
    assert np.isfinite(fitted.survival([0, 1, 50])).all()


def test_subscriber_cohorts_of_different_lengths_are_one_sample() -> None:
    whole = btyd.ShiftedBetaGeometric.fit([2000, 1738, 1486, 1306])
    parts = btyd.ShiftedBetaGeometric.fit([1000, 869, 743, 653], [1000, 869, 743, 653])
    assert parts.parameters == pytest.approx(dict(whole.parameters), rel=1e-6)
    younger = btyd.ShiftedBetaGeometric.fit([1000, 869, 743, 653], [1000, 869])
    assert younger.customers == 2000


# Whatever the customer

counts = st.integers(0, 3_000)
times = st.floats(0.01, 500)
shares = st.floats(0.01, 1)
sizes = st.floats(-5, 5).map(np.exp)


@pytest.mark.parametrize("name", COUNTING)
@settings(max_examples=60)
@given(data=st.data())
def test_answers_agree_with_each_other(name: str, data: st.DataObject) -> None:
    model = btyd.COUNTING_MODELS[name]
    parameters = {parameter: data.draw(sizes) for parameter in model.parameter_names}
    fitted = model(parameters, 0, 1)
    x, age, horizon = data.draw(counts), data.draw(times), data.draw(times)
    t_x = age * data.draw(shares) if x else 0.0
    ahead = np.array([0, horizon / 2, horizon])
    orders = fitted.expected_orders(ahead, x, t_x, age)
    probability = fitted.probability_of_order(ahead, x, t_x, age)
    (is_alive,) = fitted.probability_alive(x, t_x, age)
    assert np.isfinite(fitted.log_likelihoods(x, t_x, age)).all()
    assert 0 <= is_alive <= 1
    assert orders[0] == probability[0] == 0
    # More time, more orders; one at least is less likely than one on average.
    slack = 1 + 1e-6
    assert orders[1] <= orders[2] * slack
    assert probability[1] <= probability[2] * slack
    assert (probability <= np.minimum(orders, is_alive) * slack).all()
    # Nobody orders more than at their pace for the whole of the horizon.
    pace = (parameters["r"] + x) / (parameters["alpha"] + age)
    assert orders[2] <= is_alive * pace * horizon * slack


@pytest.mark.parametrize("name", WITH_DROPOUT)
@settings(max_examples=60)
@given(data=st.data())
def test_silence_makes_being_alive_less_likely(name: str, data: st.DataObject) -> None:
    model = btyd.COUNTING_MODELS[name]
    fitted = model({parameter: data.draw(sizes) for parameter in model.parameter_names}, 0, 1)
    x, age = data.draw(st.integers(1, 3_000)), data.draw(times)
    first, second = sorted((age * data.draw(shares), age * data.draw(shares)))
    earlier, later = fitted.probability_alive(x, [first, second], age)
    assert earlier <= later * (1 + 1e-6)
    now, afterwards = fitted.probability_alive(x, first, [age, age * 2])
    assert afterwards <= now * (1 + 1e-6)


@settings(max_examples=60)
@given(sizes, st.floats(1.01, 50), sizes, st.integers(1, 3_000), st.floats(0.01, 1e5))
def test_an_expected_amount_is_between_the_customers_mean_and_everyones(
    p: float, q: float, gamma_: float, x: int, mean: float
) -> None:
    model = btyd.GammaGamma({"p": p, "q": q, "gamma": gamma_}, 0, 1)
    everyone, one, many = model.expected_amount([0, x, 10 * x], mean)
    low, high = sorted((everyone, mean))
    assert low * (1 - 1e-9) <= one <= high * (1 + 1e-9)
    assert abs(many - mean) <= abs(one - mean) + 1e-9 * high


# What can't be


@pytest.mark.parametrize("name", COUNTING)
@pytest.mark.parametrize(
    ("history", "sentence"),
    [
        (([-1], [0], [1]), "frequency must not be negative; element 0 of 1, from 0, is not so"),
        (([0, 1.5], [0, 1], [1, 2]), "frequency must be a whole number of repeat purchases; ele"),
        (([1], [3], [2]), "recency must not exceed the age"),
        (([0], [1], [2]), "recency must be 0 where there is no repeat purchase"),
        (([2], [0], [2]), "recency must be above 0 where there are repeat purchases"),
        (([0], [0], [np.nan]), "age must be finite and not missing"),
        (([0], [0], [np.inf]), "age must be finite and not missing"),
        (([0, 0], [0, 0], [1, 2, 3]), "All arrays must have one length, not frequency 2, recency"),
        (([[0]], [0], [1]), "frequency must have one dimension, not 2"),
        ((["many"], [0], [1]), "frequency must hold numbers"),
        (([], [], []), "There are no customers to fit on"),
        (([0], [0], [1], [-1]), "count must not be negative"),
        (([0], [0], [1], [0]), "There are no customers to fit on"),
    ],
)
def test_impossible_histories_are_told_in_a_sentence(
    name: str, history: tuple[Any, ...], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        btyd.COUNTING_MODELS[name].fit(*history)


@pytest.mark.parametrize(
    ("refused", "sentence"),
    [
        (lambda: published("bg_nbd").expected_orders(-1, 0, 0, 1), "horizon must not be negative"),
        (lambda: published("nbd").probability_alive(1, 5, 4), "recency must not exceed the age"),
        (lambda: btyd.BgNbd.fit([0], [0], [1], prior_scale=0), "prior_scale must be above 0"),
        (lambda: btyd.Nbd({"r": 1.0}, 0, 1), "nbd has the parameters r, alpha, not r"),
        (lambda: btyd.Nbd({"r": 1.0, "alpha": -1.0}, 0, 1), "nbd's alpha must be above 0, not -1"),
        (lambda: btyd.Nbd({"r": 1, "alpha": 1}, 0, 1, "unwell"), "nbd knows no health 'unwell'"),
        (lambda: btyd.GammaGamma.fit([1], [0.0]), "mean_amount must be above 0 where there are"),
        (lambda: btyd.GammaGamma.fit([1], [-2.0]), "mean_amount must not be negative"),
        (lambda: btyd.GammaGamma.fit([1], [np.nan]), "mean_amount must be finite"),
        (lambda: btyd.GammaGamma.fit([0], [np.nan]), "There are no customers with purchases"),
        (lambda: btyd.GammaGamma.fit([1], ["dear"]), "mean_amount must hold numbers"),
        (lambda: btyd.GammaGamma.fit([1, 2], [1.0]), "All arrays must have one length"),
        (lambda: btyd.ShiftedBetaGeometric.fit([5]), "A cohort needs its size and at least one"),
        (lambda: btyd.ShiftedBetaGeometric.fit([5, 6]), "cohort must not gain members"),
        (btyd.ShiftedBetaGeometric.fit, "There are no subscribers to fit on"),
        (
            lambda: btyd.ShiftedBetaGeometric.fit([9, 5]).retention([0]),
            "renewal must be 1 or above",
        ),
    ],
)
def test_impossible_input_is_told_in_a_sentence(
    refused: Callable[[], object], sentence: str
) -> None:
    with pytest.raises(btyd.ImpossibleInputError, match=sentence):
        refused()


def test_no_customers_get_no_answers() -> None:
    for name in COUNTING:
        assert published(name).expected_orders(1, [], [], []).shape == (0,)
        assert published(name).probability_alive([], [], []).shape == (0,)
