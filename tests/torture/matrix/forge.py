"""Forges worker processes: forks them from a parent that has everything imported, in milliseconds.

A child is a real worker but for the queue: it is wired by `build_crashing` out of variables, its
crash point included, and calls the use cases that jobs would call. Run as a module, this is the
parent: orders come pickled on its standard input, what became of the child goes to the standard
output.
"""

import os
import pickle
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Final

import attrs
import punq
from sqlalchemy import text

from adapters_db.connection.connections import Connections
from retail_core.kernel.errors import Unavailable
from retail_core.kernel.ids import WorkerId
from retail_core.kernel.process.machine import SystemClock
from retail_core.kernel.settings import Env
from retail_core.kernel.time.clock import Clock
from retail_core.messages.use_cases import (
    ApplyReports,
    DispatchBatch,
    DispatchOutcome,
    MatchParkedReports,
    SendSingleMessages,
    SweepSingleMessages,
    SweepStaleBatches,
)
from tests.torture.guards.patches import Patch
from workers.dev.crash_points import CrashAt
from workers.dev.crashing import build_crashing
from workers.wiring import Settings

FAULT_OF_OURS: Final = 70
CALLS_MAX: Final = 500
STEP_SECONDS: Final = 60
STEPS: Final = 7
TRIES: Final = 3
OPEN: Final = """
SELECT EXISTS (SELECT FROM send_batch WHERE state IN ('queued', 'claimed', 'submitting'))
    OR EXISTS (SELECT FROM single_message WHERE state IN (0, 1))
    OR EXISTS (SELECT FROM report_inbox WHERE applied_at IS NULL)
"""


class Task(Enum):
    """What a child does."""

    DISPATCH = "dispatch"
    """Send batches until none is due."""

    SINGLES = "singles"
    """Send single messages until none is due."""

    SWEEP = "sweep"
    """One sweep, when every lease is over."""

    RECOVER = "recover"
    """What the system does by itself in the minutes after a crash, at once."""


@attrs.frozen
class Order:
    """One child: its environment, its tasks, and the guards it lacks."""

    variables: Mapping[str, str]
    tasks: tuple[Task, ...]
    patches: tuple[Patch, ...] = ()


class End(Enum):
    """How a child ended."""

    DONE = "done"
    KILLED = "killed"
    STOPPED = "stopped"
    FAULTY = "faulty"


@attrs.frozen
class Fate:
    """A child and how it ended, or that it halts."""

    pid: int
    end: End


@attrs.define
class TravellingClock:
    """The machine's clock, ahead by so much."""

    ahead: timedelta = timedelta(0)

    def now(self) -> datetime:
        return SystemClock().now() + self.ahead

    def elapsed_seconds(self) -> float:
        return SystemClock().elapsed_seconds() + self.ahead.total_seconds()


@attrs.frozen
class Forge:
    """The parent process, as seen from the tests. One child at a time."""

    process: "subprocess.Popen[bytes]"

    @classmethod
    @contextmanager
    def lit(cls, log: Path) -> Iterator["Forge"]:
        """Running while the block lasts; what children complain of goes to `log`."""
        command = [sys.executable, "-m", "tests.torture.matrix.forge"]
        root = Path(__file__).parents[3]
        with (
            log.open("ab") as errors,
            subprocess.Popen(
                command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors
            ) as process,
        ):
            yield cls(process)
            assert process.stdin is not None
            process.stdin.close()

    def run(self, order: Order) -> Fate:
        """Fork a child and wait until it ends or halts."""
        return self._ask(order)

    def go_on(self, fate: Fate) -> Fate:
        """Wake a child that halts and wait for its end."""
        assert fate.end is End.STOPPED, "only who halts can go on"
        return self._ask(fate.pid)

    def _ask(self, what: Order | int) -> Fate:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        pickle.dump(what, self.process.stdin)
        self.process.stdin.flush()
        fate = pickle.load(self.process.stdout)
        assert isinstance(fate, Fate)
        return fate


def carry_out(order: Order) -> None:
    """The life of a child."""
    for patch in order.patches:
        patch.apply()
    env = Env(order.variables)
    settings = Settings.read(env)
    at = CrashAt.read(env)
    env.finish()
    container = build_crashing(settings, at)
    child = Child(container, TravellingClock())
    container.register(Clock, instance=child.clock)
    for task in order.tasks:
        child.do(task)


@attrs.frozen
class Child:
    """A worker without a queue: use cases, called in the order of a test."""

    container: punq.Container
    clock: TravellingClock

    def do(self, task: Task) -> None:
        """One task."""
        match task:
            case Task.DISPATCH:
                self._dispatch()
            case Task.SINGLES:
                self._patiently(SendSingleMessages)
            case Task.SWEEP:
                self._sweep()
            case Task.RECOVER:
                for _ in range(STEPS):
                    self._sweep()
                    self._patiently(SendSingleMessages)
                    self._dispatch()
                    self._patiently(ApplyReports)
                    self._patiently(MatchParkedReports)
                    if not self._is_anything_open():
                        break

    def _sweep(self) -> None:
        """A minute later, when every lease is over."""
        self.clock.ahead += timedelta(seconds=STEP_SECONDS)
        self._patiently(SweepStaleBatches)
        self._patiently(SweepSingleMessages)

    def _dispatch(self) -> None:
        dispatch: DispatchBatch = self.container.resolve(DispatchBatch)
        worker = WorkerId(f"forged-{os.getpid()}")
        for _ in range(CALLS_MAX):
            try:
                if dispatch(worker) is DispatchOutcome.IDLE:
                    return
            except Unavailable:
                continue
        raise RuntimeError("it never ends")

    def _patiently(self, kind: type[Callable[[], int]]) -> None:
        """As a job does: what is unavailable now is tried again later."""
        use_case = self.container.resolve(kind)
        for _ in range(TRIES):
            try:
                use_case()
            except Unavailable:
                continue
            return

    def _is_anything_open(self) -> bool:
        connections = self.container.resolve(Connections)
        with connections.sweep(read_only=True) as connection:
            return bool(connection.execute(text(OPEN)).scalar_one())


def main() -> None:
    """Fork children and watch over them until the orders end."""
    while True:
        try:
            order = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        if isinstance(order, Order):
            pid = os.fork()
            if pid == 0:
                _live(order)
        else:
            pid = order
            os.kill(pid, signal.SIGCONT)
        pickle.dump(_watched(pid), sys.stdout.buffer)
        sys.stdout.buffer.flush()


def _live(order: Order) -> None:
    """Never returns."""
    code = FAULT_OF_OURS
    try:
        os.dup2(2, 1)  # the standard output belongs to the parent's answers
        carry_out(order)
        code = 0
    except BaseException:  # noqa: BLE001 - whatever it is, it is told
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _watched(pid: int) -> Fate:
    _, status = os.waitpid(pid, os.WUNTRACED)
    if os.WIFSTOPPED(status):
        return Fate(pid, End.STOPPED)
    if os.WIFSIGNALED(status):
        return Fate(pid, End.KILLED)
    return Fate(pid, End.FAULTY if os.WEXITSTATUS(status) else End.DONE)


def ends(fates: Sequence[Fate]) -> tuple[End, ...]:
    """How they ended, in order."""
    return tuple(each.end for each in fates)


if __name__ == "__main__":
    # pickled orders name this module by its real name
    from tests.torture.matrix import forge

    forge.main()
