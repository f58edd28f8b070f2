"""A campaign: what a shop means to say, to whom, and how far it got."""

import enum
from datetime import datetime

import attrs

from retail_core.audiences.model import AudienceSpec
from retail_core.kernel.errors import InvalidField
from retail_core.kernel.ids import AccountId, CampaignId, ContactId, MessageNumber
from retail_core.messages.model import SendingPlan
from retail_core.templates.rendering import parse

NAME_CHARACTERS_MAX = 200
TEXT_CHARACTERS_MAX = 2_000


class CampaignState(enum.Enum):
    """The states of a campaign; the table of moves is in docs/state-machines.md."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    SENDING = "sending"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def editable(self) -> bool:
        return self in {CampaignState.DRAFT, CampaignState.SCHEDULED}

    @property
    def started(self) -> bool:
        """Whether recipients were frozen, so that the counters tell of rows."""
        return self in {
            CampaignState.SENDING,
            CampaignState.PAUSED,
            CampaignState.COMPLETED,
            CampaignState.CANCELLED,
        }


@attrs.frozen
class CampaignContent:
    """What the owner writes; it can be edited until the campaign starts."""

    name: str
    message_text: str = attrs.field(repr=False)
    audience: AudienceSpec = attrs.field(factory=AudienceSpec)
    include_offer: bool = True

    @classmethod
    def checked(
        cls, name: str, message_text: str, audience: AudienceSpec, *, include_offer: bool
    ) -> "CampaignContent":
        """Raises `InvalidField` where a rule is broken."""
        check_name(name)
        check_text(message_text)
        return cls(name, message_text, audience, include_offer)


def check_name(name: str) -> None:
    """Raises `InvalidField` for a name that is empty or too long."""
    if not 1 <= len(name) <= NAME_CHARACTERS_MAX:
        raise InvalidField("name", f"must have 1 to {NAME_CHARACTERS_MAX} characters")


def check_text(message_text: str) -> None:
    """Raises `InvalidField` for a text that is empty, too long or names unknown placeholders."""
    if not 1 <= len(message_text) <= TEXT_CHARACTERS_MAX:
        raise InvalidField("messageText", f"must have 1 to {TEXT_CHARACTERS_MAX} characters")
    unknown = parse(message_text).unknown
    if unknown:
        raise InvalidField("messageText", "unknown placeholders: " + ", ".join(unknown))


@attrs.frozen
class CampaignCounts:
    """Recipients by state; kept in the transactions that change the rows they count."""

    queued: int = 0
    sent: int = 0
    delivered: int = 0
    failed: int = 0
    unknown: int = 0
    cancelled: int = 0

    @property
    def success(self) -> int:
        return self.sent + self.delivered

    @property
    def settled(self) -> int:
        """Those whose fate the gateway told: sent, delivered or failed."""
        return self.success + self.failed

    @property
    def processed(self) -> int:
        return self.success + self.failed + self.unknown + self.cancelled


@attrs.frozen
class CampaignCredits:
    """Credits of a campaign: still held, captured for accepted messages, given back."""

    held: int = 0
    captured: int = 0
    released: int = 0


@attrs.frozen
class Campaign:
    """One campaign. `total` is the audience when last counted; from the start, its recipients.

    `settled_at_resume` and `failed_at_resume` are what the counts said when the owner resumed it:
    failures before that are not held against it again.
    """

    id: CampaignId
    account_id: AccountId
    content: CampaignContent
    state: CampaignState
    total: int
    created_at: datetime
    updated_at: datetime
    status_reason: str | None = None
    scheduled_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    counts: CampaignCounts = attrs.field(factory=CampaignCounts)
    credits: CampaignCredits = attrs.field(factory=CampaignCredits)
    settled_at_resume: int = 0
    failed_at_resume: int = 0
    first_number: MessageNumber | None = None
    plan: SendingPlan | None = None


@attrs.frozen
class RecipientGroup:
    """Recipients of an audience that is not frozen yet, whose texts have one size and one price.

    Merge values are None where the text does not use them. `first_contact` has the lowest id.
    `area` is the beginning of their numbers, where it matters for the clock they live by.
    """

    country: str
    first_name: str | None = attrs.field(repr=False)
    last_name: str | None = attrs.field(repr=False)
    email: str | None = attrs.field(repr=False)
    recipients: int
    first_contact: ContactId
    area: str = ""


@attrs.frozen
class CampaignStart:
    """What is fixed when a campaign starts."""

    plan: SendingPlan
    first_number: MessageNumber
    recipients: int
    credits: int
    at: datetime
