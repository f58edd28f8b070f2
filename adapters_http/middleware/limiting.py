"""Rate limits of a request: by address and by what it names first, by its caller later."""

from collections.abc import Iterable, Mapping
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Final

import attrs

from adapters_http.limits.counting import Asked, Counts, KeyNames, Standing, Verdict
from adapters_http.limits.table import AFTER_SIGN_IN, EVERY_CALLER, LIMITS, By, Limit
from adapters_http.web import bodies
from adapters_http.web.context import Caller, Request, Response
from adapters_http.web.refusals import RateLimited
from adapters_http.web.routing import GUARDED, Route
from retail_core.kernel.errors import DomainError

IPV6_NETWORK_BITS: Final = 64
"""One customer of a provider has all addresses of such a network, so they count as one."""

FIELDS: Final[Mapping[By, tuple[str, ...]]] = {
    By.EMAIL: ("email",),
    By.TOKEN: ("token", "pageToken", "code"),
    By.TRACKING_ID: ("tracking_id",),
    By.PHONE: ("phone",),
}


@attrs.frozen
class RateLimits:
    """Takes a request only where its limits have room; tells how much is left.

    `limits` are those of each method and path that are decided at this point of the order of
    checks. All of them are decided in one step.
    """

    limits: Mapping[tuple[str, str], tuple[Limit, ...]]
    counts: Counts
    names: KeyNames

    def process_resource(
        self, req: Request, resp: Response, _place: object, params: Mapping[str, str]
    ) -> None:
        """Raise RateLimited, which tells when it is worth another try."""
        route = req.context.route
        limits = () if route is None else self.limits.get((route.method, route.path), ())
        if not limits:
            return
        asked = [
            Asked(limit, self.names.name(limit, who))
            for limit in limits
            if (who := _counted(limit.by, req, params)) is not None
        ]
        if not asked:
            return
        verdict = self.counts.take(asked)
        _tell(req, resp, verdict.standing)
        if not verdict.allowed:
            raise _refusal(verdict)


@attrs.frozen
class LateLimits:
    """Counts what only the resource can tell: a code that is not valid, a change that is made."""

    counts: Counts
    names: KeyNames
    factor: int

    def take_of_address(self, req: Request, resp: Response, name: str) -> None:
        """Count for the address of the client. Raises RateLimited where there is no room."""
        verdict = self._counted(req, resp, name, _network(req.context.address))
        if not verdict.allowed:
            raise _refusal(verdict)

    def take(self, req: Request, resp: Response, name: str, who: str) -> None:
        """Count for `who`. Raises RateLimited where there is no room."""
        verdict = self._counted(req, resp, name, who)
        if not verdict.allowed:
            raise _refusal(verdict)

    def note(self, req: Request, resp: Response, name: str, who: str) -> None:
        """Count what is done in any case; refuses nothing."""
        self._counted(req, resp, name, who)

    def _counted(self, req: Request, resp: Response, name: str, who: str) -> Verdict:
        limit = LIMITS[name].times(self.factor)
        verdict = self.counts.take([Asked(limit, self.names.name(limit, who))])
        _tell(req, resp, verdict.standing)
        return verdict


def _refusal(verdict: Verdict) -> RateLimited:
    return RateLimited(max(verdict.standing.reset_seconds, 1))


def _tell(req: Request, resp: Response, standing: Standing) -> None:
    """Name the tightest limit of the request."""
    known = req.context.standing
    if known is not None and known.remaining <= max(standing.remaining, 0):
        return
    req.context.standing = standing
    resp.set_header("RateLimit-Limit", str(standing.limit.requests_max))
    resp.set_header("RateLimit-Remaining", str(max(standing.remaining, 0)))
    resp.set_header("RateLimit-Reset", str(standing.reset_seconds))


def _counted(by: By, req: Request, params: Mapping[str, str]) -> str | None:
    """Whose requests are counted together with this one; None where the request names nobody."""
    match by:
        case By.ADDRESS:
            return _network(req.context.address)
        case By.ACCOUNT:
            return str(req.account)
        case By.CALLER:
            return _caller(req.caller)
        case By.EMAIL:
            return _lowered(_field(by, req, params))
        case By.PHONE:
            phone = "".join((_field(by, req, params) or "").split())
            return phone or _network(req.context.address)
        case By.TOKEN | By.TRACKING_ID:
            return _field(by, req, params)


def _network(address: str) -> str:
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        return str(IPv6Network((int(found), IPV6_NETWORK_BITS), strict=False))
    return address


def _caller(caller: Caller) -> str:
    return f"account:{caller.account}" if caller.api_key is None else f"key:{caller.api_key}"


def _lowered(text: str | None) -> str | None:
    return text.lower() if text else None


def _field(by: By, req: Request, params: Mapping[str, str]) -> str | None:
    """What the request says in the path or else in its body; a wrong type says nothing."""
    said = [params[name] for name in FIELDS[by] if name in params] or [
        value
        for name in FIELDS[by]
        if isinstance(value := _document(req).get(name), str) and value.strip()
    ]
    return said[0].strip() if said else None


def _document(req: Request) -> Mapping[str, object]:
    """The body, if it can be read; if not, the check of bodies says so in its turn."""
    try:
        return bodies.document(req.context.raw_body, bodies.media_type(req))
    except DomainError:
        return {}


def limits_of(route: Route) -> tuple[Limit, ...]:
    """All limits of a route; whatever needs a sign-in also has the one of every caller.

    Raises KeyError for a name that is not in the table.
    """
    named = tuple(LIMITS[name] for name in route.limits)
    return (*named, EVERY_CALLER) if route.access in GUARDED else named


def chosen(
    routes: Iterable[Route], factor: int, *, after_sign_in: bool
) -> dict[tuple[str, str], tuple[Limit, ...]]:
    """What applies to each method and path, before or after it is known who asks.

    What is counted late is left out.
    """
    found = {
        (route.method, route.path): tuple(
            limit.times(factor)
            for limit in limits_of(route)
            if (limit.by in AFTER_SIGN_IN) is after_sign_in and not limit.counted_late
        )
        for route in routes
    }
    return {place: limits for place, limits in found.items() if limits}
