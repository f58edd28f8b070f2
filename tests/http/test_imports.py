"""Imports over HTTP, with the worker's part done in between (http-contract, 3.2)."""

import io
import zipfile
from collections.abc import Sequence
from datetime import date
from typing import Any

import openpyxl
import pytest
from falcon.testing import Result
from python_calamine import CalamineWorkbook

from retail_core.imports.jobs import IMPORT_CONTACTS, read_import_contacts
from retail_core.imports.model import UPLOAD_BYTES_MAX
from retail_core.imports.ports import ImportsUnitOfWork, UploadReads
from retail_core.imports.use_cases import ImportContacts
from retail_core.kernel.ids import AccountId
from retail_core.kernel.ports import Clock, Transactions, Work
from tests.http.api import Api, Shop, error_of
from tests.http.test_contacts import consents, create
from workers.readers import TableReaders

NOON = "2026-11-24T12:00:00.000Z"
PEOPLE = "firstName,phone,email\nAna,6984303401,ana@example.com\nBob,6984303402,\n"
Part = tuple[str, str | None, bytes]


def form(parts: Sequence[Part], boundary: str = "b0undary") -> tuple[dict[str, str], bytes]:
    """Headers and body of a multipart form."""
    body = io.BytesIO()
    for name, file_name, content in parts:
        named = f'; filename="{file_name}"' if file_name is not None else ""
        body.write(f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"'.encode())
        body.write(f"{named}\r\n\r\n".encode() + content + b"\r\n")
    body.write(f"--{boundary}--\r\n".encode())
    return {"Content-Type": f"multipart/form-data; boundary={boundary}"}, body.getvalue()


def send(
    shop: Shop,
    content: bytes | str = PEOPLE,
    file_name: str = "people.csv",
    headers: dict[str, str] | None = None,
    boundary: str = "b0undary",
    **fields: str,
) -> Result:
    raw = content.encode() if isinstance(content, str) else content
    parts: list[Part] = [(name, None, text.encode()) for name, text in fields.items()]
    sent, body = form([*parts[:1], ("file", file_name, raw), *parts[1:]], boundary)
    return shop.post("/api/contacts/import", raw=body, headers={**sent, **(headers or {})})


def run(api: Api, account: AccountId) -> None:
    """Do what the relay and a worker would do."""
    container = api.container
    generic: Any = Transactions
    transactions = container.resolve(generic[Work])
    with transactions.across_accounts() as uow:
        due = [
            each
            for each in uow.jobs.take_due_across_accounts(api.clock.now(), 1000)
            if each.job.kind == IMPORT_CONTACTS and each.job.account == account
        ]
        uow.jobs.remove_across_accounts(due)
    import_contacts = ImportContacts(
        container.resolve(generic[ImportsUnitOfWork]),
        container.resolve(UploadReads),
        TableReaders(),
        container.resolve(Clock),
    )
    for each in due:
        import_contacts(read_import_contacts(each.job))


def done(shop: Shop, *args: Any, **fields: Any) -> dict[str, Any]:
    """The state of an import after it was sent and worked on."""
    reply = send(shop, *args, **fields)
    assert reply.status_code == 202, reply.text
    run(shop.api, shop.id)
    state: dict[str, Any] = shop.get(f"/api/contacts/import/{reply.json['jobId']}").json
    return state


def workbook(*rows: Sequence[object]) -> bytes:
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(list(row))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


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


class TestResults:
    def test_a_file_becomes_contacts(self, shop: Shop) -> None:
        state = done(shop, consentSource="fair 2026", tags="a,B")

        assert {**state, "jobId": None} == {
            "jobId": None,
            "status": "completed",
            "progress": {"processed": 2, "total": 2},
            "fileName": "people.csv",
            "mode": "skip",
            "dryRun": False,
            "listId": None,
            "createdAt": NOON,
            "finishedAt": NOON,
            "undoableUntil": "2026-12-24T12:00:00.000Z",
            "results": {
                "created": 2,
                "updated": 0,
                "skipped": 0,
                "errorCount": 0,
                "errorsTruncated": False,
                "errors": [],
            },
        }
        bob, ana = shop.get("/api/contacts").json["items"]
        assert (ana["firstName"], ana["phone"], ana["email"], ana["tags"]) == (
            "Ana",
            "+306984303401",
            "ana@example.com",
            ["a", "b"],
        )
        [event] = consents(shop, bob["id"])
        assert (event["source"], event["sourceRef"], event["statement"]) == (
            "import",
            f"import:{state['jobId']}",
            "fair 2026",
        )

    def test_a_consent_that_is_not_stated_is_recorded_as_such(self, shop: Shop) -> None:
        done(shop)

        [contact, _] = shop.get("/api/contacts").json["items"]
        [event] = consents(shop, contact["id"])
        assert event["statement"] == "not stated (imported through the web client)"

    @pytest.mark.parametrize(
        ("encoding", "separator"),
        [("utf-8", ";"), ("utf-8-sig", ","), ("cp1253", ";"), ("utf-8", "\t"), ("cp1253", ",")],
    )
    def test_encoding_and_separator_are_found_out(
        self, shop: Shop, encoding: str, separator: str
    ) -> None:
        rows = [
            ("ΟΝΟΜΑ", "Επώνυμο", "Κινητό", "Φύλο", "Γενέθλια"),
            ("Άννα", '"Ω; ,""x"""', "6984303401", "Γυναίκα", "17/05/1990"),
        ]
        text = "\r\n".join(separator.join(row) for row in rows)

        state = done(shop, text.encode(encoding))

        assert state["results"]["created"] == 1, state
        [contact] = shop.get("/api/contacts").json["items"]
        assert (contact["firstName"], contact["lastName"]) == ("Άννα", 'Ω; ,"x"')
        assert (contact["gender"], contact["birthday"]) == ("female", "1990-05-17T00:00:00.000Z")

    def test_a_workbook_is_as_good(self, shop: Shop) -> None:
        rows: list[list[object]] = [
            ["firstName", "phone", "birthday", "subscribed", "tags"],
            ["Ana", 6984303401, date(1990, 5, 17), True, "vip,new"],
            [None, None, None, None, None],
            ["Bob", "698 430 3402", "17.5.1990", "όχι", None],
        ]

        state = done(shop, workbook(*rows), "people.xlsx")

        assert state["progress"] == {"processed": 2, "total": 2}
        bob, ana = shop.get("/api/contacts").json["items"]
        assert [ana["birthday"], bob["birthday"]] == ["1990-05-17T00:00:00.000Z"] * 2
        assert (ana["isSubscribed"], bob["isSubscribed"]) == (True, False)
        assert ana["tags"] == ["vip", "new"]

    def test_counts_are_exact_and_bad_rows_are_named(self, shop: Shop) -> None:
        create(shop, "6984303400")
        text = (
            "phone,email,gender,birthday,subscribed,tags,firstName,other\n"
            "6984303401,,,,,,Ana,x\n"
            "nonsense,bad,x,31/02/1990,perhaps,a;b,B,x\n"
            "\n"
            ",,,,,,Nobody,\n"
            "6984303400,,,,,,Known,\n"
            "6984303401,,,,,,Again,\n"
        )

        state = done(shop, text)

        results = state["results"]
        assert state["progress"] == {"processed": 5, "total": 5}
        counts = [results[key] for key in ("created", "updated", "skipped", "errorCount")]
        assert counts == [1, 0, 4, 8]
        assert [(e["row"], e["field"], e["code"]) for e in results["errors"]] == [
            (2, "phone", "INVALID_PHONE"),
            (2, "subscribed", "VALIDATION_ERROR"),
            (2, "email", "INVALID_EMAIL"),
            (2, "gender", "INVALID_GENDER"),
            (2, "birthday", "INVALID_BIRTHDAY"),
            (3, "phone", "INVALID_PHONE"),
            (4, "phone", "DUPLICATE_RESOURCE"),
            (5, "phone", "DUPLICATE_RESOURCE"),
        ]
        assert all(error["message"] for error in results["errors"])

    def test_all_errors_come_as_csv(self, shop: Shop) -> None:
        text = "phone,email\n+nonsense,=cmd\n"
        job_id = done(shop, text)["jobId"]

        reply = shop.get(f"/api/contacts/import/{job_id}/errors")

        assert reply.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert "attachment" in reply.headers["Content-Disposition"]
        lines = reply.text.split("\r\n")
        assert lines[0] == "row,field,code,message,value"
        assert lines[1].startswith("1,phone,INVALID_PHONE,")
        assert lines[1].endswith(",+nonsense")
        assert lines[2].startswith("1,email,INVALID_EMAIL,")
        assert lines[2].endswith(",'=cmd")
        assert lines[3:] == [""]

    def test_only_the_first_thousand_errors_are_shown(self, shop: Shop) -> None:
        state = done(shop, "phone\n" + "x\n" * 1001)

        results = state["results"]
        assert (results["errorCount"], results["errorsTruncated"]) == (1001, True)
        assert len(results["errors"]) == 1000
        reply = shop.get(f"/api/contacts/import/{state['jobId']}/errors")
        assert len(reply.text.splitlines()) == 1002

    def test_an_update_overwrites_and_a_dry_run_does_not(self, shop: Shop) -> None:
        contact = create(shop, "6984303401", firstName="Old", lastName="Same")
        text = "phone,firstName,subscribed\n6984303401,New,\n6984303402,Bob,\n"

        rehearsal = done(shop, text, mode="update", dryRun="true")
        before = shop.get("/api/contacts").json["items"]
        real = done(shop, text, mode="update")

        assert before == [contact]
        assert rehearsal["results"] == real["results"]
        assert (real["results"]["created"], real["results"]["updated"]) == (1, 1)
        assert rehearsal["undoableUntil"] is None
        assert shop.get(f"/api/contacts/{contact['id']}").json["firstName"] == "New"

    def test_nobody_who_opted_out_is_brought_back(self, shop: Shop) -> None:
        contact = create(shop, "6984303401")
        shop.put(f"/api/contacts/{contact['id']}", {"isSubscribed": False})
        gone = create(shop, "6984303402")
        shop.put(f"/api/contacts/{gone['id']}", {"isSubscribed": False})
        shop.delete(f"/api/contacts/{gone['id']}")

        done(shop, "phone,subscribed\n6984303401,yes\n6984303402,yes\n", mode="update")

        states = [row["isSubscribed"] for row in shop.get("/api/contacts").json["items"]]
        assert states == [False, False]

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("a.csv", b"name,email\nAna,\n"),
            ("a.csv", b"\n\n"),
            ("a.csv", b'phone\n"' + b"x" * 200_000),
            ("a.xlsx", workbook(["name"], ["Ana"])),
            ("a.xlsx", workbook()),
        ],
    )
    def test_a_file_that_cannot_be_read_fails_and_says_why(
        self, shop: Shop, name: str, content: bytes
    ) -> None:
        state = done(shop, content, name)

        assert state["status"] == "failed"
        assert state["error"]
        assert "results" not in state
        assert state["undoableUntil"] is None

    def test_a_file_with_a_header_alone_is_no_failure(self, shop: Shop) -> None:
        state = done(shop, "phone\n")

        assert (state["status"], state["progress"]) == ("completed", {"processed": 0, "total": 0})


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
