"""How requests are read: paths, methods, queries (docs/api.md, 1.1, 1.3 and 1.7)."""

import pytest
from falcon.testing import StartResponseMock, create_environ

from adapters_http.web.targets import PARAMETERS_MAX
from tests.http.api import ORIGIN, Api, error_of


class TestPaths:
    @pytest.mark.parametrize("path", ["/things", "/Things", "/THINGS/", "/%74hings"])
    def test_case_and_one_trailing_slash_do_not_matter(self, edge: Api, path: str) -> None:
        assert edge.get(path).status_code == 200

    @pytest.mark.parametrize("path", ["/things//", "//things", "//", "/codes//", "/codes", "/x"])
    def test_anything_else_is_unknown(self, edge: Api, path: str) -> None:
        assert error_of(edge.get(path)) == (404, "RESOURCE_NOT_FOUND")

    def test_values_keep_their_case(self, edge: Api) -> None:
        assert edge.get("/CODES/AbC").json == {"code": "AbC"}

    @pytest.mark.parametrize(
        ("sent", "read"),
        [
            ("a%2Fb", "a/b"),
            ("..%2F..%2F", "../../"),
            ("%CF%89", "ω"),
            ("a+b", "a+b"),
            ("a%20", "a "),
        ],
    )
    def test_values_are_decoded_once(self, edge: Api, sent: str, read: str) -> None:
        assert edge.get(f"/codes/{sent}").json == {"code": read}

    @pytest.mark.parametrize(
        "path", ["/codes/%", "/codes/%zz", "/codes/%00", "/codes/%ff", "/%C0%80"]
    )
    def test_broken_escapes_are_refused(self, edge: Api, path: str) -> None:
        assert error_of(edge.get(path)) == (400, "VALIDATION_ERROR")

    def test_fixed_words_win_over_parameters(self, edge: Api) -> None:
        assert edge.get("/things/Special").json.keys() == {"page", "pageSize"}

    @pytest.mark.parametrize(
        ("sent", "status", "code"),
        [
            ("0", 400, "VALIDATION_ERROR"),
            ("01", 400, "VALIDATION_ERROR"),
            ("1.0", 400, "VALIDATION_ERROR"),
            ("+1", 400, "VALIDATION_ERROR"),
            ("-0", 400, "VALIDATION_ERROR"),
            ("abc", 400, "VALIDATION_ERROR"),
            ("%D9%A1", 400, "VALIDATION_ERROR"),
            ("1%0A", 400, "VALIDATION_ERROR"),
            ("-1", 404, "RESOURCE_NOT_FOUND"),
            ("2147483648", 404, "RESOURCE_NOT_FOUND"),
            ("9" * 6000, 404, "RESOURCE_NOT_FOUND"),
        ],
    )
    def test_bad_ids_are_refused(self, edge: Api, sent: str, status: int, code: str) -> None:
        assert error_of(edge.get(f"/things/{sent}")) == (status, code)

    def test_good_ids_are_read(self, edge: Api) -> None:
        assert edge.get("/things/2147483647").json == {"id": 2147483647}


class TestHosts:
    @pytest.mark.parametrize(("protocol", "status"), [("HTTP/1.1", 400), ("HTTP/1.0", 200)])
    def test_only_an_old_client_need_not_name_one(
        self, edge: Api, protocol: str, status: int
    ) -> None:
        environ = create_environ("/things") | {"SERVER_PROTOCOL": protocol}
        del environ["HTTP_HOST"]
        told = StartResponseMock()
        edge.app(environ, told)

        assert str(told.status).startswith(str(status))


class TestMethods:
    def test_head_answers_as_get_without_a_body(self, edge: Api) -> None:
        read, head = edge.get("/things"), edge.ask("HEAD", "/things")

        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["Content-Length"] == str(len(read.content))
        assert head.headers["ETag"] == read.headers["ETag"]

    @pytest.mark.filterwarnings("ignore::wsgiref.validate.WSGIWarning")
    def test_an_unknown_method_names_those_there_are(self, edge: Api) -> None:
        for method in ("PATCH", "DELETE", "TRACE", "PROPFIND"):
            reply = edge.ask(method, "/things")
            assert error_of(reply) == (405, "METHOD_NOT_ALLOWED")
            assert reply.headers["Allow"] == "GET, HEAD, OPTIONS, POST"

    def test_options_names_the_methods(self, edge: Api) -> None:
        reply = edge.ask("OPTIONS", "/things/7")

        assert (reply.status_code, reply.content) == (204, b"")
        assert reply.headers["Allow"] == "GET, HEAD, OPTIONS"

    def test_options_of_an_unknown_path_is_unknown_to_all_but_a_preflight(self, edge: Api) -> None:
        assert error_of(edge.ask("OPTIONS", "/x")) == (404, "RESOURCE_NOT_FOUND")
        assert edge.ask("OPTIONS", "/x", headers={"Origin": ORIGIN}).status_code == 204


class TestQueries:
    @pytest.mark.parametrize("query", ["a=1&a=2", "a=&a=", "a=%zz", "a=%00", "a=%ff", "%ff=a"])
    def test_what_cannot_be_read_is_refused(self, edge: Api, query: str) -> None:
        assert error_of(edge.get(f"/things?{query}")) == (400, "VALIDATION_ERROR")

    def test_there_is_an_end_to_parameters(self, edge: Api) -> None:
        query = "&".join(f"a{number}=1" for number in range(PARAMETERS_MAX + 1))

        assert error_of(edge.get(f"/things?{query}")) == (400, "VALIDATION_ERROR")

    @pytest.mark.parametrize(
        ("query", "page", "page_size"),
        [
            ("", 1, 20),
            ("page=&pageSize=", 1, 20),
            ("page=3&pageSize=7", 3, 7),
            ("page=0&pageSize=-4", 1, 1),
            ("page=%201%20&pageSize=101", 1, 100),
            ("page=99999999999999999999&unknown=x", 10_000_000, 20),
        ],
    )
    def test_pages_are_brought_within_bounds(
        self, edge: Api, query: str, page: int, page_size: int
    ) -> None:
        assert edge.get(f"/things?{query}").json == {"page": page, "pageSize": page_size}

    @pytest.mark.parametrize("query", ["page=abc", "page=1.5", "pageSize=1e3", "page=%D9%A1"])
    def test_pages_are_whole_numbers(self, edge: Api, query: str) -> None:
        reply = edge.get(f"/things?{query}")

        assert error_of(reply) == (400, "VALIDATION_ERROR")
        assert reply.json["fields"][0]["path"] == query.partition("=")[0]
