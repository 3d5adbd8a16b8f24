"""Refreshing, killed, out of disk and watched: readers see the old tables or the new, whole."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

import refreshed_shop
from customer_value.refresh import log, publishing
from refreshed_shop import Shop

# dbt is loaded once, by the process that all others are forked from.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["customer_value.refresh.builds", "refreshed_shop"])
KEEP = 2
# Far beyond what the blocks that a new build frees would hold.
LARGE = "{customer_count: 1000000}"
MOMENTS_OF_TOUCHING = 22
MOMENTS_IN_TIME = 10
Process = Any


def start(
    shop: Shop, *more: str, dies_at: int | None = None, largest_file: int | None = None
) -> Process:
    process = FORKS.Process(
        target=refreshed_shop.refresh_as_told,
        args=(shop.folder, ["--keep", str(KEEP), *more], dies_at, largest_file),
    )
    process.start()
    return process


def refreshed(shop: Shop, *more: str, **limits: Any) -> int:
    process = start(shop, *more, **limits)
    process.join()
    return int(process.exitcode)


def output(shop: Shop) -> str:
    return (shop.folder / "output.txt").read_text()


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A shop that has published editions 1 and 2."""
    made = refreshed_shop.make(tmp_path / "a shop")
    for edition in (1, 2):
        made.deliver(edition)
        assert refreshed(made) == 0, output(made)
    return made


@pytest.fixture
def reader(shop: Shop, tmp_path: Path) -> Iterator[Path]:
    """Somebody who opens the published file all the time; fails the test if one look went wrong."""
    stop, report = tmp_path / "stop", tmp_path / "report"
    process = FORKS.Process(
        target=refreshed_shop.read_until_told, args=(shop.places.database, stop, report)
    )
    process.start()
    yield report
    stop.touch()
    process.join()
    looks, _, editions = report.read_text().partition(" ")
    assert looks.isdigit(), report.read_text()
    assert int(looks) > 10
    assert len(json.loads(editions)) > 1


