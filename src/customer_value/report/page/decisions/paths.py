"""Paths: how far sessions come, what each step is worth, and what becomes of carts."""

from __future__ import annotations

from decimal import Decimal

from customer_value.report import words
from customer_value.report.page import drawing, plots
from customer_value.report.page.blocks import Picture, Table
from customer_value.report.page.tables import Tables

MOST_STEPS = 10
CART_COLOURS = {"bought": drawing.BLUE, "open": drawing.LIGHT_BLUE, "left": drawing.SAND}


def pictures(tables: Tables) -> list[Picture]:
    """The funnel, the steps and the carts."""
    return [*_funnel(tables), *_steps(tables), *_carts(tables)]


def _funnel(tables: Tables) -> list[Picture]:
    if not tables.has("path_funnels", "conversion_from_previous_rate"):
        return []
    rows = tables.rows(
        """
        select
            step,
            session_count,
            customer_count,
            conversion_from_previous_rate,
            conversion_lower_rate,
            conversion_upper_rate,
            conversion_from_start_rate
        from path_funnels
        where segment_kind = 'all'
        order by step_number
        """
    )
    if not rows:
        return []
    later = [row for row in rows if row[3] is not None]
    title = f"{words.counted(rows[0][1], 'session')}, none of them with a step of the funnel"
    if later:
        hardest = min(later, key=lambda row: (row[3], row[0]))
        before = rows[rows.index(hardest) - 1]
        title = (
            f"The narrowest step is {words.spoken(hardest[0])}: {words.percent(hardest[3])} of the "
            f"sessions that reach {words.spoken(before[0])} go on to it"
        )
    groups = [
        plots.Group(
            step,
            [
                plots.Bar(
                    count,
                    words.count(count)
                    + ("" if rate is None else f", {words.percent(rate)} of the step before"),
                    short_text=words.compact(count)
                    + ("" if rate is None else f", {words.percent(rate)}"),
                )
            ],
        )
        for step, count, _, rate, *_ in rows
    ]
    picture = Picture(
        title,
        f"Bars of sessions that reached each of {words.counted(len(rows), 'step')} in their order.",
        lambda space: plots.bars(space, groups),
        Table(
            "Sessions by how far they came",
            (
                "step",
                "sessions",
                "customers",
                "of the step before",
                "95% interval",
                "of all sessions",
            ),
            [
                (
                    words.spoken(step),
                    words.count(count),
                    words.count(customers),
                    words.percent(rate),
                    words.NOT_KNOWN
                    if lower is None
                    else f"{words.exact_percent(lower)} to {words.exact_percent(upper)}",
                    words.percent(of_all),
                )
                for step, count, customers, rate, lower, upper, of_all in rows
            ],
        ),
        "Sessions that reached a step after every step before it, and their share of those at the "
        "step before.",
    )
    return [picture]


def _steps(tables: Tables) -> list[Picture]:
    if not tables.has("path_steps", "path_event", "removal_effect"):
        return []
    rows = tables.rows(
        """
        select
            path_event,
            path_count,
            conversion_with_rate,
            conversion_without_rate,
            exit_rate,
            removal_effect,
            avoidance_effect
        from path_steps
        where path_event <> '(purchase)' and removal_effect > 0
        order by removal_effect desc, path_event
        limit $most
        """,
        most=MOST_STEPS,
    )
    if not rows:
        return []
    groups = [plots.single(row[0], row[5], words.percent(row[5])) for row in rows]
    picture = Picture(
        f"Without {words.shortened(words.spoken(rows[0][0]), 40)}, {words.percent(rows[0][5])} of "
        "purchases would be lost",
        f"Bars of the share of purchases that hang on each of {words.counted(len(rows), 'event')}.",
        lambda space: plots.bars(space, groups),
        Table(
            "The steps that most purchases hang on",
            (
                "event",
                "paths",
                "purchases with it",
                "without it",
                "ends the session",
                "lost if it were an exit",
                "gained if it were avoided",
            ),
            [
                (
                    words.spoken(event),
                    words.count(paths),
                    words.percent(with_it),
                    words.percent(without),
                    words.percent(leaving),
                    words.exact_percent(removal),
                    words.NOT_KNOWN
                    if avoidance is None
                    else words.signed(avoidance, words.exact_percent(abs(avoidance))),
                )
                for event, paths, with_it, without, leaving, removal, avoidance in rows
            ],
        ),
        "Share of purchases lost if whoever comes to the event left instead, by a Markov chain. It "
        "tells which steps purchases pass through, not that more of a step would sell more.",
    )
    return [picture]


def _carts(tables: Tables) -> list[Picture]:
    if not tables.has("cart_conversion", "cart_status", "cart_amount", "purchase_probability"):
        return []
    rows = tables.rows(
        """
        select
            cart_status,
            count(*),
            count(cart_amount),
            coalesce(sum(cart_amount), 0),
            -- Added exactly, so that the order of the rows can't move the last digit.
            cast(sum(cast(purchase_probability as decimal(38, 9))) as double)
        from cart_conversion
        group by cart_status
        order by count(*) desc, cart_status
        """
    )
    if not rows:
        return []
    counts = {row[0]: row[1] for row in rows}
    amounts: dict[str, Decimal] = {row[0]: row[3] for row in rows}
    ended = sum(counts.values()) - counts.get("open", 0)
    lost = counts.get("left", 0) + counts.get("emptied", 0)
    held = amounts.get("left", Decimal(0)) + amounts.get("emptied", Decimal(0))
    title = f"{words.counted(counts.get('open', 0), 'cart')} open, none has ended yet"
    if ended:
        worth = f", with {words.money(held, tables.currency)} in them" if held > 0 else ""
        title = f"{words.percent(lost / ended)} of carts that ended were not bought{worth}"
    expected = {row[0]: row[4] for row in rows}.get("open")
    ahead = ""
    if expected is not None:
        ahead = (
            f" Of {words.counted(counts['open'], 'open cart')}, {words.compact(round(expected, 1))}"
            " are expected to be bought within seven days."
        )
    groups = [
        plots.single(
            status,
            count,
            words.compact(count) + (f", {words.money(amount, tables.currency)}" if known else ""),
            CART_COLOURS.get(status, drawing.GREY),
        )
        for status, count, known, amount, _ in rows
    ]
    picture = Picture(
        title,
        f"Bars of carts by what became of them: {words.listed([row[0] for row in rows])}.",
        lambda space: plots.bars(space, groups),
        Table(
            "Carts by what became of them",
            ("cart", "carts", "of known amount", "amount in them"),
            [
                (words.spoken(status), words.count(count), words.count(known), words.cents(amount))
                for status, count, known, amount, _ in rows
            ],
        ),
        "Carts bought, open, left (seven days without an event) or emptied, with what is in them "
        f"where the prices are known.{ahead}",
    )
    return [picture]
