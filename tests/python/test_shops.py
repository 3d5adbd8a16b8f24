"""Made-up shops as messy as real ones, each through the project and the project's own tests."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from conftest import BuildError, Orders, Row, Warehouse, complaint, invoke, write_orders
from customer_value import cli

CLEANING = (
    "+orders_cleaned",
    "+orders_rejected",
    "+order_refunds",
    "+order_lines_cleaned",
    "+order_lines_rejected",
    "+customers",
    "+revenue_months",
    "+inputs_rejected",
)
# Where nothing but orders is looked at, a build of less.
ORDERS = ("+orders_cleaned", "+orders_rejected")
ORDER_COLUMNS = ("order_id", "customer_id", "ordered_at", "amount")

Declaration = dict[str, Any]
Clean = Callable[..., Warehouse]


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Clean:
    """Clean a shop's inputs, every test of the package that can be asked of the tables included."""

    def cleaned(
        inputs: Mapping[str, object], select: Sequence[str] = CLEANING, **variables: object
    ) -> Warehouse:
        warehouse = Warehouse(tmp_path_factory.mktemp("a shop"))
        result = invoke(
            "build",
            warehouse.folder,
            [
                *("--threads", "2", "--select", *select, "--indirect-selection", "cautious"),
                *("--exclude-resource-type", "unit_test"),
            ],
            {"inputs": inputs, **variables},
        )
        message = complaint(result)
        if message is not None:
            raise BuildError(message)
        return warehouse

    return cleaned


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("exports")


def table(columns: Sequence[str], *rows: Sequence[object]) -> list[dict[str, object]]:
    return [dict(zip(columns, row, strict=True)) for row in rows]


def declared(
    path: Path, rows: Orders, *, time_zone: str | None = None, **mapped: str
) -> Declaration:
    """Write a file; its declaration, each column under its own name unless mapped otherwise."""
    columns = write_orders(rows, path)
    declaration: Declaration = {
        "path": str(path),
        "columns": mapped or {name: name for name in columns},
    }
    return declaration | ({"time_zone": time_zone} if time_zone else {})


def stored(folder: Path, rows: Orders, store: str, name: str) -> Declaration:
    """One shop's file, whose columns bear our names, with a store that no column tells."""
    declaration = declared(folder / f"{store} {name}.parquet", rows)
    declaration["columns"]["store"] = f"'{store}'"
    return declaration


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """What dbt makes of a template."""

    def compile_inline(template: str, **variables: object) -> str:
        arguments = ["--inline", template]
        result = invoke("compile", tmp_path_factory.mktemp("inline"), arguments, variables)
        assert result.success, complaint(result)
        code: str = result.result.results[0].node.compiled_code
        return code

    return compile_inline


# Several shops


@pytest.fixture(scope="module")
def fused(clean: Clean, folder: Path) -> Warehouse:
    """Two shops that both count from 1: one all text and German, one native and in Boston."""
    (folder / "berlin.csv").write_text(
        "Bestellung;Kunde;Datum;Summe\n"
        "1;1;2024-03-30 23:30:00;10.00\n"
        "2;2;2024-03-31 12:00:00;20.00\n"
        "3;1;2024-04-05 12:00:00;30.00\n"
    )
    berlin: Declaration = {
        "path": str(folder / "berlin.csv"),
        "time_zone": "Europe/Berlin",
        "columns": {
            "order_id": "Bestellung",
            "customer_id": "Kunde",
            "ordered_at": "Datum",
            "amount": "Summe",
            "store": "'berlin'",
        },
    }
    boston = declared(
        folder / "boston.parquet",
        """
        select * from (values
            (1, 1, timestamp '2024-03-29 20:00:00', 100.5::double),
            (2, 3, timestamp '2024-04-02 09:00:00', 200.25),
            (4, 2, timestamp '2024-04-03 09:00:00', 7.0)
        ) as sales (sale, client, sold, total)
        """,
        time_zone="America/New_York",
        order_id="sale",
        customer_id="client",
        ordered_at="sold",
        amount="total",
        store="'boston'",
    )
    lines = ("order_id", "line_number", "product_id", "quantity", "unit_price")
    refunds = ("refund_id", "order_id", "refunded_at", "amount")
    return clean(
        {
            "orders": [berlin, boston],
            "order_lines": [
                stored(folder, table(lines, ("1", 1, "tea", 1, 10.0)), "berlin", "lines"),
                stored(folder, table(lines, (1, 1, "tea", 2, 50.25)), "boston", "lines"),
            ],
            "refunds": [
                stored(folder, table(refunds, ("1", "1", "2024-04-01", "4.00")), "berlin", "back"),
                stored(folder, table(refunds, (1, 1, "2024-04-02", 5.5)), "boston", "back"),
            ],
            "customers": [
                stored(folder, [{"customer_id": "1", "acquisition_cost": 3}], "berlin", "people"),
                stored(folder, [{"customer_id": 3, "acquisition_cost": 4}], "boston", "people"),
            ],
            "events": declared(
                folder / "events.parquet",
                table(
                    ("customer_id", "event_at", "event_name", "product_id", "store"),
                    (1, "2024-04-01", "view", "tea", "berlin"),
                    (1, "2024-04-01", "view", "tea", "boston"),
                ),
            ),
            "customer_identities": declared(
                folder / "identities.parquet",
                table(("customer_id", "canonical_customer_id"), ("boston:1", "berlin:1")),
            ),
        },
        reporting_time_zone="Europe/Berlin",
    )


def test_numbers_that_two_shops_both_use_stay_apart(fused: Warehouse) -> None:
    assert fused.mapping("select order_id, gross_amount, store from orders_cleaned") == {
        "berlin:1": (Decimal("10.00"), "berlin"),
        "berlin:2": (Decimal("20.00"), "berlin"),
        "berlin:3": (Decimal("30.00"), "berlin"),
        "boston:1": (Decimal("100.50"), "boston"),
        "boston:2": (Decimal("200.25"), "boston"),
        "boston:4": (Decimal("7.00"), "boston"),
    }
    assert fused.value("select count(*) from orders_rejected") == 0


