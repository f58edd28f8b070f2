"""Child processes: started in a group of their own, watched, started again, and ended."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final

import attrs

from workers.dev.console import Console
from workers.dev.leftovers import Leftovers

GRACE_SECONDS: Final = 10.0
ORPHANS_SECONDS: Final = 3.0
# output that a process leaves in a pipe is there at once; a daemon may hold the pipe for ever
OUTPUT_SECONDS: Final = 1.0
READ_BYTES: Final = 65_536
POLL_SECONDS: Final = 0.05


@attrs.frozen
class Child:
    """A process to keep running. `variables` is its whole environment.

    `last`: it is stopped after the others have ended, because they need it to end well.
    """

    name: str
    argv: tuple[str, ...]
    variables: Mapping[str, str] = attrs.field(repr=False)
    last: bool = False


@attrs.frozen
class Backoff:
    """How long to wait before starting a process again; a run of `steady_seconds` begins anew."""

    first_seconds: float = 0.5
    longest_seconds: float = 30.0
    steady_seconds: float = 30.0

    def after(self, previous_seconds: float, ran_seconds: float) -> float:
        """The next delay, after a run of `ran_seconds` that followed the previous delay."""
        if not previous_seconds or ran_seconds >= self.steady_seconds:
            return self.first_seconds
        return min(previous_seconds * 2, self.longest_seconds)


@attrs.frozen
class Stop:
    """The wish to end: the first signal asks politely, the second does not wait."""

    wanted: asyncio.Event = attrs.field(factory=asyncio.Event)
    at_once: asyncio.Event = attrs.field(factory=asyncio.Event)

    def ask(self) -> None:
        """Note one more wish to end."""
        (self.at_once if self.wanted.is_set() else self.wanted).set()

    async def pause(self, seconds: float) -> None:
        """Wait so long, or until a stop is wanted."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.wanted.wait(), seconds)


@attrs.frozen
class Supervisor:
    """Runs children, passes on what they write, and tells when one ends."""

    console: Console
    stop: Stop
    leftovers: Leftovers
    directory: Path
    backoff: Backoff = Backoff()
    grace_seconds: float = GRACE_SECONDS

    async def keep(self, children: tuple[Child, ...]) -> None:
        """Keep all of them running until a stop is wanted; returns when all have ended."""
        others_ended = asyncio.Event()

        async def first_ones() -> None:
            await asyncio.gather(
                *(self._keep_one(child, self.stop.wanted) for child in children if not child.last)
            )
            others_ended.set()

        await asyncio.gather(
            first_ones(),
            *(self._keep_one(child, others_ended) for child in children if child.last),
        )

    async def run(self, child: Child, show: Callable[[str], None] | None = None) -> int:
        """Run a command to its end and give its exit code; a stop ends it early.

        What it writes goes to the console, or line by line to `show`.
        """
        running = await self._spawn(child)
        to_console = partial(self.console.line, child.name)
        return await self._watch(running, self.stop.wanted, show or to_console)

    async def _keep_one(self, child: Child, end: asyncio.Event) -> None:
        delay_seconds = 0.0
        while not self.stop.wanted.is_set():
            began = time.monotonic()
            try:
                running = await self._spawn(child)
                code = await self._watch(running, end, partial(self.console.line, child.name))
                how = _described(code)
            except OSError as failure:
                how = f"could not be started: {failure}"
            if self.stop.wanted.is_set():
                self.console.say(f"{child.name} {how}")
                return
            delay_seconds = self.backoff.after(delay_seconds, time.monotonic() - began)
            self.console.say(f"{child.name} {how}; starting it again in {delay_seconds:g} s")
            await self.stop.pause(delay_seconds)

    async def _spawn(self, child: Child) -> "_Running":
        # A pipe of our own: `Process.wait` waits for asyncio's pipes to close as well, and what a
        # killed process leaves behind may hold them open.
        ours, theirs = os.pipe()
        try:
            # a session of its own: Ctrl-C in the terminal reaches us alone, and we end in order
            process = await asyncio.create_subprocess_exec(
                *child.argv,
                env=dict(child.variables),
                cwd=self.directory,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=theirs,
                stderr=theirs,
                start_new_session=True,
            )
        except OSError:
            os.close(ours)
            raise
        finally:
            os.close(theirs)
        self.leftovers.add(child.name, process.pid)
        reader = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            partial(asyncio.StreamReaderProtocol, reader), os.fdopen(ours, "rb")
        )
        return _Running(process, reader, transport)

    async def _watch(
        self, running: "_Running", end: asyncio.Event, show: Callable[[str], None]
    ) -> int:
        group = running.process.pid
        output = asyncio.create_task(_pass_on(running.output, show))
        exited = asyncio.create_task(running.process.wait())
        try:
            await _first_of(exited, end)
            if not exited.done():
                _signal_group(group, signal.SIGTERM, leader_only=True)
                await _first_of(exited, self.stop.at_once, self.grace_seconds)
            if exited.done():
                await _end_rest_of_group(group)
        finally:
            _signal_group(group, signal.SIGKILL)
            code = await exited
            await asyncio.wait({output}, timeout=OUTPUT_SECONDS)
            output.cancel()
            running.transport.close()
            self.leftovers.remove(group)
        return code


@attrs.frozen
class _Running:
    process: asyncio.subprocess.Process
    output: asyncio.StreamReader
    transport: asyncio.ReadTransport


async def _pass_on(output: asyncio.StreamReader, show: Callable[[str], None]) -> None:
    rest = b""
    while block := await output.read(READ_BYTES):
        *lines, rest = (rest + block).split(b"\n")
        if len(rest) > READ_BYTES:
            lines, rest = [*lines, rest], b""
        for line in lines:
            show(line.decode(errors="replace").rstrip("\r"))
    if rest:
        show(rest.decode(errors="replace"))


async def _first_of(
    exited: "asyncio.Task[int]", event: asyncio.Event, timeout_seconds: float | None = None
) -> None:
    happened = asyncio.create_task(event.wait())
    await asyncio.wait(
        {exited, happened}, timeout=timeout_seconds, return_when=asyncio.FIRST_COMPLETED
    )
    happened.cancel()


async def _end_rest_of_group(group: int) -> None:
    # what a killed leader left behind would keep its port and go on with its jobs
    for _ in range(int(ORPHANS_SECONDS / POLL_SECONDS)):
        if not _signal_group(group, signal.SIGTERM):
            return
        await asyncio.sleep(POLL_SECONDS)


def _signal_group(group: int, number: signal.Signals, *, leader_only: bool = False) -> bool:
    try:
        (os.kill if leader_only else os.killpg)(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _described(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"
