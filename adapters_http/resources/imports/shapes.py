"""What imports look like in JSON (docs/api.md, 3.2)."""

from datetime import datetime
from typing import NotRequired, TypedDict

from retail_core.imports.model import ImportStatus, RowFault
from retail_core.imports.queries import ImportView


class QueuedImport(TypedDict):
    """An import that a worker will read."""

    jobId: str
    status: str
    message: str


class Progress(TypedDict):
    """Rows read, of how many."""

    processed: int
    total: int | None


class ImportFault(TypedDict):
    """What is wrong with a row."""

    row: int
    field: str
    code: str
    message: str


class ImportResults(TypedDict):
    """What an import did; the first thousand faults."""

    created: int
    updated: int
    skipped: int
    errorCount: int
    errorsTruncated: bool
    errors: list[ImportFault]


class UndoneImport(TypedDict):
    """What taking an import back did."""

    removed: int
    restored: int
    kept: int


class ImportShape(TypedDict):
    """How far an import has come."""

    jobId: str
    status: str
    progress: Progress
    fileName: str
    mode: str
    dryRun: bool
    listId: int | None
    createdAt: datetime
    finishedAt: datetime | None
    undoableUntil: datetime | None
    results: NotRequired[ImportResults]
    error: NotRequired[str]
    undo: NotRequired[UndoneImport]


def import_shape(view: ImportView, undo_days: int) -> ImportShape:
    """ImportJob."""
    job = view.job
    is_done = job.status in (ImportStatus.COMPLETED, ImportStatus.UNDOING, ImportStatus.UNDONE)
    shape: ImportShape = {
        "jobId": str(job.id),
        "status": job.status.value,
        "progress": {"processed": job.position, "total": job.total},
        "fileName": job.file_name,
        "mode": job.terms.mode.value,
        "dryRun": job.terms.dry_run,
        "listId": job.terms.list_id,
        "createdAt": job.created_at,
        "finishedAt": job.finished_at,
        "undoableUntil": job.undoable_until(undo_days) if is_done else None,
    }
    if is_done:
        shape["results"] = {
            "created": job.counts.created,
            "updated": job.counts.updated,
            "skipped": job.counts.skipped,
            "errorCount": job.faults,
            "errorsTruncated": job.faults > len(view.faults),
            "errors": [fault_shape(fault) for fault in view.faults],
        }
    if job.error is not None:
        shape["error"] = job.error
    if job.status is ImportStatus.UNDONE:
        shape["undo"] = {
            "removed": job.undone.removed,
            "restored": job.undone.restored,
            "kept": job.undone.kept,
        }
    return shape


def fault_shape(fault: RowFault) -> ImportFault:
    """One fault of a row."""
    return {
        "row": fault.row,
        "field": fault.field,
        "code": fault.code,
        "message": fault.message,
    }
