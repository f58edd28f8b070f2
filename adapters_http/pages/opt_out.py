"""The page behind the link in a message (http-contract, 3.9). Opening it never changes anything."""

from collections.abc import Sequence
from enum import Enum
from http import HTTPStatus
from typing import Final

import attrs
import falcon

from adapters_http import codec
from adapters_http.contact_settings import FrontEnd
from adapters_http.context import Request, Response
from adapters_http.opt_out import (
    OptOutActions,
    OptOutPeople,
    OptOutReader,
    StoreFace,
    initial,
)
from adapters_http.pages import button, paragraph, show
from adapters_http.pages.opt_out_words import WORDS, OptOutWords
from adapters_http.pages.refusals import is_for_a_person
from adapters_http.resources.opt_out import ACTION_LIMITS, VIEW_LIMITS
from adapters_http.routing import HTML, Access, Route
from retail_core.accounts.model import Locale
from retail_core.contacts.errors import ContactGone, ContactSuppressed, InvalidToken
from retail_core.contacts.model import Contact
from retail_core.contacts.use_cases import OptOut, OptOutLink

PASSING: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
"""What is refused now may go through a little later."""


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
    actions: OptOutActions

    def on_get(self, req: Request, resp: Response, code: str) -> None:
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
            raise InvalidToken
        store = self._store(req, link)
        try:
            contact = self.people.contact(link)
        except ContactGone:
            if not is_for_a_person(req):
                raise
            _show_gone(resp, store)
            return
        _show_choice(resp, store, contact, is_asked=link.is_confirmation)

    def on_post(self, req: Request, resp: Response, code: str) -> None:
        """Do what the button says."""
        action = codec.body(req, ActionBody).action
        link = self.actions.link(req, resp, code)
        store = self._store(req, link)
        words = store.words
        try:
            if action is Action.RESUBSCRIBE:
                self.actions.start(req, resp, code, link, store)
                _show_done(resp, store, store.welcome(link), _stop_button(words))
            elif self.actions.stop(req, resp, code, link, store) is OptOut.GONE:
                _show_done(resp, store, words.gone)
            else:
                _show_done(resp, store, words.stopped, _start_button(words))
        except (ContactGone, ContactSuppressed) as refusal:
            if not is_for_a_person(req):
                raise
            if isinstance(refusal, ContactGone):
                _show_gone(resp, store)
            else:
                _show(resp, store, words.barred_title, words.barred, status=falcon.HTTP_409)

    def offer(self, req: Request, status: int, locale: Locale) -> Sequence[str]:
        """Stopping, where looking is refused for a while; and pressing again what did not work."""
        words = WORDS[locale]
        if status not in PASSING:
            return ()
        if req.method == "POST":
            action = req.context.document.get("action")
            is_start = action == Action.RESUBSCRIBE.value
            again = Action.RESUBSCRIBE if is_start else Action.UNSUBSCRIBE
            return (button(words.try_again, again.value),)
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            return (
                paragraph(words.stop_all_the_same),
                button(words.stop, Action.UNSUBSCRIBE.value),
            )
        return ()

    def _store(self, req: Request, link: OptOutLink) -> StoreFace:
        """The store; whatever is refused from here on is refused in its language."""
        store = self.people.store(link)
        req.context.locale = store.locale
        return store

    def _read(self, code: str) -> OptOutLink | None:
        try:
            return self.reader.read(code)
        except InvalidToken:
            return None


def _show_choice(resp: Response, store: StoreFace, contact: Contact, *, is_asked: bool) -> None:
    words = store.words
    letter = initial(contact.last_name)  # the full stop behind it ends the sentence
    person = " ".join(filter(None, (contact.first_name, letter)))
    addressed = [paragraph(words.addressed.replace("{person}", person), "note")] if person else []
    if contact.is_subscribed:
        stop = _stop_button(words, main=True)
        _show(resp, store, words.title, words.subscribed, *addressed, stop)
    elif is_asked:
        confirm = button(words.confirm, Action.RESUBSCRIBE.value)
        _show(resp, store, words.asked_title, words.asked, *addressed, confirm)
    else:
        _show(resp, store, words.title, words.unsubscribed, *addressed, _start_button(words))


def _show_done(resp: Response, store: StoreFace, text: str, *content: str) -> None:
    _show(resp, store, store.words.done_title, text, *content)


def _show_gone(resp: Response, store: StoreFace) -> None:
    words = store.words
    _show(resp, store, words.gone_title, words.gone, status=falcon.HTTP_404)


def _show(
    resp: Response,
    store: StoreFace,
    title: str,
    text: str,
    *content: str,
    status: str = falcon.HTTP_200,
) -> None:
    said = paragraph(store.say(text))
    show(resp, store.locale, title, said, *content, store=store.name, status=status)


def _stop_button(words: OptOutWords, *, main: bool = False) -> str:
    return button(words.stop, Action.UNSUBSCRIBE.value, is_other=not main)


def _start_button(words: OptOutWords) -> str:
    return button(words.start, Action.RESUBSCRIBE.value, is_other=True)


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
