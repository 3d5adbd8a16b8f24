"""``customer-value audiences``: writes the lists of the table audiences for advertising tools.

A file has one hashed key for each customer and the day on which the list expires, and nothing
else. The key is SHA-256, as 64 hexadecimal digits, of the customer_id or, where asked for, of the
e-mail address, trimmed and in lower case: what Google's and Meta's customer match take. Addresses
are in no table: they are read from the input customers when the files are written, and hashed in
the engine.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb

from customer_value import erasure, warehouse_file
from customer_value.errors import SentenceError
from customer_value.guided_start.profiling import text as sql_text
from customer_value.keyed_hash import key_in_environment, set_variables
from customer_value.report import reading

# Where the models lie that no reader of the marts needs.
INTERNAL = "internal"


@dataclass(frozen=True)
class Wanted:
    """What to write: which audiences (none: all), as "csv" or "parquet", and what is hashed.

    key: "customer" or "email"; project: the dbt project, for its list of erased customers.
    """

    names: tuple[str, ...] = ()
    file_format: str = "csv"
    key: str = "customer"
    project: Path = Path()


@dataclass(frozen=True)
class AudienceFile:
    """One file, and of the audience's customers those written and those left out, by reason."""

    audience_name: str
    file: str
    written_count: int
    holdout_count: int
    erased_count: int
    without_email_count: int


def export(
    database: Path, folder: Path, wanted: Wanted, schema: str = reading.SCHEMA
) -> list[AudienceFile]:
    """Write each audience into a file of its own in a new or empty folder, all of them or none.

    Customers of the holdout are left out, so that it can be told what acting on the others did, and
    so are customers who have been erased or excluded since the build, as far as the inputs and the
    project's list say so.

    Args:
        database: the DuckDB file that ``dbt build`` wrote; it is not changed.
        folder: where the files go.
        wanted: which audiences, and how.
        schema: the schema of the tables for BI.

    Returns:
        What was written, in the order of names.

    Raises:
        SentenceError: the folder is not empty, an audience is not there, or something can't be
            read or written.
    """
    with reading.connected(database, schema, ["audiences"]):
        pass  # Says in a sentence what is wrong with the file.
    with _opened(database, schema) as connection:
        _select_members(connection, schema, wanted.key, _erased_in(wanted.project))
        found = _chosen(connection, wanted.names)
        with _whole(folder) as unfinished:
            return [
                _write(connection, name, unfinished / file, folder / file, wanted)
                for name, stem in zip(found, file_stems(found), strict=True)
                for file in [f"{stem}.{wanted.file_format}"]
            ]


def file_stems(names: Sequence[str]) -> list[str]:
    """Names of files that are safe on every system, one for each audience.

    >>> file_stems(["vip_at_risk", "../Élan", "__lan"])
    ['vip_at_risk', 'lan', 'lan_2']
    """
    stems: list[str] = []
    for name in names:
        stem = re.sub(r"[^a-z0-9_-]+", "_", name.lower()).strip("_-")[:100] or "audience"
        number = 1
        while (numbered := stem if number == 1 else f"{stem}_{number}") in stems:
            number += 1
        stems.append(numbered)
    return stems


def render(written: Sequence[AudienceFile]) -> str:
    """What was written and what was left out, one line for each file."""
    if not written:
        return "There is no audience in the table audiences."
    lines = []
    for found in written:
        left_out = ", ".join(
            f"{count:,} {what}"
            for count, what in (
                (found.holdout_count, "held out"),
                (found.erased_count, "erased or excluded"),
                (found.without_email_count, "without an e-mail"),
            )
            if count
        )
        lines.append(
            f"{found.file}: {found.written_count:,}" + (f" (left out: {left_out})" * bool(left_out))
        )
    return "\n".join(lines)


def as_json(written: Sequence[AudienceFile]) -> str:
    """The same as JSON."""
    return json.dumps([asdict(found) for found in written], ensure_ascii=False, indent=2)


