"""Every input as users have it: what is read, what is merged or left out, what is said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from conftest import ONLINE_RETAIL, PROJECT, Build, BuildError, Warehouse, write_orders

ORDER = {"order_id": "1", "customer_id": "a", "ordered_at": "2024-01-01", "amount": 10}


def orders() -> list[dict[str, object]]:
    """Some orders of five people, one of whom has two ids, one an employee."""
    people = ["ann", "ann@old", "ben", "cyd", "staff"]
    return [
        {
            "order_id": f"{person}-{month}",
            "customer_id": person,
            "ordered_at": f"2024-{month:02d}-05 10:00:00",
            "amount": 10 * month,
            "status": {1: "Cancelled", 2: "test", 3: "refunded"}.get(month, "completed"),
        }
        for person in people
        for month in range(1, 7)
    ]


def written(folder: Path, **tables: Sequence[Mapping[str, object]]) -> dict[str, dict[str, object]]:
    """Write each table to a Parquet file; the var inputs, every column mapped to its name."""
    inputs: dict[str, dict[str, object]] = {}
    for name, rows in tables.items():
        path = folder / f"{name}.parquet"
        columns = write_orders(rows, path)
        inputs[name] = {"path": str(path), "columns": {column: column for column in columns}}
    return inputs


@pytest.fixture(scope="module")
def everything(build: Build, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """A shop that has every input."""
    moment = "2024-02-01 00:00:00+01"
    inputs = written(
        tmp_path_factory.mktemp("all inputs"),
        orders=orders(),
        order_lines=[
            {
                "order_id": "ann-4",
                "line_number": 1,
                "product_id": "p",
                "quantity": 4,
                "unit_price": 10.0,
            }
        ],
        customers=[
            {"customer_id": "ann@old", "acquired_at": "2023-12-01", "acquisition_cost": 7.5},
            {"customer_id": "ann", "acquired_at": "2024-01-01", "acquisition_cost": 9.0},
        ],
        events=[{"customer_id": "ann", "event_at": moment, "event_name": "view"}],
        campaign_contacts=[{"customer_id": "ann", "campaign_id": "c", "contacted_at": moment}],
        reviews=[{"customer_id": "ann", "product_id": "p", "reviewed_at": moment, "rating": 4.5}],
        customer_identities=[{"customer_id": "ann@old", "canonical_customer_id": "ann"}],
        excluded_customers=[{"customer_id": "staff"}],
    )
    return build([ORDER], variables={"inputs": inputs}, is_whole=True)


def test_every_input_that_is_given_is_read(everything: Warehouse) -> None:
    for name in ["order_lines", "events", "campaign_contacts", "reviews", "excluded_customers"]:
        table = f"customer_value_internal.stg_customer_value__{name}"
        assert everything.value(f"select count(*) from {table}") == 1, name


def test_times_of_every_input_are_utc(everything: Warehouse) -> None:
    hour = everything.value("""
        select hour(event_at) from customer_value_internal.stg_customer_value__events
    """)
    assert hour == 23


def test_ids_of_one_customer_are_one_customer(everything: Warehouse) -> None:
    counts = everything.mapping("""
        select customer_id, order_count from customers
    """)
    assert counts == {"ann": 8, "ben": 4, "cyd": 4}


def test_what_is_no_order_is_rejected_with_its_reason(everything: Warehouse) -> None:
    reasons = everything.mapping("""
        select reject_reason, count(*) from orders_rejected group by 1
    """)
    # Five people cancelled one order and tested with another; four more are an employee's.
    assert reasons == {"cancelled_order": 5, "test_order": 5, "excluded_customer": 4}


def test_a_returned_order_is_refunded_as_a_whole(everything: Warehouse) -> None:
    returned = everything.rows("""
        select gross_amount, refund_amount, net_amount
        from orders_cleaned where order_id = 'ben-3'
    """)
    assert returned == [(Decimal("30.00"), Decimal("30.00"), Decimal("0.00"))]


def test_acquisition_cost_is_that_of_the_first_time(everything: Warehouse) -> None:
    costs = everything.mapping("""
        select customer_id, acquisition_cost_amount from customers
    """)
    assert costs == {"ann": Decimal("7.50"), "ben": None, "cyd": None}
    assert everything.value("""
        select count(*) from customer_cltv
        where customer_id = 'ann' and net_value = total_value - 7.5
    """)


def test_an_input_that_is_not_given_is_an_empty_table(build: Build) -> None:
    warehouse = build([ORDER])
    for name in ["order_lines", "customers", "events", "campaign_contacts", "reviews"]:
        table = f"customer_value_internal.stg_customer_value__{name}"
        assert warehouse.value(f"select count(*) from {table}") == 0, name
    for name in ["order_lines_cleaned", "order_lines_rejected"]:
        assert warehouse.value(f"select count(*) from {name}") == 0


def test_what_cannot_be_read_is_said_before_any_model_runs(build: Build, tmp_path: Path) -> None:
    inputs = written(
        tmp_path,
        orders=[{"invoice": 1, "customer_id": "a", "placed": 20240101, "amount": True}],
        events=[{"customer_id": "a", "event_at": "2024-01-01", "event_name": "view"}],
    )
    inputs["orders"]["columns"] = {"ordered_at": "placed", "discount": "0"}
    inputs["reviews"] = {"path": str(tmp_path / "nowhere.csv")}
    inputs["visits"] = {"path": "visits.csv"}
    inputs["events"]["tabel"] = "events"
    inputs["events"]["time_zone"] = "Europe/Berln"
    with pytest.raises(BuildError) as stopped:
        build([ORDER], variables={"inputs": inputs})
    said = str(stopped.value)
    for sentence in [
        "inputs maps the column discount of orders, which is not one of ours",
        "inputs gives reviews the path",
        "and no file is there",
        "inputs names visits, which is not an input",
        "inputs gives events the key tabel",
        "inputs gives events the time_zone Europe/Berln, which is not a zone; it takes one such as",
    ]:
        assert sentence in said
    inputs = {"orders": {**inputs["orders"], "columns": {"ordered_at": "placed"}}}
    with pytest.raises(BuildError) as stopped:
        build([ORDER], variables={"inputs": inputs})
    said = str(stopped.value)
    for sentence in [
        "orders has no column order_id; it has invoice, customer_id, placed, amount.",
        "Write columns: {order_id: <expression over these>}.",
        "orders.ordered_at is to be a time, but placed is of type",
        "orders.amount is to be a number, but amount is of type BOOLEAN.",
    ]:
        assert sentence in said
    assert "Traceback" not in said


def test_texts_of_a_csv_file_are_kept_as_they_are_written(build: Build, tmp_path: Path) -> None:
    """A group of yes and no is none of true and false, as a reader of files would have it."""
    texts = [("a", "yes", "007"), ("b", "no", "1.10"), ("c", None, "1.1")]
    rows = [f"{customer},{likes or ''},{code}" for customer, likes, code in texts]
    path = tmp_path / "customers.csv"
    path.write_text("\n".join(["customer_id,likes_mail,code", *rows]))
    customers = {"path": str(path), "columns": {"acquisition_channel": "code"}}
    inputs = written(tmp_path, orders=[ORDER]) | {"customers": customers}
    tables = ("stg_customer_value__customers", "stg_customer_value__customer_groups")
    variables = {"inputs": inputs, "fairness_groups": ["likes_mail"]}
    warehouse = build([ORDER], variables=variables, select=(*tables, "+orders_cleaned"))
    customers_read, groups_read = (f"customer_value_internal.{table}" for table in tables)
    assert (
        warehouse.rows(f"""
            select customer_id, group_value, acquisition_channel
            from {customers_read} inner join {groups_read} using (customer_id)
            order by customer_id
        """)
        == texts
    )


def test_orders_from_lines_take_a_customer_and_a_time(build: Build, tmp_path: Path) -> None:
    line = {"order_id": "1", "product_id": "p", "quantity": 1, "unit_price": 2.0}
    with pytest.raises(BuildError, match="which takes their customer_id too"):
        build([ORDER], variables={"inputs": written(tmp_path, order_lines=[line])})


@pytest.fixture(scope="module")
def online_retail(build: Build) -> Warehouse:
    if not ONLINE_RETAIL.exists():
        pytest.skip(f"Online Retail is not at {ONLINE_RETAIL}; set SHARED_DATA to its folder.")
    variables = yaml.safe_load((PROJECT / "examples" / "online_retail.yml").read_text())
    variables["inputs"]["order_lines"]["path"] = str(ONLINE_RETAIL)
    return build([ORDER], variables=variables)


def test_online_retail_reconciles_to_the_penny(online_retail: Warehouse) -> None:
    kept = online_retail.rows("""
        select line_kind, count(*), sum(gross_amount), sum(refund_amount)
        from order_lines_cleaned group by 1 order by 1
    """)
    assert kept == [
        ("cancellation", 2817, Decimal("0.00"), Decimal("387573.21")),
        ("sale", 391148, Decimal("8736675.79"), Decimal("0.00")),
    ]
    rejected = online_retail.rows("""
        select reject_reason, count(*), sum(line_amount)
        from order_lines_rejected group by 1 order by 2 desc
    """)
    assert rejected == [
        ("missing_customer_id", 135080, Decimal("1447682.12")),
        ("cancellation_without_order", 5689, Decimal("-84177.50")),
        ("duplicate_line", 5222, Decimal("21738.24")),
        ("not_goods", 1920, Decimal("13402.49")),
        ("zero_unit_price", 33, Decimal("0.00")),
    ]
    # All that the file holds: 541,909 lines, of 9,747,747.93 pounds.
    assert sum(row[1] for row in kept + rejected) == 541_909
    money = sum(row[2] - row[3] for row in kept) + sum(row[2] for row in rejected)
    assert money == Decimal("9747747.93")


def test_online_retail_orders_are_what_their_lines_say(online_retail: Warehouse) -> None:
    (totals,) = online_retail.rows("""
        select count(*), sum(gross_amount), sum(refund_amount), count(distinct customer_id)
        from orders_cleaned
    """)
    assert totals == (18402, Decimal("8736675.79"), Decimal("387573.21"), 4334)
    # A credit note is never an order of its own.
    assert not online_retail.value("""
        select count(*) from orders_cleaned where order_id like 'C%'
    """)