def moments(shop: Shop) -> list[int | float]:
    """When to kill: before the nth touch of a file, or so many seconds after the start.

    Every touch from the first that publishes on, and others at random.
    """
    shop.deliver(3)
    began = time.monotonic()
    assert refreshed(shop) == 0, output(shop)
    seconds = time.monotonic() - began
    touched = (shop.folder / "touched.txt").read_text().splitlines()
    publishes = [
        number
        for number, line in enumerate(touched, 1)
        if "versions" in line or ("os.rename" in line and ".json" not in line)
    ]
    assert publishes
    chance = random.Random(20260101)
    late = [*range(publishes[0], len(touched) + 1)]
    early = [*range(1, publishes[0])]
    drawn: list[int | float] = [*chance.sample(late, min(len(late), MOMENTS_OF_TOUCHING // 2))]
    drawn += chance.sample(early, min(len(early), MOMENTS_OF_TOUCHING - len(drawn)))
    drawn += [chance.uniform(0, seconds) for _ in range(MOMENTS_IN_TIME)]
    chance.shuffle(drawn)
    return drawn


def test_killed_at_any_moment_the_published_file_is_whole_and_the_next_refresh_succeeds(
    shop: Shop, reader: Path
) -> None:
    assert reader
    edition = 3
    ends = []
    for moment in moments(shop):
        before, after = edition, edition + 1
        shop.deliver(after)
        process = start(shop, dies_at=moment if isinstance(moment, int) else None)
        if isinstance(moment, float):
            process.join(moment)
            process.kill()
        process.join()
        assert process.exitcode in {-9, 0}, output(shop)
        seen, _ = shop.editions()
        assert seen in {before, after}, moment
        logged = len(log.entries(shop.places))

        edition = after + 1
        shop.deliver(edition)
        assert refreshed(shop) == 0, output(shop)
        assert shop.editions()[0] == edition
        assert not shop.places.staging.exists()
        assert not shop.places.holder.exists()
        assert len(publishing.versions(shop.places)) <= KEEP
        new = log.entries(shop.places)[logged:]
        assert new[-1].is_published
        # Whoever was killed is logged by the one who came next, unless it had not begun, or ended.
        for killed in new[:-1]:
            assert killed.is_published == (seen == after), moment
            assert killed.is_published or "killed while" in (killed.failure_reason or "")
        ends.append((process.exitcode, seen == after))
    # Before and after the step that publishes: the test would prove little if all were on one side.
    assert {(-9, False), (-9, True)} <= set(ends)
    with duckdb.connect(str(shop.places.database), read_only=True) as connection:
        assert connection.execute(
            "select count(*) from shop.customer_value.refresh_log where not is_published"
        ).fetchone() != (0,)


def test_a_killed_refresh_of_the_package_itself_leaves_the_published_tables_whole(
    tmp_path: Path,
) -> None:
    """The real project, on a few hundred orders, killed while it builds."""
    root = Path(__file__).resolve().parents[2]
    orders = tmp_path / "orders.csv"
    with duckdb.connect() as connection:
        connection.execute(
            "copy (select 'o' || n as order_id, 'c' || n % 40 as customer_id, "
            "date '2025-01-01' + cast(n as integer) as ordered_at, 10 + n % 7 as amount "
            f"from range(300) as orders(n)) to '{orders}'"
        )
    environment = {
        **os.environ,
        "CUSTOMER_VALUE_WAREHOUSE": str(tmp_path / "customer_value.duckdb"),
    }
    variables = json.dumps({"inputs": {"orders": {"path": str(orders)}}})
    command = [
        *(str(root / ".venv" / "bin" / "customer-value"), "refresh", "--profiles-dir", "profiles"),
        *("--select", "+customers", "refresh_log", "--indirect-selection", "cautious"),
        *("--vars", variables, "--json"),
    ]

    def run() -> dict[str, Any]:
        finished = subprocess.run(
            command, cwd=root, env=environment, capture_output=True, text=True, check=False
        )
        assert finished.returncode == 0, finished.stdout + finished.stderr
        found: dict[str, Any] = json.loads(finished.stdout.splitlines()[-1])
        return found

    def published() -> tuple[Any, ...]:
        with duckdb.connect(environment["CUSTOMER_VALUE_WAREHOUSE"], read_only=True) as connection:
            schema = "customer_value.customer_value"
            row = connection.execute(
                f"select min(run_id), max(run_id), count(*) from {schema}.customers"
            ).fetchone()
            assert row is not None
            return row

    first = run()
    assert published() == (first["run_id"], first["run_id"], 40)
    process = subprocess.Popen(
        command, cwd=root, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    staged = tmp_path / "customer_value.duckdb.refresh" / "staging" / "customer_value.duckdb.wal"
    while not staged.exists() and process.poll() is None:
        time.sleep(0.05)
    process.kill()
    process.wait()
    assert published() == (first["run_id"], first["run_id"], 40)
    second = run()
    assert published() == (second["run_id"], second["run_id"], 40)


def test_readers_keep_what_they_have_open_and_new_ones_see_the_new_file(
    shop: Shop, reader: Path
) -> None:
    assert reader
    with duckdb.connect(str(shop.places.database), read_only=True) as connection:
        assert refreshed_shop.whole(connection)[0] == 2
        for edition in (3, 4):
            shop.deliver(edition)
            assert refreshed(shop) == 0, output(shop)
            # Opened before, by this process; looked at anew, by another one.
            assert refreshed_shop.whole(connection)[0] == 2
            assert seen_by_a_newcomer(shop) == edition
    assert refreshed(shop, "--rollback") == 0, output(shop)
    assert seen_by_a_newcomer(shop) == 3


def seen_by_a_newcomer(shop: Shop) -> int:
    script = (
        "import sys; from pathlib import Path; import refreshed_shop; "
        "print(refreshed_shop.Shop(Path(sys.argv[1])).editions()[0])"
    )
    finished = subprocess.run(
        [str(refreshed_shop.PACKAGE / ".venv/bin/python"), "-c", script, str(shop.folder)],
        env={**os.environ, "PYTHONPATH": str(refreshed_shop.HERE)},
        capture_output=True,
        text=True,
        check=True,
    )
    return int(finished.stdout)


@pytest.mark.parametrize("share", [0.5, 1.1], ids=["while_copying", "while_building"])
def test_without_room_to_write_nothing_changes_and_the_next_refresh_succeeds(
    shop: Shop, share: float
) -> None:
    """Files may be no larger than so much of the published one, as under a quota."""
    shop.deliver(3)
    size = shop.places.database.stat().st_size
    code = refreshed(shop, "--json", "--vars", LARGE, largest_file=int(size * share))
    assert_the_disk_was_full(shop, code)


def test_on_a_full_disk_nothing_changes_and_the_next_refresh_succeeds(
    shop: Shop, tmp_path: Path
) -> None:
    """A small file system of its own where the system lets us mount one, else a quota."""
    size = shop.places.database.stat().st_size
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={20 * size}", "tmpfs", str(disk)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode != 0:
        shop.deliver(3)
        code = refreshed(shop, "--json", "--vars", LARGE, largest_file=size + 4096)
        assert_the_disk_was_full(shop, code)
        return
    try:
        warehouse = shop.folder / "warehouse"
        shutil.copytree(warehouse, disk / "warehouse")
        shutil.rmtree(warehouse)
        warehouse.symlink_to(disk / "warehouse")
        filler = disk / "filler"
        # Room for the copy, and not for what is built in it.
        with filler.open("wb") as file:
            file.write(b"0" * (shutil.disk_usage(disk).free - size - size // 4))
        shop.deliver(3)
        code = refreshed(shop, "--json", "--vars", LARGE)
        filler.unlink()
        assert_the_disk_was_full(shop, code)
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def assert_the_disk_was_full(shop: Shop, code: int) -> None:
    assert code == 4, output(shop)
    assert "is full" in output(shop)
    assert shop.editions()[0] == 2
    assert not shop.places.staging.exists()
    assert refreshed(shop) == 0, output(shop)
    assert shop.editions()[0] == 3
    assert [entry.is_published for entry in log.entries(shop.places)] == [True, True, False, True]


def test_a_second_refresh_is_told_who_refreshes(shop: Shop) -> None:
    shop.deliver(3)
    first = start(shop)
    while not shop.places.holder.exists():
        time.sleep(0.01)
    second = refreshed(shop, "--json")
    said = output(shop)
    first.join()
    assert (first.exitcode, second) == (0, 3)
    assert f"process {first.pid} on" in said
    assert shop.editions()[0] == 3
