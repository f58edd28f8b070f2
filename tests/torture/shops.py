"""Stores whose campaigns are tortured: small, in plain SQL, and started by the real use case."""

import itertools
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import attrs
import psycopg

from adapters_db.connection.connections import Connections
from adapters_db.connection.engine import make_engine
from adapters_db.settings import DatabaseSettings
from adapters_db.transactions import SqlTransactions
from retail_core.accounts.model import KeyText, NewApiKey, Scope
from retail_core.accounts.model.api_key import API_KEY_PREFIX_BYTES
from retail_core.audiences.model import AudienceSpec
from retail_core.campaigns.errors import AlreadySending
from retail_core.campaigns.model import CampaignContent, CampaignState
from retail_core.campaigns.planning import SendingPolicy
from retail_core.campaigns.use_cases import StartCampaign
from retail_core.contacts.model import ConsentSource, ContactChanges
from retail_core.contacts.model.number_hash import NumberHash
from retail_core.contacts.use_cases.keeping import Actor, UpdateContact
from retail_core.kernel.errors import Unavailable
from retail_core.kernel.ids import AccountId, CampaignId, ContactId
from retail_core.kernel.process.machine import SystemClock
from retail_core.links.urls import LinkTemplates
from tests.torture.loops.witness import WATCH

TOKEN_SECRET: Final = "a secret that signs links in torture"
CREDITS: Final = 50_000_000
NUMBERS: Final = 10_000
"""Of each store, in a row."""
CONTACTS_MAX: Final = 4_000
"""At first; the other numbers are for who comes later."""
ARGENTINES: Final = 3
"""Some have numbers that gateways write in more than one way."""
LOCK_TIMEOUT_SECONDS: Final = 5
AWAY: Final = (Unavailable, AlreadySending, psycopg.OperationalError)
"""Whoever meets one of these tries again: nobody answers, or somebody else is at it just now."""
_CONTACTS: Final = """
WITH person AS (
INSERT INTO contact (account_id, phone, country, line_type, first_name, is_subscribed,
                     search_text, tags, created_at, updated_at)
SELECT %(account)s, phone, CASE WHEN phone < 400000000000 THEN 'GR' ELSE 'AR' END, 1,
       'N' || phone, true, '+' || phone, '{}', now(), now()
FROM unnest(%(phones)s::bigint[]) phone
RETURNING account_id, id, is_subscribed
)
INSERT INTO consent_event (account_id, contact_id, type, source, occurred_at)
SELECT account_id, id, 'granted', 'manual', now() FROM person WHERE is_subscribed
"""
_STATE: Final = "SELECT state FROM campaign WHERE id = %s"
_numbers = itertools.count(1)

Rows = Sequence[tuple[Any, ...]]


@attrs.frozen
class Planned:
    """A campaign that was started; `mark` begins each of its texts, and no other campaign's."""

    account: AccountId
    campaign: CampaignId
    mark: str


