"""The correlation of frequency and amount: a maintained library's figure, and honest intervals."""

from __future__ import annotations

import random

import pytest
from scipy import stats

from conftest import Build, Warehouse

SELECTED = ("+frequency_monetary_matrix",)


def orders(spend_of_frequent: float, customer_count: int = 150) -> list[dict[str, object]]:
    """Customers of 2 to 9 orders, who spend per order in proportion to a power of these."""
    chance = random.Random(7)
    return [
        {"order_id": f"{customer} {number}", "customer_id": str(customer)}
        | {"ordered_at": f"2024-0{1 + number % 9}-1{customer % 10}", "amount": amount}
        for customer in range(customer_count)
        for count in [2 + customer % 8]
        for amount in [round(20 * count**spend_of_frequent * chance.lognormvariate(0, 0.4), 2)]
        for number in range(count)
    ]


@pytest.fixture(scope="module")
def more(build: Build) -> Warehouse:
    return build(orders(0.5), select=SELECTED)


def test_the_correlation_is_that_of_scipy(more: Warehouse) -> None:
    customers = more.frame("select order_count, average_order_value from customers")
    expected = stats.spearmanr(customers["order_count"], customers["average_order_value"])
    ((found, lower, upper),) = more.rows(
        "select distinct correlation, correlation_lower, correlation_upper "
        "from frequency_monetary_matrix"
    )
    assert found == pytest.approx(expected.statistic, abs=1e-6)
    assert lower < found < upper


@pytest.mark.parametrize(
    ("spend_of_frequent", "finding"),
    [
        (0.5, "Who orders more often spends more per order"),
        (-0.5, "Who orders more often spends less per order"),
        (0.0, "Who orders more often is not shown to spend more or less per order"),
    ],
)
def test_only_what_was_planted_is_told(
    build: Build, more: Warehouse, spend_of_frequent: float, finding: str
) -> None:
    is_built = spend_of_frequent == 0.5
    shop = more if is_built else build(orders(spend_of_frequent), select=SELECTED)
    assert shop.value("select distinct finding from frequency_monetary_matrix") == finding
