"""One request id and one log line for every request."""

import re
import time
from collections.abc import Sequence
from typing import Final

import attrs
import falcon
from loguru import logger

from adapters_http.middleware.peers import peer_address
from adapters_http.web import deadlines, targets
from adapters_http.web.context import Request, Response
from retail_core.kernel.settings.values import Network

REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
CLIENT_ERROR: Final = 400
SERVER_ERROR: Final = 500
KNOWN_METHODS: Final = frozenset(falcon.COMBINED_METHODS)
"""Any other word in a request's place for it is what somebody made up."""
QUIET: Final = ("/healthz", "/readiness", "/webhooks/")
"""What machines call all day is worth a line only if it fails, or for whoever debugs."""


@attrs.frozen
class Tracing:
    """Names every request, in its reply, its errors and its log lines, and logs how it ended.

    Its time begins and ends here too.

    The line tells the route's template, never the path or the query: those may hold tokens, codes
    and secrets.
    """

    trusted_proxies: Sequence[Network]
    request_seconds: float

    def process_request(self, req: Request, _resp: Response) -> None:
        """Begin: from here on whatever goes wrong carries the id."""
        given = req.get_header("X-Request-ID") or ""
        if REQUEST_ID.fullmatch(given):
            req.context.request_id = given
        req.context.began = time.perf_counter()
        deadlines.begin(self.request_seconds)
        req.context.log_scope = logger.contextualize(requestId=req.context.request_id)
        req.context.log_scope.__enter__()
        req.context.address = peer_address(req, self.trusted_proxies)
        req.context.segments = targets.path_segments(req.env)

    def process_response(
        self, req: Request, resp: Response, _resource: object, _ok: object
    ) -> None:
        """End: write the line, and let go of the id."""
        note = req.context
        resp.set_header("X-Request-ID", note.request_id)
        template = req.uri_template or "(no route)"
        quiet = template.startswith(QUIET) and resp.status_code < CLIENT_ERROR
        level = "ERROR" if resp.status_code >= SERVER_ERROR else "DEBUG" if quiet else "INFO"
        method = req.method if req.method in KNOWN_METHODS else "(unknown)"
        logger.bind(
            method=method,
            route=template,
            status=resp.status_code,
            milliseconds=round((time.perf_counter() - note.began) * 1000, 1),
            address=note.address,
            account=note.caller.account if note.caller else None,
        ).log(level, "{} {} {}", method, template, resp.status_code)
        note.log_scope.__exit__(None, None, None)
        deadlines.end()
