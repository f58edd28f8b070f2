"""How far a campaign got, and what became of each of its messages."""

from datetime import datetime

import attrs

from adapters_http import codec, replies, values
from adapters_http.context import Request, Response
from adapters_http.replies import PageOf
from adapters_http.resources import message_fields as fields
from adapters_http.resources.campaign_fields import campaign_shape, metrics_shape
from adapters_http.resources.campaign_shapes import CampaignStatusReply
from adapters_http.resources.message_fields import Message
from adapters_http.routing import Access, Route
from retail_core.campaigns.model import Campaign, CampaignState
from retail_core.campaigns.queries import CampaignQueries
from retail_core.kernel.ids import CampaignId
from retail_core.messages.queries import MessageFilter, MessageQueries


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
)
