"""An import in memory: a file that is rehearsed, a reader that counts, and workers that die."""

from collections.abc import Callable, Iterator, Sequence

import attrs

from retail_core.contacts.model.number_hash import NumberHash
from retail_core.imports.errors import UnreadableTable
from retail_core.imports.model import Cell, FileForm, FileKind, ImportJob, ImportKey
from retail_core.imports.ports import Chunks, Table
from retail_core.imports.use_cases import ImportContacts, ImportRequest, StartImport
from retail_core.kernel.ids import AccountId
from retail_core.testing.imports.imports import MemoryUploadReads
from retail_core.testing.kernel.clock import FixedClock
from retail_core.testing.memory import MemoryDatabase, MemoryTransactions

STORE = AccountId(2)
Rows = Sequence[Sequence[Cell]]


class Killed(BaseException):
    """The worker is gone."""


@attrs.frozen
class Rehearsal:
    """Rows; `dies_at` kills whoever imports that row, `breaks_at` makes it a broken file."""

    all_rows: Rows
    dies_at: int | None = None
    breaks_at: int | None = None

    def whole(self) -> Rows:
        if self.breaks_at is not None:
            raise UnreadableTable("broken")
        return self.all_rows

    def read(self, rows: Rows, first: int) -> Iterator[Sequence[Cell]]:
        for number, row in enumerate(rows[first:], start=first):
            if number == self.dies_at:
                raise Killed
            yield row


@attrs.define
class Reader:
    """Gives the table whatever the file says, and counts how often it was asked."""

    table: Rehearsal
    opened: int = 0
    kept: set[ImportKey] = attrs.field(factory=set)
    meanwhile: Callable[[], object] = lambda: None
    slowly: Callable[[], object] = lambda: None

    def open(
        self, key: ImportKey, form: FileForm, chunks: Chunks, alive: Callable[[], object]
    ) -> Table:
        assert form.kind is FileKind.CSV
        if key not in self.kept:
            assert b"".join(chunks()) == b"the file"
            self.opened += 1
            self.kept.add(key)
            for _ in range(2):
                self.slowly()
                alive()
        self.meanwhile()
        rows = [row for row in self.table.whole() if any(row)]
        return Table(len(rows), lambda first: self.table.read(rows, first))

    def close(self, key: ImportKey) -> None:
        self.kept.discard(key)


@attrs.frozen
class Works:
    """A database with one import in it."""

    reader: Reader
    clock: FixedClock
    database: MemoryDatabase

    @classmethod
    def of(cls, rows: Rows, *, dry_run: bool = False) -> "Works":
        clock = FixedClock()
        works = cls(Reader(Rehearsal(rows)), clock, MemoryDatabase(clock))
        request = ImportRequest(
            file_name="a.csv",
            form=FileForm(FileKind.CSV),
            size_bytes=8,
            region="GR",
            dry_run=dry_run,
        )
        StartImport(works.transactions, clock)(STORE, request, [b"the ", b"file"])
        return works

    @property
    def transactions(self) -> MemoryTransactions:
        return MemoryTransactions(self.database)

    @property
    def key(self) -> ImportKey:
        return ImportKey(STORE, self.job.id)

    @property
    def job(self) -> ImportJob:
        [stored] = self.database.tables.imports
        return stored.job

    def run(self, has_time: Callable[[], bool] = lambda: True) -> bool:
        uploads = MemoryUploadReads(self.database)
        run = ImportContacts(self.transactions, uploads, self.reader, self.clock, NumberHash(b"x"))
        return run(self.key, has_time)

    def phones(self) -> list[str]:
        return [stored.contact.phone for stored in self.database.tables.contacts]


def people(count: int) -> Rows:
    rows: list[list[Cell]] = [[f"69843034{number:02d}"] for number in range(count)]
    return [["phone"], *rows]
