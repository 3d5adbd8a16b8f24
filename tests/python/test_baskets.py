"""Baskets: a published example comes out, planted pairs are found, and chance makes no bundle."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import duckdb
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from conftest import Build, Warehouse

SELECT = ("+basket_rules", "+bundle_candidates")
# Tan, Steinbach and Kumar, Introduction to Data Mining, table 6.1 (first edition).
PUBLISHED = (
    ("bread", "milk"),
    ("bread", "diapers", "beer", "eggs"),
    ("milk", "diapers", "beer", "cola"),
    ("bread", "milk", "diapers", "beer"),
    ("bread", "milk", "diapers", "cola"),
)
COPIES = 20


def baskets(build: Build, folder: Path, lines: str, categories: str = "null") -> Warehouse:
    """Build the rules of order lines: basket, product, customer."""
    path = folder / "lines.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            f"""
            copy (
                select
                    basket as order_id, product as product_id, customer as customer_id,
                    1 as quantity, 2.5 as unit_price, timestamp '2024-01-01' as ordered_at,
                    {categories} as category
                from ({lines})
            ) to '{path}'
            """
        )
    names = ("category", "customer_id", "ordered_at")
    lines_input = {"path": str(path), "columns": {name: name for name in names}}
    inputs = {"order_lines": lines_input}
    return build("select null as order_id limit 0", variables={"inputs": inputs}, select=SELECT)


def listed(rows: Sequence[tuple[object, object]]) -> str:
    values = ", ".join(f"({basket}, '{product}')" for basket, product in rows)
    columns = "basket, product, basket % 7 as customer"
    return f"select {columns} from (values {values}) as lines (basket, product)"


def test_the_textbook_s_supports_and_confidences_come_out(build: Build, tmp_path: Path) -> None:
    lines = [
        (5 * copy + number, product)
        for copy in range(COPIES)
        for number, basket in enumerate(PUBLISHED)
        for product in basket
    ]
    rules = baskets(build, tmp_path, listed(lines)).mapping(
        "select antecedent_product_id || ' -> ' || consequent_product_id, support, confidence, lift"
        " from basket_rules"
    )
    assert rules["beer -> diapers"] == (0.6, 1.0, 1.25)
    assert rules["diapers -> beer"] == (0.6, 0.75, 1.25)
    assert rules["milk -> bread"] == (0.6, 0.75, 0.9375)
    # Together in one basket of five: 20 of 100, as few as a rule is made of.
    assert rules["eggs -> beer"] == (0.2, 1.0, pytest.approx(1 / 0.6, abs=1e-6))
    assert "eggs -> milk" not in rules


def drawn(seed: int) -> NDArray[np.bool_]:
    """Six thousand baskets of sixty products, large ones and small ones, each bought alone."""
    chance = np.random.default_rng(seed)
    size = chance.choice([0.5, 1.0, 3.0], (6000, 1))
    share = chance.uniform(0.02, 0.12, 60)
    holds = chance.random((6000, 60)) < size * share
    # Who takes product 0 often takes 1 too, and so for 2 and 3.
    for first in (0, 2):
        holds[:, first + 1] |= holds[:, first] & (chance.random(6000) < 0.4)
    return holds


def lines_of(holds: NDArray[np.bool_]) -> str:
    return listed([(int(b), f"p{int(p):02}") for b, p in zip(*np.nonzero(holds), strict=True)])


def test_planted_pairs_are_bundles_and_large_baskets_make_none(
    build: Build, tmp_path: Path
) -> None:
    warehouse = baskets(build, tmp_path, lines_of(drawn(1)))
    bundles = warehouse.rows(
        "select first_product_id, second_product_id from bundle_candidates order by all"
    )
    assert bundles == [("p00", "p01"), ("p02", "p03")]
    # Lifts of all orders can't tell: where baskets differ in size, nearly all are above 1.
    assert warehouse.value("select avg(cast(lift_lower > 1 as int)) from basket_rules") > 0.5
    ((stake, sides, is_above),) = warehouse.rows(
        "select amount_at_stake, one_sided_order_count, size_adjusted_lift_lower > 1"
        " from bundle_candidates where first_product_id = 'p00'"
    )
    assert float(stake) == 2.5 * sides
    assert is_above


def test_products_of_one_category_are_no_bundle(build: Build, tmp_path: Path) -> None:
    lines = lines_of(drawn(1))
    categories = "case when product <= 'p01' then 'soap' else product end"
    warehouse = baskets(build, tmp_path, lines, categories)
    assert warehouse.rows("select first_product_id from bundle_candidates") == [("p02",)]


def test_the_interval_of_lift_holds_the_truth_as_often_as_is_said() -> None:
    """The marts' formula, over draws of one table of two products that know of each other."""
    chance = np.random.default_rng(2)
    both, first, second, count = 0.03, 0.1, 0.2, 4000
    cells = [both, first - both, second - both, 1 - first - second + both]
    together, one, other, _ = chance.multinomial(count, cells, 4000).T
    a, b = together + one, together + other
    lift = together * count / (a * b)
    deviation = np.sqrt(1 / together - 1 / a - 1 / b + (2 * lift - 1) / count)
    truth = both / (first * second)
    is_held = np.abs(np.log(lift / truth)) <= 1.959964 * deviation
    assert stats.binomtest(int(is_held.sum()), 4000, 0.95).pvalue > 0.001
    assert np.std(np.log(lift)) == pytest.approx(deviation.mean(), rel=0.05)


def test_the_bound_for_all_pairs_is_on_the_safe_side() -> None:
    for pairs in (1, 10, 1000, 10**7):
        z = math.sqrt(2 * math.log(20 * pairs))
        assert 2 * pairs * stats.norm.sf(z) < 0.05
