"""Reading bodies: how much is taken, what type it is, and strictly what it says."""

import json
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Final, NoReturn

import orjson

from adapters_http.web import deadlines, targets
from adapters_http.web.context import Request
from adapters_http.web.refusals import (
    BadTarget,
    MalformedBody,
    PayloadTooLarge,
    SlowBody,
    UnsupportedMediaType,
)

JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"
MULTIPART: Final = "multipart/form-data"
CHUNK_BYTES: Final = 65_536
DEPTH_MAX: Final = 64
"""Nothing that is read here is nested more than a handful of times."""

STEADY_BYTES_PER_SECOND: Final = 32_768
"""A large upload may take longer than other requests, as long as it comes this fast."""


class LimitedStream:
    """A body read in pieces, never more than `bytes_max` of it.

    Works for bodies with a length and for chunked ones. `read` raises PayloadTooLarge where the
    body goes on beyond the limit, MalformedBody where it breaks off, and SlowBody where it takes
    more than the request's time; a `steady` one earns time by what has come. The time is looked at
    between pieces: how long the server waits for one is for its proxy to bound.
    """

    def __init__(self, req: Request, bytes_max: int, *, steady: bool = False) -> None:
        length = req.content_length
        chunked = req.env.get("HTTP_TRANSFER_ENCODING", "").lower() == "chunked"
        if length is not None and length > bytes_max:
            raise PayloadTooLarge(bytes_max)
        self._stream = req.stream
        self._bytes_max = bytes_max
        self._is_steady = steady
        self._has_length = length is not None
        # without a length a body must be chunked, and then the server knows where it ends
        self._left = length if length is not None else bytes_max + 1 if chunked else 0
        self._taken = 0

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes (-1: the rest); empty at the end."""
        wanted = self._left if size < 0 else min(size, self._left)
        pieces: list[bytes] = []
        while wanted > 0:
            piece = self._piece(min(wanted, CHUNK_BYTES))
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

    def _piece(self, size: int) -> bytes:
        if _is_over():
            raise SlowBody
        try:
            piece: bytes = self._stream.read(size)
        except Exception:  # noqa: BLE001 - each server has errors of its own for this
            self._refuse_end()
        if not piece and self._has_length:
            self._refuse_end()
        if self._is_steady:
            deadlines.extend(len(piece) / STEADY_BYTES_PER_SECOND)
        return piece

    def _refuse_end(self) -> NoReturn:
        """The body ended before it was complete; tell whether for lack of time."""
        if _is_over():
            raise SlowBody
        raise MalformedBody("The body broke off.")


def _is_over() -> bool:
    remaining = deadlines.remaining_seconds()
    return remaining is not None and remaining <= 0


def stream(req: Request) -> LimitedStream:
    """The body of a route that reads it itself (`Reading.STREAM`), within the route's limit."""
    assert req.context.route is not None
    return LimitedStream(req, req.context.route.body_bytes_max, steady=True)


def media_type(req: Request) -> str:
    """The type of the body in lower case without its parameters; empty if it has none."""
    return (req.content_type or "").partition(";")[0].strip().lower()


def form(raw: bytes) -> Mapping[str, str]:
    """The fields of a form, each at most once. Raises MalformedBody."""
    pairs = _pairs(raw)
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise MalformedBody("a field is given twice")
    return fields


def _repeatable(raw: bytes) -> Mapping[str, str | list[str]]:
    several: dict[str, list[str]] = {}
    for name, text in _pairs(raw):
        several.setdefault(name, []).append(text)
    return {name: texts if len(texts) > 1 else texts[0] for name, texts in several.items()}


def _pairs(raw: bytes) -> list[tuple[str, str]]:
    try:
        return targets.pairs(raw.decode("ascii"))
    except (BadTarget, UnicodeDecodeError):
        raise MalformedBody("the form cannot be read") from None


def document(raw: bytes, kind: str) -> Mapping[str, object]:
    """The fields of a JSON object or a form; nothing at all means `{}`.

    A field that a form gives more than once has a list of texts. Raises UnsupportedMediaType for
    any other type, MalformedBody for what cannot be read.
    """
    if not raw:
        return {}
    if kind == FORM:
        return _repeatable(raw)
    if kind != JSON:
        raise UnsupportedMediaType("Send application/json.")
    return json_object(raw)


def json_object(raw: bytes) -> Mapping[str, object]:
    """Read a JSON object strictly.

    Refused beside malformed text: duplicate keys, NaN and infinities, unpaired surrogates, NUL,
    nesting beyond `DEPTH_MAX`, and anything that is not an object at the top.
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
    if b"\\u0000" in raw or raw.count(b"[") + raw.count(b"{") > DEPTH_MAX:
        _refuse_nul_and_depth(value)
    return value


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        _refuse("duplicate key")
    return found


def _refuse_nul_and_depth(value: object) -> None:
    level = [value]
    for _ in range(DEPTH_MAX):
        if any(isinstance(each, str) and "\0" in each for each in level):
            raise MalformedBody("The body holds a NUL.")
        level = [inner for each in level for inner in _inside(each)]
        if not level:
            return
    raise MalformedBody(f"The body is nested more than {DEPTH_MAX} times.")


def _inside(value: object) -> Iterable[object]:
    match value:
        case dict():
            return chain(value, value.values())
        case list():
            return value
        case _:
            return ()


def _refuse(text: str) -> NoReturn:
    raise ValueError(text)
