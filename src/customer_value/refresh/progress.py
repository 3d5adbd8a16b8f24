"""How far a refresh is, for people: a line that changes on a terminal, a few lines in a log."""

from __future__ import annotations

import shutil
import time
from typing import TextIO

SECONDS_BETWEEN_LINES = 10.0


class Progress:
    """Writes to a stream; on a terminal in place, elsewhere at most a line every ten seconds."""

    def __init__(self, stream: TextIO, *, is_terminal: bool, is_silent: bool = False) -> None:
        """Write to a stream, or, if silent, nowhere."""
        self._stream = stream
        self._is_terminal = is_terminal
        self._is_silent = is_silent
        self._began = time.monotonic()
        self._written = -SECONDS_BETWEEN_LINES
        self._is_line_open = False

    def step(self, text: str) -> None:
        """Say what is being done; a line that stays."""
        self._close_line()
        self._say(f"{self._clock()}  {text}", end="\n")

    def nodes(self, done: int, total: int, name: str) -> None:
        """Say how many nodes are done, and which one has begun."""
        elapsed = time.monotonic() - self._began
        line = f"{self._clock()}  {done:>{len(str(total))}} of {total}  {name}"
        if self._is_terminal:
            width = shutil.get_terminal_size().columns - 1
            self._say("\r" + line[:width].ljust(width), end="")
            self._is_line_open = not self._is_silent
        elif elapsed - self._written >= SECONDS_BETWEEN_LINES:
            self._written = elapsed
            self._say(line, end="\n")

    def end(self) -> None:
        """Leave the stream at the beginning of a line."""
        self._close_line()

    def _close_line(self) -> None:
        if self._is_line_open:
            self._say("", end="\n")
            self._is_line_open = False

    def _clock(self) -> str:
        minutes, seconds = divmod(int(time.monotonic() - self._began), 60)
        return f"{minutes:>2}:{seconds:02}"

    def _say(self, text: str, end: str) -> None:
        if not self._is_silent:
            self._stream.write(text + end)
            self._stream.flush()
