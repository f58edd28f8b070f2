"""Own lists and the system's lists (docs/api.md, 3.3)."""

import functools
from typing import Annotated, Final, TypeVar

import attrs

from adapters_http.resources.accounts.auth import OkReply
from adapters_http.resources.contacts.filters import ListContacts, is_subscribed
from adapters_http.resources.contacts.shapes import contact_shape
from adapters_http.resources.lists.shapes import (
    CountedList,
    SyncedList,
    SystemList,
    counted_shape,
    list_shape,
    member_shape,
    read_shape,
    system_shapes,
)
from adapters_http.web import codec, replies, values
from adapters_http.web.context import Request, Response
from adapters_http.web.fields import Between, Characters
from adapters_http.web.idempotency import once
from adapters_http.web.replies import PageOf
from retail_core.accounts.queries import AccountQueries
from retail_core.audiences.errors import ListNotFound
from retail_core.audiences.model import (
    DESCRIPTION_CHARACTERS_MAX,
    FILTER_AGE_YEARS_MAX,
    NAME_CHARACTERS_MAX,
    ContactList,
    ListChanges,
    ListDraft,
    ListFilter,
    member_counts,
)
from retail_core.audiences.queries import ListQueries
from retail_core.audiences.use_cases import (
    AddToList,
    CreateList,
    DeleteList,
    EditList,
    RemoveFromList,
    SyncList,
)
from retail_core.contacts.model import KEEP, Gender, Keep
from retail_core.contacts.model.contact import read_gender
from retail_core.kernel.errors import Unauthenticated
from retail_core.kernel.ids import AccountId, ContactId, ListId
from retail_core.kernel.time.clock import Clock
from retail_core.kernel.time.zones import local_date

Value = TypeVar("Value")
Name = Annotated[str, Characters(1, NAME_CHARACTERS_MAX)]
Description = Annotated[str, Characters(0, DESCRIPTION_CHARACTERS_MAX)]
Age = Annotated[int, Between(0, FILTER_AGE_YEARS_MAX)]

PAGE_SIZE: Final = 50
PAGE_SIZE_MAX: Final = 100
MEMBERS_PAGE_SIZE: Final = 50
MEMBERS_PAGE_SIZE_MAX: Final = 200


@attrs.frozen(kw_only=True)
class ListBody:
    """What a new list says."""

    name: Name
    description: Description | None = None
    filter_gender: str | None = None
    filter_age_min: Age | None = None
    filter_age_max: Age | None = None


@attrs.frozen(kw_only=True)
class ListChangesBody:
    """What an edit replaces: null clears, an absent key leaves alone."""

    name: Name | Keep = KEEP
    description: Description | Keep | None = KEEP
    filter_gender: str | Keep | None = KEEP
    filter_age_min: Age | Keep | None = KEEP
    filter_age_max: Age | Keep | None = KEEP


@attrs.frozen
class ListsQuery:
    """What lists can be narrowed to."""

    q: str = ""


@attrs.frozen
class ListMembersQuery:
    """What the members of a list can be narrowed to."""

    is_subscribed: str | None = None


@attrs.frozen
class Lists:
    """`/api/lists`."""

    queries: ListQueries
    accounts: AccountQueries
    clock: Clock
    create: CreateList

    def on_get(self, req: Request, resp: Response) -> None:
        """The system's lists on every page, then a page of own ones."""
        query = codec.query(req, ListsQuery).q
        request = values.page(req, PAGE_SIZE, PAGE_SIZE_MAX)
        store, now = self.accounts.find(req.account), self.clock.now()
        if store is None:
            raise Unauthenticated
        reach = self.queries.reach(req.account, local_date(now, store.timezone or "UTC"))
        page = self.queries.page(req.account, query, request)
        by_hand = [each.id for each in page.items if not each.is_filtered]
        counts = member_counts(page.items, reach, self.queries.by_hand(req.account, by_hand))
        system = list(system_shapes(store, reach, query, now))
        own = [counted_shape(req.account, each, counts[each.id]) for each in page.items]
        shown: PageOf[CountedList | SystemList] = {
            "items": [*system, *own],
            "total": len(system) + page.total,
            "page": page.page,
            "pageSize": page.page_size,
        }
        resp.media = shown
        timeless = [each | {"createdAt": None, "updatedAt": None} for each in system]
        req.context.compared = shown | {"items": [*timeless, *own]}

    def on_post(self, req: Request, resp: Response) -> None:
        """Make a list."""
        body = codec.body(req, ListBody)
        gender = read_gender(body.filter_gender, "filterGender")
        draft = ListDraft(
            body.name,
            body.description or None,
            ListFilter(gender, body.filter_age_min, body.filter_age_max),
        )
        made = self.create(req.account, draft, once(req))
        resp.status_code, resp.media = 201, list_shape(req.account, made)

    def on_repeat(self, req: Request, resp: Response, effect: int) -> None:
        """The reply for a list that was made."""
        made = _found(self.queries, req.account, ListId(effect))
        resp.status_code, resp.media = 201, list_shape(req.account, made)


