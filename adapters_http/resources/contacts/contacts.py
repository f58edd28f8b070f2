"""Contacts and the history of their consent (docs/api.md, 3.2)."""

import functools
from typing import Final, TypeVar

import attrs

from adapters_http.resources.accounts.auth import OkReply
from adapters_http.resources.contacts.filters import ContactFilters, ContactListQuery
from adapters_http.resources.contacts.shapes import Consent, Contact, consent_shape, contact_shape
from adapters_http.web import codec, replies, values
from adapters_http.web.context import Request, Response
from adapters_http.web.fields import PhoneText
from adapters_http.web.idempotency import once
from adapters_http.web.replies import PageOf
from adapters_http.web.routing import Access, Paging, Route
from retail_core.accounts.queries import AccountQueries
from retail_core.contacts.errors import (
    ConsentRequired,
    ContactNotFound,
    InvalidBirthday,
    InvalidEmail,
    InvalidGender,
    InvalidPhone,
    PhoneTaken,
)
from retail_core.contacts.model import (
    KEEP,
    ConsentSource,
    ContactChanges,
    ContactForm,
    Keep,
)
from retail_core.contacts.queries import ContactQueries
from retail_core.contacts.use_cases import Actor, CreateContact, DeleteContact, UpdateContact
from retail_core.kernel.errors import NotFound, Unauthenticated
from retail_core.kernel.ids import AccountId, ContactId

Value = TypeVar("Value")

PAGE_SIZE: Final = 20
PAGE_SIZE_MAX: Final = 100
CONSENTS_PAGE_SIZE: Final = 50
CONSENTS_PAGE_SIZE_MAX: Final = 200
WRITE_LIMITS: Final = ("contacts-write",)
BAD_VALUES: Final = (InvalidPhone, InvalidEmail, InvalidGender, InvalidBirthday)


@attrs.frozen(kw_only=True)
class ContactBody:
    """What a new contact is made of."""

    phone: PhoneText = attrs.field(repr=False)
    email: str | None = attrs.field(default=None, repr=False)
    first_name: str | None = attrs.field(default=None, repr=False)
    last_name: str | None = attrs.field(default=None, repr=False)
    gender: str | None = None
    birthday: str | None = attrs.field(default=None, repr=False)
    tags: tuple[str, ...] | None = None
    is_subscribed: bool = True
    consent_source: str | None = None


@attrs.frozen(kw_only=True)
class ContactChangesBody:
    """What may be changed: null clears, an absent key leaves alone."""

    phone: PhoneText | Keep | None = attrs.field(default=KEEP, repr=False)
    email: str | Keep | None = attrs.field(default=KEEP, repr=False)
    first_name: str | Keep | None = attrs.field(default=KEEP, repr=False)
    last_name: str | Keep | None = attrs.field(default=KEEP, repr=False)
    gender: str | Keep | None = KEEP
    birthday: str | Keep | None = attrs.field(default=KEEP, repr=False)
    tags: tuple[str, ...] | Keep | None = KEEP
    is_subscribed: bool | Keep = KEEP
    consent_source: str | None = None


@attrs.frozen
class Contacts:
    """`/api/contacts`."""

    contacts: ContactQueries
    accounts: AccountQueries
    filters: ContactFilters
    create: CreateContact

    def on_get(self, req: Request, resp: Response) -> None:
        """List contacts."""
        which = self.filters.read(req.account, codec.query(req, ContactListQuery))
        page = values.page(req, PAGE_SIZE, PAGE_SIZE_MAX)
        shape = functools.partial(contact_shape, req.account)
        resp.media = replies.page(self.contacts.page(req.account, which, page), shape)

    def on_post(self, req: Request, resp: Response) -> None:
        """Create a contact."""
        body = codec.body(req, ContactBody)
        form = ContactForm(
            phone=body.phone,
            email=body.email,
            first_name=body.first_name,
            last_name=body.last_name,
            gender=body.gender,
            birthday=body.birthday,
            tags=body.tags or (),
            is_subscribed=body.is_subscribed,
        )
        contact_id = self.create(
            actor(req),
            form,
            region=country_of(self.accounts, req.account),
            consent_source=body.consent_source,
            once=once(req),
        )
        self.on_repeat(req, resp, contact_id)

    def on_repeat(self, req: Request, resp: Response, effect: int) -> None:
        """The reply for a contact that was created."""
        resp.status_code = 201
        resp.media = found(self.contacts, req.account, ContactId(effect))


