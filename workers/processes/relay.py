"""Moves jobs from the outbox to the queue, as soon as they are committed."""

import time
from threading import Event
from typing import Final, Protocol

import attrs
from loguru import logger

from retail_core.kernel.errors import Unavailable
from retail_core.kernel.ports import Transactions, Work
from retail_core.kernel.time.clock import Clock
from workers.jobs.running import Putting
from workers.processes.trouble import Trouble

JOBS_MAX: Final = 500
POLL_SECONDS: Final = 5.0
STOP_SECONDS: Final = 0.5


class Listener(Protocol):
    """Hears that a job was written. Raises `Unavailable`."""

    def wait(self, timeout_seconds: float) -> bool: ...

    def close(self) -> None: ...


@attrs.frozen
class Relay:
    """Moves due jobs; any number may run side by side, and die anywhere.

    A job leaves the outbox in the transaction that locked it, after the queue took it: so it gets
    there at least once. If it gets there twice, its key makes it one while it waits.
    """

    transactions: Transactions[Work]
    queue: Putting
    clock: Clock
    jobs_max: int = JOBS_MAX

    def __call__(self) -> int:
        """Move up to `jobs_max` jobs; returns how many. Raises `Unavailable`; then all stay."""
        with self.transactions.across_accounts() as uow:
            due = uow.jobs.take_due_across_accounts(self.clock.now(), self.jobs_max)
            for each in due:
                self.queue.put(each.job)
            uow.jobs.remove_across_accounts(due)
        return len(due)

    def drain(self) -> int:
        """Move all jobs that are due; returns how many. Raises `Unavailable`."""
        moved = 0
        while True:
            step = self()
            moved += step
            if step < self.jobs_max:
                return moved


@attrs.frozen
class RelayLoop:
    """Relays until told to stop: woken by the database, and looking now and then by itself.

    The look finds jobs whose time comes later, and those written while nobody listened.
    """

    relay: Relay
    listener: Listener
    poll_seconds: float = POLL_SECONDS
    _relaying: Trouble = attrs.field(init=False, factory=lambda: Trouble("the relay"))
    _listening: Trouble = attrs.field(init=False, factory=lambda: Trouble("the outbox channel"))

    def __call__(self, stop: Event) -> None:
        self._hear(0.0, stop)
        while not stop.is_set():
            try:
                moved = self.relay.drain()
            except Unavailable as error:
                stop.wait(self._relaying.met(error))
                continue
            self._relaying.over()
            if moved:
                logger.debug("relayed", jobs=moved)
            self._sleep(stop)
        self.listener.close()

    def _sleep(self, stop: Event) -> None:
        """Until a job is written, the next look is due, or we are to stop."""
        ends = time.monotonic() + self.poll_seconds
        while not stop.is_set():
            left = ends - time.monotonic()
            if left <= 0 or self._hear(min(left, STOP_SECONDS), stop):
                return

    def _hear(self, timeout_seconds: float, stop: Event) -> bool:
        """Without a channel this is just a pause: the looks go on."""
        try:
            heard = self.listener.wait(timeout_seconds)
        except Unavailable as error:
            stop.wait(min(self._listening.met(error), self.poll_seconds))
            return False
        self._listening.over()
        return heard
