"""The columns of ours that no single one of theirs gives as it stands.

An amount from quantity and price or the other way round, a total before its discount, a rate
turned round: each with a note that says so.
"""

from __future__ import annotations

import re
from dataclasses import replace

from customer_value.guided_start.input_names import INPUTS, SMALL_CURRENCIES, OurColumn, words
from customer_value.guided_start.mappings import Choice, Match
from customer_value.guided_start.matching import assigned
from customer_value.guided_start.profiling import text
from customer_value.guided_start.value_formats import Reader, cast_text


def derived(
    reader: Reader, input_name: str, ours: list[OurColumn], matches: list[Match]
) -> list[Match]:
    """The matches, and columns that no single one of theirs gives."""
    by_name = {match.ours.name: match for match in matches}
    if input_name == "orders":
        lines = {
            m.ours.name: m for m in assigned(reader, "order_lines", list(INPUTS["order_lines"]))
        }
        amount = by_name.get("amount")
        is_weak = (
            amount is None
            or amount.confidence < 0.7
            or ("unit_price" in lines and amount.theirs == lines["unit_price"].theirs)
        )
        if is_weak and {"quantity", "unit_price"} <= lines.keys():
            by_name["amount"] = _product(reader, ours, lines["quantity"], lines["unit_price"])
        elif amount is not None and "discount_amount" in by_name:
            by_name["amount"] = _before_discount(reader, amount, by_name["discount_amount"])
    elif input_name == "order_lines":
        _derive_lines(reader, ours, by_name)
    elif input_name == "exchange_rates" and {"currency", "rate"} <= by_name.keys():
        by_name["rate"] = _directed(reader, by_name["currency"], by_name["rate"])
    return list(by_name.values())


def _our(ours: list[OurColumn], name: str) -> OurColumn:
    return next(column for column in ours if column.name == name)


def _decimal(reader: Reader, match: Match) -> str:
    """The expression of a match for arithmetic: text becomes a number first."""
    columns = {column.name: column for column in reader.source.columns}
    if all(columns[name].is_number for name in match.theirs):
        return match.expression
    return cast_text(match.expression, "decimal(18, 4)")


def _product(reader: Reader, ours: list[OurColumn], quantity: Match, price: Match) -> Match:
    return Match(
        _our(ours, "amount"),
        f"{_decimal(reader, quantity)} * {_decimal(reader, price)}",
        (*quantity.theirs, *price.theirs),
        round(min(quantity.confidence, price.confidence), 4),
        "quantity times price",
    )


def _derive_lines(reader: Reader, ours: list[OurColumn], by_name: dict[str, Match]) -> None:
    """What lines leave out or hold in another way: pieces, prices, and what a line came to."""
    price = by_name.get("unit_price")
    is_amazon = any(words(column.name)[:1] == ("amazon",) for column in reader.source.columns)
    if is_amazon and price is not None and "amount" not in by_name:
        # Amazon's item-price is of all pieces of the line.
        note = f"Amazon's {price.theirs[0]} is of all pieces together"
        by_name["amount"] = replace(price, ours=_our(ours, "amount"), note=note)
        del by_name["unit_price"]
    elif price is not None and "quantity" not in by_name:
        by_name["quantity"] = Match(
            _our(ours, "quantity"), "1", (), 0.4, "assumed",
            "no column holds a number of pieces: each row is taken for one of them",
        )  # fmt: skip
    if "unit_price" not in by_name and "amount" not in by_name:
        orders = {m.ours.name: m for m in assigned(reader, "orders", list(INPUTS["orders"]))}
        if (total := orders.get("amount")) is not None and "quantity" in by_name:
            note = f"{total.theirs[0]} is taken for what the line came to"
            noted = f"{total.note}; {note}" if total.note else note
            by_name["amount"] = replace(
                total, ours=_our(ours, "amount"), note=noted, confidence=0.9 * total.confidence
            )
    if "unit_price" not in by_name and {"amount", "quantity"} <= by_name.keys():
        by_name["unit_price"] = _quotient(reader, ours, by_name["amount"], by_name["quantity"])
    elif {"unit_price", "quantity", "amount"} <= by_name.keys():
        _compare_amount(reader, by_name)
    if "discount_amount" in by_name:
        _drop_if_of_the_order(reader, by_name, "discount_amount")


def _quotient(reader: Reader, ours: list[OurColumn], total: Match, quantity: Match) -> Match:
    """A line's price from what it came to, which stays the figure that is added up."""
    return Match(
        _our(ours, "unit_price"),
        f"{_decimal(reader, total)} / nullif({_decimal(reader, quantity)}, 0)",
        (*total.theirs, *quantity.theirs),
        round(0.8 * total.confidence, 4),
        "amount by quantity",
    )


