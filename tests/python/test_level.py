"""The shop's own forecast finds what is planted in it, and levels the customer model no further."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from customer_value import customer_totals, level
from customer_value.cohort_forecast import CohortForecast, CohortWeeks, is_enough

AS_OF_DATE = pd.Timestamp("2024-07-01")
ORDERS_PER_WEEK = 0.05
AMOUNT = 30.0
CUSTOMERS_PER_WEEK = 60


def weekly_rate(
    week: np.ndarray[Any, Any], december: float = 1.0, growth: float = 0.0
) -> np.ndarray[Any, Any]:
    """Orders of a customer in a week back from AS_OF_DATE, negative ones being ahead."""
    middle = AS_OF_DATE - pd.to_timedelta(7 * (week + 0.5), unit="D")
    season = np.where(middle.month == 12, december, 1.0)
    return np.asarray(ORDERS_PER_WEEK * season * np.exp(-growth * week / 52.18))


def cohort_rows(weeks: int, december: float = 1.0, growth: float = 0.0) -> pd.DataFrame:
    """int_customer_value__cohort_weeks of a shop that wins so many customers each week."""
    cohort, week = np.nonzero(np.tri(weeks, dtype=bool))
    expected = (
        CUSTOMERS_PER_WEEK * weekly_rate(week, december, growth) * np.where(cohort == week, 0.5, 1)
    )
    orders = np.random.default_rng(7).poisson(expected)
    return pd.DataFrame(
        {
            "as_of_date": AS_OF_DATE,
            "is_current": True,
            "cohort_week": cohort,
            "week_number": week,
            "new_customer_count": np.where(cohort == week, CUSTOMERS_PER_WEEK, 0),
            "order_count": orders,
            "net_amount": orders * AMOUNT,
        }
    )


def truth(weeks: int, ahead: int, december: float = 1.0, growth: float = 0.0) -> float:
    """What the customers known at AS_OF_DATE are made to bring in so many weeks."""
    rate = weekly_rate(-np.arange(1, ahead + 1), december, growth)
    return float(weeks * CUSTOMERS_PER_WEEK * rate.sum() * AMOUNT)


def fitted(weeks: int, **planted: float) -> CohortForecast:
    return CohortForecast().fit(CohortWeeks.of(cohort_rows(weeks, **planted), AS_OF_DATE))


def relation(frame: pd.DataFrame) -> duckdb.DuckDBPyRelation:
    return duckdb.from_df(frame)


def tried(bias_of: Mapping[str, float], dates: int = 5) -> pd.DataFrame:
    """A backtest in which each method is always off by the same factor."""
    rows = [
        {
            "as_of_date": AS_OF_DATE - pd.Timedelta(days=60 * number),
            "horizon_days": horizon_days,
            "history_days": 360,
            "customer_count": 100,
            "actual_net_amount": 1000.0,
            "method": method,
            "forecast_net_amount": 1000.0 * bias,
        }
        for number in range(1, dates + 1)
        for horizon_days in (30, 60, 120, 240)
        for method, bias in bias_of.items()
    ]
    return pd.DataFrame(rows, columns=list(level.BACKTEST_COLUMNS)).astype(level.BACKTEST_COLUMNS)


def forecast(
    past: pd.DataFrame, cohort_weeks: pd.DataFrame, expected: list[float], persisted: float = 1e12
) -> pd.DataFrame:
    """The level of as many periods of 28 days as the customer model expects amounts in."""
    number = np.arange(1, len(expected) + 1)
    return level.forecast(
        relation(cohort_weeks),
        relation(
            pd.DataFrame(
                {
                    "period_number": number,
                    "expected_net_amount": expected,
                    "persisted_amount": persisted,
                }
            )
        ),
        relation(
            pd.DataFrame(
                {
                    "period_number": number,
                    "days_to_start": 28 * (number - 1),
                    "days_to_end": 28 * number,
                }
            )
        ),
        relation(past),
        relation(pd.DataFrame({"history_days": [360], "interval_level": [0.8]})),
    )


# The forecast from cohorts


def test_a_december_that_doubles_shows_in_the_forecast_after_two_of_them() -> None:
    # From 1 July: December is in days 153 to 184.
    model = fitted(130, december=2.0)
    ends = np.array([62.0, 123.0, 153.0, 184.0, 212.0])
    by_window = np.diff(model.within(ends))
    season = by_window / np.diff(model.within(ends, "season"))
    assert season[2] > 1.5
    assert np.abs(season[[0, 1, 3]] - 1).max() < 0.25
    assert model.within(np.array([364.0]))[0] == pytest.approx(
        truth(130, 52, december=2.0), rel=0.12
    )


def test_growth_goes_on_and_fades_out() -> None:
    model = fitted(104, growth=0.4)
    half, year = model.within(np.array([182.0, 364.0]))
    flat_half, flat_year = model.within(np.array([182.0, 364.0]), "trend")
    # The penalty takes some of it back: nearer to the truth than without, and not beyond.
    assert flat_half < half < truth(104, 26, growth=0.4)
    # In the second half the trend adds less than in proportion to time.
    assert (year - half) / (flat_year - flat_half) < (half / flat_half) ** 3


@pytest.mark.parametrize("weeks", [20, 45, 70, 130])
def test_a_shop_in_which_nothing_changes_is_forecast_to_go_on(weeks: int) -> None:
    model = fitted(weeks)
    ends = np.arange(0, 365, 28.0)
    assert model.within(ends[-1:])[0] == pytest.approx(truth(weeks, 52), rel=0.15)
    season = np.diff(model.within(ends)) / np.diff(model.within(ends, "season"))
    assert np.abs(season - 1).max() < 0.1


def test_within_a_year_there_is_no_season() -> None:
    model = fitted(52, december=2.0)
    ends = np.arange(0, 365, 28.0)
    assert model.within(ends) == pytest.approx(model.within(ends, "season"))


def test_a_few_weeks_are_too_few() -> None:
    few = CohortWeeks.of(cohort_rows(7), AS_OF_DATE)
    assert not is_enough(few)
    with pytest.raises(ValueError, match="7 weeks and"):
        CohortForecast().fit(few)


# The level


def test_without_any_trial_the_customer_model_stands() -> None:
    levelled = forecast(tried({}), cohort_rows(45), [500.0, 400.0])
    assert levelled["level_factor"].tolist() == [1, 1]
    # And without a forecast from cohorts there is nothing to draw it to, where it was right before.
    short = forecast(tried({"seasoned": 1.0, "cohorts": 2.0}), cohort_rows(5), [500.0, 400.0])
    assert short["level_factor"].tolist() == [1, 1]
    assert short["cohort_net_amount"].isna().all()


@pytest.mark.parametrize("was_off", [0.7, 1.5])
def test_what_was_off_one_way_at_past_dates_is_corrected_by_no_more_than_that(
    was_off: float,
) -> None:
    model = fitted(52)
    expected = was_off * np.diff(model.within(np.array([0.0, 28.0, 56.0])))
    past = tried({"seasoned": was_off, "cohorts": 1.0})
    after = was_off * forecast(past, cohort_rows(52), expected.tolist())["level_factor"]
    assert (np.abs(np.log(after)) < 0.5 * abs(np.log(was_off))).all()
    # With both off alike there is nothing to choose between, and still something to correct.
    both = tried({"seasoned": was_off, "cohorts": was_off})
    after = was_off * forecast(both, cohort_rows(5), [500.0, 400.0])["level_factor"]
    assert (np.abs(np.log(after)) < 0.6 * abs(np.log(was_off))).all()


def test_a_customer_model_that_was_right_is_kept() -> None:
    # Its total is what the cohorts bring times 0.8; they were wrong by half, it never was.
    model = fitted(52)
    expected = 0.8 * np.diff(model.within(np.array([0.0, 28.0, 56.0])))
    past = tried({"seasoned": 1.0, "cohorts": 1.5})
    levelled = forecast(past, cohort_rows(52), expected.tolist())
    assert levelled["level_factor"].between(0.97, 1.03).all()


def test_a_customer_model_that_ran_hot_gives_way_to_cohorts_that_did_not() -> None:
    model = fitted(52)
    expected = 1.5 * np.diff(model.within(np.array([0.0, 28.0, 56.0])))
    past = tried({"seasoned": 1.5, "cohorts": 1.0})
    levelled = forecast(past, cohort_rows(52), expected.tolist())
    assert levelled["level_factor"].between(1 / 1.5, 0.85).all()
    fewer_trials = forecast(past[past["as_of_date"] > "2024-04-01"], cohort_rows(52), [*expected])
    assert (fewer_trials["level_factor"] > levelled["level_factor"]).all()


def test_in_a_shop_in_which_nothing_changes_the_factor_is_about_1() -> None:
    expected = np.diff(fitted(104).within(np.arange(0, 365, 28.0)))
    exact = np.full(len(expected), truth(104, 4))
    past = tried({"seasoned": 1.0, "cohorts": 1.0})
    levelled = forecast(past, cohort_rows(104), exact.tolist())
    assert levelled["level_factor"].between(0.95, 1.05).all()


def test_known_customers_are_not_forecast_to_outdo_the_whole_shop() -> None:
    # A year of 13 periods for which the shop took 1000 in the last: a tenth more, e to the 0.1.
    past = tried({"seasoned": 1.0, "cohorts": 1.0, "last_window": 1.3})
    expected = [200.0] * 13
    levelled = forecast(past, cohort_rows(5), expected, persisted=1000.0)
    total = float((levelled["level_factor"] * levelled["customer_model_net_amount"]).sum())
    assert total == pytest.approx(1000 * np.exp(0.1), rel=0.01)
    assert levelled["level_factor"].is_monotonic_decreasing
    # Where they always brought half as much again, they may.
    past = tried({"seasoned": 1.0, "cohorts": 1.0, "last_window": 1 / 1.5})
    levelled = forecast(past, cohort_rows(5), expected, persisted=1000.0)
    total = float((levelled["level_factor"] * levelled["customer_model_net_amount"]).sum())
    assert total == pytest.approx(1500, rel=0.01)


amounts = st.lists(st.one_of(st.just(0.0), st.floats(0.01, 1e9)), min_size=1, max_size=24)


@given(amounts, st.floats(0.01, 3))
def test_a_bound_is_kept_and_no_term_grows(given_amounts: list[float], share: float) -> None:
    before = np.array(given_amounts, dtype=np.float64)
    largest = share * float(before.sum())
    after = level.bounded(before, np.arange(1, len(before) + 1, dtype=np.float64), largest)
    assert (after <= before).all()
    assert (after >= 0).all()
    assert after.sum() <= before.sum() if largest == 0 else after.sum() <= largest * (1 + 1e-6)
    if share >= 1:
        assert after.tolist() == before.tolist()


def test_an_interval_widens_with_the_errors_it_is_made_of() -> None:
    def ratios(bias: float, interval_level: float) -> tuple[float, float]:
        past = level.PastErrors.of(tried({"levelled": bias}), ("levelled",))
        return level.interval_ratios(past, 0.3, interval_level)

    for narrower, wider in [((1.1, 0.8), (2.0, 0.8)), ((1.3, 0.5), (1.3, 0.95))]:
        assert (
            ratios(*wider)[0] < ratios(*narrower)[0] < 1 < ratios(*narrower)[1] < ratios(*wider)[1]
        )
    # The prior weighs as two dates with an error of 0.2, the five seen are of ln 1.5.
    seen = (5 * np.log(1.5) ** 2 + 2 * 0.2**2) / 7
    assert ratios(1.5, 0.8)[1] == pytest.approx(np.exp(1.2816 * np.sqrt(seen)), rel=0.02)


# Nothing that came later


def backtest_inputs(later_amount: float) -> dict[str, pd.DataFrame]:
    """Two past dates, of which the later one's outcome is given."""
    early, late = pd.Timestamp("2024-01-01"), pd.Timestamp("2024-03-01")
    windows = pd.DataFrame(
        {
            "as_of_date": [early, early, late],
            "horizon_days": [30, 90, 30],
            "history_days": [400, 400, 460],
            "customer_count": 100,
            "net_amount": [1000.0, later_amount, later_amount],
            "known_last_year_amount": 5000.0,
            "persisted_amount": 1500.0,
            "last_year_amount": np.nan,
        }
    )
    totals = windows[["as_of_date", "horizon_days"]].assign(
        sampled_customer_count=50, sampled_last_year_amount=2500.0, predicted_net_amount=700.0
    )
    weeks = pd.concat(
        cohort_rows(50).assign(as_of_date=date, is_current=False) for date in (early, late)
    )
    run = pd.DataFrame({"interval_level": [0.8]})
    return {"cohort_weeks": weeks, "windows": windows, "customer_totals": totals, "run": run}