def test_who_shops_at_both_is_one_customer_with_one_history(fused: Warehouse) -> None:
    assert fused.mapping("select customer_id, order_count from customers") == {
        "berlin:1": 3,
        "berlin:2": 1,
        "boston:2": 1,
        "boston:3": 1,
    }
    # Boston's order came first, though Berlin's id stands for the customer.
    assert fused.rows("""
        select order_id, order_number, is_first_order, days_since_previous_order, cohort_month
        from orders_cleaned where customer_id = 'berlin:1' order by order_number
    """) == [
        ("boston:1", 1, True, None, dt.date(2024, 3, 1)),
        ("berlin:1", 2, False, 0, dt.date(2024, 3, 1)),
        ("berlin:3", 3, False, 6, dt.date(2024, 3, 1)),
    ]


def test_each_shop_writes_its_times_in_its_own_zone(fused: Warehouse) -> None:
    times = fused.mapping("select order_id, ordered_at from orders_cleaned")
    # Winter in Berlin, and in summer; summer in Boston, which changes its clocks earlier.
    assert times["berlin:1"] == dt.datetime(2024, 3, 30, 22, 30)
    assert times["berlin:2"] == dt.datetime(2024, 3, 31, 10)
    assert times["boston:1"] == dt.datetime(2024, 3, 30)


def test_refund_1_of_each_shop_is_of_its_own_order_1(fused: Warehouse) -> None:
    refunds = fused.mapping("select order_id, refund_amount from order_refunds")
    assert refunds == {"berlin:1": Decimal("4.00"), "boston:1": Decimal("5.50")}
    assert fused.value("select count(*) from inputs_rejected") == 0


def test_lines_customers_and_events_carry_their_shops_keys(fused: Warehouse) -> None:
    lines = fused.rows("select order_id, product_id from order_lines_cleaned order by all")
    # A product is the same in every shop, unless store_keys says otherwise.
    assert lines == [("berlin:1", "tea"), ("boston:1", "tea")]
    costs = fused.mapping("select customer_id, acquisition_cost_amount from customers")
    assert (costs["berlin:1"], costs["boston:3"], costs["berlin:2"]) == (3, 4, None)
    events = fused.rows("""
        select customer_id, raw_customer_id, product_id
        from customer_value_internal.int_customer_value__events_checked order by all
    """)
    assert events == [("berlin:1", "berlin:1", "tea"), ("berlin:1", "boston:1", "tea")]


@pytest.fixture(scope="module")
def one_table(folder: Path) -> dict[str, Declaration]:
    """A platform's export: one table of all its stores, whose customers shop everywhere."""
    columns = (*ORDER_COLUMNS, "store")
    return {
        "orders": declared(
            folder / "platform.parquet",
            table(
                columns,
                ("1", "ann", "2024-01-01", 10, "north"),
                ("1", "ann", "2024-01-02", 20, "south"),
                ("1", "ben", "2024-01-03", 30, None),
                ("north:1", "ben", "2024-01-04", 40, None),
                ("1", "ben", "2024-01-05", 50, "no:rth"),
            ),
        ),
        "reviews": declared(
            folder / "platform reviews.parquet",
            table(
                ("customer_id", "product_id", "reviewed_at", "rating", "store"),
                ("ann", "tea", "2024-01-05", 5, "north"),
            ),
        ),
    }


@pytest.mark.slow
def test_in_one_table_of_stores_only_orders_are_numbered_by_each(
    clean: Clean, one_table: dict[str, Declaration]
) -> None:
    warehouse = clean(one_table, (*ORDERS, "+customers"))
    assert warehouse.mapping("select order_id, gross_amount from orders_cleaned") == {
        "north:1": 10,
        "south:1": 20,
        "1": 30,
        r"north\:1": 40,
        r"no\:rth:1": 50,
    }
    assert warehouse.mapping("select customer_id, order_count from customers") == {
        "ann": 2,
        "ben": 3,
    }


@pytest.mark.slow
def test_without_store_keys_one_number_is_one_order(
    clean: Clean, one_table: dict[str, Declaration]
) -> None:
    warehouse = clean(one_table, ORDERS, store_keys=[])
    assert warehouse.mapping("select order_id, gross_amount from orders_cleaned") == {
        "1": 50,
        "north:1": 40,
    }
    assert warehouse.rows("select distinct reject_reason from orders_rejected") == [
        ("duplicate_order_id",)
    ]


def test_products_are_numbered_by_each_store_where_store_keys_says_so(
    compiled: Callable[..., str], one_table: dict[str, Declaration]
) -> None:
    code = compiled(
        """
        select
            {{ customer_value.to_key('reviews', 'product_id') }},
            {{ customer_value.to_key('reviews', 'customer_id') }}
        from (select 'tea' as input_product_id, 'ann' as input_customer_id, 'north' as input_store)
        """,
        inputs=one_table,
        store_keys=["product_id"],
    )
    with duckdb.connect() as connection:
        assert connection.execute(code).fetchall() == [("north:tea", "ann")]


@pytest.fixture(scope="module")
def keys(compiled: Callable[..., str]) -> Iterator[Callable[[str, str | None], str]]:
    """The key that the package makes of an id and a store."""
    columns = {"store": "store"}
    code = compiled(
        """
        select {{ customer_value.to_key('orders', 'order_id') }}
        from (select $id::varchar as input_order_id, $store::varchar as input_store)
        """,
        inputs={"orders": {"table": "anywhere", "columns": columns}},
    )
    with duckdb.connect() as connection:

        def key(order_id: str, store: str | None) -> str:
            ((made,),) = connection.execute(code, {"id": order_id, "store": store}).fetchall()
            return str(made)

        yield key


names = st.text(alphabet="a:\\ ", max_size=4)
ids = names.filter(lambda name: name.strip(" ") != "")


@pytest.mark.slow
@settings(max_examples=300)
@given(one=st.tuples(ids, st.one_of(st.none(), names)), other=st.tuples(ids, names))
@example(one=("b:c", "a"), other=("c", "a:b"))
@example(one=("a", "a\\"), other=("a", "a\\\\"))
@example(one=("a:b", None), other=("b", "a"))
def test_no_two_orders_of_two_stores_get_one_key(
    keys: Callable[[str, str | None], str],
    one: tuple[str, str | None],
    other: tuple[str, str | None],
) -> None:
    def itself(order_id: str, store: str | None) -> tuple[str, str | None]:
        # A store's name of spaces is none.
        return order_id, store if store and store.strip(" ") else None

    assert (keys(*one) == keys(*other)) == (itself(*one) == itself(*other))


