"""What ``customer-value init`` finds in the files and tables that it is given."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

import duckdb

from customer_value import warehouse_file
from customer_value.errors import SentenceError
from customer_value.guided_start.currencies import currencies_comments
from customer_value.guided_start.declarations import inputs_yaml, table_place
from customer_value.guided_start.fusion import fused
from customer_value.guided_start.input_checks import Outcome, check
from customer_value.guided_start.input_names import INPUTS
from customer_value.guided_start.mappings import Mapping
from customer_value.guided_start.profiling import profile, unreadable
from customer_value.guided_start.recognition import recognise, wide_rates
from customer_value.guided_start.value_formats import Reader
from customer_value.project_file import project_path, with_inputs


@dataclass(frozen=True)
class Start:
    """What init found: a mapping and an outcome per input, and the YAML that says so."""

    mappings: tuple[Mapping, ...]
    outcomes: tuple[Outcome, ...]
    yaml_lines: tuple[str, ...]
    remarks: tuple[str, ...]

    @property
    def problem(self) -> str | None:
        """Why this can't be built from, in a sentence, or None."""
        for mapping in self.mappings:
            if mapping.missing:
                found = ", ".join(match.ours.name for match in mapping.matches)
                return (
                    f"{mapping.source.label} looks most like {mapping.input_name} (it has {found}) "
                    f"but has no column for {_listed(mapping.missing)}. Nothing was written; "
                    "add what is missing, or map it by hand in the var inputs."
                )
        return None

    def to_json(self) -> str:
        """All of it as one JSON object."""
        inputs = [
            {
                "input": mapping.input_name,
                "source": mapping.source.label,
                "columns": [
                    {
                        "name": match.ours.name,
                        "expression": match.expression,
                        "confidence": round(match.confidence, 2),
                        "why": match.why,
                        "note": match.note or None,
                        "choices": [
                            {"expression": choice.expression, "reason": choice.reason}
                            for choice in match.choices
                        ],
                    }
                    for match in mapping.matches
                ],
                "missing": mapping.missing,
                "remarks": mapping.remarks,
                "row_count": outcome.row_count,
                "usable_count": outcome.usable_count,
                "rejected_by_reason": outcome.rejected,
                "first_rows": [
                    dict(zip(outcome.column_names, row, strict=True)) for row in outcome.first_rows
                ],
            }
            for mapping, outcome in zip(self.mappings, self.outcomes, strict=True)
        ]
        found = {"inputs": inputs, "remarks": self.remarks, "yaml": "\n".join(self.yaml_lines)}
        return json.dumps(found, ensure_ascii=False, indent=2)


def start(
    arguments: Sequence[str],
    named: Sequence[tuple[str, str]],
    database: Path | None,
    folder: Path,
) -> Start:
    """Recognise inputs.

    Args:
        arguments: files, globs and tables, each to be recognised.
        named: pairs of an input and what it is, where the user says so.
        database: the DuckDB file that holds the tables.
        folder: the project's; paths are written as seen from there.

    Raises:
        SentenceError: nothing is given, it can't be read, or it looks like no input.
    """
    for name, _ in named:
        if name not in INPUTS:
            raise SentenceError(f"{name} is not an input; there are {', '.join(INPUTS)}.")
    paths = {path for _, path in named}
    wanted: list[tuple[str | None, str]] = [*named]
    wanted += [(None, argument) for argument in dict.fromkeys(arguments) if argument not in paths]
    if not wanted:
        raise SentenceError("Name at least one file or table, for example data/orders.csv.")
    comments: list[str] = []
    with _connected(database) as connection:
        readers = []
        for number, (said, argument) in enumerate(wanted):
            reader = Reader(connection, profile(connection, argument, number))
            may_be_rates = said in {None, "exchange_rates"}
            sentence = wide_rates(reader) if may_be_rates else None
            if sentence is None:
                readers.append((said, reader))
            else:
                comments.append(f"{sentence}.")
        if not readers:
            raise SentenceError(" ".join(comments))
        mappings = [_recognised(reader, said, has_orders=False) for said, reader in readers]
        if any(mapping.input_name == "orders" for mapping in mappings):
            mappings = [
                _recognised(reader, "order_lines", has_orders=True)
                if mapping.input_name == "order_lines"
                else mapping
                for mapping, (_, reader) in zip(mappings, readers, strict=True)
            ]
        # Sorting keeps the order of those that are alike.
        mappings.sort(key=lambda mapping: list(INPUTS).index(mapping.input_name))
        mappings = [
            mapping
            for _, group in groupby(mappings, key=lambda mapping: mapping.input_name)
            for mapping in fused(connection, list(group))
        ]
        comments += currencies_comments(connection, mappings)
        outcomes = [check(connection, mapping) for mapping in mappings]
        mappings = [
            _with_negatives_noted(mapping, outcome)
            for mapping, outcome in zip(mappings, outcomes, strict=True)
        ]
    return Start(
        tuple(mappings),
        tuple(outcomes),
        tuple(inputs_yaml(mappings, folder, comments)),
        (*_remarks(mappings, folder), *comments),
    )


