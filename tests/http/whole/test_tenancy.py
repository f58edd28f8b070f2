"""No route of the description gives a shop anything of another one, or anybody without a proof.

The tests are made from the description: a new route is covered, or fails, by itself.
"""

import json
from collections.abc import Mapping
from typing import Any

import punq
import pytest
from sqlalchemy import text

from adapters_http import wiring
from adapters_http.app import create_app
from adapters_http.description.document import public_path
from adapters_http.routes import ROUTES
from adapters_http.web.routing import Access, Reading, Route
from retail_core.accounts.model import Scope
from retail_core.kernel.ids import SYSTEM_ACCOUNT
from retail_core.kernel.ports import Clock
from retail_core.testing.kernel.clock import FixedClock
from tests.http import neighbours, uploading
from tests.http.api import Api, Shop, error_of
from tests.http.neighbours import GUARDED, NO_ONE, Neighbours, tables_of_accounts

WITH_IDS = [route for route in GUARDED if "{" in route.path]
WITH_FIELDS = [
    (route, key, name)
    for route in GUARDED
    for key, name in sorted(neighbours.fields_with_ids(route).items())
]
READS = [route for route in GUARDED if route.method == "GET" and "{" not in route.path]
NOT_MINE = {
    (404, "RESOURCE_NOT_FOUND"),
    (404, "REFERENCE_NOT_FOUND"),
    (404, "MESSAGE_NOT_FOUND"),
    (403, "AUTHORIZATION_ERROR"),
}
FOREIGN_IMPORT = (403, "AUTHORIZATION_ERROR")
SHARED: Mapping[str, tuple[frozenset[int | None], str]] = {
    "outbox": (frozenset({None}), "jobs of nobody's: they name no shop and hold no shop's data"),
    "suppression": (frozenset({SYSTEM_ACCOUNT}), "the operator's entries bind every shop"),
}
"""Rows that every shop may see, by their account, each with the reason."""


def named(value: object) -> str:
    return f"{value.method} {value.path}" if isinstance(value, Route) else str(value)


@pytest.fixture(scope="module")
def street(_composed: tuple[punq.Container, Any]) -> Neighbours:
    """Two shops for all tests here: what one test must not do, the next one would see."""
    container, settings = _composed
    clock = FixedClock()
    container.register(Clock, instance=clock)
    return Neighbours.of(Api(create_app(wiring.parts(container, settings.edge)), container, clock))


def ask(street: Neighbours, route: Route, shop: Shop | None, **fields: object) -> Any:
    """Call a route with their ids, as `shop` or as nobody."""
    token = None if shop is None else shop.token
    path = street.path(route)
    query = neighbours.query_of(route)
    if route.method == "GET":
        for key, value in fields.items():
            query += f"{'&' if query else '?'}{key}={value}"
        return street.api.ask("GET", path + query, token=token)
    if route.reading is Reading.STREAM:
        parts = [(key, None, str(value).encode()) for key, value in fields.items()]
        file = ("file", "people.csv", uploading.PEOPLE.encode())
        headers, body = uploading.form([*parts, file])
        return street.api.ask(route.method, path, raw=body, headers=headers, token=token)
    sent = neighbours.example_of(route) | fields
    return street.api.ask(route.method, path + query, sent, token=token)


@pytest.mark.parametrize("route", WITH_IDS, ids=named)
def test_another_shops_ids_are_not_found(street: Neighbours, route: Route) -> None:
    path = street.path(route)
    before = street.rows()

    reply = ask(street, route, street.mine)

    assert error_of(reply) in NOT_MINE, path
    assert (error_of(reply) == FOREIGN_IMPORT) == ("{job_id}" in route.path)
    assert street.rows() == before


@pytest.mark.parametrize(("route", "key", "name"), WITH_FIELDS, ids=named)
def test_another_shops_ids_in_bodies_and_queries_are_not_found(
    street: Neighbours, route: Route, key: str, name: str
) -> None:
    if "{" in route.path:
        return  # their path is refused before; the same fields are tried where a shop creates
    thing: object = street.thing(name)
    sent = [thing] if key.endswith("Ids") else thing
    before = street.rows()

    reply = ask(street, route, street.mine, **{key: sent})

    if reply.status_code != 200:
        assert error_of(reply) in NOT_MINE
    elif route.method == "GET":  # a filter that nothing of mine passes
        assert reply.content == ask(street, route, street.mine, **{key: NO_ONE}).content
        assert [mark for mark in street.marks() if mark in reply.content.decode("latin-1")] == []
    else:
        assert all(not each["success"] for each in reply.json["results"])
    assert street.rows() == before


