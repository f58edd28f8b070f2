"""Two shops next door to each other: one has one of everything, the other asks for it."""

import functools
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs
from sqlalchemy import text

from adapters_db.connection.connections import Connections
from adapters_db.tables import metadata
from adapters_http.description.document import Description, public_path
from adapters_http.routes import ROUTES
from adapters_http.web import codec
from adapters_http.web.routing import Access, Route
from tests.http import uploading
from tests.http.api import Api, Shop
from tests.http.campaigns import shops

GUARDED: Final = tuple(each for each in ROUTES if each.access in {Access.USER, Access.SESSION})
NO_ONE: Final = "2147483647"
DOCUMENT: Final[Any] = Description.of(ROUTES).document
NOT_OF_SHOPS: Final[Mapping[str, str]] = {
    "packageId": "packages are the same for all shops",
    "sessionId": "a session of Stripe's, which tells its shop by itself",
    "packId": "a number of credits",
}
"""Fields called after an id that belongs to no shop, each with the reason."""


@attrs.frozen
class Neighbours:
    """`theirs` has things; `mine` is signed in and must get none of them."""

    api: Api
    mine: Shop
    theirs: Shop
    things: dict[str, str] = attrs.field(factory=dict)
    keys: dict[str, str] = attrs.field(factory=dict)

    @classmethod
    def of(cls, api: Api) -> "Neighbours":
        return cls(api, shops.new_shop(api), shops.new_shop(api))

    def thing(self, name: str) -> str:
        """The id of a thing of theirs, by its name in paths; the same one every time."""
        if name not in self.things:
            made = _BY_NAME.get(name, functools.partial(_posted, name))(self.theirs)
            assert made, f"tell tests/http/neighbours.py how a shop gets a {name}"
            self.things[name] = made
        return self.things[name]

    def path(self, route: Route) -> str:
        """The path with their ids."""
        return re.sub(r"\{(\w+)\}", lambda found: self.thing(found[1]), route.path)

    def with_key(self, *scopes: str) -> Shop:
        """My shop, through an API key of these scopes."""
        name = " ".join(scopes)
        if name not in self.keys:
            body = {"name": "program", "scopes": list(scopes)}
            reply = self.mine.post("/api/api-keys", body)
            assert reply.status_code == 201, reply.text
            self.keys[name] = reply.json["key"]
        return attrs.evolve(self.mine, token=self.keys[name])

    def marks(self) -> list[str]:
        """What only they know."""
        with self.connections.sweep(read_only=True) as connection:
            phones = connection.execute(
                text(
                    "SELECT phone FROM contact WHERE account_id = :theirs "
                    "EXCEPT SELECT phone FROM contact WHERE account_id = :mine"
                ),
                {"theirs": self.theirs.id, "mine": self.mine.id},
            )
            return [*map(str, phones.scalars()), self.theirs.email]

    def rows(self) -> dict[str, list[str]]:
        """All they have, as the database holds it."""
        found = {}
        with self.connections.sweep(read_only=True) as connection:
            for table, column in tables_of_accounts().items():
                rows = connection.execute(
                    text(f"SELECT t::text FROM {table} t WHERE {column} = :account ORDER BY 1"),
                    {"account": self.theirs.id},
                )
                found[table] = list(rows.scalars())
        return found

    @property
    def connections(self) -> Connections:
        found: Connections = self.api.container.resolve(Connections)
        return found


def tables_of_accounts() -> dict[str, str]:
    """Every table with rows of one account, and the column that says whose."""
    found = {"account": "id"}
    for table in metadata.tables.values():
        if "account_id" in table.columns:
            found[table.name] = "account_id"
    return found


def example_of(route: Route) -> dict[str, Any]:
    """The body that the description shows."""
    row = DOCUMENT["paths"][public_path(route.path)][route.method.lower()]
    content = row.get("requestBody", {}).get("content", {})
    return dict(content["application/json"]["example"]) if "application/json" in content else {}


def query_of(route: Route) -> str:
    """What a query must have."""
    row = DOCUMENT["paths"][public_path(route.path)][route.method.lower()]
    needed = [each for each in row["parameters"] if each.get("in") == "query"]
    pairs = [
        f"{each['name']}={each['schema'].get('enum', [each.get('example', 'en')])[0]}"
        for each in needed
        if each.get("required")
    ]
    return "?" + "&".join(pairs) if pairs else ""


def fields_with_ids(route: Route) -> dict[str, str]:
    """Keys of the body and the query that name a thing, with the thing's name in paths."""
    row = DOCUMENT["paths"][public_path(route.path)][route.method.lower()]
    keys = {each["name"] for each in row["parameters"] if each.get("in") == "query"}
    if route.method != "GET" and attrs.has(route.body):
        keys |= {codec.key(field.name) for field in attrs.fields(route.body)}
    found = {}
    for key in keys - NOT_OF_SHOPS.keys():
        whole = re.fullmatch(r"(\w+?)Ids?", key)
        if whole is not None:
            words = re.sub(r"(?<!^)(?=[A-Z])", "_", whole[1]).lower().removeprefix("exclude_")
            found[key] = f"{words}_id"
    return found


def _posted(name: str, shop: Shop) -> str:
    """Post the example of the collection; where nothing can be posted, take what is there."""
    collection = next(
        (
            route.path.partition(f"/{{{name}}}")[0]
            for route in ROUTES
            if f"/{{{name}}}" in route.path and "{" not in route.path.partition(f"/{{{name}}}")[0]
        ),
        None,
    )
    if collection is None:
        return NO_ONE  # nothing of this kind can be asked for yet
    methods = {route.method: route for route in ROUTES if route.path == collection}
    if "POST" in methods:
        reply = shop.post(collection, example_of(methods["POST"]))
        assert reply.status_code == 201, f"the example of {collection}: {reply.text}"
        return str(reply.json["id"])
    return str(shop.get(collection).json["items"][-1]["id"])


def _sent_message(shop: Shop, key: str) -> str:
    """One of the ids of a message that was sent."""
    campaign = shops.started(shop)
    shops.send(shop.api)
    messages = shop.get(f"/api/campaigns/{campaign}/messages").json["items"]
    return str(messages[0][key])


_BY_NAME: Final[Mapping[str, Callable[[Shop], str]]] = {
    "campaign_id": lambda shop: str(shops.create(shop)),
    "job_id": lambda shop: str(uploading.send(shop).json["jobId"]),
    "message_id": functools.partial(_sent_message, key="id"),
    "provider_message_id": functools.partial(_sent_message, key="providerMessageId"),
}
"""How a shop gets a thing whose id stands in paths under this name, where posting the example of
its collection would not do."""
