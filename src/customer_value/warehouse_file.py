"""A DuckDB file opened for reading while a refresh may put another in its place."""

from __future__ import annotations

from pathlib import Path

import duckdb

ATTEMPTS = 20

Identity = tuple[int, int, int]


def attach(connection: duckdb.DuckDBPyConnection, path: Path, name: str) -> None:
    """Attach the file under a name, read only, so that all of it is of one refresh.

    DuckDB may open a file more than once: to see what it is, for its header, for the rest. If
    another file takes its place in between, the parts are of two: then all is opened once more.

    Args:
        connection: of a database in memory: it shares no file that is already open elsewhere in
            the process, which may be an older one.
        path: the file.
        name: what to call its catalog. It is not the file's own name, which a schema in it has too.

    Raises:
        duckdb.Error: it can't be opened, for another reason than that.
    """
    quoted_path = str(path.resolve()).replace("'", "''")
    quoted_name = name.replace('"', '""')
    for attempt in range(ATTEMPTS):
        before = _identity(path)
        try:
            connection.execute(
                f"attach '{quoted_path}' as \"{quoted_name}\" (type duckdb, read_only)"
            )
        except duckdb.Error:
            if _identity(path) == before or attempt == ATTEMPTS - 1:
                raise
            continue
        if _identity(path) == before:
            return
        connection.execute(f'detach "{quoted_name}"')
    raise duckdb.IOException(f"{path} was replaced {ATTEMPTS} times while it was opened.")


def _identity(path: Path) -> Identity | None:
    """What tells the file that has this name now from the one that had it, or None without one."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino, status.st_mtime_ns
