"""Resources that do a little of everything, to try the edge by itself."""

import time
from typing import Annotated, Any

import attrs
import falcon
import punq

from adapters_http.app import Parts, create_app
from adapters_http.limits.counting import LocalCounts
from adapters_http.security.authentication import Credentials
from adapters_http.settings import EdgeSettings
from adapters_http.web import bodies, codec, values
from adapters_http.web.context import Caller, Request, Response
from adapters_http.web.fields import Characters
from adapters_http.web.idempotency import once
from adapters_http.web.routing import Access, Paging, Reading, Route
from retail_core.accounts.use_cases import NoteApiKeyUse
from retail_core.kernel.errors import Conflict, DomainError, Forbidden, NotFound, Unavailable
from retail_core.kernel.ids import AccountId, SessionId
from retail_core.kernel.ports import Transactions, Work
from retail_core.kernel.settings import Env
from retail_core.testing.accounts.accounts import PlainAccessTokens
from tests.contracts.worlds import World
from tests.http.api import VARIABLES, Api

UPLOAD_BYTES_MAX = 3_000_000


@attrs.frozen
class ThingBody:
    name: Annotated[str, Characters(1, 10)]
    first_number: int = 0


@attrs.frozen
class Things:
    """A resource that does a little of everything."""

    transactions: Transactions[Work]
    made: list[str] = attrs.field(factory=list)

    def on_get(self, req: Request, resp: Response) -> None:
        page = values.page(req, 20, 100)
        resp.media = {"page": page.page, "pageSize": page.page_size}

    def on_post(self, req: Request, resp: Response) -> None:
        body = codec.body(req, ThingBody)
        with self.transactions.begin(req.account, once(req)) as uow:
            if body.name == "conflict":
                raise Conflict
            self.made.append(body.name)
            uow.effect(len(self.made))
        self.on_repeat(req, resp, len(self.made))

    def on_repeat(self, _req: Request, resp: Response, effect: int) -> None:
        resp.media = {"id": effect, "name": self.made[effect - 1]}


@attrs.frozen
class OneThing:
    def on_get(self, _req: Request, resp: Response, thing_id: str) -> None:
        resp.media = {"id": values.path_id(thing_id)}


@attrs.frozen
class Codes:
    def on_get(self, _req: Request, resp: Response, code: str) -> None:
        resp.media = {"code": code}


TROUBLES = {
    "bug": ValueError("the password is hunter2"),
    "homeless": DomainError("the password is hunter2"),
    "gone": NotFound("It is gone."),
    "never": Forbidden("Never.", extra={"currentPlan": "starter"}),
    "down": Unavailable("connection to 10.0.0.7 refused"),
    "falcon": falcon.HTTPBadRequest(title="no"),
    "teapot": falcon.HTTPError(418, title="no"),
    "server": falcon.HTTPInternalServerError(title="the password is hunter2"),
}


@attrs.frozen
class Troubles:
    def on_get(self, _req: Request, resp: Response, kind: str) -> None:
        resp.media = {"half": "done"}
        raise TROUBLES[kind]


@attrs.frozen
class Scoped:
    def on_post(self, _req: Request, resp: Response) -> None:
        resp.media = {"ok": True}


@attrs.frozen
class Uploads:
    def on_post(self, req: Request, resp: Response) -> None:
        resp.media = {"bytes": len(bodies.stream(req).read())}


@attrs.frozen
class Slow:
    def on_get(self, _req: Request, resp: Response, milliseconds: str) -> None:
        time.sleep(int(milliseconds) / 1000)
        resp.media = {"slept": milliseconds}


class NumberCredentials(Credentials):
    """Takes the number behind `Bearer` for the account; `key` makes it an API key."""

    def caller(self, authorization: str | None) -> Caller:
        word = (authorization or "").removeprefix("Bearer ")
        if word.startswith("key"):
            return Caller(AccountId(int(word[3:])), scopes=frozenset({"things:read"}))
        return Caller(AccountId(int(word)), session=SessionId(1))


def get(path: str, resource: type[object], **how: Any) -> Route:
    return Route(
        method="GET", path=path, resource=resource, access=Access.PUBLIC, summary="Read", **how
    )


def post(path: str, resource: type[object], access: Access, **how: Any) -> Route:
    return Route(method="POST", path=path, resource=resource, access=access, summary="Do", **how)


ROUTES = (
    get("/things", Things, paging=Paging(20, 100)),
    get("/things/special", Things, paging=Paging(20, 100)),
    get("/things/{thing_id}", OneThing),
    get("/codes/{code}", Codes),
    get("/troubles/{kind}", Troubles),
    get("/slow/{milliseconds}", Slow),
    post("/things", Things, Access.USER, status=201, body=ThingBody, once=True),
    post("/scoped", Scoped, Access.USER, scope="things:write"),
    post("/sessions", Scoped, Access.SESSION),
    post(
        "/uploads",
        Uploads,
        Access.PUBLIC,
        reading=Reading.STREAM,
        body_bytes_max=UPLOAD_BYTES_MAX,
    ),
)


def api_of_things(world: World, **variables: str) -> Api:
    """The app over the resources of this file."""
    settings = EdgeSettings.read(Env(VARIABLES | variables))
    made = {
        Things: Things(world.transactions),
        OneThing: OneThing(),
        Codes: Codes(),
        Troubles: Troubles(),
        Slow: Slow(),
        Scoped: Scoped(),
        Uploads: Uploads(),
    }
    container = punq.Container()
    credentials = NumberCredentials(
        PlainAccessTokens(),
        world.session_queries,
        world.api_key_queries,
        NoteApiKeyUse(world.transactions, world.clock),
        world.clock,
    )
    counts = LocalCounts(world.clock)
    parts = Parts(ROUTES, made.__getitem__, credentials, world.replies, counts, settings)
    return Api(create_app(parts), container, world.clock)
