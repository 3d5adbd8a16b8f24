"""The figures that a reader looks for first, each beside what it was at the refresh before."""

from __future__ import annotations

from customer_value.report import words
from customer_value.report.page.blocks import Section, Tile
from customer_value.report.page.predictions import summed
from customer_value.report.page.tables import Tables


def section(tables: Tables) -> Section:
    """Tiles; without a customer, a sentence that says so."""
    if tables.as_of_date is None:
        return Section(
            "at-a-glance", "At a glance", ("There is no clean order yet, and so no customer.",)
        )
    tiles = [*_shop(tables), *_revenue(tables), *_ahead(tables)]
    lead = []
    if tables.previous_date is not None:
        lead.append(
            f"Changes are since {words.day(tables.previous_date)}, where no month is named."
        )
    return Section("at-a-glance", "At a glance", lead, tiles=tiles)


def _shop(tables: Tables) -> list[Tile]:
    customers, repeating, orders, net = tables.row(
        """
        select
            count(*),
            count(*) filter (order_count >= 2),
            coalesce(sum(order_count), 0),
            coalesce(sum(net_amount), 0)
        from customers
        """
    )
    before = summed(tables, tables.previous_date)
    change = customers - before.customer_count if before else 0
    brought = words.money(net, tables.currency)
    return [
        Tile(
            "Customers",
            words.count(customers),
            f"{words.counted(int(orders), 'order')}, {brought} net so far",
            words.signed(change, words.count(abs(change))) if before else "",
        ),
        Tile(
            "Came back",
            words.percent(repeating / customers if customers else None),
            f"{words.counted(repeating, 'customer')} with two or more orders",
        ),
    ]


def _revenue(tables: Tables) -> list[Tile]:
    """Of the last month that was over."""
    if not tables.has("revenue_months"):
        return []
    months = tables.rows(
        """
        select revenue_month, net_amount, order_count from revenue_months
        where revenue_month + interval 1 month <= $today
        order by revenue_month desc limit 2
        """,
        today=tables.as_of_date,
    )
    if not months:
        return []
    (month, net, orders), *earlier = months
    change = ""
    if earlier and earlier[0][1] > 0:
        moved = float(net / earlier[0][1] - 1)
        shown = words.signed(moved, words.percent(abs(moved)))
        change = f"{shown} on {words.month(earlier[0][0])}"
    return [
        Tile(
            f"Revenue of {words.month(month)}",
            words.money(net, tables.currency),
            f"net, {words.counted(orders, 'order')}",
            change,
        )
    ]


def _ahead(tables: Tables) -> list[Tile]:
    now = summed(tables, tables.as_of_date)
    before = summed(tables, tables.previous_date)
    if now is None:
        return []
    tiles = []
    if now.predicted_value is not None:
        change = ""
        if before and before.predicted_value is not None:
            moved = now.predicted_value - before.predicted_value
            change = words.signed(moved, words.money(abs(moved), tables.currency))
        tiles.append(
            Tile(
                "Predicted value",
                words.money(now.predicted_value, tables.currency),
                f"of all customers, up to {words.day(now.horizon_end_date)}",
                change,
            )
        )
    change = ""
    if before:
        points = round(100 * (now.churn_probability - before.churn_probability), 1)
        change = words.signed(points, f"{abs(points):.1f} points")
    tiles.append(
        Tile(
            "Mean risk of churn",
            words.percent(now.churn_probability),
            f"chance of no order in {words.counted(now.churn_window_days, 'day')}",
            change,
        )
    )
    return tiles
