"""Refreshing: the lock, what is published and logged, exit codes; killing is for integration."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

import refreshed_shop
from conftest import PROJECT
from customer_value import cli
from customer_value.refresh import files, lock, log, outcome, pages, profile_file, publishing
from customer_value.refresh.outcome import Entry, RefreshError
from customer_value.refresh.places import Places
from refreshed_shop import Shop

Refresh = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop whose editions 1 and 2 were published, and which is at home in its folder."""
    shop = refreshed_shop.make(tmp_path_factory.mktemp("refreshed") / "a shop")
    before = Path.cwd()
    os.chdir(shop.folder)
    try:
        for edition in (1, 2):
            shop.deliver(edition)
            assert cli.main(["refresh", "--json"]) == 0
        yield shop
    finally:
        os.chdir(before)


@pytest.fixture
def refresh(capsys: pytest.CaptureFixture[str]) -> Refresh:
    """Run the command; its exit code, and the one line that it prints."""

    def run(*arguments: str) -> tuple[int, dict[str, Any]]:
        capsys.readouterr()
        code = cli.main(["refresh", "--json", *arguments])
        *_, line = capsys.readouterr().out.splitlines()
        facts: dict[str, Any] = json.loads(line)
        assert facts["exit_code"] == code
        return code, facts

    return run


def places(tmp_path: Path, content: int | None = 1) -> Places:
    """A database that holds one number."""
    found = Places.of(tmp_path / "shop.duckdb")
    if content is not None:
        write(found.database, content)
    return found


def write(path: Path, content: int) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"create or replace table numbers as select {content} as number")


def number(path: Path) -> int:
    with duckdb.connect(str(path), read_only=True) as connection:
        row = connection.execute("select number from numbers").fetchone()
    assert row is not None
    return int(row[0])


def published(there: Places, content: int, keep: int = 2) -> None:
    before = publishing.stage(there)
    write(there.staged, content)
    publishing.publish(there, before, keep, lambda _: None)


# What a scheduler sees: a whole project, by the command.


def test_a_published_file_says_which_run_it_is(built: Shop) -> None:
    edition, runs = built.editions()
    assert edition == 2
    assert len(set(runs)) == 2


def test_histories_survive_from_one_refresh_to_the_next(built: Shop) -> None:
    with duckdb.connect(str(built.places.database), read_only=True) as connection:
        history = connection.sql(
            "select edition from shop.customer_value.customer_tier_history order by edition"
        ).fetchall()
    assert history == [(1,), (2,)]


def test_a_failed_test_publishes_nothing_and_can_be_retried(built: Shop, refresh: Refresh) -> None:
    built.deliver(3)
    code, facts = refresh("--vars", "{edition_limit: 2}")
    assert code == 1
    assert not facts["is_published"]
    assert "assert_edition_is_within_its_limit" in facts["failure_reason"]
    assert facts["test_fail_count"] == 1
    assert built.editions()[0] == 2
    # What failed can be looked at.
    with duckdb.connect(facts["kept"], read_only=True) as connection:
        assert connection.sql(
            "select distinct edition from shop.customer_value.customers"
        ).fetchall() == [(3,)]

    code, facts = refresh("--retry", "--vars", "{edition_limit: 3}")
    assert code == 0
    assert facts["action"] == "retry"
    assert facts["test_fail_count"] == 0
    assert built.editions()[0] == 3

    with duckdb.connect(str(built.places.database), read_only=True) as connection:
        rows = connection.sql(
            "select action, is_published, test_fail_count from shop.customer_value.refresh_log "
            "order by started_at desc limit 2"
        ).fetchall()
    assert rows == [("retry", True, 0), ("refresh", False, 1)]
    assert refresh("--retry")[0] == 2


def test_a_selection_that_leaves_two_runs_side_by_side_is_not_published(
    built: Shop, refresh: Refresh
) -> None:
    edition = built.editions()[0]
    code, facts = refresh("--select", "customer_tiers")
    assert code == 1
    assert "customers would still be of the run" in facts["failure_reason"]
    assert built.editions()[0] == edition


def test_a_rollback_returns_to_the_version_before(built: Shop, refresh: Refresh) -> None:
    edition, runs = built.editions()
    code, facts = refresh("--rollback")
    assert (code, facts["action"], facts["run_id"]) == (0, "rollback", runs[-2])
    assert built.editions() == (edition - 1, runs[:-1])
    withdrawn = built.places.withdrawn / built.places.database.name
    assert built.editions(withdrawn)[0] == edition


