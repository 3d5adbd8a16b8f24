"""Which input a file is, and which of its columns is which of ours.

Every pair of columns has a confidence in 0..1: how well the name fits times how well the values
do. What is close is never decided in silence: the likelier one is taken, the other is kept as
an alternative with its reason.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from customer_value.errors import SentenceError
from customer_value.guided_start.input_names import (
    CURRENCY_CODES,
    FILE_WORDS,
    INPUTS,
    ORDER_WORDS,
    REFUND_WORDS,
    SMALL_CURRENCIES,
    UNIQUE_KEYS,
    OurColumn,
    name_score,
    words,
)
from customer_value.guided_start.profiling import Column, Source, text
from customer_value.guided_start.value_formats import Reader, Reading

# What a column needs to be taken for one of ours: optional ones only by their name.
LEAST_REQUIRED, LEAST_OPTIONAL = 0.3, 0.55
# Two candidates nearer than this are both shown.
CLOSE = 0.12
# What it counts against an input that one of its required columns is missing.
MISSING_WEIGHT = 0.4
FEW, MANY = 60, 1000
# What a file's own name, or a column that only refunds have, says for an input.
NAME_WEIGHT = 1.5
NUMBERS = {"money", "quantity", "rating", "rate"}
CLOCK = re.compile(r"\d:\d\d")
ZONE = re.compile(r":\d\d([.]\d+)?\s*(Z|UTC|GMT|[+-]\d\d(:?\d\d)?)$")


@dataclass(frozen=True)
class Choice:
    """An expression that may be meant instead, and why. name: of another of our columns."""

    expression: str
    reason: str
    name: str = ""


@dataclass(frozen=True)
class Match:
    """One of our columns, the expression that gives it, and how sure that is.

    theirs: the columns that it reads; is_local: whether it is a time of day without a zone.
    """

    ours: OurColumn
    expression: str
    theirs: tuple[str, ...]
    confidence: float
    why: str
    note: str = ""
    choices: tuple[Choice, ...] = ()
    is_local: bool = False


@dataclass(frozen=True)
class Mapping:
    """What a source was recognised as. score: the evidence, comparable between inputs."""

    source: Source
    input_name: str
    matches: tuple[Match, ...]
    missing: tuple[str, ...]
    score: float
    remarks: tuple[str, ...] = field(default=())

    @property
    def has_local_times(self) -> bool:
        """Whether it holds times of day without a zone."""
        return any(match.is_local for match in self.matches)

    def expression(self, name: str) -> str | None:
        """The expression of one of our columns, or None."""
        return next((match.expression for match in self.matches if match.ours.name == name), None)


def recognise(reader: Reader, input_name: str | None, *, has_orders: bool) -> Mapping:
    """The likeliest mapping of a source.

    Args:
        reader: of the source.
        input_name: what the user says it is; None: whatever fits best.
        has_orders: another source is the orders, so that lines need not know customer and time.

    Raises:
        SentenceError: nothing in it looks like any input.
    """
    names = [input_name] if input_name else _possible(reader.source)
    mappings = [_mapping(reader, name, has_orders=has_orders) for name in names]
    ranked = sorted(mappings, key=lambda mapping: -mapping.score)
    best = ranked[0]
    # A product alone is in every catalogue, and a file's name says nothing of what is not in it.
    if not any(
        (match.ours.is_required or match.ours.weight >= 0.6) and match.ours.name != "product_id"
        for match in best.matches
    ):
        found = ", ".join(column.name for column in reader.source.columns[:8])
        raise SentenceError(
            f"{reader.source.label} has no column that looks like one of ours (it has {found}). "
            "Map it by hand in the var inputs, or say what it is with --as INPUT=PATH."
        )
    if len(ranked) > 1 and not best.missing:
        others = [item for item in ranked[1:] if not item.missing and item.score > best.score - 1.5]
        for other in others:
            # Whatever has customers could pass for them.
            if "customers" not in other.input_name:
                remark = f"could also be {other.input_name}: --as {other.input_name}=PATH says so"
                best = replace(best, remarks=(*best.remarks, remark))
    return best


def wide_rates(reader: Reader) -> str | None:
    """Why a table of exchange rates with a column per currency can't be mapped, or None."""
    names = [column.name for column in reader.source.columns]
    currencies = [name for name in names if name.strip().upper() in CURRENCY_CODES]
    others = [column for column in reader.source.columns if column.name not in currencies]
    # Beside the currencies a date, and what a comma at the end of each line makes a column.
    if len(currencies) < 3 or len(others) > len(currencies):
        return None
    date = next((column for column in others if reader.time(column) is not None), None)
    if date is None:
        return None
    shown = ", ".join(name.strip() for name in currencies[:4])
    return (
        f"{reader.source.label} holds exchange rates in a column per currency ({shown}"
        f"{', …' if len(currencies) > 4 else ''}), which no column map can read: exchange_rates "
        "takes a row per currency and date. Unpivot it in a model of yours, and name that as "
        "exchange_rates: {model: my_rates}"
    )


