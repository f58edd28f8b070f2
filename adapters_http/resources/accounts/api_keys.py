"""Keys for a shop's own programs (docs/api.md, 3.1)."""

from datetime import datetime
from typing import Annotated, Final

import attrs

from adapters_http.resources.accounts.auth import OkReply
from adapters_http.web import codec, replies, values
from adapters_http.web.context import Request, Response
from adapters_http.web.fields import Characters, Items
from adapters_http.web.idempotency import keep_instead, once
from adapters_http.web.routing import Access, Paging, Route
from retail_core.accounts.errors import ApiKeyNotFound, InvalidExpiry
from retail_core.accounts.model import API_KEY_NAME_CHARACTERS_MAX, ApiKey, Scope
from retail_core.accounts.queries import ApiKeyQueries
from retail_core.accounts.use_cases import ApiKeyOrder, CreateApiKey, RevokeApiKey
from retail_core.kernel.ids import ApiKeyId

PAGE_SIZE: Final = 50
PAGE_SIZE_MAX: Final = 100


@attrs.frozen
class ApiKeyBody:
    """What a key is for, and until when."""

    name: Annotated[str, Characters(1, API_KEY_NAME_CHARACTERS_MAX)]
    scopes: Annotated[tuple[Scope, ...], Items(1, len(Scope))]
    expires_at: str | None = None


@attrs.frozen(kw_only=True)
class ApiKeyReply:
    """A key as its owner sees it."""

    id: int
    name: str
    prefix: str
    scopes: tuple[str, ...]
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None

    @classmethod
    def of(cls, key: ApiKey) -> "ApiKeyReply":
        """Show a key."""
        return cls(
            id=key.id,
            name=key.name,
            prefix=key.prefix,
            scopes=tuple(scope.value for scope in key.scopes),
            created_at=key.created_at,
            last_used_at=key.last_used_at,
            expires_at=key.expires_at,
            revoked_at=key.revoked_at,
        )


@attrs.frozen(kw_only=True)
class NewApiKeyReply(ApiKeyReply):
    """A new key with its text, which is shown this once: null in every repeat."""

    key: str | None = attrs.field(repr=False)


@attrs.frozen
class ApiKeyPage:
    """A page of keys."""

    items: tuple[ApiKeyReply, ...]
    total: int
    page: int
    page_size: int


@attrs.frozen
class ApiKeys:
    """`/api/api-keys`."""

    queries: ApiKeyQueries
    create: CreateApiKey

    def on_get(self, req: Request, resp: Response) -> None:
        """A page of keys, ended ones too."""
        found = self.queries.page(req.account, values.page(req, PAGE_SIZE, PAGE_SIZE_MAX))
        resp.media = replies.page(found, lambda key: codec.shape(ApiKeyReply.of(key)))

    def on_post(self, req: Request, resp: Response) -> None:
        """A new key. What is kept for a repeat has no text, as nothing here ever keeps it."""
        body = codec.body(req, ApiKeyBody)
        order = ApiKeyOrder(body.name, body.scopes, _expiry(body.expires_at))
        made = self.create(req.account, order, once(req))
        shown = codec.shape(ApiKeyReply.of(made.key))
        keep_instead(req, shown | {"key": None})
        resp.media = shown | {"key": made.text}

    def on_repeat(self, req: Request, resp: Response, effect: int) -> None:
        """The key of the first request, without its text."""
        key = self.queries.find(req.account, ApiKeyId(effect))
        if key is None:
            raise ApiKeyNotFound
        resp.media = codec.shape(ApiKeyReply.of(key)) | {"key": None}


@attrs.frozen
class OneApiKey:
    """`/api/api-keys/:id`."""

    revoke: RevokeApiKey

    def on_delete(self, req: Request, resp: Response, key_id: str) -> None:
        """End it, at once; again is no matter."""
        self.revoke(req.account, ApiKeyId(values.path_id(key_id)))
        resp.media = codec.shape(OkReply())


def _expiry(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return values.instant(text)
    except ValueError:
        raise InvalidExpiry from None


ROUTES: Final = (
    Route(
        method="GET",
        path="/api/api-keys",
        resource=ApiKeys,
        access=Access.SESSION,
        summary="List the shop's API keys",
        paging=Paging(PAGE_SIZE, PAGE_SIZE_MAX),
        reply=ApiKeyPage,
    ),
    Route(
        method="POST",
        path="/api/api-keys",
        resource=ApiKeys,
        access=Access.SESSION,
        summary="Make an API key; its text is shown this once",
        body=ApiKeyBody,
        reply=NewApiKeyReply,
        status=201,
        errors=(InvalidExpiry,),
        example={"name": "Till", "scopes": ["contacts:read", "contacts:write"]},
        once=True,
        no_store=True,
    ),
    Route(
        method="DELETE",
        path="/api/api-keys/{key_id}",
        resource=OneApiKey,
        access=Access.SESSION,
        summary="End an API key",
        reply=OkReply,
    ),
)
