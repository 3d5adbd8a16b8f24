"""Which input a file is, and which of its columns is which of ours.

Every pair of columns has a confidence in 0..1: how well the name fits times how well the values
do. What is close is never decided in silence: the likelier one is taken, the other is kept as
an alternative with its reason.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from customer_value.errors import SentenceError
from customer_value.guided_start.input_names import INPUTS, UNIQUE_KEYS, OurColumn, name_score
from customer_value.guided_start.profiling import Column, Source
from customer_value.guided_start.value_formats import Reader, Reading

# What a column needs to be taken for one of ours: optional ones only by their name.
LEAST_REQUIRED, LEAST_OPTIONAL = 0.3, 0.55
# Two candidates nearer than this are both shown.
CLOSE = 0.12
# What it counts against an input that one of its required columns is missing.
MISSING_WEIGHT = 0.4
FEW, MANY = 60, 1000


@dataclass(frozen=True)
class Choice:
    """An expression that may be meant instead, and why."""

    expression: str
    reason: str


@dataclass(frozen=True)
class Match:
    """One of our columns, the expression that gives it, and how sure that is.

    theirs: the columns that it reads; share: of their values that can be read.
    """

    ours: OurColumn
    expression: str
    theirs: tuple[str, ...]
    confidence: float
    why: str
    note: str = ""
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True)
class Mapping:
    """What a source was recognised as. score: the evidence, comparable between inputs."""

    source: Source
    input_name: str
    matches: tuple[Match, ...]
    missing: tuple[str, ...]
    score: float
    remarks: tuple[str, ...] = field(default=())

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
    names = [input_name] if input_name else list(INPUTS)
    mappings = [_mapping(reader, name, has_orders=has_orders) for name in names]
    ranked = sorted(mappings, key=lambda mapping: -mapping.score)
    best = ranked[0]
    # A product alone is in every catalogue.
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
            if other.input_name != "customers":
                remark = f"could also be {other.input_name}: --as {other.input_name}=PATH says so"
                best = replace(best, remarks=(*best.remarks, remark))
    return best


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
    return Mapping(
        reader.source,
        input_name,
        tuple(ordered),
        missing,
        score + shape,
        (remark,) if remark else (),
    )


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
        reading = _reading(reader, our, their)
        if reading is None:
            continue
        choices = []
        if reading.alternative:
            choices.append(Choice(reading.alternative, reading.choice))
        for other_confidence, _, other_our, other in pairs:
            is_close = other_confidence >= confidence - CLOSE and other.name not in used
            other_reading = _reading(reader, our, other) if is_close else None
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
    if named == 0 and our.kind not in {"time", "money"}:
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
            is_alike = not column.is_whole and reader.number(column) is not None
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
    if our.kind in {"money", "quantity", "rating"}:
        number = reader.number(their)
        if number is None:
            return 0.0, ""
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
            codes = [re.fullmatch(r"[A-Z]{3}", example) for example in their.examples]
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


def _reading(reader: Reader, our: OurColumn, their: Column) -> Reading | None:
    if our.kind == "time":
        return reader.time(their)
    if our.kind in {"money", "quantity", "rating"}:
        reading = reader.number(their)
        is_negative = their.low is not None and their.low < 0 and (their.high or 0) <= 0
        if reading and is_negative and our.name in {"discount_amount", "refund_amount"}:
            return replace(reading, expression=f"-{reading.expression}", note="kept as negative")
        return reading
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
        orders = {m.ours.name: m for m in _assigned(reader, "orders", list(INPUTS["orders"]))}
        total, quantity = orders.get("amount"), by_name.get("quantity")
        if "unit_price" not in by_name and total is not None and quantity is not None:
            by_name["unit_price"] = _quotient(reader, ours, total, quantity)
    return list(by_name.values())


def _our(ours: list[OurColumn], name: str) -> OurColumn:
    return next(column for column in ours if column.name == name)


def _decimal(reader: Reader, match: Match) -> str:
    """The expression of a match for arithmetic: text becomes a number first."""
    columns = {column.name: column for column in reader.source.columns}
    if all(columns[name].is_number for name in match.theirs):
        return match.expression
    return f"try_cast({match.expression} as decimal(18, 4))"


def _product(reader: Reader, ours: list[OurColumn], quantity: Match, price: Match) -> Match:
    return Match(
        _our(ours, "amount"),
        f"{_decimal(reader, quantity)} * {_decimal(reader, price)}",
        (*quantity.theirs, *price.theirs),
        round(min(quantity.confidence, price.confidence), 4),
        "quantity times price",
    )


def _quotient(reader: Reader, ours: list[OurColumn], total: Match, quantity: Match) -> Match:
    """A line's price from its total; what four decimals of a price lose is said."""
    amount, count = _decimal(reader, total), _decimal(reader, quantity)
    row = reader.connection.execute(
        f"""
        select sum(abs(
            {amount}
            - round({count} * try_cast({amount} / nullif({count}, 0) as decimal(18, 4)), 2)
        ))
        from {reader.source.relation} as typed
        """
    ).fetchone()
    lost = float(row[0] or 0) if row else 0.0
    name = total.theirs[0]
    note = f"{name} is taken for the amount of the line"
    choices: tuple[Choice, ...] = ()
    if lost >= 0.005:
        note += f"; divided and multiplied again, it is off by {lost:,.2f} in all"
        reason = f"if {name} is to be exact, together with quantity: 1"
        choices = (Choice(total.expression, reason),)
    return Match(
        _our(ours, "unit_price"),
        f"{amount} / nullif({count}, 0)",
        (*total.theirs, *quantity.theirs),
        round(0.8 * total.confidence, 4),
        "amount by quantity",
        note,
        choices,
    )


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


def _shape(source: Source, input_name: str, matches: list[Match]) -> tuple[float, str]:
    """What the number of rows per key says for or against an input, and the remark on it."""
    columns = {column.name: column for column in source.columns}
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
