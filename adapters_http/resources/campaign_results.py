"""How far a campaign got, and what became of each of its messages."""

import re
from typing import Final

import attrs

from adapters_http import codec, replies, values
from adapters_http.context import Request, Response
from adapters_http.resources import campaign_fields as fields
from adapters_http.routing import Access, Route
from retail_core.campaigns.queries import CampaignQueries
from retail_core.kernel.errors import InvalidField
from retail_core.kernel.ids import CampaignId
from retail_core.kernel.phones import country_of
from retail_core.links.codes import LinkCodes
from retail_core.messages.composing import text_of
from retail_core.messages.model import MessageKind, MessageState
from retail_core.messages.queries import MessageFilter, MessageQueries, MessageRecord

PAGE_SIZE = 50
PAGE_SIZE_MAX = 200
_BETWEEN_DIGITS: Final = re.compile(r"[ ()./-]")
_STATES: Final = {
    state.word: state for state in MessageState if state is not MessageState.SUBMITTING
}


@attrs.frozen
class CampaignStatus:
    """`/api/campaigns/{campaign_id}/status`."""

    queries: CampaignQueries

    def on_get(self, req: Request, resp: Response, campaign_id: str) -> None:
        """Counts of recipients by state, and of credits."""
        campaign = self.queries.get(req.account, CampaignId(values.path_id(campaign_id)))
        resp.media = {
            "campaign": fields.campaign_shape(campaign),
            "metrics": fields.metrics_shape(campaign),
            "credits": attrs.asdict(campaign.credits),
            "deferredUntil": None,
        }


@attrs.frozen(kw_only=True)
class CampaignMessagesQuery:
    """Which messages of a campaign are wanted."""

    status: str | None = None
    q: str | None = None
    include_tests: bool = False


@attrs.frozen
class CampaignMessages:
    """`/api/campaigns/{campaign_id}/messages`."""

    campaigns: CampaignQueries
    messages: MessageQueries
    codes: LinkCodes

    def on_get(self, req: Request, resp: Response, campaign_id: str) -> None:
        """A page of messages, the newest first."""
        asked = codec.query(req, CampaignMessagesQuery)
        campaign = self.campaigns.get(req.account, CampaignId(values.path_id(campaign_id)))
        request = values.page(req, PAGE_SIZE, PAGE_SIZE_MAX)
        page = self.messages.of_campaign(req.account, campaign.id, _wanted(asked), request)
        resp.media = replies.page(page, self._message)

    def _message(self, record: MessageRecord) -> dict[str, object]:
        """Message."""
        waiting = record.state is MessageState.QUEUED
        gone = record.phone is None
        return {
            "id": record.number,
            "kind": record.kind.value,
            "isTest": record.kind is MessageKind.TEST,
            "campaignId": record.campaign,
            "automationId": None,
            "contactId": record.contact,
            "contact": None if record.contact is None else _names(record),
            "to": record.phone,
            "sender": record.sender,
            "text": None if waiting or gone else self._text(record),
            "status": record.state.word,
            "errorCode": record.error_code,
            "error": record.error,
            "encoding": None if waiting or record.encoding is None else record.encoding.word,
            "segments": None if waiting else record.parts,
            "credits": None if waiting else record.credits,
            "country": country_of(record.phone) if record.phone else None,
            "trackingId": self.codes.tracking_id(record.number),
            "providerMessageId": record.provider_id,
            "createdAt": record.created_at,
            "sentAt": record.sent_at,
            "deliveredAt": record.delivered_at,
            "failedAt": record.failed_at,
            "updatedAt": record.updated_at,
        }

    def _text(self, record: MessageRecord) -> str | None:
        """As it was sent; of a campaign's message it is made again."""
        if record.plan is None:
            return record.text
        merge_values = (record.first_name, record.last_name, record.email)
        return text_of(record.plan, self.codes, record.number, *merge_values)


def _names(record: MessageRecord) -> dict[str, object]:
    return {"firstName": record.contact_first_name, "lastName": record.contact_last_name}


def _wanted(asked: CampaignMessagesQuery) -> MessageFilter:
    if asked.status is not None and asked.status not in _STATES:
        raise InvalidField("status", "must be one of " + ", ".join(_STATES))
    state = _STATES[asked.status] if asked.status else None
    return MessageFilter(state, _digits(asked.q), asked.include_tests)


def _digits(written: str | None) -> str | None:
    """The digits of a number as people write it, or of a part of one."""
    if written is None:
        return None
    digits = _BETWEEN_DIGITS.sub("", written.removeprefix("+"))
    if not (digits.isascii() and digits.isdigit()):
        raise InvalidField("q", "must be digits of the number")
    return digits


ROUTES = (
    Route(
        method="GET",
        path="/api/campaigns/{campaign_id}/status",
        resource=CampaignStatus,
        access=Access.USER,
        scope="campaigns:read",
        summary="How far a campaign got",
    ),
    Route(
        method="GET",
        path="/api/campaigns/{campaign_id}/messages",
        resource=CampaignMessages,
        access=Access.USER,
        scope="messages:read",
        summary="List the messages of a campaign",
        query=CampaignMessagesQuery,
    ),
)
