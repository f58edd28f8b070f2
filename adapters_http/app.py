"""The app, assembled in one function: the same for the server and for every test."""

from collections.abc import Sequence
from typing import Any

import attrs
import falcon

from adapters_http.limits.counting import Counts, KeyNames
from adapters_http.middleware import errors
from adapters_http.middleware.acting import Acting
from adapters_http.middleware.admission import (
    Authentication,
    Documents,
    Hosts,
    IdempotencyKeys,
    Methods,
    Scopes,
    Sizes,
)
from adapters_http.middleware.headers import Caching, SecurityHeaders
from adapters_http.middleware.limiting import RateLimits, chosen
from adapters_http.middleware.origins import Origins
from adapters_http.middleware.tracing import Tracing
from adapters_http.security.authentication import Credentials
from adapters_http.settings import EdgeSettings
from adapters_http.web import codec
from adapters_http.web.context import Request, Response
from adapters_http.web.idempotency import KeepReplies
from adapters_http.web.replies import JSON, dumps
from adapters_http.web.routing import Reading, Resources, Route, Router
from retail_core.kernel.ports import IdempotencyReplies


@attrs.frozen
class Parts:
    """What the app is assembled from.

    `resources` makes the one instance of each resource class (a container's `resolve`).
    """

    routes: Sequence[Route]
    resources: Resources
    credentials: Credentials
    replies: IdempotencyReplies
    counts: Counts
    settings: EdgeSettings


def create_app(parts: Parts) -> "falcon.App[Request, Response]":
    """Build every resource and every converter now, so that a mistake stops the start."""
    for route in parts.routes:
        read = (None if route.reading is Reading.RAW else route.body, route.query)
        for kind in read:
            if kind is not None:
                codec.prepare(kind)
    router: Any = Router(parts.routes, parts.resources)  # falcon only types its own
    app: falcon.App[Request, Response] = falcon.App(
        media_type=JSON,
        request_type=Request,
        response_type=Response,
        router=router,
        middleware=_middleware(parts),
    )
    writer = falcon.media.JSONHandler(dumps=dumps)
    app.resp_options.media_handlers = falcon.media.Handlers({falcon.MEDIA_JSON: writer})
    errors.add_handlers(app)
    return app


def _middleware(parts: Parts) -> list[Any]:
    """Checks in the order of the contract; replies pass the same list from its end."""
    return [
        Tracing(parts.settings.trusted_proxies, parts.settings.request_seconds),
        SecurityHeaders(),
        Hosts(),
        Methods(),
        Origins(parts.settings.allowed_origins),
        Sizes(),
        _rate_limits(parts, after_sign_in=False),
        Authentication(parts.credentials),
        Acting(),
        _rate_limits(parts, after_sign_in=True),
        Scopes(),
        IdempotencyKeys(),
        Documents(),
        Caching(),
        KeepReplies(parts.replies),
    ]


def _rate_limits(parts: Parts, *, after_sign_in: bool) -> RateLimits:
    """The limits by address come before the credential is looked at, those by user after it."""
    settings = parts.settings
    limits = chosen(parts.routes, settings.rate_limits_factor, after_sign_in=after_sign_in)
    return RateLimits(limits, parts.counts, KeyNames.of(settings.token_secret))
