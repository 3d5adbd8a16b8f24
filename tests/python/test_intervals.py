"""Interval bands cover every chance of an order once and hold the share they promise."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from customer_value.intervals import interval_bands

held_out = st.lists(
    st.tuples(st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.5, 1.0])), st.floats(-2, 50)),
    min_size=1,
    max_size=300,
)


@given(held_out, st.floats(0.5, 0.99))
def test_bands_run_from_0_to_above_1_without_gap_or_overlap(
    customers: list[tuple[float, float]], level: float
) -> None:
    chance, ratio = np.array(customers).T
    bands = interval_bands(chance, ratio, level)
    assert bands[0]["order_probability_from"] == 0
    assert bands[-1]["order_probability_to"] > 1
    for band, following in pairwise(bands):
        assert band["order_probability_to"] == following["order_probability_from"]
    for band in bands:
        assert band["order_probability_from"] < band["order_probability_to"]
        assert 0 <= band["lower_ratio"] <= band["upper_ratio"]


@pytest.mark.parametrize("level", [0.5, 0.8, 0.95])
def test_each_band_holds_its_share_of_the_held_out(level: float) -> None:
    chance_of = np.random.default_rng(0)
    # Of an order: who has a small one mostly brings nothing, and whose lower end is 0 then.
    chance = chance_of.random(2000)
    ratio = chance_of.exponential(1, 2000) * (chance_of.random(2000) < 2 * chance)
    ratio = ratio.round(6)
    origin = np.arange(2000) % 2
    bands = interval_bands(chance, ratio, level, origin)
    assert len(bands) > 1
    for band in bands:
        is_member = (chance >= band["order_probability_from"]) & (
            chance < band["order_probability_to"]
        )
        within = (ratio >= band["lower_ratio"]) & (ratio <= band["upper_ratio"])
        for number in (0, 1):
            assert within[is_member & (origin == number)].mean() >= level or is_member.sum() < 80
        is_zero = (ratio[is_member] == 0).mean()
        # Nothing is left over, but for those who brought nothing and what two origins differ by.
        chance_alone = 2 * math.sqrt(level * (1 - level) / (is_member.sum() / 2))
        assert within[is_member].mean() <= max(level, is_zero) + chance_alone + 0.02


def test_all_that_may_lie_outside_is_above_where_that_is_shorter() -> None:
    chance_of = np.random.default_rng(1)
    chance, origin = chance_of.random(4000), np.arange(4000) % 4
    falling, peaked = chance_of.exponential(1, 4000), chance_of.lognormal(0, 0.2, 4000)
    bands = interval_bands(chance, falling, 0.8, origin)
    assert all(band["lower_ratio"] == 0 for band in bands)
    # ln 5 and what four origins differ by; ln 10 would be the end of a central interval.
    ends = [band["upper_ratio"] for band in bands]
    assert math.log(5) < np.mean(ends) < (math.log(5) + math.log(10)) / 2
    # About its middle an amount that varies little has the shorter interval.
    assert all(band["lower_ratio"] > 0.6 for band in interval_bands(chance, peaked, 0.8, origin))


def test_a_shop_that_is_off_at_one_origin_has_the_wider_interval() -> None:
    chance_of = np.random.default_rng(2)
    chance, origin = chance_of.random(4000), np.arange(4000) % 2
    ratio = (chance_of.exponential(1, 4000) * np.where(origin == 1, 2.0, 1.0)).round(6)
    for band in interval_bands(chance, ratio, 0.8, origin):
        is_member = (chance >= band["order_probability_from"]) & (
            chance < band["order_probability_to"]
        )
        if is_member.sum() >= 150:
            within = ratio[is_member & (origin == 1)] <= band["upper_ratio"]
            assert 0.8 <= within.mean() < 0.86


def test_one_origin_keeps_half_of_the_rest_in_hand() -> None:
    # Of 19 the first and the last: ranks floor(20 * 0.05) and ceil(20 * 0.95).
    (band,) = interval_bands(np.linspace(0, 1, 19), np.arange(1.0, 20.0), 0.8)
    assert (band["lower_ratio"], band["upper_ratio"]) == (1, 19)
    # With two, the second from either end.
    (band,) = interval_bands(np.linspace(0, 1, 19), np.arange(1.0, 20.0), 0.8, np.arange(19) % 2)
    assert (band["lower_ratio"], band["upper_ratio"]) == (2, 18)
