"""What the imports room needs from the world: its rows, the file, a reader, and the way back."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Protocol, TypeAlias

import attrs

from retail_core.audiences.ports import ListStore
from retail_core.contacts.ports import (
    ContactStore,
    MessageTraces,
    NumberTraces,
    SuppressionStore,
)
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
    UndoStep,
)
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import AccountId, ContactId, ImportId
from retail_core.kernel.ports import Work


@attrs.frozen
class StalledImport:
    """An import that nobody seems to work on, forwards or backwards."""

    key: ImportKey
    is_undo: bool


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
    ) -> Sequence[StalledImport]:
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
        counts. Who is created or updated goes on the list of the terms, unless it is gone or has
        become filtered. What was there before is kept, so that the import can be undone. Locks
        the rows of contacts it updates.
        """
        ...

    def forget_dry_run(self, account: AccountId, import_id: ImportId) -> None:
        """Drop the numbers that a dry run kept in order to find repeats."""
        ...


class ImportReversal(Protocol):
    """Takes back what an import did to the contacts, as a set."""

    def revert(
        self,
        account: AccountId,
        import_id: ImportId,
        terms: ImportTerms,
        after: PhoneNumber | None,
        rows_max: int,
        at: datetime,
    ) -> UndoStep:
        """Take back the next rows of a completed import, in the order of their numbers.

        A contact that it created is removed, unless they were messaged, are just being handed over
        to the gateway, or were edited since. A field that it changed gets its old value, unless it
        was changed since. The tags and memberships that it added are taken off in any case. A
        contact is counted as kept if anything could not be put back; one that is gone is not
        counted. Nobody becomes subscribed again who is suppressed. Each change of consent is
        written down. Locks the rows of the contacts, and the batches of those it created.
        """
        ...

    def remember_removed(
        self, account: AccountId, hashes: Sequence[tuple[ContactId, bytes]], at: datetime
    ) -> None:
        """Keep by hash alone whose facts of consent these are."""
        ...


class ImportsUnitOfWork(Work, Protocol):
    """One transaction over imports, their files and the contacts they bring."""

    @property
    def imports(self) -> ImportStore: ...
    @property
    def uploads(self) -> UploadStore: ...
    @property
    def import_merge(self) -> ImportMerge: ...
    @property
    def import_reversal(self) -> ImportReversal: ...
    @property
    def contacts(self) -> ContactStore: ...
    @property
    def suppressions(self) -> SuppressionStore: ...
    @property
    def number_traces(self) -> NumberTraces: ...
    @property
    def lists(self) -> ListStore: ...
    @property
    def message_traces(self) -> MessageTraces: ...


class UploadReads(Protocol):
    """Reads files piece by piece, each in a short transaction of its own."""

    def chunk(self, account: AccountId, import_id: ImportId, no: int) -> bytes | None:
        """One piece; None after the last."""
        ...


Chunks: TypeAlias = Callable[[], Iterator[bytes]]
"""A stored file that can be read from the start as often as needed."""


@attrs.frozen
class Table:
    """A table that was read through: all rows that are not empty, header included, from any one."""

    rows_total: int
    rows: Callable[[int], Iterator[Sequence[Cell]]]


class TableReader(Protocol):
    """Reads CSV and XLSX in bounded memory."""

    def open(
        self, key: ImportKey, form: FileForm, chunks: Chunks, alive: Callable[[], object]
    ) -> Table:
        """Read a file from its start to its end; an open table is taken as it is.

        `alive` is called again and again while that takes its time. Raises `UnreadableTable`, also
        for more than `TABLE_ROWS_MAX` rows.
        """
        ...

    def close(self, key: ImportKey) -> None:
        """Give back what an open table holds; nothing happens if it is not open."""
        ...
