"""Processes that are watched while they run: seconds, memory, and what they spill to disk."""

from __future__ import annotations

import dataclasses
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Self

PROJECT: Final = Path(__file__).resolve().parents[2]
GIGABYTE: Final = 1e9
SECONDS_BETWEEN_SAMPLES: Final = 0.05
BYTES_PER_KILOBYTE: Final = 1024  # as /proc writes them


@dataclasses.dataclass(frozen=True)
class Sample:
    """What a process held at a moment, and the most that it had held until then."""

    at: float
    resident_gigabytes: float
    peak_gigabytes: float
    temporary_gigabytes: float


@dataclasses.dataclass(frozen=True)
class Step:
    """One statement or dbt node.

    Attributes:
        seconds: from its start to its end; steps may overlap.
        rows: of the table that it made; None for what makes none.
        peak_gigabytes: the largest resident set of the process meanwhile, which steps at the same
            time and what DuckDB keeps of earlier ones are part of; None where no sample fell in.
        temporary_gigabytes: the most that DuckDB had spilled to disk meanwhile; as above.
    """

    seconds: float
    rows: int | None = None
    peak_gigabytes: float | None = None
    temporary_gigabytes: float | None = None


@dataclasses.dataclass(frozen=True)
class Measured:
    """What one process took.

    Attributes:
        wall_seconds: from the start of the first step to the end of the last.
        elapsed_seconds: of the whole process, its start-up included.
        cpu_seconds: the same in CPU time; steadier on a busy machine.
        peak_gigabytes: the largest resident set.
        temporary_gigabytes: the most that was spilled to disk.
        steps: by the name of the table or the id of the dbt node.
    """

    wall_seconds: float
    elapsed_seconds: float
    cpu_seconds: float
    peak_gigabytes: float
    temporary_gigabytes: float
    steps: dict[str, Step]

    @classmethod
    def read(cls, figures: Mapping[str, Any]) -> Self:
        """From what dataclasses.asdict gave."""
        steps = {name: Step(**step) for name, step in figures["steps"].items()}
        return cls(**{**figures, "steps": steps})


@dataclasses.dataclass(frozen=True)
class Finished:
    """A process that has ended, and the samples that were taken of it."""

    output: str
    elapsed_seconds: float
    cpu_seconds: float
    peak_gigabytes: float
    samples: list[Sample]

    def measured(
        self, intervals: Mapping[str, tuple[float, float]], rows: Mapping[str, int]
    ) -> Measured:
        """With its steps, whose starts and ends are seconds since 1970.

        Args:
            intervals: by name of a step, or id of a dbt node, which ends in the name.
            rows: by name of a table.
        """
        return Measured(
            wall_seconds=(
                max(end for _, end in intervals.values())
                - min(start for start, _ in intervals.values())
                if intervals
                else 0.0
            ),
            elapsed_seconds=self.elapsed_seconds,
            cpu_seconds=self.cpu_seconds,
            peak_gigabytes=self.peak_gigabytes,
            temporary_gigabytes=max((s.temporary_gigabytes for s in self.samples), default=0.0),
            steps={
                name: self._step(start, end, rows.get(table_of(name) or ""))
                for name, (start, end) in intervals.items()
            },
        )

    def _step(self, start: float, end: float, rows: int | None) -> Step:
        meanwhile = [sample for sample in self.samples if start <= sample.at <= end]
        return Step(
            seconds=end - start,
            rows=rows,
            peak_gigabytes=max((s.resident_gigabytes for s in meanwhile), default=None),
            temporary_gigabytes=max((s.temporary_gigabytes for s in meanwhile), default=None),
        )


def table_of(step: str) -> str | None:
    """The table that a statement or a dbt node makes; none for tests."""
    kind, _, rest = step.partition(".")
    if not rest:
        return step
    return rest.rpartition(".")[2] if kind in {"model", "seed"} else None


def run(
    command: Sequence[str],
    environment: Mapping[str, str] | None = None,
    database: Path | None = None,
) -> Finished:
    """Run a command in the project's folder; stop the benchmark with its output if it fails.

    Args:
        command: the command.
        environment: what it has beyond ours.
        database: the DuckDB file that it writes, beside which DuckDB spills.
    """
    spilled = None if database is None else database.with_name(database.name + ".tmp")
    samples: list[Sample] = []
    started = time.perf_counter()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command,
            cwd=PROJECT,
            env={**os.environ, **(environment or {})},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        while True:
            ended, status, usage = os.wait4(process.pid, os.WNOHANG)
            if ended:
                break
            if (sample := _sampled(process.pid, spilled)) is not None:
                samples.append(sample)
            time.sleep(SECONDS_BETWEEN_SAMPLES)
        process.returncode = os.waitstatus_to_exitcode(status)
        elapsed = time.perf_counter() - started
        output.seek(0)
        text = output.read().decode(errors="replace")
    if process.returncode:
        raise SystemExit(f"{text[-6000:]}\nFailed with {process.returncode}: {' '.join(command)}")
    # What the kernel says at the end is no less than what we ourselves held when we began it.
    said = usage.ru_maxrss * (1 if sys.platform == "darwin" else BYTES_PER_KILOBYTE) / GIGABYTE
    return Finished(
        output=text,
        elapsed_seconds=elapsed,
        cpu_seconds=usage.ru_utime + usage.ru_stime,
        peak_gigabytes=samples[-1].peak_gigabytes if samples else said,
        samples=samples,
    )


def _sampled(process_id: int, spilled: Path | None) -> Sample | None:
    """A sample now; none where the system has no /proc, or the process has just ended."""
    try:
        status = Path(f"/proc/{process_id}/status").read_text(encoding="utf-8")
    except OSError:
        return None
    held = dict(re.findall(r"^(VmRSS|VmHWM):\s+(\d+) kB$", status, re.MULTILINE))
    if len(held) < 2:
        return None
    resident, peak = (int(held[name]) * BYTES_PER_KILOBYTE for name in ("VmRSS", "VmHWM"))
    spilled_bytes = 0
    if spilled is not None:
        try:
            with os.scandir(spilled) as files:
                spilled_bytes = sum(file.stat().st_size for file in files)
        except OSError:  # nothing is spilled, or a file of it has just been deleted
            spilled_bytes = 0
    return Sample(time.time(), resident / GIGABYTE, peak / GIGABYTE, spilled_bytes / GIGABYTE)
