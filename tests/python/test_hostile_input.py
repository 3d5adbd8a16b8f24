"""Whatever the inputs hold: a build whose rows are all accounted for, or a sentence."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import PROJECT, Build, BuildError, Row, Warehouse, complaint, invoke, write_orders

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

    def __init__(self, folder: Path, variables: Mapping[str, object], inputs: set[str]) -> None:
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
                "("
                + ", ".join(
                    f"cast({value} as {table[c].type})" for c, value in zip(table, row, strict=True)
                )
                + ")"
                for row in zip(*(column.values for column in table.values()), strict=True)  # noqa: PD011 - no frame
            ]
            if rows:
                self.connection.execute(f"insert into given.{name} values {', '.join(rows)}")
        for statement in self.statements:
            self.connection.execute(statement)

    def rows(self, sql: str) -> list[Row]:
        """The answer to a query."""
        self.connection.execute("use customer_value.customer_value")
        answer = self.connection.sql(sql).fetchall()
        self.connection.execute("use memory.main")
        return answer


def _kind(node: Any) -> str:
    return "view" if node.config.materialized == "view" else "table"


FRAGMENTS = (
    *(
        "",
        " ",
        "\t",
        "\n",
        "\0",
        "a\0b",
        "'",
        '"',
        "\\",
        "';drop table orders_cleaned;--",
        "1' or '1'='1",
    ),
    *(
        "{{ ref('orders') }}",
        "%s",
        "null",
        "NULL",
        "NaN",
        "-nan",
        "inf",
        "-Infinity",
        "true",
        "😀",
        "e\u0301",
    ),
    *(
        "\ufeff1",
        "\u202e1",
        "\u00a01",
        "a|b",
        "a:b",
        "\\:",
        "x" * 1001,
        "顧" * 1000,
        "1,50",
        "1.234,56",
        "$5",
    ),
    *(
        "1_000",
        "1e400",
        "-1e400",
        "1e-400",
        "0x10",
        "0b1",
        "١٢",
        "½",
        "-0",
        "-0.0",
        "+5",
        " 5 ",
        "5.",
        ".5",
    ),
    *("1e5", "9223372036854775808", "-9223372036854775809", "9" * 40, "9999999999999999.99"),
    *(
        "9999999999999.99",
        "10000000000000",
        "0.005",
        "1e15",
        "99999999999999.9999",
        "-99999999999999.9999",
    ),
    *(
        "2024-01-01",
        "01.02.2024",
        "1/2/2024",
        "2024-02-30",
        "20240101",
        "0001-01-01",
        "9999-12-31 23:59:59",
    ),
    *(
        "0000-01-01",
        "-4713-01-01",
        "2024-01-01 (BC)",
        "290309-12-22 (BC) 00:00:00",
        "294247-01-10 04:00:54",
    ),
    *(
        "294246-12-31",
        "5881580-07-10",
        "infinity",
        "-infinity",
        "epoch",
        "now",
        "today",
        "24:00:00",
    ),
    *(
        "2024-03-31 02:30:00",
        "2024-10-27 02:30:00",
        "2024-01-01 10:00:00+99:99",
        "2024-01-01T10:00:00Z",
    ),
    *("2024-01-01 10:00:00 Nowhere/Else", "1970-01-01 00:00:00 UTC UTC", "1704067200", "1.7e9"),
    *("1900-01-01", "1899-12-31 23:59:59", "2199-12-31 23:59:59", "2200-01-01"),
)
# Native values at the ends of what each type holds, by what a column is to be readable as.
NATIVE = {
    "time": {
        "timestamp": (
            "timestamp 'infinity'",
            "timestamp '-infinity'",
            "timestamp '290309-12-22 (BC) 00:00:00'",
            "timestamp '294247-01-10 04:00:54'",
            "timestamp '0001-01-01'",
            "timestamp '9999-12-31'",
            "timestamp '2024-03-31 02:30:00'",
            "timestamp '1899-12-31'",
        ),
        "timestamptz": (
            "timestamptz 'infinity'",
            "timestamptz '-infinity'",
            "timestamptz '290309-12-22 (BC) 00:00:00+00'",
            "timestamptz '294247-01-10 04:00:54+00'",
            "timestamptz '9999-12-31 23:59:59+00'",
            "timestamptz '2024-01-01 00:00:00+14'",
        ),
        "timestamp_ns": (
            "timestamp_ns '2262-04-11 23:47:16.854775806'",
            "timestamp_ns '1677-09-22'",
            "timestamp_ns 'infinity'",
        ),
        "timestamp_s": (
            "timestamp_s '290309-12-22 (BC)'",
            "timestamp_s '294247-01-10'",
            "timestamp_s 'infinity'",
        ),
        "timestamp_ms": (
            "timestamp_ms '290309-12-22 (BC)'",
            "timestamp_ms '294247-01-10'",
            "timestamp_ms '-infinity'",
        ),
        "date": (
            "date 'infinity'",
            "date '-infinity'",
            "date '5881580-07-10'",
            "date '5877642-06-25 (BC)'",
            "date '0001-01-01'",
            "date '9999-12-31'",
            "date '2024-02-29'",
        ),
    },
    "number": {
        "double": (
            "'nan'",
            "'inf'",
            "'-inf'",
            "1e308",
            "-1e308",
            "5e-324",
            "-0.0",
            "1e13",
            "9999999999999.99",
            "0.005",
        ),
        "float": ("'nan'", "'inf'", "3e38", "-0.0", "0.1"),
        "bigint": ("9223372036854775807", "-9223372036854775807 - 1", "0"),
        "ubigint": ("18446744073709551615", "0"),
        "hugeint": (
            "170141183460469231731687303715884105727",
            "'-170141183460469231731687303715884105728'",
            "9999999999999999",
            "-1",
        ),
        "uhugeint": ("340282366920938463463374607431768211455", "1"),
        "decimal(38, 0)": (
            "99999999999999999999999999999999999999",
            "-99999999999999999999999999999999999999",
        ),
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
    "time": (
        "2024-01-05 10:00:00",
        "2024-02-01",
        "2023-12-31 23:30:00",
        "2024-03-01T00:00:00+02:00",
    ),
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
    return st.lists(
        st.one_of(value, value, value, st.just("null")), min_size=ROWS, max_size=ROWS
    ).map(lambda values: Column("varchar", values))


def native_column(kind: str) -> st.SearchStrategy[Column]:
    """A column of a type of its own: the ends of what it holds, and null."""
    return st.sampled_from(sorted(NATIVE[kind])).flatmap(
        lambda name: st.lists(
            st.sampled_from([*NATIVE[kind][name], "null"]), min_size=ROWS, max_size=ROWS
        ).map(lambda values: Column(name, values))
    )


def plausible_column(kind: str) -> st.SearchStrategy[Column]:
    return st.lists(st.sampled_from(PLAUSIBLE[kind]).map(quoted), min_size=ROWS, max_size=ROWS).map(
        lambda values: Column("varchar", values)
    )


def tables(inputs: set[str]) -> st.SearchStrategy[dict[str, Table]]:
    """Some rows of every input."""
    return st.fixed_dictionaries(
        {
            name: st.fixed_dictionaries(
                {
                    column: st.one_of(
                        plausible_column(kind),
                        text_column(kind),
                        text_column(kind),
                        native_column(kind),
                    )
                    for column, kind in CONTRACT[name.split("__")[0]].items()
                }
            )
            for name in sorted(inputs)
        }
    )


def assert_accounted_for(rows: Callable[[str], list[Row]], *, orders_are_given: bool) -> None:
    """Every row and every cent of every input is in one table of what is kept or rejected."""
    internal = "customer_value_internal"
    given = internal + (
        ".stg_customer_value__orders"
        if orders_are_given
        else ".int_customer_value__orders_from_lines"
    )
    refunds = (
        f"{internal}.int_customer_value__refunds_checked "
        "where input_name = 'orders' and reject_reason is null"
    )
    assert rows(f"""
        select
            (select count(*) from orders_cleaned)
            + (select count(*) from {refunds})
            + (select count(*) from orders_rejected)
            - (select count(*) from {given}),
            coalesce(
                (select sum(coalesce(original_gross_amount, gross_amount)) from orders_cleaned), 0
            )
            + coalesce((select sum(claimed_amount) from {refunds}), 0)
            + coalesce((select sum(gross_amount) from orders_rejected), 0)
            - coalesce((select sum(gross_amount) from {given}), 0)
    """) == [(0, 0)], "orders"
    lines = f"{internal}.int_customer_value__order_lines_checked"
    assert rows(f"""
        select
            (select count(*) from order_lines_cleaned)
            + (select count(*) from order_lines_rejected)
            - (select count(*) from {internal}.stg_customer_value__order_lines),
            coalesce((select sum(gross_amount) - sum(refund_amount) from order_lines_cleaned), 0)
            + coalesce((select sum(line_amount) from order_lines_rejected), 0)
            - coalesce((select sum(line_amount) from {lines}), 0)
    """) == [(0, 0)], "order_lines"
    for name in (
        "refunds",
        "customers",
        "events",
        "campaign_contacts",
        "reviews",
        "exchange_rates",
    ):
        its = "and input_name = 'refunds'" if name == "refunds" else ""
        assert rows(f"""
            select
                (
                    select count(*) from {internal}.int_customer_value__{name}_checked
                    where reject_reason is null {its}
                )
                + (select count(*) from inputs_rejected where input_name = '{name}')
                - (select count(*) from {internal}.stg_customer_value__{name})
        """) == [(0,)], name
    assert rows("""
        select count(*) from orders_cleaned
        where gross_amount - discount_amount - refund_amount <> net_amount
    """) == [(0,)]
    assert rows("""
        select (select coalesce(sum(net_amount), 0) from orders_cleaned)
            - (select coalesce(sum(net_amount), 0) from customers)
    """) == [(0,)]


def declared(name: str, table: str, **options: object) -> dict[str, object]:
    """An input that is a table whose columns bear our names."""
    return {
        "table": f"given.{table}",
        "columns": {column: column for column in CONTRACT[name]},
        **options,
    }


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


@pytest.mark.slow
@settings(max_examples=25)
@given(hostile=tables(set(CONTRACT)))
def test_no_value_stops_a_build_or_gets_lost(plain: Engine, hostile: dict[str, Table]) -> None:
    plain.run(hostile)
    assert_accounted_for(plain.rows, orders_are_given=True)


@pytest.mark.slow
@settings(max_examples=25)
@given(hostile=tables({*CONTRACT, "orders__other"}))
def test_nor_does_any_of_shops_in_other_zones_and_currencies(
    abroad: Engine, hostile: dict[str, Table]
) -> None:
    abroad.run(hostile)
    assert_accounted_for(abroad.rows, orders_are_given=True)


@pytest.mark.slow
@settings(max_examples=25)
@given(hostile=tables({*CONTRACT} - {"orders"}))
def test_nor_does_any_of_lines_that_make_orders(
    of_lines: Engine, hostile: dict[str, Table]
) -> None:
    of_lines.run(hostile)
    assert_accounted_for(of_lines.rows, orders_are_given=False)


HEADER = b"order_id,customer_id,ordered_at,amount\n"
LINE = b"1,a,2024-01-01,5\n"
MANY = HEADER + LINE * 30_000
# Bytes of files that can't be read as orders, with a part of the sentence that says so.
UNREADABLE: dict[str, tuple[bytes, str]] = {
    "empty.csv": (b"", "no header or nothing in it"),
    "spaces.csv": (b"   \n\n", "no header or nothing in it"),
    "no header.csv": (LINE * 2, "no header or nothing in it"),
    "ragged.csv": (
        HEADER + LINE + b"2,b\n3,c,2024-01-01,5,6\n" + LINE * 50,
        "has no column order_id",
    ),
    "short late.csv": (MANY + b"2,b,2024-01-01\n", "line 30002, Expected Number of Columns"),
    "long late.csv": (MANY + b"2,b,2024-01-01,5,6\n", "line 30002, Expected Number of Columns"),
    "latin.csv": (HEADER + "1,Jürgen,2024-01-01,5\n".encode("latin-1"), "in UTF-8"),
    "latin late.csv": (MANY + "1,Jürgen,2024-01-01,5\n".encode("latin-1"), "in UTF-8"),
    "utf16.csv": ((HEADER + LINE).decode().encode("utf-16"), "in UTF-8"),
    "line ends.csv": (HEADER + b"1,a,2024-01-01,5\r\n" + LINE, "can't be read"),
    "long id.csv": (HEADER + b"x" * 10_000_000 + b",a,2024-01-01,5\n", "two million bytes"),
    "twice.csv": (
        b"order_id,customer_id,ordered_at,amount,Amount\n1,a,2024-01-01,5,6\n",
        "several columns amount",
    ),
    "garbage.parquet": (b"PAR1garbage", "can't be read"),
    "empty.parquet": (b"", "can't be read"),
    "empty.json": (b"", "has no column order_id; it has json"),
    "broken.json": (b'{"order_id":1,"customer', "can't be read"),
    "key twice.json": (
        b'[{"order_id":1,"order_id":2,"customer_id":"a","ordered_at":"2024-01-01","amount":5}]',
        "can't be read",
    ),
    "kinds.json": (
        (
            b'[{"order_id":1,"customer_id":"a","ordered_at":"2024-01-01","amount":5},'
            b'{"order_id":[1],"customer_id":"a","ordered_at":"2024-01-01","amount":{"a":1}}]'
        ),
        "columns: {order_id: \"order_id ->> '$'\"}",
    ),
    "long ids.json": (
        b'[{"order_id":%s,"customer_id":"a","ordered_at":"2024-01-01","amount":5}]' % (b"9" * 44),
        "order_id is of type DOUBLE, which can't tell long ids apart",
    ),
    "no extension": (HEADER + LINE, "can't be read"),
    "alike 1.csv": (HEADER + LINE, ""),
    "alike 2.csv": (b"order_id,amount\n1,5\n", ""),
}
# Expressions of a column map that are none over the columns of the file.
BROKEN_EXPRESSIONS = (
    "amount *",
    "amount; drop table orders",
    "(select amount",
    '"Amount\';--"',
    "no_such_function(amount)",
    "amount) from orders --",
    "'",
    "",
)


def test_what_cannot_be_read_is_said_in_sentences(build: Build, tmp_path: Path) -> None:
    for name, (content, _) in UNREADABLE.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "folder.csv").mkdir()
    # No engine writes two columns of one name; the file of two like names is made one of it.
    twice = tmp_path / "twice.parquet"
    write_orders(
        "select '1' as order_id, 'a' as customer_id, '2024-01-01' as ordered_at, "
        "5 as amount, 6 as amounX",
        twice,
    )
    twice.write_bytes(twice.read_bytes().replace(b"amounX", b"amount"))
    cases: list[tuple[Mapping[str, object], str]] = [
        ({"path": str(tmp_path / name)}, sentence)
        for name, (_, sentence) in UNREADABLE.items()
        if sentence
    ]
    readable = str(tmp_path / "alike 1.csv")
    cases += [
        ({"path": str(tmp_path / "folder.csv")}, "no file is there"),
        ({"path": str(tmp_path / "it's not.csv")}, "no file is there"),
        ({"path": str(tmp_path / "twice.parquet")}, "several columns amount"),
        ({"path": str(tmp_path / "alike *.csv")}, "the same columns in every row and every file"),
        ({"table": "no_such_table"}, "the table no_such_table, which can't be read"),
        ({"table": "'; drop table orders"}, "which can't be read"),
        *(
            ({"path": readable, "columns": {"amount": expression}}, "amount is to be ")
            for expression in BROKEN_EXPRESSIONS
        ),
    ]
    with pytest.raises(BuildError) as stop:
        build(
            "select 1 as order_id",
            variables={"inputs": {"orders": [case for case, _ in cases]}},
            select=("stg_customer_value__orders",),
        )
    said = str(stop.value)
    for engine_word in (
        "Traceback",
        "Binder Error",
        "Parser Error",
        "Conversion Error",
        "Catalog Error",
        "Invalid Input",
        "INTERNAL",
    ):
        assert engine_word not in said
    for number, (case, sentence) in enumerate(cases):
        about = [line for line in said.splitlines() if f"orders[{number}]" in line]
        assert any(sentence in line for line in about), (case, sentence, about)


# Odd, but readable: what each file is to say of itself once it is built.
ODD_FILES = {
    "customers": (
        "byte order mark.csv",
        b"\xef\xbb\xbfcustomer_id,acquired_at\na,2024-01-01\n,2024-01-01\n",
    ),
    "events": (
        "windows.csv",
        (
            b"customer_id,event_at,event_name\r\na,2024-01-01,x\r\n"
            b"a,01.02.2024,\0\r\na,soon,drop table events\r\n"
        ),
    ),
    "refunds": ("header.csv", b"order_id,refunded_at,amount\n"),
    "reviews": (
        "lines.json",
        (
            b'{"customer_id":18446744073709551615,"product_id":null,"reviewed_at":"0001-01-01","rating":1e400}\n'
            b'{"customer_id":1,"product_id":"p","reviewed_at":"2024-01-01","rating":-1}\n'
        ),
    ),
    "campaign_contacts": (
        "it's text.csv",
        b'customer_id;campaign_id;contacted_at\n"a";"c;2";2024-01-01\n\n"a""b";"\';--";9999-12-31\n',
    ),
    "exchange_rates": (
        "rates.csv",
        b'currency,rate_date,rate\nUSD,2024-01-01,0.9\nUSD,5881580-07-10,1\nUSD,infinity,nan\n,2024-01-01,1\nGBP,2024-01-01,"1,2"\n',
    ),
    "order_lines": (
        "lines.csv",
        (
            b"order_id,product_id,quantity,unit_price\n1,p,99999999999999,99999999999999\n1,p,nan,inf\n"
            b"1,p,100000,100000\n,,,\n1,p,1e400,-0\n1,p,9223372036854775808,0x10\n"
        ),
    ),
}


@pytest.fixture(scope="module")
def hostile_shop(
    build: Build, tmp_path_factory: pytest.TempPathFactory, shop_orders: list[dict[str, object]]
) -> Warehouse:
    """All models over a shop some of whose orders, and all of whose files, are hostile."""
    folder = tmp_path_factory.mktemp("it's odd; drop table orders")
    inputs: dict[str, object] = {}
    for name, (file_name, content) in ODD_FILES.items():
        (folder / file_name).write_bytes(content)
        inputs[name] = {"path": str(folder / file_name)}
    columns = list(CONTRACT["orders"])
    usable = [
        tuple(str(order[name]) if order.get(name) is not None else None for name in columns)
        for order in shop_orders
    ]
    # Each fragment once in every column of an order that is well otherwise.
    hostile = [
        tuple(
            fragment
            if column == changed
            else {"order_id": f"hostile {number} {column}"}.get(column, good)
            for column, good in zip(columns, usable[number], strict=True)
        )
        for number, fragment in enumerate((*FRAGMENTS, "x" * 20_000_000))
        for changed in columns
    ]
    rows = [*usable, *hostile]
    path = folder / "orders '1'.parquet"
    with duckdb.connect() as connection:
        connection.register("given", pd.DataFrame(rows, columns=columns, dtype=object))
        texts = ", ".join(f"cast({column} as varchar) as {column}" for column in columns)
        connection.execute("copy (select " + texts + " from given) to $path", {"path": str(path)})
    inputs["orders"] = {
        "path": str(path),
        "columns": {
            column: column for column in columns if column not in {"store", "refunded_order_id"}
        },
    }
    return build("select 1 as order_id", variables={"inputs": inputs, "as_of_date": "2025-01-01"})


def test_a_hostile_shop_is_built_and_accounted_for(hostile_shop: Warehouse) -> None:
    assert_accounted_for(hostile_shop.rows, orders_are_given=True)
    given = len(FRAGMENTS) + 1
    assert hostile_shop.value("""
        select count(*) from customer_value_internal.stg_customer_value__orders
    """) > given * len(CONTRACT["orders"])
    assert hostile_shop.value("select count(*) from customer_cltv") == hostile_shop.value(
        "select count(*) from customers"
    )
    assert hostile_shop.rows("""
        select count(*) from customer_cltv
        where not (isfinite(predicted_order_count) and isfinite(cast(predicted_value as double)))
    """) == [(0,)]


def test_each_row_of_an_odd_file_is_kept_or_rejected_for_its_reason(
    hostile_shop: Warehouse,
) -> None:
    assert hostile_shop.rows("""
        select input_name, reject_reason, count(*) from inputs_rejected group by all order by all
    """) == [
        ("campaign_contacts", "implausible_contacted_at", 1),
        ("customers", "missing_customer_id", 1),
        ("events", "unparseable_event_at", 2),
        ("exchange_rates", "implausible_rate_date", 1),
        ("exchange_rates", "missing_currency", 1),
        ("exchange_rates", "unparseable_rate", 1),
        ("exchange_rates", "unparseable_rate_date", 1),
        ("reviews", "missing_product_id", 1),
    ]
    assert hostile_shop.mapping("""
        select reject_reason, count(*) from order_lines_rejected group by all
    """) == {"amount_out_of_range": 1, "missing_order_id": 1, "unparseable_quantity": 3}
    assert hostile_shop.mapping("""
        select reject_reason, count(*) from orders_rejected
        where reject_reason like '%too_long' group by all
    """) == {"order_id_too_long": 3, "customer_id_too_long": 3}


def test_every_input_is_fuzzed(tmp_path: Path) -> None:
    result = invoke(
        "compile", tmp_path, ["--inline", "{{ customer_value.input_contract() | tojson }}"], {}
    )
    assert result.success, complaint(result)
    contract = json.loads(result.result.results[0].node.compiled_code)
    assert {
        name: {**kinds["required"], **kinds["optional"]} for name, kinds in contract.items()
    } == CONTRACT