def file_words(label: str) -> tuple[str, ...]:
    """The words of a file's or table's own name, without folders and endings.

    >>> file_words("data/Credit-Memos_2024.csv.gz"), file_words("raw.refunds")
    (('credit', 'memos', '2024'), ('refunds',))
    """
    name = re.split(r"[/\\\\]", label)[-1]
    without_ending = re.sub(r"([.](csv|tsv|txt|parquet|json|jsonl|xlsx|gz|zst))+$", "", name)
    return words(without_ending.split(".")[-1])


def _is_called(source: Source, input_name: str) -> bool:
    found = set(file_words(source.label))
    if input_name == "refunds" and found & ORDER_WORDS:
        return False
    return any(wanted <= found for wanted in FILE_WORDS.get(input_name, ()))


def _possible(source: Source) -> list[str]:
    """The inputs that a source may be: some are told from others by what only they are called."""
    has_refund_word = any(
        REFUND_WORDS.search(f"{' '.join(words(column.name))} ") for column in source.columns
    )
    return [
        name
        for name in INPUTS
        if name not in FILE_WORDS
        or _is_called(source, name)
        or (name == "refunds" and (has_refund_word or _has_only_negatives(source)))
    ]


def _has_only_negatives(source: Source) -> bool:
    """Whether a column holds nothing but amounts below 0, as far as can be seen."""
    return any(
        (column.high or 0) <= 0 and (column.low or 0) < 0
        if column.is_number
        else column.is_text
        and bool(column.examples)
        and all(re.match(r"\s*-\s*[€$£¥]?\s*\d", example) for example in column.examples)
        for column in source.columns
    )


def _mapping(reader: Reader, input_name: str, *, has_orders: bool) -> Mapping:
    ours = [
        replace(column, is_required=True)
        if input_name == "order_lines"
        and not has_orders
        and column.name in {"customer_id", "ordered_at"}
        else column
        for column in INPUTS[input_name]
    ]
    matches = _assigned(reader, input_name, ours)
    matches = _derived(reader, input_name, ours, matches)
    found = {match.ours.name for match in matches}
    missing = tuple(
        column.name for column in ours if column.is_required and column.name not in found
    )
    score = sum(
        match.confidence * (1.0 if match.ours.is_required else match.ours.weight)
        for match in matches
    ) - MISSING_WEIGHT * len(missing)
    ordered = sorted(
        matches, key=lambda match: [column.name for column in ours].index(match.ours.name)
    )
    shape, remark = _shape(reader.source, input_name, ordered)
    score += shape + _told_by_name(reader.source, input_name, ordered)
    remarks = [remark] if remark else []
    remarks += _shares_remarks(reader, ours)
    return Mapping(reader.source, input_name, tuple(ordered), missing, score, tuple(remarks))


