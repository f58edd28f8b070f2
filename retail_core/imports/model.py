"""An import: a file, what is done with its rows, and how far that has come."""

import enum
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final

import attrs

from retail_core.contacts.model import Gender
from retail_core.kernel.ids import AccountId, ImportId
from retail_core.kernel.phones import Phone

UPLOAD_BYTES_MAX: Final = 50 * 1024 * 1024
UPLOAD_CHUNK_BYTES: Final = 1024 * 1024
UNPACKED_BYTES_MAX: Final = 500 * 1024 * 1024
TABLE_ROWS_MAX: Final = 1_048_576
BATCH_ROWS_MAX: Final = 5_000
SHOWN_FAULTS_MAX: Final = 1_000
FAULT_VALUE_LENGTH_MAX: Final = 200
FILE_NAME_LENGTH_MAX: Final = 255
STARTS_WITHOUT_PROGRESS_MAX: Final = 5
STALLED_AFTER_SECONDS: Final = 60
CONSENT_NOT_STATED: Final = "not stated (imported through the web client)"

Cell = str | date
"""A cell as the readers give it: text, or a real date of a spreadsheet."""


class ImportStatus(enum.Enum):
    """The words of the contract."""

    WAITING = "waiting"
    ACTIVE = "active"
    COMPLETED = "completed"
    FAILED = "failed"
    DELAYED = "delayed"
    UNDOING = "undoing"
    UNDONE = "undone"


class ImportMode(enum.Enum):
    """What happens to a number the store knows already."""

    SKIP = "skip"
    UPDATE = "update"


class FileKind(enum.Enum):
    """What an upload is, by its content."""

    CSV = "csv"
    XLSX = "xlsx"


class Encoding(enum.Enum):
    """How the text of a CSV file is written; a byte order mark is no part of the text."""

    UTF_8 = "utf-8-sig"
    WINDOWS_1253 = "cp1253"


@attrs.frozen
class FileForm:
    """What an upload turned out to be; `encoding` only matters for CSV."""

    kind: FileKind
    encoding: Encoding = Encoding.UTF_8


@attrs.frozen(kw_only=True)
class ImportTerms:
    """What is to be done with the rows, fixed when the file is sent."""

    region: str
    mode: ImportMode = ImportMode.SKIP
    dry_run: bool = False
    tags: tuple[str, ...] = ()
    consent_source: str = CONSENT_NOT_STATED


@attrs.frozen(kw_only=True)
class ImportDraft:
    """An import before it has an id."""

    file_name: str
    form: FileForm
    size_bytes: int
    terms: ImportTerms
    created_at: datetime


@attrs.frozen
class MergeCounts:
    """How the rows of a batch ended: each in exactly one of the three."""

    created: int = 0
    updated: int = 0
    skipped: int = 0

    @property
    def rows(self) -> int:
        return self.created + self.updated + self.skipped


@attrs.frozen(kw_only=True)
class ImportJob(ImportDraft):
    """An import. `position` rows are done for good; `total` is unknown until it starts.

    `starts` counts how often a worker took it up since it last came forward, so that a file that
    kills its worker does not do so for ever. `touched_at` is the last sign of life.
    """

    id: ImportId
    status: ImportStatus
    position: int = 0
    total: int = 0
    counts: MergeCounts = MergeCounts()
    faults: int = 0
    error: str | None = None
    starts: int = 0
    touched_at: datetime
    finished_at: datetime | None = None

    def __attrs_post_init__(self) -> None:
        assert self.counts.rows == self.position, "every row ends in exactly one count"

    @classmethod
    def planned(cls, import_id: ImportId, draft: ImportDraft) -> "ImportJob":
        """A new import that waits for a worker."""
        return cls(
            id=import_id,
            status=ImportStatus.WAITING,
            touched_at=draft.created_at,
            **{field.name: getattr(draft, field.name) for field in attrs.fields(ImportDraft)},
        )

    @property
    def is_open(self) -> bool:
        """Whether there is something left to do."""
        return self.status in (ImportStatus.WAITING, ImportStatus.ACTIVE, ImportStatus.DELAYED)

    @property
    def is_counted(self) -> bool:
        """Whether the file has been read through once and `total` is its number of rows."""
        return self.total > 0

    @property
    def today(self) -> date:
        """The day against which birthdays are checked: the same one after a crash."""
        return self.created_at.date()

    def undoable_until(self, undo_days: int) -> datetime | None:
        """Until when this import could be taken back; None if it never can."""
        if self.terms.dry_run or self.finished_at is None:
            return None
        return self.finished_at + timedelta(days=undo_days)

    def started(self, now: datetime) -> "ImportJob":
        """Taken up by a worker."""
        return attrs.evolve(
            self, status=ImportStatus.ACTIVE, starts=self.starts + 1, touched_at=now
        )

    def counted(self, total: int, now: datetime) -> "ImportJob":
        """The file has been read through once: it has `total` rows."""
        return attrs.evolve(self, total=total, touched_at=now)

    def advanced(self, counts: MergeCounts, faults: int, now: datetime) -> "ImportJob":
        """One more batch is done for good."""
        sums = MergeCounts(
            self.counts.created + counts.created,
            self.counts.updated + counts.updated,
            self.counts.skipped + counts.skipped,
        )
        return attrs.evolve(
            self,
            position=self.position + counts.rows,
            counts=sums,
            faults=self.faults + faults,
            starts=0,
            touched_at=now,
        )

    def completed(self, now: datetime) -> "ImportJob":
        """Every row has had its turn."""
        return attrs.evolve(
            self,
            status=ImportStatus.COMPLETED,
            total=self.position,
            finished_at=now,
            touched_at=now,
        )

    def failed(self, error: str, now: datetime) -> "ImportJob":
        """It cannot go on; what was stored so far stays."""
        return attrs.evolve(
            self, status=ImportStatus.FAILED, error=error, finished_at=now, touched_at=now
        )


@attrs.frozen
class ImportedRow:
    """A row without a fault. None is an empty cell; `subscribed` is False only where it says so."""

    row: int
    phone: Phone
    email: str | None = attrs.field(default=None, repr=False)
    first_name: str | None = attrs.field(default=None, repr=False)
    last_name: str | None = attrs.field(default=None, repr=False)
    gender: Gender | None = None
    birthday: date | None = attrs.field(default=None, repr=False)
    tags: tuple[str, ...] | None = None
    subscribed: bool = True


@attrs.frozen
class RowFault:
    """One fault of one data row (counted from 1)."""

    row: int
    field: str
    code: str
    message: str
    value: str


@attrs.frozen
class MergeOutcome:
    """What a batch did; `known` are the rows that were skipped because their number was known."""

    created: int
    updated: int
    known: Sequence[int]


@attrs.frozen
class ImportKey:
    """Names an import of a store."""

    account: AccountId
    id: ImportId
