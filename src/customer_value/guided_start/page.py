"""What was found, as a page of text."""

from __future__ import annotations

from collections.abc import Sequence

from customer_value.guided_start.findings import Start
from customer_value.guided_start.input_checks import Outcome
from customer_value.guided_start.mappings import Mapping
from customer_value.report.words import exact_percent

WIDEST_CELL = 44
WIDEST_VALUE = 22


def render(found: Start) -> str:
    """What was found, as a page of text."""
    blocks = []
    for mapping, outcome in zip(found.mappings, found.outcomes, strict=True):
        head = f"{mapping.input_name} · {mapping.source.label} · {outcome.row_count:,} rows"
        blocks.append("\n".join([head, "─" * len(head), *_matched(mapping)]))
        if outcome.column_names:
            blocks.append("\n".join(["  First rows, as they will be read", *_first_rows(outcome)]))
        blocks.append("\n".join(["  Rows", *_counted(outcome)]))
    if found.remarks:
        blocks.append("\n".join(found.remarks))
    blocks.append("\n".join(["In dbt_project.yml, below vars: customer_value:", "",
                             *(f"    {line}" for line in found.yaml_lines)]))  # fmt: skip
    # Names and values may hold signs that a terminal would act upon.
    page = "\n\n".join(blocks)
    return "".join(sign if sign == "\n" or sign.isprintable() else " " for sign in page)


def _matched(mapping: Mapping) -> list[str]:
    rows = [("  our column", "read from", "sure", "why")]
    notes = []
    for match in mapping.matches:
        expression = _cut(" ".join(match.expression.split()), WIDEST_CELL)
        rows.append((f"  {match.ours.name}", expression, f"{match.confidence:.2f}", match.why))
        if match.note:
            notes.append(f"  {match.ours.name}: {match.note}.")
        notes.extend(
            f"  {match.ours.name}: another choice stands commented below, {choice.reason}."
            for choice in match.choices
        )
    rows += [(f"  {name}", "nothing found", "", "required") for name in mapping.missing]
    notes += [f"  {remark[0].upper()}{remark[1:]}." for remark in mapping.remarks]
    return _aligned(rows, "<<><") + (["", *notes] if notes else [])


def _first_rows(outcome: Outcome) -> list[str]:
    rows = [tuple(outcome.column_names)]
    rows += [
        tuple(_cut("null" if value is None else " ".join(value.split()), WIDEST_VALUE)
              for value in row)
        for row in outcome.first_rows
    ]  # fmt: skip
    return [f"  {line}" for line in _aligned(rows, "<" * len(outcome.column_names))]


def _counted(outcome: Outcome) -> list[str]:
    def row(label: str, count: int) -> tuple[str, str, str]:
        return label, f"{count:,}", exact_percent(count / outcome.row_count)

    rows = [row("  can be used", outcome.usable_count)]
    rows += [row(f"  {reason}", count) for reason, count in outcome.rejected.items()]
    return _aligned(rows, "<>>")


def _aligned(rows: Sequence[Sequence[str]], sides: str) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            f"{cell:{side}{width}}" for cell, side, width in zip(row, sides, widths, strict=True)
        ).rstrip()
        for row in rows
    ]


def _cut(value: str, width: int) -> str:
    return value if len(value) <= width else value[: width - 1] + "…"
