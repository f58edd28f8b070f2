"""The description as it is served, for programs and for people."""

import re
from html.parser import HTMLParser
from pathlib import Path

import orjson
import pytest

from adapters_http.table import ROUTES
from tests.http.api import Api

TREE = Path(__file__).parents[2]


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
