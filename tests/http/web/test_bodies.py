"""How bodies are read, and how much of them (docs/api.md, 1.2)."""

import io
import time

import pytest
from falcon.testing import Result

from tests.contracts.worlds import memory_world
from tests.http.api import Api, error_of
from tests.http.things import UPLOAD_BYTES_MAX, api_of_things

FORM = "application/x-www-form-urlencoded"
MEGABYTE = 1_048_576


def send(edge: Api, raw: bytes, kind: str | None = "application/json", **headers: str) -> Result:
    """A body as it is to the route that makes things."""
    sent = {"Authorization": "Bearer 2"} | headers
    if kind is not None:
        sent["Content-Type"] = kind
    return edge.ask("POST", "/things", raw=raw, headers=sent)


class TestBodies:
    def test_json_is_read(self, edge: Api) -> None:
        reply = send(edge, b'{"name":" ab ","firstNumber":"12","other":1}')

        assert (reply.status_code, reply.json) == (201, {"id": 1, "name": "ab"})

    def test_a_form_is_read(self, edge: Api) -> None:
        reply = send(edge, b"name=a+b%26&firstNumber=12&other", f"{FORM}; charset=utf-8")

        assert (reply.status_code, reply.json["name"]) == (201, "a b&")

    def test_no_body_means_an_empty_object(self, edge: Api) -> None:
        for kind in (None, "application/json", "text/plain"):
            reply = send(edge, b"", kind)
            assert error_of(reply) == (400, "VALIDATION_ERROR")
            assert reply.json["fields"] == [{"path": "name", "message": "is required"}]

    @pytest.mark.parametrize(
        "raw",
        [
            b"{",
            b"[]",
            b"null",
            b'"text"',
            b"5",
            b"true",
            b'{"name":"a"} x',
            b"{'name':'a'}",
            b'{"name":"a","name":"b"}',
            b'{"name":"a","other":{"x":1,"x":1}}',
            b'{"name":NaN}',
            b'{"name":"a","firstNumber":Infinity}',
            b'{"name":"\\ud800"}',
            b'{"other":"\\u0000"}',
            b'{"name":"\xff"}',
            b"\xef\xbb\xbf{}",
            b'{"a":1e999}',
            b'{"a":-1e400}',
            b'{"a":' * 65 + b'"deep"' + b"}" * 65,
            b'{"a":' + b"[" * 64 + b"]" * 64 + b"}",
            b'{"a":"\\u0000",' + b'"b":' + b"[" * 1000 + b"]" * 1000 + b"}",
            b'{"a":' * 5000 + b"1" + b"}" * 5000,
            b"[" * 100_000,
        ],
    )
    def test_malformed_json_is_refused(self, edge: Api, raw: bytes) -> None:
        assert error_of(send(edge, raw)) == (400, "VALIDATION_ERROR")

    @pytest.mark.parametrize("raw", [b"name=a&name=b", b"name=%zz", b"name=%00", b"name=\xff"])
    def test_malformed_forms_are_refused(self, edge: Api, raw: bytes) -> None:
        assert error_of(send(edge, raw, FORM)) == (400, "VALIDATION_ERROR")

    @pytest.mark.parametrize(
        "kind", ["text/plain", "application/xml", "multipart/form-data; boundary=x", "json", None]
    )
    def test_other_types_are_refused(self, edge: Api, kind: str | None) -> None:
        assert error_of(send(edge, b'{"name":"a"}', kind)) == (415, "UNSUPPORTED_MEDIA_TYPE")

    @pytest.mark.parametrize(
        "value",
        ["5", "true", "null", "[]", '["a"]', "{}", "1.5", '""', '"  "', '"' + "a" * 11 + '"'],
    )
    def test_a_wrong_value_is_refused(self, edge: Api, value: str) -> None:
        reply = send(edge, b'{"name":%s}' % value.encode())

        assert error_of(reply) == (400, "VALIDATION_ERROR")
        assert reply.json["fields"][0]["path"] == "name"

    @pytest.mark.parametrize("value", ["1.0", "true", '"1.0"', '"abc"', '""', "[]", "null"])
    def test_a_wrong_number_is_refused(self, edge: Api, value: str) -> None:
        reply = send(edge, b'{"name":"a","firstNumber":%s}' % value.encode())

        assert error_of(reply) == (400, "VALIDATION_ERROR")
        assert reply.json["fields"][0]["path"] == "firstNumber"

    def test_a_megabyte_is_taken_and_a_byte_more_is_not(self, edge: Api) -> None:
        def of_size(size: int) -> bytes:
            return b'{"name":"a"' + b" " * (size - 12) + b"}"

        assert send(edge, of_size(MEGABYTE)).status_code == 201
        assert error_of(send(edge, of_size(MEGABYTE + 1))) == (413, "PAYLOAD_TOO_LARGE")

    def test_size_is_checked_before_the_credential(self, edge: Api) -> None:
        reply = edge.ask("POST", "/things", raw=b" " * (MEGABYTE + 1))

        assert error_of(reply) == (413, "PAYLOAD_TOO_LARGE")


