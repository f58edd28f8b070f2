"""The way out, and back in, for people without a login (docs/api.md, 3.2)."""

from typing import Final, TypedDict

import attrs

from adapters_http.resources.contacts.opt_out_links import OptOutActions, OptOutPeople, OptOutReader
from adapters_http.web import codec
from adapters_http.web.context import Request, Response
from adapters_http.web.routing import Access, Route
from retail_core.contacts.errors import ContactGone, ContactSuppressed, InvalidToken
from retail_core.contacts.use_cases import OptOut
from retail_core.kernel.errors import InvalidField

VIEW_LIMITS: Final = ("opt-out-view-ip",)
NOBODY_THERE: Final = frozenset({OptOut.BARRED, OptOut.GONE})
"""No contact has the number of the link."""

ACTION_LIMITS: Final = ("opt-out-invalid-ip", "opt-out-change-token")


@attrs.frozen
class TokenBody:
    """A token or a code, under either name."""

    token: str | None = attrs.field(default=None, repr=False)
    page_token: str | None = attrs.field(default=None, repr=False)

    @property
    def text(self) -> str:
        """What was given. Raises InvalidField."""
        text = self.token or self.page_token
        if not text:
            raise InvalidField("token", "is required")
        return text


class OptOutStatus(TypedDict):
    """Whom a link is for."""

    ok: bool
    token: str
    contactId: int
    storeId: int
    storeName: str
    isSubscribed: bool
    message: str


class NamedStore(TypedDict):
    """The store, as its customers know it."""

    name: str


class NamedPerson(TypedDict):
    """As much of a name as anybody may see who has the link."""

    firstName: str | None
    lastNameInitial: str | None


class PreferencesReply(TypedDict):
    """What a person receives."""

    storeName: str
    isSubscribed: bool
    store: NamedStore
    contact: NamedPerson


class OptOutReply(TypedDict):
    """It is done; the store has no name where nobody has the number of the link any more."""

    ok: bool
    message: str
    storeName: str | None


@attrs.frozen
class UnsubscribeStatus:
    """`/api/contacts/unsubscribe/:token`."""

    reader: OptOutReader
    people: OptOutPeople

    def on_get(self, _req: Request, resp: Response, token: str) -> None:
        """Show whom a link is for; changes nothing."""
        link = self.reader.read(token)
        person, store = self.people.person(link), self.people.store(link)
        words = store.words
        message = words.subscribed if person.receives else words.unsubscribed
        shown: OptOutStatus = {
            "ok": True,
            "token": token,
            "contactId": person.contact,
            "storeId": link.account,
            "storeName": store.name,
            "isSubscribed": person.receives,
            "message": store.say(words.test if link.is_test else message),
        }
        resp.media = shown


@attrs.frozen
class Preferences:
    """`/api/contacts/preferences/:token`."""

    reader: OptOutReader
    people: OptOutPeople

    def on_get(self, _req: Request, resp: Response, token: str) -> None:
        """Show what the person receives."""
        link = self.reader.read(token)
        person, store = self.people.person(link), self.people.store(link)
        shown: PreferencesReply = {
            "storeName": store.name,
            "isSubscribed": person.receives,
            "store": {"name": store.name},
            "contact": {
                "firstName": person.first_name,
                "lastNameInitial": person.last_name_initial,
            },
        }
        resp.media = shown


@attrs.frozen
class Unsubscriptions:
    """`/api/contacts/unsubscribe`."""

    people: OptOutPeople
    actions: OptOutActions

    def on_post(self, req: Request, resp: Response) -> None:
        """Take a person out."""
        text = codec.body(req, TokenBody).text
        link = self.actions.link(req, resp, text)
        store = self.people.store(link)
        out = self.actions.stop(req, resp, text, link, store)
        done: OptOutReply = {
            "ok": True,
            "message": store.farewell(out),
            "storeName": None if out in NOBODY_THERE else store.name,
        }
        resp.media = done


@attrs.frozen
class Resubscriptions:
    """`/api/contacts/resubscribe`."""

    people: OptOutPeople
    actions: OptOutActions

    def on_post(self, req: Request, resp: Response) -> None:
        """Take a person in again."""
        text = codec.body(req, TokenBody).text
        link = self.actions.link(req, resp, text)
        store = self.people.store(link)
        self.actions.start(req, resp, text, link, store)
        message = store.words.tried if link.is_test else store.say(store.welcome(link))
        done: OptOutReply = {"ok": True, "message": message, "storeName": store.name}
        resp.media = done


ROUTES: Final = (
    Route(
        method="GET",
        path="/api/contacts/unsubscribe/{token}",
        resource=UnsubscribeStatus,
        access=Access.PUBLIC,
        summary="Show whom an opt-out link is for",
        reply=OptOutStatus,
        errors=(InvalidToken, ContactGone),
        limits=VIEW_LIMITS,
        no_store=True,
    ),
    Route(
        method="GET",
        path="/api/contacts/preferences/{token}",
        resource=Preferences,
        access=Access.PUBLIC,
        summary="Show what the person of an opt-out link receives",
        reply=PreferencesReply,
        errors=(InvalidToken, ContactGone),
        limits=VIEW_LIMITS,
        no_store=True,
    ),
    Route(
        method="POST",
        path="/api/contacts/unsubscribe",
        resource=Unsubscriptions,
        access=Access.PUBLIC,
        summary="Opt out",
        reply=OptOutReply,
        errors=(InvalidToken,),
        limits=ACTION_LIMITS,
        body=TokenBody,
        example={"pageToken": "q3V9xK2mPzA"},
        no_store=True,
    ),
    Route(
        method="POST",
        path="/api/contacts/resubscribe",
        resource=Resubscriptions,
        access=Access.PUBLIC,
        summary="Opt in again",
        reply=OptOutReply,
        errors=(InvalidToken, ContactGone, ContactSuppressed),
        limits=ACTION_LIMITS,
        body=TokenBody,
        example={"pageToken": "q3V9xK2mPzA"},
        no_store=True,
    ),
)
