"""What a file or a table holds: its columns, counted by DuckDB, and a few of its values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from customer_value.errors import SentenceError

# Rows that shapes of texts are judged by. Counts are of all rows.
SAMPLE_ROWS = 20_000
# Every column is counted and looked at as whatever it may be: more of them take minutes.
MOST_COLUMNS = 300
COLUMNS_AT_ONCE = 50
TEXT_FILE = re.compile(r"[.](csv|tsv|txt)([.](gz|zst))?$", re.IGNORECASE)
TIMES = ("DATE", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS",
         "TIMESTAMP WITH TIME ZONE")  # fmt: skip
WHOLE_NUMBERS = re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?$")


@dataclass(frozen=True)
class Column:
    """A column of an input as it came.

    count: values that are neither null nor blank; distinct: about how many differ;
    low, high: the range of numbers; is_whole: all of them are whole; examples: a few values.
    """

    name: str
    type: str
    count: int
    distinct: int
    low: float | None
    high: float | None
    is_whole: bool
    examples: tuple[str, ...]

    @property
    def is_time(self) -> bool:
        """Whether the type itself is a date or a time."""
        return self.type in TIMES

    @property
    def is_number(self) -> bool:
        """Whether the type itself is a number."""
        return self.type in {"DOUBLE", "FLOAT"} or self.is_integer or self.type.startswith("DEC")

    @property
    def is_integer(self) -> bool:
        """Whether the type itself holds whole numbers alone."""
        return WHOLE_NUMBERS.match(self.type) is not None

    @property
    def is_text(self) -> bool:
        """Whether the values are texts."""
        return self.type == "VARCHAR"


@dataclass(frozen=True)
class Source:
    """An input as it came.

    relation and text_relation are what `from` reads, the latter with every column as text; the
    two are the same for what is not a CSV file. sample: a temporary table of some of the rows.
    """

    label: str
    path: str | None
    table: tuple[str, str] | None
    relation: str
    text_relation: str
    sample: str
    row_count: int
    columns: tuple[Column, ...]

    @property
    def is_text_file(self) -> bool:
        """Whether types had to be guessed from text."""
        return self.relation != self.text_relation


def profile(connection: duckdb.DuckDBPyConnection, argument: str, number: int) -> Source:
    """Read what an argument of the command names: a file, a glob, or a table of the database.

    Args:
        connection: with the database, if one was given, attached as `given`.
        argument: as on the command line.
        number: tells this source's temporary tables from the others'.

    Raises:
        SentenceError: there is nothing to be read, or it can't be.
    """
    table = _table(connection, argument)
    if table is not None:
        relation = text_relation = f"given.{quoted(table[0])}.{quoted(table[1])}"
        path = None
    else:
        path = argument
        _check_files(connection, argument)
        relation = text_relation = text(argument)
        if TEXT_FILE.search(argument):
            _check_header(connection, argument)
            relation = read_csv(argument)
            text_relation = f"read_csv({text(argument)}, sample_size = -1, all_varchar = true)"
    try:
        described = connection.execute(f"describe select * from {relation}").fetchall()
        if len(described) > MOST_COLUMNS:
            raise SentenceError(
                f"{argument} has {len(described):,} columns; init looks through {MOST_COLUMNS} at "
                "most. Give it those that matter, or map it by hand in the var inputs."
            )
        (row_count,) = _row(connection, f"select count(*) from {relation}")
        if row_count == 0:
            raise SentenceError(f"{argument} has columns but no rows. Give one that holds data.")
        types = {name: str(kind) for name, kind, *_ in described}
        sample = f"sample_{number}"
        columns = _columns(connection, relation, types, row_count, sample)
    except duckdb.Error as error:
        raise SentenceError(unreadable(argument, error)) from error
    return Source(argument, path, table, relation, text_relation, sample, row_count, columns)


def read_csv(path: str, keys: tuple[str, ...] = ()) -> str:
    """What `from` reads for a CSV file: as the macro input_relation does, keys being text."""
    types = ", ".join(f"{text(key)}: 'varchar'" for key in keys)
    return f"read_csv({text(path)}, sample_size = -1, types = {{{types}}})"


def quoted(name: str) -> str:
    """A name as an SQL identifier in double quotes."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """A text as an SQL literal."""
    return "'" + value.replace("'", "''") + "'"


def unreadable(argument: str, error: duckdb.Error) -> str:
    """The sentence for what DuckDB can't read."""
    lines = [" ".join(line.split()).rstrip(".!:") for line in str(error).strip().splitlines()]
    if any(re.search("not utf-8|invalid unicode|invalid utf", line.lower()) for line in lines):
        return f"{argument} is not UTF-8. Save it as such, then try again."
    # Of a line that can't be read, the reason stands below it.
    is_place = re.search(r"CSV Error on Line: \d+$", lines[0]) is not None
    reasons = [line for line in lines[1:] if line and not line.startswith("Original Line")]
    first_line = ": ".join([lines[0], *reasons[:1]]) if is_place else lines[0]
    return f"DuckDB can't read {argument} ({first_line}). Check the file, then try again."


