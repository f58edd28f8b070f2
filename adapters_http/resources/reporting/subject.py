"""What a person may ask a store for: their data, and that they be erased (docs/api.md, 3.2)."""

import itertools
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Final, Literal, TypedDict

import attrs

from adapters_http.resources.contacts.contacts import WRITE_LIMITS, actor
from adapters_http.resources.contacts.export import EXPORT_LIMITS
from adapters_http.resources.contacts.shapes import (
    Consent,
    Contact,
    SuppressionShape,
    consent_shape,
    contact_shape,
    suppression_shape,
)
from adapters_http.resources.messages.fields import Message, MessageShapes
from adapters_http.web import codec, values
from adapters_http.web.context import Request, Response
from adapters_http.web.fields import Characters
from adapters_http.web.idempotency import once
from adapters_http.web.routing import Access, Route
from retail_core.contacts.errors import ContactBeingWrittenTo, ContactNotFound
from retail_core.contacts.model import ConsentEvent
from retail_core.contacts.model.erasure import Erased, Erasure
from retail_core.contacts.model.values import REASON_LENGTH_MAX
from retail_core.contacts.queries import ContactQueries, ContactView, SubjectQueries
from retail_core.contacts.use_cases import DiscloseContact, EraseContact
from retail_core.kernel.ids import AccountId, ContactId
from retail_core.kernel.pages import PageRequest
from retail_core.kernel.time.clock import Clock
from retail_core.messages.queries import MessageFilter, MessageQueries

EVENTS_PER_READ: Final = 1_000


class NamedList(TypedDict):
    """A list that somebody is on."""

    id: int
    name: str


class ClickShape(TypedDict):
    """A link that was followed."""

    at: datetime
    url: str
    messageId: int


class OfferViewShape(TypedDict):
    """An offer that was looked at."""

    at: datetime
    messageId: int


class RedemptionShape(TypedDict):
    """An offer that was taken up."""

    at: datetime
    messageId: int
    campaignId: int | None


class ConversionShape(TypedDict):
    """A visit that was told by a tag."""

    at: datetime
    tagId: int | None
    campaignId: int | None


class ScanShape(TypedDict):
    """A tag that a phone was held to."""

    at: datetime
    tagId: int | None
    action: str


class PersonalData(TypedDict):
    """All that a store knows of a person."""

    exportedAt: datetime
    contact: Contact
    lists: list[NamedList]
    consents: list[Consent]
    suppressions: list[SuppressionShape]
    messages: list[Message]
    clicks: list[ClickShape]
    offerViews: list[OfferViewShape]
    redemptions: list[RedemptionShape]
    conversions: list[ConversionShape]
    nfcScans: list[ScanShape]


class ErasedCounts(TypedDict):
    """How much was emptied or removed."""

    messages: int
    consents: int
    memberships: int
    events: int


class ErasureReply(TypedDict):
    """A person was erased."""

    ok: Literal[True]
    erasedAt: datetime
    erased: ErasedCounts


@attrs.frozen(kw_only=True)
class EraseBody:
    """Why somebody is erased."""

    reason: Annotated[str, Characters(0, REASON_LENGTH_MAX)] | None = attrs.field(
        default=None, repr=False
    )


@attrs.frozen
class ContactSubjectExport:
    """`/api/contacts/:id/export`."""

    disclose: DiscloseContact
    contacts: ContactQueries
    subjects: SubjectQueries
    messages: MessageQueries
    shapes: MessageShapes
    clock: Clock

    def on_get(self, req: Request, resp: Response, contact_id: str) -> None:
        """All that is known of one person; who asks for the head alone is not noted."""
        wanted = ContactId(values.path_id(contact_id))
        view = self.contacts.find(req.account, wanted)
        if view is None:
            raise ContactNotFound
        resp.downloadable_as = f"contact-{wanted}.json"
        if req.method != "HEAD":
            view = self.disclose(req.account, wanted)
        resp.media = self._all(req.account, view)

    def _all(self, account: AccountId, view: ContactView) -> PersonalData:
        wanted = view.contact.id
        messages = self.messages.every(account, MessageFilter(contact=wanted))
        done = self.subjects.engagement(account, wanted)
        return {
            "exportedAt": self.clock.now(),
            "contact": contact_shape(account, view),
            "lists": [
                {"id": each.id, "name": each.name} for each in self.subjects.lists(account, wanted)
            ],
            "consents": [consent_shape(event) for event in self._consents(account, wanted)],
            "suppressions": [
                suppression_shape(entry) for entry in self.subjects.suppressions(account, wanted)
            ],
            "messages": [self.shapes.message(record) for record in messages],
            "clicks": [
                {"at": each.at, "url": each.url, "messageId": each.message} for each in done.clicks
            ],
            "offerViews": [{"at": each.at, "messageId": each.message} for each in done.offer_views],
            "redemptions": [
                {"at": each.at, "messageId": each.message, "campaignId": each.campaign}
                for each in done.redemptions
            ],
            "conversions": [
                {"at": each.at, "tagId": each.tag, "campaignId": each.campaign}
                for each in done.conversions
            ],
            "nfcScans": [
                {"at": each.at, "tagId": each.tag, "action": each.action} for each in done.scans
            ],
        }

    def _consents(self, account: AccountId, contact: ContactId) -> Iterator[ConsentEvent]:
        for number in itertools.count(1):
            request = PageRequest(number, EVENTS_PER_READ)
            page = self.contacts.consents(account, contact, request)
            if page is None:
                return
            yield from page.items
            if len(page.items) < EVENTS_PER_READ:
                return


@attrs.frozen
class ContactErasure:
    """`/api/contacts/:id/erase`."""

    erase: EraseContact
    contacts: ContactQueries

    def on_post(self, req: Request, resp: Response, contact_id: str) -> None:
        """Forget a person."""
        wanted = ContactId(values.path_id(contact_id))
        body = codec.body(req, EraseBody)
        done = self.erase(actor(req), wanted, reason=body.reason, once=once(req))
        resp.media = _reply(done)

    def on_repeat(self, req: Request, resp: Response, effect: int, **_params: str) -> None:
        """The reply for a person who was erased."""
        done = self.contacts.erasure(req.account, ContactId(effect))
        if done is None:
            raise ContactNotFound
        resp.media = _reply(done)


def _reply(done: Erasure) -> ErasureReply:
    return {"ok": True, "erasedAt": done.at, "erased": _counts(done.erased)}


def _counts(erased: Erased) -> ErasedCounts:
    return {
        "messages": erased.messages,
        "consents": erased.consents,
        "memberships": erased.memberships,
        "events": erased.events,
    }


ROUTES: Final = (
    Route(
        method="GET",
        path="/api/contacts/{contact_id}/export",
        resource=ContactSubjectExport,
        access=Access.USER,
        scope="contacts:read",
        summary="Export all that is known of a person",
        limits=EXPORT_LIMITS,
        reply=PersonalData,
    ),
    Route(
        method="POST",
        path="/api/contacts/{contact_id}/erase",
        resource=ContactErasure,
        access=Access.USER,
        scope="contacts:write",
        summary="Erase a person",
        limits=WRITE_LIMITS,
        body=EraseBody,
        reply=ErasureReply,
        errors=(ContactBeingWrittenTo,),
        once=True,
    ),
)
