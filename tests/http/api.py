"""A client for the real app, and a shop that is signed in to it."""

import itertools
import json
import re
from collections.abc import Mapping
from typing import Any, Final

import attrs
import falcon
import punq
from falcon.testing import Result, TestClient

from adapters_db.accounts.passwords import BcryptPasswords
from adapters_http import wiring
from adapters_http.app import create_app
from adapters_http.resources.accounts import api_keys, auth, password_reset, profile, sessions
from adapters_http.resources.system import health
from adapters_http.settings import EdgeSettings
from adapters_http.web.context import Request, Response
from retail_core.accounts.model import AccountDefaults
from retail_core.accounts.ports import AccountsUnitOfWork, PasswordHasher
from retail_core.accounts.queries import AccountQueries, ApiKeyQueries, SessionQueries
from retail_core.accounts.settings import account_defaults
from retail_core.credits.queries import CreditQueries
from retail_core.kernel.ids import AccountId
from retail_core.kernel.ports import (
    AuditTrail,
    Clock,
    IdempotencyReplies,
    Randomness,
    Transactions,
    Work,
)
from retail_core.kernel.settings import Env
from retail_core.messages.ports import MessagesUnitOfWork
from retail_core.notices.ports import NoticesUnitOfWork
from retail_core.notices.queries import NoticeFacts
from retail_core.testing.kernel.clock import FixedClock
from retail_core.testing.kernel.randomness import SeededRandomness
from tests.contracts.worlds import World
from tests.harmless_logs import used, used_in
from tests.http import described

ORIGIN: Final = "https://app.example.com"
WEBHOOK_SECRET: Final = "the gateway's secret"
ADDRESS: Final = "203.0.113.7"
PASSWORD: Final = "correct horse"
VARIABLES: Final[dict[str, str]] = {
    "APP_ENV": "test",
    "REDIS_URL": "disabled",
    "JWT_SECRET": "a secret that is long enough for tokens",
    "MITTO_API_KEY": "key",
    "SMS_TRAFFIC_ACCOUNT_ID": "traffic",
    "MITTO_SENDER": "Retail",
    "WEBHOOK_SECRET": WEBHOOK_SECRET,
    "UNSUBSCRIBE_TOKEN_SECRET": "a secret that signs links",
    "FRONTEND_URL": ORIGIN,
    "PUBLIC_BASE_URL": "https://api.example.com",
    "BCRYPT_COST": "4",
    "RATE_LIMITS_FACTOR": "1000000",
}
SET_COOKIE: Final = re.compile(
    r"rt=[0-9a-f]{128}; Path=/; Expires=\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT; "
    r"HttpOnly; Secure; SameSite=None"
)
CLEARED_COOKIE: Final = (
    "rt=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure; SameSite=None"
)
IN_MEMORY: Final = (
    *health.ROUTES,
    *auth.ROUTES,
    *password_reset.ROUTES,
    *profile.ROUTES,
    *sessions.ROUTES,
    *api_keys.ROUTES,
)
"""The routes whose resources find all they need in a world in memory."""
PROGRAM: Final = "application/json"
BROWSER: Final = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
_numbers = itertools.count(1)
_seeds = itertools.count(1)


@attrs.frozen
class Api:
    """The app, its clock, and short ways to ask it something: as a program, or as a browser."""

    app: "falcon.App[Request, Response]"
    container: punq.Container
    clock: FixedClock
    accept: str = PROGRAM

    @property
    def client(self) -> TestClient:
        return TestClient(self.app)

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        token: str | None = None,
        cookie: str | None = None,
        headers: Mapping[str, str] | None = None,
        raw: bytes | None = None,
        address: str = ADDRESS,
    ) -> Result:
        """One request; `body` goes as JSON, `raw` as it is."""
        sent = {"Accept": self.accept} | dict(headers or {})
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        if cookie is not None:
            sent["Cookie"] = f"rt={cookie}"
        if body is not None:
            raw = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        used_in(body)
        used(*(text for text in (token, cookie) if text))
        path, _, query = path.partition("?")
        reply = self.client.simulate_request(
            method, path, query_string=query, headers=sent, body=raw, remote_addr=address
        )
        described.check(method, path, reply)
        return reply

    def get(self, path: str, **how: Any) -> Result:
        return self.ask("GET", path, **how)

    def post(self, path: str, body: object = None, **how: Any) -> Result:
        return self.ask("POST", path, body, **how)

    def sign_up(self, **fields: object) -> "Shop":
        """A new shop, signed in."""
        email = f"http{next(_numbers)}@shop.example"
        body = {"email": email, "password": PASSWORD} | fields
        reply = self.post("/api/auth/register", body)
        assert reply.status_code == 201, reply.text
        user = reply.json["user"]
        return Shop(self, user["id"], user["email"], reply.json["accessToken"], cookie_of(reply))


@attrs.frozen
class Shop:
    """A shop that is signed in."""

    api: Api
    id: AccountId
    email: str
    token: str
    cookie: str

    def ask(self, method: str, path: str, body: object = None, **how: Any) -> Result:
        return self.api.ask(method, path, body, token=self.token, **how)

    def get(self, path: str, **how: Any) -> Result:
        return self.ask("GET", path, **how)

    def post(self, path: str, body: object = None, **how: Any) -> Result:
        return self.ask("POST", path, body, **how)

    def put(self, path: str, body: object = None, **how: Any) -> Result:
        return self.ask("PUT", path, body, **how)

    def delete(self, path: str, **how: Any) -> Result:
        return self.ask("DELETE", path, **how)


def cookie_of(reply: Result) -> str:
    """The refresh token that a reply sets."""
    return reply.cookies["rt"].value


def error_of(reply: Result) -> tuple[int, str]:
    """Status and code of an error, whose body must have the four keys."""
    body = reply.json
    assert {"message", "code", "status", "requestId"} <= body.keys(), body
    assert body["status"] == reply.status_code
    assert body["requestId"] == reply.headers["X-Request-ID"]
    assert body["message"]
    return reply.status_code, body["code"]


def api_in_memory(world: World, **variables: str) -> Api:
    """The app on a world in memory, as far as that world has what its resources need."""
    env = Env(VARIABLES | variables)
    edge, accounts = EdgeSettings.read(env), account_defaults(env)
    env.finish()
    container = punq.Container()
    container.register(Clock, instance=world.clock)
    container.register(Randomness, instance=SeededRandomness(next(_seeds)))
    for transactions in (
        Transactions[Work],
        Transactions[AccountsUnitOfWork],
        Transactions[MessagesUnitOfWork],
        Transactions[NoticesUnitOfWork],
    ):
        container.register(transactions, instance=world.transactions)
    container.register(IdempotencyReplies, instance=world.replies)
    container.register(AccountQueries, instance=world.account_queries)
    container.register(SessionQueries, instance=world.session_queries)
    container.register(ApiKeyQueries, instance=world.api_key_queries)
    container.register(CreditQueries, instance=world.credit_queries)
    container.register(NoticeFacts, instance=world.notice_facts)
    container.register(AuditTrail, instance=world.audit_trail)
    container.register(AccountDefaults, instance=accounts)
    container.register(PasswordHasher, instance=BcryptPasswords(4))
    wiring.register(container, edge)
    app = create_app(wiring.parts(container, edge, IN_MEMORY))
    return Api(app, container, world.clock)
