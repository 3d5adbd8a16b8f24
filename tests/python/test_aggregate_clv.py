"""The scenario formula: published values, and the same in SQL and in Python."""

from __future__ import annotations

import functools
import math
from types import SimpleNamespace
from typing import Any

import duckdb
import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import PROJECT
from customer_value import cltv

# Gupta and Lehmann, "Customers as Assets" (2003): the multiple of a period's margin.
RETENTION = (0.6, 0.7, 0.8, 0.9)
MULTIPLES = {
    0.10: (1.20, 1.75, 2.67, 4.50),
    0.12: (1.15, 1.67, 2.50, 4.09),
    0.14: (1.11, 1.59, 2.35, 3.75),
    0.16: (1.07, 1.52, 2.22, 3.46),
}


@functools.cache
def expression() -> str:
    """The macro's SQL over a1 .. a5; it needs nothing of dbt but the name of a type."""
    environment = jinja2.Environment(autoescape=False)  # noqa: S701 - SQL, no page
    environment.globals["customer_value"] = SimpleNamespace(type_double=lambda: "double")
    source = (PROJECT / "macros" / "aggregate_clv.sql").read_text()
    macros: Any = environment.from_string(source).module
    return str(macros.aggregate_clv("a1", "a2", "a3", "a4", "a5"))


@functools.cache
def engine() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def in_sql(*arguments: object) -> float | None:
    """What the macro's SQL gives."""
    columns = ", ".join(f"cast(? as double) as a{number}" for number in range(1, 6))
    found = engine().execute(f"select {expression()} from (select {columns})", list(arguments))
    ((value,),) = found.fetchall()
    return None if value is None else float(value)


@pytest.mark.parametrize("discount_rate", MULTIPLES)
def test_margin_multiples_are_as_published(discount_rate: float) -> None:
    found = [cltv.aggregate_clv(1, rate, 0, discount_rate) for rate in RETENTION]
    assert found == pytest.approx(MULTIPLES[discount_rate], abs=0.005001)


def test_berger_and_nasr_s_first_case_is_as_published() -> None:
    """260 a year at once and for ten years more, 50 of promotion in the middle of each year."""
    income = 260 + cltv.aggregate_clv(260, 0.75, 0, 0.2, 10)
    promotion = cltv.aggregate_clv(50, 0.75, 0, 0.2, 10) * math.sqrt(1.2) / 0.75
    assert income - promotion == pytest.approx(568.78, abs=0.005)


@given(
    revenue=st.floats(0, 1e4),
    retention=st.floats(0, 0.999) | st.just(1.0),
    cost=st.floats(0, 1e4),
    discount=st.floats(0.001, 2) | st.just(0.0),
    horizon=st.none() | st.integers(0, 40),
)
def test_sql_and_python_say_the_same_which_is_the_sum(
    revenue: float, retention: float, cost: float, discount: float, horizon: int | None
) -> None:
    of_sql = in_sql(revenue, retention, cost, discount, horizon)
    if horizon is None and retention == 1 and discount == 0:
        assert of_sql is None
        return
    of_python = cltv.aggregate_clv(revenue, retention, cost, discount, horizon)
    assert of_sql == pytest.approx(of_python, rel=1e-9, abs=1e-9)
    if horizon is not None:
        periods = range(1, horizon + 1)
        total = sum((revenue - cost) * (retention / (1 + discount)) ** period for period in periods)
        assert of_python == pytest.approx(total, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((100, 1.2, 0, 0.1, 3), "retention_rate is 1.2; it takes a share from 0 to 1."),
        ((100, -0.1, 0, 0.1, None), "retention_rate is -0.1"),
        ((100, 0.8, 0, -0.1, 3), "discount_rate is -0.1; it takes 0 or more"),
        ((100, 0.8, 0, 0.1, -1), "horizon is -1; it takes a whole number"),
        ((100, 0.8, 0, 0.1, 1.5), "horizon is 1.5"),
        ((100, 1, 0, 0, None), "the sum has no end; give a horizon"),
    ],
)
def test_what_can_t_be_meant_is_a_sentence_in_python_and_null_in_sql(
    arguments: tuple[float, ...], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        cltv.aggregate_clv(*arguments)  # type: ignore[arg-type]
    assert in_sql(*arguments) is None
