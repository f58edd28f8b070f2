"""The description of the API is complete, and the committed one is of today.

These tests need no server, so whoever changes a route sees them at once.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from adapters_http.description.document import Description, operation_id, public_path
from adapters_http.description.responses import codes
from adapters_http.routes import ROUTES
from adapters_http.web.routing import JSON, Reading, Route
from tests.architecture.tree import ROOT
from tests.http.contract_codes import CODES

DOCUMENT: Any = Description.of(ROUTES).document


def named(route: Route) -> str:
    return f"{route.method} {route.path}"


def row_of(route: Route) -> Any:
    return DOCUMENT["paths"][public_path(route.path)][route.method.lower()]


def contents() -> Iterator[tuple[str, Any]]:
    """Every body and reply with its schema and its example."""
    answers = [("components", each) for each in DOCUMENT["components"]["responses"].values()]
    for route in ROUTES:
        row = row_of(route)
        answers += [(named(route), each) for each in row["responses"].values()]
        answers.append((f"body of {named(route)}", row.get("requestBody", {})))
    for name, answer in answers:
        for kind, content in answer.get("content", {}).items():
            yield f"{name} {kind}", content


def test_the_committed_description_is_of_today() -> None:
    committed = ROOT / "openapi.json"

    is_fresh = committed.exists() and committed.read_bytes() == Description.of(ROUTES).text()

    assert is_fresh, "a route has changed: run `make openapi` and commit openapi.json"


def test_the_description_is_the_same_every_time() -> None:
    assert Description.of(ROUTES).text() == Description.of(ROUTES).text()


def test_every_route_is_described_once() -> None:
    described = [
        (method.upper(), path) for path, rows in DOCUMENT["paths"].items() for method in rows
    ]

    assert sorted(described) == sorted((route.method, public_path(route.path)) for route in ROUTES)


def test_every_operation_has_a_name_of_its_own() -> None:
    names = [operation_id(route) for route in ROUTES]

    assert len(names) == len(set(names))


def test_every_schema_is_one() -> None:
    for schema in DOCUMENT["components"]["schemas"].values():
        jsonschema_rs.meta.validate(
            schema | {"$schema": "https://json-schema.org/draft/2020-12/schema"}
        )


def test_every_example_fits_its_schema() -> None:
    wrong = []
    for name, content in contents():
        if "schema" in content:
            whole = content["schema"] | {"components": DOCUMENT["components"]}
            checker = jsonschema_rs.Draft202012Validator(whole)
            plain = json.loads(json.dumps(content["example"]))
            wrong += [f"{name}: {each.message}" for each in checker.iter_errors(plain)]

    assert wrong == []


@pytest.mark.parametrize("route", ROUTES, ids=named)
class TestEveryRow:
    def test_it_shows_what_to_send(self, route: Route) -> None:
        sent = row_of(route).get("requestBody", {}).get("content", {})

        needs = route.method != "GET" and (
            route.body is not None or route.reading is not Reading.OBJECT
        )
        assert bool(sent) == needs, "name the type of the body in the row (body)"
        assert all("example" in content for content in sent.values())

    def test_it_shows_what_comes_back(self, route: Route) -> None:
        good = row_of(route)["responses"][str(route.status)]["content"]

        assert set(good) == set(route.media)
        for kind, content in good.items():
            assert not kind.startswith(("text/", JSON)) or "example" in content

    def test_its_errors_are_those_of_the_contract(self, route: Route) -> None:
        unknown = {
            (status, code)
            for status, known in codes(route).items()
            for code in known
            if code not in CODES.get(status, ())
        }

        assert unknown == set(), "no such code in docs/api.md, 1.6"

    def test_its_parameters_are_in_its_path(self, route: Route) -> None:
        told = {each["name"] for each in row_of(route)["parameters"] if each.get("in") == "path"}

        assert told == set(re.findall(r"\{(\w+)\}", public_path(route.path)))

    def test_its_links_lead_somewhere(self, route: Route) -> None:
        links = row_of(route)["responses"][str(route.status)].get("links", {})

        assert {link["operationId"] for link in links.values()} <= set(map(operation_id, ROUTES))
