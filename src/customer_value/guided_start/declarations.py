"""The var inputs as lines of YAML, what is ambiguous as comments beside it."""

from __future__ import annotations

import os
import re
import textwrap
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import yaml

from customer_value.guided_start.mappings import Mapping
from customer_value.guided_start.profiling import quoted
from customer_value.project_file import scalar

COMMENT_WIDTH = 90


def inputs_yaml(
    mappings: Sequence[Mapping], folder: Path, comments: Sequence[str] = ()
) -> list[str]:
    """The var inputs as lines of YAML, what is ambiguous as comments beside it.

    Args:
        mappings: of one and the same input side by side; several make a list.
        folder: the project's; paths are written as seen from there.
        comments: sentences that belong to the inputs as a whole.
    """
    lines = ["inputs:"]
    for comment in comments:
        lines += [f"  # {line}" for line in textwrap.wrap(_comment(comment), COMMENT_WIDTH)]
    for input_name, group in groupby(mappings, key=lambda mapping: mapping.input_name):
        lines.append(f"  {input_name}:")
        declarations = [_declaration(mapping, folder) for mapping in group]
        for declaration in declarations:
            first, rest = ("    ", "    ") if len(declarations) == 1 else ("    - ", "      ")
            lines += [f"{first}{declaration[0]}", *(f"{rest}{line}" for line in declaration[1:])]
    return lines


def _declaration(mapping: Mapping, folder: Path) -> list[str]:
    """Where an input is and what its columns are, a line each, the first one being a key."""
    lines = [_place(mapping, folder)]
    if mapping.has_local_times:
        lines.append("# Times without a zone are taken as UTC. If they are local, say of where:")
        lines.append("# time_zone: Europe/Berlin")
    lines.append("columns:")
    for match in mapping.matches:
        name = match.ours.name
        if match.note:
            lines.append(f"  # {_sentence(match.note)}.")
        lines.append(f"  {name}: {scalar(match.expression)}")
        for choice in match.choices:
            lines.append(f"  # Or, {_comment(choice.reason)}:")
            lines.append(f"  # {choice.name or name}: {_comment(scalar(choice.expression))}")
    for name in mapping.missing:
        lines.append("  # Required, and not found:")
        lines.append(f"  # {name}:")
    return lines


def table_place(table: tuple[str, str], folder: Path) -> str:
    """What the var says of a table: the project's model or source of this name, or the table."""
    schema, name = table
    if any(_files(folder, f"{name}.{ending}") for ending in ("sql", "py", "csv")):
        return f"model: {scalar(name)}"
    is_declared = any(
        source.get("name") == schema
        and any(item.get("name") == name for item in source.get("tables") or [])
        for path in [*_files(folder, "*.yml"), *_files(folder, "*.yaml")]
        for source in _sources(path)
    )
    if is_declared:
        return f"source: [{scalar(schema)}, {scalar(name)}]"
    parts = (part if re.fullmatch("[a-z_][a-z0-9_]*", part) else quoted(part) for part in table)
    return f"table: {scalar('.'.join(parts))}"


def _place(mapping: Mapping, folder: Path) -> str:
    if mapping.source.table is not None:
        return table_place(mapping.source.table, folder)
    path = mapping.source.path or ""
    if not re.match(r"[a-z0-9]+://", path):
        try:
            path = Path(os.path.relpath(path, folder)).as_posix()
        except ValueError:  # another drive
            path = Path(path).resolve().as_posix()
    return f"path: {scalar(path)}"


def _files(folder: Path, pattern: str) -> list[Path]:
    """Files of the project itself, where its models and seeds are by custom."""
    return [path for name in ("models", "seeds") for path in sorted((folder / name).rglob(pattern))]


def _sources(path: Path) -> list[dict[str, Any]]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, OSError):
        return []
    found = content.get("sources") if isinstance(content, dict) else None
    return [item for item in found or [] if isinstance(item, dict)]


def _sentence(text: str) -> str:
    flat = _comment(text)
    # A name that stands first keeps its case.
    first = flat.split(" ", 1)[0]
    return flat[0].upper() + flat[1:] if first.islower() else flat


def _comment(text: str) -> str:
    """A text on one line that ends no comment: a name may hold any sign."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
