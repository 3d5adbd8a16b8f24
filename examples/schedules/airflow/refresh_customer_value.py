"""customer_value in Airflow, by the plain command: a DAG for each night, and one for each week.

The command's exit code is all that Airflow needs: 0 is published, anything else fails the task,
which is tried again: another refresh may have been running (3), or the disk full (4).
"""

import os
from datetime import timedelta

import pendulum
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

PROJECT = os.environ.get("CUSTOMER_VALUE_PROJECT", "/srv/shop_analytics")
COMMAND = os.environ.get("CUSTOMER_VALUE_COMMAND", f"{PROJECT}/.venv/bin/customer-value")

for name, schedule, selectors in (
    ("nightly", "30 3 * * 1-6", ["refresh"]),
    ("weekly", "30 3 * * 0", ["train", "score"]),
):
    with DAG(
        dag_id=f"customer_value_{name}",
        schedule=schedule,
        start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
        catchup=False,
        max_active_runs=1,
        default_args={"retries": 2, "retry_delay": timedelta(minutes=20)},
        tags=["customer_value"],
    ) as dag:
        options = " ".join(f"--selector {selector}" for selector in selectors)
        BashOperator(
            task_id="refresh",
            bash_command=f'cd "$PROJECT" && exec "$COMMAND" refresh --json {options}',
            env={"PROJECT": PROJECT, "COMMAND": COMMAND},
            append_env=True,
        )
    globals()[dag.dag_id] = dag