class Chunks(io.BytesIO):
    """A chunked body as the server hands it over; counts what was read of it."""

    taken = 0

    def read(self, size: int | None = -1) -> bytes:
        piece = super().read(size)
        self.taken += len(piece)
        return piece


def chunked(edge: Api, path: str, stream: io.BytesIO) -> Result:
    return edge.client.simulate_post(
        path,
        headers={
            "Authorization": "Bearer 2",
            "Transfer-Encoding": "chunked",
            "Content-Type": "application/json",
        },
        extras={"wsgi.input": stream},
    )


class TestChunkedBodies:
    def test_a_chunked_body_is_read(self, edge: Api) -> None:
        assert chunked(edge, "/things", Chunks(b'{"name":"a"}')).status_code == 201

    def test_a_large_one_is_refused_without_reading_the_rest(self, edge: Api) -> None:
        stream = Chunks(b" " * 4 * MEGABYTE)

        assert error_of(chunked(edge, "/things", stream)) == (413, "PAYLOAD_TOO_LARGE")
        assert stream.taken <= MEGABYTE + 1

    def test_a_large_upload_is_refused_where_its_limit_is(self, edge: Api) -> None:
        assert chunked(edge, "/uploads", Chunks(b" " * UPLOAD_BYTES_MAX)).status_code == 200
        stream = Chunks(b" " * 2 * UPLOAD_BYTES_MAX)

        assert error_of(chunked(edge, "/uploads", stream)) == (413, "PAYLOAD_TOO_LARGE")
        assert stream.taken <= UPLOAD_BYTES_MAX + 1

    def test_a_body_that_breaks_off_is_refused(self, edge: Api) -> None:
        class Broken(io.BytesIO):
            def read(self, size: int | None = -1) -> bytes:
                raise OSError("bad chunk")

        assert error_of(chunked(edge, "/things", Broken())) == (400, "VALIDATION_ERROR")


class Slowly(io.BytesIO):
    """A body of which a piece comes now and then."""

    def __init__(self, raw: bytes, piece_bytes: int) -> None:
        super().__init__(raw)
        self._piece_bytes = piece_bytes

    def read(self, size: int | None = -1) -> bytes:
        time.sleep(0.3)
        return super().read(min(size or 0, self._piece_bytes))


class TestSlowBodies:
    @pytest.fixture
    def hurried(self) -> Api:
        return api_of_things(memory_world(), REQUEST_TIMEOUT_SECONDS="1")

    def test_one_that_takes_more_than_the_time_of_a_request_is_given_up(self, hurried: Api) -> None:
        body = Slowly(b'{"name":"a"}' + b" " * 1000, piece_bytes=3)

        assert error_of(chunked(hurried, "/things", body)) == (503, "SERVICE_UNAVAILABLE")

    def test_a_large_upload_may_take_its_time_if_it_keeps_coming(self, hurried: Api) -> None:
        size = 8 * 65_536
        body = Slowly(b" " * size, piece_bytes=65_536)

        assert chunked(hurried, "/uploads", body).json == {"bytes": size}

    def test_one_that_trickles_earns_no_time(self, hurried: Api) -> None:
        body = Slowly(b" " * 65_536, piece_bytes=10)

        assert error_of(chunked(hurried, "/uploads", body)) == (503, "SERVICE_UNAVAILABLE")
