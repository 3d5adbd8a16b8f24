"""A standalone cluster of Spark on this machine: a master and workers, each its own process."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

LOOPBACK = "127.0.0.1"
SECONDS_TO_START = 180


@contextmanager
def cluster(environment: Path, folder: Path, *, workers: int = 2, memory: str) -> Iterator[str]:
    """The address of a master, while it and its workers run.

    Args:
        environment: where pyspark is installed.
        folder: for their logs, and for what executors write.
        workers: how many, of one core each.
        memory: of each, such as 1500m; an executor's has to fit.
    """
    address = f"spark://{LOOPBACK}:{_free_port()}"
    port = address.rpartition(":")[2]
    with ExitStack() as running:
        master = ("master.Master", "--host", LOOPBACK, "--port", port)
        running.enter_context(_started(environment, folder / "master.log", *master))
        _wait_for(folder / "master.log", "I have been elected leader", 1)
        for number in range(1, workers + 1):
            limits = ("--cores", "1", "--memory", memory)
            place = ("--host", LOOPBACK, "--work-dir", str(folder / f"worker {number}"))
            worker = ("worker.Worker", *limits, *place, address)
            running.enter_context(_started(environment, folder / f"worker {number}.log", *worker))
        _wait_for(folder / "master.log", "Registering worker", workers)
        yield address


@contextmanager
def _started(environment: Path, log: Path, name: str, *arguments: str) -> Iterator[None]:
    """A process of the cluster, which pyspark ships without the scripts that start it."""
    (home,) = environment.glob("lib/python*/site-packages/pyspark")
    kept = ("PATH", "HOME", "JAVA_HOME")
    with log.open("w") as written:
        process = subprocess.Popen(
            [
                *(str(home / "bin" / "spark-class"), f"org.apache.spark.deploy.{name}"),
                *("--webui-port", "0", *arguments),
            ],
            env={name: os.environ[name] for name in kept if name in os.environ}
            | {
                "SPARK_HOME": str(home),
                "SPARK_LOCAL_IP": LOOPBACK,
                # A second way in, on a fixed port.
                "SPARK_MASTER_OPTS": "-Dspark.master.rest.enabled=false",
            },
            stdout=written,
            stderr=subprocess.STDOUT,
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=60)


def _wait_for(log: Path, sentence: str, times: int) -> None:
    until = time.monotonic() + SECONDS_TO_START
    while log.read_text().count(sentence) < times:
        if time.monotonic() > until:
            raise TimeoutError(log.read_text())
        time.sleep(0.2)


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind((LOOPBACK, 0))
        port: int = listening.getsockname()[1]
    return port
