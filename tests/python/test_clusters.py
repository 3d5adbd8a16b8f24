"""Clusters: planted groups are found, in their number, and keep their numbers as they move."""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score

from customer_value import clusters

Floats = NDArray[np.float64]

GROUPS = {
    "faithful": (2.0, 2.5, 0.8),
    "lost": (5.5, 0.3, -0.4),
    "new": (1.5, 0.1, 0.0),
    "lavish": (4.0, 1.2, 2.5),
}


def customers(seed: int = 0, shift: float = 0.0, size: int = 300) -> tuple[Floats, list[str]]:
    """Customers about each group's centre, and whose group each is of."""
    chance = np.random.default_rng(seed)
    values = [
        chance.normal(np.array(center) + shift, 0.35, (size, 3)) for center in GROUPS.values()
    ]
    return np.vstack(values), [name for name in GROUPS for _ in range(size)]


def numbers_of(found: clusters.Clusters, values: Floats) -> NDArray[np.int64]:
    """The number of the nearest cluster, as SQL has it."""
    scaled = (values - found.means) / found.deviations
    centers = (found.centers - found.means) / found.deviations
    distances = np.linalg.norm(scaled[:, None] - centers[None], axis=2)
    numbers: NDArray[np.int64] = np.array(found.numbers)[distances.argmin(axis=1)]
    return numbers


def rows(values: Floats, as_of_date: str, kept: pd.DataFrame | None = None) -> pd.DataFrame:
    """What a run returns."""
    sample = pd.DataFrame(values, columns=list(clusters.FEATURES))
    run = pd.DataFrame({"as_of_date": [pd.Timestamp(as_of_date)], "random_seed": [42]})
    with duckdb.connect() as connection:
        connection.register("sample", sample)
        connection.register("run", run)
        relation = None
        if kept is not None:
            connection.register("kept", kept)
            relation = connection.sql("from kept")
        return clusters.train(connection.sql("from sample"), connection.sql("from run"), relation)


def test_planted_groups_are_found_in_their_number() -> None:
    values, groups = customers()
    found = clusters.fit(values, 42)
    assert len(found.numbers) == len(GROUPS)
    assert adjusted_rand_score(groups, numbers_of(found, values)) > 0.95
    assert found.silhouette > 0.6


def test_a_splinter_is_no_cluster_of_its_own() -> None:
    """Three groups, and ten customers of 910 far from all: silhouettes alone would have four."""
    values, _ = customers()
    splinter = np.full((10, 3), 12.0) + np.random.default_rng(1).normal(0, 0.1, (10, 3))
    found = clusters.fit(np.vstack([values[:900], splinter]), 42)
    sizes = pd.Series(numbers_of(found, np.vstack([values[:900], splinter]))).value_counts()
    assert sizes.min() >= clusters.SMALLEST_SHARE * 910


def test_the_order_of_customers_changes_nothing() -> None:
    values, _ = customers()
    shuffled = np.random.default_rng(3).permutation(values)
    pd.testing.assert_frame_equal(rows(values, "2024-01-01"), rows(shuffled, "2024-01-01"))


def test_another_seed_finds_the_same_groups() -> None:
    values, _ = customers()
    one, other = (numbers_of(clusters.fit(values, seed), values) for seed in (1, 2))
    assert adjusted_rand_score(one, other) > 0.99


def test_numbers_stay_while_groups_move() -> None:
    """Five months of other customers whose habits drift, each with another start of the search."""
    values, groups = customers()
    kept = rows(values, "2024-01-01")
    first = dict(zip(groups, numbers_of(clusters.fit(values, 42), values), strict=True))
    assert sorted(first.values()) == [1, 2, 3, 4]
    for month in range(2, 7):
        values, groups = customers(seed=month, shift=0.05 * month)
        before = kept.copy()
        now = rows(values, f"2024-0{month}-01", kept)
        found = clusters.fit(values, 42, before)
        expected = [first[group] for group in groups]
        assert np.mean(numbers_of(found, values) == expected) > 0.97
        assert now["move"].max() < 0.5
        kept = pd.concat([kept, now], ignore_index=True)


def test_a_new_kind_of_customer_gets_a_new_number() -> None:
    values, groups = customers()
    without = values[np.array(groups) != "lavish"]
    kept = rows(without, "2024-01-01")
    now = rows(values, "2024-02-01", kept)
    assert list(kept["cluster_number"]) == [1, 2, 3]
    assert list(now["cluster_number"]) == [1, 2, 3, 4]
    assert list(now["move"].isna()) == [False, False, False, True]


def test_a_run_knows_nothing_of_later_ones_and_itself() -> None:
    values, _ = customers()
    alone = rows(values, "2024-03-01")
    later = rows(customers(seed=5, shift=1.0)[0], "2024-06-01")
    again = rows(values, "2024-03-01", pd.concat([alone, later]))
    pd.testing.assert_frame_equal(alone, again)


@pytest.mark.parametrize(
    "values",
    [np.empty((0, 3)), np.ones((1, 3)), np.ones((500, 3)), np.eye(3).repeat(100, axis=0)],
    ids=["nobody", "one", "all alike", "three kinds"],
)
def test_too_few_or_too_much_alike_are_one_group(values: Floats) -> None:
    found = clusters.fit(values, 42)
    assert found.numbers == (1,)
    assert np.isfinite(found.centers).all()
