"""Reading the message log: rows, and recipients of batches that have no rows yet."""

from datetime import datetime
from typing import Protocol

import attrs

from retail_core.kernel.ids import AccountId, CampaignId, ContactId, MessageNumber, ProviderId
from retail_core.kernel.pages import Page, PageRequest
from retail_core.kernel.phones import PhoneNumber
from retail_core.messages.model import MessageState, SendingPlan
from retail_core.templates.encoding import Encoding


@attrs.frozen
class MessageRecord:
    """One message of the log. Text and links are made again from the plan and the merge values.

    The merge values are those of the text; the contact's names are those he has today. A queued
    message has neither encoding, parts nor credits yet. Contact, number, names and merge values
    are None after the contact was deleted.
    """

    number: MessageNumber
    campaign: CampaignId
    contact: ContactId | None
    phone: PhoneNumber | None
    first_name: str | None
    last_name: str | None
    email: str | None
    contact_first_name: str | None
    contact_last_name: str | None
    state: MessageState
    encoding: Encoding | None
    parts: int | None
    credits: int | None
    provider_id: ProviderId | None
    error_code: str | None
    error: str | None
    plan: SendingPlan
    created_at: datetime
    sent_at: datetime | None
    delivered_at: datetime | None
    failed_at: datetime | None
    updated_at: datetime


@attrs.frozen
class MessageFilter:
    """Which messages of a campaign are wanted; None means any. `digits`: part of the number."""

    state: MessageState | None = None
    digits: str | None = None


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
