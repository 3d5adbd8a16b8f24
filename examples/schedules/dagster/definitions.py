"""customer_value in Dagster: every model an asset, every test a check, a schedule by day and week.

dagster-dbt reads assets and checks from dbt's manifest. What builds them is the command
``customer-value refresh``, so that readers never see a half-built database; what came of each node
is then read from the file that it leaves.

Environment variables: CUSTOMER_VALUE_PROJECT, the dbt project's folder, in which ``dbt parse`` has
been run; DBT_PROFILES_DIR; CUSTOMER_VALUE_COMMAND, the command, if it is not on the PATH.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, dbt_assets

PROJECT = Path(os.environ.get("CUSTOMER_VALUE_PROJECT", ".")).resolve()
COMMAND = os.environ.get("CUSTOMER_VALUE_COMMAND", "customer-value")
MANIFEST = json.loads((PROJECT / "target" / "manifest.json").read_text("utf-8"))
SELECTORS = "customer_value/selectors"
BUILT = {"success"}
TRANSLATOR = DagsterDbtTranslator()


@dbt_assets(manifest=MANIFEST, dagster_dbt_translator=TRANSLATOR)
def customer_value(context: dg.AssetExecutionContext) -> Iterator[dg.Output | dg.AssetCheckResult]:
    """Refresh, then report each model that was built and each test that was run."""
    names = context.run.tags.get(SELECTORS, "").split()
    selectors = [part for name in names for part in ("--selector", name)]
    finished = subprocess.run(
        [COMMAND, "refresh", "--json", *selectors],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    outcome = json.loads(finished.stdout.splitlines()[-1])
    if "run_id" not in outcome:
        # It could not begin: another one runs, say.
        raise dg.Failure(outcome["failure_reason"], metadata=outcome, allow_retries=True)
    yield from _events(context, json.loads(Path(outcome["statuses"]).read_text("utf-8")), outcome)
    if not outcome["is_published"]:
        raise dg.Failure(outcome["sentence"], metadata=outcome, allow_retries=False)


def _events(
    context: dg.AssetExecutionContext, statuses: dict[str, str], outcome: dict[str, object]
) -> Iterator[dg.Output | dg.AssetCheckResult]:
    checks = {}
    for key in context.selected_asset_check_keys:
        checks[(tuple(key.asset_key.path), key.name)] = key
    for unique_id, status in statuses.items():
        node = MANIFEST["nodes"].get(unique_id)
        if node is None:
            continue
        if node["resource_type"] != "test":
            key = TRANSLATOR.get_asset_spec(MANIFEST, unique_id, None).key
            if status in BUILT and outcome["is_published"] and key in context.selected_asset_keys:
                yield dg.Output(
                    None,
                    output_name=key.to_python_identifier(),
                    metadata={"run_id": outcome["run_id"], "as_of_date": outcome["as_of_date"]},
                )
            continue
        parents = MANIFEST["parent_map"].get(unique_id, [])
        for parent in parents:
            path = tuple(TRANSLATOR.get_asset_spec(MANIFEST, parent, None).key.path)
            if (path, node["name"]) in checks and status != "skipped":
                yield dg.AssetCheckResult(
                    passed=status == "pass",
                    asset_key=dg.AssetKey(path),
                    check_name=node["name"],
                    severity=dg.AssetCheckSeverity.WARN
                    if status == "warn"
                    else dg.AssetCheckSeverity.ERROR,
                )


nightly = dg.define_asset_job(
    "nightly_refresh", selection=[customer_value], tags={SELECTORS: "refresh"}
)
weekly = dg.define_asset_job(
    "weekly_training", selection=[customer_value], tags={SELECTORS: "train score"}
)

defs = dg.Definitions(
    assets=[customer_value],
    jobs=[nightly, weekly],
    schedules=[
        dg.ScheduleDefinition(job=nightly, cron_schedule="30 3 * * 1-6"),
        dg.ScheduleDefinition(job=weekly, cron_schedule="30 3 * * 0"),
    ],
)
