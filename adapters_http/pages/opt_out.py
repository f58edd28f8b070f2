"""The page behind the link in a message (http-contract, 3.9). Opening it never changes anything."""

from enum import Enum
from typing import Final

import attrs
import falcon

from adapters_http import codec
from adapters_http.contact_settings import FrontEnd
from adapters_http.context import Request, Response
from adapters_http.opt_out import OptOutPeople, OptOutReader, StoreFace, client_of, initial
from adapters_http.pages import button, paragraph, show
from adapters_http.resources.opt_out import ACTION_LIMITS, VIEW_LIMITS
from adapters_http.routing import HTML, Access, Route
from retail_core.accounts.model import Locale
from retail_core.contacts.errors import ContactGone, ContactSuppressed, InvalidToken
from retail_core.contacts.model import Contact
from retail_core.contacts.use_cases import OptOutLink, Resubscribe, Unsubscribe

NOBODY: Final = StoreFace("", Locale.EN)


class Action(Enum):
    """What the one button does."""

    UNSUBSCRIBE = "unsubscribe"
    RESUBSCRIBE = "resubscribe"


@attrs.frozen
class ActionBody:
    """The form's field."""

    action: Action = Action.UNSUBSCRIBE


@attrs.frozen
class OptOutPage:
    """`/u/:code`, and the forms of links that older messages carry."""

    reader: OptOutReader
    people: OptOutPeople
    front_end: FrontEnd
    unsubscribe: Unsubscribe
    resubscribe: Resubscribe

    def on_get(self, _req: Request, resp: Response, code: str) -> None:
        """The web client's page if there is one, else ours."""
        link = self._read(code)
        confirms = link is not None and link.is_confirmation
        location = self.front_end.page(code, is_confirmation=confirms)
        if location is not None:
            resp.status = falcon.HTTP_302
            resp.location = location
            resp.set_header("Cache-Control", "no-store")
            return
        if link is None:
            _show_invalid(resp)
            return
        store = self.people.store(link)
        try:
            contact = self.people.contact(link)
        except ContactGone:
            _show_gone(resp, store)
            return
        _show_choice(resp, store, contact, is_asked=link.is_confirmation)

    def on_post(self, req: Request, resp: Response, code: str) -> None:
        """Do what the button says."""
        action = codec.body(req, ActionBody).action
        link = self._read(code)
        if link is None:
            _show_invalid(resp)
            return
        store = self.people.store(link)
        try:
            done = self._act(req, link, store, action)
        except ContactGone:
            _show_gone(resp, store)
        except ContactSuppressed:
            _show_text(resp, store, store.words.barred, falcon.HTTP_409)
        else:
            _show_text(resp, store, done)

    def _act(self, req: Request, link: OptOutLink, store: StoreFace, action: Action) -> str:
        client = client_of(req, store.locale)
        if action is Action.RESUBSCRIBE:
            self.resubscribe(link, client)
            return store.welcome(link)
        was_there = self.unsubscribe(link, client)
        return store.words.stopped if was_there else store.words.gone

    def _read(self, code: str) -> OptOutLink | None:
        try:
            return self.reader.read(code)
        except InvalidToken:
            return None


def _show_choice(resp: Response, store: StoreFace, contact: Contact, *, is_asked: bool) -> None:
    words = store.words
    told, start = (words.asked, words.confirm) if is_asked else (words.unsubscribed, words.start)
    letter = initial(contact.last_name)  # the full stop behind it ends the sentence
    person = " ".join(filter(None, (contact.first_name, letter)))
    subscribed = contact.is_subscribed
    show(
        resp,
        store.locale,
        store.say(words.title),
        *([paragraph(words.addressed.replace("{person}", person))] if person else []),
        paragraph(store.say(words.subscribed if subscribed else told)),
        button(words.stop, Action.UNSUBSCRIBE.value)
        if subscribed
        else button(start, Action.RESUBSCRIBE.value),
    )


def _show_text(resp: Response, store: StoreFace, text: str, status: str = falcon.HTTP_200) -> None:
    content = paragraph(store.say(text))
    show(resp, store.locale, store.say(store.words.title), content, status=status)


def _show_invalid(resp: Response) -> None:
    words = NOBODY.words
    show(
        resp,
        NOBODY.locale,
        words.invalid_title,
        paragraph(words.invalid),
        status=falcon.HTTP_400,
    )


def _show_gone(resp: Response, store: StoreFace) -> None:
    words = store.words
    show(resp, store.locale, words.gone_title, paragraph(words.gone), status=falcon.HTTP_404)


def _routes(path: str) -> tuple[Route, Route]:
    return (
        Route(
            method="GET",
            path=path,
            resource=OptOutPage,
            access=Access.PUBLIC,
            summary="The page of an opt-out link",
            limits=VIEW_LIMITS,
            media=(HTML,),
            statuses=(302,),
            errors=(InvalidToken, ContactGone),
            no_store=True,
        ),
        Route(
            method="POST",
            path=path,
            resource=OptOutPage,
            access=Access.PUBLIC,
            summary="Opt out, or in again, from the page",
            limits=ACTION_LIMITS,
            body=ActionBody,
            media=(HTML,),
            errors=(InvalidToken, ContactGone, ContactSuppressed),
            example={"action": Action.UNSUBSCRIBE.value},
            no_store=True,
        ),
    )


ROUTES: Final = (
    *_routes("/u/{code}"),
    *_routes("/unsubscribe/{code}"),
    *_routes("/retail/unsubscribe/{code}"),
)
