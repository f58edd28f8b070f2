"""Keeps a number of processes alive, and takes them along when it ends."""

import os
import signal
import threading
import time
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import wait
from multiprocessing.context import ForkProcess
from types import FrameType
from typing import Final

import attrs
from loguru import logger

CHECK_SECONDS: Final = 0.5
SAME_SIGNAL_SECONDS: Final = 1.0
RESTART_SECONDS_FIRST: Final = 0.5
RESTART_SECONDS_MAX: Final = 30.0
STEADY_SECONDS: Final = 60.0
ORPHAN_SECONDS_MAX: Final = 60.0

FORK: Final = get_context("fork")
"""Children share the parent's imports. It has no connection and no thread when it forks."""


@attrs.define
class Place:
    """One of the processes to keep alive, by its index."""

    index: int
    process: ForkProcess | None = None
    started_at: float = 0.0
    quick_deaths: int = 0
    start_at: float = 0.0

    def fell(self, now: float) -> float:
        """Its process ended; returns the seconds until it may start again.

        One that lived a while starts at once; one that dies young waits longer each time.
        """
        self.process = None
        steady = now - self.started_at >= STEADY_SECONDS
        self.quick_deaths = 0 if steady else self.quick_deaths + 1
        doubled = RESTART_SECONDS_FIRST * 2 ** min(self.quick_deaths - 1, 16)
        pause: float = 0.0 if steady else min(doubled, RESTART_SECONDS_MAX)
        self.start_at = now + pause
        return pause


@attrs.define
class Supervisor:
    """Runs `work(index)` in each of `count` processes, and starts those that die again.

    The first SIGTERM or SIGINT asks every child to finish its job; a second one, more than a
    second later, kills them.
    """

    count: int
    work: Callable[[int], None]
    _stops: int = attrs.field(default=0, init=False)
    _stopped_at: float = attrs.field(default=0.0, init=False)
    _places: list[Place] = attrs.field(factory=list, init=False)

    def run(self) -> None:
        """Return when every child has ended after a signal."""
        signal.signal(signal.SIGTERM, self._signalled)
        signal.signal(signal.SIGINT, self._signalled)
        self._places = [Place(index) for index in range(self.count)]
        while not self._stops:
            self._start_missing()
            self._wait()
            self._bury()
        self._stop()

    def _signalled(self, _signum: int, _frame: FrameType | None) -> None:
        # a terminal and a parent may both pass the same Ctrl-C on
        if self._stops and time.monotonic() - self._stopped_at < SAME_SIGNAL_SECONDS:
            return
        self._stops += 1
        self._stopped_at = time.monotonic()

    def _start_missing(self) -> None:
        now = time.monotonic()
        for place in self._places:
            if place.process is None and place.start_at <= now:
                place.process = FORK.Process(
                    target=_child, args=(self.work, place.index, os.getpid()), daemon=False
                )
                place.process.start()
                place.started_at = now

    def _wait(self) -> None:
        sentinels = [place.process.sentinel for place in self._places if place.process]
        wait(sentinels, timeout=CHECK_SECONDS) if sentinels else time.sleep(CHECK_SECONDS)

    def _bury(self) -> None:
        for place in self._places:
            process = place.process
            if process is None or process.is_alive():
                continue
            process.join()
            pause = place.fell(time.monotonic())
            if not self._stops:
                logger.error(
                    "a worker process ended and is started again",
                    ended=process.pid,
                    exitcode=process.exitcode,
                    seconds=round(pause, 1),
                )

    def _stop(self) -> None:
        logger.info("stopping: running jobs are finished first")
        self._signal_all(signal.SIGTERM)
        while any(place.process for place in self._places):
            self._wait()
            self._bury()
            if self._stops > 1:
                logger.warning("stopping now: running jobs are left to the sweep")
                self._signal_all(signal.SIGKILL)
        logger.info("stopped")

    def _signal_all(self, number: signal.Signals) -> None:
        for place in self._places:
            if place.process and place.process.pid and place.process.is_alive():
                os.kill(place.process.pid, number)


def _child(work: Callable[[int], None], index: int, parent: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with, args=(parent,), name="orphan-watch", daemon=True).start()
    work(index)


def _end_with(parent: int) -> None:
    """When the parent was killed: finish the job at hand and end, at the latest after a minute."""
    while os.getppid() == parent:
        time.sleep(CHECK_SECONDS)
    logger.warning("the parent process is gone: ending")
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(ORPHAN_SECONDS_MAX)
    os._exit(1)
