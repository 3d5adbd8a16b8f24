"""What comes of a refresh: its exit code, its line in the log, and the sentence for people."""

from __future__ import annotations

import errno
import json
from dataclasses import asdict, dataclass
from typing import Any

from customer_value.errors import SentenceError

PUBLISHED = 0
NOT_PASSED = 1
CAN_NOT_BEGIN = 2
LOCKED = 3
DISK_FULL = 4
CHANGED_MEANWHILE = 5
# As a shell has it for a command that Ctrl-C ended.
INTERRUPTED = 130

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
# How the engine puts it, in whose messages the number of the error is lost.
FULL_WORDS = ("No space left on device", "File too large", "Disk quota exceeded", "disk is full")


class RefreshError(SentenceError):
    """A refresh that ends without publishing; the exit code says what kind of end it is."""

    def __init__(self, sentence: str, exit_code: int = CAN_NOT_BEGIN) -> None:
        """Tell it in a sentence."""
        super().__init__(sentence)
        self.exit_code = exit_code


@dataclass
class Entry:
    """One attempt to refresh, retry or roll back: a line of the log, a row of refresh_log.

    Times are UTC, in ISO 8601; ended_at is None where nobody was left to see the end.
    rows_by_table: rows of each table of the package, as a JSON object; row_count: their sum.
    """

    run_id: str
    action: str
    started_at: str
    ended_at: str | None = None
    as_of_date: str | None = None
    row_count: int | None = None
    rows_by_table: str | None = None
    test_pass_count: int = 0
    test_warn_count: int = 0
    test_fail_count: int = 0
    test_skip_count: int = 0
    is_published: bool = False
    failure_reason: str | None = None


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended.

    sentence: for people. statuses: a JSON file of what came of each node, by dbt's name of it, in
    all commands of the last build. kept: the copy, of a build that did not pass.
    """

    exit_code: int
    sentence: str
    database: str
    statuses: str
    entry: Entry
    kept: str | None = None

    def to_json(self) -> str:
        """All of it on one line."""
        return json.dumps(
            {
                "exit_code": self.exit_code,
                "sentence": self.sentence,
                "database": self.database,
                "statuses": self.statuses,
                "kept": self.kept,
                **asdict(self.entry),
            },
            ensure_ascii=False,
        )


def is_disk_full(problem: object) -> bool:
    """Whether an error, or what one says, means that there was no room to write."""
    if isinstance(problem, OSError) and problem.errno in FULL:
        return True
    return any(words in str(problem) for words in FULL_WORDS)


def error_as_json(error: SentenceError, further: dict[str, Any]) -> str:
    """An end before there was anything to log, on one line."""
    return json.dumps(
        {
            "exit_code": error.exit_code,
            "is_published": False,
            "failure_reason": str(error),
            **further,
        },
        ensure_ascii=False,
    )
