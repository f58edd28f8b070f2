"""Asking the SMS gateway what became of messages of the caller's own log (docs/api.md, 3.13)."""

import re
from collections.abc import Sequence
from typing import Annotated, Final, NotRequired, TypedDict

import attrs

from adapters_http.web import codec, values
from adapters_http.web.context import Request, Response
from adapters_http.web.fields import Items
from adapters_http.web.routing import Access, Route
from retail_core.campaigns.queries import CampaignQueries
from retail_core.kernel.errors import InvalidField, NotFound, RuleViolation
from retail_core.kernel.ids import CampaignId, ProviderId
from retail_core.messages.errors import GatewayUnavailable, MessageNotFound
from retail_core.messages.model import GatewayMessage, MessageKey
from retail_core.messages.use_cases import RefreshMessages, ShowGatewayMessage
from retail_core.messages.use_cases.looking_up import (
    REFRESHED_PER_CALL_MAX,
    RefreshedMessage,
    summed_up,
)

_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,128}")


@attrs.frozen(kw_only=True)
class RefreshBody:
    """Which message."""

    provider_message_id: str


@attrs.frozen(kw_only=True)
class RefreshManyBody:
    """Which messages: those of a campaign that have no final state, or these."""

    campaign_id: int | None = None
    provider_message_ids: Annotated[tuple[str, ...], Items(1, REFRESHED_PER_CALL_MAX)] | None = None


class ToldMessage(TypedDict):
    """What the gateway says about a message, in its own words."""

    messageId: str
    text: object
    sender: object
    conversation: object
    createdAt: object
    updatedAt: object
    trafficAccountId: object
    deliveryStatus: object
    messageParts: int
    requestInfo: object
    rawResponse: object


class RefreshedCampaign(TypedDict):
    """How many messages were asked about, how many changed, how many could not be asked."""

    campaignId: int
    refreshed: int
    updated: int
    errors: int


class RefreshedStatus(TypedDict):
    """What became of a message."""

    updated: int
    status: ToldMessage
    internalStatus: str | None
    affectedCampaignIds: Sequence[int]


class RefreshResult(TypedDict):
    """Whether one message could be asked about."""

    providerMessageId: str
    success: bool
    code: NotRequired[str]
    message: NotRequired[str]


class RefreshedMany(TypedDict):
    """What became of many messages."""

    total: int
    updated: int
    failed: int
    results: list[RefreshResult]


@attrs.frozen
class CampaignRefreshes:
    """`/api/campaigns/{campaign_id}/refresh-status`."""

    campaigns: CampaignQueries
    refresh: RefreshMessages

    def on_post(self, req: Request, resp: Response, campaign_id: str) -> None:
        """Ask about messages without a final state, the oldest asked first."""
        campaign = self.campaigns.get(req.account, CampaignId(values.path_id(campaign_id)))
        done = summed_up(self.refresh.of_campaign(req.account, campaign.id))
        shown: RefreshedCampaign = {
            "campaignId": campaign.id,
            "refreshed": done.refreshed,
            "updated": done.updated,
            "errors": done.errors,
        }
        resp.media = shown


@attrs.frozen
class GatewayMessages:
    """`/api/mitto/message/{provider_message_id}`."""

    show: ShowGatewayMessage

    def on_get(self, req: Request, resp: Response, provider_message_id: str) -> None:
        """What the gateway says about a message; changes nothing."""
        resp.media = _told(self.show(req.account, _provider_id(provider_message_id, "messageId")))


@attrs.frozen
class StatusRefreshes:
    """`/api/mitto/refresh-status`."""

    refresh: RefreshMessages

    def on_post(self, req: Request, resp: Response) -> None:
        """Ask about one message and apply the answer."""
        asked = codec.body(req, RefreshBody)
        provider_id = _provider_id(asked.provider_message_id, "providerMessageId")
        (done,) = self.refresh.by_provider_ids(req.account, [provider_id])
        if done.found is None or (done.asked and done.answer is None):
            raise MessageNotFound
        if done.answer is None:
            raise GatewayUnavailable
        shown: RefreshedStatus = {
            "updated": int(done.changed),
            "status": _told(done.answer),
            "internalStatus": None if done.state is None else done.state.word,
            "affectedCampaignIds": _campaigns(done.found.message),
        }
        resp.media = shown


