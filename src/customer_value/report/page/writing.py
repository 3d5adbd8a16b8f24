"""The page: sections set by a template in which all text is escaped, written in one step.

There is no script in it, and its own policy (CSP) forbids any, as well as all network: a name in
the data that holds HTML is shown as it is, and could do nothing even if it were not.
"""

from __future__ import annotations

import base64
import hashlib
import os
import tempfile
from importlib import resources
from pathlib import Path

import jinja2

from customer_value.errors import SentenceError
from customer_value.report import reading, words
from customer_value.report.page import drawing
from customer_value.report.page.blocks import Draw
from customer_value.report.page.sections import SECTIONS
from customer_value.report.page.tables import Tables

# Without it there is nothing to say.
NEEDED_TABLES = ("customers",)


def write(database: Path, path: Path, schema: str = reading.SCHEMA) -> Path:
    """Write the report of a built database, which is not changed.

    The same database gives the same bytes.

    Args:
        database: the DuckDB file that ``dbt build`` wrote.
        path: the HTML file; an older one is replaced once the new one is whole.
        schema: the schema of the tables for BI.

    Returns:
        The path.

    Raises:
        SentenceError: the database can't be read, or the file can't be written.
    """
    page = render(database, schema)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, unfinished = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                file.write(page)
            # A file of mkstemp's is its maker's alone; a report is for whoever may see the folder.
            Path(unfinished).chmod(0o644)
            Path(unfinished).replace(path)
        except BaseException:
            Path(unfinished).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise SentenceError(
            f"The report can't be written to {path} ({error.strerror or error}). "
            "Name a file that can be written with --html."
        ) from error
    return path


def render(database: Path, schema: str = reading.SCHEMA) -> str:
    """The report as HTML."""
    with reading.connected(database, schema, NEEDED_TABLES) as connection:
        tables = Tables(connection)
        sections = [
            found for found in (section(tables) for section in SECTIONS) if found is not None
        ]
        styles = _resource("page.css")
        environment = jinja2.Environment(
            autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        return (
            environment.from_string(_resource("page.html.j2")).render(
                sections=sections,
                as_of_day=words.day(tables.as_of_date),
                run_id=tables.run_id,
                styles=styles,
                style_hash=base64.b64encode(hashlib.sha256(styles.encode()).digest()).decode(),
                wide=drawing.WIDE.width,
                narrow=drawing.NARROW.width,
                image=_image,
                spaces={"wide": drawing.WIDE, "narrow": drawing.NARROW},
            )
            + "\n"
        )


def _image(draw: Draw, space: drawing.Space) -> str:
    """A picture as a URL that holds it: an image can neither run nor load anything."""
    encoded = base64.b64encode(drawing.svg(draw, space).encode()).decode()
    return f"data:image/svg+xml;base64,{encoded}"


def _resource(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
