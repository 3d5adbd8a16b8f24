"""Monitoring of the models: planted drift is found, a shop as ever is left in peace."""

from __future__ import annotations

import datetime as dt
import random
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from conftest import (
    MODELS_ONLY,
    OF_OTHER_INPUTS,
    PROJECT,
    BuildError,
    Warehouse,
    complaint,
    invoke,
    orders_input,
    shop,
    write_orders,
)
from customer_value import churn, metrics, monitoring, spend

# Many builds: make test-integration runs them.
pytestmark = pytest.mark.slow

Rows = Sequence[dict[str, Any]]

TRAINED, SCORED = "2024-03-01", "2024-09-01"
# Both windows of what was scored first have closed by the second date.
SETTINGS: dict[str, object] = {"churn_window_days": 120, "horizon_periods": 4}
WARNINGS = (
    "feature_drift",
    "prediction_drift",
    "realized_accuracy",
    "model_health",
    "model_fairness",
)
# Of the groups that every run has, one is drawn by the id, and one tells who will order no more.
CLEAN, PLANTED = ["region"], ["leaving"]


def built(
    folder: Path, orders: Rows, as_of_date: str, *arguments: str, **variables: object
) -> Warehouse:
    """One more run over the orders, in the folder's database."""
    given = [*MODELS_ONLY, "--exclude", *OF_OTHER_INPUTS, *arguments]
    result = _invoked(folder, "build", orders, as_of_date, given, **variables)
    if (message := complaint(result)) is not None:
        raise BuildError(message)
    return Warehouse(folder)


def warned(folder: Path, orders: Rows, as_of_date: str, **variables: object) -> dict[str, str]:
    """What each of the threshold tests says of the tables as they are."""
    names = [f"warn_of_{name}" for name in WARNINGS]
    result = _invoked(folder, "test", orders, as_of_date, ["--select", *names], **variables)
    said = {
        outcome.node.name.removeprefix("warn_of_"): str(outcome.status)
        for outcome in result.result
        if outcome.node.name in names
    }
    assert said.keys() == set(WARNINGS)
    return said


def _invoked(
    folder: Path,
    command: str,
    orders: Rows,
    as_of_date: str,
    arguments: Sequence[str],
    **variables: object,
) -> Any:
    path = folder / "orders.parquet"
    # As text: the type of an amount is not to be guessed from the first ones.
    columns = write_orders([order | {"amount": str(order["amount"])} for order in orders], path)
    inputs = orders_input(path, columns)
    inputs["customers"] = {"path": str(customers_of(orders, folder)), "columns": {}}
    settings = {"inputs": inputs, "as_of_date": as_of_date, "fairness_groups": CLEAN, **SETTINGS}
    threads = ("--threads", "2")
    return invoke(command, folder, [*threads, *arguments], settings | variables)


def customers_of(orders: Rows, folder: Path) -> Path:
    """The customers with the groups that they belong to; one region is of a handful."""
    ids = sorted({str(order["customer_id"]) for order in orders})
    staying = {order["customer_id"] for order in since(orders)}
    path = folder / "customers.csv"
    rows = [
        f"{id_},{'islands' if number < 6 else ('north', 'south')[number % 2]},"
        f"{'stays' if id_ in staying else 'leaves'}"
        for number, id_ in enumerate(ids)
    ]
    path.write_text("\n".join(["customer_id,region,leaving", *rows]))
    return path


def drifted(warehouse: Warehouse) -> set[str]:
    """The features that the second date's customers have left the training examples in."""
    rows = warehouse.rows(
        f"select feature_name from feature_drift where as_of_date = '{SCORED}' and is_drifted"
    )
    return {name for (name,) in rows}


def since(orders: Rows, date: str = TRAINED) -> list[dict[str, Any]]:
    return [order for order in orders if order["ordered_at"] >= dt.datetime.fromisoformat(date)]


@pytest.fixture(scope="module")
def orders() -> Rows:
    return shop(customer_count=400)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, orders: Rows) -> bytes:
    """The database after a first date: models trained, customers scored."""
    folder = tmp_path_factory.mktemp("trained")
    return built(folder, orders, TRAINED).database.read_bytes()


def scored_later(folder: Path, trained: bytes, orders: Rows) -> Warehouse:
    """The same database half a year on, its models applied to what the orders are by then."""
    (folder / "customer_value.duckdb").write_bytes(trained)
    return built(folder, orders, SCORED, "--selector", "score")


