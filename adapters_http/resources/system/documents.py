"""The description of the API, for programs and for people (docs/api.md, 3.13)."""

from typing import Final, Self

import attrs

from adapters_http.description.document import Description
from adapters_http.description.page import page
from adapters_http.web.context import Request, Response
from adapters_http.web.replies import JSON as JSON_UTF8
from adapters_http.web.replies import dumps
from adapters_http.web.routing import HTML, Access, Route


@attrs.frozen
class Documents:
    """The description, written once when the process starts."""

    json: bytes
    html: str

    @classmethod
    def of(cls, description: Description) -> Self:
        """Both forms."""
        return cls(dumps(description.document), page(description.document))


@attrs.frozen
class OpenApi:
    """`/openapi.json`."""

    documents: Documents

    def on_get(self, _req: Request, resp: Response) -> None:
        """The document."""
        resp.content_type = JSON_UTF8
        resp.data = self.documents.json


@attrs.frozen
class Docs:
    """`/docs`."""

    documents: Documents

    def on_get(self, _req: Request, resp: Response) -> None:
        """A page that shows it."""
        resp.content_type = f"{HTML}; charset=utf-8"
        resp.text = self.documents.html


ROUTES: Final = (
    Route(
        method="GET",
        path="/openapi.json",
        resource=OpenApi,
        access=Access.PUBLIC,
        summary="The description of this API as OpenAPI",
        reply=dict[str, object],
        sample={"openapi": "3.1.0"},
    ),
    Route(
        method="GET",
        path="/docs",
        resource=Docs,
        access=Access.PUBLIC,
        summary="The description of this API for people",
        media=(HTML,),
    ),
)
