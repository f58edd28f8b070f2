"""Importing contacts from files (docs/api.md, 3.2)."""

import re
from typing import Any, Final

import attrs

from adapters_http.contact_settings import ImportUndo, Queue
from adapters_http.resources.contacts.contacts import WRITE_LIMITS, country_of
from adapters_http.resources.imports.shapes import ImportShape, QueuedImport, import_shape
from adapters_http.resources.imports.templates import COLUMNS, FILES, TemplateFormat
from adapters_http.web import codec, csv_files, values
from adapters_http.web.context import Request, Response
from adapters_http.web.idempotency import once
from adapters_http.web.routing import CSV, XLSX, Access, Reading, Route
from adapters_http.web.uploads import FORM_OVERHEAD_BYTES, receive
from retail_core.accounts.queries import AccountQueries
from retail_core.audiences.errors import ListIsFiltered, ListNotFound
from retail_core.contacts.model.values import split_tags
from retail_core.imports.errors import (
    EmptyUpload,
    ForeignImport,
    ImportNotFound,
    ImportNotUndoable,
)
from retail_core.imports.model import (
    UPLOAD_BYTES_MAX,
    ImportMode,
    ImportPurpose,
    ImportStatus,
    RowFault,
)
from retail_core.imports.queries import ImportQueries, ImportView
from retail_core.imports.use_cases import ImportRequest, StartImport, UndoImport
from retail_core.kernel.errors import NotFound, RuleViolation, Unavailable
from retail_core.kernel.ids import AccountId, ImportId, ListId

NUMBER: Final = re.compile(r"\+?[\d ().-]*")
FAULT_COLUMNS: Final = ("row", "field", "code", "message", "value")


@attrs.frozen
class ImportFields:
    """The fields beside the file."""

    mode: ImportMode = ImportMode.SKIP
    dry_run: bool = False
    list_id: str | None = None
    tags: str = ""
    consent_source: str | None = None


@attrs.frozen
class TemplateQuery:
    """Which template to send."""

    format: TemplateFormat = TemplateFormat.XLSX


@attrs.frozen
class Imports:
    """`/api/contacts/import`."""

    accounts: AccountQueries
    queue: Queue
    start: StartImport

    def on_post(self, req: Request, resp: Response) -> None:
        """Take in a file; a worker reads it."""
        with receive(req, UPLOAD_BYTES_MAX) as upload:
            sent = {name: text for name, text in upload.fields.items() if text}
            fields = codec.structure(sent, ImportFields, from_text=True)
            list_id = _list_id(fields.list_id)
            if not self.queue.is_on:
                raise Unavailable("There is no queue, so nothing can be imported.")
            request = ImportRequest(
                file_name=upload.name,
                form=upload.form,
                size_bytes=upload.size_bytes,
                region=country_of(self.accounts, req.account),
                mode=fields.mode,
                dry_run=fields.dry_run,
                list_id=list_id,
                tags=split_tags(fields.tags),
                consent_source=fields.consent_source,
            )
            import_id = self.start(
                req.account, request, upload.chunks(), once(req, *upload.content())
            )
        self.on_repeat(req, resp, import_id)

    def on_repeat(self, _req: Request, resp: Response, effect: int) -> None:
        """The reply for an import that was taken in."""
        resp.status_code = 202
        queued: QueuedImport = {
            "jobId": str(effect),
            "status": "pending",
            "message": "The import has been queued.",
        }
        resp.media = queued


@attrs.frozen
class OneImport:
    """`/api/contacts/import/:jobId`."""

    imports: ImportQueries
    undo: ImportUndo

    def on_get(self, req: Request, resp: Response, job_id: str) -> None:
        """Show how far an import has come."""
        view = found(self.imports, req.account, job_id)
        resp.media = import_shape(view, self.undo.days)


@attrs.frozen
class ImportFaults:
    """`/api/contacts/import/:jobId/errors`."""

    imports: ImportQueries

    def on_get(self, req: Request, resp: Response, job_id: str) -> None:
        """All faults as CSV, streamed."""
        job = found(self.imports, req.account, job_id).job
        resp.content_type = csv_files.CSV
        resp.downloadable_as = f"import-{job.id}-errors.csv"
        rows = map(_fault_row, self.imports.faults(req.account, job.id))
        resp.stream = csv_files.lines(FAULT_COLUMNS, rows)


