"""Take an import back: what it created goes, what it changed is put back."""

from collections.abc import Callable

import attrs

from retail_core.contacts.model.number_hash import NumberHash
from retail_core.imports.errors import ImportNotFound
from retail_core.imports.jobs import undo_import
from retail_core.imports.model import BATCH_ROWS_MAX, ImportKey, ImportStatus
from retail_core.imports.ports import ImportsUnitOfWork
from retail_core.kernel.idempotency import Once
from retail_core.kernel.ids import AccountId, ImportId
from retail_core.kernel.ports import Transactions
from retail_core.kernel.time.clock import Clock


@attrs.frozen
class UndoImport:
    """Ask for an import to be taken back; a worker does it."""

    transactions: Transactions[ImportsUnitOfWork]
    clock: Clock

    def __call__(
        self, account: AccountId, import_id: ImportId, undo_days: int, once: Once | None = None
    ) -> ImportId:
        """Raises `ImportNotFound`, `ImportNotUndoable`."""
        with self.transactions.begin(account, once) as uow:
            job = uow.imports.lock(account, import_id)
            if job is None:
                raise ImportNotFound
            uow.imports.save(account, job.undoing(undo_days, self.clock.now()))
            uow.jobs.add(undo_import(ImportKey(account, import_id)))
            uow.effect(import_id)
            return import_id


@attrs.frozen
class RevertImport:
    """Take back one import from where that stands. Safe to run twice, side by side, and to die in.

    Each step is one transaction with its position, under the lock of the import.
    """

    transactions: Transactions[ImportsUnitOfWork]
    clock: Clock
    number_hash: NumberHash

    def __call__(self, key: ImportKey, has_time: Callable[[], bool] = lambda: True) -> bool:
        """True if it stopped between two steps since time was up, and there is more to do.

        Does nothing for an import that is unknown or not being taken back.
        """
        while self._step(key):
            if not has_time():
                return True
        return False

    def _step(self, key: ImportKey) -> bool:
        now = self.clock.now()
        with self.transactions.begin(key.account) as uow:
            job = uow.imports.lock(key.account, key.id)
            if job is None or job.status is not ImportStatus.UNDOING:
                return False
            uow.contacts.lock_for_removing(key.account)
            step = uow.import_reversal.revert(
                key.account, key.id, job.terms, job.undone_to, BATCH_ROWS_MAX, now
            )
            if step.last is None:
                uow.imports.save(key.account, job.undone_for_good(now))
                return False
            if step.removed:  # a campaign may be waiting with their numbers
                uow.message_traces.forget(key.account, [contact.id for contact in step.removed])
            hashes = [(contact.id, self.number_hash.of(contact.phone)) for contact in step.removed]
            uow.import_reversal.remember_removed(key.account, hashes, now)
            uow.imports.save(key.account, job.taken_back(step.counts, step.last, now))
            return True
