"""Pages of other origins: who may read and who may write (docs/api.md, 1.4)."""

from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

import attrs

from adapters_http.web.context import Request, Response
from adapters_http.web.refusals import OriginNotAllowed

READS: Final = frozenset({"GET", "HEAD"})
DEFAULT_PORTS: Final = {"http": 80, "https": 443}
EXPOSED: Final = (
    "X-Request-ID, Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, "
    "Content-Disposition, ETag, Idempotency-Replayed"
)
METHODS: Final = "GET, POST, PUT, DELETE, PATCH, OPTIONS"
HEADERS: Final = (
    "Content-Type, Authorization, X-Requested-With, X-Request-ID, Idempotency-Key, "
    "If-None-Match, Cookie"
)
PREFLIGHT_SECONDS: Final = "86400"


def origin_of(url: str) -> str | None:
    """The origin of an address in its one spelling: lower case, no default port; None if none."""
    try:
        parts = urlsplit(url.lower())
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname or parts.username is not None:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    plain = port is None or port == DEFAULT_PORTS[parts.scheme]
    return f"{parts.scheme}://{host}" if plain else f"{parts.scheme}://{host}:{port}"


def allowed_origins(urls: Iterable[str]) -> frozenset[str]:
    """The origins of these addresses."""
    return frozenset(origin for url in urls if (origin := origin_of(url)) is not None)


@attrs.frozen
class Origins:
    """Lets pages of the listed origins use the API, and no other page write.

    This guards the refresh cookie, which browsers send along whoever asks.
    """

    allowed: frozenset[str]

    def process_resource(
        self, req: Request, resp: Response, resource: object, params: object
    ) -> None:
        """Refuse a foreign page's write or preflight; nothing is done.

        The forms of our own pages are served to anybody: they read no cookie.
        """
        del resp, resource, params
        given = req.get_header("Origin")
        route = req.context.route
        if route is not None and route.is_form:
            return
        if given is not None and req.method not in READS and not self._knows(given):
            raise OriginNotAllowed

    def process_response(
        self, req: Request, resp: Response, _resource: object, _ok: object
    ) -> None:
        """Tell the browser what its page may see, on errors too."""
        resp.append_header("Vary", "Origin")
        given = req.get_header("Origin")
        if given is None or not self._knows(given):
            return
        resp.set_header("Access-Control-Allow-Origin", given)
        resp.set_header("Access-Control-Allow-Credentials", "true")
        resp.set_header("Access-Control-Expose-Headers", EXPOSED)
        if req.method == "OPTIONS":
            resp.set_header("Access-Control-Allow-Methods", METHODS)
            resp.set_header("Access-Control-Allow-Headers", HEADERS)
            resp.set_header("Access-Control-Max-Age", PREFLIGHT_SECONDS)

    def _knows(self, given: str) -> bool:
        # a browser sends an origin and nothing else; a path or a slash behind it is no browser
        return given.count("/") == 2 and origin_of(given) in self.allowed  # noqa: PLR2004 - scheme://
