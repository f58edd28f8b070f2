"""What the imports room needs from the world: its rows, the file, a reader, the merge."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol, TypeAlias

from retail_core.imports.model import (
    Cell,
    FileForm,
    ImportDraft,
    ImportedRow,
    ImportJob,
    ImportKey,
    ImportTerms,
    MergeOutcome,
    RowFault,
)
from retail_core.kernel.ids import AccountId, ImportId
from retail_core.kernel.ports import Work


class ImportStore(Protocol):
    """Imports and the faults of their rows."""

    def add(self, account: AccountId, draft: ImportDraft) -> ImportJob:
        """Insert an import that waits for a worker."""
        ...

    def lock(self, account: AccountId, import_id: ImportId) -> ImportJob | None:
        """Read an import and lock its row until the end; None if the store has no such one."""
        ...

    def save(self, account: AccountId, job: ImportJob) -> None:
        """Write how far a locked import has come."""
        ...

    def add_faults(
        self, account: AccountId, import_id: ImportId, faults: Sequence[RowFault]
    ) -> None:
        """Write the faults of a batch, in their order."""
        ...

    def find_stalled_across_accounts(
        self, untouched_since: datetime, imports_max: int
    ) -> Sequence[ImportKey]:
        """Imports with something left to do that gave no sign of life since then."""
        ...


class UploadStore(Protocol):
    """The files themselves, in pieces, since a worker may be on another machine."""

    def add_chunk(self, account: AccountId, import_id: ImportId, no: int, data: bytes) -> None:
        """Write one piece of at most `UPLOAD_CHUNK_BYTES`; pieces are counted from 0."""
        ...


class ImportMerge(Protocol):
    """Brings a batch of rows into the contacts, as a set."""

    def merge(
        self,
        account: AccountId,
        import_id: ImportId,
        rows: Sequence[ImportedRow],
        terms: ImportTerms,
        at: datetime,
    ) -> MergeOutcome:
        """Create or update the contacts of at most `BATCH_ROWS_MAX` rows with distinct numbers.

        A number that an earlier row of this import brought is known, also in update mode and in a
        dry run. Nobody becomes subscribed who is suppressed or opted out. Each created contact
        gets a consent event, and so does one who is unsubscribed by the row. A dry run only
        counts. What was there before is kept, so that the import can be undone. Locks the rows of
        contacts it updates.
        """
        ...

    def forget_dry_run(self, account: AccountId, import_id: ImportId) -> None:
        """Drop the numbers that a dry run kept in order to find repeats."""
        ...


class ImportsUnitOfWork(Work, Protocol):
    """One transaction over imports, their files and the contacts they bring."""

    @property
    def imports(self) -> ImportStore: ...
    @property
    def uploads(self) -> UploadStore: ...
    @property
    def import_merge(self) -> ImportMerge: ...


class UploadReads(Protocol):
    """Reads files piece by piece, each in a short transaction of its own."""

    def chunk(self, account: AccountId, import_id: ImportId, no: int) -> bytes | None:
        """One piece; None after the last."""
        ...


Chunks: TypeAlias = Callable[[], Iterator[bytes]]
"""A stored file that can be read from the start as often as needed."""

Table: TypeAlias = Callable[[], Iterator[Sequence[Cell]]]
"""The rows of a table, header included, from the start as often as needed.

Raises `UnreadableTable` where they cannot be read.
"""


class TableReader(Protocol):
    """Reads CSV and XLSX in bounded memory."""

    def open(self, form: FileForm, chunks: Chunks) -> AbstractContextManager[Table]:
        """A table; its resources are freed at the end. Raises `UnreadableTable`."""
        ...
