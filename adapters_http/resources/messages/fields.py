"""Messages in JSON, and how lists of them are narrowed (docs/api.md, 2 and 3.6)."""

import re
from datetime import datetime
from typing import Annotated, Final, TypedDict

import attrs

from adapters_http.web import values
from adapters_http.web.context import Request
from adapters_http.web.fields import Described
from adapters_http.web.routing import Paging
from retail_core.accounts.queries import AccountQueries
from retail_core.kernel.addresses.phones import country_of
from retail_core.kernel.errors import InvalidField
from retail_core.kernel.ids import AccountId, AutomationId, CampaignId, ContactId
from retail_core.kernel.pages import PageRequest
from retail_core.links.codes import LinkCodes
from retail_core.messages.composing import text_of
from retail_core.messages.model import MessageKind, MessageState
from retail_core.messages.queries import MessageEvent, MessageFilter, MessageRecord

PAGE_SIZE: Final = 50
PAGE_SIZE_MAX: Final = 200
_BETWEEN_DIGITS: Final = re.compile(r"[ ()./-]")
_STATES: Final = {
    state.word: state for state in MessageState if state is not MessageState.SUBMITTING
}
PAGING: Final = Paging(PAGE_SIZE, PAGE_SIZE_MAX)
StateWord = Annotated[str, Described(schema={"type": "string", "enum": list(_STATES)})]


class MessageContact(TypedDict):
    """Whom a message is for."""

    firstName: str | None
    lastName: str | None


class Message(TypedDict):
    """A message of the store's log."""

    id: int
    kind: MessageKind
    isTest: bool
    campaignId: int | None
    automationId: int | None
    contactId: int | None
    contact: MessageContact | None
    to: str | None
    sender: str | None
    text: str | None
    status: str
    errorCode: str | None
    error: str | None
    encoding: str | None
    segments: int | None
    credits: int | None
    country: str | None
    trackingId: str
    providerMessageId: str | None
    createdAt: datetime
    sentAt: datetime | None
    deliveredAt: datetime | None
    failedAt: datetime | None
    updatedAt: datetime


class MessageEventShape(TypedDict):
    """One line of a message's history."""

    at: datetime
    type: str
    state: str
    detail: str | None


class MessageWithHistory(Message):
    """A message and what happened to it."""

    events: list[MessageEventShape]


@attrs.frozen(kw_only=True)
class MessagesQuery:
    """Which messages of the log are wanted."""

    campaign_id: str | None = None
    automation_id: str | None = None
    contact_id: str | None = None
    kind: MessageKind | None = None
    status: StateWord | None = None
    is_test: bool | None = None
    q: str | None = attrs.field(default=None, repr=False)
    date_from: str | None = None
    date_to: str | None = None


@attrs.frozen
class MessageFilters:
    """Reads the parameters; a plain date is a day in the store's zone."""

    accounts: AccountQueries

    def read(self, account: AccountId, asked: MessagesQuery) -> MessageFilter:
        """Raises InvalidField for a bad value, NotFound for an id that nothing can have."""
        zone = "UTC"
        if asked.date_from or asked.date_to:
            known = self.accounts.find(account)
            zone = (known and known.timezone) or zone
        campaign = _id("campaignId", asked.campaign_id)
        automation = _id("automationId", asked.automation_id)
        contact = _id("contactId", asked.contact_id)
        return MessageFilter(
            campaign=None if campaign is None else CampaignId(campaign),
            automation=None if automation is None else AutomationId(automation),
            contact=None if contact is None else ContactId(contact),
            kind=asked.kind,
            is_test=asked.is_test,
            state=state(asked.status),
            digits=digits(asked.q),
            since=values.bound("dateFrom", asked.date_from, zone, is_end=False),
            before=values.bound("dateTo", asked.date_to, zone, is_end=True),
        )


@attrs.frozen
class MessageShapes:
    """Messages as the contract shows them, with their texts and codes."""

    codes: LinkCodes

    def message(self, record: MessageRecord) -> Message:
        """Message."""
        waiting = record.state is MessageState.QUEUED
        encoding = None if waiting else record.encoding
        return {
            "id": record.number,
            "kind": record.kind,
            "isTest": record.kind is MessageKind.TEST,
            "campaignId": record.campaign,
            "automationId": record.automation,
            "contactId": record.contact,
            "contact": None if record.contact is None else _names(record),
            "to": record.phone,
            "sender": record.sender,
            "text": self.text(record),
            "status": record.state.word,
            "errorCode": record.error_code,
            "error": record.error,
            "encoding": None if encoding is None else encoding.word,
            "segments": None if waiting else record.parts,
            "credits": None if waiting else record.credits,
            "country": country_of(record.phone) if record.phone else None,
            "trackingId": self.codes.tracking_id(record.number),
            "providerMessageId": record.provider_id,
            "createdAt": record.created_at,
            "sentAt": record.sent_at,
            "deliveredAt": record.delivered_at,
            "failedAt": record.failed_at,
            "updatedAt": record.updated_at,
        }

    def text(self, record: MessageRecord) -> str | None:
        """As it was sent; of a campaign's message it is made again. None while it waits."""
        if record.state is MessageState.QUEUED or record.phone is None:
            return None
        if record.plan is None:
            return record.text
        merge_values = (record.first_name, record.last_name, record.email)
        return text_of(record.plan, self.codes, record.number, *merge_values)


def event_shape(event: MessageEvent) -> MessageEventShape:
    """One line of a message's history."""
    return {
        "at": event.at,
        "type": event.type.value,
        "state": event.state.word,
        "detail": event.detail,
    }


def page(req: Request) -> PageRequest:
    """The page that is asked for."""
    return values.page(req, PAGE_SIZE, PAGE_SIZE_MAX)


def state(word: str | None) -> MessageState | None:
    """The state that a word names; None: any. Raises InvalidField."""
    if not word:
        return None
    if word not in _STATES:
        raise InvalidField("status", "must be one of " + ", ".join(_STATES))
    return _STATES[word]


def digits(written: str | None) -> str | None:
    """The digits of a number as people write it, or of a part of one. Raises InvalidField."""
    if not written:
        return None
    found = _BETWEEN_DIGITS.sub("", written.removeprefix("+"))
    if not (found.isascii() and found.isdigit()):
        raise InvalidField("q", "must be digits of the number")
    return found


def _id(name: str, text: str | None) -> int | None:
    return values.path_id(text, name=name) if text else None


def _names(record: MessageRecord) -> MessageContact:
    return {"firstName": record.contact_first_name, "lastName": record.contact_last_name}
