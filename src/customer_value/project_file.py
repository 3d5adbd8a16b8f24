"""The var inputs in a dbt_project.yml: everything else in the file stays as it is, to the byte."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from customer_value.errors import SentenceError

PACKAGE = "customer_value"
PLAIN = re.compile(r"[A-Za-z_./][A-Za-z0-9_ .*()+/-]*")


def project_path(folder: Path) -> Path:
    """The project file of a folder.

    Raises:
        SentenceError: there is none.
    """
    path = folder / "dbt_project.yml"
    if not path.is_file():
        raise SentenceError(
            f"There is no dbt_project.yml in {folder}. Name a dbt project's folder with --project, "
            "or only look with --dry-run."
        )
    return path


def scalar(text: str) -> str:
    """A text as a YAML scalar on one line.

    >>> print(scalar('"Customer ID"'), scalar("no"), scalar("quantity * price"), scalar("'berlin'"))
    '"Customer ID"' 'no' quantity * price "'berlin'"
    """
    if PLAIN.fullmatch(text) and yaml.safe_load(text) == text:
        return text
    if "'" in text and text.isprintable() and not set(text) & {'"', "\\"}:
        return f'"{text}"'
    # YAML reads JSON's strings, and they hold what single quotes can't.
    return "'" + text.replace("'", "''") + "'" if text.isprintable() else json.dumps(text)


def with_inputs(text: str, lines: Sequence[str], *, force: bool) -> str:
    """The text of a project file with the var inputs in it.

    Args:
        text: of the project file.
        lines: the var, from its key on.
        force: replace an inputs var that is there.

    Raises:
        SentenceError: it is there already, or the file can't be edited safely.
    """
    before, root = _parsed(text)
    if not isinstance(root, yaml.MappingNode) or root.flow_style:
        raise _uneditable("it is no block of keys")
    if (found := _found(before)) is not None and not force:
        raise SentenceError(
            f"dbt_project.yml already has the var inputs, of {', '.join(found) or 'nothing'}. "
            "Nothing was written; --force replaces it."
        )
    edited = _edited(text, root, lines)
    after = yaml.safe_load(edited.removeprefix("\ufeff"))
    expected = before or {}
    expected["vars"] = expected.get("vars") or {}
    expected["vars"][PACKAGE] = expected["vars"].get(PACKAGE) or {}
    expected["vars"][PACKAGE]["inputs"] = yaml.safe_load("\n".join(lines))["inputs"]
    if after != expected:
        raise _uneditable("its vars are written in an unusual way")
    return edited


def declared_inputs(text: str) -> dict[str, Any] | None:
    """The var inputs of a project file, or None where it has none.

    Raises:
        SentenceError: the file or the var is not what dbt would read.
    """
    inputs = declared_var(text, "inputs")
    if inputs is not None and not isinstance(inputs, dict):
        raise SentenceError(
            f"The var inputs of dbt_project.yml is {json.dumps(inputs, default=str)}; it takes the "
            "names of inputs, each with where it is. Mend it first."
        )
    return inputs or None


def declared_var(text: str, name: str) -> Any:  # noqa: ANN401 - whatever the YAML holds
    """The value of a var in a project file, under our name or at the top; None where it has none.

    Raises:
        SentenceError: the file is not readable.
    """
    project, _ = _parsed(text)
    variables = project.get("vars") if isinstance(project, dict) else None
    return next((place[name] for _, place in _places(variables) if name in place), None)


def with_further_input(text: str, name: str, path: str) -> str:
    """The text of a project file whose var inputs takes one more input, from a file.

    Args:
        text: of the project file, which has the var inputs, under our name or at the top of vars.
        name: of the input, which inputs does not have yet.
        path: of the file, as seen from the project's folder.

    Raises:
        SentenceError: the file can't be edited safely.
    """
    expected, root = _parsed(text)
    places = _places(expected.get("vars") if isinstance(expected, dict) else None)
    keys, place = next((found for found in places if "inputs" in found[1]), ((), {}))
    if not place or not isinstance(root, yaml.MappingNode):
        raise _uneditable("it has no var inputs")
    node: yaml.Node = root
    for key in (*keys, "inputs"):
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        node = next((value for name_node, value in pairs if name_node.value == key), root)
    line = f"{name}: {{path: {scalar(path)}}}"
    edited = _with_entry(text, node, line)
    place["inputs"][name] = {"path": path}
    try:
        is_right = yaml.safe_load(edited.removeprefix("\ufeff")) == expected
    except yaml.YAMLError:
        is_right = False
    if not is_right:
        raise SentenceError(
            "dbt_project.yml can't be edited safely: its vars are written in an unusual way. "
            f"Nothing was written; write {line} below inputs by hand, then try again."
        )
    return edited


def _with_entry(text: str, node: yaml.Node, line: str) -> str:
    """The text with a further entry in a mapping, which is written as a block or in braces."""
    if not isinstance(node, yaml.MappingNode) or not node.value:
        return text
    if node.flow_style:
        # Behind the opening brace: behind the last entry, there may be a comma or not.
        at = node.start_mark.index + 1 + (len(text) - len(text.removeprefix("\ufeff")))
        return f"{text[:at]}{line}, {text[at:]}"
    rows = text.splitlines(keepends=True)
    if not rows[-1].endswith(("\n", "\r")):
        rows[-1] += _newline(text)
    indent = node.start_mark.column
    end = _end(rows, node.end_mark.line, indent)
    return _spliced(rows, (end, end), [line], indent)


def _parsed(text: str) -> tuple[Any, yaml.Node | None]:
    try:
        bare = text.removeprefix("\ufeff")
        return yaml.safe_load(bare), yaml.compose(bare)
    except yaml.YAMLError as error:
        raise SentenceError(
            f"dbt_project.yml is not readable as YAML ({_first_line(error)}). Mend it first."
        ) from error


def _places(variables: object) -> list[tuple[tuple[str, ...], dict[str, Any]]]:
    """Where vars of ours may stand: under our name, which dbt prefers, or at the top of vars."""
    if not isinstance(variables, dict):
        return []
    ours = variables.get(PACKAGE)
    at_the_top = (("vars",), variables)
    return [(("vars", PACKAGE), ours), at_the_top] if isinstance(ours, dict) else [at_the_top]


def _edited(text: str, root: yaml.MappingNode, lines: Sequence[str]) -> str:
    rows = text.splitlines(keepends=True)
    if rows and not rows[-1].endswith(("\n", "\r")):
        rows[-1] += _newline(text)
    node: yaml.MappingNode = root
    indent = 0
    wrapped = ["vars", PACKAGE]
    for depth, key in enumerate(("vars", PACKAGE, "inputs")):
        pair = next((pair for pair in node.value if pair[0].value == key), None)
        rest = [*wrapped[depth:]]
        if pair is None:
            end = _end(rows, node.end_mark.line, indent)
            return _spliced(rows, (end, end), _nested(rest, lines), indent)
        name, value = pair
        indent = name.start_mark.column
        if key == "inputs":
            start = name.start_mark.line
            end = _end(rows, max(value.end_mark.line, start + 1), indent + 1)
            if value.end_mark.column > indent and value.end_mark.line >= start:
                end = max(end, value.end_mark.line + 1)
            return _spliced(rows, (start, max(end, start + 1)), list(lines), indent)
        if isinstance(value, yaml.ScalarNode) and not value.value:
            start = name.start_mark.line + 1
            return _spliced(rows, (start, start), _nested(rest[1:], lines), indent + 2)
        if not isinstance(value, yaml.MappingNode) or value.flow_style:
            raise _uneditable(f"{key} is written in braces")
        node = value
        indent = value.start_mark.column
    raise AssertionError(key)


def _nested(keys: Sequence[str], lines: Sequence[str]) -> list[str]:
    """The lines, below the given keys."""
    nested = list(lines)
    for key in reversed(keys):
        nested = [f"{key}:", *(f"  {line}" for line in nested)]
    return nested


def _end(rows: Sequence[str], end: int, indent: int) -> int:
    """The row where a block ends: blank rows and comments outside of it belong to what follows."""
    end = min(end, len(rows))
    while end > 0:
        row = rows[end - 1]
        bare = row.strip()
        is_outside = bare.startswith("#") and len(row) - len(row.lstrip()) < indent
        if bare and not is_outside and not (bare.startswith("#") and indent == 0):
            return end
        end -= 1
    return end


def _spliced(rows: Sequence[str], span: tuple[int, int], lines: Sequence[str], indent: int) -> str:
    """The rows with those of a span replaced by other lines."""
    newline = _newline("".join(rows))
    new = [" " * indent + line + newline for line in lines]
    return "".join([*rows[: span[0]], *new, *rows[span[1] :]])


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _uneditable(reason: str) -> SentenceError:
    return SentenceError(
        f"dbt_project.yml can't be edited safely: {reason}. Nothing was written; "
        "copy the lines into it by hand."
    )


def _found(project: Any) -> list[str] | None:  # noqa: ANN401 - whatever the YAML holds
    for key in ("vars", PACKAGE, "inputs"):
        if not isinstance(project, dict) or key not in project:
            return None
        project = project[key]
    return list(project) if isinstance(project, dict) else []


def _first_line(error: yaml.YAMLError) -> str:
    return str(error).splitlines()[0].rstrip(".")
