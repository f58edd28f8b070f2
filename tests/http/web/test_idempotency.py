"""Once, however often a request is sent (docs/api.md, 1.9)."""

from typing import Any

import pytest
from falcon.testing import Result

from retail_core.kernel.ids import AccountId
from tests.contracts.worlds import World
from tests.http.api import Api, error_of


class TestIdempotency:
    def make(self, edge: Api, key: str, name: str = "a", **how: Any) -> Result:
        return edge.post(
            how.pop("path", "/things"),
            {"name": name},
            token=how.pop("token", "2"),
            headers={"Idempotency-Key": key},
        )

    def test_a_repeat_gets_the_same_reply_and_does_nothing(self, edge: Api) -> None:
        first, repeat = self.make(edge, "k"), self.make(edge, "k")

        assert (first.status_code, first.json) == (201, {"id": 1, "name": "a"})
        assert (repeat.status_code, repeat.content) == (201, first.content)
        assert "Idempotency-Replayed" not in first.headers
        assert repeat.headers["Idempotency-Replayed"] == "true"
        assert self.make(edge, "other").json["id"] == 2

    def test_a_lost_reply_is_built_again(self, edge: Api, edge_world: World) -> None:
        first = self.make(edge, "k")
        tables = edge_world.replies.database.tables  # type: ignore[attr-defined] # in memory
        stored = tables.keys.get((2, "k"))
        tables.keys.put((2, "k"), type(stored)(stored.once, stored.effect, None, stored.created_at))

        repeat = self.make(edge, "k")

        assert (repeat.status_code, repeat.json) == (201, first.json)
        assert repeat.headers["Idempotency-Replayed"] == "true"

    def test_another_body_under_the_same_key_is_refused(self, edge: Api) -> None:
        self.make(edge, "k")

        assert error_of(self.make(edge, "k", name="b")) == (409, "IDEMPOTENCY_KEY_REUSED")
        assert error_of(self.make(edge, "k", path="/things?x=1")) == (409, "IDEMPOTENCY_KEY_REUSED")

    def test_keys_of_accounts_do_not_meet(self, edge: Api) -> None:
        self.make(edge, "k")

        assert self.make(edge, "k", token="3").json["id"] == 2

    def test_after_an_error_the_request_may_be_repeated(self, edge: Api) -> None:
        assert error_of(self.make(edge, "k", name="conflict")) == (409, "INVALID_STATUS")

        assert self.make(edge, "k", name="a").status_code == 201

    def test_a_request_that_still_runs_is_not_run_again(self, edge: Api, edge_world: World) -> None:
        database = edge_world.replies.database  # type: ignore[attr-defined] # in memory
        database._claimed[(AccountId(2), "k")] = object()

        reply = self.make(edge, "k")

        assert error_of(reply) == (409, "IDEMPOTENCY_IN_PROGRESS")
        assert reply.headers["Retry-After"] == "1"

    @pytest.mark.parametrize("key", ["", "a b", "ü", "x" * 256, "a\x7f"])
    def test_a_bad_key_is_refused(self, edge: Api, key: str) -> None:
        assert error_of(self.make(edge, key)) == (400, "VALIDATION_ERROR")

    def test_every_visible_sign_may_be_in_a_key(self, edge: Api) -> None:
        key = "".join(chr(code) for code in range(0x21, 0x7F))

        assert self.make(edge, key).status_code == 201

    def test_other_routes_ignore_the_key(self, edge: Api) -> None:
        for _ in range(2):
            reply = edge.post("/scoped", token="2", headers={"Idempotency-Key": "a b"})
            assert reply.status_code == 200
            assert "Idempotency-Replayed" not in reply.headers
