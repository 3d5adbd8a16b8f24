"""Which input a source is: the one whose columns it has."""

from __future__ import annotations

import re
from dataclasses import replace

from customer_value.errors import SentenceError
from customer_value.guided_start.derived_columns import derived
from customer_value.guided_start.input_names import (
    CURRENCY_CODES,
    FILE_WORDS,
    INPUTS,
    ORDER_WORDS,
    REFUND_WORDS,
    name_score,
    words,
)
from customer_value.guided_start.mappings import Mapping, Match
from customer_value.guided_start.matching import assigned, shares_remarks
from customer_value.guided_start.profiling import Source
from customer_value.guided_start.value_formats import Reader

# What it counts against an input that one of its required columns is missing.
MISSING_WEIGHT = 0.4
# What a file's own name, or a column that only refunds have, says for an input.
NAME_WEIGHT = 1.5


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
    matches = assigned(reader, input_name, ours)
    matches = derived(reader, input_name, ours, matches)
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
    remarks += shares_remarks(reader, ours)
    return Mapping(reader.source, input_name, tuple(ordered), missing, score, tuple(remarks))


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
