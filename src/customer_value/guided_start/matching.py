"""Which of the columns of a source is which of ours.

Every pair of columns has a confidence in 0..1: how well the name fits times how well the values
do. What is close is never decided in silence: the likelier one is taken, the other is kept as
an alternative with its reason.
"""

from __future__ import annotations

import re
from dataclasses import replace

from customer_value.guided_start.input_names import UNIQUE_KEYS, OurColumn, name_score, words
from customer_value.guided_start.mappings import Choice, Match
from customer_value.guided_start.profiling import Column
from customer_value.guided_start.value_formats import Reader, Reading, cast_text

# What a column needs to be taken for one of ours: optional ones only by their name.
LEAST_REQUIRED, LEAST_OPTIONAL = 0.3, 0.55
# Two candidates nearer than this are both shown.
CLOSE = 0.12
FEW, MANY = 60, 1000
NUMBERS = {"money", "quantity", "rating", "rate"}
CLOCK = re.compile(r"\d:\d\d")
ZONE = re.compile(r":\d\d([.]\d+)?\s*(Z|UTC|GMT|[+-]\d\d(:?\d\d)?)$")


def assigned(reader: Reader, input_name: str, ours: list[OurColumn]) -> list[Match]:
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
        f"{cast_text(reading.expression, 'double')} as number "
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


def shares_remarks(reader: Reader, ours: list[OurColumn]) -> list[str]:
    """What is called a discount and left out, since it is a share of the price."""
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
                expression = cast_text(expression, "decimal(18, 2)")
            note = f"kept below 0 in {their.name}; ours is above"
            noted = f"{reading.note}; {note}" if reading.note else note
            return replace(reading, expression=f"-{expression}", note=noted)
        return reading
    if our.name == "currency" and any(example.islower() for example in their.examples):
        return Reading(f"upper({reader.name(their)})", note="codes are compared in capitals")
    return reader.key(their) if our.kind == "key" else Reading(reader.name(their))
