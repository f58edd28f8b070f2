"""The message log (docs/api.md, 3.6)."""

from collections.abc import Iterator
from typing import Final

import attrs

from adapters_http.resources.messages.fields import (
    PAGING,
    Message,
    MessageFilters,
    MessageShapes,
    MessagesQuery,
    MessageWithHistory,
    event_shape,
    page,
)
from adapters_http.web import codec, csv_files, replies, values
from adapters_http.web.context import Request, Response
from adapters_http.web.replies import PageOf
from adapters_http.web.routing import CSV, Access, Route
from retail_core.kernel.errors import NotFound
from retail_core.kernel.ids import MESSAGE_NUMBER_MAX, MessageNumber
from retail_core.messages.model import MessageKind, MessageState
from retail_core.messages.queries import MessageQueries, MessageRecord
from retail_core.messages.use_cases import ExportMessages

EXPORT_LIMITS: Final = ("export-user",)
COLUMNS: Final = (
    "id",
    "kind",
    "isTest",
    "campaignId",
    "automationId",
    "contactId",
    "to",
    "sender",
    "status",
    "errorCode",
    "encoding",
    "segments",
    "credits",
    "createdAt",
    "sentAt",
    "deliveredAt",
    "failedAt",
    "text",
)


@attrs.frozen
class Messages:
    """`/api/messages`."""

    messages: MessageQueries
    filters: MessageFilters
    shapes: MessageShapes

    def on_get(self, req: Request, resp: Response) -> None:
        """A page of the log, the newest first."""
        wanted = self.filters.read(req.account, codec.query(req, MessagesQuery))
        found = self.messages.page(req.account, wanted, page(req))
        resp.media = replies.page(found, self.shapes.message)


@attrs.frozen
class OneMessage:
    """`/api/messages/{message_id}`."""

    messages: MessageQueries
    shapes: MessageShapes

    def on_get(self, req: Request, resp: Response, message_id: str) -> None:
        """A message and what happened to it."""
        number = MessageNumber(values.path_id(message_id, largest=MESSAGE_NUMBER_MAX))
        found = self.messages.find(req.account, number)
        if found is None:
            raise NotFound
        events = [event_shape(event) for event in found.events]
        shown: MessageWithHistory = {**self.shapes.message(found.record), "events": events}
        resp.media = shown


@attrs.frozen(kw_only=True)
class MessageExportQuery(MessagesQuery):
    """Which messages are wanted, and how the file is to be written."""

    separator: csv_files.Separator = csv_files.Separator.COMMA
    bom: bool = True


@attrs.frozen
class MessageExport:
    """`/api/messages/export`."""

    export: ExportMessages
    filters: MessageFilters
    shapes: MessageShapes

    def on_get(self, req: Request, resp: Response) -> None:
        """The log as CSV, streamed; who only asks for the head gets none and is not noted."""
        asked = codec.query(req, MessageExportQuery)
        wanted = self.filters.read(req.account, asked)
        resp.content_type = csv_files.CSV
        resp.downloadable_as = "messages.csv"
        if req.method == "HEAD":
            resp.stream = iter(())  # as long as that of GET: nobody knows
            return
        rows = self._rows(self.export(req.account, wanted))
        how = csv_files.Form(asked.separator, asked.bom)
        resp.stream = csv_files.lines(COLUMNS, rows, how)

    def _rows(self, records: Iterator[MessageRecord]) -> Iterator[tuple[object, ...]]:
        for record in records:
            yield self._row(record)

    def _row(self, record: MessageRecord) -> tuple[object, ...]:
        waiting = record.state is MessageState.QUEUED
        encoding = None if waiting else record.encoding
        times = (record.created_at, record.sent_at, record.delivered_at, record.failed_at)
        return (
            record.number,
            record.kind.value,
            "yes" if record.kind is MessageKind.TEST else "no",
            record.campaign,
            record.automation,
            record.contact,
            record.phone,
            csv_files.disarmed(record.sender),
            record.state.word,
            csv_files.disarmed(record.error_code or ""),
            None if encoding is None else encoding.word,
            None if waiting else record.parts,
            None if waiting else record.credits,
            *(None if at is None else replies.instant(at) for at in times),
            csv_files.disarmed(self.shapes.text(record) or ""),
        )


ROUTES: Final = (
    Route(
        method="GET",
        path="/api/messages",
        resource=Messages,
        access=Access.USER,
        scope="messages:read",
        summary="List messages of all kinds",
        query=MessagesQuery,
        paging=PAGING,
        reply=PageOf[Message],
        errors=(NotFound,),
    ),
    Route(
        method="GET",
        path="/api/messages/export",
        resource=MessageExport,
        access=Access.USER,
        scope="messages:read",
        summary="Export messages as CSV",
        limits=EXPORT_LIMITS,
        query=MessageExportQuery,
        media=(CSV,),
        errors=(NotFound,),
        sample=",".join(COLUMNS) + "\r\n",
    ),
    Route(
        method="GET",
        path="/api/messages/{message_id}",
        resource=OneMessage,
        access=Access.USER,
        scope="messages:read",
        summary="Show a message and its history",
        reply=MessageWithHistory,
    ),
)