def test_inputs_that_do_not_fit_together_are_told_apart_in_sentences(
    clean: Clean, folder: Path
) -> None:
    orders = table(ORDER_COLUMNS, (1, "a", "2024-01-01", 10))
    inputs = {
        "orders": [
            stored(folder, orders, "berlin", "told"),
            {**declared(folder / "untold.parquet", orders)},
        ],
        "order_lines": declared(
            folder / "lines.parquet",
            [{"order_id": 1, "product_id": "p", "quantity": 1, "unit_price": 10}],
        ),
    }
    with pytest.raises(BuildError) as stopped:
        clean(inputs, reporting_currency="EUR")
    said = str(stopped.value)
    for sentence in (
        "every store has its own order_id (var store_keys), but order_lines does not say the store",
        "write columns: {store: <expression>}, or store_keys: [] if order_id is the same in all",
        "every store has its own customer_id (var store_keys), but orders does not say the store",
        "reporting_currency is EUR, but orders does not say its currency",
        "write columns: {currency: <expression>}, such as currency: \"'EUR'\" if all of it is in",
    ):
        assert sentence in said
    assert "Traceback" not in said


# Currencies

DAY = "2024-03-{:02d} 12:00:00"
CURRENCY_ORDERS = table(
    ("order_id", "customer_id", "ordered_at", "amount", "discount_amount", "refund_amount",
     "currency", "refunded_order_id"),
    ("friday", "ann", DAY.format(1), "10.00", None, None, "USD", None),
    ("sunday", "ann", DAY.format(3), "10.00", None, None, " usd ", None),
    ("monday", "ann", DAY.format(4), "10.00", None, None, "USD", None),
    ("last day of the rate", "ann", DAY.format(11), "10.00", None, None, "USD", None),
    ("day after", "ann", DAY.format(12), "10.00", None, None, "USD", None),
    ("before any rate", "ann", "2024-02-29 12:00:00", "10.00", None, None, "USD", None),
    ("without rates", "ann", DAY.format(1), "10.00", None, None, "JPY", None),
    ("without currency", "ann", DAY.format(1), "10.00", None, None, None, None),
    ("blank currency", "ann", DAY.format(1), "10.00", None, None, " ", None),
    ("at home", "ann", DAY.format(20), "10.00", "1.00", None, "eur", None),
    # 0.333: every single cent that is rounded wrongly shows.
    ("own total", "ben", DAY.format(1), "10.01", "2.02", "7.99", "XYZ", None),
    ("in thirds", "ben", DAY.format(1), "10.00", "1.00", None, "XYZ", None),
    ("both accounts", "ben", DAY.format(1), "10.00", None, "10.00", "XYZ", None),
    ("large", "cyd", DAY.format(1), "100.00", None, None, "XYZ", None),
    # 60 of XYZ are 19.98 at home; it is the order's own amount that has to have come to as much.
    ("credit note", "cyd", DAY.format(2), "-60.00", None, None, "XYZ", None),
    ("foreign credit note", "cyd", DAY.format(2), "-5.00", None, None, "EUR", None),
    ("late credit note", "cyd", DAY.format(30), "-40.00", None, None, "XYZ", "large"),
)  # fmt: skip
CURRENCY_REFUNDS = table(
    ("refund_id", "order_id", "refunded_at", "amount", "currency"),
    ("1", "in thirds", DAY.format(5), "3.00", "xyz"),
    ("2", "in thirds", DAY.format(6), "3.00", None),
    ("3", "in thirds", DAY.format(7), "3.00", "XYZ"),
    ("1", "both accounts", DAY.format(5), "5.00", None),
    ("2", "both accounts", DAY.format(6), "5.00", None),
    ("1", "monday", DAY.format(6), "5.00", "GBP"),
)
RATES = table(
    ("currency", "rate_date", "rate"),
    ("USD", "2024-03-01", 0.9),
    ("USD", "2024-03-04", 0.95),
    ("xyz", "2024-03-01", "0.333"),
    ("GBP", "2024-03-01", 0),
    (None, "2024-03-01", 1.1),
    ("USD", "2024-03-04", 0.2),
)


@pytest.fixture(scope="module")
def currency_inputs(folder: Path) -> dict[str, Declaration]:
    return {
        "orders": declared(folder / "currencies.parquet", CURRENCY_ORDERS),
        "refunds": declared(folder / "currencies back.parquet", CURRENCY_REFUNDS),
        "exchange_rates": declared(
            folder / "rates.parquet",
            [{**rate, "rate": str(rate["rate"])} for rate in RATES],
        ),
    }


@pytest.fixture(scope="module")
def currencies(clean: Clean, currency_inputs: dict[str, Declaration]) -> Warehouse:
    return clean(currency_inputs, reporting_currency="EUR")


def test_an_order_is_worth_what_its_day_says(currencies: Warehouse) -> None:
    assert currencies.mapping("""
        select order_id, gross_amount, exchange_rate, currency, original_currency
        from orders_cleaned where customer_id = 'ann'
    """) == {
        "friday": (Decimal("9.00"), Decimal("0.9"), "EUR", "USD"),
        "sunday": (Decimal("9.00"), Decimal("0.9"), "EUR", "USD"),
        "monday": (Decimal("9.50"), Decimal("0.95"), "EUR", "USD"),
        "last day of the rate": (Decimal("9.50"), Decimal("0.95"), "EUR", "USD"),
        "at home": (Decimal("10.00"), 1, "EUR", "EUR"),
    }


def test_what_nobody_can_convert_is_rejected(currencies: Warehouse) -> None:
    assert currencies.mapping("select order_id, reject_reason from orders_rejected") == {
        "day after": "missing_exchange_rate",
        "before any rate": "missing_exchange_rate",
        "without rates": "missing_exchange_rate",
        "without currency": "missing_currency",
        "blank currency": "missing_currency",
        "foreign credit note": "refund_without_order",
    }
    assert currencies.rows("""
        select input_name, reject_reason from inputs_rejected order by all
    """) == [
        ("exchange_rates", "duplicate_rate"),
        ("exchange_rates", "implausible_rate"),
        ("exchange_rates", "missing_currency"),
        ("refunds", "refund_in_other_currency"),
    ]


