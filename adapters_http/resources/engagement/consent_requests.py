"""Asking a contact by SMS to confirm their consent (in the style of docs/api.md, 3.2)."""

from datetime import datetime
from typing import Annotated, Final, Literal, TypedDict

import attrs

from adapters_http.resources.accounts.profile import LocaleWord, locale_of
from adapters_http.resources.contacts.contacts import WRITE_LIMITS, actor
from adapters_http.web import codec, values
from adapters_http.web.context import Request, Response
from adapters_http.web.fields import Characters
from adapters_http.web.idempotency import once
from adapters_http.web.routing import Access, Route
from retail_core.contacts.errors import ContactNotFound, ContactSuppressed
from retail_core.contacts.model.values import CONSENT_SOURCE_LENGTH_MAX
from retail_core.credits.errors import InsufficientCredits
from retail_core.engagement.errors import (
    AlreadySubscribed,
    AskedTooOften,
    CannotBeAsked,
    NoSenderName,
    NotSubscribedToPlan,
    StoreAskedTooMany,
)
from retail_core.engagement.model import LAPSES_AFTER, ShownConsent
from retail_core.engagement.use_cases import RequestConsent, occasion_of
from retail_core.kernel.ids import AccountId, ContactId, MessageNumber
from retail_core.messages.queries import MessageQueries

CONSENT_TEXT_LENGTH_MAX: Final = 1_000


@attrs.frozen(kw_only=True)
class RequestConsentBody:
    """What the person was told, where they asked for it, and the language of the SMS."""

    consent_text: Annotated[str, Characters(0, CONSENT_TEXT_LENGTH_MAX)] | None = attrs.field(
        default=None, repr=False
    )
    consent_source: Annotated[str, Characters(0, CONSENT_SOURCE_LENGTH_MAX)] | None = attrs.field(
        default=None, repr=False
    )
    language: LocaleWord | None = None


class ConsentRequestReply(TypedDict):
    """A confirmation is on its way; from `lapsesAt` on it is not sent any more."""

    ok: Literal[True]
    messageId: int
    status: str
    lapsesAt: datetime


@attrs.frozen
class ContactConsentRequests:
    """`/api/contacts/:id/request-consent`."""

    request: RequestConsent
    messages: MessageQueries

    def on_post(self, req: Request, resp: Response, contact_id: str) -> None:
        """Ask a contact to confirm."""
        body, wanted = codec.body(req, RequestConsentBody), ContactId(values.path_id(contact_id))
        who = actor(req)
        shown = ShownConsent(
            source=who.source,
            text=body.consent_text or None,
            statement=body.consent_source or None,
            locale=None if body.language is None else locale_of(body.language),
            actor=who.account,
        )
        number = self.request(req.account, wanted, shown, once(req))
        self.on_repeat(req, resp, number)

    def on_repeat(self, req: Request, resp: Response, effect: int, **_params: str) -> None:
        """The reply of the first request, with what became of the message by now."""
        resp.status_code = 202
        resp.media = self._reply(req.account, MessageNumber(effect))

    def _reply(self, account: AccountId, number: MessageNumber) -> ConsentRequestReply:
        found = self.messages.of_occasions(account, [occasion_of(number)])
        if not found:
            raise ContactNotFound
        [message] = found
        return {
            "ok": True,
            "messageId": message.number,
            "status": message.state.word,
            "lapsesAt": message.created_at + LAPSES_AFTER,
        }


ROUTES: Final = (
    Route(
        method="POST",
        path="/api/contacts/{contact_id}/request-consent",
        resource=ContactConsentRequests,
        access=Access.USER,
        scope="contacts:write",
        summary="Ask a contact by SMS to confirm their consent",
        limits=WRITE_LIMITS,
        body=RequestConsentBody,
        reply=ConsentRequestReply,
        status=202,
        errors=(
            AlreadySubscribed,
            AskedTooOften,
            CannotBeAsked,
            ContactSuppressed,
            InsufficientCredits,
            NoSenderName,
            NotSubscribedToPlan,
            StoreAskedTooMany,
        ),
        once=True,
    ),
)