def _assigned(reader: Reader, input_name: str, ours: list[OurColumn]) -> list[Match]:
    """Each of our columns with its best one of theirs, the surest pair first, none used twice."""
    pairs = [
        (*_confidence(reader, input_name, our, their), our, their)
        for our in ours
        for their in reader.source.columns
    ]
    pairs = [pair for pair in pairs if pair[0] >= _least(pair[2])]
    pairs.sort(key=lambda pair: -pair[0])
    taken: dict[str, tuple[float, str, OurColumn, Column]] = {}
    used: set[str] = set()
    for pair in pairs:
        _, _, our, their = pair
        if our.name not in taken and their.name not in used:
            taken[our.name] = pair
            used.add(their.name)
    matches = []
    for confidence, why, our, their in taken.values():
        reading = _reading(reader, input_name, our, their)
        if reading is None:
            continue
        choices = []
        if reading.alternative:
            choices.append(Choice(reading.alternative, reading.choice))
        for other_confidence, _, other_our, other in pairs:
            is_close = other_confidence >= confidence - CLOSE and other.name not in used
            other_reading = _reading(reader, input_name, our, other) if is_close else None
            if is_close and other_our is our and other_reading is not None:
                choices.append(
                    Choice(
                        other_reading.expression,
                        f"since {other.name} fits nearly as well ({other_confidence:.2f} "
                        f"and {confidence:.2f})",
                    )
                )
        matches.append(
            Match(
                our,
                reading.expression,
                (their.name,),
                confidence * reading.share if reading.share < 1 else confidence,
                why,
                reading.note,
                tuple(choices),
                our.kind == "time" and _is_local(reader, their, reading.expression),
            )
        )
    return matches


def _least(our: OurColumn) -> float:
    return LEAST_REQUIRED if our.is_required else LEAST_OPTIONAL


def _confidence(
    reader: Reader, input_name: str, our: OurColumn, their: Column
) -> tuple[float, str]:
    """How sure it is that a column of theirs is one of ours, and why."""
    named, why = name_score(their.name, our)
    if named == 0 and (our.kind not in {"time", "money"} or input_name == "exchange_rates"):
        return 0.0, ""
    fit, shape = _fit(reader, input_name, our, their)
    if fit == 0 or their.count == 0:
        return 0.0, ""
    present = their.count / reader.source.row_count
    if named == 0:
        is_only = _is_only_one(reader, our, their)
        return (0.4 * fit * present, f"the only {our.kind} there is") if is_only else (0.0, "")
    return round(named * (0.45 + 0.4 * fit + 0.15 * present), 4), f"{why}, {shape}"


def _is_only_one(reader: Reader, our: OurColumn, their: Column) -> bool:
    """Whether a required column can be told by its values, no other column having such ones."""
    if not our.is_required or our.name == "unit_price":
        return False
    alike = []
    for column in reader.source.columns:
        if our.kind == "time":
            is_alike = not column.is_integer and reader.time(column) is not None
        else:
            # Whole numbers are rather counts; texts don't say it in their type.
            has_cents = column.is_number or any(
                re.search(r"[.,]\d", example) for example in column.examples
            )
            is_alike = not column.is_whole and has_cents and reader.number(column) is not None
        if is_alike:
            alike.append(column.name)
    return alike == [their.name]


