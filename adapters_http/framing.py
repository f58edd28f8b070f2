"""Where a request ends, told from the bytes that came so far.

This says only whether a thread would have to wait for more. The server's parser reads strictly,
and what it will refuse anyway counts as whole, so that it does so at once.
"""

import enum
import re
from typing import Final

import attrs
from gunicorn.http.body import CHUNK_EXT_RE

from adapters_http.web.routing import BODY_BYTES_MAX

HEAD_BYTES_MAX: Final = 65_536
"""So much may come before the end of the headers, and behind the last piece of a chunked body."""

FRAMING_BYTES_MAX: Final = 131_072
"""The lines between the pieces of a chunked body of ordinary size may take so much."""

SIZE_LINE_BYTES_MAX: Final = 8_190
END_OF_LINE: Final = b"\r\n"
END_OF_HEAD: Final = b"\r\n\r\n"
BARE_LINE_FEED: Final = re.compile(rb"(?<!\r)\n")

_TELLING: Final = re.compile(
    rb"\r\n(content-length|transfer-encoding|expect):([^\r\n]*)", re.IGNORECASE
)
_LENGTH: Final = re.compile(rb"0*([0-9]{1,7})")
_SIZE: Final = re.compile(rb"([0-9A-Fa-f]+)(.*)", re.DOTALL)
_OLD_LINE: Final = re.compile(rb"(?:\r\n)?[^\r\n]* HTTP/1\.0\r\n")


class Extent(enum.Enum):
    """How much of a head or a body is there. An endless one is refused without more reading."""

    PART = enum.auto()
    WHOLE = enum.auto()
    ENDLESS = enum.auto()


@attrs.frozen
class Sized:
    """A body whose length was told; `ends` counts from the first byte of the request."""

    ends: int

    def extent(self, received: bytes | bytearray) -> Extent:
        """How much of it was received."""
        return Extent.WHOLE if len(received) >= self.ends else Extent.PART


@attrs.define
class Chunked:
    """A body in pieces that each tell their size.

    It is looked at only from where it was understood before: `at`, and `searched` in its trailers.
    One with more content than the ordinary limit is whole for us: a thread refuses or streams it.
    """

    begins: int
    at: int = attrs.field(init=False)
    content_bytes: int = attrs.field(default=0, init=False)
    searched: int | None = attrs.field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self.at = self.begins

    def extent(self, received: bytes | bytearray) -> Extent:
        """How much of it was received, with its trailers."""
        while self.searched is None:
            if self.at - self.begins - self.content_bytes > FRAMING_BYTES_MAX:
                return Extent.ENDLESS
            line_end = received.find(END_OF_LINE, self.at)
            if line_end < 0:
                is_long = len(received) - self.at > SIZE_LINE_BYTES_MAX
                return Extent.WHOLE if is_long else Extent.PART
            found = self._after_line(received, line_end)
            if found is not None:
                return found
        return self._trailers(received, self.searched)

    def _after_line(self, received: bytes | bytearray, line_end: int) -> Extent | None:
        """Step behind one piece; None once that is done."""
        size = _size(bytes(received[self.at : line_end]))
        begin = line_end + len(END_OF_LINE)
        if size == 0:
            self.at = self.searched = begin
            return None
        if size is None:
            return Extent.WHOLE
        here = len(received) - begin
        if self.content_bytes + min(size, here) > BODY_BYTES_MAX:
            return Extent.WHOLE
        if here < size + len(END_OF_LINE):
            return Extent.PART
        if not received.startswith(END_OF_LINE, begin + size):
            return Extent.WHOLE
        self.content_bytes += size
        self.at = begin + size + len(END_OF_LINE)
        return None

    def _trailers(self, received: bytes | bytearray, searched: int) -> Extent:
        begin = max(searched - len(END_OF_HEAD) + 1, self.at)
        self.searched = len(received)
        if received.startswith(END_OF_LINE, self.at) or received.find(END_OF_HEAD, begin) >= 0:
            return Extent.WHOLE
        if BARE_LINE_FEED.search(received, begin):
            return Extent.WHOLE
        is_endless = len(received) - self.at > HEAD_BYTES_MAX
        return Extent.ENDLESS if is_endless else Extent.PART


Body = Sized | Chunked


@attrs.frozen
class Announcement:
    """What a head says about what follows it.

    `body` is None where there is nothing to wait for: none is announced, it is so large that a
    thread refuses or streams it, or the head can be read in two ways and will be refused.
    """

    body: Body | None = attrs.field(repr=False)
    expects_continue: bool = False


NOTHING: Final = Announcement(None)


def announced(received: bytes | bytearray) -> Announcement:
    """Read the head of a request that begins with the first byte; any bytes will do."""
    end = received.find(END_OF_HEAD)
    if end < 0:
        return NOTHING
    told: dict[bytes, list[bytes]] = {}
    for name, value in _TELLING.findall(received, 0, end):
        told.setdefault(name.lower(), []).append(value.strip(b" \t").lower())
    expectations = told.pop(b"expect", [])
    if not told or any(each != b"100-continue" for each in expectations):
        return NOTHING
    is_old = _OLD_LINE.match(received) is not None
    body = _body(told, end + len(END_OF_HEAD), is_old=is_old)
    return Announcement(body, bool(expectations) and body is not None and not is_old)


def _body(told: dict[bytes, list[bytes]], begins: int, *, is_old: bool) -> Body | None:
    match told:
        case {b"transfer-encoding": [b"chunked"]} if len(told) == 1 and not is_old:
            return Chunked(begins)
        case {b"content-length": [length]} if len(told) == 1:
            found = _LENGTH.fullmatch(length)
            size = int(found[1]) if found else 0
            return Sized(begins + size) if 0 < size <= BODY_BYTES_MAX else None
        case _:
            return None


def _size(line: bytes) -> int | None:
    """What the line before a piece says; None if it will be refused."""
    found = _SIZE.fullmatch(line)
    if found is None or not CHUNK_EXT_RE.fullmatch(found[2]):
        return None
    return int(found[1], 16)
