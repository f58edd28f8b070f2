"""Every route that creates, sends or charges does it once for one key (docs/api.md, 1.9)."""

import itertools
import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from adapters_db.connection.connections import Connections
from adapters_http import wiring
from adapters_http.app import create_app
from adapters_http.routes import ROUTES
from adapters_http.settings import EdgeSettings
from adapters_http.web.routing import Route
from retail_core.kernel.settings import Env
from retail_core.messages.ports import SmsGateway
from tests.http.api import VARIABLES, Api, Shop, error_of
from tests.http.campaigns.shops import new_gateway, new_shop, send
from tests.http.repeats import RECIPES, Asked

ONCE = [route for route in ROUTES if route.once]
_keys = itertools.count(1)


def named(route: Route) -> str:
    return route.path


@pytest.fixture
def with_gateway(api: Api) -> Iterator[Api]:
    """All routes on PostgreSQL, with a gateway that takes everything."""
    real = api.container.resolve(SmsGateway)
    api.container.register(SmsGateway, instance=new_gateway(api))
    settings = EdgeSettings.read(Env(VARIABLES))
    yield Api(create_app(wiring.parts(api.container, settings)), api.container, api.clock)
    api.container.register(SmsGateway, instance=real)
    send(api)


@pytest.fixture
def buyer(with_gateway: Api) -> Shop:
    return new_shop(with_gateway)


@pytest.fixture
def key() -> str:
    return f"repeat-{next(_keys)}"


def forget_reply(shop: Shop, key: str) -> None:
    """As if the process had died after the effect was committed and before its reply was kept."""
    with shop.api.container.resolve(Connections).bound(shop.id) as connection:
        done = connection.execute(
            text(
                "UPDATE idempotency_key SET reply_status = NULL, reply_body = NULL WHERE key = :key"
            ),
            {"key": key},
        )
        assert done.rowcount == 1


def recipe(route: Route, shop: Shop) -> Asked:
    return RECIPES[route.path](shop)


@pytest.mark.parametrize("route", ONCE, ids=named)
class TestEveryEffect:
    def test_a_repeat_gets_the_first_reply(self, buyer: Shop, key: str, route: Route) -> None:
        asked = recipe(route, buyer)

        first, repeat = asked.send(buyer, key), asked.send(buyer, key)

        assert 200 <= first.status_code < 300, first.text
        assert "Idempotency-Replayed" not in first.headers
        assert (repeat.status_code, repeat.json) == (first.status_code, asked.repeated(first))
        assert asked.shown_once or repeat.content == first.content
        assert repeat.headers["Idempotency-Replayed"] == "true"
        assert repeat.headers["Content-Type"] == first.headers["Content-Type"]

    def test_a_reply_that_was_never_kept_is_built_from_the_effect(
        self, buyer: Shop, key: str, route: Route
    ) -> None:
        asked = recipe(route, buyer)
        first = asked.send(buyer, key)
        forget_reply(buyer, key)

        repeat, again = asked.send(buyer, key), asked.send(buyer, key)

        assert repeat.headers["Idempotency-Replayed"] == "true"
        assert (repeat.status_code, repeat.json) == (first.status_code, asked.repeated(first))
        assert again.content == repeat.content

    def test_another_body_under_the_same_key_is_refused(
        self, buyer: Shop, key: str, route: Route
    ) -> None:
        asked = recipe(route, buyer)
        asked.send(buyer, key)
        query = Asked(f"{asked.path}?x=1", asked.body, asked.raw, asked.headers)

        assert error_of(query.send(buyer, key)) == (409, "IDEMPOTENCY_KEY_REUSED")

    def test_a_request_that_still_runs_is_not_run_again(
        self, buyer: Shop, key: str, route: Route
    ) -> None:
        asked = recipe(route, buyer)
        connections = buyer.api.container.resolve(Connections)
        with connections.bound(buyer.id) as connection:
            connection.execute(
                text("SELECT pg_advisory_xact_lock(hashtextextended('once:' || :name, 0))"),
                {"name": f"{buyer.id}:{key}"},
            )
            reply = asked.send(buyer, key)
            assert error_of(reply) == (409, "IDEMPOTENCY_IN_PROGRESS")
            assert reply.headers["Retry-After"] == "1"

        assert 200 <= asked.send(buyer, key).status_code < 300

    def test_keys_of_two_shops_do_not_meet(
        self, with_gateway: Api, buyer: Shop, key: str, route: Route
    ) -> None:
        other = new_shop(with_gateway)
        recipe(route, other).send(other, key)

        reply = recipe(route, buyer).send(buyer, key)

        assert 200 <= reply.status_code < 300, reply.text
        assert "Idempotency-Replayed" not in reply.headers

    @pytest.mark.parametrize("bad", ["", "a b", "ü", "x" * 256])
    def test_a_bad_key_is_refused(self, buyer: Shop, route: Route, bad: str) -> None:
        asked = Asked(re.sub(r"\{\w+\}", "1", route.path), {})

        reply: Any = asked.send(buyer, bad)

        assert error_of(reply) == (400, "VALIDATION_ERROR")
