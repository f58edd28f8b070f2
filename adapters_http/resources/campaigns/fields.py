"""What campaigns look like in JSON, and how an audience is written in a body."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

import attrs

from adapters_http.resources.campaigns.shapes import Campaign as CampaignShape
from adapters_http.resources.campaigns.shapes import (
    CampaignFigures,
    CampaignMetrics,
    CampaignRow,
    CampaignStats,
    CampaignSummary,
    CampaignWithTemplate,
)
from adapters_http.resources.lists.shapes import list_shape
from retail_core.audiences.model import SYSTEM_LISTS, AgeGroup, ContactList, Segment
from retail_core.audiences.segments import read_segment
from retail_core.campaigns.errors import TemplateNotFound
from retail_core.campaigns.model import Campaign
from retail_core.campaigns.queries import CampaignOutcome
from retail_core.contacts.model import Gender
from retail_core.contacts.model.contact import read_gender
from retail_core.kernel.errors import InvalidField
from retail_core.kernel.ids import ListId

EXCLUDED_LISTS_MAX: Final = 50
FILTER_GENDER: Final = "filterGender"
ID_DIGITS_MAX: Final = 20
"""No id has so many; what is longer is cut, and not found either way."""

_ID: Final = re.compile(r"-?[1-9][0-9]*")
_AGE_GROUP_ALIASES = {"40+": AgeGroup.FROM_40.value}


def gender(word: str | None) -> Gender | None:
    """One of the four words in any case; null and "" mean any. Raises `InvalidGender`."""
    return read_gender(word, FILTER_GENDER)


def age_group(word: str | None) -> AgeGroup | None:
    """One of the three groups; null and "" mean any. Raises `InvalidField`."""
    if not word:
        return None
    try:
        return AgeGroup(_AGE_GROUP_ALIASES.get(word, word))
    except ValueError:
        words = ", ".join(group.value for group in AgeGroup)
        raise InvalidField("filterAgeGroup", f"must be one of {words}") from None


@attrs.frozen
class References:
    """What a body names by id. All ids are read before any is looked for (docs/api.md, 1.6)."""

    system_list: str | None
    own_list: ListId | None
    exclude_lists: tuple[ListId, ...]
    names_template: bool

    @classmethod
    def read(
        cls,
        list_value: object = None,
        excluded: Sequence[object] | None = None,
        template_id: int | None = None,
    ) -> "References":
        """Raises `InvalidField` for what is no id."""
        if len(excluded or ()) > EXCLUDED_LISTS_MAX:
            raise InvalidField("excludeListIds", f"must have at most {EXCLUDED_LISTS_MAX} items")
        exclude_lists = tuple(
            _list_id(f"excludeListIds[{position}]", value)
            for position, value in enumerate(excluded or ())
        )
        if template_id == 0:
            raise InvalidField("templateId", "is not the id of a template")
        word = list_value.strip() if isinstance(list_value, str) else list_value
        system_list = word if isinstance(word, str) and word in SYSTEM_LISTS else None
        names_list = system_list is None and word is not None and word != ""
        own_list = _list_id("listId", word) if names_list else None
        return cls(system_list, own_list, exclude_lists, template_id is not None)

    def must_exist(self) -> None:
        """There are no templates to be found. Raises `TemplateNotFound`."""
        if self.names_template:
            raise TemplateNotFound


def _list_id(path: str, value: object) -> ListId:
    is_integer = isinstance(value, int) and not isinstance(value, bool)
    text = (str(value) if is_integer or isinstance(value, str) else "").strip()
    if not _ID.fullmatch(text):
        raise InvalidField(path, "is not the id of a list")
    return ListId(int(text[:ID_DIGITS_MAX]))


def segment(value: object) -> Segment | None:
    """A filter tree; null and "" mean everybody. Raises `InvalidField` with the path to it."""
    return None if value is None or value == "" else read_segment(value)


def campaign_shape(campaign: Campaign) -> CampaignRow:
    """Campaign, without template and list."""
    spec = campaign.content.audience
    counts = campaign.counts
    return {
        "id": campaign.id,
        "ownerId": campaign.account_id,
        "name": campaign.content.name,
        "templateId": None,
        "messageText": campaign.content.message_text,
        "listId": spec.own_list,
        "systemListId": spec.system_list,
        "excludeListIds": spec.exclude_lists,
        "segment": None if spec.segment is None else spec.segment.document(),
        "filterGender": spec.gender,
        "filterAgeGroup": spec.age_group,
        "includeOffer": campaign.content.include_offer,
        "trackLinks": False,
        "status": campaign.state,
        "statusReason": campaign.status_reason,
        "scheduledAt": campaign.scheduled_at,
        "startedAt": campaign.started_at,
        "finishedAt": campaign.finished_at,
        "createdAt": campaign.created_at,
        "updatedAt": campaign.updated_at,
        "total": campaign.total,
        "sent": counts.success,
        "failed": counts.failed,
        "processed": counts.processed if campaign.started_at else None,
        "createdById": campaign.account_id,
    }


def with_template(campaign: Campaign) -> CampaignWithTemplate:
    """Campaign as create and edit answer it."""
    return {**campaign_shape(campaign), "template": None}


def with_template_and_list(
    campaign: Campaign, lists: Mapping[ListId, ContactList]
) -> CampaignShape:
    """Campaign as reading and listing answer it; `lists` has the own list it is based on."""
    own = campaign.content.audience.own_list
    found = None if own is None else lists.get(own)
    shown = None if found is None else list_shape(campaign.account_id, found)
    return {**with_template(campaign), "list": shown}


def stats_shape(campaign: Campaign) -> CampaignStats:
    """The counts that a list shows beside each campaign."""
    counts = campaign.counts
    return {
        "total": campaign.total,
        "sent": counts.success,
        "failed": counts.failed,
        "queued": counts.queued,
        "delivered": counts.delivered,
        "unknown": counts.unknown,
        "cancelled": counts.cancelled,
        "redemptions": 0,
        "conversions": 0,
        "deliveredRate": rate(counts.delivered, counts.success),
        "conversionRate": 0,
    }


def summary_shape(campaign: Campaign) -> CampaignSummary:
    """The figures of one of several campaigns; nothing leads to a conversion yet."""
    counts = campaign.counts
    return {
        "campaignId": campaign.id,
        "total": campaign.total,
        "sent": counts.success,
        "failed": counts.failed,
        "conversions": 0,
        "failureRate": rate(counts.failed, counts.processed),
        "conversionRate": 0,
    }


def figures_shape(campaign: Campaign, outcome: CampaignOutcome) -> CampaignFigures:
    """All figures; without offers, tags and counted links there is nothing to count of those."""
    counts = campaign.counts
    return {
        **summary_shape(campaign),
        "unsubscribes": outcome.unsubscribes,
        "firstSentAt": outcome.first_sent_at if counts.success else None,
        "updatedAt": campaign.updated_at,
        "delivered": counts.delivered,
        "unknown": counts.unknown,
        "cancelled": counts.cancelled,
        "deliveredRate": rate(counts.delivered, counts.success),
        "redemptions": 0,
        "nfcConversions": 0,
        "offerViews": 0,
        "clicks": 0,
        "uniqueClicks": 0,
        "creditsCharged": campaign.credits.captured,
    }


def metrics_shape(campaign: Campaign) -> CampaignMetrics:
    """The counts of the status page, where `sent` does not include delivered ones."""
    counts = campaign.counts
    return {
        "queued": counts.queued,
        "success": counts.success,
        "processed": counts.processed,
        "failed": counts.failed,
        "sent": counts.sent,
        "delivered": counts.delivered,
        "unknown": counts.unknown,
        "cancelled": counts.cancelled,
    }


def rate(part: int, whole: int) -> float:
    """A fraction with at most four decimals; 0 of nothing."""
    return round(part / whole, 4) if whole else 0
