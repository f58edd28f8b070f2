"""What becomes of the rows of a file (docs/api.md, 3.2; docs/rules.md, 12)."""

from datetime import date

import pytest

from tests.http.api import Shop
from tests.http.people import NOON, consents, create
from tests.http.uploading import done, workbook


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
        text = "phone,email\n+30 (21),=cmd\n=cmd,\n+cmd|x,\n"
        job_id = done(shop, text)["jobId"]

        reply = shop.get(f"/api/contacts/import/{job_id}/errors")

        assert reply.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert "attachment" in reply.headers["Content-Disposition"]
        lines = reply.text.split("\r\n")
        assert lines[0] == "row,field,code,message,value"
        assert lines[1].startswith("1,phone,INVALID_PHONE,")
        assert lines[1].endswith(",+30 (21)")
        assert lines[2].startswith("1,email,INVALID_EMAIL,")
        assert lines[2].endswith(",'=cmd")
        assert [line.rpartition(",")[2] for line in lines[3:]] == ["'=cmd", "'+cmd|x", ""]

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
