"""The package's SQL in other warehouses' words: that all is said, and means the same."""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb
import pytest
import sqlglot
from dbt.context.providers import BaseDatabaseWrapper
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot.dialects.dialect import Dialect

from conftest import PROJECT, complaint, invoke
from customer_value import dialects
from customer_value.dialects import DIALECTS, UntranslatableError, translate, translate_type

# What each can't say, which the docs tell.
NOT_SAID = {
    "redshift": {
        "customer_features": "ARG_MAX",
        "customers": "ARG_MAX",
        "int_customer_value__campaign_targets": "QUANTILE_DISC",
        "int_customer_value__refunds_checked": "ARG_MAX",
        "int_customer_value__unusual_amounts": "MEDIAN",
        "int_customer_value__unusual_refunds": "OVER",
        "int_customer_value__value_intervals": "from_json",
        "model_backtest": "from_json",
        "model_health": "ARG_MAX",
        "model_metrics": "from_json",
    },
    "snowflake": {"int_customer_value__unusual_amounts": "median over a frame"},
}
# Databricks has Spark's macros; all others have none of their own.
MACROS_OF = {"databricks": ("databricks", "spark"), "spark": ("spark",)}


def compiled(folder: Path, adapter: str, *arguments: str) -> dict[str, str]:
    """Nodes by name as dbt compiles them where another adapter chooses the package's macros."""
    dispatch = BaseDatabaseWrapper.dispatch

    def as_elsewhere(
        self: Any, macro_name: str, macro_namespace: str | None = None, **others: Any
    ) -> Any:
        if macro_namespace != "customer_value":
            return dispatch(self, macro_name, macro_namespace, **others)
        with patch.object(
            BaseDatabaseWrapper,
            "_get_adapter_macro_prefixes",
            lambda _: [*MACROS_OF.get(adapter, ()), "default"],
        ):
            return dispatch(self, macro_name, macro_namespace, **others)

    with patch.object(BaseDatabaseWrapper, "dispatch", as_elsewhere):
        result = invoke("compile", folder, ["--target", "ci", *arguments], {})
    assert result.success, complaint(result)
    nodes = [outcome.node for outcome in result.result.results]
    return {
        node.name: node.compiled_code
        for node in nodes
        if str(node.language) == "sql" and (node.compiled_code or "").strip()
    }


def not_said(nodes: dict[str, str], dialect: str) -> dict[str, str]:
    """The nodes that can't be said, and why. All others are parsed again as their dialect's."""
    problems = {}
    for name, sql in nodes.items():
        try:
            sqlglot.parse_one(translate(sql, dialect), read=dialect)
        except UntranslatableError as error:
            problems[name] = str(error)
    return problems


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return compiled(tmp_path_factory.mktemp("models"), "other", "--select", "resource_type:model")


@pytest.mark.slow
@pytest.mark.parametrize("dialect", sorted(set(DIALECTS) - set(MACROS_OF)))
def test_every_model_is_said_or_known_not_to_be(dialect: str, models: dict[str, str]) -> None:
    assert len(models) > 150
    problems = not_said(models, dialect)

    expected = NOT_SAID.get(dialect, {})
    assert set(problems) == set(expected), problems
    for name, reason in expected.items():
        assert problems[name].startswith(f"{dialect}: ")
        assert reason in problems[name]


@pytest.mark.slow
@pytest.mark.parametrize("dialect", sorted(MACROS_OF))
def test_every_model_and_test_is_said_on_spark(dialect: str, tmp_path: Path) -> None:
    assert not_said(compiled(tmp_path, dialect), dialect) == {}


@pytest.mark.slow
def test_every_test_is_said_wherever_its_model_is(tmp_path: Path) -> None:
    tests = compiled(tmp_path, "other", "--select", "resource_type:test")
    assert len(tests) > 300
    for dialect in sorted(set(DIALECTS) - set(MACROS_OF)):
        assert not_said(tests, dialect) == {}


def test_docs_tell_what_is_not_said() -> None:
    docs = (PROJECT / "docs" / "warehouses.md").read_text()
    for dialect in DIALECTS:
        (line,) = re.findall(
            rf"^\| {dialect.capitalize()}\S* .*$", docs, flags=re.MULTILINE | re.IGNORECASE
        )
        told = set(re.findall(r"`([a-z_]+)`", line.split("|")[3]))
        assert told == set(NOT_SAID.get(dialect, {})), dialect


