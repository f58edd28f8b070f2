"""Headers of every reply: security, caching, ETags."""

import hashlib
from typing import Final

import falcon

from adapters_http.web.context import Request, Response
from adapters_http.web.replies import dumps
from adapters_http.web.routing import HTML

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'self';base-uri 'self';font-src 'self' https: data:;form-action 'self';"
    "frame-ancestors 'self';img-src 'self' data:;object-src 'none';script-src 'self';"
    "script-src-attr 'none';style-src 'self' https: 'unsafe-inline'"
)
SECURITY: Final = (
    ("Content-Security-Policy", CONTENT_SECURITY_POLICY),
    ("Strict-Transport-Security", "max-age=31536000; includeSubDomains"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "SAMEORIGIN"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "cross-origin"),
    ("Origin-Agent-Cluster", "?1"),
    ("X-DNS-Prefetch-Control", "off"),
    ("X-Download-Options", "noopen"),
    ("X-Permitted-Cross-Domain-Policies", "none"),
    ("X-XSS-Protection", "0"),
)
PAGE_REFERRER_POLICY: Final = "same-origin"
"""After `no-referrer` a browser sends a page's own form with `Origin: null`."""

READS: Final = frozenset({"GET", "HEAD"})
OK: Final = 200
TAG_BYTES: Final = 12


class SecurityHeaders:
    """Puts the security headers on; a page may have put a stricter policy on before."""

    def process_response(
        self, _req: Request, resp: Response, _resource: object, _ok: object
    ) -> None:
        """Set what is not set."""
        if (resp.content_type or "").startswith(HTML):
            resp.set_header("Referrer-Policy", PAGE_REFERRER_POLICY)
        for name, value in SECURITY:
            if resp.get_header(name) is None:
                resp.set_header(name, value)


class Caching:
    """Tells caches what they may keep, and a caller who has a reply already that they have it."""

    def process_response(
        self, req: Request, resp: Response, _resource: object, _ok: object
    ) -> None:
        """Set Cache-Control; give JSON reads a weak ETag; turn a match into 304.

        The tag is of the body, or of what the resource left to be compared: where a body tells
        the time of its request, all but that.
        """
        if resp.get_header("Cache-Control") is None:
            secret = req.context.route is not None and req.context.route.no_store
            unkept = secret or resp.location is not None
            resp.set_header("Cache-Control", "no-store" if unkept else "private, no-cache")
        is_json = (resp.content_type or falcon.MEDIA_JSON).startswith(falcon.MEDIA_JSON)
        if req.method not in READS or resp.status_code != OK or not is_json:
            return
        body = resp.render_body()
        if body is None:
            return
        if req.context.compared is not None:
            body = dumps(req.context.compared)
        tag = falcon.ETag(hashlib.blake2b(body, digest_size=TAG_BYTES).hexdigest())
        tag.is_weak = True
        resp.set_header("ETag", tag.dumps())
        if _has(req, tag):
            resp.status = falcon.HTTP_304
            resp.data = resp.text = resp.media = None
            resp.delete_header("Content-Type")


def _has(req: Request, tag: falcon.ETag) -> bool:
    known = req.if_none_match or []
    return any(each in {"*", tag} for each in known)
