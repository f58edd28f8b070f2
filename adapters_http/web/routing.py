"""The table of routes: everything the edge knows about a path and a method, in one row.

The table is plain data. The app, the checks of the middleware, the limits and the description of
the API all read it, so they cannot disagree.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any, Final, TypeAlias

import attrs
import falcon

from retail_core.kernel.errors import DomainError

BODY_BYTES_MAX: Final = 1_048_576
OPTIONS: Final = "OPTIONS"
METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
JSON: Final = "application/json"
HTML: Final = "text/html"
CSV: Final = "text/csv"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

Responder: TypeAlias = Callable[..., None]
Resources: TypeAlias = Callable[[type[Any]], Any]
"""Makes the one instance of a resource class, with its collaborators."""


class Access(Enum):
    """Who may call a route."""

    PUBLIC = "public"
    """Anybody."""
    USER = "user"
    """A signed-in user, or an API key with the route's scope."""
    SESSION = "session"
    """A signed-in user only; an API key is refused."""
    WEBHOOK = "webhook"
    """A machine that proves itself to the resource."""


GUARDED: Final = frozenset({Access.USER, Access.SESSION})
"""Who calls these must say who they are."""


class Reading(Enum):
    """What is done with a body before the resource sees the request."""

    OBJECT = "object"
    """Read, and understood as a JSON object or a form; `codec.body` makes a value of it."""
    RAW = "raw"
    """Read and kept as bytes, whatever they are."""
    STREAM = "stream"
    """Left alone; the resource reads `bodies.stream`, which holds to the limit."""


class Proof(Enum):
    """What a request may prove itself with, besides an access token and an API key."""

    REFRESH_COOKIE = "refreshCookie"
    GATEWAY_SECRET = "gatewaySecret"  # noqa: S105 - a name
    GATEWAY_TOKEN = "gatewayToken"  # noqa: S105 - a name
    GATEWAY_SIGNATURE = "gatewaySignature"
    STRIPE_SIGNATURE = "stripeSignature"
    METRICS_TOKEN = "metricsToken"  # noqa: S105 - a name
    NOTHING = ""
    """The proof may be left out."""


@attrs.frozen
class Paging:
    """How a list is cut: rows of a page unless the caller says so, and rows at most."""

    rows: int
    rows_max: int


@attrs.frozen(kw_only=True)
class Route:
    """One row of the table.

    `resource` is a class with a responder named after the method (`on_get`, `on_post`, ...); the
    container makes its one instance. Parameters of the path stand in braces and are whole
    segments: `/api/contacts/{contact_id}`.

    `scope` is the word an API key must hold; None lets any key in. `limits` names the rate limits.
    With `once` the route honours an Idempotency-Key, and its resource also has
    `on_repeat(req, resp, effect, **params)`, which builds the reply again from the effect's id.

    `body`, `query` and `reply` are the types of what comes and goes (attrs classes, and for replies
    also TypedDicts, `PageOf[...]`, `tuple[..., ...]`); with Reading.STREAM the body is the fields
    beside the file of a form. `paging` is what `values.page` gets. `media` are the types of a good
    reply, `statuses` good statuses beside `status`. `errors` are those special to the route; the
    general ones follow from the rest of the row. `proofs` are the ways, of which one is enough,
    that routes for the public and for machines are proven by; `sets_cookie` tells that the refresh
    cookie comes, or goes. `example` and `sample` are a body
    and a reply for the description, where those made from the types would not do.
    """

    method: str = attrs.field(validator=attrs.validators.in_(METHODS))
    path: str = attrs.field(validator=attrs.validators.matches_re(r"/|(/[a-z0-9._-]+|/\{\w+\})+"))
    resource: type[Any]
    access: Access
    summary: str
    scope: str | None = None
    limits: tuple[str, ...] = ()
    query: type[Any] | None = None
    body: Any = None
    reply: Any = None
    paging: Paging | None = None
    media: tuple[str, ...] = (JSON,)
    status: int = 200
    statuses: tuple[int, ...] = ()
    errors: tuple[type[DomainError], ...] = ()
    proofs: tuple[Proof, ...] = ()
    sets_cookie: bool = False
    example: Mapping[str, object] | None = None
    sample: object = None
    reading: Reading = Reading.OBJECT
    body_bytes_max: int = BODY_BYTES_MAX
    once: bool = False
    no_store: bool = False

    @property
    def is_form(self) -> bool:
        """Whether a page of ours sends it: what authorises it is the code in its path alone.

        Browsers name no origin after a page that hides its address, so it is not asked for one.
        """
        return self.method == "POST" and HTML in self.media