def _fit(  # noqa: C901, PLR0911 - one row per kind of column
    reader: Reader, input_name: str, our: OurColumn, their: Column
) -> tuple[float, str]:
    """How well the values of a column are what ours holds, in 0..1, and a word for it."""
    rows = reader.source.row_count
    is_distinct = their.distinct >= 0.9 * max(their.count, 1)
    if our.kind == "time":
        reading = reader.time(their)
        return (0.0, "") if reading is None else (reading.share, "times")
    if our.kind in NUMBERS:
        number = reader.number(their)
        if number is None or _is_share(our, their):
            return 0.0, ""
        if our.kind == "rate":
            return number.share, "numbers"
        if our.kind == "rating":
            fits = their.low is not None and their.low >= 0 and (their.high or 0) <= 100
            return (number.share, "small numbers") if fits and their.distinct <= FEW else (0.0, "")
        if our.kind == "quantity":
            return (number.share, "whole") if their.is_whole else (0.7 * number.share, "numbers")
        # Whole numbers that never repeat are rather numbers of something.
        is_numbering = their.is_integer and is_distinct and rows > FEW
        return (0.2, "like numbering") if is_numbering else (number.share, "amounts")
    if their.is_time or (their.type == "BOOLEAN" and our.kind != "label"):
        return 0.0, ""
    if our.kind == "email":
        share = sum("@" in example for example in their.examples) / max(len(their.examples), 1)
        return share, "addresses"
    if our.kind == "text":
        return (1.0, "text") if their.is_text else (0.0, "")
    if our.kind == "label":
        if their.type in {"DOUBLE", "FLOAT"} or (their.distinct > MANY and is_distinct):
            return 0.0, ""
        if our.name == "currency":
            codes = [re.fullmatch(r"[A-Z]{3}|[a-z]{3}", example) for example in their.examples]
            return (1.0, "codes of three letters") if codes and all(codes) else (0.0, "")
        return (1.0, "few values") if their.distinct <= FEW else (0.7, "many values")
    return _key_fit(input_name, our, their, rows, is_distinct=is_distinct)


def _key_fit(
    input_name: str, our: OurColumn, their: Column, rows: int, *, is_distinct: bool
) -> tuple[float, str]:
    if their.type in {"DOUBLE", "FLOAT"} and not their.is_whole:
        return 0.0, ""
    if not (their.is_number or their.is_text):
        return (0.8, "ids") if their.type == "UUID" else (0.0, "")
    if UNIQUE_KEYS.get(input_name) == our.name:
        return (1.0, "differs by row") if is_distinct else (0.4, "repeats")
    if our.name == "order_id":
        return (0.8, "differs by row") if is_distinct and rows > FEW else (1.0, "repeats")
    if our.name == "customer_id":
        return (0.8, "differs by row") if is_distinct and rows > FEW else (1.0, "repeats")
    return 1.0, "ids"


def _is_negative(reader: Reader, their: Column, reading: Reading) -> bool:
    """Whether no value is above 0, and some are below."""
    if their.is_number:
        return their.low is not None and their.low < 0 and (their.high or 0) <= 0
    row = reader.connection.execute(
        "select min(number) < 0 and max(number) <= 0 from (select "
        f"{_cast_text(reading.expression, 'double')} as number "
        f"from {reader.source.relation} as typed) as numbers"
    ).fetchone()
    return bool(row and row[0])


def _is_share(our: OurColumn, their: Column) -> bool:
    """Whether a column that is called a discount holds 0.2 for 20%, which is no money."""
    return (
        our.name == "discount_amount"
        and not their.is_whole
        and their.distinct > 1
        and their.low is not None
        and their.high is not None
        and their.low >= 0
        and their.high <= 1
    )


def _shares_remarks(reader: Reader, ours: list[OurColumn]) -> list[str]:
    return [
        f"{their.name} holds shares from {their.low:g} to {their.high:g} and no money: not mapped"
        for our in ours
        for their in reader.source.columns
        if _is_share(our, their) and name_score(their.name, our)[0] > 0
    ]


def _is_local(reader: Reader, their: Column, expression: str) -> bool:
    """Whether a column holds times of day without a zone."""
    if their.type == "TIMESTAMP WITH TIME ZONE" or expression.startswith(("to_timestamp", "epoch")):
        return False
    if {"utc", "gmt"} & set(words(their.name)):
        return False
    examples = reader.examples(their)
    clocks = [example for example in examples if CLOCK.search(example)]
    if not clocks or all(re.search(r" 00:00(:00)?$", example) for example in clocks):
        return False
    return not any(ZONE.search(example) for example in clocks)