def test_what_is_refunded_as_a_whole_comes_to_nothing_to_the_cent(currencies: Warehouse) -> None:
    amounts = currencies.mapping("""
        select order_id, gross_amount, net_amount from orders_cleaned where currency = 'EUR'
    """)
    assert amounts["own total"] == (Decimal("3.33"), 0)
    assert amounts["in thirds"] == (Decimal("3.33"), 0)
    assert amounts["both accounts"] == (Decimal("3.33"), 0)
    assert amounts["large"] == (Decimal("33.30"), 0)


def test_money_is_all_there_in_each_currency_that_it_came_in(currencies: Warehouse) -> None:
    found = currencies.mapping("""
        select currency, sum(amount) from (
            select original_currency as currency, original_gross_amount as amount
            from orders_cleaned
            union all
            select claimed_currency, claimed_amount
            from customer_value_internal.int_customer_value__refunds_checked
            where input_name = 'orders' and reject_reason is null
            union all
            select nullif(upper(trim(raw_currency)), ''), gross_amount from orders_rejected
        ) group by 1
    """)
    given_amounts: dict[str | None, Decimal] = {}
    for order in CURRENCY_ORDERS:
        currency = str(order["currency"] or "").strip().upper() or None
        amount = Decimal(str(order["amount"]))
        given_amounts[currency] = given_amounts.get(currency, Decimal(0)) + amount
    assert found == given_amounts


@pytest.mark.slow
def test_several_currencies_without_a_reporting_currency_fail_a_test(
    clean: Clean, currency_inputs: dict[str, Declaration]
) -> None:
    with pytest.raises(BuildError, match="assert_orders_are_in_one_currency: Got ") as stopped:
        clean(currency_inputs, ("+orders_cleaned",))
    assert str(stopped.value).count("\n") == 0, "another test failed, too"


# Time zones

BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"


@pytest.fixture(scope="module")
def clocks(compiled: Callable[..., str]) -> Iterator[Callable[[str, dt.datetime], Row]]:
    """How the package reads a time in a zone, and on which day it reports it.

    As text, as text with an offset, as native timestamp, as timestamptz; then the day.
    """
    codes = {
        zone: compiled(
            f"""
            select
                {{{{ customer_value.to_utc_timestamp("$text::varchar", "'{zone}'") }}}},
                {{{{ customer_value.to_utc_timestamp("$offset::varchar", "'{zone}'") }}}},
                {{{{ customer_value.to_utc_timestamp("$native::timestamp", "'{zone}'") }}}},
                {{{{ customer_value.to_utc_timestamp("$offset::timestamptz", "'{zone}'") }}}},
                {{{{ customer_value.reporting_date("$native::timestamp") }}}},
                {{{{ customer_value.as_of_date_limit() }}}}
            """,
            reporting_time_zone=zone,
            as_of_date=as_of_date,
        )
        for zone, as_of_date in ((BERLIN, "2024-04-01"), (NEW_YORK, "2024-11-04"))
    }
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")

        def read(zone: str, time: dt.datetime) -> Row:
            texts = {"text": str(time), "offset": f"{time}+05:30", "native": time}
            (row,) = connection.execute(codes[zone], texts).fetchall()
            return row

        yield read


@pytest.mark.slow
@settings(max_examples=200)
@given(
    zone=st.sampled_from([BERLIN, NEW_YORK]),
    time=st.datetimes(dt.datetime(2023, 1, 1), dt.datetime(2025, 12, 31)),
)
@example(zone=BERLIN, time=dt.datetime(2024, 3, 31, 1, 59, 59))
@example(zone=BERLIN, time=dt.datetime(2024, 3, 31, 3))
@example(zone=BERLIN, time=dt.datetime(2024, 10, 27, 3))
@example(zone=BERLIN, time=dt.datetime(2024, 10, 26, 22))
@example(zone=NEW_YORK, time=dt.datetime(2024, 3, 10, 3))
@example(zone=NEW_YORK, time=dt.datetime(2024, 11, 3, 4, 59))
@example(zone=NEW_YORK, time=dt.datetime(2024, 11, 4, 4, 59, 59))
def test_times_are_read_and_reported_by_the_clock_of_the_zone(
    clocks: Callable[[str, dt.datetime], Row], zone: str, time: dt.datetime
) -> None:
    text, with_offset, native, zoned, day, _ = clocks(zone, time)
    local = time.replace(tzinfo=ZoneInfo(zone))
    moment = local.astimezone(dt.UTC)
    assert text == native
    assert with_offset == zoned == time - dt.timedelta(hours=5, minutes=30)
    assert day == time.replace(tzinfo=dt.UTC).astimezone(ZoneInfo(zone)).date()
    if moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == time and (
        moment == local.replace(fold=1).astimezone(dt.UTC)
    ):
        assert native == moment.replace(tzinfo=None)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("zone", "skipped", "repeated"),
    [
        (BERLIN, dt.datetime(2024, 3, 31, 2, 30), dt.datetime(2024, 10, 27, 2, 30)),
        (NEW_YORK, dt.datetime(2024, 3, 10, 2, 30), dt.datetime(2024, 11, 3, 1, 30)),
    ],
)
def test_hours_that_are_skipped_or_come_twice_are_read_within_an_hour(
    clocks: Callable[[str, dt.datetime], Row],
    zone: str,
    skipped: dt.datetime,
    repeated: dt.datetime,
) -> None:
    for time in (skipped, repeated):
        text, _, native, *_ = clocks(zone, time)
        assert text == native, "one clock, whatever the type of the column"
        moments = {
            time.replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(dt.UTC).replace(tzinfo=None)
            for fold in (0, 1)
        }
        assert native in moments