@attrs.frozen
class ImportUndoing:
    """`/api/contacts/import/:jobId/undo`."""

    imports: ImportQueries
    settings: ImportUndo
    undo: UndoImport

    def on_post(self, req: Request, resp: Response, job_id: str) -> None:
        """Take an import back; a worker does it."""
        job = found(self.imports, req.account, job_id).job
        effect = self.undo(req.account, job.id, self.settings.days, once(req))
        self.on_repeat(req, resp, effect, job_id)

    def on_repeat(self, _req: Request, resp: Response, effect: int, job_id: str) -> None:
        """The reply for an import that is being taken back."""
        del job_id
        resp.status_code = 202
        queued: QueuedImport = {
            "jobId": str(effect),
            "status": ImportStatus.UNDOING.value,
            "message": "The import is being taken back.",
        }
        resp.media = queued


class ImportTemplate:
    """`/api/contacts/import/template`."""

    def on_get(self, req: Request, resp: Response) -> None:
        """An empty table with the right columns."""
        file = FILES[codec.query(req, TemplateQuery).format]
        resp.content_type = file.content_type
        resp.downloadable_as = file.name
        resp.data = file.content()


def found(
    imports: ImportQueries,
    account: AccountId,
    job_id: str,
    purpose: ImportPurpose = ImportPurpose.CONTACTS,
) -> ImportView:
    """An import of the caller. Raises `ImportNotFound`, or `ForeignImport` for somebody else's."""
    try:
        import_id = ImportId(values.path_id(job_id))
    except (RuleViolation, NotFound):
        raise ImportNotFound from None
    view = imports.find(account, import_id)
    if view is not None and view.job.terms.purpose is purpose:
        return view
    if imports.owner_across_accounts(import_id) not in (None, account):
        raise ForeignImport
    raise ImportNotFound


def _fault_row(fault: RowFault) -> tuple[object, ...]:
    """A number of a phone is no formula, whatever it begins with."""
    is_number = fault.field == "phone" and NUMBER.fullmatch(fault.value)
    value = fault.value if is_number else csv_files.disarmed(fault.value)
    return (fault.row, fault.field, fault.code, fault.message, value)


def _list_id(text: str | None) -> ListId | None:
    """An id; what never is one's is not found."""
    if text is None:
        return None
    try:
        return ListId(values.path_id(text, name="listId"))
    except NotFound:
        raise ListNotFound from None


def _read(path: str, resource: type, summary: str, **more: Any) -> Route:  # noqa: ANN401 - fields
    return Route(
        method="GET",
        path=path,
        resource=resource,
        access=Access.USER,
        scope="contacts:read",
        summary=summary,
        **more,
    )


ROUTES: Final = (
    Route(
        method="POST",
        path="/api/contacts/import",
        resource=Imports,
        access=Access.USER,
        scope="contacts:write",
        summary="Import contacts from a CSV or XLSX file",
        limits=WRITE_LIMITS,
        status=202,
        reading=Reading.STREAM,
        body=ImportFields,
        reply=QueuedImport,
        errors=(EmptyUpload, ListIsFiltered, ListNotFound),
        body_bytes_max=UPLOAD_BYTES_MAX + FORM_OVERHEAD_BYTES,
        once=True,
    ),
    _read(
        "/api/contacts/import/template",
        ImportTemplate,
        "An empty table to fill in",
        query=TemplateQuery,
        media=(XLSX, CSV),
        sample=",".join(COLUMNS) + "\r\n",
    ),
    _read(
        "/api/contacts/import/{job_id}",
        OneImport,
        "How far an import has come",
        reply=ImportShape,
        errors=(ForeignImport,),
    ),
    _read(
        "/api/contacts/import/{job_id}/errors",
        ImportFaults,
        "All faults as CSV",
        media=(CSV,),
        errors=(ForeignImport,),
    ),
    Route(
        method="POST",
        path="/api/contacts/import/{job_id}/undo",
        resource=ImportUndoing,
        access=Access.USER,
        scope="contacts:write",
        summary="Take an import back",
        limits=WRITE_LIMITS,
        reply=QueuedImport,
        status=202,
        errors=(ForeignImport, ImportNotUndoable),
        once=True,
    ),
)
