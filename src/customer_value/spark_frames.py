"""Functions of the library, written for DuckDB's relations, over Spark's data frames.

A function whose inputs are bounded, a sample or sums over the shop, is called as it stands: its
inputs come to the driver as Arrow tables and are relations of a DuckDB in its memory, and what it
gives goes back to Spark. What grows with customers is asked of Spark in SQL: see scoring.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import duckdb
import pandas as pd

Given = ParamSpec("Given")
Answer = TypeVar("Answer")


def is_spark_frame(table: object) -> bool:
    """Whether a table is one of Spark's; where pyspark is not installed, none is."""
    return type(table).__module__.startswith("pyspark.sql.")


def on_driver(function: Callable[Given, Answer]) -> Callable[Given, Answer]:
    """The function, which takes Spark's data frames too, and then gives one."""

    @functools.wraps(function)
    def wrapper(*args: Given.args, **kwargs: Given.kwargs) -> Answer:
        frames = [table for table in (*args, *kwargs.values()) if is_spark_frame(table)]
        if not frames:
            return function(*args, **kwargs)
        with duckdb.connect() as connection:
            given: Any = [_brought(table, connection) for table in args]
            named: Any = {name: _brought(table, connection) for name, table in kwargs.items()}
            answer: Any = function(*given, **named)
            in_spark: Answer = sent(answer, frames[0], connection)
            return in_spark

    return wrapper


def sent(answer: Any, frame: Any, connection: duckdb.DuckDBPyConnection | None = None) -> Any:  # noqa: ANN401
    """A relation or a frame of pandas as a data frame of the session that another belongs to."""
    if connection is None:
        with duckdb.connect() as own:
            return sent(answer, frame, own)
    relation = connection.from_df(answer) if isinstance(answer, pd.DataFrame) else answer
    # DuckDB decides on the types, as it does where it keeps the table itself.
    return frame.sparkSession.createDataFrame(relation.to_arrow_table())


def frame_of(table: Any) -> pd.DataFrame:  # noqa: ANN401 - a relation or Spark's data frame
    """A small table as pandas has it, with the types that DuckDB gives it."""
    if not is_spark_frame(table):
        frame: pd.DataFrame = table.df()
        return frame
    with duckdb.connect() as connection:
        return _brought(table, connection).df()  # type: ignore[no-any-return]


def row_count(table: Any) -> int:  # noqa: ANN401 - a relation or Spark's data frame
    """How many rows a table has."""
    if is_spark_frame(table):
        return int(table.count())
    ((count,),) = table.aggregate("count(*)").fetchall()
    return int(count)


def spark_query(table: Any, name: str, query: str) -> Any:  # noqa: ANN401 - Spark's data frames
    """A query in DuckDB's dialect over a data frame, which it calls by a name, run by Spark."""
    # Here, since nobody else needs them, and sqlglot takes its time to load.
    import sqlglot  # noqa: PLC0415

    from customer_value.dialects import translate  # noqa: PLC0415

    # Views are the session's, and dbt runs several models at once.
    view = f"{name}_{id(table)}"
    tree = sqlglot.parse_one(query, read="duckdb")
    for read in tree.find_all(sqlglot.exp.Table):
        if read.name == name:
            read.set("this", sqlglot.exp.to_identifier(view))
    table.createOrReplaceTempView(view)
    answer = table.sparkSession.sql(translate(tree.sql("duckdb"), "spark"))
    table.sparkSession.catalog.dropTempView(view)
    return answer


def _brought(table: Any, connection: duckdb.DuckDBPyConnection) -> Any:  # noqa: ANN401
    return connection.from_arrow(table.toArrow()) if is_spark_frame(table) else table
