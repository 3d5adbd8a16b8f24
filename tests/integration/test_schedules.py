"""The examples of schedules, each run: by a shell as cron would, in Dagster, in Airflow."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from own_environment import PIP

import refreshed_shop
from customer_value.refresh import log
from refreshed_shop import Shop

SCHEDULES = refreshed_shop.PACKAGE / "examples" / "schedules"
BIN = Path(sys.executable).parent


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return refreshed_shop.make(tmp_path / "a shop")


def environment(shop: Shop, **further: str) -> dict[str, str]:
    return {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        "PROJECT": str(shop.folder),
        "BIN": str(BIN),
        "DBT_PROFILES_DIR": str(shop.folder),
        "CUSTOMER_VALUE_PROJECT": str(shop.folder),
        "CUSTOMER_VALUE_COMMAND": str(BIN / "customer-value"),
        **further,
    }


def run(command: list[str], shop: Shop, **further: str) -> str:
    finished = subprocess.run(
        command,
        cwd=shop.folder,
        env=environment(shop, **further),
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout[-4000:] + finished.stderr[-4000:]
    return finished.stdout


def installed(name: str, folder: Path) -> Path:
    """The programs of an environment that is made for an example, from its own requirements."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    requirements = SCHEDULES / name / "requirements.txt"
    subprocess.run([str(folder / "bin" / "python"), *PIP, "-r", str(requirements)], check=True)
    return folder / "bin"


def test_every_line_of_the_crontab_refreshes(shop: Shop) -> None:
    lines = (SCHEDULES / "cron" / "crontab").read_text().splitlines()
    jobs = [line for line in lines if re.match(r"[0-9*]", line)]
    assert len(jobs) == 3
    for edition, job in enumerate(jobs, 1):
        shop.deliver(edition)
        command = job.split(None, 5)[5]
        # In a crontab a percent sign would end the command.
        assert "%" not in command
        run(["/bin/sh", "-c", command], shop)
        assert shop.editions()[0] == edition
    assert [entry.is_published for entry in log.entries(shop.places)] == [True] * 3


# What a person would do in Dagster's pages, by its own API.
RUN_IN_DAGSTER = """
import json, sys
import dagster as dg
from definitions import customer_value, defs, nightly

schedules = {schedule.name: schedule.cron_schedule for schedule in defs.schedules}
job = defs.resolve_job_def("nightly_refresh")
with dg.DagsterInstance.ephemeral() as instance:
    result = job.execute_in_process(instance=instance, raise_on_error=False)
    checks = [
        (check.check_name, check.passed) for check in result.get_asset_check_evaluations()
    ]
    assets = sorted(
        event.asset_key.path[-1]
        for event in result.get_asset_materialization_events()
    )
print(json.dumps({
    "success": result.success, "schedules": schedules, "checks": checks, "assets": assets
}))
"""


def test_dagster_refreshes_assets_and_evaluates_checks(shop: Shop, tmp_path: Path) -> None:
    programs = installed("dagster", tmp_path / "dagster")
    run([str(BIN / "dbt"), "parse", "--quiet"], shop)
    further = {"PYTHONPATH": str(SCHEDULES / "dagster"), "DAGSTER_HOME": str(tmp_path)}
    command = [str(programs / "python"), "-c", RUN_IN_DAGSTER]

    found = json.loads(run(command, shop, **further).splitlines()[-1])
    assert found["success"]
    assert found["assets"] == [
        "customer_tier_history",
        "customer_tiers",
        "customers",
        "int_customer_value__run",
        "refresh_log",
    ]
    assert ["unique_customers_customer_id", True] in found["checks"]
    assert all(passed for _, passed in found["checks"])
    assert set(found["schedules"].values()) == {"30 3 * * 1-6", "30 3 * * 0"}
    assert shop.editions()[0] == 1

    # A test fails: so does the run, its check says which, and nothing is published.
    shop.deliver(2_000_000)
    found = json.loads(run(command, shop, **further).splitlines()[-1])
    assert not found["success"]
    assert found["assets"] == []
    assert shop.editions()[0] == 1


PARSE_IN_AIRFLOW = """
import json, sys
from airflow.dag_processing.dagbag import DagBag

bag = DagBag(sys.argv[1])
print(json.dumps({
    "errors": {str(path): error for path, error in bag.import_errors.items()},
    "dags": {
        name: [task.bash_command for task in dag.tasks] for name, dag in bag.dags.items()
    },
    "environment": next(iter(bag.dags.values())).tasks[0].env if bag.dags else {},
}))
"""


def test_airflow_runs_the_command(shop: Shop, tmp_path: Path) -> None:
    programs = installed("airflow", tmp_path / "airflow")
    further = {"AIRFLOW_HOME": str(tmp_path / "home"), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
    run([str(programs / "airflow"), "db", "migrate"], shop, **further)
    script = [str(programs / "python"), "-c", PARSE_IN_AIRFLOW, str(SCHEDULES / "airflow")]
    found = json.loads(run(script, shop, **further).splitlines()[-1])
    assert found["errors"] == {}
    assert set(found["dags"]) == {"customer_value_nightly", "customer_value_weekly"}
    for edition, commands in enumerate(found["dags"].values(), 1):
        shop.deliver(edition)
        (command,) = commands
        run(["/bin/sh", "-c", command], shop, **found["environment"])
        assert shop.editions()[0] == edition


def test_the_package_has_every_selector_that_the_examples_name() -> None:
    named = set()
    for path in SCHEDULES.rglob("*"):
        if path.suffix == ".py" or path.name == "crontab":
            text = path.read_text()
            named |= set(re.findall(r"--selector ([a-z]+)", text))
    finished = subprocess.run(
        [
            *(str(BIN / "dbt"), "ls", "--quiet", "--resource-type", "model", "--output", "name"),
            *("--profiles-dir", "profiles", "--target", "ci", "--selector", "refresh"),
        ],
        cwd=refreshed_shop.PACKAGE,
        capture_output=True,
        text=True,
        check=True,
    )
    assert {"customer_cltv", "customer_tiers", "refresh_log"} <= set(finished.stdout.split())
    selectors = (refreshed_shop.PACKAGE / "selectors.yml").read_text()
    for name in named | {"monitor"}:
        assert f"- name: {name}\n" in selectors