@attrs.frozen
class BulkStatusRefreshes:
    """`/api/mitto/refresh-status-bulk`."""

    campaigns: CampaignQueries
    refresh: RefreshMessages

    def on_post(self, req: Request, resp: Response) -> None:
        """Ask about many messages; each has a result of its own."""
        results = [_result(each) for each in self._refreshed(req)]
        failed = sum(not each["success"] for each in results)
        shown: RefreshedMany = {
            "total": len(results),
            "updated": len(results) - failed,
            "failed": failed,
            "results": results,
        }
        resp.media = shown

    def _refreshed(self, req: Request) -> Sequence[RefreshedMessage]:
        asked = codec.body(req, RefreshManyBody)
        if asked.campaign_id is not None:
            campaign_id = CampaignId(values.path_id(str(asked.campaign_id), name="campaignId"))
            campaign = self.campaigns.get(req.account, campaign_id)
            return self.refresh.of_campaign(req.account, campaign.id)
        if asked.provider_message_ids is None:
            raise RuleViolation("Send campaignId or providerMessageIds.")
        ids = [
            _provider_id(each, f"providerMessageIds[{position}]")
            for position, each in enumerate(asked.provider_message_ids)
        ]
        return self.refresh.by_provider_ids(req.account, ids)


def _provider_id(text: str, path: str) -> ProviderId:
    """Raises InvalidField for what is no id of the gateway's."""
    if not _ID.fullmatch(text):
        raise InvalidField(path, "is not the id of a message")
    return ProviderId(text)


def _campaigns(message: MessageKey) -> Sequence[CampaignId]:
    """A single message is counted in no campaign."""
    return [] if message.is_single else [message.campaign]


def _told(message: GatewayMessage) -> ToldMessage:
    """What the gateway says, under its own names."""
    return {
        "messageId": message.provider_id,
        "text": message.raw.get("text"),
        "sender": message.raw.get("sender"),
        "conversation": message.raw.get("conversation"),
        "createdAt": message.raw.get("createdAt"),
        "updatedAt": message.raw.get("updatedAt"),
        "trafficAccountId": message.raw.get("trafficAccountId"),
        "deliveryStatus": message.raw.get("deliveryStatus"),
        "messageParts": message.parts,
        "requestInfo": message.raw.get("requestInfo"),
        "rawResponse": message.raw,
    }


def _result(message: RefreshedMessage) -> RefreshResult:
    """Whether the gateway could be asked, and if not, why."""
    result: RefreshResult = {
        "providerMessageId": message.provider_id,
        "success": message.answer is not None,
    }
    if message.found is None:
        result["code"] = MessageNotFound.code
        result["message"] = "No such message in your log."
    elif message.answer is None:
        reason = "does not know it" if message.asked else "does not answer now"
        result["code"] = "REFRESH_FAILED"
        result["message"] = f"The gateway {reason}."
    return result


ROUTES = (
    Route(
        method="POST",
        path="/api/campaigns/{campaign_id}/refresh-status",
        resource=CampaignRefreshes,
        access=Access.USER,
        scope="campaigns:write",
        summary="Ask the gateway about a campaign's messages",
        reply=RefreshedCampaign,
    ),
    Route(
        method="GET",
        path="/api/mitto/message/{provider_message_id}",
        resource=GatewayMessages,
        access=Access.USER,
        scope="messages:read",
        summary="Show what the gateway says about a message",
        reply=ToldMessage,
        errors=(MessageNotFound,),
    ),
    Route(
        method="POST",
        path="/api/mitto/refresh-status",
        resource=StatusRefreshes,
        access=Access.USER,
        scope="messages:read",
        summary="Ask the gateway about a message",
        body=RefreshBody,
        reply=RefreshedStatus,
        errors=(MessageNotFound,),
    ),
    Route(
        method="POST",
        path="/api/mitto/refresh-status-bulk",
        resource=BulkStatusRefreshes,
        access=Access.USER,
        scope="messages:read",
        summary="Ask the gateway about many messages",
        body=RefreshManyBody,
        reply=RefreshedMany,
        errors=(NotFound,),
        example={"providerMessageIds": ["a1b2"]},
    ),
)
