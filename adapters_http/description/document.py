"""The whole document, one operation for each row of the table."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs

from adapters_http.description import examples, parameters, responses
from adapters_http.description.responses import Responses
from adapters_http.description.schemas import REFERENCE, Schema, Schemas, Way
from adapters_http.web import codec
from adapters_http.web.replies import dumps
from adapters_http.web.routing import Reading, Route

VERSION: Final = "1.0.0"
FORM: Final = "application/x-www-form-urlencoded"
MULTIPART: Final = "multipart/form-data"
JSON: Final = "application/json"
TITLE: Final = "Retail SMS marketing"
SUMMARY: Final = "Contacts, campaigns, credits and automations of shops."
_ROOTS: Final = frozenset({"api", "v1"})
_FILE: Final[Schema] = {"type": "string", "format": "binary", "description": "One file."}


@attrs.frozen
class Description:
    """The description of the routes that are served."""

    document: Mapping[str, Any]

    @classmethod
    def of(cls, routes: Sequence[Route], *, closed: bool = False) -> "Description":
        """Describe a table; see `Schemas` for `closed`."""
        return cls(_Writer(routes, closed=closed).document())

    def text(self) -> bytes:
        """As JSON, in lines, as it is committed."""
        return dumps(self.document, indented=True) + b"\n"


class _Writer:
    def __init__(self, routes: Sequence[Route], *, closed: bool) -> None:
        self._routes = routes
        self._schemas = Schemas(closed=closed)
        self._responses = Responses(self._schemas)

    def document(self) -> dict[str, Any]:
        paths: dict[str, dict[str, Any]] = {}
        for route in self._routes:
            paths.setdefault(public_path(route.path), {})[route.method.lower()] = self._row(route)
        return {
            "openapi": "3.1.0",
            "info": {"title": TITLE, "version": VERSION, "summary": SUMMARY},
            "servers": [{"url": "/"}],
            "tags": [{"name": name} for name in sorted({_area(each) for each in self._routes})],
            "paths": dict(sorted(paths.items())),
            "components": {
                "schemas": dict(
                    sorted((self._schemas.components | {"Error": responses.ERROR}).items())
                ),
                "responses": dict(sorted(self._responses.components.items())),
                "parameters": parameters.HEADERS,
                "headers": responses.HEADERS,
                "securitySchemes": parameters.security_schemes(),
            },
        }

    def _row(self, route: Route) -> dict[str, Any]:
        row: dict[str, Any] = {
            "operationId": operation_id(route),
            "summary": route.summary,
            "tags": [_area(route)],
            "security": parameters.security(route),
            "parameters": parameters.parameters(route, self._schemas),
            "responses": self._responses.of(route),
        }
        if route.scope is not None:
            row["x-scope"] = route.scope
        if route.method != "GET":
            row |= self._body(route)
        links = self._links(route)
        if links:
            row["responses"][str(route.status)]["links"] = links
        return row

    def _body(self, route: Route) -> dict[str, Any]:
        if route.reading is Reading.STREAM:
            return {"requestBody": {"required": True, "content": {MULTIPART: self._form(route)}}}
        if route.body is None:
            return {}
        schema = self._schemas.of(route.body, Way.BODY)
        example = route.example
        if example is None:
            example = examples.of_body(schema, self._schemas.components)  # type: ignore[assignment]
        content = {"schema": schema, "example": example}
        needed = route.reading is Reading.OBJECT and self._is_needed(schema)
        contents = {JSON: content}
        if route.reading is Reading.RAW:
            contents[FORM] = {"schema": {}, "example": example}  # whatever it says is kept
        else:
            contents[FORM] = self._web_form(schema, example)
        return {"requestBody": {"required": needed, "content": contents}}

    def _web_form(self, schema: Schema, example: object) -> dict[str, Any]:
        """The same body without what a form cannot say: objects. Arrays repeat their field."""
        name = schema.get("$ref", "").removeprefix(REFERENCE)
        whole = self._schemas.components.get(name, schema)
        kept = {
            key: field for key, field in whole["properties"].items() if not _holds_objects(field)
        }
        assert isinstance(example, Mapping)
        values = {key: value for key, value in example.items() if key in kept}
        if len(kept) < len(whole["properties"]):
            schema = whole | {"properties": kept}
        return {"schema": schema, "example": values}

    def _is_needed(self, schema: Schema) -> bool:
        name = schema.get("$ref", "").removeprefix(REFERENCE)
        return bool(self._schemas.components.get(name, schema).get("required"))

    def _form(self, route: Route) -> Schema:
        fields = [] if route.body is None else self._schemas.fields(route.body, Way.QUERY)
        schema: Schema = {
            "type": "object",
            "required": ["file", *(name for name, _, needed in fields if needed)],
            "properties": {"file": _FILE} | {name: schema for name, schema, _ in fields},
        }
        example = {"file": "phone,firstName\n+306900000001,Ana\n"}
        return {"schema": schema, "example": example | dict(route.example or {})}

    def _links(self, route: Route) -> dict[str, Any]:
        """Where one can go with the id of what was made."""
        if route.method != "POST" or JSON not in route.media or route.reply is None:
            return {}
        keys = self._keys_of(self._schemas.of(route.reply, Way.REPLY))
        links: dict[str, Any] = {}
        for other in self._routes:
            names = re.findall(r"\{(\w+)\}", other.path)
            if len(names) != 1 or not other.path.startswith(f"{route.path}/{{"):
                continue
            key = next((each for each in (codec.key(names[0]), "id") if each in keys), None)
            if key is not None:
                expression = {codec.key(names[0]): f"$response.body#/{key}"}
                target = operation_id(other)
                links[target] = {"operationId": target, "parameters": expression}
        return links

    def _keys_of(self, schema: Schema) -> Mapping[str, Any]:
        name = schema.get("$ref", "").removeprefix(REFERENCE)
        keys: Mapping[str, Any] = self._schemas.components.get(name, schema).get("properties", {})
        return keys


def public_path(path: str) -> str:
    """A path with its parameters as clients call them."""
    return re.sub(r"\{(\w+)\}", lambda found: "{" + codec.key(found[1]) + "}", path)


def operation_id(route: Route) -> str:
    """A name for the operation that programs can use."""
    words = re.findall(r"[A-Za-z0-9]+", route.path) or ["root"]
    return route.method.lower() + "".join(word.capitalize() for word in words if word != "api")


def _area(route: Route) -> str:
    words = [word for word in route.path.split("/") if word and word not in _ROOTS]
    return words[0] if words and not words[0].startswith("{") else "operations"


def _holds_objects(schema: Schema) -> bool:
    """Whether a value is, or contains, an object; enumerations are never by reference."""
    inner = [*schema.get("anyOf", ()), *([schema["items"]] if "items" in schema else [])]
    return "$ref" in schema or "object" in schema.get("type", ()) or any(map(_holds_objects, inner))
