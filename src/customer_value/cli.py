"""The command ``customer-value``."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from customer_value import figures, report

if TYPE_CHECKING:
    from collections.abc import Sequence

EXIT_OK = 0
EXIT_ERROR = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0, or 2 after one sentence on stderr.

    Args:
        arguments: what follows ``customer-value``; None: as given on the command line.
    """
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
        # A reader that has gone shows only when the buffer is emptied.
        sys.stdout.flush()
    except figures.ReportError as error:
        _write(f"customer-value: {error}", sys.stderr)
        return EXIT_ERROR
    except BrokenPipeError:
        # The reader, such as `head`, has what it wanted; Python would complain on exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_OK
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="customer-value", description="Customer value from an order log, by dbt."
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_report(commands)
    return parser


def _add_report(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser(
        "report",
        help="summarise what the last build found",
        description="Summarise what the last build found. Reads the database, never writes it.",
    )
    command.add_argument(
        "--database",
        type=Path,
        metavar="FILE",
        # The profile reads the same variable, so that both mean the same file.
        default=Path(os.environ.get("CUSTOMER_VALUE_WAREHOUSE") or figures.DEFAULT_DATABASE),
        help="the DuckDB file (default: $CUSTOMER_VALUE_WAREHOUSE, "
        f"or {figures.DEFAULT_DATABASE.as_posix()})",
    )
    command.add_argument(
        "--charts", type=Path, metavar="FOLDER", help="write charts into it, as PNG files"
    )
    command.add_argument("--json", action="store_true", help="print the figures as one JSON object")
    command.set_defaults(run=_report)


def _report(options: argparse.Namespace) -> int:
    found = figures.summary(options.database)
    is_bold = _is_terminal(sys.stdout)
    text = found.to_json() if options.json else report.render(found, is_bold=is_bold)
    _write(text, sys.stdout)
    if options.charts is not None:
        # Matplotlib is optional and slow to load: only who asks for charts pays for it.
        from customer_value import charts  # noqa: PLC0415

        for path in charts.write(options.database, options.charts):
            # Not on stdout, which may be a JSON object that someone reads.
            _write(f"wrote {path}", sys.stderr)
    return EXIT_OK


def _is_terminal(stream: TextIO) -> bool:
    return stream.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def _write(text: str, stream: TextIO) -> None:
    """Print in whatever the stream can encode."""
    encoding = stream.encoding or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        plain = text.translate(report.PLAIN_SIGNS)
        text = plain.encode(encoding, errors="replace").decode(encoding)
    print(text, file=stream)


if __name__ == "__main__":
    sys.exit(main())
