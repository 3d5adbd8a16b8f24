"""What MetricFlow answers about the metrics is what SQL by hand says of the tables."""

import csv
import datetime as dt
import json
import math
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import own_environment
import pytest
from built_shop import REPOSITORY, Shop


@dataclass(frozen=True)
class Question:
    """What is asked of `mf query`, and SQL by hand that gives the same columns."""

    metrics: Sequence[str]
    sql: str
    group_by: str = ""
    arguments: tuple[str, ...] = ()


QUESTIONS = {
    "orders": Question(
        [
            "orders",
            "revenue",
            "gross_revenue",
            "discounts",
            "refunds",
            "margin",
            "active_customers",
            "new_customers",
            "average_order_value",
            "orders_per_active_customer",
            "margin_rate",
            "revenue_to_date",
        ],
        """
        select
            count(*), sum(net_amount), sum(gross_amount), sum(discount_amount), sum(refund_amount),
            sum(margin_amount), count(distinct customer_id), count_if(is_first_order),
            sum(net_amount)::double / count(*), count(*) / count(distinct customer_id),
            sum(margin_amount)::double / sum(net_amount), sum(net_amount)
        from orders_cleaned
        """,
    ),
    "customers": Question(
        [
            "customers",
            "repeat_customers",
            "churned_customers",
            "repeat_rate",
            "churn_rate",
            "predicted_churn_rate",
            "historic_value",
            "predicted_value",
            "total_value",
            "predicted_orders",
            "average_predicted_value",
            "vip_customers",
            "high_value_customers",
            "vip_share",
        ],
        """
        select
            count(*), count_if(order_count > 1), count_if(last_order_date <= date '1998-01-02'),
            count_if(order_count > 1) / count(*),
            count_if(last_order_date <= date '1998-01-02') / count(*),
            avg(churn_probability), sum(historic_value), sum(value.predicted_value),
            sum(total_value), sum(predicted_order_count),
            sum(value.predicted_value)::double / count(*),
            count_if(tier = 'vip'), count_if(is_high_value), count_if(tier = 'vip') / count(*)
        from customers
        inner join customer_churn using (customer_id)
        inner join customer_cltv as value using (customer_id)
        inner join customer_tiers using (customer_id)
        """,
    ),
    "sales by month": Question(
        ("revenue", "orders", "average_order_value", "active_customers", "new_customers"),
        """
        select
            date_trunc('month', order_date), sum(net_amount), count(*),
            sum(net_amount)::double / count(*), count(distinct customer_id),
            count_if(is_first_order)
        from orders_cleaned
        group by all
        """,
        arguments=("--saved-query", "sales_by_month"),
    ),
    "retention by month": Question(
        ("retention_rate", "cohort_active_customers", "cohort_size"),
        """
        select
            month_number, sum(active_customers) / sum(cohort_size), sum(active_customers),
            sum(cohort_size)
        from cohort_retention
        group by all
        """,
        arguments=("--saved-query", "retention_by_month"),
    ),
    "cohort heat map": Question(
        ("retention_rate", "cohort_revenue"),
        """
        select cohort_month, month_number, active_customers / cohort_size, net_amount
        from cohort_retention
        """,
        arguments=("--saved-query", "cohort_heat_map"),
    ),
    "value by tier": Question(
        ("customers", "historic_value", "predicted_value", "total_value"),
        """
        select
            tier, count(*), sum(historic_value), sum(value.predicted_value), sum(total_value)
        from customer_tiers
        inner join customer_cltv as value using (customer_id)
        group by all
        """,
        arguments=("--saved-query", "value_by_tier"),
    ),
    "churn by segment": Question(
        ("customers", "churn_rate", "predicted_churn_rate"),
        """
        select
            rfm_segment, count(*), count_if(last_order_date <= date '1998-01-02') / count(*),
            avg(churn_probability)
        from customers
        inner join customer_rfm using (customer_id)
        inner join customer_churn using (customer_id)
        group by all
        """,
        arguments=("--saved-query", "churn_by_segment"),
    ),
    "revenue of each tier's customers": Question(
        ("revenue", "orders"),
        """
        select date_trunc('year', order_date), tier, sum(net_amount), count(*)
        from orders_cleaned
        inner join customer_tiers using (customer_id)
        group by all
        """,
        group_by="metric_time__year,customer__tier",
    ),
    "customers by stage": Question(
        ("staged_customers", "predicted_value"),
        """
        select lifecycle_stage, count(*), sum(predicted_value)
        from customer_lifecycle
        left join customer_cltv using (customer_id)
        group by all
        """,
        arguments=("--saved-query", "customers_by_stage"),
    ),
    "who is at risk": Question(
        ("at_risk_customers", "at_risk_rate"),
        """
        select
            segment_name, count_if(lifecycle_stage = 'at_risk'),
            count_if(lifecycle_stage = 'at_risk') / count(*)
        from customer_lifecycle
        inner join customer_segments using (customer_id)
        group by all
        """,
        group_by="customer__cluster",
    ),
    "who moved": Question(
        ("moved_customers",),
        """
        select
            movement_month, to_stage,
            sum(case when from_stage in ('none', to_stage) then 0 else customer_count end)
        from lifecycle_movements
        group by all
        """,
        group_by="metric_time__month,movement__to_stage",
    ),
    "the plan by action": Question(
        ("planned_actions", "planned_cost", "planned_net_gain"),
        """
        select action, count_if(action <> 'none'), sum(cost_amount), sum(expected_net_gain)
        from action_plan
        group by all
        """,
        arguments=("--saved-query", "plan_by_action"),
    ),
    "the plan by tier": Question(
        ("planned_margin_change", "planned_value_change", "gain_per_cost"),
        """
        select
            tier, sum(expected_margin_change), sum(expected_value_change),
            sum(expected_net_gain)::double / nullif(sum(cost_amount), 0)
        from action_plan
        inner join customer_tiers using (customer_id)
        group by all
        """,
        group_by="customer__tier",
    ),
    "demand": Question(
        ("expected_quantity", "expected_demand"),
        # The shop gives no lines: there is nothing to group by.
        "select sum(expected_quantity), sum(expected_amount) from category_demand",
    ),
    "predictions over time": Question(
        ("predicted_revenue",),
        "select as_of_date, sum(predicted_net_amount) from prediction_history group by all",
        group_by="metric_time__day",
    ),
    "latest predictions": Question(
        ("predicted_revenue",),
        """
        select sum(predicted_net_amount)
        from prediction_history
        where as_of_date = (select max(as_of_date) from prediction_history)
        """,
    ),
    "days that add up": Question(
        ("revenue_to_date", "active_customers_last_90_days"),
        """
        select
            date_day,
            (select sum(net_amount) from orders_cleaned where order_date <= date_day),
            (
                select nullif(count(distinct customer_id), 0)
                from orders_cleaned
                where order_date > date_day - 90 and order_date <= date_day
            )
        from customer_value_internal.customer_value_time_spine
        """,
        group_by="metric_time__day",
    ),
}


