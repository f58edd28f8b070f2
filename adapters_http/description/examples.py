"""Examples made from schemas: a body and a reply that somebody could really see."""

from collections.abc import Mapping
from typing import Any, Final

from adapters_http.description.schemas import REFERENCE, Schema

TIME: Final = "2026-11-24T01:57:11.601Z"
LATER: Final = "2026-12-24T01:57:11.601Z"
_BY_NAME: Final[Mapping[str, object]] = {
    "accessToken": "header.payload.signature",
    "birthday": "1990-05-17T00:00:00.000Z",
    "checkoutUrl": "https://checkout.stripe.com/c/pay/cs_1",
    "code": "INVALID_PHONE",
    "company": "My Shop Ltd",
    "consentSource": "Asked at the till",
    "consentText": "I agree to receive SMS offers.",
    "country": "GR",
    "defaultCountry": "GR",
    "email": "ana@example.com",
    "end": "09:00",
    "expiresAt": LATER,
    "fileName": "people.csv",
    "firstName": "Ana",
    "gender": "female",
    "filterGender": "female",
    "fullText": "Hello Ana\nStop: https://r.example/u/q3V9xK2mPzA",
    "id": 12,
    "ip": "203.0.113.7",
    "jobId": "41",
    "language": "en",
    "lastName": "Lo",
    "lastNameInitial": "L",
    "locale": "en",
    "message": "Done.",
    "messageText": "Hello {{firstName}}",
    "name": "Autumn",
    "newPassword": "another correct horse",
    "oldPassword": "correct horse",
    "ownerId": 2,
    "page": 1,
    "pageSize": 20,
    "password": "correct horse",
    "phone": "+306900000001",
    "providerMessageId": "a1b2",
    "publicId": "k3Jd9_xQ2LmA",
    "q": "ana",
    "scope": "contacts:read",
    "senderName": "MyShop",
    "sender": "MyShop",
    "smartEncoding": "off",
    "start": "21:00",
    "status": "ok",
    "storeName": "My Shop Ltd",
    "tag": "vip",
    "tags": "vip",
    "text": "Hello Ana",
    "timezone": "Europe/Athens",
    "title": "Autumn",
    "to": "+306900000001",
    "token": "q3V9xK2mPzA",
    "pageToken": "q3V9xK2mPzA",
    "trackingId": "71IFv2VDeQYM",
    "url": "https://shop.example/page",
    "userAgent": "Mozilla/5.0",
}
_OF_TYPE: Final[Mapping[str, object]] = {
    "boolean": True,
    "null": None,
    "number": 0.5,
    "string": "text",
}


def of_reply(schema: Schema, components: Mapping[str, Schema], name: str = "") -> object:
    """A reply with all its keys."""
    return _Maker(components, whole=True).make(schema, name)


def of_body(schema: Schema, components: Mapping[str, Schema]) -> object:
    """A body with what it must have, and with what people usually send."""
    return _Maker(components, whole=False).make(schema, "")


class _Maker:
    def __init__(self, components: Mapping[str, Schema], *, whole: bool) -> None:
        self._components = components
        self._whole = whole

    def make(self, schema: Schema, name: str) -> object:
        if "$ref" in schema:
            return self.make(self._components[schema["$ref"].removeprefix(REFERENCE)], name)
        for key in ("examples", "enum", "anyOf"):
            if key in schema:
                first = schema[key][0]
                return self.make(first, name) if key == "anyOf" else first
        return self._of_type(schema, name)

    def _of_type(self, schema: Schema, name: str) -> object:
        kinds = schema.get("type", "string")
        kind = kinds if isinstance(kinds, str) else kinds[0]
        match kind:
            case "object":
                return self._object(schema)
            case "array":
                return [self.make(schema["items"], name)]
            case "integer":
                return self._integer(schema, name)
            case "string":
                return self._string(schema, name)
            case _:
                return _OF_TYPE[kind]

    def _object(self, schema: Schema) -> dict[str, object]:
        if isinstance(schema.get("additionalProperties"), dict):
            return {"key": self.make(schema["additionalProperties"], "")}
        required = schema.get("required", ())
        return {
            key: self.make(inner, key)
            for key, inner in schema.get("properties", {}).items()
            if self._whole or key in required or ("default" not in inner and _is_usual(key, inner))
        }

    def _integer(self, schema: Schema, name: str) -> object:
        usual = _BY_NAME.get(name, _BY_NAME["id"] if name.endswith("Id") else None)
        return usual if isinstance(usual, int) else max(1, schema.get("minimum", 1))

    def _string(self, schema: Schema, name: str) -> object:
        usual = _BY_NAME.get(name)
        if schema.get("format") == "date-time" and name != "birthday":
            return TIME
        fits = isinstance(usual, str) and len(usual) >= schema.get("minLength", 0)
        text = str(usual) if fits else str(_OF_TYPE["string"])
        return text.ljust(schema.get("minLength", 0), "x")


def _is_usual(key: str, schema: Any) -> bool:  # noqa: ANN401 - JSON
    return key in _BY_NAME or "examples" in schema
