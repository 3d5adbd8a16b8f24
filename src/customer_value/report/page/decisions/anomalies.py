"""Orders that stand out, by what is unusual about them."""

from __future__ import annotations

from customer_value.report import words
from customer_value.report.page import plots
from customer_value.report.page.blocks import Picture, Table
from customer_value.report.page.tables import Tables

RECENT_DAYS = 28
KINDS = {
    "amount_for_customer": "odd for customer",
    "amount_for_shop": "odd for the shop",
    "burst": "burst of orders",
    "refunds": "many refunds",
}


def pictures(tables: Tables) -> list[Picture]:
    """How many of each kind."""
    if not tables.has("order_anomalies", "anomaly_kind", "order_date"):
        return []
    rows = tables.rows(
        """
        select
            anomaly_kind,
            count(*),
            count(*) filter (order_date >= as_of_date - $days),
            count(distinct customer_id),
            max(order_date)
        from order_anomalies
        group by anomaly_kind
        order by count(*) desc, anomaly_kind
        """,
        days=RECENT_DAYS,
    )
    if not rows:
        return []
    total, recent = tables.row(
        """
        select
            count(distinct order_id),
            count(distinct order_id) filter (order_date >= as_of_date - $days)
        from order_anomalies
        """,
        days=RECENT_DAYS,
    )
    groups = [
        plots.single(
            KINDS.get(kind, kind), count, f"{words.compact(count)}, {words.compact(late)} lately"
        )
        for kind, count, late, *_ in rows
    ]
    verb = "stands" if total == 1 else "stand"
    picture = Picture(
        f"{words.counted(total, 'order')} {verb} out, {words.count(recent)} of the last "
        f"{RECENT_DAYS} days",
        f"Bars of orders that stand out, by {words.counted(len(rows), 'kind')} of anomaly.",
        lambda space: plots.bars(space, groups),
        Table(
            "Orders that stand out",
            ("what is unusual", "orders", f"of the last {RECENT_DAYS} days", "customers", "latest"),
            [
                (
                    KINDS.get(kind, words.spoken(kind)),
                    words.count(count),
                    words.count(late),
                    words.count(customers),
                    words.day(latest),
                )
                for kind, count, late, customers, latest in rows
            ],
        ),
        "Orders far from the customer’s habit or the shop’s, bursts of orders, and more refunds "
        "than chance gives, since the first order. Rare is not wrong: each has its reason in words "
        "in the table order_anomalies.",
    )
    return [picture]
