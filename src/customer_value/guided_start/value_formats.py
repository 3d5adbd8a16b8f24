"""How the values of a column are to be read: the SQL expression, and what it takes for granted."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import duckdb

from customer_value.guided_start.profiling import Column, Source, quoted, text

DATE_PARTS = re.compile(
    r"(?P<a>\d{1,4})(?P<sep>[./-])(?P<b>\d{1,2})(?P=sep)(?P<c>\d{4}|\d{2})"
    r"(?:(?P<gap>[ T]|, )(?P<time>\d{1,2}:\d{2}(?P<seconds>:\d{2})?(?P<fraction>[.]\d+)?)"
    r"(?P<half> ?[AaPp][Mm])?)?(?P<zone> ?(?:[+-]\d{2}:?\d{2}|Z))?"
)
NAMED_MONTH = re.compile(
    r"(?:(?P<day>\d{1,2})[ -])?(?P<month>[A-Za-z]{3,9})[ -](?:(?P<later>\d{1,2}),? )?"
    r"(?P<year>\d{4})(?P<time> \d{1,2}:\d{2}(?P<seconds>:\d{2})?)?"
)
# Texts that are looked at one by one to find the formats; all rows decide between these.
EXAMPLES = 400
# Below this share of readable values a column does not hold what it is tried as.
LEAST_SHARE = 0.5
CURRENCY_SIGNS = r"[€$£¥\s]"
BARE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Reading:
    """An SQL expression over a column, the share of values that it reads, and what it assumes.

    alternative: another expression that the values allow as well; choice: why it may be meant.
    """

    expression: str
    share: float = 1.0
    note: str = ""
    alternative: str | None = None
    choice: str = ""


class Reader:
    """Finds readings, each once."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, source: Source) -> None:
        """Read the columns of one source."""
        self.connection = connection
        self.source = source
        self._keywords = {
            word
            for (word,) in connection.execute(
                "select keyword_name from duckdb_keywords() where keyword_category <> 'unreserved'"
            ).fetchall()
        }
        self._times: dict[str, Reading | None] = {}
        self._numbers: dict[str, Reading | None] = {}

    def name(self, column: Column) -> str:
        """A column's name as SQL, in quotes only where it needs them."""
        bare = BARE_NAME.fullmatch(column.name) and column.name.lower() not in self._keywords
        return column.name if bare else quoted(column.name)

    def key(self, column: Column) -> Reading:
        """Keys are text; whole numbers in doubles lose their .0 first."""
        name = self.name(column)
        if column.type in {"DOUBLE", "FLOAT"} and column.is_whole:
            return Reading(f"try_cast({name} as bigint)", note="whole numbers kept as doubles")
        return Reading(name)

    def time(self, column: Column) -> Reading | None:
        """The reading of a column as times, or None where its values are none."""
        if column.name not in self._times:
            self._times[column.name] = self._time(column)
        return self._times[column.name]

    def number(self, column: Column) -> Reading | None:
        """The reading of a column as numbers, or None where its values are none."""
        if column.name not in self._numbers:
            self._numbers[column.name] = self._number(column)
        return self._numbers[column.name]

    def examples(self, column: Column) -> list[str]:
        """Some values of a column as they stand in the file."""
        return self._examples(column, self.source.text_relation)

    def _time(self, column: Column) -> Reading | None:
        name = self.name(column)
        if column.is_time:
            plain = Reading(name)
            return self._sniffed(column, plain) if self.source.is_text_file else plain
        if column.is_text:
            return self._text_time(column)
        if column.is_integer and column.low is not None and column.high is not None:
            low, high = column.low, column.high
            for lowest, highest, expression, note in (
                (19000101, 21991231, f"try_strptime(cast({name} as varchar), '%Y%m%d')",
                 "numbers such as 20240131"),
                (5e8, 5e9, f"to_timestamp({name})", "seconds since 1970"),
                (5e11, 5e12, f"epoch_ms({name})", "milliseconds since 1970"),
            ):  # fmt: skip
                if lowest <= low and high <= highest:
                    return Reading(expression, 0.8, note)
        return None

    def _sniffed(self, column: Column, plain: Reading) -> Reading:
        """A CSV column that DuckDB took for dates; in which order of day and month it doesn't say.

        Where both orders are possible, the other one is offered.
        """
        formats = _formats(self._examples(column, self.source.text_relation))
        swapped = {a: b for a in formats if (b := _swapped(a)) and b in formats}
        if not swapped or not self._is_undecided(column, list(swapped), list(swapped.values())):
            return plain
        name = self.name(column)
        other = f"strptime(strftime({name}, '%Y-%d-%m %H:%M:%S'), '%Y-%m-%d %H:%M:%S')"
        raw = self._examples(column, self.source.text_relation)[0]
        query = f"select strftime({name}, '%d %B') from {self.source.relation} as typed limit 1"
        first = self.connection.execute(query).fetchone()
        example = first[0] if first else ""
        return replace(
            plain,
            note="day and month can't be told apart",
            alternative=other,
            choice=f"since dates such as {raw} allow both orders of day and month (DuckDB reads "
            f"the first as {example}), with the two swapped",
        )

    def _text_time(self, column: Column) -> Reading | None:
        examples = self._examples(column, self.source.sample)
        # Spares reading all rows of what is no time at all.
        if sum(map(_looks_like_time, examples)) < LEAST_SHARE * len(examples):
            return None
        name = self.name(column)
        as_is = (
            f"coalesce(try_cast({name} || ' UTC' as timestamptz), "
            f"try_cast({name} || ' 00:00:00 UTC' as timestamptz), try_cast({name} as timestamptz))"
        )
        candidates = _formats(examples)
        counts = self._counts(
            self.source.relation, [as_is, *(f"try_strptime({name}, {text(f)})" for f in candidates)]
        )
        readable, ranked = (
            counts[0],
            sorted(zip(counts[1:], candidates, strict=True), key=lambda pair: -pair[0]),
        )
        if not column.count or (readable == column.count and readable):
            return Reading(name) if column.count else None
        if not ranked or ranked[0][0] <= readable:
            share = readable / column.count
            return Reading(name, share) if share >= LEAST_SHARE else None
        best_count, best = ranked[0]
        tied = [format_ for count, format_ in ranked if count == best_count]
        other = _swapped(best)
        is_undecided = other in tied
        if is_undecided and other is not None and not self._days_come_first(column, best, other):
            best, other = other, best
        formats = self._complement(column, best, ranked)
        expression, share = self._parsed(column, formats)
        if share < LEAST_SHARE:
            return None
        note = f"text read as {', '.join(formats)}"
        if not is_undecided or other is None:
            return Reading(expression, share, note)
        alternative, _ = self._parsed(column, [other])
        return Reading(
            expression,
            share,
            f"{note}; day and month can't be told apart",
            alternative,
            f"since dates such as {examples[0]} allow both orders of day and month ({best} was "
            "taken: its days vary more than its months)",
        )

    def _complement(self, column: Column, best: str, ranked: list[tuple[int, str]]) -> list[str]:
        """The best format, and those that read values which it can't, the other order aside."""
        formats = [best]
        if ranked[0][0] == column.count:
            return formats
        for _, format_ in ranked:
            if format_ in formats or _swapped(format_) in formats or len(formats) == 3:
                continue
            given = [text(item) for item in (*formats, format_)]
            first = f"try_strptime({self.name(column)}, [{', '.join(given[:-1])}])"
            both = f"try_strptime({self.name(column)}, [{', '.join(given)}])"
            before, after = self._counts(self.source.relation, [first, both])
            if after > before:
                formats.append(format_)
        return formats

    def _parsed(self, column: Column, formats: list[str]) -> tuple[str, float]:
        """The expression for formats, and the share of values that it or we can read."""
        name = self.name(column)
        given = text(formats[0])
        if len(formats) > 1:
            given = f"[{', '.join(text(format_) for format_ in formats)}]"
        parsed = f"try_strptime({name}, {given})"
        (count,) = self._counts(self.source.relation, [parsed])
        if count < column.count:
            # What the format can't read stays as it is, to be rejected under its own reason.
            return f"coalesce(cast({parsed} as varchar), {name})", count / column.count
        return parsed, 1.0

    def _is_undecided(self, column: Column, ones: list[str], others: list[str]) -> bool:
        name = quoted(column.name)
        counts = self._counts(
            self.source.text_relation,
            [f"try_strptime({name}, {text(item)})" for item in (*ones, *others)],
        )
        return max(counts[: len(ones)]) == max(counts[len(ones) :])

    def _days_come_first(self, column: Column, one: str, other: str) -> bool:
        """Whether the first of two formats has the more days: months vary less than they."""
        name = self.name(column)
        days = [f"count(distinct day(try_strptime({name}, {text(item)})))" for item in (one, other)]
        row = self._row(f"select {', '.join(days)} from {self.source.relation} as typed")
        return (row[0], one.startswith("%d")) > (row[1], other.startswith("%d"))

    def _number(self, column: Column) -> Reading | None:  # noqa: PLR0911 - one per shape
        name = self.name(column)
        if column.is_number:
            return Reading(name)
        has_digits = any(re.search(r"\d", example) for example in column.examples)
        if not column.is_text or not column.count or not has_digits:
            return None
        signless = f"regexp_replace({name}, '{CURRENCY_SIGNS}', '', 'g')"
        shapes = {
            "plain": r"^-?\d+([.]\d+)?([eE][+-]?\d+)?$",
            "comma": r"^-?(\d+|\d{1,3}([.]\d{3})+)(,\d+)?$",
            "grouped": r"^-?\d{1,3}(,\d{3})+([.]\d+)?$|^-?\d+([.]\d+)?$",
            "both": r"^-?\d{1,3},\d{3}$",
            "signed": r"^\s*[€$£¥]|[€$£¥]\s*$",
        }
        filters = [
            f"count(*) filter (regexp_matches({name if shape == 'signed' else signless}, "
            f"{text(pattern)}))"
            for shape, pattern in shapes.items()
        ]
        found = self._row(f"select {', '.join(filters)} from {self.source.relation} as typed")
        plain, comma, grouped, both, signed = (count / column.count for count in found)
        bare = signless if signed else name
        stripped = "; currency signs taken off" if signed else ""
        decimal_comma = f"replace(replace({bare}, '.', ''), ',', '.')"
        thousands = f"replace({bare}, ',', '')"
        if max(plain, comma, grouped) < LEAST_SHARE:
            return None
        if plain >= max(comma, grouped):
            return Reading(bare, plain, stripped.removeprefix("; "))
        if comma > grouped:
            return Reading(decimal_comma, comma, f"decimal commas{stripped}")
        reading = Reading(thousands, grouped, f"commas part thousands{stripped}")
        if both and comma == grouped:
            return replace(
                reading,
                alternative=decimal_comma,
                choice=f"since {column.examples[0]} may have a decimal comma, or one that parts "
                "thousands",
            )
        return reading

    def _examples(self, column: Column, relation: str) -> list[str]:
        name = quoted(column.name)
        rows = self.connection.execute(
            f"select distinct cast({name} as varchar) as example from {relation} as typed "
            f"where {name} is not null order by hash(example) limit {EXAMPLES}"
        ).fetchall()
        return [example for (example,) in rows]

    def _counts(self, relation: str, expressions: list[str]) -> list[int]:
        counted = ", ".join(f"count({expression})" for expression in expressions)
        return list(self._row(f"select {counted} from {relation} as typed"))

    def _row(self, query: str) -> tuple[Any, ...]:
        row: tuple[Any, ...] | None = self.connection.execute(query).fetchone()
        return row or ()