@pytest.fixture(scope="session")
def metricflow() -> Path:
    return own_environment.made("metricflow", REPOSITORY / "requirements-metricflow.txt") / "bin/mf"


def ask(metricflow: Path, shop: Shop, *arguments: str) -> str:
    """What mf says, where it finds the project, its manifest and the profile's plugin."""
    finished = subprocess.run(
        [str(metricflow), *arguments],
        cwd=shop.project,
        env=shop.environment | {"PYTHONPATH": "src"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout[-4000:] + finished.stderr[-4000:]
    return finished.stdout


def test_metricflow_validates_the_semantic_layer(metricflow: Path, shop: Shop) -> None:
    """Against the tables too: every measure, dimension, entity and metric can be selected."""
    output = ask(metricflow, shop, "validate-configs")
    verdicts = [line for line in output.splitlines() if "Successfully validated" in line]
    assert len(verdicts) == 6, output
    for verdict in verdicts:
        assert "(ERRORS: 0, FUTURE_ERRORS: 0, " in verdict


@pytest.mark.parametrize("asked", QUESTIONS.values(), ids=QUESTIONS.keys())
def test_metricflow_answers_as_sql_by_hand(
    metricflow: Path, shop: Shop, asked: Question, tmp_path: Path
) -> None:
    arguments = list(asked.arguments)
    if "--saved-query" not in arguments:
        arguments += ["--metrics", ",".join(asked.metrics)]
    if asked.group_by:
        arguments += ["--group-by", asked.group_by]
    ask(metricflow, shop, "query", *arguments, "--csv", str(tmp_path / "answer.csv"))
    with (tmp_path / "answer.csv").open() as file:
        header, *answer = csv.reader(file)
    expected = shop.rows(asked.sql)
    # MetricFlow puts the metrics last, and as they are asked for, but those made of others later.
    keys = len(header) - len(asked.metrics)
    assert set(header[keys:]) == set(asked.metrics)
    places = [*range(keys), *(header.index(metric) for metric in asked.metrics)]
    given = sorted([[row[place] for place in places] for row in answer], key=lambda row: row[:keys])
    wanted = sorted(expected, key=lambda row: [as_text(key) for key in row[:keys]])
    assert [row[:keys] for row in given] == [[as_text(key) for key in row[:keys]] for row in wanted]
    for given_row, wanted_row in zip(given, wanted, strict=True):
        for metric, figure, truth in zip(
            asked.metrics, given_row[keys:], wanted_row[keys:], strict=True
        ):
            assert is_equal(figure, truth), f"{metric} of {given_row[:keys]}: {figure}, not {truth}"


def as_text(key: object) -> str:
    """A key as MetricFlow writes it: dates are times."""
    if isinstance(key, dt.date):
        return f"{key:%Y-%m-%d} 00:00:00"
    return str(key)


def is_equal(figure: str, truth: object) -> bool:
    """Sums of money and counts to the last digit, what is divided as far as doubles go."""
    if truth is None:
        return not figure
    if isinstance(truth, int | Decimal):
        return Decimal(figure) == truth
    return isinstance(truth, float) and math.isclose(float(figure), truth, rel_tol=1e-9)


def test_every_metric_is_asked_for(shop: Shop) -> None:
    manifest = json.loads((shop.project / "target" / "semantic_manifest.json").read_text())
    asked = {metric for question in QUESTIONS.values() for metric in question.metrics}
    assert asked == {metric["name"] for metric in manifest["metrics"]}
    saved = {
        question.arguments[1]
        for question in QUESTIONS.values()
        if "--saved-query" in question.arguments
    }
    assert saved == {query["name"] for query in manifest["saved_queries"]}
