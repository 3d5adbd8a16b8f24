"""The order in which a refresh does things: lock, copy, build, audit, publish, log.

Whatever goes wrong before the one step that publishes leaves the published file as it was; what
comes after it is tidying up, which the next refresh does too.
"""

from __future__ import annotations

import errno
import json
import os
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import duckdb
import yaml

from customer_value.errors import SentenceError
from customer_value.refresh import audit, lock, log, outcome, profile_file, publishing, recording
from customer_value.refresh.files import write_whole
from customer_value.refresh.outcome import Entry, Outcome, RefreshError
from customer_value.refresh.places import Places
from customer_value.refresh.progress import Progress

KEPT_VERSIONS = 3
NAMES_SHOWN = 5


@dataclass(frozen=True)
class Request:
    """What to refresh, as on the command line; folders may be relative to the current one.

    indirect_selection: which tests come with what is selected, as in dbt; None: dbt's default.
    selectors: are built one after the other, into the same copy and under the same run_id.
    keep: how many versions before the published one stay.
    """

    project: Path = field(default_factory=Path)
    profiles: Path | None = None
    profile: str | None = None
    target: str | None = None
    variables: str | None = None
    select: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    selectors: tuple[str, ...] = ()
    indirect_selection: str | None = None
    threads: int | None = None
    is_full_refresh: bool = False
    keep: int = KEPT_VERSIONS
    command: tuple[str, ...] = ("customer-value", "refresh")