@pytest.mark.slow
def test_a_run_ends_at_midnight_of_the_reporting_zone(
    clocks: Callable[[str, dt.datetime], Row],
) -> None:
    anytime = dt.datetime(2024, 1, 1)
    # The nights after the changes of the clock: to summer in Berlin, to winter in New York.
    assert clocks(BERLIN, anytime)[-1] == dt.datetime(2024, 3, 31, 22)
    assert clocks(NEW_YORK, anytime)[-1] == dt.datetime(2024, 11, 4, 5)


@pytest.fixture(scope="module")
def nights(clean: Clean, folder: Path) -> Warehouse:
    """A shop in New York that sells and pays back around its midnights, and around UTC's."""
    return clean(
        {
            "orders": declared(
                folder / "nights.parquet",
                """
                select * from (values
                    ('january', 'ann', timestamp '2024-01-31 23:30:00', 10.00),
                    ('february', 'ann', timestamp '2024-02-01 00:00:00', 20.00),
                    ('last moment', 'ben', timestamp '2024-03-10 23:59:59', 40.00),
                    ('too late', 'ben', timestamp '2024-03-11 00:00:00', 80.00)
                ) as orders (order_id, customer_id, ordered_at, amount)
                """,
            ),
            "refunds": declared(
                folder / "nights back.parquet",
                table(
                    ("order_id", "refunded_at", "amount"),
                    # Still January in New York, in whichever zone it is written.
                    ("january", "2024-02-01 04:59:59+00:00", 1),
                    ("january", "2024-02-01 05:00:00+00:00", 2),
                    ("february", "2024-03-11 03:59:59Z", 4),
                    ("february", "2024-03-11 04:00:00Z", 8),
                ),
            ),
        },
        input_time_zone=NEW_YORK,
        reporting_time_zone=NEW_YORK,
        as_of_date="2024-03-11",
    )


def test_days_and_months_begin_at_the_shops_midnight(nights: Warehouse) -> None:
    assert nights.mapping("""
        select order_id, ordered_at, order_date, cohort_month, days_since_previous_order
        from orders_cleaned
    """) == {
        "january": (
            dt.datetime(2024, 2, 1, 4, 30), dt.date(2024, 1, 31), dt.date(2024, 1, 1), None
        ),
        "february": (
            dt.datetime(2024, 2, 1, 5), dt.date(2024, 2, 1), dt.date(2024, 1, 1), 1
        ),
        "last moment": (
            dt.datetime(2024, 3, 11, 3, 59, 59), dt.date(2024, 3, 10), dt.date(2024, 3, 1), None
        ),
    }  # fmt: skip
    assert nights.mapping("select customer_id, recency_days, tenure_days from customers") == {
        "ann": (39, 40),
        "ben": (1, 1),
    }


def test_what_follows_the_date_in_the_shops_zone_is_rejected(nights: Warehouse) -> None:
    rejected = nights.rows("select order_id, reject_reason from orders_rejected")
    assert rejected == [("too late", "after_as_of_date")]
    assert nights.rows("select input_name, reject_reason from inputs_rejected") == [
        ("refunds", "after_as_of_date")
    ]


def test_months_of_cash_are_the_shops_months(nights: Warehouse) -> None:
    months = nights.mapping("""
        select month(revenue_month), gross_amount, net_amount, paid_back_amount, cash_amount
        from revenue_months
    """)
    assert months == {1: (10, 7, 1, 9), 2: (20, 16, 2, 18), 3: (40, 40, 4, 36)}


# Refunds


@pytest.fixture(scope="module")
def refunding(clean: Clean, folder: Path) -> Warehouse:
    """A shop that pays back in every way there is."""
    orders = ("order_id", "customer_id", "ordered_at", "amount", "status", "refund_amount",
              "refunded_at", "updated_at", "refunded_order_id")  # fmt: skip
    nothing = (None, None, None, None)
    return clean(
        {
            "orders": declared(
                folder / "refunding.parquet",
                table(
                    orders,
                    ("told", "ann", "2024-01-10", 100, "paid", *nothing),
                    ("own total", "ben", "2024-01-10", 100, "paid", 30, "2024-03-05", None, None),
                    ("updated", "ben", "2024-01-11", 100, "paid", 30, None, "2024-02-05", None),
                    ("undated", "ben", "2024-01-12", 100, "paid", 30, None, None, None),
                    ("told less", "cyd", "2024-01-10", 100, "paid", 50, "2024-02-01", None, None),
                    ("told more", "cyd", "2024-01-11", 100, "paid", 10, "2024-02-01", None, None),
                    (
                        "returned",
                        "dan",
                        "2024-01-10",
                        100,
                        "Returned",
                        None,
                        "2024-04-01",
                        None,
                        None,
                    ),
                    ("later", "dan", "2024-01-11", 100, "paid", 100, "2024-05-02", None, None),
                    # Rows below 0: of the order they name, of their own id, of the one that fits.
                    ("eve 1", "eve", "2024-01-10", 100, "paid", *nothing),
                    ("eve 2", "eve", "2024-01-20", 50, "paid", *nothing),
                    ("eve 3", "eve", "2024-03-20", 500, "paid", *nothing),
                    ("credit 1", "eve", "2024-02-01", -20, "paid", None, None, None, "eve 2"),
                    ("eve 1", "eve", "2024-02-02", -15, "paid", *nothing),
                    ("credit 2", "eve", "2024-02-03", -40, "paid", *nothing),
                    ("credit 2", "eve", "2024-02-03", -40, "paid", *nothing),
                    ("credit 3", "eve", "2024-02-04", -60, "paid", *nothing),
                    ("credit 4", "eve", "2024-02-05", -200, "paid", *nothing),
                    ("credit 5", "eve", "2024-02-06", -5, "paid", None, None, None, "nowhere"),
                    ("credit 6", "fay", "2024-02-06", -5, "paid", *nothing),
                    ("cancelled", "ann", "2024-01-11", 100, "cancelled", *nothing),
                    ("erased", "gil", "2024-01-11", 100, "paid", *nothing),
                ),
            ),
            "refunds": declared(
                folder / "refunding back.parquet",
                table(
                    ("refund_id", "order_id", "refunded_at", "amount"),
                    ("r1", "told", "2024-02-01", 10),
                    ("r2", "told", "2024-03-01", 20),
                    ("r2", "told", "2024-03-01", 20),
                    ("r1", "told less", "2024-02-03", 20),
                    ("r1", "told more", "2024-02-03", 20),
                    ("r9", "nowhere", "2024-02-01", 1),
                    ("r9", "cancelled", "2024-02-01", 2),
                    ("r9", "erased", "2024-02-01", 4),
                    ("r8", "told", "2024-02-01", -8),
                    ("r7", "told", "2024-05-01", 16),
                ),
            ),
            "erased_customers": declared(folder / "gone.parquet", [{"customer_id": "gil"}]),
        },
        as_of_date="2024-05-01",
    )


