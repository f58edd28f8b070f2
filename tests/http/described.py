"""Holds every reply that a test gets to the description of the API.

The schemas are closed: a key that the types do not name is as wrong as one that is missing. So a
shape, a status or a code that changes without its row fails the first test that sees it.
"""

import functools
import json
import re
from collections.abc import Mapping
from typing import Any, Final

import jsonschema_rs
from falcon.testing import Result

from adapters_http.description.document import Description, public_path
from adapters_http.description.responses import codes, good_statuses
from adapters_http.routes import ROUTES
from adapters_http.web.routing import JSON, Route

NOT_MODIFIED: Final = 304
ERRORS_FROM: Final = 400


@functools.cache
def closed_document() -> Mapping[str, Any]:
    return Description.of(ROUTES, closed=True).document


def route_of(method: str, path: str) -> Route | None:
    """The row that answers; HEAD and OPTIONS have none of their own."""
    words = path.removesuffix("/").split("/")[1:]
    found = [route for route in ROUTES if route.method == method and _fits(route.path, words)]
    return min(found, key=lambda route: route.path.count("{"), default=None)


def check(method: str, path: str, reply: Result) -> None:
    """Fail if the description does not know this reply."""
    route = route_of(method, path)
    if route is None:
        return
    status, name = reply.status_code, f"{route.method} {route.path}"
    kind = reply.headers.get("Content-Type", "").partition(";")[0]
    if status >= ERRORS_FROM:
        _check_error(route, name, kind, reply)
        return
    if status == NOT_MODIFIED and method == "GET" and JSON in route.media:
        return
    assert status in good_statuses(route), f"{name}: name {status} in the row (status, statuses)"
    if not reply.content:
        return
    assert kind in route.media, f"{name}: name {kind} in the row (media)"
    if kind == JSON:
        _validate(name, _schema(route, status), reply.json)


def _check_error(route: Route, name: str, kind: str, reply: Result) -> None:
    if kind != JSON:
        assert kind in route.media, f"{name}: an error as {kind}"
        assert reply.status_code in codes(route), f"{name}: name the error in the row (errors)"
        return
    code = reply.json["code"]
    known = codes(route).get(reply.status_code, frozenset())
    assert code in known, (
        f"{name}: name the class of {reply.status_code} {code} in the row (errors)"
    )


def _schema(route: Route, status: int) -> Mapping[str, Any]:
    row = closed_document()["paths"][public_path(route.path)][route.method.lower()]
    schema: Mapping[str, Any] = row["responses"][str(status)]["content"][JSON]["schema"]
    return schema


def _validate(name: str, schema: Mapping[str, Any], value: object) -> None:
    found = next(validator(json.dumps(schema)).iter_errors(value), None)
    assert found is None, f"{name}: {'.'.join(map(str, found.instance_path))}: {found.message}"


@functools.cache
def validator(schema: str) -> Any:
    """A compiled schema, with the components it refers to."""
    whole = json.loads(schema) | {"components": closed_document()["components"]}
    return jsonschema_rs.Draft202012Validator(whole)


def _fits(template: str, words: list[str]) -> bool:
    steps = [step for step in template.split("/") if step]
    return len(steps) == len(words) and all(
        step.startswith("{") or re.fullmatch(re.escape(step), word, re.IGNORECASE)
        for step, word in zip(steps, words, strict=True)
    )
