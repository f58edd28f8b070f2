"""What is all here, and what is not: told the same as by the parser that reads it afterwards."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

import pytest
from gunicorn.config import Config
from gunicorn.http.errors import ParseException
from gunicorn.http.parser import RequestParser
from hypothesis import given
from hypothesis import strategies as st

from adapters_http.framing import (
    END_OF_HEAD,
    FRAMING_BYTES_MAX,
    HEAD_BYTES_MAX,
    Extent,
    announced,
)
from adapters_http.web.routing import BODY_BYTES_MAX

FIELDS: Final = st.sampled_from(
    [
        b"Host: x",
        b"content-LENGTH:\t5 ",
        b"Content-Length: 00012",
        b"Content-Length: 0",
        b"Content-Length: 5, 5",
        b"Content-Length: +5",
        b"Content-Length: -5",
        b"Content-Length: \xb2",
        b"Content-Length:",
        b"Content-Length : 5",
        b" Content-Length: 5",
        b"X: Content-Length: 5",
        b"Transfer-Encoding: chunked",
        b"transfer-encoding: CHUNKED\t",
        b"Transfer-Encoding: chunked, chunked",
        b"Transfer-Encoding: xchunked",
        b"Expect: 100-Continue",
        b"Expect: tea",
        b"X: a\nContent-Length: 5",
    ]
)
LINES: Final = st.sampled_from(
    [b"POST / HTTP/1.1", b"POST / HTTP/1.0", b"GET /x HTTP/1.1", b"\r\nPUT / HTTP/1.1", b"nonsense"]
)
PARTS: Final = (
    b"5\r\nabcde\r\n,a;x=y\r\n0123456789\r\n,0\r\n\r\n,0\r\n,X: 1\r\n,\r\n,\r\n\r\n,"
    b"hello,zz\r\n,3\r\nab,1 ;\r\na\r\n,fffff\r\n,\n,\r"
)
BODY_PARTS: Final = st.sampled_from(PARTS.split(b","))


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """Something like a request, good or bad, and like its body, whole or not."""
    head = [draw(LINES), *draw(st.lists(FIELDS, max_size=4))]
    return b"\r\n".join(head) + END_OF_HEAD + b"".join(draw(st.lists(BODY_PARTS, max_size=6)))


class MoreNeeded(Exception):
    """The parser would have to wait."""


def must_parser_wait(raw: bytes) -> bool:
    """Whether gunicorn needs more than this to read the request or to refuse it."""

    def source() -> Iterator[bytes]:
        yield raw
        raise MoreNeeded

    try:
        request = next(RequestParser(Config(), source(), ("192.0.2.1", 1)))
        request.body.read()
    except MoreNeeded:
        return True
    except (ParseException, OSError):
        pass
    return False


def is_waited_for(raw: bytes) -> bool:
    body = announced(raw).body
    return body is not None and body.extent(raw) is Extent.PART


def pieces(raw: bytes, cuts: Sequence[int]) -> Iterator[bytes]:
    bounds = sorted({0, len(raw), *(cut % (len(raw) + 1) for cut in cuts)})
    yield from (raw[begin:end] for begin, end in pairwise(bounds))


@given(requests())
def test_a_thread_waits_for_nothing_and_the_room_for_nothing_that_is_here(raw: bytes) -> None:
    if must_parser_wait(raw):
        assert is_waited_for(raw)
    elif is_waited_for(raw):
        # it waits at most for the body of a head that will be refused, and for no other
        head = raw[: raw.index(END_OF_HEAD) + len(END_OF_HEAD)]
        assert not must_parser_wait(head)


@given(requests(), st.lists(st.integers(0, 500), max_size=8))
def test_in_pieces_it_is_the_same(raw: bytes, cuts: Sequence[int]) -> None:
    received = bytearray(raw[: raw.index(END_OF_HEAD) + len(END_OF_HEAD)])
    body = announced(received).body
    for piece in pieces(raw[len(received) :], cuts):
        if body is not None and body.extent(received) is not Extent.PART:
            break
        received += piece
    assert (body is not None and body.extent(received) is Extent.PART) == is_waited_for(raw)


@given(st.binary(max_size=400), st.lists(st.integers(0, 400), max_size=5))
def test_any_bytes_will_do(raw: bytes, cuts: Sequence[int]) -> None:
    received = bytearray(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
    announced(raw)
    announced(raw + END_OF_HEAD)
    body = announced(received).body
    assert body is not None
    for piece in pieces(raw, cuts):
        received += piece
        body.extent(received)


@pytest.mark.parametrize(
    ("fields", "is_told"),
    [
        (b"HTTP/1.1\r\nContent-Length: 5\r\nExpect: 100-continue", True),
        (b"HTTP/1.1\r\nTransfer-Encoding: chunked\r\nEXPECT:100-CONTINUE", True),
        (b"HTTP/1.0\r\nContent-Length: 5\r\nExpect: 100-continue", False),
        (b"HTTP/1.1\r\nContent-Length: 5", False),
        (b"HTTP/1.1\r\nExpect: 100-continue", False),
    ],
)
def test_who_waits_for_a_word_is_known(fields: bytes, *, is_told: bool) -> None:
    assert announced(b"POST / " + fields + END_OF_HEAD).expects_continue is is_told


@pytest.mark.parametrize(
    ("size", "is_waited"), [(BODY_BYTES_MAX, True), (BODY_BYTES_MAX + 1, False)]
)
def test_large_ones_are_not_waited_for(size: int, *, is_waited: bool) -> None:
    assert is_waited_for(b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % size) is is_waited


class TestEndlessPieces:
    HEAD = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"

    def extent(self, body: bytes) -> Extent:
        found = announced(self.HEAD).body
        assert found is not None
        return found.extent(self.HEAD + body)

    def test_a_large_body_goes_to_a_thread_and_not_by_what_it_only_announces(self) -> None:
        assert self.extent(b"200000\r\n" + b"a" * 100) is Extent.PART
        assert self.extent(b"200000\r\n" + b"a" * (BODY_BYTES_MAX + 1)) is Extent.WHOLE
        assert self.extent(b"80000\r\n%b\r\n" % (b"a" * 0x80000) * 2 + b"1\r\na") is Extent.WHOLE

    def test_more_lines_than_content_have_an_end(self) -> None:
        assert self.extent(b"1\r\na\r\n" * (FRAMING_BYTES_MAX // 5 + 2)) is Extent.ENDLESS
        assert self.extent(b"1" * 9_000) is Extent.WHOLE
        assert self.extent(b"0\r\n" + b"X: 1\r\n" * (HEAD_BYTES_MAX // 6 + 2)) is Extent.ENDLESS
