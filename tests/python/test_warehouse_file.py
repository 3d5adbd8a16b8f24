"""A database file is read as one refresh left it, though another puts its own there meanwhile."""

from __future__ import annotations

import itertools
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest

from customer_value import warehouse_file

ROWS = 50_000
READS = 60
# Between two refreshes: none, too short to open a file in, and long enough on a busy machine.
PAUSES = (0, 0.001, 0.01, 0.1)


def written(path: Path, number: int) -> Path:
    """A file of many blocks that all hold one number."""
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"create table numbers as select {number} as number from range({ROWS})")
    return path


@pytest.fixture
def refreshes(tmp_path: Path) -> tuple[Path, Path]:
    """Two of them, the second with more in it."""
    first, second = written(tmp_path / "1.duckdb", 1), written(tmp_path / "2.duckdb", 2)
    with duckdb.connect(str(second)) as connection:
        connection.execute(f"create table others as select range as number from range({ROWS})")
    return first, second


def put(file: Path, place: Path) -> None:
    """In one step, as a refresh publishes it."""
    staged = place.with_suffix(".staged")
    shutil.copyfile(file, staged)
    staged.replace(place)


@contextmanager
def replaced_over_and_over(place: Path, files: tuple[Path, ...]) -> Iterator[None]:
    ended = threading.Event()

    def publish() -> None:
        for file, pause in zip(itertools.cycle(files), itertools.cycle(PAUSES), strict=False):
            put(file, place)
            if ended.wait(pause):
                return

    thread = threading.Thread(target=publish)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def test_a_file_that_is_replaced_all_the_time_is_read_whole(
    tmp_path: Path, refreshes: tuple[Path, Path]
) -> None:
    place = tmp_path / "customer_value.duckdb"
    put(refreshes[0], place)
    found = set()
    with replaced_over_and_over(place, refreshes):
        for _ in range(READS):
            with duckdb.connect() as connection:
                warehouse_file.attach(connection, place, "warehouse")
                query = "select count(*), min(number), max(number) from warehouse.numbers"
                found.update(connection.execute(query).fetchall())
    assert found <= {(ROWS, 1, 1), (ROWS, 2, 2)}


class Replaced:
    """A connection that finds another file in place, the first times that it attaches it."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, file: Path, place: Path, times: int
    ) -> None:
        self.connection, self.file, self.place, self.times = connection, file, place, times
        self.error = ""
        self.statements: list[str] = []

    def execute(self, statement: str) -> Any:
        self.statements.append(statement.split(maxsplit=1)[0])
        if statement.startswith("attach") and self.times:
            self.times -= 1
            put(self.file, self.place)
            if self.error:
                raise duckdb.SerializationException(self.error)
        return self.connection.execute(statement)


@pytest.mark.parametrize(
    ("error", "statements"),
    [("", ["attach", "detach", "attach"]), ("Failed to deserialize", ["attach", "attach"])],
)
def test_it_is_opened_once_more_if_it_was_replaced_meanwhile(
    tmp_path: Path, refreshes: tuple[Path, Path], error: str, statements: list[str]
) -> None:
    place = tmp_path / "customer_value.duckdb"
    put(refreshes[0], place)
    with duckdb.connect() as connection:
        replaced: Any = Replaced(connection, refreshes[1], place, 1)
        replaced.error = error
        warehouse_file.attach(replaced, place, "warehouse")
        assert replaced.statements == statements
        assert connection.execute("select max(number) from warehouse.numbers").fetchone() == (2,)


def test_it_gives_up_on_a_file_that_never_stays(
    tmp_path: Path, refreshes: tuple[Path, Path]
) -> None:
    place = tmp_path / "customer_value.duckdb"
    put(refreshes[0], place)
    with duckdb.connect() as connection:
        replaced: Any = Replaced(connection, refreshes[1], place, 1000)
        with pytest.raises(duckdb.IOException, match="was replaced 20 times while it was opened"):
            warehouse_file.attach(replaced, place, "warehouse")


def test_what_is_wrong_with_the_file_itself_is_told_at_once(tmp_path: Path) -> None:
    place = tmp_path / "orders.csv"
    place.write_text("order_id,amount\n" * 1000)
    with duckdb.connect() as connection:
        replaced: Any = Replaced(connection, place, place, 0)
        with pytest.raises(duckdb.Error, match="not a valid DuckDB database"):
            warehouse_file.attach(replaced, place, "warehouse")
        assert replaced.statements == ["attach"]
    with duckdb.connect() as connection, pytest.raises(duckdb.Error):
        warehouse_file.attach(connection, tmp_path / "none.duckdb", "warehouse")
