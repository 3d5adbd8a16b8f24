"""Several files of one input: shops to be fused, or parts and copies of one file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import duckdb

from customer_value.errors import SentenceError
from customer_value.guided_start.input_names import INPUTS, words
from customer_value.guided_start.mappings import Mapping, Match
from customer_value.guided_start.profiling import Source, text

# What tells parts and copies of one file apart, and no shops.
PART_WORDS = {
    *("jan", "january", "feb", "february", "mar", "march", "apr", "april", "may", "jun", "june"),
    *("jul", "july", "aug", "august", "sep", "sept", "september", "oct", "october", "nov"),
    *("november", "dec", "december", "januar", "februar", "maerz", "mai", "juni", "juli"),
    *("oktober", "okt", "dezember", "dez", "q", "kw", "week", "part", "teil", "page"),
    *("copy", "kopie", "backup", "bak", "old", "new", "final", "latest"),
}
# What names no shop.
WORDS_OF_ANY_EXPORT = {
    *("data", "export", "exports", "raw", "order", "orders", "line", "lines", "sales", "customers"),
    *("refunds", "events", "reviews", "contacts", "campaign", "shop", "store", "bestellungen"),
}


def fused(connection: duckdb.DuckDBPyConnection, mappings: Sequence[Mapping]) -> list[Mapping]:
    """The mappings of one input, each with the name of its store if there are several.

    Raises:
        SentenceError: they hold the same rows, or are parts of one file.
    """
    for one, other in combinations([mapping.source for mapping in mappings], 2):
        both = f"{one.label} and {other.label} both look like {mappings[0].input_name}"
        if not _has_same_columns(one, other):
            continue
        if _has_same_rows(connection, one, other):
            raise SentenceError(f"{both} and hold the same rows. Give one of them.")
        if _without_parts(one.label) == _without_parts(other.label):
            raise SentenceError(
                f"{both} and seem to be parts of the same. Give them as one glob, such as "
                f"'{_glob(one.label, other.label)}', or if they are of several shops, name the "
                "files by these."
            )
    if len(mappings) == 1:
        return list(mappings)
    names = store_names([mapping.source.label for mapping in mappings])
    return [_of_store(mapping, name) for mapping, name in zip(mappings, names, strict=True)]


def store_names(labels: Sequence[str]) -> list[str]:
    """A name for each of several files: the words that not all of them have.

    >>> store_names(["data/orders_berlin.csv", "data/new-york.csv"])
    ['berlin', 'new_york']
    >>> store_names(["berlin/orders.csv", "paris/orders.csv"])
    ['berlin', 'paris']
    """
    found = [_label_words(label) for label in labels]
    shared = set.intersection(*map(set, found)) | WORDS_OF_ANY_EXPORT
    own = ["_".join(word for word in given if word not in shared) for given in found]
    if all(own) and len(set(own)) == len(own):
        return own
    whole = ["_".join(given) for given in found]
    if len(set(whole)) == len(whole):
        return whole
    return list(labels)


def _label_words(label: str) -> list[str]:
    """Words of a path and its file's name, without the ending."""
    path = re.sub(r"([.](csv|tsv|txt|parquet|json|jsonl|gz|zst))+$", "", label, flags=re.IGNORECASE)
    return [
        word for part in re.split(r"[^\w]|_", path) for word in words(part) or ([part] * bool(part))
    ]


def _of_store(mapping: Mapping, name: str) -> Mapping:
    """The mapping with a constant for its store, unless a column says it or it takes none."""
    ours = next((ours for ours in INPUTS[mapping.input_name] if ours.name == "store"), None)
    if ours is None or mapping.expression("store") is not None:
        return mapping
    store = Match(ours, text(name), (), 0.5, "name of the file")
    return replace(mapping, matches=(*mapping.matches, store))


def _has_same_columns(one: Source, other: Source) -> bool:
    first, second = (
        sorted(column.name.lower() for column in item.columns) for item in (one, other)
    )
    return first == second


def _has_same_rows(connection: duckdb.DuckDBPyConnection, one: Source, other: Source) -> bool:
    if one.row_count != other.row_count:
        return False
    sums = [
        connection.execute(
            "select bit_xor(hash(rows)), sum(hash(rows) % 1000003) "
            f"from {item.text_relation} as rows"
        ).fetchone()
        for item in (one, other)
    ]
    return sums[0] == sums[1]


def _without_parts(label: str) -> list[str]:
    return [word for word in _label_words(label) if word not in PART_WORDS and not word.isdigit()]


def _glob(one: str, other: str) -> str:
    """A pattern of both names: what they begin and end with.

    >>> _glob("data/orders_2024-01.csv", "data/orders_2024-02.csv")
    'data/orders_2024-*.csv'
    """
    size = min(len(one), len(other))
    start = next((index for index in range(size) if one[index] != other[index]), size)
    rest = size - start
    end = next((index for index in range(rest) if one[-1 - index] != other[-1 - index]), rest)
    # Digits that happen to be the same are not what the files have in common.
    tail = one[len(one) - end :].lstrip("0123456789") if end else ""
    return f"{one[:start].rstrip('0123456789')}*{tail}"