@pytest.fixture(scope="module")
def as_ever(tmp_path_factory: pytest.TempPathFactory, trained: bytes, orders: Rows) -> Warehouse:
    return scored_later(tmp_path_factory.mktemp("as ever"), trained, orders)


@pytest.fixture(scope="module")
def changed_orders(orders: Rows) -> Rows:
    """From the first date on everybody buys three times as often and for five times as much."""
    later = [order | {"amount": order["amount"] * 5} for order in since(orders)]
    more = [
        order
        | {
            "order_id": f"{order['order_id']}-{number}",
            "ordered_at": order["ordered_at"] + dt.timedelta(days=4 * number),
        }
        for order in later
        for number in (1, 2)
    ]
    earlier = [order for order in orders if order not in since(orders)]
    return [*earlier, *later, *more]


@pytest.fixture(scope="module")
def changed(
    tmp_path_factory: pytest.TempPathFactory, trained: bytes, changed_orders: Rows
) -> Warehouse:
    return scored_later(tmp_path_factory.mktemp("changed"), trained, changed_orders)


@pytest.fixture(scope="module")
def shuffled_orders(orders: Rows) -> Rows:
    """From the first date on it is chance who orders, and nothing that could be known before."""
    known = sorted({o["customer_id"] for o in orders} - {o["customer_id"] for o in since(orders)})
    chance = random.Random(7)
    later = [order | {"customer_id": chance.choice(known)} for order in since(orders)]
    return [*(order for order in orders if order not in since(orders)), *later]


@pytest.fixture(scope="module")
def shuffled(
    tmp_path_factory: pytest.TempPathFactory, trained: bytes, shuffled_orders: Rows
) -> Warehouse:
    return scored_later(tmp_path_factory.mktemp("shuffled"), trained, shuffled_orders)


def test_every_feature_of_the_models_but_tenure_is_watched(as_ever: Warehouse) -> None:
    names = {name for (name,) in as_ever.rows("select distinct feature_name from feature_drift")}
    assert names == {*churn.FEATURES, *spend.FEATURES} - {"log_tenure"}


def test_amounts_are_held_against_training_before_they_are_levelled(as_ever: Warehouse) -> None:
    ((customers, before, after),) = as_ever.rows(
        """
        select max(customer_count), sum(expected_net_amount), (
            select sum(forecast_net_amount) from revenue_forecast
        )
        from customer_value_internal.int_customer_value__period_totals
        """
    )
    said: dict[str, float] = dict(
        as_ever.rows(
            f"""
            select reference_name, current_mean from prediction_drift
            where as_of_date = '{SCORED}' and prediction = 'predicted_net_amount'
            """
        )
    )
    # As what is compared with them is: examples of the past have no level, earlier scores had one.
    assert said["training"] == pytest.approx(float(before / customers), rel=1e-3)
    assert said["previous"] == pytest.approx(float(after / customers), rel=1e-3)
    assert said["training"] != pytest.approx(said["previous"], rel=5e-3)


def test_a_shop_as_ever_has_not_drifted(as_ever: Warehouse, orders: Rows) -> None:
    assert drifted(as_ever) == set()
    assert as_ever.rows("select distinct is_drifted from prediction_drift") == [(False,)]
    assert set(warned(as_ever.folder, orders, SCORED).values()) <= {"pass", "warn"}
    said = warned(as_ever.folder, orders, SCORED, monitoring_thresholds={"model_age_days": 365})
    assert said == dict.fromkeys(WARNINGS, "pass")


def test_a_shop_as_ever_is_to_be_left_alone(as_ever: Warehouse) -> None:
    advice = as_ever.mapping(
        f"select model_name, is_worse_than_promised from model_health where as_of_date = '{SCORED}'"
    )
    assert not any(advice.values())
    assert (
        as_ever.value(f"""
        select count(*) from model_health
        where as_of_date = '{SCORED}' and (is_prediction_drifted or drifted_feature_count > 0)
    """)
        == 0
    )