def test_the_history_shows_every_attempt(built: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["refresh", "--history", "--json"]) == 0
    shown = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert shown == [vars(entry) for entry in log.entries(built.places)]
    assert {entry["action"] for entry in shown} >= {"refresh", "retry", "rollback"}
    assert cli.main(["refresh", "--history"]) == 0
    page = capsys.readouterr().out
    assert page.count(" published ") + page.count("not published") >= len(shown)


def test_a_second_refresh_says_who_holds_the_lock(built: Shop, refresh: Refresh) -> None:
    holding = (
        "import sys; from pathlib import Path; from customer_value.refresh import lock, places\n"
        "with lock.held(places.Places.of(Path(sys.argv[1])), ['a', 'refresh']) as (notebook, _):\n"
        "    notebook.note('building'); print(flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", holding, str(built.places.database)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.readline()
    code, facts = refresh()
    assert code == 3
    assert facts["pid"] == process.pid
    assert facts["command"] == "a refresh"
    assert (
        f"process {process.pid} on {facts['host']}, since {facts['since']}"
        in facts["failure_reason"]
    )
    # Killed, it has left its file behind, and the lock is free all the same.
    process.kill()
    process.communicate()
    with lock.held(built.places, ["another"]) as (_, abandoned):
        assert abandoned["pid"] == process.pid
    assert not built.places.holder.exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--target", "memory"], "builds :memory:"),
        (["--target", "elsewhere"], "is of type postgres"),
        (["--target", "absent"], "has no target absent; it has dev, memory, elsewhere"),
        (["--profile", "absent"], "has no profile absent"),
        (["--project-dir", "absent"], "There is no dbt_project.yml"),
        (["--profiles-dir", "absent"], "There is no profiles.yml"),
        (["--vars", "[1]"], "--vars takes a mapping"),
        (["--vars", "{a: ["], "--vars is not readable"),
        (["--keep", "-1"], "--keep takes a number"),
        (["--selector", "a", "--select", "b"], "leave out --select"),
    ],
)
def test_what_can_not_begin_says_why(
    built: Shop, capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    assert built
    assert cli.main(["refresh", *arguments]) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert len(said.splitlines()) == 1


# The file, its versions, and who else uses it.


def test_a_reader_keeps_the_file_that_it_has_open(tmp_path: Path) -> None:
    there = places(tmp_path)
    with duckdb.connect(str(there.database), read_only=True) as connection:
        published(there, 2)
        assert connection.sql("select number from numbers").fetchall() == [(1,)]
    assert number(there.database) == 2


def test_the_last_versions_are_kept(tmp_path: Path) -> None:
    there = places(tmp_path)
    for content in (2, 3, 4, 5):
        published(there, content, keep=2)
    kept = [number(version / there.database.name) for version in publishing.versions(there)]
    assert kept == [3, 4]
    published(there, 6, keep=0)
    assert publishing.versions(there) == []


def test_going_back_twice_goes_back_two_versions(tmp_path: Path) -> None:
    there = places(tmp_path)
    for content in (2, 3):
        published(there, content)
    for expected in (2, 1):
        publishing.go_back(there, lambda _: None)
        assert number(there.database) == expected
    with pytest.raises(RefreshError, match="no version to go back to"):
        publishing.go_back(there, lambda _: None)


def test_what_another_program_wrote_meanwhile_is_not_lost(tmp_path: Path) -> None:
    there = places(tmp_path)
    before = publishing.stage(there)
    write(there.database, 7)
    with pytest.raises(RefreshError, match="changed by another program") as raised:
        publishing.publish(there, before, 2, lambda _: None)
    assert raised.value.exit_code == outcome.CHANGED_MEANWHILE
    assert number(there.database) == 7


def test_a_file_that_is_being_written_is_not_copied(tmp_path: Path) -> None:
    there = places(tmp_path)
    writing = (
        "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print(flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", writing, str(there.database)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.readline()
    with pytest.raises(RefreshError, match="another program writes it"):
        publishing.stage(there)
    process.communicate()
    publishing.stage(there)


def test_what_a_writer_left_in_its_log_is_copied_too(tmp_path: Path) -> None:
    there = places(tmp_path)
    dying = (
        "import duckdb, os, sys; c = duckdb.connect(sys.argv[1]); "
        "c.execute('update numbers set number = 8'); os._exit(1)"
    )
    subprocess.run([sys.executable, "-c", dying, str(there.database)], check=False)
    assert there.wal.exists()
    publishing.settle(there)
    assert not there.wal.exists()
    publishing.stage(there)
    assert number(there.staged) == 8


def test_what_a_killed_refresh_left_is_tidied(tmp_path: Path) -> None:
    there = places(tmp_path)
    published(there, 2)
    publishing.stage(there)
    half = there.versions / "000002"
    half.mkdir()
    os.link(there.database, half / there.database.name)
    (there.versions / "000003").mkdir()
    publishing.tidy(there)
    assert not there.staging.exists()
    assert [version.name for version in publishing.versions(there)] == ["000001"]


def test_a_link_to_the_file_stays_one(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    real = places(tmp_path / "elsewhere")
    link = tmp_path / "shop.duckdb"
    link.symlink_to(real.database)
    published(Places.of(link), 2)
    assert link.is_symlink()
    assert number(link) == 2


@pytest.mark.parametrize("is_able", [True, False])
def test_a_copy_is_equal_to_the_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_able: bool
) -> None:
    if not is_able:
        monkeypatch.delattr(os, "copy_file_range")
    source = tmp_path / "source"
    source.write_bytes(os.urandom(3_000_001))
    files.copy(source, tmp_path / "target")
    assert (tmp_path / "target").read_bytes() == source.read_bytes()


# The log.


def test_half_a_line_costs_no_other_line(tmp_path: Path) -> None:
    there = places(tmp_path, None)
    first, second = (Entry(run, "refresh", "2026-01-01T00:00:00") for run in ("a", "b"))
    log.append(there, first)
    with there.log.open("ab") as file:
        file.write(b'{"run_id": "ha')
    log.append(there, second)
    assert log.entries(there) == [first, second]


def test_rows_are_written_once(tmp_path: Path) -> None:
    there = places(tmp_path)
    entry = Entry(
        "a'b", "refresh", "2026-01-01T00:00:00.000001", failure_reason="one 'test' failed"
    )
    with duckdb.connect(str(there.database)) as connection:
        columns = ", ".join(f"{name} {kind}" for name, kind in contract().items())
        connection.execute(f"create table refresh_log ({columns})")
        for _ in range(2):
            log.write_rows(connection, "refresh_log", [entry])
        assert connection.sql("select run_id, failure_reason from refresh_log").fetchall() == [
            ("a'b", "one 'test' failed")
        ]


def test_the_contract_has_the_columns_of_an_entry() -> None:
    assert set(contract()) == set(log.COLUMNS)


def contract() -> dict[str, str]:
    path = PROJECT / "models" / "marts" / "monitoring" / "_monitoring__models.yml"
    (model,) = (
        model
        for model in yaml.safe_load(path.read_text())["models"]
        if model["name"] == "refresh_log"
    )
    return {column["name"]: column["data_type"] for column in model["columns"]}


def test_no_refresh_yet_is_said() -> None:
    assert pages.render([]) == pages.NONE_YET


# The profile.


def test_a_secret_of_the_environment_is_not_written_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dbt_project.yml").write_text("profile: shop")
    (tmp_path / "profiles.yml").write_text(
        "shop:\n  target: \"{{ env_var('SHOP_TARGET', 'dev') }}\"\n  outputs:\n    dev:\n"
        "      type: duckdb\n      path: \"{{ env_var('SHOP_FOLDER') }}/shop.duckdb\"\n"
        "      secrets: [{type: s3, secret: \"{{ env_var('SHOP_SECRET') }}\"}]\n"
    )
    monkeypatch.setenv("SHOP_FOLDER", str(tmp_path))
    monkeypatch.setenv("SHOP_SECRET", "hush")
    profile = profile_file.read(tmp_path, tmp_path, None, None, {})
    assert profile.database == tmp_path / "shop.duckdb"
    profile.write_for(tmp_path / "staging" / "shop.duckdb", tmp_path / "staging")
    written = tmp_path / "staging" / "profiles.yml"
    assert "hush" not in written.read_text()
    assert written.stat().st_mode & 0o077 == 0
    monkeypatch.delenv("SHOP_FOLDER")
    with pytest.raises(RefreshError, match="SHOP_FOLDER, which is unset"):
        profile_file.read(tmp_path, tmp_path, None, None, {})


@pytest.mark.parametrize(
    ("problem", "is_full"),
    [
        (OSError(28, "No space left on device"), True),
        (OSError(27, "File too large"), True),
        ("IO Error: Could not write file: No space left on device", True),
        (OSError(13, "Permission denied"), False),
        ("Conversion Error", False),
    ],
)
def test_a_full_disk_is_told_from_other_errors(problem: object, *, is_full: bool) -> None:
    assert outcome.is_disk_full(problem) == is_full