@attrs.frozen
class OneContact:
    """`/api/contacts/:id`."""

    contacts: ContactQueries
    accounts: AccountQueries
    update: UpdateContact
    delete: DeleteContact

    def on_get(self, req: Request, resp: Response, contact_id: str) -> None:
        """Read a contact."""
        resp.media = found(self.contacts, req.account, ContactId(values.path_id(contact_id)))

    def on_put(self, req: Request, resp: Response, contact_id: str) -> None:
        """Change a contact."""
        wanted = ContactId(values.path_id(contact_id))
        body = codec.body(req, ContactChangesBody)
        self.update(
            actor(req),
            wanted,
            ContactChanges(
                phone=body.phone,
                email=body.email,
                first_name=body.first_name,
                last_name=body.last_name,
                gender=body.gender,
                birthday=body.birthday,
                tags=body.tags,
                is_subscribed=body.is_subscribed,
            ),
            region=country_of(self.accounts, req.account),
            consent_source=body.consent_source,
        )
        resp.media = found(self.contacts, req.account, wanted)

    def on_delete(self, req: Request, resp: Response, contact_id: str) -> None:
        """Delete a contact."""
        self.delete(req.account, ContactId(values.path_id(contact_id)))
        resp.media = codec.shape(OkReply())


@attrs.frozen
class ContactConsents:
    """`/api/contacts/:id/consents`."""

    contacts: ContactQueries

    def on_get(self, req: Request, resp: Response, contact_id: str) -> None:
        """List what a contact agreed to, and when they withdrew."""
        wanted = ContactId(values.path_id(contact_id))
        page = values.page(req, CONSENTS_PAGE_SIZE, CONSENTS_PAGE_SIZE_MAX)
        events = self.contacts.consents(req.account, wanted, page)
        if events is None:
            raise ContactNotFound
        resp.media = replies.page(events, consent_shape)


def actor(req: Request) -> Actor:
    """Who acts: a person in the client, or a program with a key."""
    source = ConsentSource.API if req.caller.session is None else ConsentSource.MANUAL
    return Actor(req.account, source)


def country_of(accounts: AccountQueries, account: AccountId) -> str:
    """The country in which the store's numbers are read."""
    known = accounts.find(account)
    if known is None:
        raise Unauthenticated
    return known.default_country


def found(contacts: ContactQueries, account: AccountId, contact: ContactId) -> Contact:
    """A contact in JSON. Raises `ContactNotFound`."""
    view = contacts.find(account, contact)
    if view is None:
        raise ContactNotFound
    return contact_shape(account, view)


ROUTES: Final = (
    Route(
        method="GET",
        path="/api/contacts",
        resource=Contacts,
        access=Access.USER,
        scope="contacts:read",
        summary="List contacts",
        query=ContactListQuery,
        paging=Paging(PAGE_SIZE, PAGE_SIZE_MAX),
        reply=PageOf[Contact],
        errors=(NotFound,),
    ),
    Route(
        method="POST",
        path="/api/contacts",
        resource=Contacts,
        access=Access.USER,
        scope="contacts:write",
        summary="Create a contact",
        limits=WRITE_LIMITS,
        body=ContactBody,
        reply=Contact,
        status=201,
        errors=(*BAD_VALUES, PhoneTaken),
        once=True,
    ),
    Route(
        method="GET",
        path="/api/contacts/{contact_id}",
        resource=OneContact,
        access=Access.USER,
        scope="contacts:read",
        summary="Read a contact",
        reply=Contact,
    ),
    Route(
        method="PUT",
        path="/api/contacts/{contact_id}",
        resource=OneContact,
        access=Access.USER,
        scope="contacts:write",
        summary="Change a contact",
        limits=WRITE_LIMITS,
        body=ContactChangesBody,
        reply=Contact,
        errors=(*BAD_VALUES, PhoneTaken, ConsentRequired),
    ),
    Route(
        method="DELETE",
        path="/api/contacts/{contact_id}",
        resource=OneContact,
        access=Access.USER,
        scope="contacts:write",
        summary="Delete a contact",
        reply=OkReply,
        limits=WRITE_LIMITS,
    ),
    Route(
        method="GET",
        path="/api/contacts/{contact_id}/consents",
        resource=ContactConsents,
        access=Access.USER,
        scope="contacts:read",
        summary="List the consent history of a contact",
        paging=Paging(CONSENTS_PAGE_SIZE, CONSENTS_PAGE_SIZE_MAX),
        reply=PageOf[Consent],
    ),
)
