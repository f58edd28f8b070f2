"""Single messages: each for one occasion, with its own text, ahead of what is sent in batches."""

import enum
from datetime import datetime

import attrs

from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import (
    AccountId,
    AutomationId,
    CampaignId,
    ContactId,
    MessageNumber,
    ProviderId,
    SuppressionId,
)
from retail_core.messages.model.batches import Dropped
from retail_core.messages.model.states import MessageState
from retail_core.templates.encoding import TextSize

SINGLES_PER_CALL_MAX = 100


class MessageKind(enum.Enum):
    """What a message is for; those of campaigns are sent in batches, all others singly."""

    CAMPAIGN = "campaign"
    AUTOMATION = "automation"
    TEST = "test"
    CONFIRMATION = "confirmation"


@attrs.frozen(kw_only=True)
class NewSingle:
    """A message that is planned for one occasion: the same occasion never plans a second one.

    `text` is what is sent, byte for byte. `reason` is what the ledger says when it is paid. A test
    has no contact: whoever gets it, its links lead nowhere. From `expires_at` on it is too late:
    then it is dropped, never sent. `confirms_stop` is the store's suppression by a STOP that a
    confirmation tells about: of all suppressions this one alone does not bar it, and once this one
    is lifted it is too late.
    """

    number: MessageNumber
    kind: MessageKind
    occasion: str
    reason: str
    phone: PhoneNumber = attrs.field(repr=False)
    sender: str
    text: str = attrs.field(repr=False)
    size: TextSize
    credits: int
    contact: ContactId | None = None
    campaign: CampaignId | None = None
    automation: AutomationId | None = None
    not_before: datetime | None = None
    expires_at: datetime | None = None
    confirms_stop: SuppressionId | None = None


def single_credits_key(number: MessageNumber) -> str:
    """Names the hold (`hold:m7`), the capture and the release of one message."""
    return f"m{number}"


@attrs.frozen
class ClaimedSingle:
    """One message in hand; `dropped` says why it must not be sent, then it is cancelled already."""

    number: MessageNumber
    phone: PhoneNumber = attrs.field(repr=False)
    sender: str
    text: str = attrs.field(repr=False)
    credits: int
    reason: str
    tries: int
    dropped: Dropped | None = None
    kind: MessageKind = MessageKind.TEST
    expires_at: datetime | None = None


@attrs.frozen
class SingleResult:
    """What became of one message of a call."""

    number: MessageNumber
    state: MessageState
    provider_id: ProviderId | None = None
    error_code: str | None = None
    error: str | None = None


@attrs.frozen
class SingleShare:
    """Credits that were held for one message and are not any more: each settles them once."""

    account: AccountId
    number: MessageNumber
    credits: int
    reason: str
    state: MessageState
