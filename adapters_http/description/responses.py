"""What a route answers: its good replies, and every error it can give."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from itertools import groupby
from typing import Any, Final

from adapters_http.description import examples
from adapters_http.description.schemas import Schema, Schemas, Way
from adapters_http.middleware import errors as statuses
from adapters_http.web.refusals import (
    InsufficientScope,
    MethodNotAllowed,
    OriginNotAllowed,
    PayloadTooLarge,
    UnsupportedMediaType,
)
from adapters_http.web.routing import CSV, HTML, JSON, Access, Route
from retail_core.kernel import errors as families
from retail_core.kernel.errors import DomainError

ERROR: Final[Schema] = {
    "type": "object",
    "description": "Every error, whatever the route; a code may bring further keys.",
    "required": ["message", "code", "status", "requestId"],
    "properties": {
        "message": {"type": "string", "description": "For people; its words may change."},
        "code": {"type": "string", "description": "For programs."},
        "status": {"type": "integer"},
        "requestId": {"type": "string"},
        "fields": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["path", "message"],
                "properties": {"path": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}
HEADERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "X-Request-ID": {"description": "Names this request in logs.", "schema": {"type": "string"}},
    "ETag": {"description": "Names this state of the reply.", "schema": {"type": "string"}},
    "RateLimit-Limit": {"description": "Requests per window.", "schema": {"type": "string"}},
    "RateLimit-Remaining": {"description": "Requests left.", "schema": {"type": "string"}},
    "RateLimit-Reset": {"description": "Seconds until more.", "schema": {"type": "string"}},
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "string"}},
    "Idempotency-Replayed": {
        "description": "`true` on the repeated reply of an Idempotency-Key.",
        "schema": {"type": "string"},
    },
    "Content-Disposition": {
        "description": "The name under which to save the file.",
        "schema": {"type": "string"},
    },
    "Set-Cookie": {"description": "The refresh token.", "schema": {"type": "string"}},
    "Location": {"description": "Where to go.", "schema": {"type": "string"}},
    "Allow": {"description": "The methods that there are.", "schema": {"type": "string"}},
    "WWW-Authenticate": {"description": "`Bearer`", "schema": {"type": "string"}},
}
_RATE: Final = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
_ERROR_HEADERS: Final[Mapping[int, tuple[str, ...]]] = {
    401: ("WWW-Authenticate",),
    405: ("Allow",),
    429: ("Retry-After", *_RATE),
}
_SAMPLES: Final[Mapping[str, str]] = {
    HTML: "<!doctype html>\n<title>Messages from My Shop Ltd</title>",
    CSV: "row,field,code,message,value\r\n3,phone,INVALID_PHONE,Not a valid phone number.,123\r\n",
    "text/plain": "ok 1\n",
}
GUARDED: Final = frozenset({Access.USER, Access.SESSION})


class Responses:
    """Makes the responses of routes; errors that many share stand under components."""

    def __init__(self, schemas: Schemas) -> None:
        self.components: dict[str, Schema] = {}
        self._schemas = schemas

    def of(self, route: Route) -> dict[str, Schema]:
        """By status."""
        found = {str(status): self._good(route, status) for status in good_statuses(route)}
        if is_compared(route):
            found["304"] = {
                "description": "Nothing has changed since the reply with this ETag.",
                "headers": _headers("X-Request-ID", "ETag"),
            }
        for status, kinds in groupby(sorted(errors_of(route), key=_place), statuses.status_of_kind):
            found[str(status)] = self._error(route, status, list(kinds))
        return dict(sorted(found.items()))

    def _good(self, route: Route, status: int) -> Schema:
        response: Schema = {"description": HTTPStatus(status).phrase}
        headers = ["X-Request-ID"]
        if status == HTTPStatus.FOUND:
            return response | {"headers": _headers(*headers, "Location")}
        response["content"] = {media: self._content(route, media) for media in route.media}
        if is_compared(route) and status == HTTPStatus.OK:
            headers.append("ETag")
        if route.access in GUARDED or route.limits:
            headers.extend(_RATE)
        if route.once:
            headers.append("Idempotency-Replayed")
        if any(media not in {JSON, HTML, "text/plain"} for media in route.media):
            headers.append("Content-Disposition")
        if route.sets_cookie:
            headers.append("Set-Cookie")
        return response | {"headers": _headers(*headers)}

    def _content(self, route: Route, media: str) -> Schema:
        if media == JSON:
            assert route.reply is not None, f"{route.method} {route.path} needs the type of a reply"
            schema = self._schemas.of(route.reply, Way.REPLY)
            made = examples.of_reply(schema, self._schemas.components)
            return {"schema": schema, "example": made if route.sample is None else route.sample}
        if media not in _SAMPLES:
            return {}
        return {"schema": {"type": "string"}, "example": route.sample or _SAMPLES[media]}

    def _error(self, route: Route, status: int, kinds: list[type[DomainError]]) -> Schema:
        by_code: dict[str, list[str]] = {}
        for kind in kinds:
            sentences = by_code.setdefault(kind.code, [])
            if _sentence(kind) not in sentences:
                sentences.append(_sentence(kind))
        is_page = HTML in route.media
        name = "-".join((str(status), *by_code, *(["page"] if is_page else [])))
        headers = ["X-Request-ID", *_ERROR_HEADERS.get(status, ())]
        if families.IdempotencyInProgress in kinds:
            headers.append("Retry-After")
        content = {JSON: _error_content(status, by_code)}
        if is_page:
            content[HTML] = {"schema": {"type": "string"}, "example": _SAMPLES[HTML]}
        response: Schema = {
            "description": "\n".join(
                f"`{code}`: {' '.join(texts)}" for code, texts in by_code.items()
            ),
            "headers": _headers(*headers),
            "content": content,
        }
        known = self.components.setdefault(name, response)
        # a code may mean another thing elsewhere: a phone that is taken, or an e-mail address
        return {"$ref": f"#/components/responses/{name}"} if known == response else response


def is_compared(route: Route) -> bool:
    """Whether the reply has an ETag, so that it need not be sent again."""
    return route.method == "GET" and JSON in route.media and HTTPStatus.OK in good_statuses(route)


def good_statuses(route: Route) -> tuple[int, ...]:
    """The statuses of what went well."""
    return (route.status, *route.statuses)


def errors_of(route: Route) -> Iterable[type[DomainError]]:
    """Those every route has, those that follow from the row, and those named in it."""
    found: list[type[DomainError]] = [
        families.RuleViolation,
        MethodNotAllowed,
        PayloadTooLarge,
        DomainError,
        families.Unavailable,
    ]
    is_write = route.method != "GET"
    follows: tuple[tuple[bool, type[DomainError]], ...] = (
        (route.access in GUARDED, families.Unauthenticated),
        (route.access in GUARDED or bool(route.limits), families.LimitExceeded),
        (route.access is Access.SESSION, families.Forbidden),
        (route.access is Access.USER and route.scope is not None, InsufficientScope),
        (is_write and not route.is_form, OriginNotAllowed),
        (is_write, UnsupportedMediaType),
        ("{" in route.path, families.NotFound),
        (route.once, families.IdempotencyKeyReused),
        (route.once, families.IdempotencyInProgress),
    )
    found += [kind for holds, kind in follows if holds]
    return dict.fromkeys([*found, *route.errors])


def codes(route: Route) -> dict[int, frozenset[str]]:
    """The codes of a route by status."""
    found: dict[int, set[str]] = {}
    for kind in errors_of(route):
        found.setdefault(statuses.status_of_kind(kind), set()).add(kind.code)
    return {status: frozenset(each) for status, each in found.items()}


def _place(kind: type[DomainError]) -> tuple[int, str]:
    return statuses.status_of_kind(kind), kind.code


def _sentence(kind: type[DomainError]) -> str:
    """What a code means: the sentence of the broadest class that has it."""
    if kind is DomainError:
        return "Something went wrong."
    of_code = [each for each in kind.__mro__ if getattr(each, "code", None) == kind.code]
    return (of_code[-1].__doc__ or kind.code).strip().splitlines()[0]


def _error_content(status: int, by_code: Mapping[str, list[str]]) -> Schema:
    code, (sentence, *_) = next(iter(by_code.items()))
    narrowed = {"properties": {"code": {"enum": list(by_code)}, "status": {"const": status}}}
    return {
        "schema": {"allOf": [{"$ref": "#/components/schemas/Error"}, narrowed]},
        "example": {"message": sentence, "code": code, "status": status, "requestId": "c2f1a0b4"},
    }


def _headers(*names: str) -> Schema:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
