"""Registers of numbers, sent as files (docs/api.md, 3.2)."""

from typing import Any

import pytest
from falcon.testing import Result

from retail_core.imports.model import SUPPRESSIONS_BYTES_MAX
from tests.http import uploading
from tests.http.api import Api, Shop, error_of
from tests.http.people import create
from tests.http.uploading import form, workbook

PATH = "/api/suppressions/import"


def send(
    shop: Shop, content: bytes | str, file_name: str = "register.txt", **fields: str
) -> Result:
    raw = content.encode() if isinstance(content, str) else content
    others = [(name, None, text.encode()) for name, text in fields.items()]
    headers, body = form([*others, ("file", file_name, raw)])
    return shop.post(PATH, raw=body, headers=headers)


def done(shop: Shop, content: bytes | str, *args: Any, **fields: str) -> dict[str, Any]:
    reply = send(shop, content, *args, **fields)
    assert reply.status_code == 202, reply.text
    assert reply.json["status"] == "pending"
    uploading.run(shop.api, shop.id)
    state: dict[str, Any] = shop.get(f"{PATH}/{reply.json['jobId']}").json
    return state


def barred(shop: Shop) -> list[str]:
    items = shop.get("/api/suppressions").json["items"]
    return sorted(item["phone"] for item in items)


class TestReading:
    def test_one_number_on_each_line_is_enough(self, shop: Shop) -> None:
        state = done(shop, "6984303401\n+306984303402\n\n00306984303403\n", note="register 11")

        assert (state["status"], state["progress"]) == ("completed", {"processed": 3, "total": 3})
        assert state["results"] == {"added": 3, "skipped": 0, "errorCount": 0, "errors": []}
        assert barred(shop) == ["+306984303401", "+306984303402", "+306984303403"]
        [entry, *_] = shop.get("/api/suppressions").json["items"]
        assert (entry["reason"], entry["note"]) == ("import", "register 11")
        assert entry["source"] == f"import:{state['jobId']}"

    def test_a_table_has_a_column_of_numbers(self, shop: Shop) -> None:
        state = done(shop, "name;Phone\nAna;6984303401\nBob;\n", "register.csv")

        assert state["results"]["added"] == 1
        assert state["results"]["errors"] == [
            {
                "row": 2,
                "field": "phone",
                "code": "INVALID_PHONE",
                "message": "a phone number is required",
            }
        ]

    def test_a_workbook_is_read_as_well(self, shop: Shop) -> None:
        book = workbook(["phone"], ["6984303401"], [6984303402])

        assert done(shop, book, "register.xlsx")["results"]["added"] == 2

    def test_bad_lines_are_named_and_known_numbers_skipped(self, shop: Shop) -> None:
        done(shop, "6984303401")

        state = done(shop, "6984303401\nnobody\n6984303402\n6984303402\n")

        results = state["results"]
        assert (results["added"], results["skipped"], results["errorCount"]) == (1, 3, 1)
        assert [fault["row"] for fault in results["errors"]] == [2]

    def test_the_contact_of_a_barred_number_is_not_sent_to(self, shop: Shop) -> None:
        contact = create(shop, "6984303401")

        done(shop, "6984303401")

        assert shop.get(f"/api/contacts/{contact['id']}").json["isSuppressed"] is True

    def test_what_a_register_barred_can_be_deleted(self, shop: Shop) -> None:
        done(shop, "6984303401")
        [entry] = shop.get("/api/suppressions").json["items"]

        assert shop.delete(f"/api/suppressions/{entry['id']}").status_code == 200


class TestRefusing:
    @pytest.mark.parametrize(
        ("content", "file_name", "status", "code"),
        [
            ("", "a.txt", 400, "VALIDATION_ERROR"),
            (b"\x00\x01", "a.txt", 415, "UNSUPPORTED_MEDIA_TYPE"),
            ("6984303401", "a.xlsx", 415, "UNSUPPORTED_MEDIA_TYPE"),
            ("%PDF-1.7\n", "a.txt", 415, "UNSUPPORTED_MEDIA_TYPE"),
            ("<html>6984303401</html>", "a.txt", 415, "UNSUPPORTED_MEDIA_TYPE"),
            ("[6984303401]", "a.csv", 415, "UNSUPPORTED_MEDIA_TYPE"),
        ],
    )
    def test_what_is_no_register_is_refused(
        self, shop: Shop, content: bytes | str, file_name: str, status: int, code: str
    ) -> None:
        assert error_of(send(shop, content, file_name)) == (status, code)

    def test_a_file_has_at_most_ten_megabytes(self, shop: Shop) -> None:
        content = b"1" * (SUPPRESSIONS_BYTES_MAX + 1)

        assert error_of(send(shop, content)) == (413, "PAYLOAD_TOO_LARGE")

    def test_a_long_note_is_refused(self, shop: Shop) -> None:
        assert error_of(send(shop, "6984303401", note="x" * 201)) == (400, "VALIDATION_ERROR")

    def test_a_register_is_no_import_of_contacts_and_the_other_way_round(self, shop: Shop) -> None:
        register = send(shop, "6984303401").json["jobId"]
        people = uploading.send(shop).json["jobId"]

        assert error_of(shop.get(f"/api/contacts/import/{register}"))[0] == 404
        assert error_of(shop.get(f"/api/contacts/import/{register}/errors"))[0] == 404
        assert error_of(shop.post(f"/api/contacts/import/{register}/undo"))[0] == 404
        assert error_of(shop.get(f"{PATH}/{people}"))[0] == 404

    def test_another_shops_register_is_forbidden(self, api: Api, shop: Shop) -> None:
        register = send(api.sign_up(), "6984303401").json["jobId"]

        assert error_of(shop.get(f"{PATH}/{register}")) == (403, "AUTHORIZATION_ERROR")
        assert error_of(shop.get(f"{PATH}/4711471")) == (404, "RESOURCE_NOT_FOUND")
        assert error_of(shop.get(f"{PATH}/x")) == (404, "RESOURCE_NOT_FOUND")