def test_groups_that_chance_has_made_are_treated_alike(as_ever: Warehouse) -> None:
    found = as_ever.frame(f"select * from model_fairness where as_of_date = '{SCORED}'")
    assert set(found["evidence"]) == {"current", "held_out", "realized"}
    assert set(found["target"]) == {"tier", "churn", "value"}
    judged = found[found["group_value"] != "islands"]
    assert set(judged["verdict"]) <= {"within_thresholds", "not_judged", "too_small"}
    assert "within_thresholds" in set(judged["verdict"])
    # The islanders are too few for any verdict, and for any figure.
    few = found[found["group_value"] == "islands"]
    assert set(few["verdict"]) == {"too_small"}
    assert (
        few[["metric_value", "metric_lower", "metric_upper", "ratio_to_all"]].isna().all(axis=None)
    )


def test_a_group_about_whom_the_models_are_wrong_is_found(
    tmp_path: Path, as_ever: Warehouse, orders: Rows
) -> None:
    (tmp_path / "customer_value.duckdb").write_bytes(as_ever.database.read_bytes())
    asked: dict[str, object] = {"fairness_groups": PLANTED, "fairness_minimum_customers": 50}
    names = ("int_customer_value__customer_groups", "int_customer_value__fairness_cases")
    select = ["stg_customer_value__customer_groups", *names, "fairness_measurement"]
    built(tmp_path, orders, SCORED, "--select", *select, "model_fairness", **asked)
    found = Warehouse(tmp_path).rows(f"""
        select evidence, metric from model_fairness
        where as_of_date = '{SCORED}' and group_value = 'leaves' and verdict = 'unequal'
    """)
    # Who ordered no more is less often in the best tier, was thought to stay more often than
    # others were, and was thought to spend too much.
    assert {
        ("current", "selection_rate"),
        ("realized", "calibration_bias"),
        ("realized", "calibration_error"),
    } <= set(found)
    assert warned(tmp_path, orders, SCORED, **asked)["model_fairness"] == "warn"
    # And what is no longer asked for is gone from the date.
    built(tmp_path, orders, SCORED, "--select", *select, "model_fairness", fairness_groups=[])
    there = f"select count(*) from model_fairness where as_of_date = '{SCORED}'"
    assert Warehouse(tmp_path).value(there) == 0


def test_every_model_has_drivers(as_ever: Warehouse) -> None:
    drivers = as_ever.frame("select * from model_drivers")
    newest = as_ever.rows("select model_name from model_registry where fallback is null")
    assert {(name,) for name in drivers["model_name"]} == {*newest}
    read = {*drivers.query("model_name == 'churn'")["feature_name"]}
    assert read == {*churn.FEATURES}


def test_customers_who_buy_more_have_drifted(changed: Warehouse, changed_orders: Rows) -> None:
    found = drifted(changed)
    assert {"log_fading_purchases_90", "log_pace_trend"} <= found
    predictions = changed.rows(f"""
        select prediction, reference_name from prediction_drift
        where as_of_date = '{SCORED}' and is_drifted
    """)
    assert ("predicted_net_amount", "training") in predictions
    assert ("predicted_net_amount", "previous") in predictions
    said = warned(changed.folder, changed_orders, SCORED)
    assert (said["feature_drift"], said["prediction_drift"]) == ("warn", "warn")
    advice = changed.mapping(
        f"select model_name, advice from model_health where as_of_date = '{SCORED}'"
    )
    assert "ok" not in advice.values()


def test_predicted_totals_that_are_far_off_are_found(changed: Warehouse) -> None:
    found = changed.mapping("select metric, is_worse_than_promised from realized_accuracy")
    assert found["total_bias"]


def test_thresholds_are_the_var_s(changed: Warehouse, changed_orders: Rows) -> None:
    loose = {"feature_psi": 100, "prediction_psi": 100}
    arguments = ["--select", "feature_drift", "prediction_drift"]
    path = changed.folder / "loose"
    path.mkdir()
    (path / "customer_value.duckdb").write_bytes(changed.database.read_bytes())
    built(path, changed_orders, SCORED, *arguments, monitoring_thresholds=loose)
    said = warned(path, changed_orders, SCORED)
    assert (said["feature_drift"], said["prediction_drift"]) == ("pass", "pass")


