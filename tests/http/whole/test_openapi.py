"""The description as it is served, for programs and for people."""

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest

from adapters_http.description.document import public_path
from adapters_http.routes import ROUTES
from adapters_http.web.routing import Reading, Route
from tests.http.api import Api
from tests.http.neighbours import DOCUMENT

TREE = Path(__file__).parents[3]


class _Tags(HTMLParser):
    """Every tag with its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta", "br", "!doctype"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


class TestDocument:
    def test_it_is_the_committed_one(self, api: Api) -> None:
        reply = api.get("/openapi.json")

        assert reply.status_code == 200
        assert reply.headers["Content-Type"] == "application/json; charset=utf-8"
        assert reply.json == orjson.loads((TREE / "openapi.json").read_bytes())

    def test_whoever_has_it_gets_no_body(self, api: Api) -> None:
        tag = api.get("/openapi.json").headers["ETag"]

        reply = api.get("/openapi.json", headers={"If-None-Match": tag})

        assert (reply.status_code, reply.content) == (304, b"")

    def test_only_what_carries_an_etag_can_be_known_already(self, api: Api) -> None:
        paths = api.get("/openapi.json").json["paths"]
        replies = [
            operation["responses"]
            for path in paths.values()
            for method, operation in path.items()
            if method != "parameters"
        ]

        for each in replies:
            assert ("304" in each) == ("ETag" in each.get("200", {}).get("headers", {}))


JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
EITHER = {"token", "ids"}
"""Fields of which another may take the place: `pageToken`, `filter`."""
BODIES = [
    route
    for route in ROUTES
    if route.method != "GET" and route.reading is Reading.OBJECT and route.body is not None
]


def named(route: Route) -> str:
    return f"{route.method} {route.path}"


def contents_of(route: Route) -> Any:
    row = DOCUMENT["paths"][public_path(route.path)][route.method.lower()]
    return row["requestBody"]["content"]


def schema_of(content: Any) -> Any:
    name = content["schema"].get("$ref", "").rpartition("/")[2]
    return DOCUMENT["components"]["schemas"].get(name, content["schema"])


class TestBodies:
    @pytest.mark.parametrize("route", BODIES, ids=named)
    def test_every_field_that_is_missed_is_required(self, api: Api, route: Route) -> None:
        reply = api.sign_up().ask(route.method, re.sub(r"\{\w+\}", "1", route.path), {})

        is_json = "json" in reply.headers["Content-Type"]
        missed = {fault["path"] for fault in reply.json.get("fields", ())} if is_json else set()
        for content in contents_of(route).values():
            assert missed - EITHER <= set(schema_of(content).get("required", ()))

    @pytest.mark.parametrize("path", ["/api/contacts", "/api/suppressions"])
    def test_a_phone_is_required(self, path: str) -> None:
        contents = DOCUMENT["paths"][path]["post"]["requestBody"]["content"]
        assert contents.keys() == {JSON, FORM}
        for content in contents.values():
            schema = schema_of(content)
            assert schema["required"] == ["phone"]
            assert schema["properties"]["phone"]["type"] == ["string", "integer"]

    @pytest.mark.parametrize("route", BODIES, ids=named)
    def test_every_body_may_be_a_form_that_can_be_filled_in(self, route: Route) -> None:
        contents = contents_of(route)

        assert contents.keys() == {JSON, FORM}
        form = schema_of(contents[FORM])
        assert set(form.get("required", ())) <= form["properties"].keys()
        for field in form["properties"].values():
            assert "$ref" not in field
            assert "object" not in field.get("type", ())

    @pytest.mark.parametrize("route", BODIES, ids=named)
    def test_the_example_of_a_form_is_read_as_that_of_json(self, api: Api, route: Route) -> None:
        path = re.sub(r"\{\w+\}", "1", route.path)
        form = contents_of(route)[FORM]["example"]

        as_form = api.sign_up().ask(
            route.method,
            path,
            raw=urlencode(_words(form), doseq=True).encode(),
            headers={"Content-Type": FORM},
        )
        as_json = api.sign_up().ask(route.method, path, form)

        refused = (400, 415)  # a second sign-up has another reason
        assert (as_form.status_code in refused) == (as_json.status_code in refused)


def _words(fields: dict[str, object]) -> dict[str, object]:
    words = {True: "true", False: "false", None: ""}
    return {
        name: words[value] if isinstance(value, bool | None) else value
        for name, value in fields.items()
    }


class TestPage:
    def test_it_shows_every_route(self, api: Api) -> None:
        page = api.get("/docs").text

        shown = re.findall(r"<b>([A-Z]+)</b> <code>([^<]+)</code>", page)
        assert len(shown) == len(ROUTES)

    def test_it_is_well_formed_and_needs_nothing_that_the_policy_forbids(self, api: Api) -> None:
        reply = api.get("/docs")

        page = _Tags(reply.text)
        assert page.open == []
        for tag, attributes in page.tags:
            assert tag not in {"script", "link", "img", "iframe"}
            assert not any(name.startswith("on") for name in attributes)
            assert (attributes.get("href") or "#").startswith(("#", "/openapi.json"))
        assert "script-src 'self'" in reply.headers["Content-Security-Policy"]

    @pytest.mark.parametrize("path", ["/docs", "/docs/", "/DOCS"])
    def test_it_is_html(self, api: Api, path: str) -> None:
        reply = api.get(path)

        assert (reply.status_code, reply.headers["Content-Type"]) == (
            200,
            "text/html; charset=utf-8",
        )
