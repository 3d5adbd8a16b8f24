"""``customer-value erase``: records which customers the next build is to leave out of every table.

The record is a file beside the project's dbt_project.yml, and the var inputs names it. It is kept,
and not emptied by the build: orders of an erased customer come back with every delivery of the
source, and each build has to leave them out again.
"""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb

from customer_value.errors import SentenceError
from customer_value.guided_start.profiling import text as sql_text
from customer_value.keyed_hash import (
    KEY_VARIABLE,
    PseudonymKey,
    key_in_environment,
    looks_like_pseudonym,
)
from customer_value.project_file import (
    declared_inputs,
    declared_var,
    project_path,
    with_further_input,
)

INPUT_NAME = "erased_customers"
FILE_NAME = "erased_customers.csv"
COLUMN = "customer_id"

REMAINING = f"""\
Build: dbt build. Until then every table still holds them, customer_tier_history, \
prediction_history and action_history included.
If you give inputs with --vars, that replaces the project's: name \
{INPUT_NAME}: {{path: {FILE_NAME}}} there too.
After the build, the warehouse file may hold old bytes in deleted rows and in blocks that are free \
but not yet written over. Copying it into a new file (copy from database) leaves them behind.
Backups, exports and caches of BI tools keep what they hold, and so do the versions that \
customer-value refresh keeps: they go with the next refreshes, or at once with --keep 0.
Your source systems are untouched, and so are the files and tables that inputs names.
{FILE_NAME} itself says who was erased: keep it as long as the sources hold them, and mind who can \
read it."""


