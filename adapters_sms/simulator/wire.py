"""Just enough HTTP/1.1 for the simulator's server: heads, bodies of known length, answers."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl

import attrs
import orjson

HEAD_BYTES_MAX: Final = 64 * 1024
BODY_BYTES_MAX: Final = 16 * 1024 * 1024
BUFFER_BYTES: Final = 2 * 1024 * 1024


@attrs.frozen
class Head:
    """Request line and headers; `path` is raw, still percent-escaped, and without the query."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]

    @property
    def keeps_alive(self) -> bool:
        """Whether the caller wants to use the connection again."""
        return self.headers.get("connection", "").lower() != "close"


@attrs.frozen
class Response:
    """An answer; `sent_bytes_max` cuts it off in the middle and then closes the connection."""

    status: int
    body: bytes = attrs.field(repr=False)
    headers: Mapping[str, str] = attrs.field(factory=dict)
    sent_bytes_max: int | None = None

    def encode(self, *, keep_alive: bool) -> bytes:
        """The bytes on the wire."""
        try:
            phrase = HTTPStatus(self.status).phrase
        except ValueError:
            phrase = "Unknown"
        lines = [
            f"HTTP/1.1 {self.status} {phrase}",
            f"Content-Length: {len(self.body)}",
            f"Connection: {'keep-alive' if keep_alive else 'close'}",
        ]
        headers = {"Content-Type": "application/json; charset=utf-8", **self.headers}
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode() + self.body


class BadRequest(Exception):
    """Bytes that are no request, or one that this server does not take."""

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(str(status))


def json_response(status: int, value: object, headers: Mapping[str, str] | None = None) -> Response:
    """An answer in JSON."""
    return Response(status, orjson.dumps(value), dict(headers or {}))


async def read_head(reader: asyncio.StreamReader) -> Head | None:
    """The next request's head; None when the caller has closed. Raises BadRequest."""
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial.strip():
            raise BadRequest(HTTPStatus.BAD_REQUEST) from None
        return None
    except asyncio.LimitOverrunError:
        raise BadRequest(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE) from None
    if len(raw) > HEAD_BYTES_MAX:
        raise BadRequest(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
    first, *rest = raw.decode("latin-1").split("\r\n")
    parts = first.split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):  # noqa: PLR2004 - method, target, version
        raise BadRequest(HTTPStatus.BAD_REQUEST)
    path, _, query = parts[1].partition("?")
    headers = {}
    for line in rest:
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    return Head(parts[0], path, dict(parse_qsl(query)), headers)


async def read_body(
    head: Head, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> bytes:
    """The request's body. Raises BadRequest, or IncompleteReadError if the caller went away."""
    if "transfer-encoding" in head.headers:
        raise BadRequest(HTTPStatus.LENGTH_REQUIRED)
    length = head.headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit()):
        raise BadRequest(HTTPStatus.BAD_REQUEST)
    if int(length) > BODY_BYTES_MAX:
        raise BadRequest(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    if head.headers.get("expect", "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    return await reader.readexactly(int(length))


def reset(writer: asyncio.StreamWriter) -> None:
    """Break the connection with a reset, as a crashed or overloaded peer does."""
    sock = writer.get_extra_info("socket")
    if sock is not None:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
