"""Bring the rows of a file into the contacts, batch by batch, each row exactly once."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Final

import attrs

from retail_core.imports.errors import UnreadableTable
from retail_core.imports.jobs import import_contacts
from retail_core.imports.model import (
    BATCH_ROWS_MAX,
    STALLED_AFTER_SECONDS,
    STARTS_WITHOUT_PROGRESS_MAX,
    TABLE_ROWS_MAX,
    Cell,
    ImportedRow,
    ImportJob,
    ImportKey,
    MergeCounts,
    RowFault,
)
from retail_core.imports.parsing import RowReader, find_columns
from retail_core.imports.ports import (
    ImportsUnitOfWork,
    Table,
    TableReader,
    UploadReads,
)
from retail_core.kernel.clock import Clock
from retail_core.kernel.ports import Transactions

NUDGED_IMPORTS_MAX: Final = 100


@attrs.frozen
class _Batch:
    """Some rows in their order, as they were read."""

    rows: Sequence[ImportedRow]
    faults: Sequence[RowFault]
    size: int


@attrs.frozen
class ImportContacts:
    """Import one file from where it stands. Safe to run twice, side by side, and to die in.

    Each batch is one transaction with its position; whoever finds another position than the one
    he left was overtaken and stops.
    """

    transactions: Transactions[ImportsUnitOfWork]
    uploads: UploadReads
    reader: TableReader
    clock: Clock

    def __call__(self, key: ImportKey, has_time: Callable[[], bool] = lambda: True) -> bool:
        """True if it stopped between two batches since time was up, and there is more to do.

        Does nothing for an import that is unknown or done.
        """
        job = self._take_up(key)
        if job is None:
            return False
        try:
            with self.reader.open(job.form, _StoredFile(self.uploads, key)) as table:
                return self._import(key, job, table, has_time)
        except UnreadableTable as fault:
            self._fail(key, str(fault))
            return False

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
        header = next(_rows_with_content(table), None)
        if header is None:
            raise UnreadableTable("The file has no header row.")
        reader = RowReader(find_columns(header), job.terms.region, job.today, job.terms.tags)
        expected = job if job.is_counted else self._count(key, job, table)
        for batch in _batches(table, reader, job.position):
            expected = expected and self._merge(key, expected, batch)
            if expected is None:
                return False
            if not has_time():
                return True
        if expected is not None:
            self._complete(key, expected)
        return False

    def _count(self, key: ImportKey, job: ImportJob, table: Table) -> ImportJob | None:
        """Read the file through once: how long it is, and that it can be read to its end."""
        rows = itertools.islice(_rows_with_content(table), TABLE_ROWS_MAX + 2)
        total = sum(1 for _ in rows) - 1
        if total > TABLE_ROWS_MAX:
            raise UnreadableTable(f"The file has more than {TABLE_ROWS_MAX:,} rows.")
        with self.transactions.begin(key.account) as uow:
            locked = _same(uow.imports.lock(key.account, key.id), job)
            if locked is None:
                return None
            counted = locked.counted(total, self.clock.now())
            uow.imports.save(key.account, counted)
            return counted

    def _merge(self, key: ImportKey, expected: ImportJob, batch: _Batch) -> ImportJob | None:
        now = self.clock.now()
        distinct = {row.phone.number: row for row in reversed(batch.rows)}
        repeated = [row for row in batch.rows if distinct[row.phone.number] is not row]
        rows = [row for row in batch.rows if distinct[row.phone.number] is row]
        with self.transactions.begin(key.account) as uow:
            job = _same(uow.imports.lock(key.account, key.id), expected)
            if job is None:
                return None
            outcome = uow.import_merge.merge(key.account, key.id, rows, job.terms, now)
            known = set(outcome.known).union(row.row for row in repeated)
            found = [_known_fault(row) for row in batch.rows if row.row in known]
            faults = sorted((*batch.faults, *found), key=lambda fault: fault.row)
            uow.imports.add_faults(key.account, key.id, faults)
            skipped = batch.size - outcome.created - outcome.updated
            counts = MergeCounts(outcome.created, outcome.updated, skipped)
            advanced = job.advanced(counts, len(faults), now)
            uow.imports.save(key.account, advanced)
            return advanced

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


@attrs.frozen
class SweepImports:
    """Find imports whose nudge or worker got lost, and nudge again."""

    transactions: Transactions[ImportsUnitOfWork]
    clock: Clock

    def __call__(self) -> int:
        """How many were nudged."""
        since = self.clock.now() - timedelta(seconds=STALLED_AFTER_SECONDS)
        with self.transactions.across_accounts() as uow:
            stalled = uow.imports.find_stalled_across_accounts(since, NUDGED_IMPORTS_MAX)
            for key in stalled:
                uow.jobs.add(import_contacts(key))
            return len(stalled)


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


def _rows_with_content(table: Table) -> Iterator[Sequence[Cell]]:
    """Rows that are empty from end to end are no rows."""
    return (cells for cells in table() if any(cells))


def _batches(table: Table, reader: RowReader, position: int) -> Iterator[_Batch]:
    rows = enumerate(_rows_with_content(table))  # the header is row 0
    ahead = itertools.islice(rows, position + 1, None)
    while cells := list(itertools.islice(ahead, BATCH_ROWS_MAX)):
        read = [reader.read(no, row) for no, row in cells]
        good = [row for row in read if isinstance(row, ImportedRow)]
        faults = [fault for row in read if isinstance(row, list) for fault in row]
        yield _Batch(good, faults, len(cells))


def _known_fault(row: ImportedRow) -> RowFault:
    return RowFault(
        row.row,
        "phone",
        "DUPLICATE_RESOURCE",
        "A contact with this phone already exists.",
        row.phone.number,
    )
