"""How far an import has come, and its way back."""

import enum
from datetime import date, datetime, timedelta
from typing import Final

import attrs

from retail_core.imports.errors import ImportNotUndoable
from retail_core.imports.model.files import FileForm, ImportPurpose, ImportTerms
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import AccountId, ImportId

STARTS_WITHOUT_PROGRESS_MAX: Final = 5
STALLED_AFTER_SECONDS: Final = 60
SIGN_OF_LIFE_SECONDS: Final = 10


class ImportStatus(enum.Enum):
    """The words of the contract."""

    WAITING = "waiting"
    ACTIVE = "active"
    COMPLETED = "completed"
    FAILED = "failed"
    DELAYED = "delayed"
    UNDOING = "undoing"
    UNDONE = "undone"


@attrs.frozen
class ImportKey:
    """Names an import of a store."""

    account: AccountId
    id: ImportId


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


@attrs.frozen
class UndoCounts:
    """How an undo ended for the contacts that it met."""

    removed: int = 0
    restored: int = 0
    kept: int = 0


@attrs.frozen(kw_only=True)
class ImportJob(ImportDraft):
    """An import. `position` rows are done for good; `total` is unknown until it starts.

    `starts` counts how often a worker took it up since it last came forward, so that a file that
    kills its worker does not do so for ever. `touched_at` is the last sign of life. `undone` counts
    what an undo did so far, which takes the rows in the order of their numbers, up to `undone_to`.
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
    undone: UndoCounts = UndoCounts()
    undone_to: PhoneNumber | None = attrs.field(default=None, repr=False)

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
        if self.terms.purpose is not ImportPurpose.CONTACTS:
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

    def touched(self, now: datetime) -> "ImportJob":
        """Somebody still works on it."""
        return attrs.evolve(self, touched_at=now)

    def undoing(self, undo_days: int, now: datetime) -> "ImportJob":
        """To be taken back. Raises `ImportNotUndoable`."""
        until = self.undoable_until(undo_days)
        if self.status is not ImportStatus.COMPLETED or until is None or now > until:
            raise ImportNotUndoable
        return attrs.evolve(self, status=ImportStatus.UNDOING, touched_at=now)

    def taken_back(self, counts: UndoCounts, last: PhoneNumber, now: datetime) -> "ImportJob":
        """The rows up to this number have been taken back for good."""
        sums = UndoCounts(
            self.undone.removed + counts.removed,
            self.undone.restored + counts.restored,
            self.undone.kept + counts.kept,
        )
        return attrs.evolve(self, undone=sums, undone_to=last, touched_at=now)

    def undone_for_good(self, now: datetime) -> "ImportJob":
        """Everything that could be taken back has been."""
        return attrs.evolve(self, status=ImportStatus.UNDONE, undone_to=None, touched_at=now)
