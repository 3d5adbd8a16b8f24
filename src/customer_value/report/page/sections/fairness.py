"""Whether the models serve groups of customers alike, where groups are named."""

from __future__ import annotations

from customer_value.report import words
from customer_value.report.page.blocks import Section, Table
from customer_value.report.page.tables import Tables

COLUMNS = (
    "group_name",
    "group_value",
    "target",
    "metric",
    "metric_value",
    "reference_value",
    "verdict",
)


def section(tables: Tables) -> Section | None:
    """Groups that fare unlike all customers; nothing where no group is named."""
    if not tables.has("model_fairness", *COLUMNS):
        return None
    rows = tables.rows(
        """
        select
            group_name,
            group_value,
            target,
            metric,
            metric_value,
            reference_value,
            verdict,
            customer_count
        from model_fairness
        where as_of_date = $today
        order by group_name, group_value, target, metric
        """,
        today=tables.as_of_date,
    )
    if not rows:
        return None
    unequal = [row for row in rows if row[6] == "unequal"]
    if not unequal:
        lead = "No group that is watched fares unlike all customers by more than its threshold."
        return Section("fairness", "Are groups served alike?", (lead,))
    table = Table(
        "Groups that fare unlike all customers",
        ("group", "of", "target", "figure", "group’s", "all customers’", "customers"),
        [
            (
                words.spoken(group),
                words.spoken(name),
                words.spoken(target),
                words.spoken(metric),
                f"{value:.3f}",
                f"{reference:.3f}",
                words.count(customers),
            )
            for name, group, target, metric, value, reference, _, customers in unequal
        ],
        frozenset({1, 2, 3}),
    )
    is_one = len(unequal) == 1
    lead = (
        f"{words.counted(len(unequal), 'figure')} of a group {'is' if is_one else 'are'} further "
        "from all customers’ than its threshold, and by more than chance. Look into "
        f"{'it' if is_one else 'them'} before acting on scores of these groups."
    )
    return Section("fairness", "Are groups served alike?", (lead,), tables=[table])
