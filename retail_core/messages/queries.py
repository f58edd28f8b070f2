"""Reading the message log: rows, and recipients of batches that have no rows yet."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from enum import Enum
from typing import Protocol

import attrs

from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import (
    AccountId,
    AutomationId,
    CampaignId,
    ContactId,
    MessageNumber,
    ProviderId,
)
from retail_core.kernel.pages import Page, PageRequest
from retail_core.messages.model import MessageKind, MessageState, SendingPlan
from retail_core.templates.encoding import Encoding


@attrs.frozen
class MessageRecord:
    """One message of the log.

    Of a campaign's message, text and links are made again from the plan and the merge values; a
    single message has its `text` instead. The merge values are those of the text; the contact's
    names are those they have today. A campaign's queued message has neither encoding, parts nor
    credits yet. Contact, number, names, text and merge values are None after the contact was
    deleted.
    """

    number: MessageNumber
    kind: MessageKind
    campaign: CampaignId | None
    automation: AutomationId | None
    contact: ContactId | None
    phone: PhoneNumber | None = attrs.field(repr=False)
    first_name: str | None = attrs.field(repr=False)
    last_name: str | None = attrs.field(repr=False)
    email: str | None = attrs.field(repr=False)
    contact_first_name: str | None = attrs.field(repr=False)
    contact_last_name: str | None = attrs.field(repr=False)
    state: MessageState
    encoding: Encoding | None
    parts: int | None
    credits: int | None
    provider_id: ProviderId | None
    error_code: str | None
    error: str | None
    sender: str
    plan: SendingPlan | None
    text: str | None = attrs.field(repr=False)
    created_at: datetime
    sent_at: datetime | None
    delivered_at: datetime | None
    failed_at: datetime | None
    updated_at: datetime


class EventType(Enum):
    """What happened to a message."""

    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    REPORT = "report"
    CANCELLED = "cancelled"


@attrs.frozen
class MessageEvent:
    """One thing that happened to a message, and the state it was in from then on."""

    at: datetime
    type: EventType
    state: MessageState
    detail: str | None = None


@attrs.frozen
class MessageHistory:
    """A message, and when it was handed to the gateway, if it was."""

    record: MessageRecord
    submitted_at: datetime | None

    @property
    def events(self) -> Sequence[MessageEvent]:
        """What happened to it, the oldest first.

        Of several reports of one kind the earliest tells the time, as in the message itself.
        """
        record = self.record
        events = [*self._submitted(), *self._reported()]
        if record.state is MessageState.CANCELLED:
            cancelled = EventType.CANCELLED, record.state, record.error_code
            events.append(MessageEvent(record.updated_at, *cancelled))
        return sorted(events, key=lambda event: (event.at, event.state))

    def _submitted(self) -> Iterator[MessageEvent]:
        """The hand-over, and what the gateway answered at once."""
        record, at = self.record, self.submitted_at
        if at is None or record.state is MessageState.CANCELLED:
            return
        kind, told = EventType.SUBMITTED, record.error or record.error_code
        if record.state is MessageState.UNKNOWN:
            yield MessageEvent(at, kind, MessageState.UNKNOWN, told)
        elif self._is_refused:
            yield MessageEvent(at, kind, MessageState.FAILED, told)
        else:
            yield MessageEvent(at, kind, MessageState.SUBMITTING)
        if record.sent_at is not None and record.provider_id is not None:
            accepted_at = max(at, record.sent_at)  # a report may tell of a moment before ours
            yield MessageEvent(
                accepted_at, EventType.ACCEPTED, MessageState.SENT, record.provider_id
            )

    def _reported(self) -> Iterator[MessageEvent]:
        record, kind = self.record, EventType.REPORT
        if record.failed_at is not None and not self._is_refused:
            told = record.error or record.error_code
            yield MessageEvent(record.failed_at, kind, MessageState.FAILED, told)
        if record.delivered_at is not None:
            yield MessageEvent(record.delivered_at, kind, MessageState.DELIVERED)
        if record.sent_at is not None and record.provider_id is None:
            yield MessageEvent(record.sent_at, kind, MessageState.SENT, record.error_code)

    @property
    def _is_refused(self) -> bool:
        """Failed in the very call: the gateway gave it no id and nobody declared it."""
        record = self.record
        return record.state is MessageState.FAILED and record.provider_id is None


@attrs.frozen(kw_only=True)
class MessageFilter:
    """Which messages are wanted; None means any.

    `digits`: part of the number. `since` and `before` bound the moment a message was planned: of a
    campaign's messages, when it started.
    """

    campaign: CampaignId | None = None
    automation: AutomationId | None = None
    contact: ContactId | None = None
    kind: MessageKind | None = None
    is_test: bool | None = None
    state: MessageState | None = None
    digits: str | None = attrs.field(default=None, repr=False)
    since: datetime | None = None
    before: datetime | None = None

    @property
    def kinds(self) -> frozenset[MessageKind]:
        """The kinds that fit."""
        tests = frozenset({MessageKind.TEST})
        fitting = frozenset(MessageKind) if self.kind is None else frozenset({self.kind})
        if self.is_test is not None:
            fitting = fitting & tests if self.is_test else fitting - tests
        if self.automation is not None:
            fitting &= {MessageKind.AUTOMATION}
        return fitting


class MessageQueries(Protocol):
    """Reads the messages of one account."""

    def page(
        self, account: AccountId, wanted: MessageFilter, request: PageRequest
    ) -> Page[MessageRecord]:
        """Highest number first."""
        ...

    def every(self, account: AccountId, wanted: MessageFilter) -> Iterator[MessageRecord]:
        """All of them, highest number first, read piece by piece: no transaction is kept open.

        Each is told once; what changes meanwhile is told as it was, or as it is by then.
        """
        ...

    def find(self, account: AccountId, number: MessageNumber) -> MessageHistory | None:
        """One message and its history; None if the account has none with this number."""
        ...

    def of_occasions(self, account: AccountId, occasions: Sequence[str]) -> Sequence[MessageRecord]:
        """Single messages by what they were planned for, the lowest number first."""
        ...