@contextmanager
def _opened(database: Path, schema: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """The file under its own name, by which its views call its tables."""
    catalog = database.resolve().stem
    place = ".".join('"' + name.replace('"', '""') + '"' for name in (catalog, schema))
    try:
        with duckdb.connect() as connection:
            warehouse_file.attach(connection, database, catalog)
            connection.execute("set TimeZone = 'UTC'")
            set_variables(connection)
            connection.execute(f"use {place}")
            yield connection
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        raise SentenceError(
            f"Who has been erased, or the input customers, can't be read from here ({reason}). Run "
            "this where dbt runs, with the inputs in their place. Nothing was written."
        ) from error


def _erased_in(project: Path) -> list[str]:
    """Who is in the project's list, which the last build may not have known."""
    listed = erasure.recorded(project) if (project / erasure.FILE_NAME).exists() else []
    key = key_in_environment()
    return [*listed, *(key.pseudonym(entry) for entry in listed if key is not None)]


def _select_members(
    connection: duckdb.DuckDBPyConnection, schema: str, key: str, erased: Sequence[str]
) -> None:
    """Make the table members: each audience's customers with their keys, or why they have none."""
    internal = '"' + f"{schema}_{INTERNAL}".replace('"', '""') + '"'
    connection.execute("create temp table erased (customer_id varchar)")
    if erased:
        connection.executemany("insert into erased values (?)", [[entry] for entry in erased])
    if key == "email":
        keys = f"""
            select distinct
                coalesce(identities.canonical_customer_id, customers.customer_id) as customer_id,
                sha256(lower(trim(customers.email, ' \t\r\n\u00a0'))) as hashed_key
            from {internal}.stg_customer_value__customers as customers
            left join {internal}.int_customer_value__identities_merged as identities
                using (customer_id)
            where trim(customers.email, ' \t\r\n\u00a0') similar to '[^@[:space:]]+@[^@[:space:]]+'
        """
    else:
        keys = "select distinct customer_id, customer_key as hashed_key from audiences"
    connection.execute(
        f"""
        create temp table members as
        with keys as ({keys}),
        gone as (
            select customer_id from erased
            union
            select identities.canonical_customer_id
            from {internal}.int_customer_value__identities_merged as identities
            inner join erased using (customer_id)
            union
            select customer_id from {internal}.int_customer_value__customers_left_out
        )
        select
            audiences.audience_name,
            audiences.customer_id,
            audiences.expires_date,
            audiences.is_holdout,
            gone.customer_id is not null as is_gone,
            keys.hashed_key
        from audiences
        left join gone using (customer_id)
        left join keys using (customer_id)
        """
    )


def _chosen(connection: duckdb.DuckDBPyConnection, names: Sequence[str]) -> list[str]:
    rows = connection.execute("select distinct audience_name from members order by all").fetchall()
    there = [name for (name,) in rows]
    missing = [name for name in names if name not in there]
    if missing:
        raise SentenceError(
            f"There is no audience {missing[0]}; there are {', '.join(there) or 'none'}."
        )
    return [name for name in there if not names or name in names]


@contextmanager
def _whole(folder: Path) -> Iterator[Path]:
    """A folder to write into, which takes the other's place once all is written.

    Only its owner may read it, as mkdtemp makes it: hashed or not, it is a list of people.
    """
    try:
        # Lists of an earlier day beside today's would be taken for today's.
        if folder.exists() and any(folder.iterdir()):
            raise SentenceError(
                f"{folder} is not empty. Name a folder that is new or empty with --folder, so that "
                "no list of an earlier day lies beside these."
            )
        folder.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
        try:
            yield unfinished
            if folder.exists():
                folder.rmdir()
            unfinished.rename(folder)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
    except OSError as error:
        raise SentenceError(f"{folder} can't be written ({error.strerror}).") from error


def _write(
    connection: duckdb.DuckDBPyConnection, name: str, path: Path, shown: Path, wanted: Wanted
) -> AudienceFile:
    column = "email_sha256" if wanted.key == "email" else "customer_key"
    options = "csv, header" if wanted.file_format == "csv" else "parquet"
    # In the order of the hashes, which tells nothing.
    copy = f"""
        copy (
            select distinct hashed_key as {column}, expires_date
            from members
            where audience_name = {sql_text(name)} and not is_holdout and not is_gone
                and hashed_key is not null
            order by all
        ) to {sql_text(str(path))} (format {options})
    """
    try:
        connection.execute(copy)
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        raise SentenceError(f"{shown} can't be written ({reason}).") from error
    counts = connection.execute(
        """
        select
            count(distinct hashed_key) filter (not is_holdout and not is_gone),
            count(distinct customer_id) filter (is_holdout and not is_gone),
            count(distinct customer_id) filter (is_gone),
            count(distinct customer_id) filter (
                not is_holdout and not is_gone and hashed_key is null
            )
        from members
        where audience_name = ?
        """,
        [name],
    ).fetchall()
    return AudienceFile(name, str(shown), *counts[0])
