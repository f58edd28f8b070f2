"""Registers of numbers that are not to be sent to, as files (docs/api.md, 3.2)."""

from typing import Annotated, Final, NotRequired, TypedDict

import attrs

from adapters_http.contact_settings import Queue
from adapters_http.resources.contacts.contacts import country_of
from adapters_http.resources.imports.imports import found
from adapters_http.resources.imports.shapes import (
    ImportFault,
    Progress,
    QueuedImport,
    fault_shape,
)
from adapters_http.web import codec
from adapters_http.web.context import Request, Response
from adapters_http.web.fields import Characters
from adapters_http.web.idempotency import once
from adapters_http.web.routing import Access, Reading, Route
from adapters_http.web.uploads import FORM_OVERHEAD_BYTES, receive
from retail_core.accounts.queries import AccountQueries
from retail_core.contacts.model.values import NOTE_LENGTH_MAX
from retail_core.imports.errors import EmptyUpload, ForeignImport
from retail_core.imports.model import SUPPRESSIONS_BYTES_MAX, ImportPurpose, ImportStatus
from retail_core.imports.queries import ImportQueries, ImportView
from retail_core.imports.use_cases import StartSuppressionImport, SuppressionsRequest
from retail_core.kernel.errors import Unavailable


class SuppressionResults(TypedDict):
    """What a register did; the first thousand faults."""

    added: int
    skipped: int
    errorCount: int
    errors: list[ImportFault]


class SuppressionImportShape(TypedDict):
    """How far a register has been read."""

    jobId: str
    status: str
    progress: Progress
    results: NotRequired[SuppressionResults]
    error: NotRequired[str]


@attrs.frozen
class SuppressionImportFields:
    """The field beside the file."""

    note: Annotated[str, Characters(0, NOTE_LENGTH_MAX)] | None = attrs.field(
        default=None, repr=False
    )


@attrs.frozen
class SuppressionImports:
    """`/api/suppressions/import`."""

    accounts: AccountQueries
    queue: Queue
    start: StartSuppressionImport

    def on_post(self, req: Request, resp: Response) -> None:
        """Take in a register; a worker reads it."""
        with receive(req, SUPPRESSIONS_BYTES_MAX) as upload:
            sent = {name: text for name, text in upload.fields.items() if text}
            fields = codec.structure(sent, SuppressionImportFields, from_text=True)
            if not self.queue.is_on:
                raise Unavailable("There is no queue, so nothing can be imported.")
            request = SuppressionsRequest(
                file_name=upload.name,
                form=upload.form,
                size_bytes=upload.size_bytes,
                region=country_of(self.accounts, req.account),
                note=fields.note,
            )
            effect = self.start(req.account, request, upload.chunks(), once(req, *upload.content()))
        self.on_repeat(req, resp, effect)

    def on_repeat(self, _req: Request, resp: Response, effect: int) -> None:
        """The reply for a register that was taken in."""
        resp.status_code = 202
        queued: QueuedImport = {
            "jobId": str(effect),
            "status": "pending",
            "message": "The numbers have been queued.",
        }
        resp.media = queued


@attrs.frozen
class OneSuppressionImport:
    """`/api/suppressions/import/:jobId`."""

    imports: ImportQueries

    def on_get(self, req: Request, resp: Response, job_id: str) -> None:
        """Show how far a register has been read."""
        view = found(self.imports, req.account, job_id, ImportPurpose.SUPPRESSIONS)
        resp.media = _shape(view)


def _shape(view: ImportView) -> SuppressionImportShape:
    job = view.job
    shape: SuppressionImportShape = {
        "jobId": str(job.id),
        "status": job.status.value,
        "progress": {"processed": job.position, "total": job.total},
    }
    if job.status is ImportStatus.COMPLETED:
        shape["results"] = {
            "added": job.counts.created,
            "skipped": job.counts.skipped,
            "errorCount": job.faults,
            "errors": [fault_shape(fault) for fault in view.faults],
        }
    if job.error is not None:
        shape["error"] = job.error
    return shape


ROUTES: Final = (
    Route(
        method="POST",
        path="/api/suppressions/import",
        resource=SuppressionImports,
        access=Access.USER,
        scope="contacts:write",
        summary="Bar the numbers of a register",
        status=202,
        reading=Reading.STREAM,
        body=SuppressionImportFields,
        reply=QueuedImport,
        errors=(EmptyUpload,),
        body_bytes_max=SUPPRESSIONS_BYTES_MAX + FORM_OVERHEAD_BYTES,
        once=True,
    ),
    Route(
        method="GET",
        path="/api/suppressions/import/{job_id}",
        resource=OneSuppressionImport,
        access=Access.USER,
        scope="contacts:read",
        summary="How far a register has been read",
        reply=SuppressionImportShape,
        errors=(ForeignImport,),
    ),
)
