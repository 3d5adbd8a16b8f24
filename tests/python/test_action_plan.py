"""The plan beside the best plan that a solver finds; the holdout; what a plan did afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from conftest import Build, Warehouse
from customer_value import campaigns, plan
from rendered_models import rendered

INCREMENTS = "intermediate/decisions/plan/int_customer_value__action_increments.sql"
PROBLEM = "intermediate/decisions/plan/int_customer_value__action_problem.sql"
FRONTIER = "marts/decisions/plan/budget_frontier.sql"
ARMS = "intermediate/decisions/plan/int_customer_value__action_arms.sql"


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(
            "create table int_customer_value__run as"
            " select date '2024-07-01' as as_of_date, 'nightly' as run_id"
        )
        yield connection


def frontier(
    engine: duckdb.DuckDBPyConnection,
    options: list[tuple[Any, ...]],
    budget: float | None,
    *,
    is_small: bool = True,
) -> pd.DataFrame:
    """The frontier of options: customer, action, cost, margin, value, holdout."""
    engine.execute(
        "create or replace table int_customer_value__action_options (customer_id varchar,"
        " action varchar, cost_amount decimal(18, 2), expected_margin_change decimal(38, 6),"
        " expected_value_change decimal(38, 6), is_holdout boolean)"
    )
    if options:
        engine.executemany(
            "insert into int_customer_value__action_options values (?, ?, ?, ?, ?, ?)", options
        )

    def made(name: str, path: str) -> None:
        sql = rendered(path, long_term_weight=0.5, action_budget=budget)
        engine.execute(f"create or replace table {name} as {sql}")

    made("int_customer_value__action_increments", INCREMENTS)
    made("int_customer_value__action_problem", PROBLEM)
    if not is_small:
        engine.execute("delete from int_customer_value__action_problem")
    engine.register("solved", plan.solve(engine.table("int_customer_value__action_problem")))
    engine.execute("create or replace table plan_solving as from solved")
    made("budget_frontier", FRONTIER)
    found: pd.DataFrame = engine.sql(
        "from budget_frontier order by long_term_weight, budget_amount"
    ).df()
    return found


def best(options: list[tuple[Any, ...]], weight: float, budget: float) -> float:
    """What the best plan gains, by HiGHS: at most one action for each who is not held out."""
    table = pd.DataFrame(
        [option for option in options if not option[5]],
        columns=["customer", "action", "cost", "margin", "value", "is_holdout"],
    )
    if table.empty:
        return 0.0
    gain = (1 - weight) * table["margin"] + weight * table["value"] - table["cost"]
    one_each = pd.get_dummies(table["customer"]).T.to_numpy(float)
    found = milp(
        -gain.to_numpy(float),
        constraints=[
            LinearConstraint(one_each, -np.inf, 1),
            LinearConstraint(table[["cost"]].T.to_numpy(float), -np.inf, budget),
        ],
        integrality=np.ones(len(table)),
        bounds=Bounds(0, 1),
        options={"mip_rel_gap": 0},
    )
    assert found.success
    return -float(found.fun)


def best_of_few(options: list[tuple[Any, ...]], weight: float, budget: float) -> float:
    """The same by looking at every sum of costs that can be reached (dynamic programming)."""
    reached = {0: 0.0}
    of_customers = pd.DataFrame(options).groupby(0).groups.values()
    for numbers in of_customers:
        before = dict(reached)
        for number in numbers:
            _, _, cost, margin, value, is_holdout = options[number]
            gain = (1 - weight) * margin + weight * value - cost
            for spent, gained in before.items() if not is_holdout else ():
                total = spent + round(100 * cost)
                if total <= round(100 * budget):
                    reached[total] = max(reached.get(total, 0.0), gained + gain)
    return max(reached.values())


cents = st.integers(0, 2000).map(lambda number: number / 100)
changes = st.integers(-500, 5000).map(lambda number: number / 100)
instances = st.lists(
    st.tuples(st.booleans(), st.lists(st.tuples(cents, changes, changes), min_size=1, max_size=4)),
    min_size=1,
    max_size=7,
).map(
    lambda customers: [
        (f"c{number}", f"a{action}", *choice, number > 0 and is_holdout)
        for number, (is_holdout, choices) in enumerate(customers)
        for action, choice in enumerate(choices)
    ]
)


@settings(max_examples=30)
@given(options=instances, budget=st.integers(0, 5000).map(lambda number: number / 100))
def test_a_plan_is_as_near_to_the_best_one_as_it_says(
    engine: duckdb.DuckDBPyConnection, options: list[tuple[Any, ...]], budget: float
) -> None:
    found = frontier(engine, options, budget)
    assert (found["cost_amount"] <= found["budget_amount"]).all()
    assert found["optimality_gap_rate"].between(0, 1).all()
    for row in found[found["long_term_weight"].isin([0, 0.5])].to_dict("records"):
        optimum = best_of_few(options, row["long_term_weight"], float(row["budget_amount"]))
        gained = float(row["expected_net_gain"])
        assert gained <= optimum + 1e-4
        assert gained >= (1 - row["optimality_gap_rate"]) * optimum - 1e-4
        if row["solved_by"] == "solver" and row["budget_amount"] == budget:
            assert gained == pytest.approx(optimum, abs=1e-4)
            assert row["optimality_gap_rate"] == 0
    planned = found[(found["long_term_weight"] == 0.5) & (found["budget_amount"] == budget)]
    assert (planned["solved_by"] == "solver").all()
    # More to spend is never worse, and with all that is wanted the plan is the best.
    for _, of_weight in found.groupby("long_term_weight"):
        assert of_weight["expected_net_gain"].is_monotonic_increasing
    if not found.empty:
        assert found.groupby("long_term_weight")["optimality_gap_rate"].last().max() < 1e-6 or (
            found["budget_amount"].max() == budget
        )


@pytest.mark.parametrize("solved_by", ["solver", "greedy"])
def test_of_many_customers_a_plan_is_all_but_the_best(
    engine: duckdb.DuckDBPyConnection, solved_by: str
) -> None:
    chance = np.random.default_rng(1)
    options = [
        (f"c{number}", f"a{action}", round(cost, 2), round(margin, 2), round(value, 2), False)
        for number in range(400)
        for action, (cost, margin, value) in enumerate(
            zip(
                chance.uniform(0.1, 5, 3), chance.gamma(1, 3, 3), chance.gamma(1, 5, 3), strict=True
            )
        )
    ]
    found = frontier(engine, options, 200.0, is_small=solved_by == "solver")
    row = found[(found["long_term_weight"] == 0.5) & (found["budget_amount"] == 200)].iloc[0]
    optimum = best(options, 0.5, 200.0)
    assert row["solved_by"] == solved_by
    assert row["optimality_gap_rate"] < (1e-9 if solved_by == "solver" else 0.01)
    assert (1 - row["optimality_gap_rate"]) * optimum - 1e-4 <= row["expected_net_gain"]
    # The weight moves what is gained from now to later.
    at_all = found.groupby("long_term_weight").last()
    assert at_all["expected_value_change"].is_monotonic_increasing
    assert at_all["expected_margin_change"].iloc[0] > at_all["expected_margin_change"].iloc[-1]


def test_what_cannot_be_proven_is_left_to_greed(
    engine: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = [(f"c{n}", "a", 1 + n / 100, 3.0 + n / 90, 3.0, False) for n in range(60)]
    assert set(frontier(engine, options, 33.33)["solved_by"]) == {"solver", "greedy"}
    again = frontier(engine, options, 33.33)
    assert again.equals(frontier(engine, list(reversed(options)), 33.33))
    monkeypatch.setattr(plan, "milp", lambda *_, **__: SimpleNamespace(status=1, x=None))
    assert set(frontier(engine, options, 33.33)["solved_by"]) == {"greedy"}


def test_no_customers_are_no_frontier(engine: duckdb.DuckDBPyConnection) -> None:
    assert frontier(engine, [], None).empty
    assert frontier(engine, [], 100.0).empty


def plans(effect: float, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A plan of 3,000 with a tenth held out, and the orders before and after it."""
    chance = np.random.default_rng(seed)
    customers = [f"c{number}" for number in range(3000)]
    is_holdout = chance.random(3000) < 0.1
    history = pd.DataFrame(
        {
            "customer_id": customers,
            "plan_date": pd.Timestamp("2024-01-01"),
            "window_end_date": pd.Timestamp("2024-04-01"),
            "action": chance.choice(["postcard", "voucher"], 3000),
            "is_holdout": is_holdout,
        }
    )
    level = chance.lognormal(3, 0.5, 3000)
    gained = np.where(is_holdout, 0, effect)
    orders = pd.concat(
        [
            pd.DataFrame({"order_date": pd.Timestamp(day), "net_amount": amount})
            for day, amount in (
                ("2022-12-31", 1000 + level),  # longer ago than a year
                ("2023-06-01", level),
                ("2024-01-01", np.maximum(0, level + gained + chance.normal(0, 5, 3000))),
                ("2024-04-01", 1000 + level),  # after the window
            )
        ]
    ).assign(customer_id=customers * 4)
    orders["net_amount"] = orders["net_amount"].round(2)
    orders["margin_amount"] = orders["net_amount"] / 2
    return history, orders


