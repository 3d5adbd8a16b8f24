"""Whole builds with pseudonyms in place of ids, and with customers who are to be forgotten."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
import pytest

from conftest import MODELS_ONLY, Warehouse, complaint, invoke, orders_input, shop, write_orders
from customer_value import erasure
from customer_value.keyed_hash import KEY_VARIABLE, PseudonymKey

# Many builds: make test-integration runs them.
pytestmark = pytest.mark.slow

KEY = "a key for tests, of many letters"
OTHER_KEY = "another key for tests, as long as that"
PROJECT_FILE = "name: shop\nvars:\n  customer_value:\n    inputs:\n      orders: {path: a.csv}\n"
SCHEMAS = ("customer_value", "customer_value_internal")
# The customer who is to be forgotten, by both ids that she had. No other text begins so.
ANN, ANN_BEFORE = "ann", "anna"
HERS = r"\bann"
COLUMNS = ("discount_amount", "refund_amount", "channel")


def orders() -> list[dict[str, object]]:
    """The made-up shop's orders, and eight of one more customer under two ids."""
    hers: list[dict[str, object]] = [
        {
            "order_id": f"ann's {number}",
            "customer_id": ANN if number > 3 else ANN_BEFORE,
            "ordered_at": dt.datetime(2023, 2 + number, 3, 12),
            "amount": 50 + number,
            "discount_amount": None,
            "refund_amount": None,
            "channel": "web",
        }
        for number in range(8)
    ]
    return [*shop(), *hers]


