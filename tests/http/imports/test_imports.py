"""Sending files over HTTP (docs/api.md, 3.2)."""

import io
import zipfile
from typing import Any

import openpyxl
import pytest
from python_calamine import CalamineWorkbook

from retail_core.imports.model import UPLOAD_BYTES_MAX
from tests.http.api import Api, Shop, error_of
from tests.http.people import NOON
from tests.http.uploading import Part, done, form, new_list, send, workbook


class TestSending:
    def test_a_file_is_queued(self, shop: Shop) -> None:
        reply = send(shop)

        assert reply.status_code == 202
        assert reply.json.keys() == {"jobId", "status", "message"}
        assert isinstance(reply.json["jobId"], str)
        assert reply.json["status"] == "pending"

    def test_it_waits_until_a_worker_comes(self, shop: Shop) -> None:
        job_id = send(shop, mode="update", dryRun="true").json["jobId"]

        assert shop.get(f"/api/contacts/import/{job_id}").json == {
            "jobId": job_id,
            "status": "waiting",
            "progress": {"processed": 0, "total": 0},
            "fileName": "people.csv",
            "mode": "update",
            "dryRun": True,
            "listId": None,
            "createdAt": NOON,
            "finishedAt": None,
            "undoableUntil": None,
        }

    def test_a_field_that_says_it_is_no_text_is_refused(self, shop: Shop) -> None:
        headers, body = form([("mode", None, b"skip"), ("file", "people.csv", b"phone\n1\n")])
        kind = b'name="mode"\r\nContent-Type: application/octet-stream'

        reply = shop.post(
            "/api/contacts/import", raw=body.replace(b'name="mode"', kind), headers=headers
        )

        assert error_of(reply) == (400, "VALIDATION_ERROR")

    @pytest.mark.parametrize(
        "fields",
        [
            {"mode": "merge"},
            {"dryRun": "yes"},
            {"tags": ",".join(str(n) for n in range(51))},
            {"tags": "x" * 41},
            {"consentSource": "x" * 501},
            {"listId": "all"},
            {"listId": "0"},
        ],
    )
    def test_bad_options_are_refused(self, shop: Shop, fields: dict[str, str]) -> None:
        options: dict[str, Any] = dict(fields)
        assert error_of(send(shop, **options)) == (400, "VALIDATION_ERROR")

    def test_a_filtered_list_or_one_of_somebody_else_takes_nobody(
        self, api: Api, shop: Shop
    ) -> None:
        filtered, foreign = new_list(shop, is_filtered=True), new_list(api.sign_up())

        assert error_of(send(shop, listId=str(filtered))) == (409, "LIST_IS_FILTERED")
        assert error_of(send(shop, listId=str(foreign))) == (404, "RESOURCE_NOT_FOUND")

    @pytest.mark.parametrize("list_id", ["5", "-1", "99999999999"])
    def test_an_unknown_list_is_not_found(self, shop: Shop, list_id: str) -> None:
        assert error_of(send(shop, listId=list_id)) == (404, "RESOURCE_NOT_FOUND")

    @pytest.mark.parametrize(
        "parts",
        [
            [],
            [("mode", None, b"skip")],
            [("file", None, b"phone")],
            [("upload", "people.csv", b"phone\n")],
            [("file", "a.csv", b"phone\n"), ("file", "b.csv", b"phone\n")],
            [("file", "a.csv", b"phone\n"), ("other", "b.csv", b"phone\n")],
            [("file", "a.csv", b"phone\n"), ("mode", None, b"skip"), ("mode", None, b"skip")],
            [("file", "a.csv", b"")],
            [("file", "a.csv", b"phone\n"), ("tags", None, b"\0")],
            [("file", "a.csv", b"phone\n"), ("tags", None, b"\xff")],
        ],
    )
    def test_a_form_without_exactly_one_file_is_refused(
        self, shop: Shop, parts: list[Part]
    ) -> None:
        headers, body = form(parts)

        reply = shop.post("/api/contacts/import", raw=body, headers=headers)

        assert error_of(reply) == (400, "VALIDATION_ERROR")

    def test_nothing_at_all_is_refused(self, shop: Shop) -> None:
        assert error_of(shop.post("/api/contacts/import")) == (400, "VALIDATION_ERROR")

    @pytest.mark.parametrize("kind", ["application/json", "text/csv", "multipart/mixed"])
    def test_another_type_is_refused(self, shop: Shop, kind: str) -> None:
        reply = shop.post("/api/contacts/import", raw=b"x", headers={"Content-Type": kind})

        assert error_of(reply) == (415, "UNSUPPORTED_MEDIA_TYPE")

    @pytest.mark.parametrize(
        "raw", [b"", b"garbage", b"--b0undary\r\n\r\nx", b"--b0undary\r\nX: y\r\n\r\nno end"]
    )
    def test_a_broken_form_is_refused(self, shop: Shop, raw: bytes) -> None:
        headers = {"Content-Type": "multipart/form-data; boundary=b0undary"}

        reply = shop.post("/api/contacts/import", raw=raw, headers=headers)

        assert error_of(reply) == (400, "VALIDATION_ERROR")

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("a.csv", b"\x89PNG\r\n\x1a\n\0\0"),
            ("a.csv", "phone\n".encode("utf-16")),
            ("a.csv", workbook(["phone"])),
            ("a.xlsx", b"phone\n6984303401\n"),
            ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
            ("a.xlsx", b"PK\x03\x04 not really"),
            ("a.zip", b"PK\x05\x06" + bytes(18)),
            ("a.csv", b"%PDF-1.7\n1 0 obj\n"),
            ("a.csv", b"\xef\xbb\xbf\n<!DOCTYPE html><p>phone</p>"),
            ("a.html", b"<table><tr><td>phone</td></tr></table>"),
            ("a.csv", b'[{"phone": "6984303401"}]'),
            ("people.json", b'{"phone": "6984303401"}'),
            ("a.csv", b"GIF89a" + bytes(8)),
            ("a.csv", b"\xff\xd8\xff\xe0\x00\x10JFIF"),
        ],
    )
    def test_what_is_no_table_is_refused(self, shop: Shop, name: str, content: bytes) -> None:
        assert error_of(send(shop, content, name)) == (415, "UNSUPPORTED_MEDIA_TYPE")

    def test_a_file_may_have_fifty_megabytes(self, shop: Shop) -> None:
        lines = b"phone\n" + b"x" * 99 + b"\n"
        whole = lines + b"\n" * (UPLOAD_BYTES_MAX - len(lines))

        assert send(shop, whole).status_code == 202
        assert error_of(send(shop, whole + b"\n")) == (413, "PAYLOAD_TOO_LARGE")

    def test_a_key_imports_once_whatever_the_boundary(self, shop: Shop) -> None:
        key = {"Idempotency-Key": "k"}
        first = send(shop, headers=key, mode="skip")
        again = send(shop, headers=key, mode="skip", boundary="an0ther")
        other = send(shop, headers=key, mode="update")

        assert again.json == first.json
        assert again.headers["Idempotency-Replayed"] == "true"
        assert error_of(other) == (409, "IDEMPOTENCY_KEY_REUSED")


