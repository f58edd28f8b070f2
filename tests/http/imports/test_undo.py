"""Taking an import back (docs/api.md, 3.2; docs/rules.md, 12)."""

from datetime import timedelta
from typing import Any

import pytest
from falcon.testing import Result

from tests.http.api import Api, Shop, error_of
from tests.http.people import consents, create
from tests.http.uploading import done, new_list, run, send

UPDATING = "phone,firstName,email,tags,subscribed\n6984303401,New,new@example.com,x,no\n6984303402"


def undo(shop: Shop, job_id: object, headers: dict[str, str] | None = None) -> Result:
    return shop.post(f"/api/contacts/import/{job_id}/undo", headers=headers or {})


def state(shop: Shop, job_id: object) -> dict[str, Any]:
    found: dict[str, Any] = shop.get(f"/api/contacts/import/{job_id}").json
    return found


def on_list(shop: Shop, list_id: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = shop.get(f"/api/contacts?listId={list_id}").json["items"]
    return found


def contacts(shop: Shop) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = shop.get("/api/contacts").json["items"]
    return found


class TestUndo:
    def test_everything_is_as_it_was_before(self, shop: Shop) -> None:
        create(shop, "6984303401", firstName="Old", lastName="Same", tags=["a"])
        before = contacts(shop)
        shop.api.clock.advance(timedelta(minutes=1))
        list_id = new_list(shop)
        job = done(shop, UPDATING, mode="update", tags="fair", listId=str(list_id))
        assert job["listId"] == list_id
        assert len(on_list(shop, list_id)) == 2
        assert (job["results"]["created"], job["results"]["updated"]) == (1, 1)

        reply = undo(shop, job["jobId"])

        assert reply.status_code == 202, reply.text
        message = "The import is being taken back."
        assert reply.json == {"jobId": job["jobId"], "status": "undoing", "message": message}
        undoing = state(shop, job["jobId"])
        assert (undoing["status"], undoing["results"]) == ("undoing", job["results"])
        assert "undo" not in undoing
        run(shop.api, shop.id)
        undone = state(shop, job["jobId"])
        assert undone["status"] == "undone"
        assert undone["undo"] == {"removed": 1, "restored": 1, "kept": 0}
        assert (undone["results"], undone["progress"]) == (job["results"], job["progress"])
        assert contacts(shop) == before
        assert on_list(shop, list_id) == []
        told = consents(shop, before[0]["id"])
        assert {(each["type"], each["source"]) for each in told} == {
            ("granted", "manual"),
            ("withdrawn", "import"),
            ("granted", "import_undo"),
        }

    def test_contacts_that_were_edited_since_are_kept(self, shop: Shop) -> None:
        job = done(shop)
        bob, ana = contacts(shop)
        shop.api.clock.advance(timedelta(minutes=1))
        shop.put(f"/api/contacts/{bob['id']}", {"lastName": "Edited"})

        undo(shop, job["jobId"])
        run(shop.api, shop.id)

        assert state(shop, job["jobId"])["undo"] == {"removed": 1, "restored": 0, "kept": 1}
        assert [each["id"] for each in contacts(shop)] == [bob["id"]]
        assert shop.get(f"/api/contacts/{ana['id']}").status_code == 404

    def test_the_file_can_be_imported_again(self, shop: Shop) -> None:
        undo(shop, done(shop)["jobId"])
        run(shop.api, shop.id)

        assert done(shop)["results"]["created"] == 2

    def test_a_repeat_with_the_same_key_gets_the_same_reply(self, shop: Shop) -> None:
        job_id = done(shop)["jobId"]
        key = {"Idempotency-Key": "undo-1"}

        first, second = undo(shop, job_id, key), undo(shop, job_id, key)
        run(shop.api, shop.id)
        third = undo(shop, job_id, key)

        assert [reply.status_code for reply in (first, second, third)] == [202] * 3
        assert first.json == second.json == third.json
        assert second.headers["Idempotency-Replayed"] == "true"


class TestRefusals:
    @pytest.mark.parametrize(("content", "dry_run"), [("name\nx\n", "false"), ("phone\n", "true")])
    def test_what_stored_nothing_cannot_be_taken_back(
        self, shop: Shop, content: str, dry_run: str
    ) -> None:
        reply = undo(shop, done(shop, content, dryRun=dry_run)["jobId"])

        assert error_of(reply) == (409, "IMPORT_NOT_UNDOABLE")

    def test_one_that_waits_cannot_be_taken_back(self, shop: Shop) -> None:
        reply = undo(shop, send(shop).json["jobId"])

        assert error_of(reply) == (409, "IMPORT_NOT_UNDOABLE")

    def test_it_can_be_taken_back_once(self, shop: Shop) -> None:
        job_id = done(shop)["jobId"]
        undo(shop, job_id)
        assert undo(shop, job_id).status_code == 409

        run(shop.api, shop.id)

        assert undo(shop, job_id).json["code"] == "IMPORT_NOT_UNDOABLE"

    def test_another_stores_import_is_not_touched(self, api: Api, shop: Shop) -> None:
        rival = api.sign_up()
        job_id = done(rival)["jobId"]

        reply = undo(shop, job_id)

        assert error_of(reply) == (403, "AUTHORIZATION_ERROR")
        assert state(rival, job_id)["status"] == "completed"

    @pytest.mark.parametrize("job_id", ["2000000000", "x", "-1", "0", "9" * 30])
    def test_an_unknown_import_is_not_found(self, shop: Shop, job_id: str) -> None:
        reply = undo(shop, job_id)

        assert error_of(reply) == (404, "RESOURCE_NOT_FOUND")
