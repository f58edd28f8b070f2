"""Pausing, resuming and cancelling campaigns."""

from typing import Final

import attrs

from adapters_http.resources.campaigns import shapes
from adapters_http.web import values
from adapters_http.web.context import Request, Response
from adapters_http.web.idempotency import once
from adapters_http.web.routing import Access, Route
from retail_core.audiences.errors import AudienceGone
from retail_core.campaigns.errors import (
    AlreadySending,
    MessageTooLong,
    NoMessageText,
    NoRecipients,
    NoValidSender,
    SubscriptionRequired,
    UnknownPlaceholder,
    WrongCampaignState,
)
from retail_core.campaigns.queries import CampaignQueries
from retail_core.campaigns.use_cases import (
    CancelCampaign,
    CancelledCampaign,
    PauseCampaign,
    ResumeCampaign,
)
from retail_core.credits.errors import InsufficientCredits
from retail_core.kernel.ids import CampaignId

STARTING_ERRORS: Final = (
    AlreadySending,
    AudienceGone,
    InsufficientCredits,
    MessageTooLong,
    NoMessageText,
    NoRecipients,
    NoValidSender,
    SubscriptionRequired,
    UnknownPlaceholder,
    WrongCampaignState,
)


@attrs.frozen
class CampaignPauses:
    """`/api/campaigns/{campaign_id}/pause`."""

    pause: PauseCampaign

    def on_post(self, req: Request, resp: Response, campaign_id: str) -> None:
        """Stop before the next gateway call."""
        paused = self.pause(req.account, _id(campaign_id))
        resp.media = _steered("paused", paused.counts.queued)


@attrs.frozen
class CampaignResumes:
    """`/api/campaigns/{campaign_id}/resume`."""

    queries: CampaignQueries
    resume: ResumeCampaign

    def on_post(self, req: Request, resp: Response, campaign_id: str) -> None:
        """Let it go on."""
        resumed = self.resume(req.account, _id(campaign_id), once(req))
        resp.media = _steered("sending", resumed.queued)

    def on_repeat(self, req: Request, resp: Response, effect: int, campaign_id: str) -> None:
        """The reply of the first request, with what remains by now."""
        del campaign_id
        campaign = self.queries.get(req.account, CampaignId(effect))
        resp.media = _steered("sending", campaign.counts.queued)


@attrs.frozen
class CampaignCancellations:
    """`/api/campaigns/{campaign_id}/cancel`."""

    cancel: CancelCampaign

    def on_post(self, req: Request, resp: Response, campaign_id: str) -> None:
        """Never send what still waits."""
        resp.media = _cancelled(self.cancel(req.account, _id(campaign_id), once(req)))

    def on_repeat(self, req: Request, resp: Response, effect: int, campaign_id: str) -> None:
        """The reply of the first request: cancelling again changes nothing."""
        del campaign_id
        resp.media = _cancelled(self.cancel(req.account, CampaignId(effect)))


def _id(text: str) -> CampaignId:
    return CampaignId(values.path_id(text))


def _steered(status: str, remaining: int) -> shapes.SteeredCampaign:
    return {"ok": True, "status": status, "remaining": remaining}


def _cancelled(cancelled: CancelledCampaign) -> shapes.CancelledCampaignReply:
    counts = cancelled.campaign.counts
    return {
        "ok": True,
        "status": "cancelled",
        "sent": counts.success,
        "cancelled": counts.cancelled,
        "creditsReleased": cancelled.credits_released,
    }


ROUTES = (
    Route(
        method="POST",
        path="/api/campaigns/{campaign_id}/pause",
        resource=CampaignPauses,
        access=Access.USER,
        scope="campaigns:write",
        summary="Pause a campaign",
        reply=shapes.SteeredCampaign,
        errors=(WrongCampaignState,),
    ),
    Route(
        method="POST",
        path="/api/campaigns/{campaign_id}/resume",
        resource=CampaignResumes,
        access=Access.USER,
        scope="campaigns:send",
        summary="Resume a paused campaign",
        reply=shapes.SteeredCampaign,
        errors=STARTING_ERRORS,
        once=True,
    ),
    Route(
        method="POST",
        path="/api/campaigns/{campaign_id}/cancel",
        resource=CampaignCancellations,
        access=Access.USER,
        scope="campaigns:write",
        summary="Cancel a campaign",
        reply=shapes.CancelledCampaignReply,
        errors=(WrongCampaignState,),
        once=True,
    ),
)
