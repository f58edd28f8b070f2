"""Watching processes from outside: what they wrote down, and waiting for it."""

import time
from collections.abc import Callable
from pathlib import Path

import attrs
import psutil

PATIENCE_SECONDS = 20


def until(condition: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> None:
    """Wait for something that happens elsewhere; fail if it does not."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


@attrs.frozen
class Crew:
    """A running crew of workers, and what it wrote down."""

    process: psutil.Popen
    notes: Path

    def lines(self) -> list[str]:
        return self.notes.read_text().splitlines() if self.notes.exists() else []

    def count(self, line: str) -> int:
        return self.lines().count(line)

    def children(self) -> list[psutil.Process]:
        return list(self.process.children())