def write(found: Start, folder: Path, *, force: bool) -> Path:
    """Write the var inputs into the folder's dbt_project.yml, and say where.

    Raises:
        SentenceError: there is no such file, inputs is in it already, or it can't be edited.
    """
    path = project_path(folder)
    try:
        before = path.read_bytes().decode("utf-8")
        edited = with_inputs(before, found.yaml_lines, force=force)
        path.write_bytes(edited.encode("utf-8"))
    except UnicodeDecodeError as error:
        raise SentenceError(f"{path} is not UTF-8. Save it as such, then try again.") from error
    except OSError as error:
        raise SentenceError(f"{path} can't be written ({error.strerror}).") from error
    return path


def _recognised(reader: Reader, input_name: str | None, *, has_orders: bool) -> Mapping:
    try:
        return recognise(reader, input_name, has_orders=has_orders)
    except duckdb.Error as error:
        raise SentenceError(unreadable(reader.source.label, error)) from error


def _with_negatives_noted(mapping: Mapping, outcome: Outcome) -> Mapping:
    """Orders below 0 are read as refunds: that is said beside their amount."""
    if not outcome.below_zero_count:
        return mapping
    where = "each of the order in refunded_order_id, or where that is empty of"
    if mapping.expression("refunded_order_id") is None:
        where = "each of"
    note = (
        f"{outcome.below_zero_count:,} rows are below 0 and are read as refunds, {where} the "
        "customer's latest earlier order of at least as much; without one it is rejected "
        "as refund_without_order"
    )
    matches = tuple(
        replace(match, note=f"{match.note}; {note}" if match.note else note)
        if match.ours.name == "amount"
        else match
        for match in mapping.matches
    )
    return replace(mapping, matches=matches)


def _remarks(mappings: Sequence[Mapping], folder: Path) -> list[str]:
    remarks: list[str] = []
    names = {mapping.input_name for mapping in mappings}
    if "order_lines" in names:
        remarks.append("Copies of lines and what is no goods are told apart by the build.")
        if "orders" not in names:
            remarks.append("No orders are given: they are built from order_lines.")
    elif not names & {"orders", "order_lines"}:
        remarks.append("Neither orders nor order_lines is given: a build needs one of them.")
    for mapping in mappings:
        table = mapping.source.table
        if table is not None and table_place(table, folder).startswith("table"):
            remarks.append(
                f"dbt has to see the table {'.'.join(table)}: build into its database, or attach "
                "that in your profile."
            )
    return remarks


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


@contextmanager
def _connected(database: Path | None) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("set enable_progress_bar = false")
        if database is not None:
            if not database.is_file():
                raise SentenceError(f"There is no database at {database}. Check --database.")
            try:
                warehouse_file.attach(connection, database, "given")
            except duckdb.Error as error:
                first_line = str(error).strip().splitlines()[0].rstrip(".")
                raise SentenceError(
                    f"{database} can't be opened as a DuckDB database ({first_line})."
                ) from error
        try:
            yield connection
        except duckdb.Error as error:
            raise SentenceError(unreadable("what was given", error)) from error
