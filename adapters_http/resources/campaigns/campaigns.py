"""Writing, listing and starting campaigns."""

from collections.abc import Mapping
from typing import Annotated

import attrs

from adapters_http.resources.campaigns import bodies, fields, shapes
from adapters_http.resources.campaigns.steering import STARTING_ERRORS
from adapters_http.web import codec, replies, values
from adapters_http.web.context import Request, Response
from adapters_http.web.fields import Described
from adapters_http.web.idempotency import once
from adapters_http.web.replies import PageOf
from adapters_http.web.routing import Access, Paging, Route
from retail_core.accounts.queries import AccountQueries
from retail_core.audiences.errors import ListNotFound, ReferenceNotFound
from retail_core.audiences.model import ContactList
from retail_core.audiences.queries import ListQueries
from retail_core.campaigns.errors import (
    InvalidCampaignId,
    TemplateNotFound,
    UnknownPlaceholder,
    WrongCampaignState,
)
from retail_core.campaigns.model import Campaign, CampaignState
from retail_core.campaigns.queries import CampaignFilter, CampaignOrder, CampaignQueries
from retail_core.campaigns.use_cases import (
    CreateCampaign,
    EditCampaign,
    StartCampaign,
)
from retail_core.contacts.errors import InvalidGender
from retail_core.kernel.errors import InvalidField, RuleViolation
from retail_core.kernel.ids import CampaignId, ListId

PAGE_SIZE = 20
PAGE_SIZE_MAX = 100


@attrs.frozen(kw_only=True)
class CampaignListQuery:
    """What a list of campaigns can be narrowed to and sorted by."""

    q: str = ""
    status: CampaignState | None = None
    with_stats: bool = False
    order_by: CampaignOrder = CampaignOrder.CREATED_AT
    order: Annotated[str, Described(schema={"type": "string", "enum": ["asc", "desc"]})] = "desc"
    date_from: str | None = None
    date_to: str | None = None


@attrs.frozen
class Campaigns:
    """`/api/campaigns`."""

    queries: CampaignQueries
    lists: ListQueries
    accounts: AccountQueries
    create: CreateCampaign

    def on_get(self, req: Request, resp: Response) -> None:
        """A page of campaigns."""
        asked = codec.query(req, CampaignListQuery)
        wanted = self._wanted(req, asked)
        page = self.queries.page(req.account, wanted, values.page(req, PAGE_SIZE, PAGE_SIZE_MAX))
        named = {each.content.audience.own_list for each in page.items}
        lists = self.lists.by_ids(req.account, [each for each in named if each is not None])
        shape = _with_stats if asked.with_stats else fields.with_template_and_list
        resp.media = replies.page(page, lambda each: shape(each, lists))

    def on_post(self, req: Request, resp: Response) -> None:
        """A new draft."""
        content = bodies.content(codec.body(req, bodies.CampaignBody))
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
            created_from=values.bound("dateFrom", asked.date_from, zone, is_end=False),
            created_before=values.bound("dateTo", asked.date_to, zone, is_end=True),
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
    lists: ListQueries
    edit: EditCampaign

    def on_get(self, req: Request, resp: Response, campaign_id: str) -> None:
        """One campaign."""
        campaign = self.queries.get(req.account, CampaignId(values.path_id(campaign_id)))
        own = campaign.content.audience.own_list
        lists = self.lists.by_ids(req.account, [] if own is None else [own])
        resp.media = fields.with_template_and_list(campaign, lists)

    def on_put(self, req: Request, resp: Response, campaign_id: str) -> None:
        """Change a campaign that has not started."""
        number = changed_id(campaign_id)
        changes = bodies.changes(codec.body(req, bodies.CampaignChangesBody))
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


def _started(campaign: CampaignId, queued: int, required: int, held: int) -> shapes.StartedCampaign:
    return {
        "queued": queued,
        "enqueuedJobs": queued,
        "campaignId": campaign,
        "status": "sending",
        "credits": {"required": required, "held": held},
    }


def _with_stats(campaign: Campaign, lists: Mapping[ListId, ContactList]) -> shapes.ListedCampaign:
    shown = fields.with_template_and_list(campaign, lists)
    return {**shown, "stats": fields.stats_shape(campaign)}


ROUTES = (
    Route(
        method="GET",
        path="/api/campaigns",
        resource=Campaigns,
        access=Access.USER,
        scope="campaigns:read",
        summary="List campaigns",
        query=CampaignListQuery,
        paging=Paging(PAGE_SIZE, PAGE_SIZE_MAX),
        reply=PageOf[shapes.ListedCampaign],
    ),
    Route(
        method="POST",
        path="/api/campaigns",
        resource=Campaigns,
        access=Access.USER,
        scope="campaigns:write",
        summary="Create a campaign",
        body=bodies.CampaignBody,
        reply=shapes.CampaignWithTemplate,
        status=201,
        errors=(
            InvalidGender,
            UnknownPlaceholder,
            TemplateNotFound,
            ListNotFound,
            ReferenceNotFound,
        ),
        example={
            "name": "Autumn",
            "messageText": "Hello {{firstName}}",
            "filterAgeGroup": "40_plus",
        },
        once=True,
    ),
    Route(
        method="GET",
        path="/api/campaigns/{campaign_id}",
        resource=OneCampaign,
        access=Access.USER,
        scope="campaigns:read",
        summary="Read a campaign",
        reply=shapes.Campaign,
    ),
    Route(
        method="PUT",
        path="/api/campaigns/{campaign_id}",
        resource=OneCampaign,
        access=Access.USER,
        scope="campaigns:write",
        summary="Change a campaign that has not started",
        body=bodies.CampaignChangesBody,
        reply=shapes.CampaignWithTemplate,
        errors=(
            InvalidCampaignId,
            InvalidGender,
            UnknownPlaceholder,
            TemplateNotFound,
            ListNotFound,
            ReferenceNotFound,
            WrongCampaignState,
        ),
        example={"name": "Late autumn", "filterGender": None},
    ),
    Route(
        method="POST",
        path="/api/campaigns/{campaign_id}/enqueue",
        resource=CampaignStarts,
        access=Access.USER,
        scope="campaigns:send",
        summary="Start a campaign",
        reply=shapes.StartedCampaign,
        errors=(InvalidCampaignId, *STARTING_ERRORS),
        once=True,
    ),
)