def _compare_amount(reader: Reader, by_name: dict[str, Match]) -> None:
    """Hold a line's amount against quantity times price: ours is before discounts."""
    quantity, price, amount = (by_name[name] for name in ("quantity", "unit_price", "amount"))
    discount = by_name.get("discount_amount")
    product = f"{_decimal(reader, quantity)} * {_decimal(reader, price)}"
    total = _decimal(reader, amount)
    off = f"coalesce({_decimal(reader, discount)}, 0)" if discount else "0"
    row = reader.connection.execute(
        f"""
        select
            coalesce(avg((abs({product} - ({total})) <= 0.011)::int), 0),
            coalesce(avg((abs({product} - ({total}) - {off}) <= 0.011)::int), 0)
        from {reader.source.relation} as typed
        where {product} is not null and {total} is not null
        """
    ).fetchone()
    before, after = row or (0, 0)
    name = amount.theirs[0]
    if discount is not None and after > max(before, 0.9):
        theirs = (*amount.theirs, *discount.theirs)
        note = f"{name} is quantity times price after discounts, and ours is before them"
        by_name["amount"] = replace(amount, expression=f"{total} + {off}", theirs=theirs, note=note)
    elif before < 0.9:
        del by_name["amount"]
        note = f"left out: {name}, which is quantity times price in {before:.0%} of the rows only"
        noted = f"{price.note}; {note}" if price.note else note
        reason = f"if {name} is what the line came to before discounts"
        choice = Choice(amount.expression, reason, "amount")
        by_name["unit_price"] = replace(price, note=noted, choices=(*price.choices, choice))


def _drop_if_of_the_order(reader: Reader, by_name: dict[str, Match], name: str) -> None:
    """Leave out what stands on each line of an order alike: added up, it would count twice."""
    match, order = by_name[name], by_name.get("order_id")
    if order is None:
        return
    row = reader.connection.execute(
        f"""
        with orders as (
            select
                count(*) as line_count,
                count(distinct value) as value_count,
                count(value) as given_count
            from (
                select {order.expression} as order_id, nullif({_decimal(reader, match)}, 0) as value
                from {reader.source.relation} as typed
            ) as valued
            group by order_id
        )

        select count(*), count(*) filter (value_count = 1 and given_count = line_count)
        from orders
        where line_count > 1 and given_count > 0
        """
    ).fetchone()
    several, alike = row or (0, 0)
    if several < 5 or alike < 0.9 * several:
        return
    del by_name[name]
    note = f"left out: {match.theirs[0]}, which is the same on all lines of an order"
    reason = f"if {match.theirs[0]} is of the line and not of its order"
    noted = f"{order.note}; {note}" if order.note else note
    choice = Choice(match.expression, reason, name)
    by_name["order_id"] = replace(order, note=noted, choices=(*order.choices, choice))


def _directed(reader: Reader, currency: Match, rate: Match) -> Match:
    """A rate as what one unit of the currency is worth, which is what amounts are multiplied by.

    Published rates are often the other way round. A currency that is worth little tells.
    """
    number = _decimal(reader, rate)
    inverse = f"1.0 / nullif({number}, 0)"
    codes = ", ".join(text(code) for code in SMALL_CURRENCIES)
    row = reader.connection.execute(
        f"select median({number}) from {reader.source.relation} as typed "
        f"where {currency.expression} in ({codes}) and {number} <> 1"
    ).fetchone()
    small = row[0] if row else None
    name = rate.theirs[0]
    worth = "what one unit of the currency is worth in the reporting currency"
    if small is not None and small > 1:
        note = (
            f"one of the reporting currency buys so many units as {name} says; ours is the "
            "other way round"
        )
        choice = Choice(rate.expression, f"if {name} is {worth}")
        return replace(rate, expression=inverse, note=note, choices=(*rate.choices, choice))
    if small is not None:
        return replace(rate, note=f"taken for {worth}")
    reason = f"if {name} is units of a currency for one of the reporting currency, as the ECB's are"
    choice = Choice(inverse, reason)
    note = f"taken for {worth}, which can't be told from the values"
    return replace(rate, note=note, choices=(*rate.choices, choice))


def _before_discount(reader: Reader, amount: Match, discount: Match) -> Match:
    """Our amount is before discounts; a total may be after them."""
    total, off = _decimal(reader, amount), _decimal(reader, discount)
    gross = f"{total} + coalesce({off}, 0)"
    row = reader.connection.execute(
        f"select count(*) filter ({off} > {total} and {total} >= 0), count(*) filter ({off} > 0) "
        f"from {reader.source.relation} as typed"
    ).fetchone()
    larger, discounted = row or (0, 0)
    theirs = (*amount.theirs, *discount.theirs)
    noted = f"{amount.note}; " if amount.note else ""
    name = amount.theirs[0]
    if larger:
        why = f"{noted}{larger:,} discounts are larger than {name}, so it is after discounts"
        return replace(amount, expression=gross, theirs=theirs, note=why)
    if not discounted:
        return amount
    is_after = re.search(r"total|net|paid|payment|summe", name, re.IGNORECASE) is not None
    doubt = f"{noted}whether {name} is before or after discounts can't be told; ours is before them"
    as_is = Choice(amount.expression, f"if {name} is before discounts")
    added = Choice(gross, f"if {name} is after discounts")
    if is_after:
        choices = (*amount.choices, as_is)
        return replace(amount, expression=gross, theirs=theirs, note=doubt, choices=choices,
                       confidence=round(0.8 * amount.confidence, 4))  # fmt: skip
    return replace(amount, note=doubt, choices=(*amount.choices, added))