def test_money_back_is_attached_to_its_order_once(refunding: Warehouse) -> None:
    assert refunding.mapping("select order_id, refund_amount from orders_cleaned") == {
        "told": 30,
        "own total": 30,
        "updated": 30,
        "undated": 30,
        "told less": 50,
        "told more": 20,
        "returned": 100,
        "later": 0,
        "eve 1": 75,
        "eve 2": 60,
        "eve 3": 0,
    }


def test_money_back_is_never_a_purchase(refunding: Warehouse) -> None:
    assert refunding.mapping("select customer_id, order_count, net_amount from customers") == {
        "ann": (1, 70),
        "ben": (3, 210),
        "cyd": (2, 130),
        "dan": (2, 100),
        "eve": (3, 515),
    }


def test_money_back_of_no_order_is_rejected(refunding: Warehouse) -> None:
    assert refunding.rows("""
        select order_id, gross_amount, reject_reason from orders_rejected order by all
    """) == [
        ("cancelled", 100, "cancelled_order"),
        ("credit 2", -40, "duplicate_refund"),
        ("credit 4", -200, "refund_without_order"),
        ("credit 5", -5, "refund_without_order"),
        ("credit 6", -5, "refund_without_order"),
        (None, 100, "erased_customer"),
    ]
    assert refunding.rows("""
        select reject_reason, raw_values ->> 'raw_order_id' from inputs_rejected
        where input_name = 'refunds' order by all
    """) == [
        ("after_as_of_date", "told"),
        ("duplicate_refund", "told"),
        ("erased_customer", None),
        ("negative_amount", "told"),
        ("refund_without_order", "cancelled"),
        ("refund_without_order", "nowhere"),
    ]


def test_each_refund_has_the_day_on_which_it_was_paid(refunding: Warehouse) -> None:
    assert refunding.rows("""
        select order_id, strftime(refund_date, '%m-%d'), refund_amount, refund_source
        from order_refunds order by all
    """) == [
        ("eve 1", "02-02", 15, "order_row"),
        ("eve 1", "02-04", 60, "order_row"),
        ("eve 2", "02-01", 20, "order_row"),
        ("eve 2", "02-03", 40, "order_row"),
        ("own total", "03-05", 30, "order_total"),
        ("returned", "04-01", 100, "order_total"),
        ("told", "02-01", 10, "refund"),
        ("told", "03-01", 20, "refund"),
        ("told less", "02-01", 30, "order_total"),
        ("told less", "02-03", 20, "refund"),
        ("told more", "02-03", 20, "refund"),
        ("undated", "01-12", 30, "order_total"),
        ("updated", "02-05", 30, "order_total"),
    ]


def test_value_counts_by_the_orders_month_and_cash_by_the_refunds(refunding: Warehouse) -> None:
    months = refunding.mapping("""
        select month(revenue_month), order_count, gross_amount, refund_amount, net_amount,
            paid_back_amount, cash_amount
        from revenue_months
    """)
    assert months == {
        1: (10, 950, 425, 525, 30, 920),
        2: (0, 0, 0, 0, 245, -245),
        3: (1, 500, 0, 500, 50, 450),
        4: (0, 0, 0, 0, 100, -100),
    }


def test_cancelled_lines_are_refunds_of_the_order_that_sold_them(
    clean: Clean, folder: Path
) -> None:
    columns = ("order_id", "customer_id", "ordered_at", "product_id", "quantity", "unit_price",
               "amount", "discount_amount")  # fmt: skip
    warehouse = clean(
        {
            "order_lines": declared(
                folder / "cancelled lines.parquet",
                table(
                    columns,
                    ("1", "ann", "2024-01-10", "tea", 2, 5, 10, 1),
                    ("1", "ann", "2024-01-10", "cup", 1, 7, 7, None),
                    ("2", "ann", "2024-02-10", "tea", 2, 5, 10, None),
                    ("C3", "ann", "2024-03-10", "tea", -2, 5, -10, None),
                    ("C4", "ann", "2024-03-11", "pot", -1, 5, -5, None),
                ),
            )
        }
    )
    assert warehouse.mapping("""
        select order_id, gross_amount, discount_amount, refund_amount, net_amount, order_number
        from orders_cleaned
    """) == {"1": (17, 1, 0, 16, 1), "2": (10, 0, 10, 0, 2)}
    assert warehouse.rows("""
        select order_id, month(refund_date), refund_amount, refund_source from order_refunds
    """) == [("2", 3, 10, "order_line")]
    assert warehouse.rows("select order_id, reject_reason from order_lines_rejected") == [
        ("C4", "cancellation_without_order")
    ]


# Missing values


@pytest.fixture(scope="module")
def gaps(folder: Path) -> dict[str, Declaration]:
    """Orders whose cost is 60% of their amount, with holes; and customers with holes."""
    with_holes = """
        select
            'o' || lpad(number::varchar, 3, '0') as order_id,
            'c' || number % 40 as customer_id,
            timestamp '2024-01-01' + to_hours(number::int * 7) as ordered_at,
            (10 + number * 37 % 190)::decimal(18, 2) as true_amount,
            case when number % 10 <> 1 then true_amount end as amount,
            case when number % 10 <> 2 then (true_amount * 0.6)::decimal(18, 2) end as cost_amount,
            case when number % 10 <> 3 then number % 3 end as discount_amount,
            case when number % 10 <> 4 then case when number % 3 = 0 then 'app' else 'web' end end
                as channel,
            case when number % 10 <> 5 then 'paid' end as status,
            case when number % 10 <> 6 then 'EUR' end as currency,
            case when number % 10 <> 7 then 'north' end as store
        from range(300) as numbers (number)
    """
    people = """
        select
            'c' || number as customer_id,
            case when number % 4 <> 1 then (5 + number % 3)::decimal(18, 2) end as acquisition_cost,
            case when number % 4 <> 2 then case when number % 3 = 0 then 'ad' else 'friend' end end
                as acquisition_channel,
            case when number % 4 <> 3 then date '2023-12-01' end as acquired_at
        from range(40) as numbers (number)
    """
    declaration = declared(folder / "gaps.parquet", with_holes)
    del declaration["columns"]["true_amount"]
    return {
        "orders": declaration,
        "customers": declared(folder / "people with gaps.parquet", people),
    }


