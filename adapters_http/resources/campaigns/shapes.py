"""What campaigns look like in JSON (docs/api.md, 2)."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TypedDict

from adapters_http.resources.lists.shapes import ListRow
from retail_core.audiences.model import AgeGroup
from retail_core.campaigns.model import CampaignState
from retail_core.contacts.model import Gender


class CampaignRow(TypedDict):
    """A campaign, without its template and its list."""

    id: int
    ownerId: int
    name: str
    templateId: int | None
    messageText: str | None
    listId: int | None
    systemListId: str | None
    excludeListIds: Sequence[int]
    filterGender: Gender | None
    filterAgeGroup: AgeGroup | None
    segment: Mapping[str, object] | None
    includeOffer: bool
    trackLinks: bool
    status: CampaignState
    statusReason: str | None
    scheduledAt: datetime | None
    startedAt: datetime | None
    finishedAt: datetime | None
    createdAt: datetime
    updatedAt: datetime
    total: int
    sent: int
    failed: int
    processed: int | None
    createdById: int


class CampaignWithTemplate(CampaignRow):
    """A campaign as creating and editing answer it."""

    template: dict[str, object] | None


class Campaign(CampaignWithTemplate):
    """A campaign as reading answers it."""

    list: ListRow | None


class CampaignStats(TypedDict):
    """The counts that a list shows beside each campaign."""

    total: int
    sent: int
    failed: int
    queued: int
    delivered: int
    unknown: int
    cancelled: int
    redemptions: int
    conversions: int
    deliveredRate: float
    conversionRate: float


class CampaignSummary(TypedDict):
    """The figures of one of several campaigns."""

    campaignId: int
    total: int
    sent: int
    failed: int
    conversions: int
    failureRate: float
    conversionRate: float


class CampaignFigures(CampaignSummary):
    """All figures of one campaign."""

    unsubscribes: int
    firstSentAt: datetime | None
    updatedAt: datetime
    delivered: int
    unknown: int
    cancelled: int
    deliveredRate: float
    redemptions: int
    nfcConversions: int
    offerViews: int
    clicks: int
    uniqueClicks: int
    creditsCharged: int


class ListedCampaign(Campaign, total=False):
    """A campaign in a list, with its counts if they were asked for."""

    stats: CampaignStats


class CampaignMetrics(TypedDict):
    """The counts of the status page, where `sent` does not include delivered ones."""

    queued: int
    success: int
    processed: int
    failed: int
    sent: int
    delivered: int
    unknown: int
    cancelled: int


class CampaignCreditsShape(TypedDict):
    """Credits of a campaign: still held, captured for accepted messages, given back."""

    held: int
    captured: int
    released: int


class CampaignStatusReply(TypedDict):
    """How far a campaign got."""

    campaign: CampaignRow
    metrics: CampaignMetrics
    credits: CampaignCreditsShape
    deferredUntil: datetime | None


class StartCredits(TypedDict):
    """What a start takes, and what is held for it."""

    required: int
    held: int


class StartedCampaign(TypedDict):
    """A campaign that sends now."""

    queued: int
    enqueuedJobs: int
    campaignId: int
    status: str
    credits: StartCredits


class SteeredCampaign(TypedDict):
    """A campaign that was paused or resumed."""

    ok: bool
    status: str
    remaining: int


class CancelledCampaignReply(TypedDict):
    """A campaign that will send nothing more."""

    ok: bool
    status: str
    sent: int
    cancelled: int
    creditsReleased: int


class ContactLite(TypedDict):
    """A member of an audience that is only looked at."""

    id: int
    phone: str | None
    email: str | None
    firstName: str | None
    lastName: str | None
    gender: Gender | None
    birthday: date | None


class AudiencePreview(TypedDict):
    """How many an audience has, and the first ten."""

    count: int
    preview: list[ContactLite]
    hasMore: bool


class SampleText(TypedDict):
    """What one recipient would read."""

    to: str
    text: str
    fullText: str
    encoding: str
    segments: int
    credits: int


class CampaignPreview(TypedDict):
    """What the first ten recipients would read."""

    sample: list[SampleText]
    count: int


class TestMessage(TypedDict):
    """A message that was sent to try a campaign."""

    to: str | None
    messageId: int
    text: str | None
    encoding: str | None
    segments: int | None
    credits: int | None
    status: str


class TestSendReply(TypedDict):
    """What became of each message, and what that cost."""

    ok: bool
    sent: list[TestMessage]
    creditsCharged: int
