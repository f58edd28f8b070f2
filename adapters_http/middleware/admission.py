"""Checks between the route and its resource, each a class, in the order of the contract."""

import re
from typing import Final

import attrs

from adapters_http.security.authentication import Credentials
from adapters_http.web import bodies, targets
from adapters_http.web.context import Repeatable, Request, Response
from adapters_http.web.refusals import BadTarget, InsufficientScope, MethodNotAllowed
from adapters_http.web.routing import GUARDED, Access, Place, Reading
from retail_core.kernel.errors import Forbidden, InvalidField
from retail_core.kernel.idempotency import KEY_CHARACTERS_MAX

KEY: Final = re.compile(r"[!-~]+")


class Methods:
    """Finds the row of the table for the method, or names those there are."""

    def process_resource(self, req: Request, resp: Response, place: Place, _params: object) -> None:
        """Raise MethodNotAllowed for a method the path does not know."""
        if req.method not in place.responders:
            raise MethodNotAllowed(place.allow)
        route = place.route(req.method)
        if route is None:
            resp.set_header("Allow", place.allow)
            return
        req.context.route = route
        req.context.resource = place.resources[route.method]
        resp.status = route.status


class Hosts:
    """Refuses what names no host (RFC 9112, 3.2): who knows what else is missing of it."""

    def process_resource(
        self, req: Request, _resp: Response, _place: object, _params: object
    ) -> None:
        """Raise BadTarget, but for clients so old that they need not name one."""
        is_old = req.env.get("SERVER_PROTOCOL") == "HTTP/1.0"
        if not req.env.get("HTTP_HOST") and not is_old:
            raise BadTarget("The request names no host.")


class Sizes:
    """Takes in the body, if it is not too large; without reading the rest if it is."""

    def process_resource(
        self, req: Request, _resp: Response, _place: object, _params: object
    ) -> None:
        """Raise PayloadTooLarge by the length told, or where more comes than is taken."""
        route = req.context.route
        if route is None:
            return
        stream = bodies.LimitedStream(req, route.body_bytes_max)
        if route.reading is not Reading.STREAM:
            req.context.raw_body = stream.read()


@attrs.frozen
class Authentication:
    """Finds out who asks, where the route wants to know."""

    credentials: Credentials

    def process_resource(
        self, req: Request, _resp: Response, _place: object, _params: object
    ) -> None:
        """Raise Unauthenticated without a good credential, Forbidden for the wrong kind of one."""
        route = req.context.route
        if route is None or route.access not in GUARDED:
            return
        caller = self.credentials.caller(req.get_header("Authorization"))
        req.context.caller = caller
        if route.access is Access.SESSION and caller.session is None:
            raise Forbidden("This needs a signed-in user.")


class Scopes:
    """Holds an API key to what it was made for."""

    def process_resource(
        self, req: Request, _resp: Response, _place: object, _params: object
    ) -> None:
        """Raise InsufficientScope, which names the scope that is missing."""
        route, caller = req.context.route, req.context.caller
        if route is None or caller is None or route.scope is None or caller.scopes is None:
            return
        if route.scope not in caller.scopes:
            raise InsufficientScope(route.scope)


class IdempotencyKeys:
    """Reads the Idempotency-Key where the route honours one."""

    def process_resource(
        self, req: Request, _resp: Response, _place: object, _params: object
    ) -> None:
        """Raise InvalidField for a key that is too long, or not of visible ASCII.

        Two headers of one name reach us as one, joined: they are a key of their own.
        """
        route, caller = req.context.route, req.context.caller
        key = req.get_header("Idempotency-Key")
        if route is None or not route.once or caller is None or key is None:
            return
        if len(key) > KEY_CHARACTERS_MAX or KEY.fullmatch(key) is None:
            raise InvalidField("Idempotency-Key", "must be 1 to 255 visible ASCII characters")
        req.context.repeatable = Repeatable(caller.account, key)


class Documents:
    """Reads the query, and the body as far as the route wants it understood."""

    def process_resource(
        self, req: Request, _resp: Response, _place: object, _params: object
    ) -> None:
        """Raise RuleViolation for what cannot be read, UnsupportedMediaType for another type."""
        route = req.context.route
        if route is None:
            return
        if req.query_string:
            req.context.query = targets.parameters(req.query_string)
        if route.reading is Reading.OBJECT and route.method != "GET":
            kind = bodies.media_type(req)
            req.context.document = bodies.document(req.context.raw_body, kind)
            req.context.from_form = kind == bodies.FORM
