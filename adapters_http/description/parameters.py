"""What a request may carry in its address and its headers."""

import re
from collections.abc import Mapping
from typing import Any, Final

from adapters_http.description.responses import is_compared
from adapters_http.description.schemas import Schema, Schemas, Way
from adapters_http.web import codec
from adapters_http.web.routing import Access, Proof, Route
from retail_core.kernel.idempotency import KEY_CHARACTERS_MAX
from retail_core.kernel.ids import ID_MAX, MESSAGE_NUMBER_MAX

_ID: Final[Schema] = {"type": "integer", "minimum": 1, "maximum": ID_MAX}
_WORDS: Final[Mapping[str, tuple[str, object]]] = {
    "code": ("The code of a link in a message", "q3V9xK2mPzA"),
    "job_id": ("The id of a job", "41"),
    "provider_message_id": ("The gateway's id of a message", "a1b2"),
    "public_id": ("The public id of an NFC tag", "k3Jd9_xQ2LmA"),
    "tag_public_id": ("The public id of an NFC tag", "k3Jd9_xQ2LmA"),
    "token": ("The token or the code of a link in a message", "q3V9xK2mPzA"),
    "tracking_id": ("The tracking id of a message", "71IFv2VDeQYM"),
}
"""Parameters of a path that are texts; every other one is called after what its id belongs to."""

HEADERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "Makes a repeat harmless: the same key with the same request gets the "
        "first reply again, for 24 hours. Visible ASCII.",
        "schema": {
            "type": "string",
            "minLength": 1,
            "maxLength": KEY_CHARACTERS_MAX,
            "pattern": "^[!-~]+$",
        },
        "example": "8f14e45f-ceea-467f-a0e6-7d6f0a3c1b52",
    },
    "RequestId": {
        "name": "X-Request-ID",
        "in": "header",
        "description": "Taken over, and repeated in the reply, if it is 1 to 64 letters, digits, "
        "dots, dashes and underscores; otherwise one is made.",
        "schema": {"type": "string"},
        "example": "c2f1a0b4",
    },
    "IfNoneMatch": {
        "name": "If-None-Match",
        "in": "header",
        "description": "The ETag of a reply that is already there; answered with 304 if it is "
        "still the newest.",
        "schema": {"type": "string"},
        "example": 'W/"1f3870be274f"',
    },
}


def security_schemes() -> dict[str, Schema]:
    """How callers prove who they are."""
    return {
        "accessToken": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "The access token of a signed-in user.",
        },
        "apiKey": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "rsk_<8 characters>_<43 characters>",
            "description": "An API key; it does what its scopes allow.",
        },
        Proof.REFRESH_COOKIE.value: _key("cookie", "rt", "Set by signing in and by refreshing."),
        Proof.GATEWAY_SECRET.value: _key("query", "secret", "The secret of the SMS webhooks."),
        Proof.GATEWAY_TOKEN.value: _key("header", "X-Webhook-Token", "The same in a header."),
        Proof.GATEWAY_SIGNATURE.value: _key(
            "header",
            "X-Webhook-Signature",
            "HMAC-SHA256 of the raw body with the secret, 64 lower-case hex digits.",
        ),
        Proof.STRIPE_SIGNATURE.value: _key(
            "header", "Stripe-Signature", "Stripe's signature over the raw body."
        ),
        Proof.METRICS_TOKEN.value: {
            "type": "http",
            "scheme": "bearer",
            "description": "METRICS_TOKEN; without one only near addresses are let in.",
        },
    }


def security(route: Route) -> list[dict[str, list[str]]]:
    """The proofs of which a route wants one; none at all lets everybody in."""
    match route.access:
        case Access.SESSION:
            return [{"accessToken": []}]
        case Access.USER:
            return [{"accessToken": []}, {"apiKey": [route.scope] if route.scope else []}]
        case Access.PUBLIC | Access.WEBHOOK:
            return [{} if proof is Proof.NOTHING else {proof.value: []} for proof in route.proofs]


def parameters(route: Route, schemas: Schemas) -> list[Schema]:
    """Those of the path, of the query, and of the headers."""
    found = [_of_path(name) for name in re.findall(r"\{(\w+)\}", route.path)]
    if route.query is not None:
        found += [
            _of_query(name, schema, needed)
            for name, schema, needed in schemas.fields(route.query, Way.QUERY)
        ]
    if route.paging is not None:
        found += _of_page(route.paging.rows, route.paging.rows_max)
    headers = ["RequestId"]
    if route.once:
        headers.append("IdempotencyKey")
    if is_compared(route):
        headers.append("IfNoneMatch")
    return found + [{"$ref": f"#/components/parameters/{name}"} for name in headers]


def is_id(name: str) -> bool:
    """Whether a parameter of a path is a number."""
    return name.endswith("_id") and name not in _WORDS


def _of_path(name: str) -> Schema:
    schema: Schema
    example: object
    if is_id(name):
        text, example = f"The id of the {name[:-3].replace('_', ' ')}", 12
        schema = _ID | ({"maximum": MESSAGE_NUMBER_MAX} if name == "message_id" else {})
    else:
        assert name in _WORDS, f"describe {{{name}}} in adapters_http/description/parameters.py"
        (text, example), schema = _WORDS[name], {"type": "string", "minLength": 1}
    found = _parameter("path", codec.key(name), schema, text)
    return found | {"required": True, "example": example}


def _of_query(name: str, schema: Schema, needed: bool) -> Schema:  # noqa: FBT001 - a field's value
    text = schema.pop("description", "")
    found = _parameter("query", name, schema, text)
    return found | ({"required": True} if needed else {"allowEmptyValue": True})


def _of_page(rows: int, rows_max: int) -> list[Schema]:
    number = {"type": "integer"}
    return [
        _parameter("query", "page", number | {"default": 1}, "Which page; below 1 means 1"),
        _parameter(
            "query",
            "pageSize",
            number | {"default": rows},
            f"Rows of a page, from 1 to {rows_max}; anything beyond means the nearest",
        ),
    ]


def _parameter(where: str, name: str, schema: Schema, text: str) -> Schema:
    described = {"description": text} if text else {}
    return {"name": name, "in": where, **described, "schema": schema}


def _key(where: str, name: str, text: str) -> Schema:
    return {"type": "apiKey", "in": where, "name": name, "description": text}