def test_predictions_come_true_in_a_shop_as_ever(as_ever: Warehouse) -> None:
    found = as_ever.mapping("""
        select metric, realized_value, promised_value, is_worse_than_promised, horizon_days
        from realized_accuracy
    """)
    assert found["roc_auc"][0] == pytest.approx(found["roc_auc"][1], abs=0.05)
    assert (found["roc_auc"][3], found["total_bias"][3]) == (120, 122)
    assert not any(is_worse for _, _, is_worse, _ in found.values())
    assert {*monitoring.CHURN_METRICS, *monitoring.VALUE_METRICS, "interval_coverage"} == {*found}


def test_predictions_that_tell_nothing_are_found(
    shuffled: Warehouse, shuffled_orders: Rows
) -> None:
    found = shuffled.mapping("""
        select metric, realized_value, is_worse_than_promised from realized_accuracy
    """)
    assert found["roc_auc"][0] < 0.65
    assert found["roc_auc"][1]
    assert warned(shuffled.folder, shuffled_orders, SCORED)["realized_accuracy"] == "warn"
    ((advice, reason),) = shuffled.rows(f"""
        select advice, reason from model_health
        where as_of_date = '{SCORED}' and model_name = 'churn'
    """)
    assert advice == "retrain"
    assert "worse than promised" in reason


def test_the_realized_figures_are_those_of_the_orders(as_ever: Warehouse) -> None:
    """By hand, over all customers: the sample holds all of them."""
    pairs = as_ever.frame(f"""
        select
            history.customer_id,
            any_value(churn_probability) as churn_probability,
            any_value(predicted_net_amount)::double as predicted,
            any_value(predicted_net_amount_lower)::double as lower_end,
            any_value(predicted_net_amount_upper)::double as upper_end,
            count(order_id) filter (order_date < history.as_of_date + 120) as order_count,
            coalesce(sum(net_amount) filter (order_date < horizon_end_date), 0)::double as actual
        from prediction_history as history
        left join orders_cleaned as orders
            on history.customer_id = orders.customer_id and order_date >= history.as_of_date
        where history.as_of_date = '{TRAINED}'
        group by all
    """)
    found = as_ever.mapping("select metric, realized_value from realized_accuracy")
    is_churned = pairs["order_count"] == 0
    assert found["roc_auc"] == pytest.approx(
        metrics.roc_auc(is_churned, pairs["churn_probability"]), abs=1e-9
    )
    assert found["total_bias"] == pytest.approx(
        pairs["predicted"].sum() / pairs["actual"].sum(), abs=1e-9
    )
    is_covered = (pairs["lower_end"] <= pairs["actual"]) & (pairs["actual"] <= pairs["upper_end"])
    assert found["interval_coverage"] == pytest.approx(is_covered.mean(), abs=1e-9)


