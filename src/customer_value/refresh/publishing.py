"""Putting a file in the published one's place, keeping the versions before, and going back.

A reader opens the published file by its name. The name is moved from the old file to the new one in
one step of the file system; who has the old one open keeps it.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from customer_value.refresh.files import copy, link_or_copy, sync
from customer_value.refresh.outcome import CHANGED_MEANWHILE, RefreshError
from customer_value.refresh.places import Places

# Tells a file from the one before it, and from itself after somebody has written into it.
Mark = tuple[int, int, int, int]


def mark(path: Path) -> Mark | None:
    """What tells a file, or None where there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def settle(places: Places) -> None:
    """Before anything else: nothing of the published file may be waiting outside of it.

    A plain dbt build that was cut off leaves a write-ahead log beside the file, which belongs to
    that file alone; beside another one it would be wrong.

    Raises:
        RefreshError: the file is in use, so that it can't be settled.
    """
    if not places.wal.exists():
        return
    try:
        with duckdb.connect(str(places.database)) as connection:
            connection.execute("checkpoint")
    except duckdb.Error as error:
        raise RefreshError(
            f"{places.wal} is left of a program that was cut off, or still writes, and "
            f"{places.database} is in use, so it can't be put in order. End what has it open, then "
            "try again.",
            CHANGED_MEANWHILE,
        ) from error
    places.wal.unlink(missing_ok=True)


@contextmanager
def nobody_writes(places: Places) -> Iterator[None]:
    """Keep writers out of the published file; readers stay, and come, as they like.

    Raises:
        RefreshError: somebody is writing, or the file is no database.
    """
    if not places.database.exists():
        yield
        return
    try:
        connection = duckdb.connect(str(places.database), read_only=True)
    except duckdb.Error as error:
        raise RefreshError(
            f"{places.database} can't be opened for reading: another program writes it, or it is "
            f"no DuckDB file ({str(error).splitlines()[0]}).",
            CHANGED_MEANWHILE,
        ) from error
    with connection:
        yield


def stage(places: Places) -> Mark | None:
    """Make the copy that is to be built, of nothing on the first run; the published file's mark."""
    discard(places.staging)
    places.staging.mkdir(parents=True)
    with nobody_writes(places):
        before = mark(places.database)
        if before is not None:
            copy(places.database, places.staged)
    return before


def publish(
    places: Places, before: Mark | None, keep: int, announce: Callable[[Mark], None]
) -> None:
    """Put the staged file in the published one's place, which becomes a version.

    Args:
        places: of both.
        before: what the published file was when the copy was made.
        keep: how many versions stay.
        announce: is called with the mark of the file just before it is published.

    Raises:
        RefreshError: somebody has written the published file since, or is writing it.
    """
    sync(places.staged)
    with nobody_writes(places):
        if mark(places.database) != before or places.wal.exists():
            raise RefreshError(
                f"{places.database} was changed by another program while this built. Nothing was "
                "published: its changes would be lost. Refresh again, and let nothing else write "
                "it.",
                CHANGED_MEANWHILE,
            )
        if before is not None and keep > 0:
            version = _next_version(places)
            version.mkdir(parents=True)
            link_or_copy(places.database, version / places.database.name)
            sync(version)
        _put_in_place(places, places.staged, announce)
    prune(places, keep)


def go_back(places: Places, announce: Callable[[Mark], None]) -> None:
    """Publish the version before; the file that it replaces is kept apart, as withdrawn.

    Nothing is copied, so that it also works where the disk is full.

    Raises:
        RefreshError: there is no version before.
    """
    found = versions(places)
    if not found:
        raise RefreshError(
            f"There is no version to go back to in {places.versions}. Nothing was done."
        )
    version = found[-1]
    discard(places.staging)
    places.staging.mkdir(parents=True)
    with nobody_writes(places):
        if places.database.exists():
            discard(places.withdrawn)
            places.withdrawn.mkdir(parents=True)
            link_or_copy(places.database, places.withdrawn / places.database.name)
        link_or_copy(version / places.database.name, places.staged)
        _put_in_place(places, places.staged, announce)
    discard(version)
    discard(places.staging)


def versions(places: Places) -> list[Path]:
    """The folders of the versions, the oldest first."""
    if not places.versions.is_dir():
        return []
    numbered = [path for path in places.versions.iterdir() if path.name.isdigit()]
    return sorted(numbered, key=lambda path: int(path.name))


def tidy(places: Places) -> None:
    """Clear away what a process that was killed may have left half done."""
    discard(places.staging)
    published = mark(places.database)
    for version in versions(places):
        found = mark(version / places.database.name)
        # Killed between the two names of one file, the published one is no version of itself; and
        # a folder without a file is none.
        if found is None or (published is not None and found[:2] == published[:2]):
            discard(version)


def prune(places: Places, keep: int) -> None:
    """Let go of all versions but the last few."""
    found = versions(places)
    for version in found[: max(len(found) - keep, 0)]:
        discard(version)


def discard(folder: Path) -> None:
    """Remove a folder and all that is in it, if it is there."""
    shutil.rmtree(folder, ignore_errors=True)


def _next_version(places: Places) -> Path:
    found = versions(places)
    return places.versions / f"{int(found[-1].name) + 1 if found else 1:06}"


def _put_in_place(places: Places, file: Path, announce: Callable[[Mark], None]) -> None:
    if (found := mark(file)) is None:
        raise RefreshError(f"The build left no {file}, so there is nothing to publish.")
    announce(found)
    file.replace(places.database)
    sync(places.database.parent)