@dataclass(frozen=True)
class Erasure:
    """What erase did: the new entries and those that were there, as they stand in the file."""

    file: str
    recorded: tuple[str, ...]
    already_recorded: tuple[str, ...]
    recorded_count: int
    is_pseudonymized: bool
    is_project_file_changed: bool
    remaining: tuple[str, ...]

    def to_json(self) -> str:
        """All of it as one JSON object."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=2)


def record(customer_ids: Sequence[str], folder: Path) -> Erasure:
    """Record customers in the project's list, and have the project read the list.

    Args:
        customer_ids: as they stand in the tables: ids, or pseudonyms.
        folder: the dbt project's.

    Raises:
        SentenceError: no id is given, one is blank, or the files can't be read or written.
    """
    if not customer_ids:
        raise SentenceError("Name at least one customer: customer-value erase CUSTOMER_ID.")
    if any(not customer_id.strip() for customer_id in customer_ids):
        raise SentenceError("A customer id is blank. Nothing was recorded.")
    project_file = project_path(folder)
    project = _read(project_file)
    inputs = declared_inputs(project)
    edited = project if inputs is None else _reading_the_list(project, inputs, folder)
    key = key_in_environment() if declared_var(project, "pseudonymize") is True else None
    path = folder / FILE_NAME
    with _locked(path):
        before = _read(path) if path.exists() else ""
        there = _listed_in(before)
        new, old = _parted(customer_ids, set(there), key)
        if new:
            after = _with_rows(before, new)
            _check_read_back(after, [*there, *new])
            _replace(path, after)
        # Second: a project that names a list which is not there would not build.
        if edited != project:
            _replace(project_file, edited)
    return Erasure(
        file=path.as_posix(),
        recorded=tuple(new),
        already_recorded=tuple(old),
        recorded_count=len(there) + len(new),
        is_pseudonymized=key is not None,
        is_project_file_changed=edited != project,
        remaining=tuple(_remaining(project, inputs, key)),
    )


def recorded(folder: Path) -> list[str]:
    """What is in the project's list, in the order of request.

    Raises:
        SentenceError: there is no project, or the list can't be read.
    """
    project_path(folder)
    path = folder / FILE_NAME
    return _listed_in(_read(path)) if path.exists() else []


def ids_in_file(path: Path) -> list[str]:
    """The customer ids of a CSV file: its column customer_id, or one id on each line.

    Args:
        path: of the file; "-" is standard input.

    Raises:
        SentenceError: it is not there, is no such list, or holds none.
    """
    if str(path) == "-":
        content = sys.stdin.buffer.read()
        found = _column_of(_decoded(content, "standard input"), "standard input")
    elif not path.is_file():
        raise SentenceError(f"There is no file {path}. Check --from-file.")
    else:
        found = _column_of(_read(path), str(path))
    if not found:
        raise SentenceError(f"{path} holds no customer id.")
    return found


def render(done: Erasure) -> str:
    """What was done and what remains, as a page of text."""
    what = "pseudonym" if done.is_pseudonymized else "customer"
    now = f"which now has {done.recorded_count:,}"
    lines = [f"Recorded {_counted(len(done.recorded), what)} in {done.file}, {now}."]
    if done.already_recorded:
        lines.append(f"Recorded before: {_counted(len(done.already_recorded), what)}.")
    if done.is_project_file_changed:
        lines.append(f"The var inputs of dbt_project.yml now names it as {INPUT_NAME}.")
    lines += ["", "What remains"]
    lines += [f"  {number}. {sentence}" for number, sentence in enumerate(done.remaining, 1)]
    return "\n".join(lines)


def render_list(customer_ids: Sequence[str]) -> str:
    """The recorded customers, one on each line; one with a line break in it as a JSON string."""
    if not customer_ids:
        return "No erasure is recorded."
    return "\n".join(
        customer_id if customer_id.isprintable() else json.dumps(customer_id, ensure_ascii=False)
        for customer_id in customer_ids
    )


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _parted(
    customer_ids: Sequence[str], there: set[str], key: PseudonymKey | None
) -> tuple[list[str], list[str]]:
    """What to write for the ids, each once: the new entries, and those that are there."""
    new: dict[str, None] = {}
    old: dict[str, None] = {}
    for customer_id in customer_ids:
        # Who knows a customer from the tables gives a pseudonym, which is not hashed again.
        is_hashed = key is not None and not looks_like_pseudonym(customer_id)
        entry = key.pseudonym(customer_id) if key is not None and is_hashed else customer_id
        recorded_as = next((form for form in (entry, customer_id) if form in there), None)
        (new if recorded_as is None else old)[recorded_as or entry] = None
    return list(new), list(old)


def _remaining(
    project: str, inputs: Mapping[str, Any] | None, key: PseudonymKey | None
) -> Iterator[str]:
    if inputs is None:
        yield (
            "dbt_project.yml has no var inputs, so no build reads the list yet: where you give "
            f"inputs, add {INPUT_NAME}: {{path: {FILE_NAME}}}."
        )
    if key is None and declared_var(project, "pseudonymize") is True:
        yield (
            f"pseudonymize is true, but {KEY_VARIABLE} is not set here (or is too short), so the "
            "list holds what you gave, as it is. It counts all the same; to keep ids out of it, "
            f"take the new lines out of {FILE_NAME}, set the key, and repeat this."
        )
    yield from REMAINING.splitlines()


def _reading_the_list(project: str, inputs: Mapping[str, Any], folder: Path) -> str:
    """The project file's text, in which inputs names the list."""
    if INPUT_NAME not in inputs:
        return with_further_input(project, INPUT_NAME, FILE_NAME)
    declared = inputs[INPUT_NAME]
    declarations = declared if isinstance(declared, list) else [declared]
    if not any(_is_the_list(item, folder) for item in declarations):
        place = json.dumps(declared, ensure_ascii=False, default=str)
        raise SentenceError(
            f"The var inputs of dbt_project.yml takes {INPUT_NAME} from {place}, so {FILE_NAME} "
            "would not be read. Nothing was recorded; add the customers there, or write "
            f"{INPUT_NAME}: {{path: {FILE_NAME}}}, then try again."
        )
    return project


def _is_the_list(declared: object, folder: Path) -> bool:
    if not isinstance(declared, dict) or not isinstance(declared.get("path"), str):
        return False
    is_our_column = bool((declared.get("columns") or {}).get(COLUMN, COLUMN) == COLUMN)
    return is_our_column and (folder / declared["path"]).resolve() == (folder / FILE_NAME).resolve()


def _listed_in(content: str) -> list[str]:
    return _column_of(content, FILE_NAME) if content else []


