"""What is odd, broken or missing in the rows of an order log stops no build, nor is it lost."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal

import pytest

from conftest import Build, Warehouse
from sensible_tables import assert_sensible

AS_OF_DATE = "2024-07-01"
REFUNDS = "customer_value_internal.int_customer_value__refunds_checked"


@dataclass(frozen=True)
class Case:
    """One input row, all of it text, and the reason it is to be rejected for, if any.

    Or the order that it gives money back of.
    """

    order_id: str | None
    reason: str | None = None
    customer_id: str | None = "regular customer"
    ordered_at: str | None = "2024-03-01 12:00:00"
    amount: str | None = "10.00"
    discount_amount: str | None = None
    refund_amount: str | None = None
    cost_amount: str | None = None
    updated_at: str | None = None
    refunds: str | None = None


ODD_IDS = (
    "O'Brien",
    'say "hi"',
    " leading space",
    "trailing space ",
    "two  spaces",
    "007",
    "0007",
    "7",
    "7.0",
    "1e5",
    "😀",
    "👩‍👩‍👧",
    "\u00e9",
    "e\u0301",
    "Ünïcôdé",
    "顧客",
    "case",
    "CASE",
    "null",
    "NULL",
    "None",
    "nan",
    "'; drop table orders_cleaned; --",
    "1 or 1=1",
    "{{ ref('orders') }}",
    "%s",
    "back\\slash",
    "tab\there",
    "line\nbreak",
    "-",
    "x" * 300,
)

TIMES = {
    "2024-03-01 12:00:00+02:00": dt.datetime(2024, 3, 1, 10),
    "2024-03-01T12:00:00Z": dt.datetime(2024, 3, 1, 12),
    "2024-03-01 12:00:00 America/New_York": dt.datetime(2024, 3, 1, 17),
    "2024-07-01 00:30:00 Europe/Berlin": dt.datetime(2024, 6, 30, 22, 30),
    "2024-03-01T23:30:00-05:00": dt.datetime(2024, 3, 2, 4, 30),
    "2024-03-01T05:30:00+05:30": dt.datetime(2024, 3, 1),
    "2024-03-01": dt.datetime(2024, 3, 1),
    "2024-03-01 12:00:00.5": dt.datetime(2024, 3, 1, 12, 0, 0, 500000),
    "2024-06-30 23:59:59.999999": dt.datetime(2024, 6, 30, 23, 59, 59, 999999),
    "2024-07-01T01:00:00+02:00": dt.datetime(2024, 6, 30, 23),
}

AMOUNTS = {
    "12.5": Decimal("12.50"),
    "1e3": Decimal(1000),
    "1.5E2": Decimal(150),
    "+7": Decimal(7),
    " 8.10 ": Decimal("8.10"),
    "0": Decimal(0),
    "999999999999.99": Decimal("999999999999.99"),
}

CASES = (
    *(Case(text, customer_id=text) for text in ODD_IDS),
    *(Case(f"time {text}", ordered_at=text) for text in TIMES),
    *(Case(f"amount {text}", amount=text) for text in AMOUNTS),
    Case(None, "missing_order_id"),
    Case("", "missing_order_id"),
    Case("   ", "missing_order_id"),
    Case("no customer", "missing_customer_id", customer_id=None),
    Case("blank customer", "missing_customer_id", customer_id=" "),
    Case("no time", "missing_ordered_at", ordered_at=None),
    Case("blank time", "missing_ordered_at", ordered_at=""),
    Case("word as time", "unparseable_ordered_at", ordered_at="yesterday"),
    Case("30 February", "unparseable_ordered_at", ordered_at="2024-02-30"),
    Case("month 13", "unparseable_ordered_at", ordered_at="2024-13-01"),
    Case("year 1", "implausible_ordered_at", ordered_at="0001-01-01"),
    Case("year 9999", "implausible_ordered_at", ordered_at="9999-12-31"),
    Case("time without end", "implausible_ordered_at", ordered_at="infinity"),
    Case("on the date", "after_as_of_date", ordered_at="2024-07-01"),
    Case("after the date", "after_as_of_date", ordered_at="2024-08-05 10:00:00"),
    Case("on it elsewhere", "after_as_of_date", ordered_at="2024-06-30T23:00:00-02:00"),
    Case("no amount", "missing_amount", amount=None),
    Case("blank amount", "missing_amount", amount=""),
    Case("word as amount", "unparseable_amount", amount="abc"),
    Case("comma", "unparseable_amount", amount="12,50"),
    Case("currency sign", "unparseable_amount", amount="$5"),
    Case("two points", "unparseable_amount", amount="1.2.3"),
    Case("infinite", "infinite_amount", amount="inf"),
    Case("infinite in words", "infinite_amount", amount="-Infinity"),
    Case("not a number", "unparseable_amount", amount="NaN"),
    Case("beyond decimals", "amount_out_of_range", amount="1e16"),
    Case("bad discount", "unparseable_discount_amount", discount_amount="x"),
    Case("bad refund", "unparseable_refund_amount", refund_amount="x"),
    Case("bad cost", "unparseable_cost_amount", cost_amount="x"),
    Case("bad update", "unparseable_updated_at", updated_at="x"),
    Case(
        "blank options", None, discount_amount="", refund_amount="", cost_amount="", updated_at=""
    ),
    Case(
        "all options",
        None,
        "regular customer",
        "2024-03-01",
        "10",
        "1.25",
        "2",
        "3.5",
        "2024-03-02",
    ),
    Case("bought", customer_id="returns goods", ordered_at="2024-02-01", amount="10.00"),
    Case("given back", customer_id="returns goods", amount="-5.25", refunds="bought"),
    Case("bought", customer_id="returns goods", amount=" -1e0 ", refunds="bought"),
    Case("too much", "refund_without_order", customer_id="returns goods", amount="-10.01"),
    Case("too early", "refund_without_order", "returns goods", "2024-01-31", "-1.00"),
    Case("never bought", "refund_without_order", customer_id="only returns", amount="-5.25"),
    Case("infinite return", "infinite_amount", amount="-inf"),
    Case("updated", "duplicate_order_id", amount="11.00", updated_at="2024-03-02"),
    Case("updated", None, amount="12.00", updated_at="2024-03-04"),
    Case("updated", "duplicate_order_id", amount="13.00", updated_at="2024-03-03T23:00:00Z"),
    Case("updated by zone", None, amount="1.00", updated_at="2024-03-02T00:00:00-05:00"),
    Case("updated by zone", "duplicate_order_id", amount="2.00", updated_at="2024-03-02T01:00:00Z"),
    Case("updated once", "duplicate_order_id", amount="14.00"),
    Case("updated once", None, amount="15.00", updated_at="2024-03-02"),
    Case("exact copies", "duplicate_order_id"),
    Case("exact copies", "duplicate_order_id"),
    Case("exact copies", None),
    Case("two owners", "duplicate_order_id", customer_id="first owner", updated_at="2024-03-02"),
    Case("two owners", None, customer_id="second owner", updated_at="2024-03-03"),
    Case("spoilt by update", None, amount="16.00", updated_at="2024-03-02"),
    Case("spoilt by update", "unparseable_amount", amount="?", updated_at="2024-03-03"),
    Case("moved beyond", None, amount="17.00", updated_at="2024-03-02"),
    Case("moved beyond", "after_as_of_date", ordered_at="2024-07-02", updated_at="2024-03-03"),
)


@pytest.fixture(scope="module")
def messy(build: Build) -> Warehouse:
    """All that can be odd about an order, every column of the input being text."""
    rows = [
        {name: value for name, value in vars(case).items() if name not in {"reason", "refunds"}}
        for case in CASES
    ]
    return build(rows, variables={"as_of_date": AS_OF_DATE})


def test_a_messy_log_gives_sensible_tables(messy: Warehouse) -> None:
    assert_sensible(messy)
    assert messy.value("select max(as_of_date) from customers") == dt.date(2024, 7, 1)


def test_odd_ids_are_kept_byte_for_byte(messy: Warehouse) -> None:
    kept = set(messy.rows("select order_id, customer_id from orders_cleaned"))
    assert {(text, text) for text in ODD_IDS} - kept == set()
    for table in ("customers", "customer_rfm", "customer_churn", "customer_cltv", "customer_tiers"):
        assert set(ODD_IDS) <= {text for (text,) in messy.rows(f"select customer_id from {table}")}


def test_times_with_zones_become_utc(messy: Warehouse) -> None:
    kept = messy.mapping("select order_id, ordered_at from orders_cleaned")
    assert {text: kept.get(f"time {text}") for text in TIMES} == TIMES


def test_amounts_as_text_become_exact_money(messy: Warehouse) -> None:
    kept = messy.mapping("select order_id, gross_amount from orders_cleaned")
    assert {text: kept.get(f"amount {text}") for text in AMOUNTS} == AMOUNTS


def test_each_row_is_kept_or_rejected_for_its_reason(messy: Warehouse) -> None:
    found = messy.rows(
        f"""
        select order_id, customer_id, reject_reason, null from orders_rejected
        union all
        select order_id, customer_id, null, null from orders_cleaned
        union all
        select claimed_order_id, claimed_customer_id, null, order_id from {REFUNDS}
        where input_name = 'orders' and reject_reason is null
        """
    )
    expected = [(case.order_id, case.customer_id, case.reason, case.refunds) for case in CASES]
    assert Counter(found) - Counter(expected) == Counter(expected) - Counter(found) == Counter()


def test_the_latest_usable_version_of_an_order_is_kept(messy: Warehouse) -> None:
    kept = messy.mapping("select order_id, gross_amount from orders_cleaned")
    for case in CASES:
        if case.reason is None and case.refunds is None and case.amount not in AMOUNTS:
            assert kept[case.order_id] == Decimal(str(case.amount)), case


def test_money_back_is_taken_from_its_order_to_the_cent(messy: Warehouse) -> None:
    amounts = messy.rows(
        """
        select gross_amount, refund_amount, net_amount, order_number
        from orders_cleaned where customer_id = 'returns goods'
        """
    )
    assert amounts == [(Decimal("10.00"), Decimal("6.25"), Decimal("3.75"), 1)]


def test_blank_options_count_as_absent(messy: Warehouse) -> None:
    amounts = messy.rows(
        """
        select discount_amount, refund_amount, net_amount, updated_at
        from orders_cleaned where order_id = 'blank options'
        """
    )
    assert amounts == [(0, 0, Decimal("10.00"), None)]


def test_given_options_lower_net_amount_and_margin(messy: Warehouse) -> None:
    amounts = messy.rows(
        """
        select discount_amount, refund_amount, net_amount, margin_amount
        from orders_cleaned where order_id = 'all options'
        """
    )
    assert amounts == [(Decimal("1.25"), 2, Decimal("6.75"), Decimal("3.25"))]


def test_money_reconciles_to_the_cent(messy: Warehouse) -> None:
    def money(case: Case) -> Decimal:
        if case.amount in AMOUNTS:
            return AMOUNTS[case.amount]
        is_readable = case.amount not in {None, ""} and case.reason not in {
            "unparseable_amount",
            "infinite_amount",
            "amount_out_of_range",
        }
        return Decimal(str(case.amount)) if is_readable else Decimal(0)

    kept_refunded_and_rejected = messy.value(
        """
        select sum(gross_amount) from (
            select gross_amount from orders_cleaned
            union all
            select -refund_amount from order_refunds where refund_source = 'order_row'
            union all
            select gross_amount from orders_rejected
        )
        """
    )
    assert kept_refunded_and_rejected == sum(money(case) for case in CASES)
    assert (
        messy.value(
            """
            select count(*) from orders_cleaned
            where gross_amount - discount_amount - refund_amount <> net_amount
            """
        )
        == 0
    )


def test_rejected_rows_keep_what_came_as_text(messy: Warehouse) -> None:
    raw = messy.mapping(
        "select order_id, raw_amount from orders_rejected where order_id like 'inf%'"
    )
    assert raw == {
        "infinite": "inf",
        "infinite in words": "-Infinity",
        "infinite return": "-inf",
    }
    assert messy.value("select raw_ordered_at from orders_rejected where order_id = 'year 1'") == (
        "0001-01-01"
    )


def test_native_zoned_times_and_floats_are_read_exactly(build: Build) -> None:
    warehouse = build(
        """
        select * from (values
            (1, 10, timestamptz '2024-03-01 12:00:00+02:00', 0.1::double),
            (2, 10, timestamptz '2024-03-02 00:30:00+01:00', 19.99),
            (3, 10, timestamptz '2024-03-03 00:00:00+00:00', 'inf'::double),
            (4, 10, timestamptz '2024-03-03 00:00:00+00:00', 'nan'::double),
            (5, 10, timestamptz '2024-03-03 00:00:00+00:00', 1e30),
            (6, 10, null, 1)
        ) as orders (order_id, customer_id, ordered_at, amount)
        """,
        select=("+orders_cleaned", "+orders_rejected"),
    )
    assert warehouse.rows(
        "select order_id, customer_id, ordered_at, gross_amount from orders_cleaned order by all"
    ) == [
        ("1", "10", dt.datetime(2024, 3, 1, 10), Decimal("0.10")),
        ("2", "10", dt.datetime(2024, 3, 1, 23, 30), Decimal("19.99")),
    ]
    assert warehouse.mapping("select order_id, reject_reason from orders_rejected") == {
        "3": "infinite_amount",
        "4": "unparseable_amount",
        "5": "amount_out_of_range",
        "6": "missing_ordered_at",
    }


def test_dates_are_midnight_utc(build: Build) -> None:
    warehouse = build(
        """
        select 'a' as order_id, 'b' as customer_id, date '2024-03-01' as ordered_at, 5 as amount
        """,
        select=("+orders_cleaned",),
    )
    assert warehouse.rows("select ordered_at, gross_amount from orders_cleaned") == [
        (dt.datetime(2024, 3, 1), 5)
    ]


def test_csv_files_keep_ids_as_they_are_written(build: Build) -> None:
    # Read as numbers, each pair would be one.
    ids = [("007", "1.10"), ("7", "1.1")]
    warehouse = build(
        [
            {"order_id": order, "customer_id": customer, "ordered_at": "2024-03-01", "amount": "5"}
            for order, customer in ids
        ],
        select=("+orders_cleaned",),
        file_format="csv",
    )
    assert warehouse.rows("select order_id, customer_id from orders_cleaned order by all") == ids


def test_an_unreadable_time_late_in_a_csv_file_is_one_rejected_row(build: Build) -> None:
    warehouse = build(
        """
        select
            'o' || number as order_id,
            'c' || number as customer_id,
            case when number = 29999 then 'n/a' else '2024-03-01 12:00:00' end as ordered_at,
            '5.00' as amount
        from range(30000) as numbers (number)
        """,
        select=("+orders_cleaned", "+orders_rejected"),
        file_format="csv",
    )
    assert warehouse.value("select count(*) from orders_cleaned") == 29999
    assert warehouse.rows("select order_id, reject_reason from orders_rejected") == [
        ("o29999", "unparseable_ordered_at")
    ]
