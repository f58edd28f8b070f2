"""A database in memory with the promises of the real one: serial, atomic, once."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import attrs

from retail_core.kernel.clock import Clock
from retail_core.kernel.errors import (
    IdempotencyInProgress,
    IdempotencyKeyReused,
    Unavailable,
)
from retail_core.kernel.idempotency import AlreadyDone, Once, StoredReply
from retail_core.kernel.ids import AccountId
from retail_core.testing.clock import FixedClock
from retail_core.testing.outbox import MemoryJobOutbox
from retail_core.testing.tables import MemoryTables, StoredKey

LOCK_TIMEOUT_SECONDS = 10


@attrs.frozen
class MemoryUnitOfWork:
    """The wiring list of all stores; satisfies the slice of every room."""

    tables: MemoryTables
    account: AccountId | None
    clock: Clock
    _effects: list[int] = attrs.field(init=False, factory=list)

    @property
    def jobs(self) -> MemoryJobOutbox:
        return MemoryJobOutbox(self.tables)

    def effect(self, effect_id: int) -> None:
        """Name what this transaction made, for the reply to a repeat of the same request."""
        self._effects.append(effect_id)

    @property
    def named_effect(self) -> int:
        """The effect named last; 0 if none was."""
        return self._effects[-1] if self._effects else 0


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


@attrs.frozen
class MemoryTransactions:
    """`Transactions` in memory, for our tests and for services that embed the core."""

    database: MemoryDatabase = attrs.field(factory=MemoryDatabase)

    @contextmanager
    def begin(self, account: AccountId, once: Once | None = None) -> Iterator[MemoryUnitOfWork]:
        """Work for one account; see the port for what `once` does."""
        if once is None:
            with self.database.transaction() as tables:
                yield MemoryUnitOfWork(tables, account, self.database.clock)
            return
        with self.database.claimed(once), self.database.transaction() as tables:
            _refuse_repeat(tables, once)
            uow = MemoryUnitOfWork(tables, account, self.database.clock)
            yield uow
            name = (once.account, once.key)
            now = self.database.clock.now()
            tables.keys.insert(name, StoredKey(once, uow.named_effect, None, now))

    @contextmanager
    def across_accounts(self) -> Iterator[MemoryUnitOfWork]:
        """Work that sweeps over accounts."""
        with self.database.transaction() as tables:
            yield MemoryUnitOfWork(tables, None, self.database.clock)


def _refuse_repeat(tables: MemoryTables, once: Once) -> None:
    stored = tables.keys.get((once.account, once.key))
    if stored is None:
        return
    if stored.once.fingerprint != once.fingerprint:
        raise IdempotencyKeyReused
    raise AlreadyDone(stored.effect, stored.reply)


@attrs.frozen
class MemoryIdempotencyReplies:
    """`IdempotencyReplies` in memory."""

    database: MemoryDatabase

    def save(self, once: Once, reply: StoredReply) -> None:
        """Store the reply beside the key's effect; the first one stays."""
        name = (once.account, once.key)
        with self.database.transaction() as tables:
            stored = tables.keys.get(name)
            if stored is not None and stored.once == once and stored.reply is None:
                tables.keys.put(name, attrs.evolve(stored, reply=reply))

    def remove_older_across_accounts(self, before: datetime) -> int:
        """Forget keys older than their life; returns how many."""
        with self.database.transaction() as tables:
            old = [name for name, key in tables.keys.items() if key.created_at < before]
            for name in old:
                tables.keys.remove(name)
        return len(old)
