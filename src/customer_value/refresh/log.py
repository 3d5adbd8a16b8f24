"""The log of every attempt: lines beside the published file, and rows of its refresh_log.

A refresh that fails throws its database away, so the lines are what is written at once; the rows
are caught up by the next refresh that publishes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, fields

import duckdb

from customer_value.refresh.outcome import Entry
from customer_value.refresh.places import Places

TABLE = "refresh_log"
COLUMNS = tuple(field.name for field in fields(Entry))


def append(places: Places, entry: Entry) -> None:
    """Add a line, after whatever half of one a full disk may have left."""
    places.root.mkdir(parents=True, exist_ok=True)
    line = json.dumps(asdict(entry), ensure_ascii=False) + "\n"
    with places.log.open("ab+") as file:
        if file.seek(0, os.SEEK_END) > 0:
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                line = "\n" + line
        file.write(line.encode("utf-8"))
        file.flush()
        os.fsync(file.fileno())


def entries(places: Places) -> list[Entry]:
    """Every attempt, the first one first; a line that can't be read is none."""
    if not places.log.exists():
        return []
    found = []
    for line in places.log.read_bytes().decode("utf-8", errors="replace").splitlines():
        try:
            facts = json.loads(line)
            found.append(Entry(**{name: facts[name] for name in COLUMNS if name in facts}))
        except (ValueError, TypeError):
            continue
    return found


def write_rows(
    connection: duckdb.DuckDBPyConnection, relation: str, entries: Sequence[Entry]
) -> None:
    """Add to the table refresh_log the attempts that it does not have yet."""
    there = set(
        connection.execute(f"select run_id, cast(started_at as varchar) from {relation}").fetchall()
    )
    names = ", ".join(COLUMNS)
    marks = ", ".join("?" for _ in COLUMNS)
    connection.begin()
    for entry in entries:
        started_at = connection.execute(
            "select cast(cast(? as timestamp) as varchar)", [entry.started_at]
        ).fetchone()
        if started_at is None or (entry.run_id, started_at[0]) in there:
            continue
        connection.execute(
            f"insert into {relation} ({names}) values ({marks})",
            [getattr(entry, name) for name in COLUMNS],
        )
    connection.commit()