def test_a_levelled_forecast_learns_only_from_windows_that_had_ended() -> None:
    def levelled(later_amount: float) -> pd.DataFrame:
        inputs = backtest_inputs(later_amount)
        rows = level.try_at_past_dates(*(relation(frame) for frame in inputs.values()))
        return rows[rows["method"] == "levelled"].drop(columns="actual_net_amount")

    pd.testing.assert_frame_equal(levelled(1.0), levelled(1_000_000.0))
    # The window of 30 days from January had ended by March, and moved that forecast.
    at_first, at_last = levelled(1.0)["forecast_net_amount"].iloc[[0, -1]]
    assert at_first == 1400
    assert at_last != 1400


def test_a_sample_stands_for_all_in_proportion_to_what_both_had_spent() -> None:
    inputs = backtest_inputs(1000.0)
    rows = level.try_at_past_dates(*(relation(frame) for frame in inputs.values()))
    customer_model = rows[rows["method"] == "customer_model"]
    assert customer_model["forecast_net_amount"].tolist() == [1400, 1400, 1400]


def test_twins_see_nothing_that_had_not_ended_by_their_date(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[pd.Timestamp, pd.Timestamp]] = []

    def expected_amounts(earlier: pd.DataFrame, later: pd.DataFrame, _: object) -> Any:
        ends = earlier["as_of_date"] + pd.to_timedelta(earlier["horizon_days"], unit="D")
        (date,) = later["as_of_date"].unique()
        asked.append((ends.max(), date))
        return np.full(len(later), 2.0)

    monkeypatch.setattr(customer_totals, "expected_amounts", expected_amounts)
    dates = pd.date_range("2024-01-01", periods=9, freq="30D")
    examples = pd.DataFrame(
        [
            {
                "customer_id": f"c{customer:02d}",
                "as_of_date": date,
                "horizon_days": horizon_days,
                "net_last_365_days_amount": 10.0,
            }
            for customer in range(40)
            for date in dates
            for horizon_days in (30, 60)
        ]
    )
    run = pd.DataFrame({"as_of_date": [dates[-1]], "churn_window_days": [90]})
    office = pd.DataFrame(
        {
            "target": ["churn", "spend"],
            "as_of_date": dates[-1],
            "is_full": False,
            "champion": ["logistic", "gamma"],
            "calibration": '{"intercept": 0.0, "slope": 1.0}',
        }
    )
    totals = customer_totals.at_past_dates(relation(examples), relation(run), relation(office))
    assert len(asked) == customer_totals.MAXIMUM_DATES
    assert all(last_end <= date for last_end, date in asked)
    assert totals["predicted_net_amount"].tolist() == [80.0] * 10
    assert totals["sampled_last_year_amount"].tolist() == [400.0] * 10
