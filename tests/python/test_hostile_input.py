"""Whatever the inputs hold: a build whose rows are all accounted for, or a sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import PROJECT, Row, complaint, invoke

# What each column of an input is to be readable as: as in macros/input_contract.sql, which
# test_every_input_is_fuzzed holds it to.
CONTRACT: dict[str, dict[str, str]] = {
    "orders": {
        "order_id": "key",
        "customer_id": "key",
        "ordered_at": "time",
        "amount": "number",
        "status": "text",
        "discount_amount": "number",
        "refund_amount": "number",
        "refunded_at": "time",
        "refunded_order_id": "key",
        "cost_amount": "number",
        "currency": "text",
        "channel": "text",
        "store": "text",
        "updated_at": "time",
    },
    "order_lines": {
        "order_id": "key",
        "product_id": "key",
        "quantity": "number",
        "unit_price": "number",
        "line_number": "key",
        "customer_id": "key",
        "ordered_at": "time",
        "category": "text",
        "amount": "number",
        "discount_amount": "number",
        "cost": "number",
        "currency": "text",
        "channel": "text",
        "store": "text",
    },
    "refunds": {
        "order_id": "key",
        "refunded_at": "time",
        "amount": "number",
        "refund_id": "key",
        "currency": "text",
        "store": "text",
    },
    "customers": {
        "customer_id": "key",
        "acquired_at": "time",
        "acquisition_cost": "number",
        "acquisition_channel": "text",
        "email": "text",
        "name": "text",
        "store": "text",
    },
    "events": {
        "customer_id": "key",
        "event_at": "time",
        "event_name": "text",
        "session_id": "key",
        "product_id": "key",
        "store": "text",
    },
    "campaign_contacts": {
        "customer_id": "key",
        "campaign_id": "key",
        "contacted_at": "time",
        "treatment": "text",
        "cost": "number",
        "responded_at": "time",
        "store": "text",
    },
    "reviews": {
        "customer_id": "key",
        "product_id": "key",
        "reviewed_at": "time",
        "rating": "number",
        "store": "text",
    },
    "exchange_rates": {"currency": "text", "rate_date": "time", "rate": "number"},
    "customer_identities": {"customer_id": "key", "canonical_customer_id": "key"},
    "excluded_customers": {"customer_id": "key"},
    "erased_customers": {"customer_id": "key"},
}
MARTS = (
    "orders_cleaned",
    "orders_rejected",
    "order_lines_cleaned",
    "order_lines_rejected",
    "order_refunds",
    "inputs_rejected",
    "revenue_months",
    "customers",
    "customer_rfm",
    "cohort_retention",
)
# What Python models give, which nothing runs here: no row.
STAND_INS = {
    "order_imputation": "order_id varchar, gross_amount decimal(18, 2), "
    "discount_amount decimal(18, 2), cost_amount decimal(18, 2), channel varchar",
    "customer_imputation": "customer_id varchar, acquisition_channel varchar, "
    "acquisition_cost decimal(18, 2)",
}


def quoted(text: str) -> str:
    """A text as SQL, whatever is in it."""
    return "'" + text.replace("'", "''").replace("\0", "' || chr(0) || '") + "'"


class Column(NamedTuple):
    """The values of a column, as SQL expressions of one type."""

    type: str
    values: list[str]


Table = dict[str, Column]


class Engine:
    """The compiled models over an in-memory database, its inputs being tables of another."""

    def __init__(self, folder: Path, variables: dict[str, object], inputs: set[str]) -> None:
        self.inputs = inputs
        result = invoke("compile", folder, ["--select", *(f"+{name}" for name in MARTS)], variables)
        assert result.success, complaint(result)
        nodes = {
            outcome.node.unique_id: outcome.node
            for outcome in result.result.results
            if outcome.node.resource_type in {"model", "seed"}
        }
        self.connection = duckdb.connect(config={"threads": 1})
        self.connection.execute("set TimeZone = 'UTC'")
        self.connection.execute("attach ':memory:' as customer_value")
        self.connection.execute("attach ':memory:' as given")
        for node in nodes.values():
            self.connection.execute(f'create schema if not exists customer_value."{node.schema}"')
            if node.resource_type == "seed":
                self._load(node)
            elif node.language == "python":
                columns = STAND_INS[node.name]
                self.connection.execute(f"create table {node.relation_name} ({columns})")
        dependencies = {
            key: set(node.depends_on_nodes) & nodes.keys() for key, node in nodes.items()
        }
        self.statements = [
            f"create or replace {_kind(nodes[key])} {nodes[key].relation_name} as "
            f"{nodes[key].compiled_code}"
            for key in TopologicalSorter(dependencies).static_order()
            if nodes[key].resource_type == "model" and nodes[key].language == "sql"
        ]

    def _load(self, seed: Any) -> None:
        types = ", ".join(f"'{name}': '{kind}'" for name, kind in seed.config.column_types.items())
        path = PROJECT / seed.original_file_path
        self.connection.execute(
            f"create table {seed.relation_name} as from read_csv('{path}', types = {{{types}}})"
        )

    def run(self, tables: dict[str, Table]) -> None:
        """Build every model anew from these tables; inputs that are not given have no row."""
        for name in self.inputs:
            table = tables.get(name) or {
                column: Column("varchar", []) for column in CONTRACT[name.split("__")[0]]
            }
            columns = ", ".join(f"{column} {values.type}" for column, values in table.items())
            self.connection.execute(f"create or replace table given.{name} ({columns})")
            rows = [
                "(" + ", ".join(f"cast({value} as {table[c].type})" for c, value in zip(table, row, strict=True)) + ")"
                for row in zip(*(column.values for column in table.values()), strict=True)
            ]
            if rows:
                self.connection.execute(f"insert into given.{name} values {', '.join(rows)}")
        for statement in self.statements:
            self.connection.execute(statement)

    def row(self, sql: str) -> Row:
        """The only row of an answer."""
        self.connection.execute("use customer_value.customer_value")
        (row,) = self.connection.sql(sql).fetchall()
        self.connection.execute("use memory.main")
        return row


def _kind(node: Any) -> str:
    return "view" if node.config.materialized == "view" else "table"


FRAGMENTS = (
    *("", " ", "\t", "\n", "\0", "a\0b", "'", '"', "\\", "';drop table orders_cleaned;--", "1' or '1'='1"),
    *("{{ ref('orders') }}", "%s", "null", "NULL", "NaN", "-nan", "inf", "-Infinity", "true", "😀", "e\u0301"),
    *("\ufeff1", "\u202e1", "\u00a01", "a|b", "a:b", "\\:", "x" * 1001, "顧" * 1000, "1,50", "1.234,56", "$5"),
    *("1_000", "1e400", "-1e400", "1e-400", "0x10", "0b1", "١٢", "½", "-0", "-0.0", "+5", " 5 ", "5.", ".5"),
    *("1e5", "9223372036854775808", "-9223372036854775809", "9" * 40, "9999999999999999.99"),
    *("9999999999999.99", "10000000000000", "0.005", "1e15", "99999999999999.9999", "-99999999999999.9999"),
    *("2024-01-01", "01.02.2024", "1/2/2024", "2024-02-30", "20240101", "0001-01-01", "9999-12-31 23:59:59"),
    *("0000-01-01", "-4713-01-01", "2024-01-01 (BC)", "290309-12-22 (BC) 00:00:00", "294247-01-10 04:00:54"),
    *("294246-12-31", "5881580-07-10", "infinity", "-infinity", "epoch", "now", "today", "24:00:00"),
    *("2024-03-31 02:30:00", "2024-10-27 02:30:00", "2024-01-01 10:00:00+99:99", "2024-01-01T10:00:00Z"),
    *("2024-01-01 10:00:00 Nowhere/Else", "1970-01-01 00:00:00 UTC UTC", "1704067200", "1.7e9"),
    *("1900-01-01", "1899-12-31 23:59:59", "2199-12-31 23:59:59", "2200-01-01"),
)
# Native values at the ends of what each type holds, by what a column is to be readable as.
NATIVE = {
    "time": {
        "timestamp": (
            "timestamp 'infinity'", "timestamp '-infinity'", "timestamp '290309-12-22 (BC) 00:00:00'",
            "timestamp '294247-01-10 04:00:54'", "timestamp '0001-01-01'", "timestamp '9999-12-31'",
            "timestamp '2024-03-31 02:30:00'", "timestamp '1899-12-31'",
        ),
        "timestamptz": (
            "timestamptz 'infinity'", "timestamptz '-infinity'", "timestamptz '290309-12-22 (BC) 00:00:00+00'",
            "timestamptz '294247-01-10 04:00:54+00'", "timestamptz '9999-12-31 23:59:59+00'",
            "timestamptz '2024-01-01 00:00:00+14'",
        ),
        "timestamp_ns": ("timestamp_ns '2262-04-11 23:47:16.854775806'", "timestamp_ns '1677-09-22'", "timestamp_ns 'infinity'"),
        "timestamp_s": ("timestamp_s '290309-12-22 (BC)'", "timestamp_s '294247-01-10'", "timestamp_s 'infinity'"),
        "timestamp_ms": ("timestamp_ms '290309-12-22 (BC)'", "timestamp_ms '294247-01-10'", "timestamp_ms '-infinity'"),
        "date": (
            "date 'infinity'", "date '-infinity'", "date '5881580-07-10'", "date '5877642-06-25 (BC)'",
            "date '0001-01-01'", "date '9999-12-31'", "date '2024-02-29'",
        ),
    },
    "number": {
        "double": ("'nan'", "'inf'", "'-inf'", "1e308", "-1e308", "5e-324", "-0.0", "1e13", "9999999999999.99", "0.005"),
        "float": ("'nan'", "'inf'", "3e38", "-0.0", "0.1"),
        "bigint": ("9223372036854775807", "-9223372036854775807 - 1", "0"),
        "ubigint": ("18446744073709551615", "0"),
        "hugeint": (
            "170141183460469231731687303715884105727", "'-170141183460469231731687303715884105728'",
            "9999999999999999", "-1",
        ),
        "uhugeint": ("340282366920938463463374607431768211455", "1"),
        "decimal(38, 0)": ("99999999999999999999999999999999999999", "-99999999999999999999999999999999999999"),
        "decimal(38, 30)": ("99999999.999999999999999999999999999999", "0.005"),
        "decimal(18, 4)": ("99999999999999.9999", "-99999999999999.9999"),
    },
    "key": {
        "hugeint": ("170141183460469231731687303715884105727", "0", "-1"),
        "double": ("'nan'", "'inf'", "-0.0", "0.0", "1e22"),
        "boolean": ("true", "false"),
        "uuid": ("'00000000-0000-0000-0000-000000000000'",),
        "date": ("date 'infinity'", "date '2024-01-01'"),
        "time": ("time '24:00:00'",),
        "interval": ("interval '1 month'",),
        "bit": ("bit '0101'",),
    },
    "text": {
        "boolean": ("true", "false"),
        "double": ("'nan'", "1"),
        "bigint": ("0", "9223372036854775807"),
        "timestamptz": ("timestamptz 'infinity'",),
    },
}
# Values that are as they should be, so that enough rows get far.
PLAUSIBLE = {
    "key": ("1", "2", "3", "4"),
    "time": ("2024-01-05 10:00:00", "2024-02-01", "2023-12-31 23:30:00", "2024-03-01T00:00:00+02:00"),
    "number": ("10", "-10", "2.50", "0", "1"),
    "text": ("EUR", "USD", "web", "completed", "cancelled", "returned", "berlin"),
}
ROWS = 7

texts = st.text(st.characters(codec="utf-8"), max_size=8)


def text_column(kind: str) -> st.SearchStrategy[Column]:
    """A column of text: values as they should be, hostile ones, anything and null."""
    value = st.one_of(
        st.sampled_from(PLAUSIBLE[kind]),
        st.sampled_from(PLAUSIBLE[kind]),
        st.sampled_from(FRAGMENTS),
        texts,
    ).map(quoted)
    return st.lists(st.one_of(value, value, value, st.just("null")), min_size=ROWS, max_size=ROWS).map(
        lambda values: Column("varchar", values)
    )


def native_column(kind: str) -> st.SearchStrategy[Column]:
    """A column of a type of its own: the ends of what it holds, and null."""
    return st.sampled_from(sorted(NATIVE[kind])).flatmap(
        lambda name: st.lists(
            st.sampled_from([*NATIVE[kind][name], "null"]), min_size=ROWS, max_size=ROWS
        ).map(lambda values: Column(name, values))
    )


def plausible_column(kind: str) -> st.SearchStrategy[Column]:
    return st.lists(
        st.sampled_from(PLAUSIBLE[kind]).map(quoted), min_size=ROWS, max_size=ROWS
    ).map(lambda values: Column("varchar", values))


def tables(inputs: set[str]) -> st.SearchStrategy[dict[str, Table]]:
    """Some rows of every input."""
    return st.fixed_dictionaries(
        {
            name: st.fixed_dictionaries(
                {
                    column: st.one_of(plausible_column(kind), text_column(kind), text_column(kind), native_column(kind))
                    for column, kind in CONTRACT[name.split("__")[0]].items()
                }
            )
            for name in sorted(inputs)
        }
    )


def assert_accounted_for(engine: Engine) -> None:
    """Every row and every cent of every input is in one table of what is kept or rejected."""
    internal = "customer_value_internal"
    builds_orders = "orders" not in {name.split("__")[0] for name in engine.inputs}
    given = f"{internal}.int_customer_value__orders_from_lines" if builds_orders else f"{internal}.stg_customer_value__orders"
    refunds = f"{internal}.int_customer_value__refunds_checked where input_name = 'orders' and reject_reason is null"
    assert engine.row(f"""
        select
            (select count(*) from orders_cleaned)
            + (select count(*) from {refunds})
            + (select count(*) from orders_rejected)
            - (select count(*) from {given}),
            coalesce((select sum(coalesce(original_gross_amount, gross_amount)) from orders_cleaned), 0)
            + coalesce((select sum(claimed_amount) from {refunds}), 0)
            + coalesce((select sum(gross_amount) from orders_rejected), 0)
            - coalesce((select sum(gross_amount) from {given}), 0)
    """) == (0, 0), "orders"
    lines = f"{internal}.int_customer_value__order_lines_checked"
    assert engine.row(f"""
        select
            (select count(*) from order_lines_cleaned)
            + (select count(*) from order_lines_rejected)
            - (select count(*) from {internal}.stg_customer_value__order_lines),
            coalesce((select sum(gross_amount) - sum(refund_amount) from order_lines_cleaned), 0)
            + coalesce((select sum(line_amount) from order_lines_rejected), 0)
            - coalesce((select sum(line_amount) from {lines}), 0)
    """) == (0, 0), "order_lines"
    for name in ("refunds", "customers", "events", "campaign_contacts", "reviews", "exchange_rates"):
        its = "and input_name = 'refunds'" if name == "refunds" else ""
        assert engine.row(f"""
            select
                (select count(*) from {internal}.int_customer_value__{name}_checked where reject_reason is null {its})
                + (select count(*) from inputs_rejected where input_name = '{name}')
                - (select count(*) from {internal}.stg_customer_value__{name})
        """) == (0,), name
    assert engine.row(
        "select count(*) from orders_cleaned where gross_amount - discount_amount - refund_amount <> net_amount"
    ) == (0,)
    assert engine.row("""
        select (select coalesce(sum(net_amount), 0) from orders_cleaned)
            - (select coalesce(sum(net_amount), 0) from customers)
    """) == (0,)


def declared(name: str, table: str, **options: object) -> dict[str, object]:
    """An input that is a table whose columns bear our names."""
    return {"table": f"given.{table}", "columns": {column: column for column in CONTRACT[name]}, **options}


EVERYTHING = {name: declared(name, name) for name in CONTRACT}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = Engine(tmp_path_factory.mktemp("plain"), {"inputs": EVERYTHING}, set(CONTRACT))
    yield engine
    engine.connection.close()


@pytest.fixture(scope="module")
def abroad(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Two shops, in zones and currencies of their own."""
    inputs = {
        **EVERYTHING,
        "orders": [
            declared("orders", "orders", time_zone="Asia/Kathmandu"),
            declared("orders", "orders__other", time_zone="America/Los_Angeles"),
        ],
    }
    variables = {
        "inputs": inputs,
        "reporting_currency": "EUR",
        "reporting_time_zone": "America/New_York",
        "input_time_zone": "Australia/Lord_Howe",
    }
    engine = Engine(tmp_path_factory.mktemp("abroad"), variables, {*CONTRACT, "orders__other"})
    yield engine
    engine.connection.close()


@pytest.fixture(scope="module")
def of_lines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A shop that has lines and no orders."""
    inputs = {name: value for name, value in EVERYTHING.items() if name != "orders"}
    variables = {"inputs": inputs, "reporting_time_zone": "Asia/Tokyo"}
    engine = Engine(tmp_path_factory.mktemp("of lines"), variables, set(inputs))
    yield engine
    engine.connection.close()


@settings(max_examples=60)
@given(hostile=tables(set(CONTRACT)))
def test_no_value_stops_a_build_or_gets_lost(plain: Engine, hostile: dict[str, Table]) -> None:
    plain.run(hostile)
    assert_accounted_for(plain)


@settings(max_examples=60)
@given(hostile=tables({*CONTRACT, "orders__other"}))
def test_nor_does_any_of_shops_in_other_zones_and_currencies(
    abroad: Engine, hostile: dict[str, Table]
) -> None:
    abroad.run(hostile)
    assert_accounted_for(abroad)


@settings(max_examples=60)
@given(hostile=tables({*CONTRACT} - {"orders"}))
def test_nor_does_any_of_lines_that_make_orders(
    of_lines: Engine, hostile: dict[str, Table]
) -> None:
    of_lines.run(hostile)
    assert_accounted_for(of_lines)
