"""The command ``customer-value``."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from customer_value.errors import SentenceError
from customer_value.report import figures, plain_text, reading

if TYPE_CHECKING:
    from collections.abc import Sequence

EXIT_OK = 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0, or 2 after one sentence on stderr.

    Refreshing has more of them, which docs/refresh.md lists.

    Args:
        arguments: what follows ``customer-value``; None: as given on the command line.
    """
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
        # A reader that has gone shows only when the buffer is emptied.
        sys.stdout.flush()
    except SentenceError as error:
        sys.stdout.flush()
        # A sentence may quote a column's name, which holds whatever a file's first line does.
        _write(f"customer-value: {_one_line(str(error))}", sys.stderr)
        return error.exit_code
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
    _add_init(commands)
    _add_report(commands)
    _add_audiences(commands)
    _add_erase(commands)
    _add_refresh(commands)
    return parser


def _add_init(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser(
        "init",
        help="recognise your orders and write the var inputs into a dbt project",
        description="Recognise which columns are orders, customers, times and amounts, show how "
        "they will be read, and write the var inputs into a dbt project.",
    )
    command.add_argument(
        "inputs",
        nargs="*",
        metavar="PATH_OR_TABLE",
        help="a file or glob that DuckDB reads, or a table (schema.table) of --database",
    )
    command.add_argument("--database", type=Path, metavar="FILE", help="the tables' DuckDB file")
    command.add_argument(
        "--project",
        type=Path,
        metavar="FOLDER",
        default=Path(),
        help="the dbt project to write into (default: this folder)",
    )
    command.add_argument(
        "--as",
        action="append",
        default=[],
        dest="named",
        metavar="INPUT=PATH",
        help="say what a file is, for example order_lines=data/lines.csv; an input given more "
        "than once is a list, of several shops",
    )
    command.add_argument("--dry-run", action="store_true", help="show, and write nothing")
    command.add_argument(
        "--force", action="store_true", help="replace the var inputs if the project has it"
    )
    command.add_argument("--json", action="store_true", help="print what was found as JSON")
    command.set_defaults(run=_init)


def _init(options: argparse.Namespace) -> int:
    # The report needs none of it.
    from customer_value import guided_start  # noqa: PLC0415

    named = []
    for item in options.named:
        name, is_pair, path = item.partition("=")
        if not is_pair or not path:
            raise SentenceError(f"--as takes INPUT=PATH, and got {item}.")
        named.append((name, path))
    found = guided_start.start(options.inputs, named, options.database, options.project)
    _write(found.to_json() if options.json else guided_start.render(found), sys.stdout)
    if found.problem is not None:
        raise SentenceError(found.problem)
    if not options.dry_run:
        path = guided_start.write(found, options.project, force=options.force)
        # Not on stdout, which may be a JSON object that someone reads.
        _write(f"wrote {path}", sys.stderr)
    return EXIT_OK


def _add_report(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser(
        "report",
        help="summarise what the last build found",
        description="Summarise what the last build found. Reads the database, never writes it.",
    )
    _add_database(command)
    command.add_argument(
        "--charts", type=Path, metavar="FOLDER", help="write charts into it, as PNG files"
    )
    command.add_argument(
        "--html",
        type=Path,
        metavar="FILE",
        help="write the report for people, one file with pictures, in place of the text",
    )
    command.add_argument("--json", action="store_true", help="print the figures as one JSON object")
    command.set_defaults(run=_report)


def _report(options: argparse.Namespace) -> int:
    if options.html is None or options.json:
        found = figures.summary(options.database, options.schema)
        is_bold = _is_terminal(sys.stdout)
        text = found.to_json() if options.json else plain_text.render(found, is_bold=is_bold)
        _write(text, sys.stdout)
    if options.html is not None:
        _write(f"wrote {_page(options)}", sys.stderr)
    if options.charts is not None:
        for path in _charts(options):
            # Not on stdout, which may be a JSON object that someone reads.
            _write(f"wrote {path}", sys.stderr)
    return EXIT_OK


def _add_audiences(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser(
        "audiences",
        help="write the lists of customers to act on for advertising tools, keys hashed",
        description="Write each list of the table audiences into a file of its own: a hashed key "
        "for each customer, and when the list expires. Who is held out of the plan, and who has "
        "been erased or excluded since the build, is left out. The database is only read.",
    )
    _add_database(command)
    command.add_argument(
        "--folder",
        type=Path,
        metavar="FOLDER",
        required=True,
        help="where the files go: a folder that is new or empty",
    )
    command.add_argument(
        "--audience",
        action="append",
        default=[],
        metavar="NAME",
        help="only this list; may be given more than once (default: all)",
    )
    command.add_argument(
        "--format", choices=("csv", "parquet"), default="csv", help="of the files (default: csv)"
    )
    command.add_argument(
        "--key",
        choices=("customer", "email"),
        default="customer",
        help="what is hashed (SHA-256): the customer_id, or the trimmed, lower-case e-mail of the "
        "input customers, as Google's and Meta's customer match take it (default: customer)",
    )
    command.add_argument(
        "--project",
        type=Path,
        metavar="FOLDER",
        default=Path(),
        help="the dbt project, whose erased_customers.csv is heeded (default: this folder)",
    )
    command.add_argument("--json", action="store_true", help="print what was written as JSON")
    command.set_defaults(run=_audiences)


def _audiences(options: argparse.Namespace) -> int:
    # The report needs none of it.
    from customer_value import audiences  # noqa: PLC0415

    wanted = audiences.Wanted(
        names=tuple(options.audience),
        file_format=options.format,
        key=options.key,
        project=options.project,
    )
    written = audiences.export(options.database, options.folder, wanted, options.schema)
    _write(audiences.as_json(written) if options.json else audiences.render(written), sys.stdout)
    return EXIT_OK


def _add_database(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--database",
        type=Path,
        metavar="FILE",
        # The profile reads the same variable, so that both mean the same file.
        default=Path(os.environ.get("CUSTOMER_VALUE_WAREHOUSE") or reading.DEFAULT_DATABASE),
        help="the DuckDB file (default: $CUSTOMER_VALUE_WAREHOUSE, "
        f"or {reading.DEFAULT_DATABASE.as_posix()})",
    )
    command.add_argument(
        "--schema",
        metavar="NAME",
        default=reading.SCHEMA,
        help=f"the schema of the tables for BI (default: {reading.SCHEMA})",
    )


def _charts(options: argparse.Namespace) -> list[Path]:
    try:
        # Matplotlib is optional and slow to load: only who asks for pictures pays for it.
        from customer_value.report import charts  # noqa: PLC0415
    except ImportError as error:
        raise SentenceError(
            "Charts need Matplotlib. Install it with `pip install 'dbt-customer-value[report]'`."
        ) from error
    return charts.write(options.database, options.charts, options.schema)


def _page(options: argparse.Namespace) -> Path:
    try:
        from customer_value.report.page import writing  # noqa: PLC0415
    except ImportError as error:
        raise SentenceError(
            "The report needs Matplotlib and Jinja2. "
            "Install them with `pip install 'dbt-customer-value[report]'`."
        ) from error
    return writing.write(options.database, options.html, options.schema)


def _one_line(text: str) -> str:
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def _add_erase(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser(
        "erase",
        help="record customers whom the next build leaves out of every table",
        description="Record customers whom the next build, and every one after it, leaves out of "
        "every table, in erased_customers.csv beside dbt_project.yml. With the var pseudonymize "
        "and CUSTOMER_VALUE_PSEUDONYM_KEY, the list holds pseudonyms. To take an erasure back, "
        "delete its line.",
    )
    command.add_argument(
        "customer_ids",
        nargs="*",
        metavar="CUSTOMER_ID",
        help="a customer, as the tables name them: an id, or a pseudonym",
    )
    command.add_argument(
        "--project",
        type=Path,
        metavar="FOLDER",
        default=Path(),
        help="the dbt project that builds the tables (default: this folder)",
    )
    command.add_argument(
        "--from-file",
        type=Path,
        metavar="FILE",
        help="more of them: a CSV file with a column customer_id, or with one id on each line; "
        "- is standard input",
    )
    command.add_argument("--list", action="store_true", help="show who is recorded, and no more")
    command.add_argument("--json", action="store_true", help="print what was done as JSON")
    command.set_defaults(run=_erase)


def _erase(options: argparse.Namespace) -> int:
    # The report needs none of it.
    from customer_value import erasure  # noqa: PLC0415

    if options.list:
        if options.customer_ids or options.from_file is not None:
            raise SentenceError("--list only shows who is recorded; leave out the customers.")
        found = erasure.recorded(options.project)
        as_json = json.dumps({"customer_ids": found}, ensure_ascii=False, indent=2)
        _write(as_json if options.json else erasure.render_list(found), sys.stdout)
        return EXIT_OK
    customer_ids = list(options.customer_ids)
    if options.from_file is not None:
        customer_ids += erasure.ids_in_file(options.from_file)
    done = erasure.record(customer_ids, options.project)
    _write(done.to_json() if options.json else erasure.render(done), sys.stdout)
    return EXIT_OK


def _add_refresh(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser(
        "refresh",
        help="build in a copy, test it, and publish it in one step if all passed",
        description="Build in a copy of the database, run all tests, and only if they pass put the "
        "copy in the published file's place, in one step. Readers keep what they have open; new "
        "ones see the new file. Exit codes: 0 published; 1 a model, a test or the audit failed; "
        "2 it can't begin; 3 another refresh runs; 4 the disk is full; 5 another program writes "
        "the file; 130 interrupted.",
    )
    what = command.add_mutually_exclusive_group()
    what.add_argument(
        "--rollback", action="store_true", help="publish the version before, and build nothing"
    )
    what.add_argument(
        "--retry",
        action="store_true",
        help="go on with the refresh that failed last: only what failed, and what waited for it",
    )
    what.add_argument(
        "--history", action="store_true", help="show every attempt so far, and do nothing"
    )
    command.add_argument("--select", nargs="+", default=[], metavar="NODE", help="as in dbt")
    command.add_argument("--exclude", nargs="+", default=[], metavar="NODE", help="as in dbt")
    command.add_argument(
        "--selector",
        action="append",
        default=[],
        metavar="NAME",
        help="as in dbt; given more than once, one after the other, published together",
    )
    command.add_argument(
        "--indirect-selection",
        choices=("eager", "cautious", "buildable", "empty"),
        help="as in dbt",
    )
    command.add_argument("--vars", metavar="YAML", help="as in dbt")
    command.add_argument("--threads", type=int, metavar="COUNT", help="as in dbt")
    command.add_argument("--full-refresh", action="store_true", help="as in dbt")
    command.add_argument("--target", metavar="NAME", help="as in dbt")
    command.add_argument("--profile", metavar="NAME", help="as in dbt")
    command.add_argument("--profiles-dir", type=Path, metavar="FOLDER", help="as in dbt")
    command.add_argument(
        "--project-dir",
        type=Path,
        metavar="FOLDER",
        default=Path(os.environ.get("DBT_PROJECT_DIR") or "."),
        help="as in dbt",
    )
    command.add_argument(
        "--keep",
        type=int,
        metavar="COUNT",
        default=3,
        help="how many versions before the published one stay (default: 3)",
    )
    command.add_argument(
        "--json", action="store_true", help="print the outcome as one line of JSON, and no progress"
    )
    command.set_defaults(run=_refresh)


def _refresh(options: argparse.Namespace) -> int:
    # The report needs none of it.
    from customer_value import refresh  # noqa: PLC0415
    from customer_value.refresh import lock, outcome, pages, progress  # noqa: PLC0415

    if options.selector and (options.select or options.exclude):
        raise SentenceError("--selector says what is built; leave out --select and --exclude.")
    if options.keep < 0:
        raise SentenceError(
            f"--keep takes a number of versions, 0 or more, and got {options.keep}."
        )
    request = refresh.Request(
        project=options.project_dir,
        profiles=options.profiles_dir,
        profile=options.profile,
        target=options.target,
        variables=options.vars,
        select=tuple(options.select),
        exclude=tuple(options.exclude),
        selectors=tuple(options.selector),
        indirect_selection=options.indirect_selection,
        threads=options.threads,
        is_full_refresh=options.full_refresh,
        keep=options.keep,
    )
    if options.history:
        found = refresh.history(request)
        _write(pages.as_json(found) if options.json else pages.render(found), sys.stdout)
        return EXIT_OK
    shown = progress.Progress(
        sys.stderr, is_terminal=_is_terminal(sys.stderr), is_silent=options.json
    )
    try:
        if options.rollback:
            ended = refresh.roll_back(request)
        elif options.retry:
            ended = refresh.retry(request, shown)
        else:
            ended = refresh.refresh(request, shown)
    except SentenceError as error:
        if options.json:
            holder = error.holder if isinstance(error, lock.LockedError) else {}
            _write(outcome.error_as_json(error, holder), sys.stdout)
        raise
    finally:
        shown.end()
    if options.json:
        _write(ended.to_json(), sys.stdout)
    if ended.exit_code != EXIT_OK or not options.json:
        _write(_one_line(ended.sentence), sys.stderr if ended.exit_code else sys.stdout)
    return ended.exit_code


def _is_terminal(stream: TextIO) -> bool:
    return stream.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def _write(text: str, stream: TextIO) -> None:
    """Print in whatever the stream can encode."""
    encoding = stream.encoding or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        plain = text.translate(plain_text.PLAIN_SIGNS)
        text = plain.encode(encoding, errors="replace").decode(encoding)
    print(text, file=stream)


if __name__ == "__main__":
    sys.exit(main())