def test_the_index_and_the_distance_are_those_of_the_definition(as_ever: Warehouse) -> None:
    """By SciPy and NumPy, the examples weighted by band of tenure as today's customers are."""
    frame = as_ever.frame("""
        from customer_value_internal.training_scoring as scores
        inner join (
            select distinct customer_id, as_of_date, tenure_days, log_amount
            from customer_value_internal.training_examples
        ) using (customer_id, as_of_date)
        select customer_id, tenure_days, log_amount
    """)
    now = as_ever.frame(f"""
        select tenure_days, log_amount from customer_value_internal.customer_features
        where as_of_date = '{SCORED}'
    """)
    starts = as_ever.frame("""
        select distinct tenure_band, tenure_days_from
        from customer_value_internal.int_customer_value__training_profile order by all
    """)["tenure_days_from"].to_numpy()
    bands_then, bands_now = (
        np.maximum(np.searchsorted(starts, part["tenure_days"], side="right") - 1, 0)
        for part in (frame, now)
    )
    weights = np.bincount(bands_now, minlength=len(starts)) / len(now)
    of_example = (weights / np.bincount(bands_then, minlength=len(starts)))[bands_then]
    ((psi, distance),) = as_ever.rows(f"""
        select psi, wasserstein_distance from feature_drift
        where as_of_date = '{SCORED}' and feature_name = 'log_amount'
    """)
    exact = stats.wasserstein_distance(frame["log_amount"], now["log_amount"], of_example)
    assert distance == pytest.approx(exact / frame["log_amount"].std(ddof=0), rel=0.1)
    # The largest value up to which there is no more than each tenth of the points.
    ranked = np.sort(frame["log_amount"])
    edges = ranked[len(ranked) * np.arange(1, 10) // 10 - 1]
    then = np.bincount(np.searchsorted(edges, frame["log_amount"]), of_example, 10)
    today = np.bincount(np.searchsorted(edges, now["log_amount"]), minlength=10) / len(now)
    assert psi == pytest.approx(float(np.sum((today - then) * np.log(today / then))), abs=1e-6)


def test_a_second_run_of_a_date_changes_nothing(as_ever: Warehouse, orders: Rows) -> None:
    before = as_ever.snapshot()
    built(as_ever.folder, orders, SCORED, "--selector", "score")
    assert as_ever.snapshot() == before
    built(as_ever.folder, orders, SCORED, "--selector", "monitor")
    assert as_ever.snapshot() == before


def test_history_is_kept_by_day_and_then_by_month(tmp_path: Path) -> None:
    """And movements between tiers from each date to the next, whatever is kept of predictions."""
    orders = shop(customer_count=60)
    dates = ["2024-03-01", "2024-03-20", "2024-04-02", "2024-04-10", "2024-04-12", "2024-04-13"]
    select = ("--select", "+tier_movements")
    for date in dates:
        warehouse = built(tmp_path, orders, date, *select)
    kept = "select distinct as_of_date::varchar from prediction_history order by all"
    assert [date for (date,) in warehouse.rows(kept)] == [
        "2024-03-01",
        "2024-04-02",
        "2024-04-10",
        "2024-04-12",
        "2024-04-13",
    ]
    steps = "select distinct as_of_date::varchar, previous_date::varchar from tier_movements"
    assert warehouse.mapping(steps) == dict(zip(dates, [None, *dates[:-1]], strict=True))
    limits: dict[str, object] = {
        "prediction_history_daily_days": 2,
        "prediction_history_max_days": 120,
    }
    built(tmp_path, orders, "2024-07-05", *select, "--full-refresh", **limits)
    assert [date for (date,) in warehouse.rows(kept)] == [
        "2024-04-02",
        # Told apart from today by what changed since: the date before stays until the next run.
        "2024-04-13",
        "2024-07-05",
    ]
    assert _unreconciled(warehouse) == []
    # A run of an earlier date overtakes all that came after it.
    built(tmp_path, orders, "2024-04-11", *select, **limits)
    later = {"2024-04-11": "2024-04-02"}
    kept_steps = dict(zip(dates[:4], [None, *dates[:3]], strict=True))
    assert warehouse.mapping(steps) == kept_steps | later
    assert _unreconciled(warehouse) == []


def _unreconciled(warehouse: Warehouse) -> list[tuple[object, ...]]:
    """Where fewer or more leave a tier, or are worth another sum, than the date before had."""
    return warehouse.rows("""
        with ended as (

            select as_of_date, to_tier as tier, sum(customer_count) as people, sum(predicted_value) as worth
            from tier_movements where to_tier <> 'none' group by all

        ),

        began as (

            select previous_date as as_of_date, from_tier as tier, as_of_date as at_date,
                sum(customer_count) as people, sum(previous_predicted_value) as worth
            from tier_movements where from_tier <> 'none' group by all

        )

        select * from began left join ended using (as_of_date, tier)
        where began.people is distinct from ended.people or began.worth is distinct from ended.worth
    """)  # noqa: E501 - as in SQL


def test_erased_customers_leave_the_history(tmp_path: Path, trained: bytes, orders: Rows) -> None:
    (tmp_path / "customer_value.duckdb").write_bytes(trained)
    gone = str(orders[0]["customer_id"])
    there = f"select count(*) from prediction_history where customer_id = '{gone}'"
    assert Warehouse(tmp_path).value(there) == 1
    path = tmp_path / "erased.csv"
    path.write_text(f"customer_id\n{gone}\n")
    inputs = orders_input(tmp_path / "orders.parquet", list(orders[0]))
    erased = inputs | {"erased_customers": {"path": str(path)}}
    built(
        tmp_path, orders, SCORED, "--select", "+tier_movements", inputs=erased, fairness_groups=[]
    )
    assert Warehouse(tmp_path).value(there) == 0
    assert (
        Warehouse(tmp_path).value("select count(distinct as_of_date) from prediction_history") == 2
    )
    # Nor are they told of as departed: nobody could say from where.
    moved = """
        select
            sum(customer_count) filter (as_of_date = '{ended}' and to_tier <> 'none')
            - sum(customer_count) filter (as_of_date = '{began}' and from_tier <> 'none')
        from tier_movements
    """
    assert Warehouse(tmp_path).value(moved.format(ended=TRAINED, began=SCORED)) == 1


def test_thresholds_that_can_not_be_meant_are_said_before_any_model_runs(tmp_path: Path) -> None:
    with pytest.raises(BuildError) as said:
        built(
            tmp_path,
            shop(customer_count=5),
            SCORED,
            monitoring_thresholds={"feature_ps": 1, "ranking_loss": "much", "model_age_days": -1},
            prediction_history_max_days=100,
            prediction_history_daily_days=0,
            fairness_groups=["email", "Region", "acquired_at", "acquisition_channel"],
            fairness_minimum_customers=1,
            fairness_thresholds={"selection_ratio": 0.5, "value_bias_ratio": 2},
        )
    for sentence in (
        "monitoring_thresholds names feature_ps, which is no threshold; there are feature_psi,",
        'monitoring_thresholds gives ranking_loss "much"; it takes a number from 0 to 2.',
        "monitoring_thresholds gives model_age_days -1; it takes a number from 0 to 36500.",
        "prediction_history_daily_days is 0; it takes a whole number from 1 to 3660 days.",
        "fairness_groups names email, which tells persons and not groups; it takes columns",
        'fairness_groups names "Region"; it takes names of lower-case letters, digits and',
        "fairness_groups names acquired_at, which is no text; map a column of its ranges",
        "fairness_groups names acquisition_channel, which customers does not map: write",
        "fairness_minimum_customers is 1; it takes a whole number from 10 to 1000000 customers.",
        "fairness_thresholds names selection_ratio, which is no threshold; there are selection_",
        "fairness_thresholds gives value_bias_ratio 2; it takes a number from 0 to 1.",
        "prediction_history_max_days is 100, less than the churn_window_days of 120",
    ):
        assert sentence in str(said.value)


def test_a_group_that_customers_do_not_have_is_said_before_any_model_runs(tmp_path: Path) -> None:
    orders = shop(customer_count=5)
    with pytest.raises(BuildError) as said:
        built(tmp_path, orders, SCORED, fairness_groups=["regoin"])
    assert "customers has no column regoin; it has customer_id, region, leaving." in str(said.value)
    path = str(customers_of(orders, tmp_path))
    inputs = orders_input(tmp_path / "orders.parquet", list(orders[0]))
    mapped = {"path": path, "columns": {"contact": "leaving", "email": "leaving", "area": "region"}}
    given = inputs | {"customers": mapped}
    groups = ["contact", "area"]
    with pytest.raises(BuildError) as said:
        built(tmp_path, orders, SCORED, inputs=given, fairness_groups=groups)
    assert "fairness_groups names contact, which is the email of customers" in str(said.value)
    with pytest.raises(BuildError) as said:
        built(tmp_path, orders, SCORED, inputs=inputs, fairness_groups=["area"])
    assert "fairness_groups names area, but inputs gives no customers" in str(said.value)


def test_the_documented_thresholds_are_those_that_hold() -> None:
    defaults = dict(
        re.findall(
            r"'(\w+)': \(([\d.]+), ",
            (PROJECT / "macros" / "monitoring_thresholds.sql").read_text(),
        )
    )
    fairness = (PROJECT / "macros" / "fairness_thresholds.sql").read_text()
    defaults |= dict(re.findall(r"'(\w+)': ([\d.]+),", fairness))
    assert "selection_rate_ratio" in defaults
    described = " ".join((PROJECT / "dbt_project.yml").read_text().replace("#", " ").split())
    assert defaults
    for name, threshold in defaults.items():
        assert f"{name} {threshold}" in described


def test_no_closed_window_is_no_row() -> None:
    with duckdb.connect() as connection:
        none = connection.sql("""
            select
                date '2024-01-01' as as_of_date, 'churn' as target, '' as customer_id,
                0.5 as predicted, 0.5 as actual, null as predicted_lower, null as predicted_upper
            where false
        """)
        measured = monitoring.measure(none)
    assert isinstance(measured, pd.DataFrame)
    assert list(measured) == ["as_of_date", "target", "metric", "realized_value"]
    assert measured.empty
