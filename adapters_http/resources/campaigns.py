"""Writing, listing and starting campaigns."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Annotated, TypeVar

import attrs

from adapters_http import codec, replies, values
from adapters_http.context import Request, Response
from adapters_http.fields import UNSET, Characters, Unset
from adapters_http.idempotency import once
from adapters_http.resources import campaign_fields as fields
from adapters_http.routing import Access, Route
from retail_core.accounts.queries import AccountQueries
from retail_core.campaigns.errors import InvalidCampaignId
from retail_core.campaigns.model import Campaign, CampaignContent, CampaignState
from retail_core.campaigns.queries import CampaignFilter, CampaignOrder, CampaignQueries
from retail_core.campaigns.use_cases import (
    CampaignChanges,
    CreateCampaign,
    EditCampaign,
    StartCampaign,
)
from retail_core.contacts.model import KEEP, Keep
from retail_core.kernel.errors import InvalidField, RuleViolation
from retail_core.kernel.ids import CampaignId
from retail_core.kernel.zones import local_to_utc

Value = TypeVar("Value")

PAGE_SIZE = 20
PAGE_SIZE_MAX = 100


@attrs.frozen(kw_only=True)
class CampaignBody:
    """What a new campaign says."""

    name: Annotated[str, Characters(1, 200)]
    message_text: Annotated[str, Characters(0, 2000)] | None = None
    template_id: int | None = None
    filter_gender: str | None = None
    filter_age_group: str | None = None
    list_id: object = None
    exclude_list_ids: tuple[object, ...] | None = None
    segment: object = None
    include_offer: bool | None = None
    track_links: bool | None = None
    scheduled_date: str | None = None
    scheduled_time: str | None = None
    scheduled_at: str | None = None


@attrs.frozen(kw_only=True)
class CampaignChangesBody:
    """What an edit replaces; an absent key keeps the present value."""

    name: Annotated[str, Characters(1, 200)] | Unset = UNSET
    message_text: Annotated[str, Characters(0, 2000)] | Unset | None = UNSET
    template_id: int | Unset | None = UNSET
    filter_gender: str | Unset | None = UNSET
    filter_age_group: str | Unset | None = UNSET
    list_id: object = UNSET
    exclude_list_ids: tuple[object, ...] | Unset | None = UNSET
    segment: object = UNSET
    include_offer: bool | Unset = UNSET
    track_links: bool | Unset = UNSET
    scheduled_date: str | Unset | None = UNSET
    scheduled_time: str | Unset | None = UNSET
    scheduled_at: str | Unset | None = UNSET


@attrs.frozen(kw_only=True)
class CampaignListQuery:
    """What a list of campaigns can be narrowed to and sorted by."""

    q: str = ""
    status: CampaignState | None = None
    with_stats: bool = False
    order_by: CampaignOrder = CampaignOrder.CREATED_AT
    order: str = "desc"
    date_from: str | None = None
    date_to: str | None = None


@attrs.frozen
class Campaigns:
    """`/api/campaigns`."""

    queries: CampaignQueries
    accounts: AccountQueries
    create: CreateCampaign

    def on_get(self, req: Request, resp: Response) -> None:
        """A page of campaigns."""
        asked = codec.query(req, CampaignListQuery)
        wanted = self._wanted(req, asked)
        page = self.queries.page(req.account, wanted, values.page(req, PAGE_SIZE, PAGE_SIZE_MAX))
        resp.media = replies.page(page, _with_stats if asked.with_stats else _without_stats)

    def on_post(self, req: Request, resp: Response) -> None:
        """A new draft."""
        content = _content(codec.body(req, CampaignBody))
        campaign = self.create(req.account, content, once(req))
        resp.status_code, resp.media = 201, fields.with_template(campaign)

    def on_repeat(self, req: Request, resp: Response, effect: int) -> None:
        """The reply of the first request, made again."""
        campaign = self.queries.get(req.account, CampaignId(effect))
        resp.status_code, resp.media = 201, fields.with_template(campaign)

    def _wanted(self, req: Request, asked: CampaignListQuery) -> CampaignFilter:
        if asked.order not in {"asc", "desc"}:
            raise InvalidField("order", "must be asc or desc")
        zone = "UTC"
        if asked.date_from or asked.date_to:
            zone = self._zone(req)
        return CampaignFilter(
            name=asked.q,
            state=asked.status,
            created_from=_bound("dateFrom", asked.date_from, zone, days_after=0),
            created_before=_bound("dateTo", asked.date_to, zone, days_after=1),
            order=asked.order_by,
            descending=asked.order == "desc",
        )

    def _zone(self, req: Request) -> str:
        account = self.accounts.find(req.account)
        return (account and account.timezone) or "UTC"


@attrs.frozen
class OneCampaign:
    """`/api/campaigns/{campaign_id}`."""

    queries: CampaignQueries
    edit: EditCampaign

    def on_get(self, req: Request, resp: Response, campaign_id: str) -> None:
        """One campaign."""
        campaign = self.queries.get(req.account, CampaignId(values.path_id(campaign_id)))
        resp.media = fields.with_template_and_list(campaign)

    def on_put(self, req: Request, resp: Response, campaign_id: str) -> None:
        """Change a campaign that has not started."""
        number = changed_id(campaign_id)
        changes = _changes(codec.body(req, CampaignChangesBody))
        resp.media = fields.with_template(self.edit(req.account, number, changes))


@attrs.frozen
class CampaignStarts:
    """`/api/campaigns/{campaign_id}/enqueue`."""

    queries: CampaignQueries
    start: StartCampaign

    def on_post(self, req: Request, resp: Response, campaign_id: str) -> None:
        """Freeze the audience, hold the credits, begin to send."""
        started = self.start(req.account, changed_id(campaign_id), once(req))
        resp.media = _started(
            started.campaign, started.queued, started.credits_required, started.credits_held
        )

    def on_repeat(self, req: Request, resp: Response, effect: int, campaign_id: str) -> None:
        """The reply of the first request, made again from what was fixed then."""
        del campaign_id
        campaign = self.queries.get(req.account, CampaignId(effect))
        credits = campaign.credits
        required = credits.held + credits.captured + credits.released
        resp.media = _started(campaign.id, campaign.total, required, required)


def changed_id(text: str) -> CampaignId:
    """An id where the contract names its own code. Raises `InvalidCampaignId`, `NotFound`."""
    try:
        return CampaignId(values.path_id(text))
    except RuleViolation as error:
        raise InvalidCampaignId from error


def _started(campaign: CampaignId, queued: int, required: int, held: int) -> dict[str, object]:
    return {
        "queued": queued,
        "enqueuedJobs": queued,
        "campaignId": campaign,
        "status": "sending",
        "credits": {"required": required, "held": held},
    }


def _without_stats(campaign: Campaign) -> dict[str, object]:
    return fields.with_template_and_list(campaign)


def _with_stats(campaign: Campaign) -> dict[str, object]:
    return fields.with_template_and_list(campaign) | {"stats": fields.stats_shape(campaign)}


def _content(body: CampaignBody) -> CampaignContent:
    """Raises for what is wrong, and for what nobody would honour, rather than pass over it."""
    fields.no_template(body.template_id)
    fields.no_lists_excluded(body.exclude_list_ids)
    fields.no_segment(body.segment)
    _no_tracked_links(body.track_links)
    _no_schedule(body.scheduled_date or body.scheduled_time or body.scheduled_at)
    if not body.message_text:
        raise InvalidField("messageText", "is required")
    audience = fields.audience(body.list_id, body.filter_gender, body.filter_age_group)
    return CampaignContent.checked(
        body.name, body.message_text, audience, include_offer=body.include_offer is not False
    )


def _changes(body: CampaignChangesBody) -> CampaignChanges:
    if body == CampaignChangesBody():
        raise RuleViolation("There is nothing to change.")
    fields.no_template(_sent(body.template_id))
    fields.no_lists_excluded(_sent(body.exclude_list_ids))
    fields.no_segment(None if body.segment is UNSET else body.segment)
    _no_tracked_links(_sent(body.track_links))
    for moment in (body.scheduled_date, body.scheduled_time, body.scheduled_at):
        _no_schedule(_sent(moment))
    text = body.message_text
    if not isinstance(text, Unset) and not text:
        raise InvalidField("messageText", "is needed, since there is no template")
    return CampaignChanges(
        name=_kept(body.name),
        message_text=KEEP if isinstance(text, Unset) or text is None else text,
        include_offer=_kept(body.include_offer),
        system_list=KEEP if body.list_id is UNSET else fields.system_list(body.list_id),
        gender=_read(fields.gender, body.filter_gender),
        age_group=_read(fields.age_group, body.filter_age_group),
    )


def _sent(value: Value | Unset) -> Value | None:
    return None if isinstance(value, Unset) else value


def _kept(value: Value | Unset) -> Value | Keep:
    return KEEP if isinstance(value, Unset) else value


def _read(read: Callable[[str | None], Value], word: str | Unset | None) -> Value | Keep:
    return KEEP if isinstance(word, Unset) else read(word)


def _no_tracked_links(wanted: bool | None) -> None:  # noqa: FBT001 - a field's value
    if wanted:
        raise InvalidField("trackLinks", "links are not tracked")


def _no_schedule(moment: str | None) -> None:
    """A time that nobody would keep must not be accepted."""
    if moment:
        raise InvalidField("scheduledAt", "campaigns are sent when they are enqueued")


def _bound(name: str, text: str | None, zone: str, *, days_after: int) -> datetime | None:
    """A moment, or the start of a day (or of the next one) in the owner's zone."""
    if not text:
        return None
    try:
        moment = values.instant(text)
        day = date.fromisoformat(text) if len(text) == len("2026-11-24") else None
        if day is None:
            return moment
        return local_to_utc(day + timedelta(days=days_after), time(), zone) or moment
    except (ValueError, OverflowError):
        raise InvalidField(name, "is not an ISO date or date-time") from None


ROUTES = (
    Route(
        method="GET",
        path="/api/campaigns",
        resource=Campaigns,
        access=Access.USER,
        scope="campaigns:read",
        summary="List campaigns",
        query=CampaignListQuery,
    ),
    Route(
        method="POST",
        path="/api/campaigns",
        resource=Campaigns,
        access=Access.USER,
        scope="campaigns:write",
        summary="Create a campaign",
        body=CampaignBody,
        status=201,
        once=True,
    ),
    Route(
        method="GET",
        path="/api/campaigns/{campaign_id}",
        resource=OneCampaign,
        access=Access.USER,
        scope="campaigns:read",
        summary="Read a campaign",
    ),
    Route(
        method="PUT",
        path="/api/campaigns/{campaign_id}",
        resource=OneCampaign,
        access=Access.USER,
        scope="campaigns:write",
        summary="Change a campaign that has not started",
        body=CampaignChangesBody,
    ),
    Route(
        method="POST",
        path="/api/campaigns/{campaign_id}/enqueue",
        resource=CampaignStarts,
        access=Access.USER,
        scope="campaigns:send",
        summary="Start a campaign",
        once=True,
    ),
)
