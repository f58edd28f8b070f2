"""The processes of a run that was killed itself: found again by the next one, and ended."""

import contextlib
import json
import os
import signal
import time
from pathlib import Path
from typing import Final

import attrs
import psutil

END_SECONDS: Final = 5.0
POLL_SECONDS: Final = 0.05
# what the clock of a process may differ by between two readings
CREATED_SECONDS: Final = 1.0


@attrs.frozen
class Leftovers:
    """A file that lists the children alive now, so that a crash cannot hide them."""

    path: Path

    def add(self, name: str, pid: int) -> None:
        """Write a child down."""
        with contextlib.suppress(psutil.Error):
            entry = {"name": name, "pid": pid, "created": psutil.Process(pid).create_time()}
            self._write([*self._read(), entry])

    def remove(self, pid: int) -> None:
        """Strike a child out."""
        self._write([entry for entry in self._read() if entry["pid"] != pid])

    def end_all(self) -> list[str]:
        """End what an earlier run left, and give the names."""
        ended = [entry for entry in self._read() if _lives(entry)]
        for number in (signal.SIGTERM, signal.SIGKILL):
            for entry in ended:
                if _lives(entry):
                    with contextlib.suppress(ProcessLookupError, PermissionError):
                        os.killpg(int(str(entry["pid"])), number)
            end = time.monotonic() + END_SECONDS
            while any(_lives(entry) for entry in ended) and time.monotonic() < end:
                time.sleep(POLL_SECONDS)
        self._write([])
        return [str(entry["name"]) for entry in ended]

    def _read(self) -> list[dict[str, object]]:
        try:
            entries: list[dict[str, object]] = json.loads(self.path.read_text())
        except (FileNotFoundError, ValueError):
            return []
        return entries

    def _write(self, entries: list[dict[str, object]]) -> None:
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps(entries))
        fresh.replace(self.path)


def _lives(entry: dict[str, object]) -> bool:
    # a number comes again with another process; its time of birth does not
    try:
        process = psutil.Process(int(str(entry["pid"])))
        same = abs(process.create_time() - float(str(entry["created"]))) < CREATED_SECONDS
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
