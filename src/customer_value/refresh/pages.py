"""The log of refreshes as a page of text, for people, and as lines of JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from customer_value.refresh.outcome import Entry

NONE_YET = "No refresh yet."


def as_json(entries: Sequence[Entry]) -> str:
    """One line of JSON for each attempt."""
    return "\n".join(json.dumps(asdict(entry), ensure_ascii=False) for entry in entries)


def render(entries: Sequence[Entry]) -> str:
    """One line for each attempt, the latest one last, and below it why it failed."""
    if not entries:
        return NONE_YET
    lines = []
    for entry in entries:
        tests = entry.test_pass_count + entry.test_warn_count
        rows = f"{entry.row_count or 0:>12,} rows"
        what = f"{rows}  {tests:>4} passed  {entry.test_fail_count:>3} failed"
        end = "published" if entry.is_published else "not published"
        lines.append(
            f"{entry.started_at[:19].replace('T', ' ')}  {entry.action:<8}  "
            f"{entry.as_of_date or '-':<10}  {what}  {end}  {entry.run_id}"
        )
        if entry.failure_reason is not None:
            lines.append(f"{'':21}{' '.join(entry.failure_reason.split())}")
    return "\n".join(lines)
