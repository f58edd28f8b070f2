"""What happened with one contact, in one line (in the style of docs/api.md, 3.2)."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from enum import Enum
from typing import Final, TypedDict

import attrs

from adapters_http.resources.contacts.shapes import (
    Consent,
    SuppressionShape,
    consent_shape,
    suppression_shape,
)
from adapters_http.resources.messages.fields import Message, MessageShapes
from adapters_http.web import replies, values
from adapters_http.web.context import Request, Response
from adapters_http.web.replies import PageOf
from adapters_http.web.routing import Access, Paging, Route
from retail_core.contacts.errors import ContactNotFound
from retail_core.contacts.model.erasure import ImportTrace
from retail_core.contacts.queries import ContactQueries, SubjectQueries
from retail_core.kernel.ids import AccountId, ContactId
from retail_core.kernel.pages import Page, PageRequest
from retail_core.messages.queries import MessageFilter, MessageQueries

PAGE_SIZE: Final = 50
PAGE_SIZE_MAX: Final = 200
EVENTS_MAX: Final = 10_000
"""So deep a line is followed; what lies deeper is in the lists of its kind."""


class TimelineKind(Enum):
    """What kind of thing happened."""

    CONSENT = "consent"
    MESSAGE = "message"
    SUPPRESSION = "suppression"
    IMPORT = "import"


class ImportEvent(TypedDict):
    """A row of an import that brought or changed somebody."""

    jobId: str
    row: int
    created: bool


class TimelineEvent(TypedDict):
    """One thing that happened; the key of its kind tells what, the others are null."""

    at: datetime
    kind: TimelineKind
    consent: Consent | None
    message: Message | None
    suppression: SuppressionShape | None
    importRow: ImportEvent | None


@attrs.frozen
class ContactTimeline:
    """`/api/contacts/:id/timeline`."""

    contacts: ContactQueries
    subjects: SubjectQueries
    messages: MessageQueries
    shapes: MessageShapes

    def on_get(self, req: Request, resp: Response, contact_id: str) -> None:
        """Consents, messages, suppressions and imports, the newest first."""
        wanted = ContactId(values.path_id(contact_id))
        request = values.page(req, PAGE_SIZE, PAGE_SIZE_MAX)
        resp.media = replies.page(self._page(req.account, wanted, request), lambda event: event)

    def _page(
        self, account: AccountId, contact: ContactId, request: PageRequest
    ) -> Page[TimelineEvent]:
        """Of each kind as many as a page could hold; what belongs on it is among them."""
        reach = PageRequest(1, min(request.offset + request.page_size, EVENTS_MAX))
        consents = self.contacts.consents(account, contact, reach)
        if consents is None:
            raise ContactNotFound
        messages = self.messages.page(account, MessageFilter(contact=contact), reach)
        entries = self.subjects.suppressions(account, contact)
        imports = self.subjects.imports(account, contact)
        events = [
            *(_event(each.at, consent=consent_shape(each)) for each in consents.items),
            *(
                _event(each.created_at, message=self.shapes.message(each))
                for each in messages.items
            ),
            *(_event(each.created_at, suppression=suppression_shape(each)) for each in entries),
            *_imports(imports),
        ]
        events.sort(key=lambda event: event["at"], reverse=True)
        items = tuple(events[request.offset : request.offset + request.page_size])
        total = consents.total + messages.total + len(entries) + len(imports)
        return Page(items, total, request.page, request.page_size)


def _imports(traces: Sequence[ImportTrace]) -> Iterator[TimelineEvent]:
    for trace in traces:
        row: ImportEvent = {
            "jobId": str(trace.import_id),
            "row": trace.row,
            "created": trace.created,
        }
        yield _event(trace.at, import_row=row)


def _event(
    at: datetime,
    *,
    consent: Consent | None = None,
    message: Message | None = None,
    suppression: SuppressionShape | None = None,
    import_row: ImportEvent | None = None,
) -> TimelineEvent:
    kinds = {
        TimelineKind.CONSENT: consent,
        TimelineKind.MESSAGE: message,
        TimelineKind.SUPPRESSION: suppression,
        TimelineKind.IMPORT: import_row,
    }
    [kind] = [kind for kind, told in kinds.items() if told is not None]
    return {
        "at": at,
        "kind": kind,
        "consent": consent,
        "message": message,
        "suppression": suppression,
        "importRow": import_row,
    }


ROUTES: Final = (
    Route(
        method="GET",
        path="/api/contacts/{contact_id}/timeline",
        resource=ContactTimeline,
        access=Access.USER,
        scope="contacts:read",
        summary="Show what happened with a contact",
        paging=Paging(PAGE_SIZE, PAGE_SIZE_MAX),
        reply=PageOf[TimelineEvent],
    ),
)