def test_dialects_are_loaded_by_one_thread_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    loading: list[str] = []
    most = []

    def load(name: str) -> None:
        loading.append(name)
        most.append(len(loading))
        time.sleep(0.01)
        loading.remove(name)

    monkeypatch.setattr(Dialect, "get_or_raise", load)
    threads = [threading.Thread(target=dialects._load, args=["postgres"]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 8


# What a translation means, where DuckDB can read it


@pytest.fixture(scope="module")
def rows() -> Iterator[duckdb.DuckDBPyConnection]:
    """A table of a thousand rows with nulls, ties and halves."""
    chance = random.Random(7)
    with duckdb.connect() as connection:
        connection.execute(
            "create table t (k varchar, n integer, m bigint, x double, d decimal(18, 2), day date)"
        )
        connection.executemany(
            "insert into t values (?, ?, ?, ?, ?, ?)",
            [
                (
                    chance.choice("abcdef"),
                    number,
                    chance.choice([None, chance.randint(-5, 5)]),
                    chance.choice([None, chance.randint(-999, 999) / 8]),
                    chance.choice([None, round(chance.uniform(-9, 9), 2)]),
                    f"2024-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}",
                )
                for number in range(1000)
            ],
        )
        yield connection


SAME_ON_DUCKDB = {
    "one qualify": "select k, n from t qualify row_number() over (partition by k order by n) <= 2",
    "qualify by a name of its own": """
        select k, row_number() over (partition by k order by n desc) as place
        from t
        qualify place = 1
    """,
    "qualify of qualify": """
        with a as (
            select * from t where m > 0 qualify row_number() over (partition by k, m order by n) = 1
        ),
        b as (
            select *
            from a
            qualify m > coalesce(
                max(m) over (
                    partition by k order by m rows between unbounded preceding and 1 preceding
                ),
                -9
            )
        )
        select b.k, b.n, b.m from b qualify count(*) over (partition by k) > 1
    """,
    "the largest": (
        "select k, max_by(d, n) as last, max_by(n, (m, n)) as larger from t group by k"
    ),
    "the largest of some": "select k, max_by(d, n) filter (where m > 1) as last from t group by k",
    "sum of the last": (
        "select k, list_sum(max_by(m, n, 4) filter (where m > 1)) as last from t group by k"
    ),
    "moving median": """
        select
            n,
            median(x) over (
                partition by k order by n rows between 5 preceding and 1 preceding
            ) as middle
        from t
    """,
    "division": "select n, m / 3 as third, d / nullif(m, 0) as ratio, (d + m) / 7 as part from t",
    "order": "select n, row_number() over (order by x desc, n) as place from t",
    "texts": "select concat_ws(' and ', k, case when m > 0 then 'more' end, 'all') as words from t",
    "months": "select date_trunc('month', day) as month, count(*) as n from t group by 1",
}


@pytest.mark.parametrize("sql", SAME_ON_DUCKDB.values(), ids=SAME_ON_DUCKDB)
def test_what_postgres_is_told_means_the_same_on_duckdb(
    sql: str, rows: duckdb.DuckDBPyConnection
) -> None:
    expected = rows.sql(f"select * from ({sql}) order by all").fetchall()
    # Where no order of nulls is said, it is that of Postgres that is meant.
    rows.execute("set default_null_order = 'postgres'")
    told = rows.sql(f"select * from ({translate(sql, 'postgres')})").fetchall()
    rows.execute("reset default_null_order")
    assert sorted(map(repr, told)) == sorted(map(repr, expected))


@pytest.mark.parametrize("dialect", ["redshift", "snowflake"])
@pytest.mark.parametrize(
    "aggregate", ["count(*)", "count(distinct m)", "sum(d)", "min(x)", "count(m)"]
)
def test_filters_are_cases_within(
    aggregate: str, dialect: str, rows: duckdb.DuckDBPyConnection
) -> None:
    sql = f"select k, {aggregate} filter (where m > 0 or n < 500) as counted from t group by k"
    told = sqlglot.transpile(translate(sql, dialect), read=dialect, write="duckdb")[0]
    assert " filter" not in told.lower()
    assert rows.sql(f"select * from ({told}) order by all").fetchall() == (
        rows.sql(f"select * from ({sql}) order by all").fetchall()
    )


NUMBERS = st.integers(-10, 10) | st.sampled_from(["m", "n", "d", "x", "(m + n)", "(d - x)"])


@settings(max_examples=25)
@given(st.lists(NUMBERS, min_size=2, max_size=4), st.randoms(use_true_random=False))
def test_arithmetic_stays_what_it_is(operands: list[object], chance: random.Random) -> None:
    terms = "".join(f" {chance.choice('+-*/')} {operand}" for operand in operands[1:])
    sql = (
        f"select {operands[0]}{terms} as answer from (select 3 as m, 7 as n, 1.25 as d, 0.5e0 as x)"
    )
    told = translate(sql, "postgres")
    with duckdb.connect() as connection:
        answers = [str(connection.execute(query).fetchall()) for query in (told, sql)]
    assert answers[0] == answers[1]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_only_postgres_is_told_what_not_to_write_down(dialect: str) -> None:
    sql = "with a as not materialized (select 1 as x) select * from a union all select * from a"
    assert ("NOT MATERIALIZED" in translate(sql, dialect)) == (dialect == "postgres")


# What is not translated


@pytest.mark.parametrize(
    ("sql", "dialect", "construct"),
    [
        (
            "select median(x) over (order by n rows between 3 preceding and 1 preceding) from t",
            "snowflake",
            "median",
        ),
        ("select k, max_by(x, n) as last from t group by k", "redshift", "ARG_MAX"),
        ("select sum(x) over (order by n) as running from t", "redshift", "SUM"),
        ("select * from t qualify row_number() over (order by n) = 1", "postgres", "qualify"),
        ("select list_transform([1, 2], x -> x + 1) as listed", "postgres", "list_transform"),
        ("select strptime(k, '%d.%m.%Y') as day from t", "bigquery", "strptime"),
        ("select 1 as one", "oracle", "oracle"),
    ],
)
def test_what_can_not_be_said_is_named(sql: str, dialect: str, construct: str) -> None:
    with pytest.raises(UntranslatableError, match=rf"(?i){construct}") as stopped:
        translate(sql, dialect)
    assert dialect in str(stopped.value)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_types_have_names_everywhere(dialect: str) -> None:
    for data_type in (
        "varchar",
        "integer",
        "bigint",
        "double",
        "decimal(18, 2)",
        "date",
        "boolean",
    ):
        named = translate_type(data_type, dialect)
        sqlglot.parse_one(f"select cast(x as {named})", read=dialect)
    assert "WITH TIME ZONE" not in translate_type("timestamp", dialect).upper()
