"""The tables in memory under the one lock that makes transactions serial."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import attrs

from retail_core.kernel.errors import IdempotencyInProgress, Unavailable
from retail_core.kernel.idempotency import Once
from retail_core.kernel.ids import AccountId
from retail_core.kernel.time.clock import Clock
from retail_core.testing.kernel.clock import FixedClock
from retail_core.testing.tables import MemoryTables

LOCK_TIMEOUT_SECONDS = 10


@attrs.frozen
class MemoryDatabase:
    """The tables, and the one lock that makes transactions serial.

    `clock` stands in for the database's own `now()`.
    """

    clock: Clock = attrs.field(factory=FixedClock)
    tables: MemoryTables = attrs.field(init=False, factory=MemoryTables)
    _serial: threading.Lock = attrs.field(init=False, factory=threading.Lock, eq=False)
    _claimed: dict[tuple[AccountId, str], object] = attrs.field(init=False, factory=dict)

    @contextmanager
    def transaction(self) -> Iterator[MemoryTables]:
        """Alone with the tables; any exception undoes every change.

        Raises `Unavailable` after 10 seconds: most likely this thread has one open already.
        """
        if not self._serial.acquire(timeout=LOCK_TIMEOUT_SECONDS):
            raise Unavailable("another transaction is open in memory")
        try:
            yield self.tables
            self.tables.journal.commit()
        finally:
            self.tables.journal.roll_back()
            self._serial.release()

    @contextmanager
    def claimed(self, once: Once) -> Iterator[None]:
        """Own a key, as the advisory lock does. Raises `IdempotencyInProgress`."""
        name = (once.account, once.key)
        owner = object()
        if self._claimed.setdefault(name, owner) is not owner:
            raise IdempotencyInProgress
        try:
            yield
        finally:
            del self._claimed[name]