@attrs.frozen
class Shops:
    """The stores of one migrated database."""

    url: str
    transactions: SqlTransactions
    _fresh: dict[int, Iterator[int]] = attrs.field(factory=dict)

    @classmethod
    @contextmanager
    def at(cls, url: str) -> Iterator["Shops"]:
        """Connected while the block lasts."""
        settings = DatabaseSettings(
            url, url, application_name="torture", lock_timeout_seconds=LOCK_TIMEOUT_SECONDS
        )
        engine = make_engine(settings)
        shops = cls(url, SqlTransactions(Connections(engine, settings)))
        shops.execute(WATCH)
        yield shops
        engine.dispose()

    def new(self, contacts: int) -> AccountId:
        """A store that may send, has credits, and whose contacts are named after their numbers."""
        assert contacts <= CONTACTS_MAX, "the numbers of a store leave no room for more"
        with self._connection() as connection:
            account = AccountId(
                _one(
                    connection,
                    "INSERT INTO account (email, company, sender_name) "
                    "VALUES (gen_random_uuid() || '@example.com', 'Torture', 'Torture') "
                    "RETURNING id",
                )
            )
            connection.execute(
                "INSERT INTO subscription (account_id, plan_type, status) "
                "VALUES (%s, 'pro', 'active')",
                (account,),
            )
        first = _first_number(account)
        self.add(account, range(first, first + contacts))
        self._fresh[account] = iter(range(first + CONTACTS_MAX, first + NUMBERS))
        with self.transactions.begin(account) as uow:
            uow.credits.grant(account, "torture", CREDITS, "torture")
        return account

    def add(self, account: AccountId, phones: Sequence[int]) -> None:
        """Contacts with these numbers, named after them."""
        with self._connection() as connection:
            connection.execute(_CONTACTS, {"account": account, "phones": list(phones)})

    def fresh_number(self, account: int) -> int:
        """A number of this store that nobody had yet."""
        return next(self._fresh[account])

    def key(self, account: AccountId) -> str:
        """An API key that may do everything with contacts."""
        text = KeyText.of(secrets.token_bytes(API_KEY_PREFIX_BYTES), secrets.token_bytes(32))
        new = NewApiKey(
            account=account,
            name="torture",
            prefix=text.prefix,
            hash=text.hash,
            scopes=(Scope.CONTACTS_READ, Scope.CONTACTS_WRITE),
            created_at=SystemClock().now(),
            expires_at=None,
        )
        with self.transactions.begin(account) as uow:
            uow.api_keys.add(new)
        return text.text

    def plan(self, account: AccountId) -> Planned:
        """Write a campaign to everybody. Raises `Unavailable`."""
        mark = f"T{next(_numbers)}-{account}"
        text = f"{mark} {{{{firstName}}}}"
        content = CampaignContent(mark, text, AudienceSpec(), include_offer=False)
        with self.transactions.begin(account) as uow:
            campaign = uow.campaigns.add(account, content, 0, SystemClock().now())
        return Planned(account, campaign.id, mark)

    def start(self, planned: Planned, batch_messages_max: int) -> None:
        """Start or resume it. Raises `Unavailable`."""
        policy = SendingPolicy(
            LinkTemplates.of_settings(public_base_url="https://r.example"),
            batch_messages_max=batch_messages_max,
        )
        start = StartCampaign(self.transactions, SystemClock(), policy)
        start(planned.account, planned.campaign)

    def state(self, planned: Planned) -> CampaignState:
        """Where the campaign is now."""
        with self._connection() as connection:
            return CampaignState(_one(connection, _STATE, (planned.campaign,)))

    def resume_paused(self, planned: Planned) -> None:
        """As an owner does after the gateway refused us."""
        if self.state(planned) is CampaignState.PAUSED:
            self.start(planned, 1)

    def opt_out(self, account: AccountId, contact: ContactId) -> None:
        """Let an owner take somebody out. Raises `Unavailable` and `ContactNotFound`."""
        update = UpdateContact(
            self.transactions, SystemClock(), NumberHash.derived(TOKEN_SECRET.encode())
        )
        actor = Actor(account, ConsentSource.MANUAL)
        update(actor, contact, ContactChanges(is_subscribed=False), region="GR")

    def query(self, statement: str, *parameters: object) -> Rows:
        """Ask anything, as the owner of the database."""
        with self._connection() as connection:
            return connection.execute(statement.encode(), parameters or None).fetchall()

    def execute(self, statement: str, *parameters: object) -> None:
        """Change anything, as the owner of the database."""
        with self._connection() as connection:
            connection.execute(statement.encode(), parameters or None)

    @contextmanager
    def _connection(self) -> Iterator["psycopg.Connection[tuple[Any, ...]]"]:
        patience = f"-c lock_timeout={LOCK_TIMEOUT_SECONDS}s"
        with psycopg.connect(
            self.url, autocommit=True, connect_timeout=5, options=patience
        ) as connection:
            yield connection


def _first_number(account: int) -> int:
    return 306_900_000_000 + NUMBERS * account


def argentines(account: int) -> Sequence[int]:
    """A few numbers of another country for this store."""
    return range(5_491_150_000_000 + 10 * account, 5_491_150_000_000 + 10 * account + ARGENTINES)


def _one(
    connection: "psycopg.Connection[tuple[Any, ...]]",
    statement: str,
    parameters: Sequence[object] = (),
) -> Any:
    row = connection.execute(statement.encode(), parameters).fetchone()
    assert row is not None, statement
    return row[0]