def _row(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    row: tuple[Any, ...] | None = connection.execute(query).fetchone()
    if row is None:
        raise LookupError(f"no row from: {query}")
    return row


def _table(connection: duckdb.DuckDBPyConnection, argument: str) -> tuple[str, str] | None:
    """Schema and name of a table of the given database; None where it is a file."""
    found = connection.execute(
        "select schema_name, table_name from duckdb_tables() where database_name = 'given' "
        "union all select schema_name, view_name from duckdb_views() "
        "where database_name = 'given' and not internal order by all"
    ).fetchall()
    for schema, table in found:
        if argument.lower() in {f"{schema}.{table}".lower(), table.lower()}:
            return schema, table
    is_database = connection.execute(
        "select 1 from duckdb_databases() where database_name = 'given'"
    ).fetchone()
    if is_database and not _files(connection, argument) and _is_table_name(argument):
        tables = ", ".join(f"{schema}.{table}" for schema, table in found[:8])
        raise SentenceError(
            f"The database has no table {argument}. "
            + (f"There are {tables}{', …' if len(found) > 8 else ''}." if found else "It is empty.")
        )
    return None


def _is_table_name(argument: str) -> bool:
    return re.fullmatch(r"[\w ]+([.][\w ]+)?", argument) is not None


def _is_remote(argument: str) -> bool:
    return re.match(r"[a-z0-9]+://", argument) is not None


def _files(connection: duckdb.DuckDBPyConnection, argument: str) -> list[str]:
    if Path(argument).exists():
        return [argument]
    return [
        path
        for (path,) in connection.execute(
            "select file from glob($path)", {"path": argument}
        ).fetchall()
    ]


def _check_files(connection: duckdb.DuckDBPyConnection, argument: str) -> None:
    if _is_remote(argument):
        return
    files = _files(connection, argument)
    if not files:
        database = "" if "*" in argument else ", or give --database with a table's name"
        raise SentenceError(f"There is no file {argument}. Check the path{database}.")
    if Path(argument).is_dir():
        raise SentenceError(
            f"{argument} is a folder. Name its files by a glob, such as {argument}/*.parquet."
        )
    if not any(Path(path).stat().st_size for path in files):
        raise SentenceError(f"{argument} is empty. Give a file that holds data.")


def _check_header(connection: duckdb.DuckDBPyConnection, argument: str) -> None:
    """Names that occur twice, which DuckDB would number without a word."""
    try:
        delimiter, quote, has_header, skip = _row(
            connection,
            f"""
            select delimiter, quote, hasheader, skiprows
            from sniff_csv({text(_files(connection, argument)[0])}, sample_size = -1)
            """,
        )
        if not has_header:
            raise SentenceError(
                f"{argument} has no line of column names that can be told from its data. "
                "Give it one, as its first line."
            )
        sign = quote if len(quote) == 1 else '"'
        names = connection.execute(
            f"select * from read_csv({text(argument)}, header = false, all_varchar = true, "
            f"skip = {skip}, delim = {text(delimiter)}, quote = {text(sign)}, "
            "null_padding = true, strict_mode = false, parallel = false) limit 1"
        ).fetchone()
    except duckdb.Error as error:
        raise SentenceError(unreadable(argument, error)) from error
    seen: set[str] = set()
    for name in names or ():
        if name is not None and name.lower() in seen:
            raise SentenceError(
                f"{argument} has two columns called {name}. Rename one of them in its first line."
            )
        seen.add((name or "").lower())


def _columns(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    types: dict[str, str],
    row_count: int,
    sample: str,
) -> tuple[Column, ...]:
    step = max(row_count // SAMPLE_ROWS, 1)
    # By a hash of the row, so that the same file always gives the same sample.
    connection.execute(
        f"create or replace temp table {sample} as select * from {relation} as rows "
        f"where hash(rows) % {step} = 0 limit {4 * SAMPLE_ROWS}"
    )
    columns = []
    facts: list[Any] = []
    # DuckDB takes memory by the square of what one query counts.
    named = list(types.items())
    for start in range(0, len(named), COLUMNS_AT_ONCE):
        chunk = named[start : start + COLUMNS_AT_ONCE]
        counted = ", ".join(_facts(name, kind) for name, kind in chunk)
        facts += _row(connection, f"select {counted} from {relation}")
    for index, (name, kind) in enumerate(types.items()):
        count, distinct, low, high, is_whole = facts[5 * index : 5 * index + 5]
        examples = connection.execute(
            f"select distinct cast({quoted(name)} as varchar) as example from {sample} "
            f"where {quoted(name)} is not null order by hash(example) limit 3"
        ).fetchall()
        columns.append(
            Column(
                name,
                kind,
                count,
                min(distinct, count),
                low,
                high,
                bool(is_whole),
                tuple(example[:40] for (example,) in examples),
            )
        )
    return tuple(columns)


def _facts(name: str, kind: str) -> str:
    """Count, distinct, lowest, highest and whether whole, as five columns of one select."""
    column = quoted(name)
    present = f"count({column})"
    if kind == "VARCHAR":
        present = f"count(*) filter (trim({column}) <> '')"
    number = f"try_cast({column} as double)"
    is_number = Column(name, kind, 0, 0, None, None, False, ()).is_number  # noqa: FBT003
    if not is_number:
        return f"{present}, approx_count_distinct({column}), null, null, false"
    finite = f"filter (isfinite({number}))"
    return (
        f"{present}, approx_count_distinct({column}), min({number}) {finite}, "
        f"max({number}) {finite}, coalesce(bool_and({number} = trunc({number})) {finite}, false)"
    )
