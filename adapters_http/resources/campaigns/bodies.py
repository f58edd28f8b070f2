"""What a campaign's owner writes: the bodies of create and edit, and what they mean."""

from collections.abc import Callable
from typing import Annotated, TypeVar

import attrs

from adapters_http.resources.campaigns import fields
from adapters_http.web.fields import Characters, Described
from retail_core.audiences.model import AudienceSpec
from retail_core.campaigns.model import NAME_CHARACTERS_MAX, TEXT_CHARACTERS_MAX, CampaignContent
from retail_core.campaigns.use_cases import CampaignChanges
from retail_core.contacts.model import KEEP, Keep
from retail_core.kernel.errors import InvalidField, RuleViolation

Value = TypeVar("Value")
Name = Annotated[str, Characters(1, NAME_CHARACTERS_MAX)]
MessageText = Annotated[str, Characters(0, TEXT_CHARACTERS_MAX)]
ListReference = Annotated[
    object,
    Described("An own list, or the name of a system list", {"type": ["integer", "string", "null"]}),
]
MOMENTS = ("scheduledDate", "scheduledTime", "scheduledAt")
Segment = Annotated[object, Described("A tree of conditions", {"type": ["object", "null"]})]


@attrs.frozen(kw_only=True)
class CampaignBody:
    """What a new campaign says."""

    name: Name
    message_text: MessageText | None = attrs.field(default=None, repr=False)
    template_id: int | None = None
    filter_gender: str | None = None
    filter_age_group: str | None = None
    list_id: ListReference = None
    exclude_list_ids: tuple[object, ...] | None = None
    segment: Segment = None
    include_offer: bool | None = None
    track_links: bool | None = None
    scheduled_date: str | None = None
    scheduled_time: str | None = None
    scheduled_at: str | None = None


@attrs.frozen(kw_only=True)
class CampaignChangesBody:
    """What an edit replaces; an absent key keeps the present value."""

    name: Name | Keep = KEEP
    message_text: MessageText | Keep | None = attrs.field(default=KEEP, repr=False)
    template_id: int | Keep | None = KEEP
    filter_gender: str | Keep | None = KEEP
    filter_age_group: str | Keep | None = KEEP
    list_id: ListReference = KEEP
    exclude_list_ids: tuple[object, ...] | Keep | None = KEEP
    segment: Segment = KEEP
    include_offer: bool | Keep = KEEP
    track_links: bool | Keep = KEEP
    scheduled_date: str | Keep | None = KEEP
    scheduled_time: str | Keep | None = KEEP
    scheduled_at: str | Keep | None = KEEP


def content(body: CampaignBody) -> CampaignContent:
    """Raises for what is wrong, and for what nobody would honour, rather than pass over it."""
    references = fields.References.read(body.list_id, body.exclude_list_ids, body.template_id)
    segment = fields.segment(body.segment)
    _nothing_unsupported(
        body.track_links, body.scheduled_date, body.scheduled_time, body.scheduled_at
    )
    gender, age_group = fields.gender(body.filter_gender), fields.age_group(body.filter_age_group)
    if not body.message_text:
        references.must_exist()  # the text of a template would do
        raise InvalidField("messageText", "is required")
    found = CampaignContent.checked(
        body.name,
        body.message_text,
        AudienceSpec(
            references.system_list,
            gender,
            age_group,
            references.own_list,
            references.exclude_lists,
            segment,
        ),
        include_offer=body.include_offer is not False,
    )
    references.must_exist()
    return found


def changes(body: CampaignChangesBody) -> CampaignChanges:
    """What is to be replaced. Raises as `content`, and where nothing is named at all."""
    if body == CampaignChangesBody():
        raise RuleViolation("There is nothing to change.")
    references = fields.References.read(
        None if body.list_id is KEEP else body.list_id,
        _sent(body.exclude_list_ids),
        _sent(body.template_id),
    )
    segment = KEEP if body.segment is KEEP else fields.segment(body.segment)
    _nothing_unsupported(
        _sent(body.track_links),
        *map(_sent, (body.scheduled_date, body.scheduled_time, body.scheduled_at)),
    )
    text = body.message_text
    if not isinstance(text, Keep) and not text:
        raise InvalidField("messageText", "is needed, since there is no template")
    found = CampaignChanges(
        name=body.name,
        message_text=KEEP if isinstance(text, Keep) or text is None else text,
        include_offer=body.include_offer,
        system_list=KEEP if body.list_id is KEEP else references.system_list,
        own_list=KEEP if body.list_id is KEEP else references.own_list,
        exclude_lists=KEEP if body.exclude_list_ids is KEEP else references.exclude_lists,
        segment=segment,
        gender=_read(fields.gender, body.filter_gender),
        age_group=_read(fields.age_group, body.filter_age_group),
    )
    references.must_exist()
    return found


def _sent(value: Value | Keep) -> Value | None:
    return None if isinstance(value, Keep) else value


def _read(read: Callable[[str | None], Value], word: str | Keep | None) -> Value | Keep:
    return KEEP if isinstance(word, Keep) else read(word)


def _nothing_unsupported(
    track_links: bool | None,  # noqa: FBT001 - a field's value
    *moments: str | None,
) -> None:
    """A link or a time that nobody would heed must not be accepted."""
    if track_links:
        raise InvalidField("trackLinks", "links are not tracked")
    for name, moment in zip(MOMENTS, moments, strict=True):
        if moment:
            raise InvalidField(name, "campaigns are sent when they are enqueued")