def write_csv(path: Path, rows: Sequence[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


def given(folder: Path) -> dict[str, dict[str, object]]:
    """Write a shop's files into a folder; the var inputs that names them."""
    path = folder / "orders.parquet"
    write_orders(orders(), path)
    ids = sorted({str(order["customer_id"]) for order in orders()})
    write_csv(
        folder / "customers.csv",
        [("customer_id", "acquisition_channel"), *((id_, "friends") for id_ in ids)],
    )
    write_csv(
        folder / "identities.csv",
        [
            ("customer_id", "canonical_customer_id"),
            (ANN_BEFORE, ANN),
            ("customer-0007", "customer-0008"),
        ],
    )
    write_csv(folder / "excluded.csv", [("customer_id",), ("customer-0009",)])
    inputs: dict[str, object] = {
        **orders_input(path, COLUMNS),
        "customers": {
            "path": str(folder / "customers.csv"),
            "columns": {"acquisition_channel": "acquisition_channel"},
        },
        "customer_identities": {"path": str(folder / "identities.csv")},
        "excluded_customers": {"path": str(folder / "excluded.csv")},
    }
    return {"inputs": inputs}


def built(
    folder: Path, variables: Mapping[str, object], *arguments: str, command: str = "build"
) -> Warehouse:
    """Run dbt with all that it writes, so that what must not be said would be seen."""
    talkative = ("--log-level-file", "debug", "--write-json", "--threads", "2")
    only = MODELS_ONLY if command == "build" else ()
    result = invoke(command, folder, [*only, *talkative, *arguments], variables)
    message = complaint(result)
    assert message is None, message
    return Warehouse(folder)


def tables_of(warehouse: Warehouse) -> list[str]:
    """The tables of the package, without views."""
    return [
        f"{schema}.{name}"
        for schema, name in warehouse.rows(
            "select schema_name, table_name from duckdb_tables() "
            f"where database_name = 'warehouse' and schema_name in {SCHEMAS} order by all"
        )
    ]


def tables_with(warehouse: Warehouse, pattern: str) -> list[str]:
    """The tables in which a row holds a text of this pattern, anywhere."""
    return [
        table
        for table in tables_of(warehouse)
        if warehouse.value(
            f"select count(*) from {table} as row_of "
            f"where regexp_matches(cast(row_of as varchar), '{pattern}')"
        )
    ]


def counts(warehouse: Warehouse) -> dict[str, int]:
    return {t: warehouse.value(f"select count(*) from {t}") for t in tables_of(warehouse)}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    folder = tmp_path_factory.mktemp("plain")
    return built(folder, given(folder))


@pytest.fixture(scope="module")
def hidden(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    folder = tmp_path_factory.mktemp("hidden")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv(KEY_VARIABLE, KEY)
        return built(folder, {**given(folder), "pseudonymize": True})


def test_without_pseudonymize_tables_hold_ids(plain: Warehouse) -> None:
    # So that a search that finds nothing, below, means something.
    assert "customer_value.customers" in tables_with(plain, "customer-[0-9]{4}")


def test_no_table_holds_an_id(hidden: Warehouse) -> None:
    assert tables_with(hidden, "customer-[0-9]{4}") == []
    ids = hidden.rows(f"select distinct customer_id from customers where customer_id <> '{ANN}'")
    assert ids
    assert all(len(customer_id) == 32 for (customer_id,) in ids)


def test_an_id_always_has_the_same_pseudonym_of_a_key(plain: Warehouse, hidden: Warehouse) -> None:
    key = PseudonymKey(KEY.encode())
    columns = "customer_id, order_count, net_amount, acquisition_channel, cohort_month"
    facts = plain.mapping(f"select {columns} from customers")
    hashed = {key.pseudonym(customer_id): fact for customer_id, fact in facts.items()}
    assert hidden.mapping(f"select {columns} from customers") == hashed


def test_all_joins_hold(plain: Warehouse, hidden: Warehouse) -> None:
    found, expected = counts(hidden), counts(plain)
    assert found.keys() == expected.keys()
    # Who is held out of the plan is drawn by the hash of an id, which is another one here, and
    # is in no list of the plan's.
    drawn = ("audiences", "action_history", "action_plan", "budget_frontier")
    differing = {table for table in found if found[table] != expected[table]}
    assert {table for table in differing if not table.endswith(drawn)} == set(), {
        table: (found[table], expected[table]) for table in differing
    }
    reasons = "select reject_reason, count(*) from orders_rejected group by all"
    assert hidden.mapping(reasons) == plain.mapping(reasons)
    for table in ("customers", "orders_cleaned", "customer_rfm", "customer_tiers"):
        counted = f"select count(distinct customer_id) from {table}"
        assert hidden.value(counted) == plain.value(counted)


def test_another_key_gives_other_pseudonyms(
    hidden: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, OTHER_KEY)
    variables = {**given(tmp_path), "pseudonymize": True}
    other = built(tmp_path, variables, "--select", "+customers")
    ids = {row[0] for row in hidden.rows("select customer_id from customers")}
    other_ids = {row[0] for row in other.rows("select customer_id from customers")}
    assert len(ids) == len(other_ids)
    assert not ids & other_ids


def test_the_key_is_nowhere(hidden: Warehouse) -> None:
    key = PseudonymKey(KEY.encode())
    secrets = [KEY.encode(), key.inner, key.outer, key.inner.hex().encode()]
    files = [path for path in hidden.folder.rglob("*") if path.is_file()]
    assert {"customer_value.duckdb", "manifest.json", "dbt.log"} <= {path.name for path in files}
    found = [path.name for path in files if any(secret in path.read_bytes() for secret in secrets)]
    assert found == []


def test_a_reader_of_staging_is_told_that_there_is_no_key(hidden: Warehouse) -> None:
    with pytest.raises(duckdb.Error, match="no key for pseudonyms"):
        hidden.rows("select customer_id from customer_value_internal.stg_customer_value__orders")


@pytest.mark.parametrize(
    ("key", "sentence"), [(None, "is not set"), ("too short", "is shorter than 16 characters")]
)
def test_a_build_without_a_key_stops_before_it_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str | None, sentence: str
) -> None:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    if key is not None:
        monkeypatch.setenv(KEY_VARIABLE, key)
    with pytest.raises(AssertionError, match=sentence):
        built(tmp_path, {**given(tmp_path), "pseudonymize": True})
    with duckdb.connect(str(tmp_path / "customer_value.duckdb")) as connection:
        assert connection.execute("select count(*) from duckdb_tables()").fetchall() == [(0,)]


def erased(folder: Path, variables: dict[str, dict[str, object]], *ids: str) -> dict[str, object]:
    """Record an erasure as the command does; the vars with the list that it keeps."""
    (folder / "dbt_project.yml").write_text(PROJECT_FILE)
    erasure.record(ids, folder)
    listed = {"erased_customers": {"path": str(folder / erasure.FILE_NAME)}}
    return {"inputs": {**variables["inputs"], **listed}}


@pytest.fixture(scope="module")
def forgotten(tmp_path_factory: pytest.TempPathFactory) -> tuple[Warehouse, dict[str, object]]:
    """A shop that was built with ann in it, and again after she was erased."""
    folder = tmp_path_factory.mktemp("forgotten")
    variables = given(folder)
    before = built(folder, variables)
    assert {"customer_value.customers", "customer_value.customer_tier_history"} <= {
        *tables_with(before, HERS)
    }
    after = erased(folder, variables, ANN)
    return built(folder, after), after


def rejected_rows(warehouse: Warehouse) -> int:
    count: int = warehouse.value(
        "select count(*) from orders_rejected where reject_reason = 'erased_customer'"
    )
    return count


Forgotten = tuple[Warehouse, dict[str, object]]


def test_no_table_knows_an_erased_customer(forgotten: Forgotten, plain: Warehouse) -> None:
    warehouse, _ = forgotten
    assert tables_with(warehouse, HERS) == []
    others = "select count(*) from customers where customer_id <> 'ann'"
    assert warehouse.value(others) == plain.value(others)


def test_her_orders_are_rejected_without_a_trace_of_her(forgotten: Forgotten) -> None:
    warehouse, _ = forgotten
    assert rejected_rows(warehouse) == 8
    names = warehouse.rows(
        "select column_name from duckdb_columns() where database_name = 'warehouse' "
        "and schema_name = 'customer_value' and table_name = 'orders_rejected'"
    )
    identifying = [name for (name,) in names if name.startswith("raw_") or name.endswith("_id")]
    assert {"order_id", "customer_id", "raw_order_id", "raw_customer_id"} <= {*identifying}
    kept = warehouse.rows(
        f"select {', '.join(identifying)} from orders_rejected "
        "where reject_reason = 'erased_customer'"
    )
    assert {value for row in kept for value in row} == {None}


def test_money_and_rows_reconcile_without_her(forgotten: Forgotten) -> None:
    warehouse, variables = forgotten
    built(warehouse.folder, variables, "--select", "test_type:singular", command="test")


def test_the_next_build_leaves_her_out_too(forgotten: Forgotten) -> None:
    warehouse, variables = forgotten
    history = "select * from customer_tier_history order by all"
    before = warehouse.rows(history)
    built(warehouse.folder, variables)
    assert tables_with(warehouse, HERS) == []
    assert rejected_rows(warehouse) == 8
    assert warehouse.rows(history) == before


@pytest.mark.parametrize("named", [ANN, PseudonymKey(KEY.encode()).pseudonym(ANN)])
def test_a_pseudonym_is_erased_by_id_and_by_pseudonym(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    variables = {**erased(tmp_path, given(tmp_path), named), "pseudonymize": True}
    warehouse = built(tmp_path, variables, "--select", "+customers", "+orders_rejected")
    key = PseudonymKey(KEY.encode())
    assert tables_with(warehouse, key.pseudonym(ANN)) == []
    assert tables_with(warehouse, key.pseudonym(ANN_BEFORE)) == []
    # Not even where the list of the erased is worked out.
    assert tables_with(warehouse, HERS) == []
    assert rejected_rows(warehouse) == 8
