"""Start Apache Superset with the dashboard of customer_value on this machine, or stop it.

It listens on 127.0.0.1 only. Secret key and password are drawn anew at every start, and what was
changed in the browser is gone with it: the dashboard is the files beside this one.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
USER = "admin"
STARTS_WITHIN_SECONDS = 180


def main() -> int:
    """Start or stop it, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("action", choices=["start", "stop"])
    parser.add_argument(
        "--environment",
        type=Path,
        default=REPOSITORY / "build" / "superset",
        help="where Superset is installed, and what it needs while it runs is kept",
    )
    parser.add_argument(
        "--database",
        type=Path,
        default=Path(
            os.environ.get("CUSTOMER_VALUE_WAREHOUSE")
            or REPOSITORY / "warehouse" / "customer_value.duckdb"
        ),
        help="the DuckDB file that was built, by the name customer_value.duckdb",
    )
    parser.add_argument("--port", type=int, default=8088)
    options = parser.parse_args()
    run = options.environment.resolve() / "run"
    if options.action == "stop":
        print("Superset is stopped." if stop(run) else "Superset was not running.")
        return 0
    database = options.database.resolve()
    problem = _problem(database)
    if problem:
        print(f"superset: {problem}", file=sys.stderr)
        return 2
    stop(run)
    return start(options.environment.resolve(), run, database, options.port)


def _problem(database: Path) -> str | None:
    if not database.is_file():
        return f"there is no database {database}; `make build` makes it."
    # The files of the dashboard name tables in three parts, and DuckDB calls a database after its
    # file.
    if database.stem != "customer_value":
        return (
            f"the database is called {database.name}; the dashboard reads customer_value.duckdb, "
            "so give it that name, in a folder of its own."
        )
    return None


def start(environment: Path, run: Path, database: Path, port: int) -> int:
    """Prepare a Superset, start it behind gunicorn, and say where it is and who may enter."""
    shutil.rmtree(run, ignore_errors=True)
    run.mkdir(mode=0o700)
    password = secrets.token_urlsafe(12)
    variables = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    variables |= {
        "SUPERSET_CONFIG_PATH": str(HERE / "superset_config.py"),
        "SUPERSET_HOME": str(run),
        "CUSTOMER_VALUE_SUPERSET_SECRET_KEY": secrets.token_urlsafe(42),
        "CUSTOMER_VALUE_SUPERSET_METADATA": str(run / "metadata.db"),
        "CUSTOMER_VALUE_SUPERSET_EMPTY": str(environment / "empty.db"),
        "CUSTOMER_VALUE_SUPERSET_USER": USER,
        "CUSTOMER_VALUE_SUPERSET_PASSWORD": password,
        "CUSTOMER_VALUE_WAREHOUSE": str(database),
    }
    with (run / "superset.log").open("w") as log:
        prepared = subprocess.run(
            [str(environment / "bin" / "python"), str(HERE / "prepare.py")],
            env=variables,
            stdout=log,
            stderr=log,
            check=False,
        )
        if prepared.returncode != 0:
            return _failed(run)
        # Processes, and no threads: DuckDB shares a file among the connections of a process, so
        # that under steady reading a thread would never come to see the file that replaced it.
        server = subprocess.Popen(
            [
                *(str(environment / "bin" / "gunicorn"), "--bind", f"127.0.0.1:{port}"),
                *("--worker-class", "sync", "--workers", "4", "--preload", "--timeout", "120"),
                *("--pid", str(run / "gunicorn.pid"), "superset.app:create_app()"),
            ],
            env=variables,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    address = f"http://127.0.0.1:{port}"
    if not _answers(address, server):
        server.terminate()
        return _failed(run)
    login = {
        "url": f"{address}/superset/dashboard/customer-value/",
        "address": address,
        "user": USER,
        "password": password,
    }
    # For the screenshot; gone with `stop`.
    (run / "login.json").write_text(json.dumps(login))
    print(f"Superset shows {database}\n  {login['url']}\n  user {USER}, password {password}")
    print("It runs until `make superset-stop`.")
    return 0


def _answers(address: str, server: subprocess.Popen[bytes]) -> bool:
    """Whether it comes up."""
    until = time.monotonic() + STARTS_WITHIN_SECONDS
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=5):  # noqa: S310 - http, ours
                return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    return False


def _failed(run: Path) -> int:
    log = run / "superset.log"
    print("\n".join(log.read_text().splitlines()[-20:]), file=sys.stderr)
    print(f"superset: it did not start; {log} says more.", file=sys.stderr)
    return 1


def stop(run: Path) -> bool:
    """End the one that runs, and forget its password; whether there was one."""
    pid_file = run / "gunicorn.pid"
    was_running = False
    if pid_file.exists():
        pid = int(pid_file.read_text())
        try:
            os.kill(pid, signal.SIGTERM)
            was_running = True
            while True:
                time.sleep(0.1)
                os.kill(pid, 0)
        except ProcessLookupError:
            pass
    shutil.rmtree(run, ignore_errors=True)
    return was_running


if __name__ == "__main__":
    sys.exit(main())
