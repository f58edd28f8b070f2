"""Ports that every room shares: transactions, the outbox, randomness, the clock."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol, TypeVar

from retail_core.kernel.audit import AuditEntry, AuditFilter, AuditRecord
from retail_core.kernel.idempotency import Once, StoredReply
from retail_core.kernel.ids import AccountId
from retail_core.kernel.jobs import DueJob, Job
from retail_core.kernel.time.clock import Clock

UnitOfWork_co = TypeVar("UnitOfWork_co", covariant=True)

__all__ = [
    "AuditLog",
    "AuditTrail",
    "Clock",
    "IdempotencyReplies",
    "JobOutbox",
    "Randomness",
    "Transactions",
    "Work",
]


class Work(Protocol):
    """What every unit of work can do, whatever stores it has."""

    @property
    def jobs(self) -> "JobOutbox": ...
    @property
    def audit(self) -> "AuditLog": ...

    def effect(self, effect_id: int) -> None:
        """Name what this transaction made, for the reply to a repeat of the same request."""
        ...


class Transactions(Protocol[UnitOfWork_co]):
    """The only way to a database. Commits on a clean exit, rolls back on any exception.

    Raises `Unavailable` when the database cannot be reached or gave up (deadlock, time-out).
    """

    def begin(
        self, account: AccountId, once: Once | None = None
    ) -> AbstractContextManager[UnitOfWork_co]:
        """Work for one account; row security lets it see no other account's rows.

        With `once`, takes an advisory lock on the key for this transaction and raises
        `IdempotencyInProgress` (somebody holds it), `IdempotencyKeyReused` (another request used
        the key) or `AlreadyDone` (the effect exists); stores the key at the commit, together with
        the effect named by `uow.effect(id)`. Work that names no effect leaves the key free.
        """
        ...

    def across_accounts(self) -> AbstractContextManager[UnitOfWork_co]:
        """Work that sweeps over accounts: sign-in, webhooks, public codes, workers."""
        ...


class JobOutbox(Protocol):
    """Jobs to be done after the commit; a relay moves them to the queue."""

    def add(self, job: Job) -> None:
        """Write a job in this transaction. A waiting job with the same key is kept as it is."""
        ...

    def take_due_across_accounts(self, now: datetime, jobs_max: int) -> Sequence[DueJob]:
        """Lock (skipping locked ones) and return jobs that are due, oldest first."""
        ...

    def remove_across_accounts(self, jobs: Sequence[DueJob]) -> None:
        """Forget jobs that reached the queue."""
        ...

    def waiting_count(self, account: AccountId) -> int:
        """How many jobs of this account have not reached the queue yet."""
        ...


class AuditLog(Protocol):
    """Append-only: nobody changes an entry, and only its age removes it (`AUDIT_LIFE`)."""

    def record(self, entry: AuditEntry) -> None:
        """Write down a deed in the transaction of its cause, with the present agent and the time.

        Work that is bound to an account can write of that account only.
        """
        ...


class AuditTrail(Protocol):
    """Reads the audit log, for the operator."""

    def newest_across_accounts(self, which: AuditFilter, records_max: int) -> Sequence[AuditRecord]:
        """The newest deeds that were asked for, newest first."""
        ...


class Randomness(Protocol):
    """Unpredictable bytes, as a port so that tests can repeat themselves."""

    def token(self, size_bytes: int) -> bytes: ...


class IdempotencyReplies(Protocol):
    """Keeps the reply that was sent for a key, so that a repeat gets the same bytes."""

    def save(self, once: Once, reply: StoredReply) -> None:
        """Store the reply beside the key's effect; without such an effect nothing happens.

        Nor while somebody of the account is being erased, or where the effect began before that was
        over for certain (`ERASURE_SECONDS_MAX`): the reply may tell of them.
        """
        ...

    def remove_older_across_accounts(self, before: datetime) -> int:
        """Forget keys older than their life (`IDEMPOTENCY_TTL_HOURS`); returns how many."""
        ...