@dataclass
class _Attempt:
    """The build in the copy, in whole or so far; written beside it, for a retry.

    builds: dbt's arguments, command by command; done: how many of them have passed.
    """

    run_id: str
    before: publishing.Mark | None
    builds: list[list[str]]
    done: int = 0
    statuses: dict[str, str] = field(default_factory=dict)

    def write(self, places: Places) -> None:
        write_whole(places.attempt, json.dumps(asdict(self)))

    def vary(self, variables: Mapping[str, Any]) -> None:
        """Give vars another value in what is still to be done."""
        for command in self.builds if variables else []:
            at = command.index("--vars") + 1
            command[at] = json.dumps({**json.loads(command[at]), **variables})

    @classmethod
    def read(cls, places: Places) -> _Attempt:
        try:
            facts = json.loads(places.attempt.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise RefreshError(
                "There is no failed refresh to retry: none has failed since the last one was "
                "published, or its copy is gone. Refresh from the beginning."
            ) from error
        facts["before"] = tuple(facts["before"]) if facts["before"] else None
        return cls(**facts)


@dataclass
class _Work:
    """All that a build needs to know."""

    places: Places
    profile: profile_file.Profile
    request: Request
    attempt: _Attempt
    notebook: lock.Held
    entry: Entry
    progress: Progress
    is_retry: bool = False


def refresh(request: Request, progress: Progress) -> Outcome:
    """Build everything that is asked for in a copy, test it, and publish it if all passed.

    Raises:
        RefreshError: it can't begin: another one runs, or the project is not usable.
    """
    variables = _variables(request.variables)
    run_id = str(variables.get("run_id") or uuid.uuid4())
    profile = _profile(request, variables)
    places = Places.of(profile.database)
    with recording.recorded(places, request.command, "refresh", run_id) as (notebook, entry):
        notebook.note("copying the published file")
        progress.step(f"copying {places.database.name}")
        publishing.settle(places)
        publishing.tidy(places)
        attempt = _Attempt(
            run_id,
            publishing.stage(places),
            _commands(request, {**variables, "run_id": run_id}),
        )
        attempt.write(places)
        return _built(_Work(places, profile, request, attempt, notebook, entry, progress))


def retry(request: Request, progress: Progress) -> Outcome:
    """Go on with the refresh that failed last: what failed and what it held up, no more.

    Raises:
        RefreshError: it can't begin, or there is nothing to retry.
    """
    variables = _variables(request.variables)
    profile = _profile(request, variables)
    places = Places.of(profile.database)
    run_id = _Attempt.read(places).run_id
    # Another one would have two runs in one database.
    variables.pop("run_id", None)
    with recording.recorded(places, request.command, "retry", run_id) as (notebook, entry):
        attempt = _Attempt.read(places)
        if publishing.mark(places.database) != attempt.before:
            raise RefreshError(
                f"{places.database} is not what the failed refresh began from, so its copy is of "
                "yesterday. Refresh from the beginning.",
                outcome.CHANGED_MEANWHILE,
            )
        attempt.vary(variables)
        return _built(
            _Work(places, profile, request, attempt, notebook, entry, progress, is_retry=True)
        )


def roll_back(request: Request) -> Outcome:
    """Publish the version before.

    Raises:
        RefreshError: it can't begin, or there is none.
    """
    places = Places.of(_profile(request, _variables(request.variables)).database)
    found = log.entries(places)
    with recording.recorded(places, request.command, "rollback", "") as (notebook, entry):
        publishing.settle(places)
        publishing.tidy(places)
        version = _run_of_version(places)
        entry.run_id, entry.as_of_date = version.run_id, version.as_of_date
        entry.row_count, entry.rows_by_table = version.row_count, version.rows_by_table
        left = next((item.run_id for item in reversed(found) if item.is_published), "unknown")

        def announce(mark: publishing.Mark) -> None:
            entry.is_published = True
            notebook.note("publishing", mark=mark, entry=asdict(entry))

        publishing.go_back(places, announce)
        return recording.ended(
            places,
            entry,
            outcome.PUBLISHED,
            f"Went back to the run {entry.run_id} in {places.database}. What was published by the "
            f"run {left} is in {places.withdrawn}.",
        )


def history(request: Request) -> list[Entry]:
    """Every attempt, the first one first, the failed ones too."""
    return log.entries(Places.of(_profile(request, _variables(request.variables)).database))


def _built(work: _Work) -> Outcome:
    places, entry = work.places, work.entry
    problem = _run_builds(work)
    recording.count_tests(entry, work.attempt.statuses)
    if problem is None:
        work.notebook.note("looking at what was built")
        work.progress.step("looking at what was built")
        problem = _audited(places, work.attempt, entry)
    if problem is not None:
        entry.failure_reason = problem
        return recording.ended(
            places,
            entry,
            outcome.NOT_PASSED,
            f"Not published: {problem} {places.database} is as it was. The copy is kept in "
            f"{places.staged}, to look at, and for customer-value refresh --retry.",
            kept=str(places.staged),
        )

    def announce(mark: publishing.Mark) -> None:
        work.notebook.note("publishing", mark=mark, entry=asdict(entry))

    work.progress.step("publishing")
    publishing.publish(places, work.attempt.before, work.request.keep, announce)
    publishing.discard(places.staging)
    warned = f", {entry.test_warn_count} of them with a warning" if entry.test_warn_count else ""
    return recording.ended(
        places,
        entry,
        outcome.PUBLISHED,
        f"Published {places.database}: {entry.row_count or 0:,} rows as of "
        f"{entry.as_of_date or 'no date'}, {entry.test_pass_count + entry.test_warn_count} tests "
        f"passed{warned}, run {entry.run_id}.",
    )


def _run_builds(work: _Work) -> str | None:
    """Run dbt, command by command; why that ended early, or None."""
    # Loading dbt takes a second or more, which a refresh that can't begin need not wait for.
    from customer_value.refresh import builds  # noqa: PLC0415

    places, attempt = work.places, work.attempt
    work.profile.write_for(places.staged, places.staging)
    common = [
        *("--project-dir", str(work.request.project.resolve())),
        *("--profiles-dir", str(places.staging)),
        *("--target-path", str(places.target)),
        "--quiet",
    ]
    results = places.target / "run_results.json"
    work.notebook.note("building")
    for number in range(attempt.done, len(attempt.builds)):
        command = attempt.builds[number]
        work.progress.step(" ".join(["dbt", *_shown(command)]))
        if work.is_retry and number == attempt.done and results.exists():
            command = ["retry", *_kept_in_retry(command)]
        else:
            # A build that ends before any node leaves no results; the last ones are another's.
            results.unlink(missing_ok=True)
        build = builds.run([*command, *common], work.progress.nodes)
        attempt.statuses |= build.statuses
        write_whole(places.statuses, json.dumps(attempt.statuses))
        if build.is_interrupted:
            raise KeyboardInterrupt
        if not build.is_success:
            attempt.write(places)
            if any(outcome.is_disk_full(said) for said in (build.problem, *build.messages)):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return _why_failed(build.problem, attempt.statuses)
        attempt.done = number + 1
        # So far as it is done, it need not be done again; and what follows is no retry.
        work.is_retry = False
        attempt.write(places)
    return None


def _commands(request: Request, variables: Mapping[str, Any]) -> list[list[str]]:
    """The arguments of dbt, one list for each command."""
    common = ["--vars", json.dumps(variables), "--exclude-resource-type", "unit_test"]
    if request.threads is not None:
        common += ["--threads", str(request.threads)]
    if request.indirect_selection is not None:
        common += ["--indirect-selection", request.indirect_selection]
    if request.is_full_refresh:
        common += ["--full-refresh"]
    if request.selectors:
        return [["build", "--selector", name, *common] for name in request.selectors]
    selection: list[str] = []
    if request.select:
        selection += ["--select", *request.select]
    if request.exclude:
        selection += ["--exclude", *request.exclude]
    return [["build", *selection, *common]]


def _shown(command: Sequence[str]) -> list[str]:
    """A command for people: without the vars, which may be long."""
    at = command.index("--vars")
    return [*command[:at], *command[at + 4 :]]


def _kept_in_retry(command: Sequence[str]) -> list[str]:
    """What dbt retry takes anew; the selection it has from the results."""
    at = command.index("--vars")
    return list(command[at : at + 2])


def _audited(places: Places, attempt: _Attempt, entry: Entry) -> str | None:
    """Fill in the entry from the copy, and write the log into it; why not to publish, or None."""
    known = audit.tables(places.target / "manifest.json")
    with duckdb.connect(str(places.staged)) as connection:
        found = audit.look(connection, known, attempt.run_id)
        entry.as_of_date = None if found.as_of_date is None else found.as_of_date.isoformat()
        entry.row_count = sum(found.rows_by_table.values())
        entry.rows_by_table = json.dumps(found.rows_by_table)
        if found.strangers:
            return (
                f"{_names(found.strangers)} would still be of the run "
                f"{min(found.strangers.values())}, and readers would see two runs at once. Build "
                "all that belongs together: --selector may be given more than once, as in "
                "--selector train --selector score."
            )
        # It is true of the file that is published, and nobody sees the file otherwise.
        entry.is_published = True
        entry.ended_at = lock.now()
        if log.TABLE in known:
            table = known[log.TABLE]
            if not audit.is_there(connection, table):
                audit.make(connection, table)
            log.write_rows(connection, table.relation, [*log.entries(places), entry])
        audit.stamp(connection, known, attempt.run_id)
        connection.execute("checkpoint")
    return None


def _why_failed(problem: str | None, statuses: Mapping[str, str]) -> str:
    """What failed, by name. What the engine says of it may quote a value: it stays in dbt's log."""
    failed = [
        name.split(".")[2]
        for name, status in statuses.items()
        if status not in {"success", "pass", "warn", "skipped", "no-op"}
    ]
    if failed:
        return f"{_names(failed)} failed; logs/dbt.log has what dbt says of it."
    return " ".join((problem or "dbt ended without saying why").split())


def _names(names: Sequence[str] | Mapping[str, str]) -> str:
    shown = sorted(names)
    more = f" and {len(shown) - NAMES_SHOWN} more" if len(shown) > NAMES_SHOWN else ""
    return ", ".join(shown[:NAMES_SHOWN]) + more


def _run_of_version(places: Places) -> Entry:
    """Which run wrote the version that a rollback goes to, as its own log says."""
    unknown = Entry(run_id="unknown", action="rollback", started_at="")
    found = publishing.versions(places)
    if not found:
        return unknown
    path = found[-1] / places.database.name
    names = ("run_id", "as_of_date", "row_count", "rows_by_table")
    try:
        with duckdb.connect(str(path), read_only=True) as connection:
            relation = connection.execute(
                'select format(\'"{}"."{}"."{}"\', database_name, schema_name, table_name) '
                "from duckdb_tables() where table_name = ? and database_name = current_database()",
                [log.TABLE],
            ).fetchone()
            if relation is None:
                return unknown
            last = connection.execute(
                "select run_id, cast(as_of_date as varchar), row_count, rows_by_table "
                f"from {relation[0]} where is_published order by started_at desc limit 1"
            ).fetchone()
    except duckdb.Error:
        # Going back must not depend on what the version says of itself.
        return unknown
    return unknown if last is None else replace(unknown, **dict(zip(names, last, strict=True)))


def _profile(request: Request, variables: Mapping[str, Any]) -> profile_file.Profile:
    return profile_file.read(
        request.project.resolve(),
        request.profiles.resolve() if request.profiles else None,
        request.profile,
        request.target,
        variables,
    )


def _variables(given: str | None) -> dict[str, Any]:
    try:
        variables = yaml.safe_load(given) if given else {}
    except yaml.YAMLError as error:
        raise SentenceError(f"--vars is not readable as YAML: {given}.") from error
    if not isinstance(variables, dict):
        raise SentenceError(f"--vars takes a mapping, such as {{as_of_date: 2026-01-01}}: {given}.")
    # A date that YAML has made of a text is text again, as dbt takes it.
    return {name: value if _is_plain(value) else str(value) for name, value in variables.items()}


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, (bool, int, float, str, list, dict))
