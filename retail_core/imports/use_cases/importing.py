"""Bring the rows of a file into the contacts, batch by batch, each row exactly once."""

import itertools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta
from typing import TypeAlias

import attrs

from retail_core.contacts.model import SuppressionReason, SuppressionTerms
from retail_core.contacts.model.number_hash import NumberHash
from retail_core.imports.errors import UnreadableTable
from retail_core.imports.model import (
    BATCH_ROWS_MAX,
    SIGN_OF_LIFE_SECONDS,
    STARTS_WITHOUT_PROGRESS_MAX,
    Cell,
    ImportedRow,
    ImportJob,
    ImportKey,
    ImportPurpose,
    ImportTerms,
    MergeCounts,
    RowFault,
)
from retail_core.imports.parsing import RowReader, find_columns, find_numbers
from retail_core.imports.ports import (
    ImportsUnitOfWork,
    Table,
    TableReader,
    UploadReads,
)
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import AccountId
from retail_core.kernel.ports import Transactions
from retail_core.kernel.time.clock import Clock


@attrs.frozen
class ReadBatch:
    """Some rows in their order, as they were read."""

    rows: Sequence[ImportedRow]
    faults: Sequence[RowFault]
    size: int


ReadAhead: TypeAlias = Callable[[Iterator[ReadBatch]], AbstractContextManager[Iterator[ReadBatch]]]
"""Gives the same batches, each perhaps read while the one before is stored."""


@attrs.frozen
class ImportContacts:
    """Import one file from where it stands. Safe to run twice, side by side, and to die in.

    Each batch is one transaction with its position; whoever finds another position than the one
    they left was overtaken and stops.
    """

    transactions: Transactions[ImportsUnitOfWork]
    uploads: UploadReads
    reader: TableReader
    clock: Clock
    number_hash: NumberHash
    read_ahead: ReadAhead = nullcontext

    def __call__(self, key: ImportKey, has_time: Callable[[], bool] = lambda: True) -> bool:
        """True if it stopped between two batches since time was up, and there is more to do.

        Does nothing for an import that is unknown or done.
        """
        job = self._take_up(key)
        if job is None:
            return False
        is_to_go_on = False
        try:
            alive = _SignsOfLife(self.transactions, self.clock, key, job.touched_at)
            table = self.reader.open(key, job.form, _StoredFile(self.uploads, key), alive)
            is_to_go_on = self._import(key, job, table, has_time)
        except UnreadableTable as fault:
            self._fail(key, str(fault))
        finally:
            if not is_to_go_on:
                self.reader.close(key)
        return is_to_go_on

    def _take_up(self, key: ImportKey) -> ImportJob | None:
        now = self.clock.now()
        with self.transactions.begin(key.account) as uow:
            job = uow.imports.lock(key.account, key.id)
            if job is None or not job.is_open:
                return None
            if job.starts >= STARTS_WITHOUT_PROGRESS_MAX:
                uow.imports.save(key.account, job.failed("This file could not be read.", now))
                return None
            started = job.started(now)
            uow.imports.save(key.account, started)
            return started

    def _import(
        self, key: ImportKey, job: ImportJob, table: Table, has_time: Callable[[], bool]
    ) -> bool:
        layout = _layout(table, job.terms)
        total = table.rows_total - layout.header_rows
        reader = RowReader(layout.columns, job.terms.region, job.today, job.terms.tags)
        expected = job if job.is_counted else self._count(key, job, total)
        rows = enumerate(table.rows(job.position + layout.header_rows), start=job.position + 1)
        with self.read_ahead(_batches(rows, reader)) as batches:
            for batch in batches:
                expected = expected and self._take_in(key, expected, batch)
                if expected is None:
                    return False
                if not has_time():
                    return True
        if expected is not None:
            self._complete(key, expected)
        return False

    def _count(self, key: ImportKey, job: ImportJob, total: int) -> ImportJob | None:
        """Tell how long the file is, now that it was read through."""
        with self.transactions.begin(key.account) as uow:
            locked = _same(uow.imports.lock(key.account, key.id), job)
            if locked is None:
                return None
            counted = locked.counted(total, self.clock.now())
            uow.imports.save(key.account, counted)
            return counted

    def _take_in(self, key: ImportKey, expected: ImportJob, batch: ReadBatch) -> ImportJob | None:
        now = self.clock.now()
        with self.transactions.begin(key.account) as uow:
            job = _same(uow.imports.lock(key.account, key.id), expected)
            if job is None:
                return None
            uow.contacts.lock_for_adding(key.account)
            if job.terms.purpose is ImportPurpose.CONTACTS:
                counts, faults = self._merge(uow, key, job, batch, now)
            else:
                counts, faults = _bar(uow, key, job, batch, now)
            uow.imports.add_faults(key.account, key.id, faults)
            advanced = job.advanced(counts, len(faults), now)
            uow.imports.save(key.account, advanced)
            return advanced

    def _merge(
        self,
        uow: ImportsUnitOfWork,
        key: ImportKey,
        job: ImportJob,
        batch: ReadBatch,
        now: datetime,
    ) -> tuple[MergeCounts, Sequence[RowFault]]:
        distinct = {row.phone.number: row for row in reversed(batch.rows)}
        repeated = [row for row in batch.rows if distinct[row.phone.number] is not row]
        rows = [row for row in batch.rows if distinct[row.phone.number] is row]
        hashes = {} if job.terms.dry_run else self._hashes(uow, key.account, distinct)
        if hashes:
            uow.suppressions.bar_erased(key.account, hashes, now)
            uow.suppressions.name_forgotten(key.account, hashes)
        outcome = uow.import_merge.merge(key.account, key.id, rows, job.terms, now)
        if hashes:
            uow.number_traces.recognise(key.account, hashes)
        known = set(outcome.known).union(row.row for row in repeated)
        found = [_known_fault(row) for row in batch.rows if row.row in known]
        skipped = batch.size - outcome.created - outcome.updated
        counts = MergeCounts(outcome.created, outcome.updated, skipped)
        return counts, sorted((*batch.faults, *found), key=lambda fault: fault.row)

    def _hashes(
        self, uow: ImportsUnitOfWork, account: AccountId, phones: Collection[PhoneNumber]
    ) -> Mapping[PhoneNumber, bytes]:
        """Nothing for a store that knows no number by its hash alone: then none can be found."""
        if uow.suppressions.has_erased(account) or uow.number_traces.has_any(account):
            return self.number_hash.of_each(phones)
        return {}

    def _complete(self, key: ImportKey, expected: ImportJob) -> None:
        with self.transactions.begin(key.account) as uow:
            job = _same(uow.imports.lock(key.account, key.id), expected)
            if job is None:
                return
            if job.terms.dry_run:
                uow.import_merge.forget_dry_run(key.account, key.id)
            uow.imports.save(key.account, job.completed(self.clock.now()))

    def _fail(self, key: ImportKey, error: str) -> None:
        with self.transactions.begin(key.account) as uow:
            job = uow.imports.lock(key.account, key.id)
            if job is not None and job.is_open:
                uow.imports.save(key.account, job.failed(error, self.clock.now()))