METHODS = {
    "typical": {
        "orders": {
            "amount": "median",
            "discount_amount": "mode",
            "cost_amount": "median",
            "channel": "mode",
            "status": "keep",
        },
        "customers": {"acquisition_cost": "median", "acquisition_channel": "mode"},
    },
    "other typical": {
        "orders": {
            "amount": "mode",
            "discount_amount": "median",
            "cost_amount": "mode",
            "channel": "keep",
        },
        "customers": {"acquisition_cost": "mode", "acquisition_channel": "keep"},
    },
    "predicted": {
        "orders": {
            "amount": "predict",
            "discount_amount": "predict",
            "cost_amount": "predict",
            "currency": "keep",
            "store": "keep",
        },
        "customers": {"acquisition_cost": "predict", "acquired_at": "keep"},
    },
    "rejected": {
        "orders": dict.fromkeys(
            ("amount", "discount_amount", "cost_amount", "channel", "status", "currency", "store"),
            "reject",
        ),
        "customers": dict.fromkeys(
            ("acquisition_cost", "acquisition_channel", "acquired_at"), "reject"
        ),
    },
}


@pytest.fixture(scope="module")
def filled(clean: Clean, gaps: dict[str, Declaration], request: pytest.FixtureRequest) -> Warehouse:
    selected = (*ORDERS, "+customers", "+inputs_rejected")
    return clean(gaps, selected, missing_values=METHODS[request.param], store_keys=[])


@pytest.mark.slow
@pytest.mark.parametrize("filled", ["typical", "other typical", "predicted"], indirect=True)
def test_what_is_filled_is_marked_and_nothing_else(filled: Warehouse) -> None:
    assert filled.value("select count(*) from orders_cleaned") == 300
    assert filled.value("select count(*) from orders_rejected") == 0
    # The package's own tests have held amounts to the input's: what is filled is not part of it.
    marked = filled.mapping(
        "select imputed_columns, count(*) from orders_cleaned where is_imputed group by 1"
    )
    assert {key: marked.get(key) for key in ("amount", "cost_amount", "discount_amount")} == {
        "amount": 30,
        "cost_amount": 30,
        "discount_amount": 30,
    }
    assert marked.get("channel", 0) == filled.value(
        "select 30 - count(*) from orders_cleaned where channel is null"
    )
    assert (
        filled.value("""
        select count(*) from orders_cleaned where is_imputed <> (imputed_columns is not null)
    """)
        == 0
    )
    people = filled.rows("""
        select is_acquisition_imputed, count(*), count(acquisition_cost_amount) from customers
        group by 1 order by 1
    """)
    assert sum(count for is_filled, count, _ in people if is_filled) >= 10
    assert [known for *_, known in people] == [count for _, count, _ in people]


@pytest.mark.slow
@pytest.mark.parametrize("filled", ["typical"], indirect=True)
def test_typical_values_fill_what_is_missing(filled: Warehouse) -> None:
    def only(expression: str, name: str) -> object:
        return filled.rows(
            f"select distinct {expression} from orders_cleaned where imputed_columns = '{name}'"
        )

    known = filled.value("""
        select percentile_disc(0.5) within group (order by gross_amount)
        from orders_cleaned where imputed_columns is distinct from 'amount'
    """)
    assert only("gross_amount", "amount") == [(known,)]
    assert only("channel", "channel") == [("web",)]
    # 0, 1 and 2 are equally frequent.
    assert only("discount_amount", "discount_amount") == [(0,)]
    assert filled.rows("""
        select distinct acquisition_channel from customers
        where is_acquisition_imputed and customer_id = 'c2'
    """) == [("friend",)]