class TestReading:
    @pytest.mark.parametrize("job_id", ["abc", "0", "1.5", "2147483647", "99999999999", "-1"])
    def test_an_unknown_import_is_not_found(self, shop: Shop, job_id: str) -> None:
        for path in (job_id, f"{job_id}/errors"):
            reply = shop.get(f"/api/contacts/import/{path}")
            assert error_of(reply) == (404, "RESOURCE_NOT_FOUND")

    def test_a_foreign_import_is_forbidden(self, api: Api, shop: Shop) -> None:
        job_id = send(api.sign_up()).json["jobId"]

        for path in (job_id, f"{job_id}/errors"):
            reply = shop.get(f"/api/contacts/import/{path}")
            assert error_of(reply) == (403, "AUTHORIZATION_ERROR")


class TestTemplate:
    COLUMNS = (
        "firstName",
        "lastName",
        "phone",
        "email",
        "gender",
        "birthday",
        "subscribed",
        "tags",
    )

    @pytest.mark.parametrize("query", ["", "?format=xlsx"])
    def test_it_is_a_workbook(self, shop: Shop, query: str) -> None:
        reply = shop.get(f"/api/contacts/import/template{query}")

        assert reply.headers["Content-Type"] == (
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        )
        assert 'filename="contacts_template.xlsx"' in reply.headers["Content-Disposition"]
        assert zipfile.ZipFile(io.BytesIO(reply.content)).testzip() is None
        [row] = openpyxl.load_workbook(io.BytesIO(reply.content)).worksheets[0].values
        assert row == self.COLUMNS
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(reply.content)).get_sheet_by_index(0)
        assert sheet.to_python() == [list(self.COLUMNS)]

    def test_it_is_a_csv_file(self, shop: Shop) -> None:
        reply = shop.get("/api/contacts/import/template?format=csv")

        assert reply.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert 'filename="contacts_template.csv"' in reply.headers["Content-Disposition"]
        assert reply.content.decode("utf-8-sig") == ",".join(self.COLUMNS) + "\r\n"

    def test_another_format_is_refused(self, shop: Shop) -> None:
        reply = shop.get("/api/contacts/import/template?format=pdf")

        assert error_of(reply) == (400, "VALIDATION_ERROR")

    @pytest.mark.parametrize("kind", ["xlsx", "csv"])
    def test_it_can_be_sent_back(self, shop: Shop, kind: str) -> None:
        template = shop.get(f"/api/contacts/import/template?format={kind}").content

        assert done(shop, template, f"contacts_template.{kind}")["status"] == "completed"
