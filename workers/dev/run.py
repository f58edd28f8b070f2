"""The order of a run: servers, schema, demo store, processes; and all of it back again."""

import asyncio
import fcntl
import http.client
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import attrs

from retail_core.kernel.settings import SettingsError
from workers.dev import demo
from workers.dev.children import Backoff, Child, Stop, Supervisor
from workers.dev.console import Console
from workers.dev.embedded import ServerError
from workers.dev.embedded.processes import is_port_free
from workers.dev.homemade import DemoStore
from workers.dev.leftovers import Leftovers
from workers.dev.plan import Plan, command_line, read_plan

GUARD_SECONDS: Final = 1.0
READINESS_SECONDS: Final = 0.25
ANSWER_SECONDS: Final = 2.0
SLOW_SECONDS: Final = 60.0
SAME_SIGNAL_SECONDS: Final = 1.0


class CannotRun(Exception):
    """Something is in the way; the message says what and what to do."""


def main() -> int:
    """Run everything until a signal. 0 after a clean stop, 1 if something was in the way."""
    console = Console.on(sys.stdout)
    try:
        return run(read_plan(os.environ, Path.cwd()), console)
    except (SettingsError, ValueError) as fault:
        console.say(str(fault))
        return 1


def run(plan: Plan, console: Console, backoff: Backoff | None = None) -> int:
    """Run a plan until a signal asks for its end."""
    try:
        with _only_one(plan.var / "dev.lock"):
            asyncio.run(_Run(plan, console, backoff or Backoff()).everything())
    except (CannotRun, ServerError) as fault:
        console.say(str(fault))
        return 1
    console.say("everything has stopped; the data are kept in var/")
    return 0


@attrs.frozen
class _Run:
    plan: Plan
    console: Console
    backoff: Backoff

    async def everything(self) -> None:
        stop = Stop()
        self._listen_to_signals(stop)
        leftovers = Leftovers(self.plan.var / "processes.json")
        for name in await asyncio.to_thread(leftovers.end_all):
            self.console.say(f"ended {name}, which an earlier run had left behind")
        if not is_port_free(self.plan.port):
            raise CannotRun(
                f"port {self.plan.port} is already in use: stop what listens there, "
                f"or choose another one, such as: PORT={self.plan.port + 1} make run"
            )
        supervisor = Supervisor(
            self.console, stop, leftovers, self.plan.directory, backoff=self.backoff
        )
        try:
            await self._start_and_keep(supervisor)
        finally:
            await self._stop_servers()

    async def _start_and_keep(self, supervisor: Supervisor) -> None:
        stop = supervisor.stop
        variables = dict(self.plan.variables) | await self._start_servers(stop)
        if self.console.colour:
            variables["FORCE_COLOR"] = "1"
        store = await self._prepare(supervisor, variables)
        if stop.wanted.is_set():
            return
        await asyncio.gather(
            supervisor.keep(self.plan.children(variables)),
            self._announce(stop, store),
            self._guard_servers(stop),
        )

    async def _start_servers(self, stop: Stop) -> dict[str, str]:
        addresses: dict[str, str] = {}
        for each in self.plan.servers:
            if stop.wanted.is_set():
                break
            self.console.say(f"starting {each.name}")
            url = await asyncio.to_thread(each.server.start)
            addresses |= dict.fromkeys(each.settings, url)
        return addresses

    async def _prepare(
        self, supervisor: Supervisor, variables: Mapping[str, str]
    ) -> DemoStore | None:
        for command in self.plan.preparation:
            if supervisor.stop.wanted.is_set():
                return None
            child = Child("setup", command_line(*command), variables)
            code = await supervisor.run(child)
            if code and not supervisor.stop.wanted.is_set():
                raise CannotRun(f"{' '.join(command)} failed with exit code {code}, see above")
        if not self.plan.seeds_demo or supervisor.stop.wanted.is_set():
            return None
        return await demo.seed(supervisor, variables, self.plan.var / "demo.json")

    async def _announce(self, stop: Stop, store: DemoStore | None) -> None:
        slow_at = time.monotonic() + SLOW_SECONDS
        while not stop.wanted.is_set():
            if await asyncio.to_thread(_is_ready, self.plan.port):
                self.console.block(_banner(self.plan.port, store))
                return
            if time.monotonic() > slow_at:
                self.console.say("the API is not ready yet; its own lines above may tell why")
                slow_at = time.monotonic() + SLOW_SECONDS
            await stop.pause(READINESS_SECONDS)

    async def _guard_servers(self, stop: Stop) -> None:
        while not stop.wanted.is_set():
            for each in self.plan.servers:
                if await asyncio.to_thread(each.server.is_running) or stop.wanted.is_set():
                    continue
                self.console.say(f"{each.name} is gone; starting it again")
                try:
                    await asyncio.to_thread(each.server.start)
                except ServerError as failure:
                    self.console.say(str(failure))
            await stop.pause(GUARD_SECONDS)

    async def _stop_servers(self) -> None:
        for each in reversed(self.plan.servers):
            try:
                await asyncio.to_thread(each.server.stop)
            except ServerError as failure:
                self.console.say(f"{each.name} did not stop: {failure}")

    def _listen_to_signals(self, stop: Stop) -> None:
        asked_at = [0.0]

        def ask() -> None:
            again = stop.wanted.is_set()
            # one Ctrl-C may come twice, from the terminal and from whoever started us
            if again and time.monotonic() - asked_at[0] < SAME_SIGNAL_SECONDS:
                return
            asked_at[0] = time.monotonic()
            self.console.say("not waiting any longer" if again else "stopping (again: at once)")
            stop.ask()

        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, ask)


@contextmanager
def _only_one(path: Path) -> Iterator[None]:
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise CannotRun(f"it runs here already, as process {file.read().strip()}") from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def _is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", "/readiness")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _banner(port: int, store: DemoStore | None) -> str:
    lines = ["", f"  Address:   http://127.0.0.1:{port}"]
    if store is not None:
        lines += [f"  E-mail:    {store.email}", f"  Password:  {store.password}"]
    return "\n".join([*lines, "  Ctrl-C stops everything.", ""])
