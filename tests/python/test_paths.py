"""Chains of events: published and planted truth, in the library and through a whole build."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

from conftest import Build, Warehouse, orders_input, write_orders
from customer_value import carts, paths

Floats = np.ndarray[Any, np.dtype[np.float64]]
KEYS = ["event_before", "from_event", "to_event", "is_recent"]


def contexts(sessions: Sequence[tuple[Sequence[str], bool]]) -> duckdb.DuckDBPyRelation:
    """int_customer_value__event_contexts of sessions, each with whether it is recent."""
    counts: Counter[tuple[str, str, str, bool]] = Counter()
    bought: Counter[tuple[str, str, str, bool]] = Counter()
    for session, is_recent in sessions:
        steps = ["(never)", "(start)", *session, "(exit)"]
        for place in range(2, len(steps)):
            key = (*steps[place - 2 : place + 1], is_recent)
            counts[key] += 1  # type: ignore[index]
            bought[key] += "(purchase)" in steps[place:]  # type: ignore[index]
    frame = pd.DataFrame(
        [(*key, count, bought[key]) for key, count in counts.items()],
        columns=[*KEYS, "transition_count", "purchase_count"],
    )
    return duckdb.connect().from_df(frame)


def walks(
    chance: np.random.Generator, count: int, following: dict[tuple[str, str], dict[str, float]]
) -> list[list[str]]:
    """Sessions of a chain of second order; `*` is any event before."""
    sessions = []
    for _ in range(count):
        before, last, session = "(never)", "(start)", list[str]()
        while last not in {"(exit)", "(purchase)"}:
            outcomes = following.get((before, last)) or following["*", last]
            event = str(chance.choice(list(outcomes), p=list(outcomes.values())))
            before, last = last, event
            session += [event] if event != "(exit)" else []
        sessions.append(session)
    return sessions


def test_removal_effects_are_the_published_ones() -> None:
    """The example that is in circulation since Anderl et al.: three paths over three channels."""
    steps = paths.measure_steps(
        contexts(
            [
                (("C1", "C2", "C3", "(purchase)"), False),
                (("C1",), False),
                (("C2", "C3"), False),
            ]
        )
    ).set_index("path_event")
    assert steps["overall_conversion"].to_numpy() == pytest.approx(1 / 3)
    effects = 1 - steps["conversion_if_removed"] / steps["overall_conversion"]
    assert effects.to_dict() == pytest.approx({"C1": 0.5, "C2": 1, "C3": 1})


def test_a_chain_converts_as_the_sessions_did() -> None:
    chance = np.random.default_rng(1)
    events = ["a", "b", "c", "d"]
    sessions = [
        (
            [
                *chance.choice(events, chance.integers(1, 9)),
                *["(purchase)"] * chance.integers(0, 2),
            ],
            False,
        )
        for _ in range(300)
    ]
    steps = paths.measure_steps(contexts(sessions))
    conversion = sum("(purchase)" in session for session, _ in sessions) / len(sessions)
    assert steps["overall_conversion"].to_numpy() == pytest.approx(conversion)
    assert (steps["all_path_count"] == 300).all()


# Three on a line, from which a gambler goes either way: purchase at the right end.
def test_chances_of_a_purchase_are_the_gambler_s() -> None:
    steps = [("1", "2"), ("1", "(exit)"), ("2", "1"), ("2", "3"), ("3", "2"), ("3", "(purchase)")]
    frame = pd.DataFrame(steps, columns=["from_event", "to_event"]).assign(
        event_before="(any)", transition_count=50
    )
    found = paths.chain(frame)
    chances = dict(zip(found.outcomes, found.purchase_chances(), strict=True))
    assert chances == pytest.approx(
        {"1": 1 / 4, "2": 1 / 2, "3": 3 / 4, "(purchase)": 1, "(exit)": 0}
    )


def test_what_was_never_seen_is_told_by_the_shorter_context() -> None:
    shorter = np.array([0.5, 0.3, 0.2])
    counts = np.array([[0.0, 0.0, 0.0], [6.0, 2.0, 0.0]])
    told = paths.drawn(counts, shorter)
    assert told.sum(axis=1) == pytest.approx(1)
    assert told[0] == pytest.approx(shorter)
    # Witten and Bell: 8 cases of 2 kinds.
    assert told[1] == pytest.approx((counts[1] + 2 * shorter) / 10)


SECOND_ORDER = {
    ("(never)", "(start)"): {"home": 0.5, "search": 0.5},
    ("*", "home"): {"product": 0.8, "(exit)": 0.2},
    ("*", "search"): {"product": 0.8, "(exit)": 0.2},
    # Whoever searched for it buys it.
    ("home", "product"): {"home": 0.6, "(purchase)": 0.05, "(exit)": 0.35},
    ("search", "product"): {"home": 0.2, "(purchase)": 0.6, "(exit)": 0.2},
}
FIRST_ORDER = {key: outcomes for key, outcomes in SECOND_ORDER.items() if key[0] != "search"} | {
    ("*", "product"): SECOND_ORDER["home", "product"]
}
FIRST_ORDER.pop(("home", "product"))


def losses(following: dict[tuple[str, str], dict[str, float]], prediction: str) -> dict[str, float]:
    sessions = walks(np.random.default_rng(2), 6000, following)
    told = paths.try_out_of_time(
        contexts([(session, place >= 4000) for place, session in enumerate(sessions)])
    )
    told = told[(told["prediction"] == prediction) & (told["metric"] == "log_loss")]
    return dict(zip(told["method"], told["metric_value"], strict=True))


@pytest.mark.parametrize("prediction", ["next_event", "purchase_in_session"])
def test_a_planted_second_order_is_found_out_of_time(prediction: str) -> None:
    found = losses(SECOND_ORDER, prediction)
    assert found["second_order"] < 0.95 * found["first_order"]
    assert found["first_order"] < found["no_context"]


def test_where_one_event_tells_all_the_second_does_no_harm() -> None:
    found = losses(FIRST_ORDER, "next_event")
    assert found["second_order"] == pytest.approx(found["first_order"], rel=0.005)


def test_probabilities_are_those_of_the_planted_chain() -> None:
    sessions = walks(np.random.default_rng(3), 6000, SECOND_ORDER)
    table = paths.transitions(contexts([(session, False) for session in sessions]))
    told = table.set_index(["event_before", "from_event", "to_event"])
    chance = told["next_event_probability"]
    assert chance["search", "product", "(purchase)"] == pytest.approx(0.6, abs=0.03)
    assert chance["home", "product", "(purchase)"] == pytest.approx(0.05, abs=0.01)
    assert told.loc[("search", "product", "(purchase)"), "prediction_rank"] == 1
    by_order = table.groupby(["chain_order", "event_before", "from_event"])
    assert by_order["next_event_probability"].sum().between(0.95, 1 + 1e-9).all()


def test_without_events_nothing_is_said() -> None:
    nothing = contexts([])
    assert paths.transitions(nothing).empty
    assert paths.measure_steps(nothing).empty
    assert paths.try_out_of_time(nothing).empty


def cart_cells(chance: np.random.Generator, scale: int) -> duckdb.DuckDBPyRelation:
    """int_customer_value__cart_cells of carts whose chance is planted."""
    rows = []
    for period in ("earlier", "recent"):
        for idle in range(1, 8):
            for step in (2, 3, 4):
                for band, more in (("one", 0.0), ("few", 0.3), ("many", 0.5)):
                    for has_bought in (False, True):
                        score = -2 - 0.8 * np.log(idle) + 0.7 * (step - 2) + more + has_bought
                        count = int(chance.integers(1, scale))
                        bought = int(chance.binomial(count, 1 / (1 + np.exp(-score))))
                        rows.append((idle, step, band, has_bought, period, count, bought))
    columns = [*carts.TRAITS, "period", "cart_count", "bought_count"]
    return duckdb.connect().from_df(pd.DataFrame(rows, columns=columns))


def test_chances_of_carts_are_the_planted_ones_out_of_time() -> None:
    cells = cart_cells(np.random.default_rng(4), 300)
    told = carts.try_out_of_time(cells).set_index(["method", "metric"])["metric_value"]
    assert told["logistic", "log_loss"] < 0.9 * told["one_rate", "log_loss"]
    assert told["logistic", "predicted_over_actual"] == pytest.approx(1, abs=0.05)
    scores = carts.score(cells).set_index(list(carts.TRAITS))["purchase_probability"]
    assert scores[1, 2, "one", False] == pytest.approx(1 / (1 + np.exp(2)), abs=0.03)
    assert scores[7, 4, "many", True] == pytest.approx(
        1 / (1 + np.exp(2 + 0.8 * np.log(7) - 1.4 - 1.5)), abs=0.05
    )


def test_few_carts_are_no_certainty() -> None:
    cells = cart_cells(np.random.default_rng(5), 2)
    none_bought = cells.filter("bought_count = 0 and period = 'earlier'")
    chances = carts.score(none_bought)["purchase_probability"]
    assert ((chances > 0) & (chances < 0.05)).all()
    assert carts.score(cells.filter("false")).empty
    assert carts.try_out_of_time(cells.filter("false")).empty


AS_OF_DATE = dt.date(2024, 7, 1)
TABLES = [
    "event_transitions",
    "path_funnels",
    "path_steps",
    "next_event_predictions",
    "cart_conversion",
    "path_metrics",
    "category_demand",
    "next_category",
]
SELECT = [f"+{table}" for table in TABLES]


def events() -> list[dict[str, object]]:
    """A log without ids of sessions: a visit each week of each customer, planted by hand."""
    rows = []

    def visit(customer: str, start: dt.datetime, *names: str) -> None:
        for place, name in enumerate(names):
            moment = start + dt.timedelta(minutes=5 * place)
            rows.append(
                {
                    "customer_id": customer,
                    "event_at": moment,
                    "event_name": name,
                    "product_id": "p1",
                }
            )

    for week in range(20):
        start = dt.datetime(2024, 2, 5, 10) + dt.timedelta(weeks=week)
        for number in range(6):
            visit(f"reader {number}", start, "home", "View Item")
        visit(
            "buyer", start, "home", "View Item", "Add-to-Cart", "begin checkout", "purchase", "home"
        )
        visit("leaver", start, "View Item", "Add-to-Cart")
    # Half an hour and a second later a session is another one.
    visit("sleeper", dt.datetime(2024, 6, 1, 10), "home")
    visit("sleeper", dt.datetime(2024, 6, 1, 10, 30, 1), "View Item")
    visit("thinker", dt.datetime(2024, 6, 1, 10), "home")
    visit("thinker", dt.datetime(2024, 6, 1, 10, 30), "View Item")
    # Not over yet as the date begins, and a cart that is open.
    visit("guest", dt.datetime(2024, 6, 30, 23, 45), "View Item", "Add-to-Cart")
    # The future.
    visit("reader 1", dt.datetime(2024, 7, 1), "purchase")
    return rows


@pytest.fixture(scope="module")
def shop(build: Build, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    folder = tmp_path_factory.mktemp("inputs")
    orders: list[dict[str, object]] = [
        {
            "order_id": "1",
            "customer_id": "buyer",
            "ordered_at": dt.datetime(2024, 2, 5),
            "amount": 5,
        }
    ]
    lines: list[dict[str, object]] = [
        {"order_id": "1", "line_number": 1, "product_id": "p1", "quantity": 1, "unit_price": 5}
    ]
    tables: dict[str, Any] = {
        **orders_input(folder / "orders.parquet", write_orders(orders, folder / "orders.parquet"))
    }
    for name, rows in (("events", events()), ("order_lines", lines)):
        columns = write_orders(rows, folder / f"{name}.parquet")
        tables[name] = {
            "path": str(folder / f"{name}.parquet"),
            "columns": {column: column for column in columns},
        }
    variables = {"inputs": tables, "as_of_date": AS_OF_DATE.isoformat()}
    return build(orders, variables=variables, select=SELECT)


def test_sessions_end_after_half_an_hour_and_paths_with_a_purchase(shop: Warehouse) -> None:
    sessions = shop.mapping(
        "select customer_id, count(*) from"
        " customer_value_internal.int_customer_value__path_sessions group by customer_id"
    )
    assert sessions["sleeper"] == 2
    assert sessions["thinker"] == 1
    assert sessions["buyer"] == 20
    # 164 sessions, and 20 rests after a purchase. 20 were bought; the open one is as likely to be
    # as the 40 others that came as far.
    assert shop.rows(
        "select distinct all_path_count, round(overall_conversion_rate * all_path_count, 6)"
        " from path_steps"
    ) == [(184, 20.5)]


def test_the_funnel_counts_sessions_in_order(shop: Warehouse) -> None:
    funnel = shop.rows(
        "select step, session_count, customer_count, round(conversion_from_previous_rate, 4),"
        " median_seconds_from_previous from path_funnels"
        " where segment_kind = 'all' order by step_number"
    )
    assert funnel == [
        ("session", 164, 11, None, None),
        ("view", 163, 11, round(163 / 164, 4), None),
        ("cart_add", 41, 3, round(41 / 163, 4), 300),
        # Nobody pays in between in this log: the step is left out.
        ("checkout", 20, 1, round(20 / 41, 4), 300),
        ("purchase", 20, 1, 1, 300),
    ]


def test_the_next_event_is_told_by_the_last_ones(shop: Warehouse) -> None:
    ((event, order, is_open, purchase),) = shop.rows(
        "select next_event, chain_order, is_session_open, purchase_probability"
        " from next_event_predictions where customer_id = 'guest' and prediction_rank = 1"
    )
    assert (event, order, is_open) == ("(exit)", 2, True)
    # Of those who viewed and put into the cart half bought.
    assert purchase == pytest.approx(0.5, abs=0.05)
    assert shop.value("select count(*) from next_event_predictions where prediction_rank = 1") == 11


def test_carts_are_bought_left_and_open(shop: Warehouse) -> None:
    assert shop.rows(
        "select customer_id, cart_status, count(*), min(item_count), min(cart_amount),"
        " bool_or(has_bought_before) from cart_conversion group by all order by all"
    ) == [
        ("buyer", "bought", 20, 1, Decimal("5.00"), True),
        ("guest", "open", 1, 1, Decimal("5.00"), False),
        # Never a week without an event, so it is one cart.
        ("leaver", "left", 1, 20, Decimal("100.00"), False),
    ]
    ((hours, chance),) = shop.rows(
        "select hours_since_activity, purchase_probability from cart_conversion"
        " where customer_id = 'guest'"
    )
    assert hours == 0
    assert 0 < chance < 1


def test_what_is_later_is_not_known(shop: Warehouse) -> None:
    assert (
        shop.value(
            "select max(event_at) from customer_value_internal.int_customer_value__path_events"
        ).date()
        < AS_OF_DATE
    )


@pytest.mark.slow
def test_without_inputs_the_tables_are_there_and_empty(
    build: Build, shop_orders: list[dict[str, object]]
) -> None:
    built = build(shop_orders, select=SELECT)
    for table in TABLES:
        assert built.value(f"select count(*) from {table}") == 0, table
