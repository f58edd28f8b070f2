"""Sending a campaign's text to a few numbers, to try it."""

import contextlib
from collections.abc import Sequence
from typing import Annotated

import attrs

from adapters_http.resources.campaigns.shapes import TestSendReply
from adapters_http.web import codec, values
from adapters_http.web.context import Request, Response
from adapters_http.web.fields import Described
from adapters_http.web.idempotency import once
from adapters_http.web.routing import Access, Route
from retail_core.campaigns.errors import (
    InvalidTestNumbers,
    MessageTooLong,
    NoMessageText,
    NoValidSender,
    SubscriptionRequired,
    UnknownPlaceholder,
)
from retail_core.campaigns.use_cases import TEST_NUMBERS_MAX, PlannedTests, PlanTestMessages
from retail_core.contacts.errors import ContactSuppressed
from retail_core.credits.errors import InsufficientCredits
from retail_core.kernel.errors import InvalidField, Unavailable
from retail_core.kernel.ids import CampaignId, ContactId, MessageNumber
from retail_core.messages.model import MessageState
from retail_core.messages.queries import MessageQueries, MessageRecord
from retail_core.messages.use_cases import SendSingleMessages

_PAID = frozenset({MessageState.SENT, MessageState.DELIVERED})


_NUMBERS = {
    "anyOf": [
        {"type": ["string", "integer"]},
        {
            "type": "array",
            "items": {"type": ["string", "integer"]},
            "minItems": 1,
            "maxItems": TEST_NUMBERS_MAX,
        },
    ]
}


@attrs.frozen(kw_only=True)
class TestSendBody:
    """Where to, and whose data fill the text; without a contact, those of nobody."""

    __test__ = False

    to: Annotated[object, Described(schema=_NUMBERS, example="+306900000001")] = attrs.field(
        repr=False
    )
    contact_id: int | None = None


@attrs.frozen
class CampaignTests:
    """`/api/campaigns/{campaign_id}/test-send`."""

    plan: PlanTestMessages
    send: SendSingleMessages
    messages: MessageQueries

    def on_post(self, req: Request, resp: Response, campaign_id: str) -> None:
        """Plan them, hand them over at once, tell what became of each."""
        body = codec.body(req, TestSendBody)
        contact = None if body.contact_id is None else ContactId(body.contact_id)
        campaign = CampaignId(values.path_id(campaign_id))
        tests = self.plan(req.account, campaign, _numbers(body.to), contact, once(req))
        with contextlib.suppress(Unavailable):  # then a worker will, a minute later
            self.send.send(req.account, tests.numbers)
        resp.media = _sent(self.messages.of_occasions(req.account, tests.occasions))

    def on_repeat(self, req: Request, resp: Response, effect: int, campaign_id: str) -> None:
        """The reply of the first request, with what became of the messages by now."""
        del campaign_id
        occasions = PlannedTests(MessageNumber(effect)).occasions
        resp.media = _sent(self.messages.of_occasions(req.account, occasions))


def _numbers(to: object) -> Sequence[str]:
    """One number, or up to five; a JSON number stands for its digits. Raises `InvalidField`."""
    several = to if isinstance(to, list | tuple) else [to]
    if not 1 <= len(several) <= TEST_NUMBERS_MAX:
        raise InvalidField("to", f"must have 1 to {TEST_NUMBERS_MAX} numbers")
    for place, each in enumerate(several):
        if isinstance(each, bool) or not isinstance(each, str | int):
            path = f"to[{place}]" if several is to else "to"
            raise InvalidField(path, "must be a number as text")
    return [str(each) for each in several]


def _sent(records: Sequence[MessageRecord]) -> TestSendReply:
    return {
        "ok": True,
        "sent": [
            {
                "to": record.phone,
                "messageId": record.number,
                "text": record.text,
                "encoding": None if record.encoding is None else record.encoding.word,
                "segments": record.parts,
                "credits": record.credits,
                "status": record.state.word,
            }
            for record in records
        ],
        "creditsCharged": sum(record.credits or 0 for record in records if record.state in _PAID),
    }


ROUTES = (
    Route(
        method="POST",
        path="/api/campaigns/{campaign_id}/test-send",
        resource=CampaignTests,
        access=Access.USER,
        scope="campaigns:send",
        limits=("test-send-user",),
        summary="Send a campaign's text to a few numbers",
        body=TestSendBody,
        reply=TestSendReply,
        errors=(
            ContactSuppressed,
            InsufficientCredits,
            InvalidTestNumbers,
            MessageTooLong,
            NoMessageText,
            NoValidSender,
            SubscriptionRequired,
            UnknownPlaceholder,
        ),
        once=True,
    ),
)