def _column_of(content: str, name: str) -> list[str]:
    """The ids of a CSV text, without a header if no cell of its first line is customer_id."""
    reader = csv.reader(_opened(content), strict=True)
    ids: list[str] = []
    column: int | None = None
    try:
        for row in reader:
            if not row:
                continue
            if column is None:
                column = row.index(COLUMN) if COLUMN in row else 0
                if COLUMN in row:
                    continue
                if len(row) > 1:
                    raise SentenceError(
                        f"{name} has {len(row)} columns and none is called {COLUMN}. Nothing was "
                        "recorded; give one id on each line, or a column of that name."
                    )
            if len(row) <= column or not row[column].strip():
                raise SentenceError(
                    f"{name} has no customer id in line {reader.line_num}. Nothing was recorded."
                )
            ids.append(row[column])
    except csv.Error as error:
        raise SentenceError(
            f"{name} is not readable as CSV in line {reader.line_num} ({error}). Nothing was "
            "recorded."
        ) from error
    return ids


def _with_rows(before: str, new: Sequence[str]) -> str:
    """The list with further rows; what is there stays as it is, to the byte."""
    newline = "\r\n" if "\r\n" in before else "\n"
    header = next(csv.reader(_opened(before)), None) or [COLUMN]
    if COLUMN not in header:
        raise SentenceError(
            f"{FILE_NAME} has no column {COLUMN} in its first line. Nothing was recorded; give it "
            "one, or move the file away."
        )
    rows = io.StringIO(newline="")
    writer = csv.writer(rows, lineterminator=newline, quoting=csv.QUOTE_ALL)
    if not before:
        rows.write(COLUMN + newline)
    for entry in new:
        # Columns that somebody added are theirs to fill.
        writer.writerow([entry if name == COLUMN else "" for name in header])
    gap = newline if before and not before.endswith(("\n", "\r")) else ""
    return before + gap + rows.getvalue()


def _opened(content: str) -> io.StringIO:
    return io.StringIO(content.removeprefix("\ufeff"), newline="")


def _read(path: Path) -> str:
    try:
        return _decoded(path.read_bytes(), str(path))
    except OSError as error:
        raise SentenceError(f"{path} can't be read ({error.strerror}).") from error


def _decoded(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise SentenceError(f"{name} is not UTF-8. Save it as such, then try again.") from error


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Only one command at a time: two that read, add and replace would lose one's customers."""
    lock = path.with_name(f".{path.name}.lock")
    try:
        lock.open("xb").close()
    except FileExistsError as error:
        raise SentenceError(
            f"{lock} is there: another erase is running, or one was cut off. If none is running, "
            "delete that file and try again. Nothing was recorded."
        ) from error
    except OSError as error:
        raise SentenceError(f"{path} can't be written ({error.strerror}).") from error
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)


def _replace(path: Path, content: str) -> None:
    """Put a whole new file in place of an old one, so that no reader ever sees half of it."""
    # Of a link, what it points at.
    target = path.resolve()
    temporary = target.with_name(f".{target.name}.new")
    try:
        with temporary.open("wb") as file:
            file.write(content.encode("utf-8"))
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            shutil.copymode(target, temporary)
        temporary.replace(target)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise SentenceError(f"{path} can't be written ({error.strerror}).") from error


def _check_read_back(content: str, ids: Sequence[str]) -> None:
    """Have DuckDB read a list as staging has it read, before the list is written."""
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        path = Path(folder) / FILE_NAME
        path.write_bytes(content.encode("utf-8"))
        query = (
            f"select {COLUMN} from read_csv({sql_text(str(path))}, sample_size = -1, "
            f"types = {{'{COLUMN}': 'varchar'}})"
        )
        try:
            found = [customer_id for (customer_id,) in connection.execute(query).fetchall()]
        except duckdb.Error:
            found = []
    if found != list(ids):
        raise SentenceError(
            f"DuckDB would not read these customers back from {FILE_NAME} as they are. Nothing was "
            f"recorded; give {INPUT_NAME} as a table or a Parquet file of your own instead."
        )