@pytest.mark.slow
@pytest.mark.parametrize("filled", ["predicted"], indirect=True)
def test_a_cost_of_60_percent_is_predicted_within_5(filled: Warehouse) -> None:
    costs = filled.rows("""
        select
            0.6 * gross_amount::double,
            (gross_amount - discount_amount - refund_amount - margin_amount)::double
        from orders_cleaned where imputed_columns = 'cost_amount'
    """)
    assert len(costs) == 30
    for truth, predicted in costs:
        assert predicted == pytest.approx(truth, rel=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("filled", ["rejected"], indirect=True)
def test_what_is_missing_is_rejected_where_it_is_said_to_be(filled: Warehouse) -> None:
    reasons = filled.mapping("select reject_reason, count(*) from orders_rejected group by 1")
    assert reasons == {f"missing_{name}": 30 for name in METHODS["rejected"]["orders"]}
    assert filled.mapping("""
        select reject_reason, count(*) from inputs_rejected
        where input_name = 'customers' group by 1
    """) == {f"missing_{name}": 10 for name in METHODS["rejected"]["customers"]}


@pytest.mark.slow
def test_where_no_value_is_known_none_is_made_up(clean: Clean, folder: Path) -> None:
    orders = [
        {
            "order_id": str(number),
            "customer_id": "ann",
            "ordered_at": f"2024-01-{number:02d}",
            "amount": None if number == 20 else str(number),
            "cost_amount": None,
            "discount_amount": None,
            "channel": None,
        }
        for number in range(1, 21)
    ]
    warehouse = clean(
        {"orders": declared(folder / "nothing known.parquet", orders)},
        ORDERS,
        missing_values={
            "orders": {
                "amount": "median",
                "cost_amount": "predict",
                "discount_amount": "median",
                "channel": "mode",
            }
        },
    )
    assert warehouse.rows("""
        select sum(discount_amount), sum(gross_amount - margin_amount), count(channel),
            string_agg(distinct imputed_columns)
        from orders_cleaned
    """) == [(0, 0, 0, "amount")]
    assert warehouse.value("select gross_amount from orders_cleaned where is_imputed") == 10


def test_vars_that_cannot_be_meant_stop_the_run_with_a_sentence_each(
    clean: Clean, folder: Path
) -> None:
    orders = declared(folder / "well.parquet", table(ORDER_COLUMNS, ("1", "a", "2024-01-01", "1")))
    with pytest.raises(BuildError) as stopped:
        clean(
            {"orders": orders},
            input_time_zone="Mars/Base",
            reporting_time_zone="CET+1",
            reporting_currency="Euro",
            exchange_rate_max_age_days=-1,
            store_keys="order_id",
            missing_values={
                "orders": {"amount": "keep", "channel": "median", "ordered_at": "median"},
                "customers": {"acquired_at": "mode"},
                "events": {"event_at": "drop"},
            },
        )
    said = str(stopped.value)
    for sentence in (
        'input_time_zone is "Mars/Base", which is not a zone; it takes one such as Europe/Berlin',
        'reporting_time_zone is "CET+1", which is not a zone',
        'reporting_currency is "Euro"; it takes a code of three letters, such as EUR, or null',
        "exchange_rate_max_age_days is -1; it takes a whole number from 0 to 366 days.",
        'store_keys is "order_id"; it takes a list of order_id, customer_id and product_id, or nu',
        'orders.amount the method "keep"; it takes reject, median, mode, predict.',
        'orders.channel the method "median"; it takes keep, reject, mode.',
        "missing_values names orders.ordered_at, which it can't fill; it takes amount,",
        'customers.acquired_at the method "mode"; it takes keep, reject.',
        "missing_values gives events",
    ):
        assert sentence in said
    assert "Traceback" not in said


# The guided start


def started(folder: Path, *arguments: str) -> dict[str, Any]:
    """The vars that `customer-value init` writes into a project."""
    project = folder / "dbt_project.yml"
    project.write_text("name: shop\n")
    assert cli.main(["init", "--project", str(folder), *arguments]) == 0
    written: dict[str, Any] = yaml.safe_load(project.read_text())["vars"]["customer_value"]
    # Written from the project's folder, where another dbt than this one would run.
    for declarations in written["inputs"].values():
        for one in declarations if isinstance(declarations, list) else [declarations]:
            one["path"] = str(folder / one["path"])
    return written


def test_what_init_writes_for_two_shops_builds(clean: Clean, tmp_path: Path) -> None:
    for shop, cents in (("berlin", 50), ("boston", 25)):
        rows = [
            f"{number},{number % 9},2024-0{1 + number % 6}-11 10:00:00,{number}.{cents}"
            for number in range(1, 61)
        ]
        header = "order_number,customer_number,order_date,total"
        (tmp_path / f"{shop}.csv").write_text("\n".join([header, *rows]) + "\n")
    files = [f"--as=orders={tmp_path / shop}.csv" for shop in ("berlin", "boston")]
    variables = started(tmp_path, *files)
    assert len(variables["inputs"]["orders"]) == 2
    warehouse = clean(**variables, select=(*ORDERS, "+customers"))
    assert warehouse.rows("""
        select store, count(*), count(distinct order_id), sum(gross_amount)
        from orders_cleaned group by 1 order by 1
    """) == [("berlin", 60, 60, Decimal(1860)), ("boston", 60, 60, Decimal(1845))]
    assert warehouse.value("select count(*) from customers") == 18


@pytest.mark.slow
def test_what_init_writes_for_lines_builds(clean: Clean, tmp_path: Path) -> None:
    rows = [
        f"{number // 3},p{number % 7},{1 + number % 3},4.00,{(1 + number % 3) * 4}.00,"
        f"{number % 2}.00,c{number // 3 % 11},2024-02-{1 + number // 3 % 28:02d}"
        for number in range(180)
    ]
    header = "invoice_no,sku,quantity,unit_price,line_total,line_discount,customer,invoice_date"
    (tmp_path / "lines.csv").write_text("\n".join([header, *rows]) + "\n")
    variables = started(tmp_path, str(tmp_path / "lines.csv"))
    columns = variables["inputs"]["order_lines"]["columns"]
    assert {"amount", "discount_amount"} <= columns.keys()
    warehouse = clean(**variables, select=ORDERS)
    totals = warehouse.rows("""
        select count(*), sum(gross_amount), sum(discount_amount), sum(refund_amount)
        from orders_cleaned
    """)
    assert totals == [(60, 1440, 90, 0)]


@pytest.mark.slow
def test_what_init_writes_for_orders_refunds_and_rates_builds(clean: Clean, tmp_path: Path) -> None:
    orders = [
        f"o{number},c{number % 9},2024-02-{1 + number % 28:02d} 10:00:00,10.00,"
        f"{'EUR' if number % 3 else 'USD'}"
        for number in range(60)
    ]
    refunds = [f"r{number},o{number},2024-03-{number:02d},10.00" for number in range(1, 13)]
    rates = [f"USD,2024-02-{day:02d},0.9{day % 10}" for day in range(1, 29)]
    for name, header, rows in (
        ("orders", "order_id,customer_id,created_at,total,currency", orders),
        ("refunds", "refund_id,order_id,refunded_at,amount", refunds),
        ("exchange_rates", "currency,date,rate", rates),
    ):
        (tmp_path / f"{name}.csv").write_text("\n".join([header, *rows]) + "\n")
    names = ("orders", "refunds", "exchange_rates")
    variables = started(tmp_path, *(f"--as={name}={tmp_path / name}.csv" for name in names))
    selected = (*ORDERS, "+inputs_rejected")
    warehouse = clean(**{"reporting_currency": "EUR", **variables}, select=selected)
    assert warehouse.value("select count(*) from orders_cleaned where exchange_rate <> 1") == 20
    assert warehouse.value("select count(*) from orders_cleaned where net_amount = 0") == 12
    for rejected in ("orders_rejected", "inputs_rejected"):
        assert warehouse.value(f"select count(*) from {rejected}") == 0
