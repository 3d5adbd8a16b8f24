"""A small shop whose database is refreshed: each edition replaces every table of the last one."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import yaml

from customer_value import cli
from customer_value.refresh.places import Places

HERE = Path(__file__).resolve().parent
PACKAGE = HERE.parents[1]
ARTIFACTS = ("dbt_project.yml", "profiles.yml", "selectors.yml", "models", "tests")


@dataclass(frozen=True)
class Shop:
    """A copy of the project in a folder, where dbt is to be called, and what it publishes."""

    folder: Path

    @property
    def places(self) -> Places:
        """Where its database lies, and all that belongs to it."""
        return Places.of(self.folder / "warehouse" / "shop.duckdb")

    def deliver(self, edition: int) -> None:
        """Have the next build be of an edition."""
        (self.folder / "edition.csv").write_text(f"edition\n{edition}\n")

    def editions(self, database: Path | None = None) -> tuple[int, list[str]]:
        """The one edition that all tables are of, and the runs that published, the last one last.

        Every assertion here is what a reader relies on.
        """
        path = database or self.places.database
        with duckdb.connect(str(path), read_only=True) as connection:
            return whole(connection)


def whole(connection: duckdb.DuckDBPyConnection) -> tuple[int, list[str]]:
    """What an open database holds, after a look at whether it is all of one run."""
    connection.execute("use shop.customer_value")
    tables = [
        connection.execute(
            f"select count(*), count(distinct edition), max(edition), count(distinct run_id), "
            f"max(run_id) from {name}"
        ).fetchone()
        for name in ("customers", "customer_tiers")
    ]
    first, second = tables
    assert first == second, tables
    assert first is not None
    assert first[0] == 20000, tables
    assert first[1] == first[3] == 1, tables
    published = [
        run_id
        for (run_id,) in connection.execute(
            "select run_id from refresh_log where is_published and action <> 'rollback' "
            "order by started_at"
        ).fetchall()
    ]
    assert published[-1] == first[4], (published, first)
    comments = connection.execute(
        "select distinct comment from duckdb_tables() where schema_name = 'customer_value' "
        "and table_name <> 'int_customer_value__run'"
    ).fetchall()
    assert comments == [(f"[run_id: {first[4]}]",)], comments
    return first[2], published


def make(folder: Path) -> Shop:
    """A shop in a folder of its own, at edition 1, not yet built."""
    for name in ARTIFACTS:
        source = HERE / name
        if source.is_dir():
            shutil.copytree(source, folder / name)
        else:
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, folder / name)
    (folder / "macros").mkdir()
    shutil.copy(PACKAGE / "macros" / "run_id.sql", folder / "macros")
    monitoring = PACKAGE / "models" / "marts" / "monitoring"
    shutil.copy(monitoring / "refresh_log.sql", folder / "models")
    _write_contract(monitoring / "_monitoring__models.yml", folder / "models" / "refresh_log.yml")
    shop = Shop(folder)
    shop.deliver(1)
    return shop


# What touches files, as Python announces it before it does.
TOUCHING = {"open", "os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "shutil.rmtree"}


def refresh_as_told(
    folder: Path, arguments: Sequence[str], dies_at: int | None, largest_file: int | None
) -> None:
    """In a process of its own: refresh, and be killed just before touching files for the nth time.

    Counts into touched.txt what is touched, so that a run to the end tells how many moments there
    are. largest_file: bytes, beyond which the system refuses to write.
    """
    os.chdir(folder)
    output = os.open("output.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(output, 1)
    os.dup2(output, 2)
    touched = os.open("touched.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    count = 0

    def touch(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal count
        if event not in TOUCHING or "shop.duckdb" not in str(arguments):
            return
        if event == "open" and (arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR) == 0:
            return
        count += 1
        if count == dies_at:
            os.kill(os.getpid(), signal.SIGKILL)
        os.write(touched, f"{event} {arguments[:2]}\n".encode())

    sys.addaudithook(touch)
    if largest_file is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))
    os._exit(cli.main(["refresh", *arguments]))


def read_until_told(database: Path, stop: Path, report: Path) -> None:
    """In a process of its own: open the database again and again, and look whether it is whole."""
    count = 0
    seen = set()
    try:
        while not stop.exists():
            with duckdb.connect(str(database), read_only=True) as connection:
                seen.add(whole(connection)[0])
            count += 1
        report.write_text(f"{count} {sorted(seen)}")
    except Exception:  # noqa: BLE001 - whatever a reader sees is for the test to show
        report.write_text(traceback.format_exc())


def _write_contract(source: Path, target: Path) -> None:
    """The contract of refresh_log without what the package alone can resolve."""
    models: Sequence[dict[str, Any]] = yaml.safe_load(source.read_text())["models"]
    (model,) = (model for model in models if model["name"] == "refresh_log")
    contract = {
        "name": "refresh_log",
        "config": {"contract": {"enforced": True}},
        "columns": [
            {"name": column["name"], "data_type": column["data_type"]}
            for column in model["columns"]
        ],
    }
    target.write_text(yaml.safe_dump({"models": [contract]}, sort_keys=False))
