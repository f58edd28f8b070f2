"""How far a campaign got, and what became of each of its messages."""

import itertools
import re
from datetime import datetime
from typing import Annotated, Final

import attrs

from adapters_http.resources.campaigns.fields import (
    campaign_shape,
    figures_shape,
    metrics_shape,
    summary_shape,
)
from adapters_http.resources.campaigns.shapes import (
    CampaignFigures,
    CampaignStatusReply,
    CampaignSummary,
)
from adapters_http.resources.messages import fields
from adapters_http.resources.messages.fields import Message
from adapters_http.web import codec, replies, values
from adapters_http.web.context import Request, Response
from adapters_http.web.fields import Described
from adapters_http.web.replies import PageOf
from adapters_http.web.routing import Access, Route
from retail_core.campaigns.model import Campaign, CampaignState
from retail_core.campaigns.queries import CampaignQueries
from retail_core.kernel.ids import ID_MAX, CampaignId
from retail_core.messages.queries import MessageFilter, MessageQueries

STATS_CAMPAIGNS_MAX: Final = 200
ID: Final = re.compile("[1-9][0-9]{0,9}", re.ASCII)


@attrs.frozen
class CampaignStatus:
    """`/api/campaigns/{campaign_id}/status`."""

    queries: CampaignQueries

    def on_get(self, req: Request, resp: Response, campaign_id: str) -> None:
        """Counts of recipients by state, and of credits."""
        campaign = self.queries.get(req.account, CampaignId(values.path_id(campaign_id)))
        shown: CampaignStatusReply = {
            "campaign": campaign_shape(campaign),
            "metrics": metrics_shape(campaign),
            "credits": {
                "held": campaign.credits.held,
                "captured": campaign.credits.captured,
                "released": campaign.credits.released,
            },
            "deferredUntil": self._deferred_until(campaign),
        }
        resp.media = shown

    def _deferred_until(self, campaign: Campaign) -> datetime | None:
        if campaign.state not in (CampaignState.SENDING, CampaignState.PAUSED):
            return None
        return self.queries.deferred_until(campaign.account_id, campaign.id)


@attrs.frozen
class CampaignStats:
    """`/api/campaigns/{campaign_id}/stats`."""

    queries: CampaignQueries

    def on_get(self, req: Request, resp: Response, campaign_id: str) -> None:
        """All figures of one campaign."""
        campaign = self.queries.get(req.account, CampaignId(values.path_id(campaign_id)))
        outcome = self.queries.outcome(req.account, campaign.id)
        resp.media = figures_shape(campaign, outcome)


@attrs.frozen
class SeveralStatsQuery:
    """Whose figures are wanted."""

    ids: Annotated[str, Described("A comma list of ids; what is none of yours is left out")] = ""


@attrs.frozen
class SeveralStats:
    """`/api/campaigns/stats`."""

    queries: CampaignQueries

    def on_get(self, req: Request, resp: Response) -> None:
        """The figures of some campaigns, in the order in which they are named."""
        wanted = _ids(codec.query(req, SeveralStatsQuery).ids)
        found = {each.id: each for each in self.queries.by_ids(req.account, wanted)}
        resp.media = [summary_shape(found[each]) for each in wanted if each in found]


def _ids(text: str) -> list[CampaignId]:
    """The first ids of a comma list, each once; words and what is never an id are nobody's."""
    words = (word.strip() for word in text.split(","))
    numbers = (int(word) for word in words if ID.fullmatch(word))
    ids = dict.fromkeys(CampaignId(number) for number in numbers if number <= ID_MAX)
    return list(itertools.islice(ids, STATS_CAMPAIGNS_MAX))


@attrs.frozen(kw_only=True)
class CampaignMessagesQuery:
    """Which messages of a campaign are wanted."""

    status: fields.StateWord | None = None
    q: str | None = attrs.field(default=None, repr=False)
    include_tests: bool = False


@attrs.frozen
class CampaignMessages:
    """`/api/campaigns/{campaign_id}/messages`."""

    campaigns: CampaignQueries
    messages: MessageQueries
    shapes: fields.MessageShapes

    def on_get(self, req: Request, resp: Response, campaign_id: str) -> None:
        """A page of messages, the newest first."""
        asked = codec.query(req, CampaignMessagesQuery)
        campaign = self.campaigns.get(req.account, CampaignId(values.path_id(campaign_id)))
        request = fields.page(req)
        wanted = MessageFilter(
            campaign=campaign.id,
            is_test=None if asked.include_tests else False,
            state=fields.state(asked.status),
            digits=fields.digits(asked.q),
        )
        page = self.messages.page(req.account, wanted, request)
        resp.media = replies.page(page, self.shapes.message)


ROUTES = (
    Route(
        method="GET",
        path="/api/campaigns/{campaign_id}/status",
        resource=CampaignStatus,
        access=Access.USER,
        scope="campaigns:read",
        summary="How far a campaign got",
        reply=CampaignStatusReply,
    ),
    Route(
        method="GET",
        path="/api/campaigns/{campaign_id}/messages",
        resource=CampaignMessages,
        access=Access.USER,
        scope="campaigns:read",
        summary="List the messages of a campaign",
        query=CampaignMessagesQuery,
        paging=fields.PAGING,
        reply=PageOf[Message],
    ),
    *(
        route
        for base in ("/api/campaigns", "/api/v1/campaigns")
        for route in (
            Route(
                method="GET",
                path=f"{base}/stats",
                resource=SeveralStats,
                access=Access.USER,
                scope="campaigns:read",
                summary="The figures of some campaigns",
                query=SeveralStatsQuery,
                reply=tuple[CampaignSummary, ...],
            ),
            Route(
                method="GET",
                path=f"{base}/{{campaign_id}}/stats",
                resource=CampaignStats,
                access=Access.USER,
                scope="campaigns:read",
                summary="All figures of a campaign",
                reply=CampaignFigures,
            ),
        )
    ),
)