@attrs.frozen
class Place:
    """One path with everything that answers there."""

    template: str
    routes: Mapping[str, Route]
    resources: Mapping[str, object]
    responders: Mapping[str, Responder]

    @property
    def allow(self) -> str:
        """The value of the Allow header."""
        return ", ".join(sorted(self.responders))

    def route(self, method: str) -> Route | None:
        """The row for a method; HEAD is answered by GET's."""
        return self.routes.get("GET" if method == "HEAD" else method)


class Router:
    """Finds the place of a path: letter case of fixed words does not count, that of values does.

    Fixed words win over parameters. It speaks falcon's interface for routers.
    """

    def __init__(self, routes: Sequence[Route], resources: Resources) -> None:
        self._root = _Node()
        made: dict[type[Any], object] = {}
        by_path: dict[str, list[Route]] = {}
        for route in routes:
            by_path.setdefault(route.path, []).append(route)
            if route.resource not in made:
                made[route.resource] = resources(route.resource)
        for path, rows in by_path.items():
            self._add(_place(path, rows, made))

    def find(
        self, uri: str, req: falcon.Request
    ) -> tuple[Place, Mapping[str, Responder], dict[str, str], str] | None:
        """The place for the request's segments, or None. `uri` is not looked at: it is decoded.

        A browser asks for leave before it asks for the page: a preflight finds a place anywhere, so
        that a page of ours may read that there is nothing.
        """
        del uri
        found = self._find(req.context.segments)
        if found is None and req.method == OPTIONS and req.get_header("Origin") is not None:
            return NOWHERE, NOWHERE.responders, {}, NOWHERE.template
        return found

    def _find(
        self, segments: Sequence[str]
    ) -> tuple[Place, Mapping[str, Responder], dict[str, str], str] | None:
        node: _Node | None = self._root
        values: list[str] = []
        for segment in segments:
            assert node is not None
            following = node.words.get(segment.lower())
            if following is None and segment:
                following = node.parameter
                values.append(segment)
            node = following
            if node is None:
                return None
        if node is None or node.place is None:
            return None
        place = node.place
        return place, place.responders, dict(zip(node.names, values, strict=True)), place.template

    def _add(self, place: Place) -> None:
        node = self._root
        names: list[str] = []
        for segment in filter(None, place.template.split("/")):
            if segment.startswith("{"):
                names.append(segment[1:-1])
                node.parameter = node.parameter or _Node()
                node = node.parameter
            else:
                node = node.words.setdefault(segment, _Node())
        assert node.place is None, f"two templates for {place.template}"
        node.place, node.names = place, tuple(names)


class _Node:
    """One step of a path."""

    def __init__(self) -> None:
        self.words: dict[str, _Node] = {}
        self.parameter: _Node | None = None
        self.place: Place | None = None
        self.names: tuple[str, ...] = ()


def _place(path: str, rows: Sequence[Route], made: Mapping[type[Any], object]) -> Place:
    routes: dict[str, Route] = {}
    resources: dict[str, object] = {}
    responders: dict[str, Responder] = {OPTIONS: _nothing}
    for row in rows:
        assert row.method not in routes, f"two rows for {row.method} {path}"
        resource = made[row.resource]
        routes[row.method], resources[row.method] = row, resource
        responders[row.method] = getattr(resource, f"on_{row.method.lower()}")
        assert not row.once or hasattr(resource, "on_repeat"), f"{path} cannot repeat its reply"
    if "GET" in routes:
        responders["HEAD"] = responders["GET"]
    return Place(path, routes, resources, responders)


def _nothing(_req: falcon.Request, resp: falcon.Response, **_params: str) -> None:
    """The answer to OPTIONS; the headers are the middleware's."""
    resp.status = falcon.HTTP_204


NOWHERE: Final = Place("(no route)", {}, {}, {OPTIONS: _nothing})
"""What preflights of unknown paths find."""