def cast_text(expression: str, kind: str) -> str:
    """A text as a number, or null.

    Trimmed, since DuckDB 2.0 hands a bare cast of a column to the reader of a CSV file, which
    then fails where the cast would give null.
    """
    return f"try_cast(trim({expression}) as {kind})"


def _looks_like_time(example: str) -> bool:
    return re.match(r"\s*\d{4}-\d{1,2}-\d{1,2}", example) is not None or bool(
        _formats_of(example.strip())
    )


def _formats(examples: list[str]) -> list[str]:
    """The formats that the shapes of the examples allow, the commonest first."""
    found: dict[str, int] = {}
    for example in examples:
        for format_ in _formats_of(example.strip()):
            found[format_] = found.get(format_, 0) + 1
    return sorted(found, key=lambda format_: (-found[format_], format_))[:12]


def _formats_of(example: str) -> list[str]:
    """The formats that one text may have.

    >>> _formats_of("12/1/2010 8:26")
    ['%m/%d/%Y %H:%M', '%d/%m/%Y %H:%M']
    >>> _formats_of("2024-01-05 10:00:00 -0500")
    ['%Y-%m-%d %H:%M:%S %z']
    """
    named = NAMED_MONTH.fullmatch(example)
    if named:
        return [_named_month(named)]
    parts = DATE_PARTS.fullmatch(example)
    if parts is None:
        return ["%Y%m%d"] if re.fullmatch(r"(19|20)\d{6}", example) else []
    separator = parts["sep"]
    clock = ""
    if parts["time"]:
        clock = parts["gap"] + ("%I:%M" if parts["half"] else "%H:%M")
        clock += (":%S" if parts["seconds"] else "") + (".%f" if parts["fraction"] else "")
        if parts["half"]:
            clock += " %p" if parts["half"].startswith(" ") else "%p"
    if parts["zone"]:
        clock += " %z" if parts["zone"].startswith(" ") else "%z"
    if len(parts["a"]) == 4:
        return [separator.join(("%Y", "%m", "%d")) + clock]
    if len(parts["a"]) > 2:
        return []
    year = "%Y" if len(parts["c"]) == 4 else "%y"
    orders = []
    if int(parts["a"]) <= 12:
        orders.append(("%m", "%d", year))
    if int(parts["b"]) <= 12:
        orders.append(("%d", "%m", year))
    return [separator.join(order) + clock for order in orders]


def _named_month(parts: re.Match[str]) -> str:
    month = "%b" if len(parts["month"]) == 3 else "%B"
    separator = "-" if "-" in parts[0] else " "
    clock = ""
    if parts["time"]:
        clock = " %H:%M:%S" if parts["seconds"] else " %H:%M"
    if parts["later"]:
        return f"{month} %d{',' if ',' in parts[0] else ''} %Y{clock}"
    if parts["day"]:
        return f"%d{separator}{month}{separator}%Y{clock}"
    return f"{month}{separator}%Y{clock}"


def _swapped(format_: str) -> str | None:
    """The format with day and month in the other order; None for one that starts with the year."""
    if not re.match(r"%[dm][./-]%[dm]", format_):
        return None
    return format_[3:5] + format_[2] + format_[:2] + format_[5:]