def _reading(reader: Reader, input_name: str, our: OurColumn, their: Column) -> Reading | None:
    if our.kind == "time":
        return reader.time(their)
    if our.kind in NUMBERS:
        reading = reader.number(their)
        is_taken_off = our.name in {"discount_amount", "refund_amount"} or input_name == "refunds"
        if reading and is_taken_off and _is_negative(reader, their, reading):
            expression = reading.expression
            if not their.is_number:
                expression = _cast_text(expression, "decimal(18, 2)")
            note = f"kept below 0 in {their.name}; ours is above"
            noted = f"{reading.note}; {note}" if reading.note else note
            return replace(reading, expression=f"-{expression}", note=noted)
        return reading
    if our.name == "currency" and any(example.islower() for example in their.examples):
        return Reading(f"upper({reader.name(their)})", note="codes are compared in capitals")
    return reader.key(their) if our.kind == "key" else Reading(reader.name(their))


def _derived(
    reader: Reader, input_name: str, ours: list[OurColumn], matches: list[Match]
) -> list[Match]:
    """The matches, and columns that no single one of theirs gives."""
    by_name = {match.ours.name: match for match in matches}
    if input_name == "orders":
        lines = {
            m.ours.name: m for m in _assigned(reader, "order_lines", list(INPUTS["order_lines"]))
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
    return _cast_text(match.expression, "decimal(18, 4)")


def _cast_text(expression: str, kind: str) -> str:
    """A text as a number, or null.

    Trimmed, since DuckDB 2.0 hands a bare cast of a column to the reader of a CSV file, which
    then fails where the cast would give null.
    """
    return f"try_cast(trim({expression}) as {kind})"


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
        orders = {m.ours.name: m for m in _assigned(reader, "orders", list(INPUTS["orders"]))}
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


def _told_by_name(source: Source, input_name: str, matches: list[Match]) -> float:
    """What the name of a file, or of a column that only refunds have, says for an input."""
    score = NAME_WEIGHT if _is_called(source, input_name) else 0.0
    if input_name == "refunds":
        own = {"refund_id", "refunded_at"}
        has_own = any(
            match.ours.name in own and REFUND_WORDS.search(f"{' '.join(words(name))} ")
            for match in matches
            for name in match.theirs
        )
        has_order_time = any(
            name_score(column.name, ours)[0] >= 0.9
            for column in source.columns
            for ours in INPUTS["orders"]
            if ours.name == "ordered_at"
        )
        score += NAME_WEIGHT if has_own and not has_order_time else 0.0
        score += 0.5 if _has_only_negatives(source) else 0.0
    return score


def _shape(source: Source, input_name: str, matches: list[Match]) -> tuple[float, str]:
    """What the number of rows per key says for or against an input, and the remark on it."""
    columns = {column.name: column for column in source.columns}
    if input_name == "exchange_rates":
        given = {match.ours.name: columns[match.theirs[0]] for match in matches if match.theirs}
        # A rate per currency and day; orders in few currencies have many.
        is_table = {"currency", "rate_date"} <= given.keys() and (
            given["currency"].distinct * given["rate_date"].distinct >= 0.9 * source.row_count
        )
        return (0.3 if is_table else -1.5), ""
    key = "order_id" if input_name in {"orders", "order_lines"} else "customer_id"
    found = next((match for match in matches if match.ours.name == key), None)
    if found is None or not found.theirs:
        return 0.0, ""
    column = columns[found.theirs[0]]
    rows_per_key = column.count / max(column.distinct, 1)
    repeats = rows_per_key > 1.15
    remark = f"{rows_per_key:,.1f} rows per {column.name}" if repeats else ""
    if input_name == "orders":
        return (-1.0, remark) if repeats else (0.3, "")
    if input_name == "order_lines":
        return (0.3, remark) if repeats else (-0.3, "")
    if input_name == "customers":
        return (-0.7, remark) if repeats else (0.3, "")
    return 0.0, ""
