"""The page behind the link in a message (docs/api.md, 3.9). Opening it never changes anything."""

from collections.abc import Sequence
from enum import Enum
from http import HTTPStatus
from typing import Final

import attrs
import falcon

from adapters_http.contact_settings import FrontEnd
from adapters_http.pages import button, paragraph, show
from adapters_http.pages.opt_out_words import WORDS, OptOutWords
from adapters_http.pages.refusals import is_for_a_person
from adapters_http.resources.contacts.opt_out import ACTION_LIMITS, VIEW_LIMITS
from adapters_http.resources.contacts.opt_out_links import (
    LinkPerson,
    OptOutActions,
    OptOutPeople,
    OptOutReader,
    StoreFace,
    masked,
)
from adapters_http.web import codec
from adapters_http.web.context import Request, Response
from adapters_http.web.routing import HTML, Access, Route
from retail_core.accounts.model import Locale
from retail_core.contacts.errors import ContactGone, ContactSuppressed, InvalidToken
from retail_core.contacts.model import OptOutLink
from retail_core.contacts.use_cases import OptOut

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
            person = self.people.person(link)
        except ContactGone:
            if not is_for_a_person(req):
                raise
            self._show_gone(resp, store, link)
            return
        _show_choice(resp, store, person, link)

    def on_post(self, req: Request, resp: Response, code: str) -> None:
        """Do what the button says."""
        action = codec.body(req, ActionBody).action
        link = self.actions.link(req, resp, code)
        store = self._store(req, link)
        words = store.words
        try:
            if action is Action.RESUBSCRIBE:
                self.actions.start(req, resp, code, link, store)
                _show_started(resp, store, link)
            else:
                out = self.actions.stop(req, resp, code, link, store)
                _show_stopped(resp, store, link, out)
        except (ContactGone, ContactSuppressed) as refusal:
            if not is_for_a_person(req):
                raise
            if isinstance(refusal, ContactGone):
                self._show_gone(resp, store, link)
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

    def _show_gone(self, resp: Response, store: StoreFace, link: OptOutLink) -> None:
        """Nobody has the number; whoever wants to be sure may bar it for later."""
        words, content = store.words, []
        if self.people.standing(link).barred_for:
            content = [paragraph(store.say(words.gone_barred))]
        elif link.names_a_number:
            content = [paragraph(store.say(words.gone_open), "note"), _stop_button(words)]
        _show(resp, store, words.gone_title, words.gone, *content, status=falcon.HTTP_404)

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


def _show_choice(resp: Response, store: StoreFace, person: LinkPerson, link: OptOutLink) -> None:
    words = store.words
    # a full stop behind the initial ends the sentence
    name = " ".join(filter(None, (person.first_name, person.last_name_initial)))
    known_by = ", ".join(filter(None, (name, person.number)))
    addressed = words.addressed.replace("{person}", known_by)
    below = [paragraph(addressed, "note")] if known_by else []
    if link.is_test:
        below.append(paragraph(words.test, "test"))
    if person.receives:
        stop = _stop_button(words, main=True)
        _show(resp, store, words.title, words.subscribed, *below, stop)
    elif link.is_confirmation:
        confirm = button(words.confirm, Action.RESUBSCRIBE.value)
        _show(resp, store, words.asked_title, words.asked, *below, confirm)
    else:
        _show(resp, store, words.title, words.unsubscribed, *below, _start_button(words))


def _show_stopped(resp: Response, store: StoreFace, link: OptOutLink, out: OptOut) -> None:
    words = store.words
    title = words.test_title if out is OptOut.TEST else words.done_title
    content = _number_of(link, words)
    if out in (OptOut.DONE, OptOut.ALREADY):
        content.append(_start_button(words))
    _show(resp, store, title, store.farewell(out), *content)


def _show_started(resp: Response, store: StoreFace, link: OptOutLink) -> None:
    words = store.words
    if link.is_test:
        _show(resp, store, words.test_title, words.tried)
    else:
        content = [*_number_of(link, words), _stop_button(words)]
        _show(resp, store, words.done_title, store.welcome(link), *content)


def _number_of(link: OptOutLink, words: OptOutWords) -> list[str]:
    number = masked(link.phone)
    return [paragraph(words.number.replace("{number}", number), "note")] if number else []


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
