"""The latest refreshes: what was tested, and what was published or why not."""

from __future__ import annotations

from customer_value.report import words
from customer_value.report.page.blocks import Section, Table
from customer_value.report.page.tables import Tables

MOST_REFRESHES = 8


def section(tables: Tables) -> Section | None:
    """Nothing where `customer-value refresh` has never run."""
    if not tables.has("refresh_log", "started_at", "is_published", "failure_reason"):
        return None
    rows = tables.rows(
        """
        select
            started_at,
            as_of_date,
            test_pass_count,
            coalesce(test_warn_count, 0),
            coalesce(test_fail_count, 0),
            is_published,
            failure_reason
        from refresh_log
        order by started_at desc, run_id, action
        limit $refreshes
        """,
        refreshes=MOST_REFRESHES,
    )
    if not rows:
        return None
    failed = sum(not row[5] for row in rows)
    lead = "Each of the latest refreshes passed its tests and was published."
    if failed:
        lead = (
            f"{failed} of the latest {words.counted(len(rows), 'refresh', 'refreshes')} "
            f"{'was' if failed == 1 else 'were'} not published; readers kept the tables before."
        )
    table = Table(
        "The latest refreshes, in UTC",
        ("started", "as of", "tests passed", "warned", "failed", "outcome"),
        [
            (
                f"{started:%Y-%m-%d %H:%M}",
                words.day(date),
                words.NOT_KNOWN if passed is None else words.count(passed),
                words.count(warned),
                words.count(failures),
                "published" if is_published else words.shortened(reason or "not published", 120),
            )
            for started, date, passed, warned, failures, is_published, reason in rows
        ],
        frozenset({1, 5}),
    )
    return Section("refreshes", "Did refreshes go well?", (lead,), tables=[table])
