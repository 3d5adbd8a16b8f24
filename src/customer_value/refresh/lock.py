"""One refresh at a time: a lock of the operating system's, and a file that says who holds it.

The system frees the lock when the process ends, however it ends. So the file beside it can be left
behind by a process that was killed, and tells the next one what became of it.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from customer_value.refresh.files import write_whole
from customer_value.refresh.outcome import LOCKED, RefreshError
from customer_value.refresh.places import Places


class LockedError(RefreshError):
    """Another process refreshes; holder: what it says of itself."""

    def __init__(self, holder: dict[str, Any]) -> None:
        """Tell it from what the holder's file says, {} where it says nothing yet."""
        self.holder = holder
        who = (
            "another process, which has only just begun"
            if not holder
            else f"process {holder['pid']} on {holder['host']}, since {holder['since']}, which is "
            f"{holder['step']} ({holder['command']})"
        )
        super().__init__(f"Locked by {who}. Nothing was done; try again when it has ended.", LOCKED)


class Held:
    """The lock while it is held: a notebook of how far this process is."""

    def __init__(self, path: Path, facts: dict[str, Any]) -> None:
        """Write into a file; facts: what it says of the process, all the time."""
        self._path = path
        self._facts = facts

    def note(self, step: str, **facts: Any) -> None:  # noqa: ANN401 - whatever JSON holds
        """Write down what is being done, for who finds the lock taken, and for the next process."""
        self._facts |= {"step": step, **facts}
        write_whole(self._path, json.dumps(self._facts))


@contextmanager
def held(places: Places, command: Sequence[str]) -> Iterator[tuple[Held, dict[str, Any]]]:
    """Hold the lock; gives the notebook, and what a holder that died had written, or {}.

    Raises:
        LockedError: another process holds it.
    """
    places.root.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(places.lock, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if not _taken(descriptor):
            raise LockedError(_read(places.holder))
        abandoned = _read(places.holder)
        notebook = Held(
            places.holder,
            {
                "pid": os.getpid(),
                "host": socket.gethostname(),
                "since": now(),
                "command": " ".join(command),
            },
        )
        try:
            yield notebook, abandoned
        except RefreshError:
            # An end like any other, which has been logged. After one that nobody foresaw, the
            # next process logs what this one had written.
            places.holder.unlink(missing_ok=True)
            raise
        places.holder.unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def now() -> str:
    """The time, UTC, as the log and the holder's file write it."""
    return dt.datetime.now(dt.UTC).replace(tzinfo=None).isoformat(timespec="microseconds")


def _read(path: Path) -> dict[str, Any]:
    try:
        facts = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}


def _taken(descriptor: int) -> bool:
    if sys.platform == "win32":
        import msvcrt  # noqa: PLC0415 - only there

        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    import fcntl  # noqa: PLC0415 - not on Windows

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
