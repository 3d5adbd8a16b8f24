"""Superset for one machine and one database, which is replaced while it is read."""

import copy
import os
import random
import time
from pathlib import Path
from typing import Any

import duckdb
from sqlalchemy import event
from sqlalchemy.engine import Engine
from superset.config import TALISMAN_CONFIG as DEFAULTS

# serve.py draws it anew at every start.
SECRET_KEY = os.environ["CUSTOMER_VALUE_SUPERSET_SECRET_KEY"]
SQLALCHEMY_DATABASE_URI = "sqlite:///" + os.environ["CUSTOMER_VALUE_SUPERSET_METADATA"]
# Its workers all write what was asked into one SQLite file. One that finds it locked waits, where
# by default it gives up after five seconds.
SQLALCHEMY_ENGINE_OPTIONS = {"connect_args": {"timeout": 90}}
APP_NAME = "customer_value"

# A kept answer would be of an earlier refresh: DuckDB is asked each time.
CACHE_CONFIG = {"CACHE_TYPE": "NullCache"}
DATA_CACHE_CONFIG = {"CACHE_TYPE": "NullCache"}

# Logins are counted in memory, since there is nothing else on this machine to count them in.
RATELIMIT_STORAGE_URI = "memory://"

# The browser loads nothing from anywhere else, the usage counter of Superset's makers included.
TALISMAN_CONFIG = copy.deepcopy(DEFAULTS)
TALISMAN_CONFIG["content_security_policy"]["img-src"] = ["'self'", "blob:", "data:"]
TALISMAN_CONFIG["content_security_policy"]["connect-src"] = ["'self'"]

# All charts are drawn at once, below the fold too, so that a picture of the page holds them.
FEATURE_FLAGS = {"DASHBOARD_VIRTUALIZATION": False}

GIVES_UP_AFTER_SECONDS = 30


@event.listens_for(Engine, "do_connect")
def open_one_file(
    dialect: Any,  # noqa: ANN401 - whichever there is
    _record: object,
    arguments: list[Any],
    parameters: dict[str, Any],
) -> object | None:
    """Open DuckDB's file so that all of it is of one refresh.

    DuckDB opens a file for its header, closes it, and opens it again for the rest. If another file
    takes its place in between, the two don't belong together: then it is opened once more.
    """
    if dialect.name != "duckdb":
        return None
    path = parameters.get("database") or arguments[0]
    until = time.monotonic() + GIVES_UP_AFTER_SECONDS
    while True:
        found = _identity(path)
        try:
            # A copy, since the dialect takes out what it has read.
            connection = dialect.connect(*arguments, **copy.deepcopy(parameters))
        except duckdb.Error:
            # Whatever the header and the rest of two files make of each other.
            if _identity(path) == found or time.monotonic() > until:
                raise
        else:
            if _identity(path) == found:
                return connection
            connection.close()
            if time.monotonic() > until:
                message = f"{path} was replaced again and again while it was opened."
                raise duckdb.IOException(message)
        # Not in step with whoever replaces it.
        time.sleep(random.uniform(0, 0.05))  # noqa: S311 - no secret


def _identity(path: str) -> tuple[int, int, int]:
    status = Path(path).stat()
    return status.st_dev, status.st_ino, status.st_mtime_ns