@pytest.mark.parametrize("effect", [0.0, 4.0])
def test_what_a_plan_did_is_told_from_what_would_have_been(
    engine: duckdb.DuckDBPyConnection, effect: float
) -> None:
    history, orders = plans(effect, seed=5)
    engine.register("history", history)
    engine.register("all_orders", orders)
    engine.execute(
        """
        create or replace table action_history as
        select * replace (plan_date::date as plan_date, window_end_date::date as window_end_date)
        from history
        union all by name
        select * replace (date '2024-06-01' as plan_date, date '2024-09-01' as window_end_date)
        from history
        """
    )
    engine.execute(
        """
        create or replace table orders_cleaned as
        select * replace (
            order_date::date as order_date,
            net_amount::decimal(18, 2) as net_amount, margin_amount::decimal(18, 2) as margin_amount
        )
        from all_orders
        """
    )
    found = campaigns.measure(engine.sql(rendered(ARMS)))
    # The plan of June is not over yet.
    assert {name[:10] for name in found["campaign_id"]} == {"2024-01-01"}
    assert set(found["treatment"]) == {"all", "postcard", "voucher"}
    margin = found[(found["treatment"] == "all") & (found["metric"] == "margin")].iloc[0]
    assert margin["treated_customer_count"] == int((~history["is_holdout"]).sum())
    assert margin["compared_customer_count"] == int(history["is_holdout"].sum())
    assert margin["effect_lower"] <= effect / 2 <= margin["effect_upper"]
    assert margin["effect_upper"] - margin["effect_lower"] < 0.8
    assert margin["verdict"] == ("raises" if effect else "no_clear_effect")


