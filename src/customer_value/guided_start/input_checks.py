"""What becomes of an input's rows: the first as they will be read, and those that are rejected.

The same casts and reasons as the staging and cleaning models have; a test holds the two together.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import duckdb

from customer_value.errors import SentenceError
from customer_value.guided_start.input_names import TEXT_KEYS, UNIQUE_KEYS
from customer_value.guided_start.mappings import Mapping, Match
from customer_value.guided_start.profiling import Source, read_csv, unreadable

FIRST_ROWS = 5
IDENTIFIER = re.compile(r'[A-Za-z_][A-Za-z0-9_]*|"(?:[^"]|"")+"')
EARLIEST, LATEST = "timestamp '1900-01-01'", "timestamp '2199-12-31 23:59:59.999999'"
NUMBERS = ("money", "quantity", "rating", "rate")
# What has to be above 0, and the reason that says it is not.
ABOVE_ZERO = {
    ("refunds", "amount"): "negative_amount",
    ("exchange_rates", "rate"): "implausible_rate",
}


@dataclass(frozen=True)
class Outcome:
    """Rows of an input, and why some of them can't be used; first_rows: as text, by column.

    below_zero_count: usable orders whose amount is below 0.
    """

    row_count: int
    rejected: dict[str, int]
    column_names: tuple[str, ...]
    first_rows: tuple[tuple[str | None, ...], ...]
    below_zero_count: int = 0

    @property
    def usable_count(self) -> int:
        """Rows that are left."""
        return self.row_count - sum(self.rejected.values())


def check(connection: duckdb.DuckDBPyConnection, mapping: Mapping) -> Outcome:
    """Read the whole input through its mapping, in DuckDB, and count what it rejects.

    Raises:
        SentenceError: an expression fails on a row.
    """
    try:
        rejected, below_zero_count = _rejected(connection, mapping)
        names = tuple(match.ours.name for match in mapping.matches)
        texts = ", ".join(f"cast({name} as varchar) as {name}" for name in names)
        first_rows = connection.execute(
            f"{_staged(mapping, mapping.matches)} select {texts} from staged limit {FIRST_ROWS}"
        ).fetchall()
    except duckdb.Error as error:
        raise SentenceError(unreadable(mapping.source.label, error)) from error
    return Outcome(mapping.source.row_count, rejected, names, tuple(first_rows), below_zero_count)


def _rejected(
    connection: duckdb.DuckDBPyConnection, mapping: Mapping
) -> tuple[dict[str, int], int]:
    """Rejected rows by reason, and how many of the others are below 0."""
    matches = mapping.matches
    if mapping.missing:
        # Not one row has it.
        return {f"missing_{mapping.missing[0]}": mapping.source.row_count}, 0
    unique = UNIQUE_KEYS.get(mapping.input_name)
    has_key = mapping.expression(unique) is not None if unique else False
    # A key that is optional tells only the rows apart that have it.
    key = f"nullif(trim({unique}), '')"
    repeated = f"count({key}) - count(distinct {key})" if has_key else "0"
    below_zero = "count(*) filter (amount < 0)" if mapping.input_name == "orders" else "0"
    rows = connection.execute(
        f"""
        {_staged(mapping, matches)},

        checked as (select *, case {_reasons(mapping)} end as reject_reason from staged)

        select
            reject_reason,
            count(*) as row_count,
            case when reject_reason is null then {repeated} else 0 end as repeated_count,
            case when reject_reason is null then {below_zero} else 0 end as below_zero_count
        from checked
        group by reject_reason
        order by row_count desc, reject_reason
        """
    ).fetchall()
    counts = {reason: count for reason, count, *_ in rows if reason is not None}
    repeated_count = sum(count for *_, count, _ in rows)
    if repeated_count:
        counts[f"duplicate_{unique}"] = repeated_count
    ordered = dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
    return ordered, sum(count for *_, count in rows)


def _relation(source: Source, matches: tuple[Match, ...]) -> str:
    """What is read once it is known which columns are keys."""
    if not source.is_text_file or source.path is None:
        return source.relation
    keys = tuple(
        match.theirs[0]
        for match in matches
        if match.ours.name in TEXT_KEYS and IDENTIFIER.fullmatch(match.expression)
    )
    return read_csv(source.path, keys)


def _staged(mapping: Mapping, matches: tuple[Match, ...]) -> str:
    """The two CTEs renamed and staged: inputs under our names, then cast, raw values beside."""
    renamed = ", ".join(f"{match.expression} as input_{match.ours.name}" for match in matches)
    cast = ", ".join(f"{_cast(match)} as {match.ours.name}" for match in matches)
    relation = _relation(mapping.source, matches)
    return (
        f"with renamed as (select {renamed} from {relation}), "
        f"staged as (select {cast}, renamed.* from renamed)"
    )


def _cast(match: Match) -> str:
    raw = f"input_{match.ours.name}"
    if match.ours.kind == "time":
        return f"""
        case
            when typeof({raw}) in
                ('TIMESTAMP', 'DATE', 'TIMESTAMP_S', 'TIMESTAMP_MS', 'TIMESTAMP_NS')
                then try_cast({raw} as timestamp)
            when typeof({raw}) = 'TIMESTAMP WITH TIME ZONE'
                then timezone('UTC', try_cast({raw} as timestamptz))
            else timezone('UTC', coalesce(
                try_cast({raw} || ' UTC' as timestamptz),
                try_cast({raw} || ' 00:00:00 UTC' as timestamptz),
                try_cast({raw} || '' as timestamptz)
            ))
        end"""
    if match.ours.kind == "money":
        # A price may have fractions of a cent; an amount is money that was paid.
        decimals = 2 if match.ours.name.endswith("amount") else 4
        return f"try_cast({raw} as decimal(18, {decimals}))"
    if match.ours.kind in NUMBERS:
        return f"try_cast({raw} as double)"
    return f"cast({raw} as varchar)"


def _reasons(mapping: Mapping) -> str:
    """The branches of the case: keys, then times, then amounts, then what is optional."""
    matches = mapping.matches
    required = [match for match in matches if match.ours.is_required]
    branches = []
    for match in sorted(required, key=_rank):
        name, raw = match.ours.name, f"input_{match.ours.name}"
        unreadable_value = (
            f"{name} is null and {raw} is not null and trim(cast({raw} as varchar)) <> ''"
        )
        if match.ours.kind == "time":
            branches += [
                f"when {unreadable_value} then 'unparseable_{name}'",
                f"when {name} is null then 'missing_{name}'",
                f"when not {name} between {EARLIEST} and {LATEST} then 'implausible_{name}'",
            ]
        elif match.ours.kind in NUMBERS:
            number = f"try_cast({raw} as double)"
            reason = f"'unparseable_{name}'"
            if name == "amount":
                reason = (
                    f"case when {number} is null or isnan({number}) then 'unparseable_{name}' "
                    f"when abs({number}) < 1e300 then '{name}_out_of_range' "
                    f"else 'infinite_{name}' end"
                )
            branches += [
                f"when {unreadable_value} then {reason}",
                f"when {name} is null then 'missing_{name}'",
                f"when abs({name}) >= 1e13 then '{name}_out_of_range'",
            ]
            if (mapping.input_name, name) in ABOVE_ZERO:
                too_low = ABOVE_ZERO[mapping.input_name, name]
                branches.append(f"when not {name} > 0 then '{too_low}'")
        else:
            branches.append(f"when {name} is null or trim({name}) = '' then 'missing_{name}'")
    for match in matches:
        name, raw = match.ours.name, f"input_{match.ours.name}"
        if not match.ours.is_required and match.ours.kind in {"time", *NUMBERS}:
            branches.append(
                f"when {name} is null and {raw} is not null "
                f"and trim(cast({raw} as varchar)) <> '' then 'unparseable_{name}'"
            )
    return " ".join(branches) or "when false then ''"


def _rank(match: Match) -> int:
    return 1 if match.ours.kind == "time" else 2 if match.ours.kind in NUMBERS else 0
