"""Reading bodies: how much is taken, what type it is, and strictly what it says."""

import json
from collections.abc import Mapping
from typing import Final, NoReturn

import orjson

from adapters_http import targets
from adapters_http.context import Request
from adapters_http.refusals import (
    BadTarget,
    MalformedBody,
    PayloadTooLarge,
    UnsupportedMediaType,
)

JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"
MULTIPART: Final = "multipart/form-data"
CHUNK_BYTES: Final = 65_536


class LimitedStream:
    """A body read in pieces, never more than `bytes_max` of it.

    Works for bodies with a length and for chunked ones. `read` raises PayloadTooLarge where the
    body goes on beyond the limit.
    """

    def __init__(self, req: Request, bytes_max: int) -> None:
        length = req.content_length
        chunked = req.env.get("HTTP_TRANSFER_ENCODING", "").lower() == "chunked"
        if length is not None and length > bytes_max:
            raise PayloadTooLarge(bytes_max)
        self._stream = req.stream
        self._bytes_max = bytes_max
        # without a length a body must be chunked, and then the server knows where it ends
        self._left = length if length is not None else bytes_max + 1 if chunked else 0
        self._taken = 0

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes (-1: the rest); empty at the end."""
        wanted = self._left if size < 0 else min(size, self._left)
        pieces: list[bytes] = []
        while wanted > 0:
            try:
                piece = self._stream.read(min(wanted, CHUNK_BYTES))
            except OSError:
                raise MalformedBody("the body broke off") from None
            if not piece:
                self._left = 0
                break
            pieces.append(piece)
            wanted -= len(piece)
            self._left -= len(piece)
            self._taken += len(piece)
            if self._taken > self._bytes_max:
                raise PayloadTooLarge(self._bytes_max)
        return b"".join(pieces)


def stream(req: Request) -> LimitedStream:
    """The body of a route that reads it itself (`Reading.STREAM`), within the route's limit."""
    assert req.context.route is not None
    return LimitedStream(req, req.context.route.body_bytes_max)


def media_type(req: Request) -> str:
    """The type of the body in lower case without its parameters; empty if it has none."""
    return (req.content_type or "").partition(";")[0].strip().lower()


def form(raw: bytes) -> Mapping[str, str]:
    """The fields of a form, each at most once. Raises MalformedBody."""
    try:
        pairs = targets.pairs(raw.decode("ascii"))
    except (BadTarget, UnicodeDecodeError):
        raise MalformedBody("the form cannot be read") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise MalformedBody("a field is given twice")
    return fields


def document(raw: bytes, kind: str) -> Mapping[str, object]:
    """The fields of a JSON object or a form; nothing at all means `{}`.

    Raises UnsupportedMediaType for any other type, MalformedBody for what cannot be read.
    """
    if not raw:
        return {}
    if kind == FORM:
        return form(raw)
    if kind != JSON:
        raise UnsupportedMediaType("Send application/json.")
    return json_object(raw)


def json_object(raw: bytes) -> Mapping[str, object]:
    """Read a JSON object strictly.

    Refused beside malformed text: duplicate keys, NaN and infinities, unpaired surrogates, NUL,
    nesting beyond what the parsers take, and anything that is not an object at the top.
    """
    try:
        # orjson knows what is JSON and what is Unicode; only the standard library shows duplicate
        # keys and keeps integers of any size.
        orjson.loads(raw)
        value = json.loads(raw.decode(), object_pairs_hook=_without_duplicates)
    except (ValueError, RecursionError):
        raise MalformedBody("The body is not valid JSON.") from None
    if not isinstance(value, dict):
        raise MalformedBody("The body is not a JSON object.")
    if b"\\u0000" in raw:
        _refuse_nul(value)
    return value


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        _refuse("duplicate key")
    return found


def _refuse_nul(value: object) -> None:
    match value:
        case str() if "\0" in value:
            raise MalformedBody("The body holds a NUL.")
        case dict():
            for key, inner in value.items():
                _refuse_nul(key)
                _refuse_nul(inner)
        case list():
            for inner in value:
                _refuse_nul(inner)
        case _:
            pass


def _refuse(text: str) -> NoReturn:
    raise ValueError(text)