@attrs.frozen
class OneList:
    """`/api/lists/{list_id}`."""

    queries: ListQueries
    contacts: ListContacts
    edit: EditList
    delete: DeleteList

    def on_get(self, req: Request, resp: Response, list_id: str) -> None:
        """One list, with its count if it has a filter."""
        found = _found(self.queries, req.account, ListId(values.path_id(list_id)))
        resp.media = shown = list_shape(req.account, found)
        if found.is_filtered:
            resp.media = read_shape(shown, self.contacts.count(req.account, found))

    def on_put(self, req: Request, resp: Response, list_id: str) -> None:
        """Change what was sent."""
        wanted = ListId(values.path_id(list_id))
        body = codec.body(req, ListChangesBody)
        changed = self.edit(req.account, wanted, _changes(body))
        resp.media = list_shape(req.account, changed)

    def on_delete(self, req: Request, resp: Response, list_id: str) -> None:
        """Delete it; its members stay contacts."""
        self.delete(req.account, ListId(values.path_id(list_id)))
        resp.media = codec.shape(OkReply())


@attrs.frozen
class ListSyncs:
    """`/api/lists/{list_id}/sync`."""

    queries: ListQueries
    contacts: ListContacts
    sync: SyncList

    def on_post(self, req: Request, resp: Response, list_id: str) -> None:
        """Write down who fits now."""
        wanted = ListId(values.path_id(list_id))
        added, removed = self.sync(req.account, wanted)
        found = _found(self.queries, req.account, wanted)
        total = self.contacts.count(req.account, found)
        resp.media = codec.shape(SyncedList(added, removed, total))


@attrs.frozen
class ListMembers:
    """`/api/lists/{list_id}/contacts`."""

    queries: ListQueries
    contacts: ListContacts

    def on_get(self, req: Request, resp: Response, list_id: str) -> None:
        """Who is on it."""
        wanted = ListId(values.path_id(list_id))
        subscribed = is_subscribed(codec.query(req, ListMembersQuery).is_subscribed)
        request = values.page(req, MEMBERS_PAGE_SIZE, MEMBERS_PAGE_SIZE_MAX)
        found = _found(self.queries, req.account, wanted)
        page = self.contacts.page(req.account, found, subscribed, request)
        resp.media = replies.page(page, functools.partial(contact_shape, req.account))


@attrs.frozen
class OneListMember:
    """`/api/lists/{list_id}/contacts/{contact_id}`."""

    queries: ListQueries
    add: AddToList
    remove: RemoveFromList

    def on_post(self, req: Request, resp: Response, list_id: str, contact_id: str) -> None:
        """Put a contact on it."""
        wanted = ListId(values.path_id(list_id))
        contact = ContactId(values.path_id(contact_id))
        made = self.add(req.account, wanted, contact, once(req))
        resp.status_code, resp.media = 201, member_shape(made)

    def on_repeat(
        self, req: Request, resp: Response, effect: int, list_id: str, contact_id: str
    ) -> None:
        """The reply for a membership, as long as it lasts."""
        del list_id, contact_id
        made = self.queries.membership(req.account, effect)
        if made is None:
            raise ListNotFound
        resp.status_code, resp.media = 201, member_shape(made)

    def on_delete(self, req: Request, resp: Response, list_id: str, contact_id: str) -> None:
        """Take a contact off it."""
        wanted = ListId(values.path_id(list_id))
        self.remove(req.account, wanted, ContactId(values.path_id(contact_id)))
        resp.media = codec.shape(OkReply())


def _found(queries: ListQueries, account: AccountId, list_id: ListId) -> ContactList:
    found = queries.find(account, list_id)
    if found is None:
        raise ListNotFound
    return found


def _changes(body: ListChangesBody) -> ListChanges:
    gender: Gender | Keep | None = KEEP
    if not isinstance(body.filter_gender, Keep):
        gender = read_gender(body.filter_gender, "filterGender")
    description = body.description
    return ListChanges(
        name=body.name,
        description=description if isinstance(description, Keep) else description or None,
        gender=gender,
        age_min=body.filter_age_min,
        age_max=body.filter_age_max,
    )
