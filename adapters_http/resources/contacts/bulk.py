"""Work on many contacts at once; a dry run counts first (in the style of docs/api.md, 3.2)."""

from typing import Annotated, Final, Literal, TypedDict

import attrs

from adapters_http.resources.contacts.contacts import WRITE_LIMITS
from adapters_http.resources.contacts.filters import ContactFilters, ContactListQuery
from adapters_http.web import codec
from adapters_http.web.context import Request, Response
from adapters_http.web.fields import Characters, Described, Items
from adapters_http.web.idempotency import once
from adapters_http.web.routing import Access, Route
from retail_core.contacts.errors import InvalidTags
from retail_core.contacts.model import TagChange
from retail_core.contacts.model.values import TAGS_MAX
from retail_core.contacts.queries import ContactFilter
from retail_core.contacts.use_cases import DeleteContacts, Deleted, TagContacts, Tagged
from retail_core.kernel.errors import InvalidField, NotFound
from retail_core.kernel.ids import ID_MAX, AccountId, ContactId

IDS_MAX: Final = 10_000
WORDS_LENGTH_MAX: Final = 500

Words = Annotated[str, Characters(0, WORDS_LENGTH_MAX)]
Ids = Annotated[tuple[int, ...], Items(1, IDS_MAX)]
Tags = Annotated[tuple[str, ...], Items(0, TAGS_MAX)]


@attrs.frozen(kw_only=True)
class ChosenBy:
    """Contacts by what they have in common: the parameters of the list, as values of JSON."""

    q: Words | None = attrs.field(default=None, repr=False)
    is_subscribed: bool | None = None
    list_id: Annotated[str, Described("an own list, a system list, or a combination")] | None = None
    tags: Tags | None = None


@attrs.frozen(kw_only=True)
class DeletionBody:
    """Whom to delete: either by id or by a filter."""

    ids: Ids | None = None
    filter: ChosenBy | None = None
    dry_run: bool = False


@attrs.frozen(kw_only=True)
class TaggingBody(DeletionBody):
    """Whom to tag, either by id or by a filter; and with what."""

    add: Tags = ()
    remove: Tags = ()


class TaggedReply(TypedDict):
    """What was done; `remaining` are to be changed by further calls."""

    ok: Literal[True]
    dryRun: bool
    matched: int
    changed: int
    full: int
    remaining: int


class DeletedReply(TypedDict):
    """What was done; `remaining` are to be deleted by further calls."""

    ok: Literal[True]
    dryRun: bool
    matched: int
    deleted: int
    remaining: int


@attrs.frozen
class ContactChoice:
    """Reads whom somebody means."""

    filters: ContactFilters

    def read(self, account: AccountId, body: DeletionBody) -> ContactFilter:
        """Raises InvalidField unless there are either ids or a filter that leaves somebody out."""
        if (body.ids is None) == (body.filter is None):
            raise InvalidField("ids", "give either ids or a filter")
        if body.ids is not None:
            if any(each < 1 for each in body.ids):
                raise InvalidField("ids", "is not an id")
            known = (ContactId(each) for each in dict.fromkeys(body.ids) if each <= ID_MAX)
            return ContactFilter(ids=tuple(known))
        chosen = body.filter
        assert chosen is not None
        words = {True: "true", False: "false", None: None}
        asked = ContactListQuery(
            q=chosen.q,
            is_subscribed=words[chosen.is_subscribed],
            list_id=chosen.list_id,
            tags=",".join(chosen.tags or ()),
        )
        which = self.filters.read(account, asked, "filter.listId")
        if which == ContactFilter():
            raise InvalidField("filter", "must leave somebody out")
        return which


@attrs.frozen
class ContactTags:
    """`/api/contacts/bulk/tags`."""

    choice: ContactChoice
    tag: TagContacts

    def on_post(self, req: Request, resp: Response) -> None:
        """Put tags on and take tags off."""
        body = codec.body(req, TaggingBody)
        which = self.choice.read(req.account, body)
        change = TagChange.read(body.add, body.remove)
        key = None if body.dry_run else once(req)
        done = self.tag(req.account, which, change, dry_run=body.dry_run, once=key)
        resp.media = _tagged(done, dry_run=body.dry_run)

    def on_repeat(self, req: Request, resp: Response, effect: int) -> None:
        """The reply for a call whose changes were made; what remains is counted anew."""
        body = codec.body(req, TaggingBody)
        which = self.choice.read(req.account, body)
        change = TagChange.read(body.add, body.remove)
        now = self.tag(req.account, which, change, dry_run=True)
        resp.media = _tagged(attrs.evolve(now, changed=effect), dry_run=False)


@attrs.frozen
class ContactDeletion:
    """`/api/contacts/bulk/delete`."""

    choice: ContactChoice
    delete: DeleteContacts

    def on_post(self, req: Request, resp: Response) -> None:
        """Delete many."""
        body = codec.body(req, DeletionBody)
        which = self.choice.read(req.account, body)
        key = None if body.dry_run else once(req)
        done = self.delete(req.account, which, dry_run=body.dry_run, once=key)
        resp.media = _deleted(done, dry_run=body.dry_run)

    def on_repeat(self, req: Request, resp: Response, effect: int) -> None:
        """The reply for a call that deleted so many; who is still there is counted anew."""
        body = codec.body(req, DeletionBody)
        left = self.delete(req.account, self.choice.read(req.account, body), dry_run=True).matched
        done = Deleted(matched=left + effect, deleted=effect, remaining=left)
        resp.media = _deleted(done, dry_run=False)


def _tagged(done: Tagged, *, dry_run: bool) -> TaggedReply:
    return {
        "ok": True,
        "dryRun": dry_run,
        "matched": done.matched,
        "changed": done.changed,
        "full": done.full,
        "remaining": done.remaining,
    }


def _deleted(done: Deleted, *, dry_run: bool) -> DeletedReply:
    return {
        "ok": True,
        "dryRun": dry_run,
        "matched": done.matched,
        "deleted": done.deleted,
        "remaining": done.remaining,
    }


ROUTES: Final = (
    Route(
        method="POST",
        path="/api/contacts/bulk/tags",
        resource=ContactTags,
        access=Access.USER,
        scope="contacts:write",
        summary="Tag many contacts at once",
        limits=WRITE_LIMITS,
        body=TaggingBody,
        reply=TaggedReply,
        errors=(InvalidTags, NotFound),
        example={"filter": {"q": "anna"}, "add": ["vip"]},
        once=True,
    ),
    Route(
        method="POST",
        path="/api/contacts/bulk/delete",
        resource=ContactDeletion,
        access=Access.USER,
        scope="contacts:write",
        summary="Delete many contacts at once",
        limits=WRITE_LIMITS,
        body=DeletionBody,
        reply=DeletedReply,
        errors=(NotFound,),
        example={"ids": [12, 13], "dryRun": True},
        once=True,
    ),
)
