"""Interval bands cover every chance of an order once and hold the share they promise."""

from __future__ import annotations

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
    chance, ratio = chance_of.random(1000), chance_of.exponential(1, 1000)
    bands = interval_bands(chance, ratio, level)
    assert len(bands) > 1
    for band in bands:
        members = (chance >= band["order_probability_from"]) & (
            chance < band["order_probability_to"]
        )
        within = (ratio >= band["lower_ratio"]) & (ratio <= band["upper_ratio"])
        # At least its share, and no more than two of its members beyond.
        assert level <= within[members].mean() <= level + 3 / members.sum()


def test_few_customers_make_one_band_of_order_statistics() -> None:
    # Of 19 the second from either end: ranks floor(20 * 0.1) and ceil(20 * 0.9).
    (band,) = interval_bands(np.linspace(0, 1, 19), np.arange(1.0, 20.0), 0.8)
    assert (band["lower_ratio"], band["upper_ratio"]) == (2, 18)