@attrs.define
class _SignsOfLife:
    """Tells now and then that somebody is at it, so that nobody else takes it up meanwhile."""

    transactions: Transactions[ImportsUnitOfWork]
    clock: Clock
    key: ImportKey
    last: datetime

    def __call__(self) -> None:
        now = self.clock.now()
        if now - self.last < timedelta(seconds=SIGN_OF_LIFE_SECONDS):
            return
        self.last = now
        with self.transactions.begin(self.key.account) as uow:
            job = uow.imports.lock(self.key.account, self.key.id)
            if job is not None and job.is_open:
                uow.imports.save(self.key.account, job.touched(now))


@attrs.frozen
class _StoredFile:
    """A stored file as its pieces in order."""

    uploads: UploadReads
    key: ImportKey

    def __call__(self) -> Iterator[bytes]:
        for no in itertools.count():
            chunk = self.uploads.chunk(self.key.account, self.key.id, no)
            if chunk is None:
                return
            yield chunk


def _same(job: ImportJob | None, expected: ImportJob) -> ImportJob | None:
    """The import, unless somebody else has brought it forward or ended it."""
    if job is None or not job.is_open or job.position != expected.position:
        return None
    return job


@attrs.frozen
class _Layout:
    """How many rows of a table are no data, and where what stands in the others."""

    header_rows: int
    columns: Mapping[str, int]


def _layout(table: Table, terms: ImportTerms) -> _Layout:
    header = next(table.rows(0), None)
    if header is None:
        raise UnreadableTable("The file has no row.")
    if terms.purpose is ImportPurpose.CONTACTS:
        return _Layout(1, find_columns(header))
    column = find_numbers(header)
    return _Layout(0, {"phone": 0}) if column is None else _Layout(1, {"phone": column})


def _batches(rows: Iterator[tuple[int, Sequence[Cell]]], reader: RowReader) -> Iterator[ReadBatch]:
    while True:
        good: list[ImportedRow] = []
        faults: list[RowFault] = []
        size = 0
        for no, cells in itertools.islice(rows, BATCH_ROWS_MAX):
            size += 1
            read = reader.read(no, cells)
            if isinstance(read, ImportedRow):
                good.append(read)
            else:
                faults += read
        if size == 0:
            return
        yield ReadBatch(good, faults, size)


def _bar(
    uow: ImportsUnitOfWork, key: ImportKey, job: ImportJob, batch: ReadBatch, now: datetime
) -> tuple[MergeCounts, Sequence[RowFault]]:
    """A number that is barred by a register already is skipped, which is no fault."""
    terms = SuppressionTerms(
        reason=SuppressionReason.IMPORT, at=now, note=job.terms.note, source=f"import:{key.id}"
    )
    phones = {row.phone.number for row in batch.rows}
    added = uow.suppressions.add_all(key.account, phones, terms)
    return MergeCounts(created=added, skipped=batch.size - added), batch.faults


def _known_fault(row: ImportedRow) -> RowFault:
    return RowFault(
        row.row,
        "phone",
        "DUPLICATE_RESOURCE",
        "A contact with this phone already exists.",
        row.phone.number,
    )
