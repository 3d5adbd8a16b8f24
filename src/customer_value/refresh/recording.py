"""What becomes of an attempt to refresh: logged however it ends, killed or on a full disk too."""

from __future__ import annotations

import shutil
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any

import duckdb

from customer_value.refresh import lock, log, outcome, publishing
from customer_value.refresh.outcome import Entry, Outcome, RefreshError
from customer_value.refresh.places import Places


@contextmanager
def recorded(
    places: Places, command: Sequence[str], action: str, run_id: str
) -> Iterator[tuple[lock.Held, Entry]]:
    """Hold the lock over an attempt, and log it however it ends.

    Raises:
        RefreshError: it ended early; the sentence says why.
    """
    with _terminable(), lock.held(places, command) as (notebook, abandoned):
        _log_abandoned(places, abandoned)
        entry = Entry(run_id=run_id, action=action, started_at=lock.now())
        notebook.note("beginning", entry=asdict(entry))
        try:
            yield notebook, entry
        except KeyboardInterrupt as error:
            publishing.discard(places.staging)
            raise _given_up(
                places, entry, "interrupted", "Interrupted.", outcome.INTERRUPTED
            ) from error
        except (OSError, duckdb.Error) as error:
            publishing.discard(places.staging)
            if not outcome.is_disk_full(error):
                reason = " ".join(str(error).split())
                raise _given_up(
                    places, entry, type(error).__name__, f"{reason}.", outcome.CAN_NOT_BEGIN
                ) from error
            free = shutil.disk_usage(places.root).free // 1_000_000
            raise _given_up(
                places,
                entry,
                "the disk is full",
                f"The disk that holds {places.root} is full ({free:,} MB are free), or this "
                "process may write no larger file. The copy has been removed again; make room for "
                "two more of the published file, then refresh.",
                outcome.DISK_FULL,
            ) from error
        except RefreshError as error:
            if action == "refresh":
                publishing.discard(places.staging)
            entry.failure_reason = str(error)
            _log(places, entry)
            raise


def _given_up(
    places: Places, entry: Entry, reason: str, sentence: str, exit_code: int
) -> RefreshError:
    """Log an attempt that ended early; the error to raise."""
    entry.is_published = False
    entry.failure_reason = reason
    _log(places, entry)
    return RefreshError(f"Not published. {sentence} {places.database} is as it was.", exit_code)


def _log_abandoned(places: Places, abandoned: Mapping[str, Any]) -> None:
    """Log what became of the process that held the lock last, and died."""
    facts = abandoned.get("entry")
    if not isinstance(facts, dict):
        return
    try:
        entry = Entry(**facts)
    except TypeError:
        return
    found = publishing.mark(places.database)
    entry.is_published = (
        abandoned.get("mark") is not None
        and found is not None
        and list(found[:2]) == list(abandoned["mark"][:2])
    )
    if not entry.is_published:
        entry.failure_reason = f"killed while {abandoned.get('step')}"
    if not any(item.started_at == entry.started_at for item in log.entries(places)):
        log.append(places, entry)


def ended(
    places: Places, entry: Entry, exit_code: int, sentence: str, kept: str | None = None
) -> Outcome:
    """Log an attempt that came to its end, and tell of it; kept: where its copy is left."""
    entry.is_published = exit_code == outcome.PUBLISHED
    entry.ended_at = entry.ended_at if entry.is_published and entry.ended_at else lock.now()
    _log(places, entry)
    return Outcome(
        exit_code, sentence, str(places.database), str(places.statuses), replace(entry), kept
    )


def _log(places: Places, entry: Entry) -> None:
    """Add the line; on a full disk that may fail, and what was done is done all the same."""
    entry.ended_at = entry.ended_at or lock.now()
    try:
        log.append(places, entry)
    except OSError as error:
        if not outcome.is_disk_full(error):
            raise


def count_tests(entry: Entry, statuses: Mapping[str, str]) -> None:
    """Fill in how many tests passed, warned, were skipped and failed."""
    tests = [status for name, status in statuses.items() if name.startswith("test.")]
    entry.test_pass_count = tests.count("pass")
    entry.test_warn_count = tests.count("warn")
    entry.test_skip_count = tests.count("skipped")
    entry.test_fail_count = (
        len(tests) - entry.test_pass_count - entry.test_warn_count - entry.test_skip_count
    )


@contextmanager
def _terminable() -> Iterator[None]:
    """Take the signal by which schedulers and systems end a process for what Ctrl-C is."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: Callable[..., Any] | int | None = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
