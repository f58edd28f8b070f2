"""Reading the message log: rows, and recipients of batches that have no rows yet."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import attrs

from retail_core.kernel.ids import AccountId, CampaignId, ContactId, MessageNumber, ProviderId
from retail_core.kernel.pages import Page, PageRequest
from retail_core.kernel.phones import PhoneNumber
from retail_core.messages.model import MessageKind, MessageState, SendingPlan
from retail_core.templates.encoding import Encoding


@attrs.frozen
class MessageRecord:
    """One message of the log.

    Of a campaign's message, text and links are made again from the plan and the merge values; a
    single message has its `text` instead. The merge values are those of the text; the contact's
    names are those he has today. A campaign's queued message has neither encoding, parts nor
    credits yet. Contact, number, names, text and merge values are None after the contact was
    deleted.
    """

    number: MessageNumber
    kind: MessageKind
    campaign: CampaignId | None
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


@attrs.frozen
class MessageFilter:
    """Which messages of a campaign are wanted; None means any. `digits`: part of the number.

    `includes_tests`: also those that its owner sent to try it.
    """

    state: MessageState | None = None
    digits: str | None = None
    includes_tests: bool = False


class MessageQueries(Protocol):
    """Reads the messages of one account."""

    def of_campaign(
        self,
        account: AccountId,
        campaign: CampaignId,
        wanted: MessageFilter,
        request: PageRequest,
    ) -> Page[MessageRecord]:
        """Highest number first. An unknown campaign has no messages."""
        ...

    def of_occasions(self, account: AccountId, occasions: Sequence[str]) -> Sequence[MessageRecord]:
        """Single messages by what they were planned for, the lowest number first."""
        ...