@pytest.mark.parametrize("route", GUARDED, ids=named)
def test_nobody_comes_in_without_a_proof(street: Neighbours, route: Route) -> None:
    street.path(route)
    before = street.rows()

    assert error_of(ask(street, route, None)) == (401, "UNAUTHORIZED")

    assert street.rows() == before


@pytest.mark.parametrize("route", GUARDED, ids=named)
def test_a_key_without_the_scope_may_not(street: Neighbours, route: Route) -> None:
    program = street.with_key(*(each.value for each in Scope if each.value != route.scope))
    street.path(route)  # what it names is made at the first asking
    before = street.rows()

    reply = ask(street, route, program)

    if route.access is Access.SESSION:
        assert error_of(reply) == (403, "FORBIDDEN")
    elif route.scope is None:
        assert reply.status_code == 200
    else:
        assert error_of(reply) == (403, "INSUFFICIENT_SCOPE")
        assert reply.json["requiredScope"] == route.scope
    assert street.rows() == before


@pytest.mark.parametrize("route", WITH_IDS, ids=named)
def test_a_key_for_everything_reaches_no_other_shop(street: Neighbours, route: Route) -> None:
    street.path(route)  # what it names is made at the first asking
    before = street.rows()

    reply = ask(street, route, street.with_key(*(each.value for each in Scope)))

    refused = {(403, "FORBIDDEN")} if route.access is Access.SESSION else NOT_MINE
    assert error_of(reply) in refused
    assert street.rows() == before


@pytest.mark.parametrize("route", READS, ids=named)
def test_no_list_shows_anything_of_another_shop(street: Neighbours, route: Route) -> None:
    told = ask(street, route, street.mine).content.decode("latin-1")

    assert [mark for mark in street.marks() if mark in told] == []


def test_every_route_is_covered() -> None:
    public = [each for each in ROUTES if each.access in {Access.PUBLIC, Access.WEBHOOK}]

    assert len(GUARDED) + len(public) == len(ROUTES)
    assert {named(route) for route in GUARDED} == {
        f"{method.upper()} {_template(path)}"
        for path, rows in neighbours.DOCUMENT["paths"].items()
        for method, row in rows.items()
        if {"accessToken": []} in row["security"]
    }


class TestSecondWall:
    """What would happen if a statement forgot whose rows it may see."""

    @pytest.mark.parametrize("table", sorted(tables_of_accounts()))
    def test_a_statement_without_a_condition_sees_only_the_bound_account(
        self, street: Neighbours, table: str
    ) -> None:
        for name in ("contact_id", "campaign_id", "job_id", "message_id"):
            street.thing(name)
        column = tables_of_accounts()[table]
        statement = text(f"SELECT DISTINCT {column} FROM {table}")

        with street.connections.sweep(read_only=True) as connection:
            may_see = connection.execute(
                text("SELECT has_table_privilege('retail_bound', :table, 'SELECT')"),
                {"table": table},
            ).scalar_one()
        if not may_see:
            return  # no bound transaction may even ask
        with street.connections.bound(street.mine.id, read_only=True) as connection:
            seen = set(connection.execute(statement).scalars())

        shared, _ = SHARED.get(table, (frozenset(), ""))
        assert seen <= {street.mine.id} | shared, f"{table} shows rows of others"

    def test_there_was_something_to_see(self, street: Neighbours) -> None:
        filled = {table for table, rows in street.rows().items() if rows}

        assert {"account", "session", "contact", "campaign", "wallet", "import_job"} <= filled

    def test_every_table_of_accounts_is_guarded_by_its_account(self, street: Neighbours) -> None:
        with street.connections.sweep(read_only=True) as connection:
            rules = connection.execute(
                text(
                    "SELECT tablename, qual, with_check FROM pg_policies "
                    "WHERE 'retail_bound' = ANY (roles)"
                )
            )
            by_table: dict[str, list[str]] = {}
            for table, *conditions in rules:
                by_table.setdefault(table, []).append(json.dumps(conditions))
        loose = {
            table
            for table in tables_of_accounts()
            if any("retail.account" not in condition for condition in by_table.get(table, []))
        }

        assert loose <= SHARED.keys()


def _template(path: str) -> str:
    """The path as the table of routes has it."""
    return next(route.path for route in ROUTES if public_path(route.path) == path)