@pytest.fixture(scope="module")
def planned(build: Build, shop_orders: list[dict[str, object]]) -> Warehouse:
    """The made-up shop's plan, as of half a year before its end and at its end."""
    variables = {"action_budget": 20, "action_holdout_share": 0.3, "as_of_date": "2024-06-20"}
    select = ("+action_results", "+budget_frontier")
    warehouse = build(shop_orders, variables=variables, select=select)
    later = {**variables, "as_of_date": "2024-12-20", "long_term_weight": 1.0}
    return build(
        shop_orders,
        variables={**later, "action_holdout_share": 0.4},
        select=select,
        database=warehouse,
    )


def test_the_budget_is_kept_and_nobody_is_acted_on_who_is_held_out(planned: Warehouse) -> None:
    ((spent, acted, held_out, wrong, customers),) = planned.rows(
        """
        select
            sum(cost_amount), count(*) filter (action <> 'none'),
            count(*) filter (withheld_action is not null),
            count(*) filter (
                is_holdout and (action <> 'none' or cost_amount <> 0 or expected_net_gain <> 0)
            ),
            count(*)
        from action_plan
        """
    )
    assert 0 < spent <= 20
    assert acted > 0
    assert held_out > 0
    assert wrong == 0
    assert customers == planned.value("select count(*) from customers")
    assert planned.rows(
        """
        select f.cost_amount, f.acted_customer_count, f.expected_net_gain
        from budget_frontier as f where f.budget_amount = 20 and f.long_term_weight = 1
        """
    ) == planned.rows(
        "select sum(cost_amount), count(*) filter (action <> 'none'), sum(expected_net_gain)"
        " from action_plan"
    )
    assert planned.rows(
        "select distinct effect_source from action_plan where effect_source is not null"
    ) == [("stated_assumption",)]


def test_a_plan_stays_as_it_was_and_is_scored_once_its_window_has_closed(
    planned: Warehouse,
) -> None:
    assert planned.rows("select distinct plan_date::varchar from action_history order by 1") == [
        ("2024-06-20",),
        ("2024-12-20",),
    ]
    # Who was held out of a share is held out of a larger one.
    assert (
        planned.value(
            """
            select count(*) from action_history as earlier
            inner join action_plan using (customer_id)
            where earlier.plan_date = '2024-06-20' and earlier.is_holdout
                and not action_plan.is_holdout
            """
        )
        == 0
    )
    results = planned.rows(
        "select distinct plan_date::varchar, metric from action_results order by all"
    )
    assert results == [
        ("2024-06-20", "conversion"),
        ("2024-06-20", "margin"),
        ("2024-06-20", "net_amount"),
    ]
