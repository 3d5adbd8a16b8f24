"""Satisfaction: what reviews and refunds let think, and who came back."""

from __future__ import annotations

from customer_value.report import words
from customer_value.report.page import drawing, plots
from customer_value.report.page.blocks import Picture, Table
from customer_value.report.page.tables import Tables

LEVELS = ("satisfied", "neutral", "dissatisfied", "unknown")
COLOURS = {
    "satisfied": drawing.BLUE,
    "neutral": drawing.LIGHT_BLUE,
    "dissatisfied": drawing.RED,
}


def pictures(tables: Tables) -> list[Picture]:
    """Customers by level, and retention by the level that was known before."""
    return [*_levels(tables), *_retention(tables)]


def _levels(tables: Tables) -> list[Picture]:
    if not tables.has("customer_satisfaction", "satisfaction_level"):
        return []
    rows = tables.rows(
        "select satisfaction_level, count(*) from customer_satisfaction group by all"
    )
    counts: dict[str, int] = {row[0]: row[1] for row in rows}
    total = sum(counts.values())
    known = total - counts.get("unknown", 0)
    # Of a shop without reviews and refunds there is nothing to show.
    if not known:
        return []
    levels = [*(level for level in LEVELS if level in counts), *sorted({*counts} - {*LEVELS})]
    unhappy = counts.get("dissatisfied", 0)
    groups = [
        plots.single(
            level,
            counts[level],
            f"{words.compact(counts[level])}, {words.percent(counts[level] / total)}",
            COLOURS.get(level, drawing.GREY),
        )
        for level in levels
    ]
    picture = Picture(
        f"{words.percent(unhappy / known)} of the {words.counted(known, 'customer')} of whom "
        "something is known are dissatisfied",
        f"Bars of customers by {words.counted(len(levels), 'level')} of satisfaction.",
        lambda space: plots.bars(space, groups),
        Table(
            "Customers by satisfaction",
            ("level", "customers", "share"),
            [
                (
                    words.spoken(level),
                    words.count(counts[level]),
                    words.percent(counts[level] / total),
                )
                for level in levels
            ],
        ),
        "Customers by what their reviews and refunds let think.",
    )
    return [picture]


def _retention(tables: Tables) -> list[Picture]:
    columns = ("retention_rate", "retention_rate_lower", "compared_retention_rate", "verdict")
    if not tables.has("satisfaction_retention", *columns):
        return []
    rows = tables.rows(
        """
        select
            satisfaction_level,
            customer_count,
            retained_customer_count,
            retention_rate,
            retention_rate_lower,
            retention_rate_upper,
            compared_retention_rate,
            verdict,
            observed_from_date,
            observed_to_date
        from satisfaction_retention
        order by satisfaction_level
        """
    )
    if all(row[0] == "unknown" for row in rows):
        return []
    rows.sort(key=lambda row: (LEVELS.index(row[0]) if row[0] in LEVELS else len(LEVELS), row[0]))
    drawn = [
        plots.Interval(
            words.spoken(level),
            rate,
            lower,
            upper,
            words.percent(rate),
            COLOURS.get(level, drawing.GREY),
        )
        for level, _, _, rate, lower, upper, *_ in rows
    ]
    verdicts = {row[0]: row[7] for row in rows}
    told = [level for level in verdicts if verdicts[level] in ("lower", "higher")]
    title = "No level of satisfaction came back unlike others by more than chance"
    if told:
        level = "dissatisfied" if "dissatisfied" in told else told[0]
        more = "more" if verdicts[level] == "higher" else "less"
        title = f"{words.spoken(level).capitalize()} customers came back {more} often than others"
    start, end = rows[0][8:]
    picture = Picture(
        title,
        f"Share of customers who ordered again, with its interval, by {len(rows)} levels of "
        "satisfaction.",
        lambda space: plots.intervals(space, drawn, words.percent),
        Table(
            "Who ordered again, by the satisfaction known before",
            (
                "level",
                "customers",
                "came back",
                "share",
                "95% interval",
                "others alike",
                "beside them",
            ),
            [
                (
                    words.spoken(level),
                    words.count(customers),
                    words.count(retained),
                    words.exact_percent(rate),
                    f"{words.exact_percent(lower)} to {words.exact_percent(upper)}",
                    words.percent(compared),
                    words.spoken(verdict),
                )
                for level, customers, retained, rate, lower, upper, compared, verdict, *_ in rows
            ],
            frozenset({6}),
        ),
        f"Share of the customers of each level on {words.day(start)} who ordered before "
        f"{words.day(end)}, with its 95% interval. It tells what goes together, and of no cause; "
        "the table holds each level beside others whose recency and orders were alike.",
    )
    return [picture]
