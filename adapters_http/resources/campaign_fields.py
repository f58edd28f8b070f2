"""What campaigns look like in JSON, and how an audience is written in a body."""

import re
from collections.abc import Sequence
from typing import Final

import attrs

from retail_core.audiences.model import SYSTEM_LISTS, AgeGroup
from retail_core.campaigns.errors import ListNotFound, TemplateNotFound
from retail_core.campaigns.model import Campaign
from retail_core.contacts.errors import InvalidGender
from retail_core.contacts.model import Gender
from retail_core.kernel.errors import InvalidField

EXCLUDED_LISTS_MAX: Final = 50
_ID: Final = re.compile(r"-?[1-9][0-9]*")
_AGE_GROUP_ALIASES = {"40+": AgeGroup.FROM_40.value}


def gender(word: str | None) -> Gender | None:
    """One of the four words in any case; null and "" mean any. Raises `InvalidGender`."""
    if not word:
        return None
    try:
        return Gender(word.lower())
    except ValueError:
        raise InvalidGender from None


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
    """What a body names by id. All ids are read before any is looked for (http-contract, 1.6)."""

    system_list: str | None
    names_list: bool
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
        for position, value in enumerate(excluded or ()):
            _must_be_list_id(f"excludeListIds[{position}]", value)
        if template_id == 0:
            raise InvalidField("templateId", "is not the id of a template")
        word = list_value.strip() if isinstance(list_value, str) else list_value
        system_list = word if isinstance(word, str) and word in SYSTEM_LISTS else None
        names_list = system_list is None and word is not None and word != ""
        if names_list:
            _must_be_list_id("listId", word)
        return cls(system_list, names_list or bool(excluded), template_id is not None)

    def must_exist(self) -> None:
        """There are no templates, and no lists but the system's, to be found.

        Raises `TemplateNotFound`, `ListNotFound`.
        """
        if self.names_template:
            raise TemplateNotFound
        if self.names_list:
            raise ListNotFound


def _must_be_list_id(path: str, value: object) -> None:
    is_integer = isinstance(value, int) and not isinstance(value, bool)
    text = str(value) if is_integer or isinstance(value, str) else ""
    if not _ID.fullmatch(text.strip()):
        raise InvalidField(path, "is not the id of a list")


def no_segment(value: object) -> None:
    """A condition that cannot be evaluated must not be passed over. Raises `InvalidField`."""
    if value is not None:
        raise InvalidField("segment", "segments are not supported")


def campaign_shape(campaign: Campaign) -> dict[str, object]:
    """Campaign, without template and list."""
    spec = campaign.content.audience
    counts = campaign.counts
    return {
        "id": campaign.id,
        "ownerId": campaign.account_id,
        "name": campaign.content.name,
        "templateId": None,
        "messageText": campaign.content.message_text,
        "listId": None,
        "systemListId": spec.system_list,
        "excludeListIds": [],
        "filterGender": spec.gender and spec.gender.value,
        "filterAgeGroup": spec.age_group and spec.age_group.value,
        "segment": None,
        "includeOffer": campaign.content.include_offer,
        "trackLinks": False,
        "status": campaign.state.value,
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


def with_template(campaign: Campaign) -> dict[str, object]:
    """Campaign as create and edit answer it."""
    return campaign_shape(campaign) | {"template": None}


def with_template_and_list(campaign: Campaign) -> dict[str, object]:
    """Campaign as reading and listing answer it."""
    return with_template(campaign) | {"list": None}


def stats_shape(campaign: Campaign) -> dict[str, object]:
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


def metrics_shape(campaign: Campaign) -> dict[str, object]:
    """The counts of the status page, where `sent` does not include delivered ones."""
    counts = campaign.counts
    return attrs.asdict(counts) | {"success": counts.success, "processed": counts.processed}


def rate(part: int, whole: int) -> float:
    """A fraction with at most four decimals; 0 of nothing."""
    return round(part / whole, 4) if whole else 0
