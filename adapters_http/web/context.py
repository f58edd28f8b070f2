"""What one request carries from the middleware to its resource, with types."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import ClassVar, Final
from uuid import uuid4

import attrs
import falcon

from adapters_http.limits.counting import Standing
from adapters_http.web.routing import Route
from retail_core.accounts.model import Locale
from retail_core.kernel.errors import Forbidden, Unauthenticated
from retail_core.kernel.idempotency import Once
from retail_core.kernel.ids import AccountId, ApiKeyId, SessionId

NO_QUERY: Final[Mapping[str, str]] = {}


@attrs.frozen
class Caller:
    """Who asks: an account, through one of its sessions or one of its API keys.

    `scopes` is None where everything of the account is allowed (a session).
    """

    account: AccountId
    session: SessionId | None = None
    api_key: ApiKeyId | None = None
    scopes: frozenset[str] | None = None


@attrs.frozen
class Repeatable:
    """An Idempotency-Key that the caller gave on a route that honours it."""

    account: AccountId
    key: str


class Exchange(falcon.Context):
    """The notes of one request; every middleware writes its own and reads those before it."""

    def __init__(self) -> None:
        self.request_id = uuid4().hex
        self.began = 0.0
        self.log_scope: AbstractContextManager[None] = nullcontext()
        self.address = ""
        self.origin: str | None = None
        self.segments: tuple[str, ...] = ()
        self.route: Route | None = None
        self.resource: object = None
        self.locale: Locale | None = None
        self.standing: Standing | None = None
        self.caller: Caller | None = None
        self.repeatable: Repeatable | None = None
        self.once: Once | None = None
        self.kept_body: bytes | None = None
        self.replayed = False
        self.compared: object = None
        self.query: Mapping[str, str] = NO_QUERY
        self.raw_body = b""
        self.document: Mapping[str, object] = {}
        self.from_form = False


class Request(falcon.Request):
    """A request with our notes on it."""

    context_type: ClassVar[type[Exchange]] = Exchange
    context: Exchange

    @property
    def caller(self) -> Caller:
        """Who asks. Raises Unauthenticated on a route that let nobody in."""
        if self.context.caller is None:
            raise Unauthenticated
        return self.context.caller

    @property
    def account(self) -> AccountId:
        """The account whose rows this request may see."""
        return self.caller.account

    @property
    def session(self) -> SessionId:
        """The session that asks. Raises Forbidden where an API key does."""
        if self.caller.session is None:
            raise Forbidden("This needs a signed-in user.")
        return self.caller.session


class Response(falcon.Response):
    """A reply; the alias keeps signatures of resources short and alike."""
