"""What campaigns look like in JSON, and how an audience is written in a body."""

import attrs

from retail_core.audiences.model import SYSTEM_LISTS, AgeGroup, AudienceSpec
from retail_core.campaigns.errors import ListNotFound, TemplateNotFound
from retail_core.campaigns.model import Campaign
from retail_core.contacts.errors import InvalidGender
from retail_core.contacts.model import Gender
from retail_core.kernel.errors import InvalidField
from retail_core.kernel.ids import ID_MAX

EXCLUDED_LISTS_MAX = 50
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


def system_list(value: object) -> str | None:
    """The id of a system list. Raises `InvalidField`, and `ListNotFound` for an own list's id."""
    if value is None or value == "":
        return None
    if isinstance(value, str) and value in SYSTEM_LISTS:
        return value
    list_id("listId", value)
    raise ListNotFound


def list_id(path: str, value: object) -> int:
    """An id of a list in a body. Raises `InvalidField`, or `ListNotFound` for what is never one."""
    is_integer = isinstance(value, int) and not isinstance(value, bool)
    if not is_integer and not (isinstance(value, str) and value.isascii() and value.isdigit()):
        raise InvalidField(path, "is not the id of a list")
    number = int(str(value)[:20])
    if number == 0:
        raise InvalidField(path, "is not the id of a list")
    if not 0 < number <= ID_MAX:
        raise ListNotFound
    return number


def no_lists_excluded(values: tuple[object, ...] | None) -> None:
    """An account has no lists of its own that could be excluded. Raises as `list_id`."""
    if len(values or ()) > EXCLUDED_LISTS_MAX:
        raise InvalidField("excludeListIds", f"must have at most {EXCLUDED_LISTS_MAX} items")
    for position, value in enumerate(values or ()):
        list_id(f"excludeListIds[{position}]", value)
        raise ListNotFound


def no_segment(value: object) -> None:
    """A condition that cannot be evaluated must not be passed over. Raises `InvalidField`."""
    if value is not None:
        raise InvalidField("segment", "segments are not supported")


def no_template(template_id: int | None) -> None:
    """There are no templates to be found. Raises `InvalidField`, `TemplateNotFound`."""
    if template_id is None:
        return
    if template_id == 0:
        raise InvalidField("templateId", "is not the id of a template")
    raise TemplateNotFound


def audience(
    list_value: object, gender_word: str | None, age_group_word: str | None
) -> AudienceSpec:
    """All three conditions at once."""
    return AudienceSpec(system_list(list_value), gender(gender_word), age_group(age_group_word))


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
