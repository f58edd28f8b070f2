"""What is left of people in all columns of all tables, when it should be gone."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

import attrs
import pytest
from psycopg.sql import SQL, Identifier

from adapters_db.operations.pruning import (
    MESSAGE_PARTITIONS,
    MESSAGE_TEXTS,
    PRUNED,
    SqlPruning,
)
from retail_core.accounts.use_cases.closing import BeginClosing, EraseAccount
from retail_core.contacts.model import ConsentSource
from retail_core.contacts.model.number_hash import NumberHash
from retail_core.contacts.use_cases.erasing import EraseContact
from retail_core.contacts.use_cases.keeping import Actor
from tests.contracts.worlds import World, sql_world
from tests.integration.adapters_db.marked import (
    Place,
    Stage,
    columns,
    filled_shop,
    mark,
    places_with,
    rows_of,
    without_rules,
)
from tests.own_database import own_connections

NUMBER_HASH: Final = NumberHash(b"a secret for numbers in tests, 32b")
OF_THE_ACCOUNT: Final = {
    "account_id": "account_id = %(account)s",
    "adults_only": "id = %(account)s",
}
OF_THE_PERSON: Final = {
    "contact_id": "contact_id = %(contact)s",
    "birthday": "id = %(contact)s",
    "phone": "phone = %(phone)s",
}
OF_NOBODY: Final = {"raw": "true", "word": "true"}
"""Reports are the operator's: whose message they tell of is known only when they are applied."""

GATEWAYS: Final[frozenset[Place]] = frozenset(
    {
        ("report_inbox", "raw"),
        ("report_parked", "error"),
        ("report_parked", "phone"),
        ("report_parked", "provider_id"),
        ("report_parked", "word"),
    }
)
"""Kept for 90 days as they came, whoever they tell of."""
CONSENT: Final[frozenset[Place]] = frozenset(
    ("consent_event", name) for name in ("consent_text", "locale", "source_ref", "statement")
)
"""Proof, for five years: what was shown and where it was said, of a person known by hash."""
OF_MESSAGES: Final[frozenset[Place]] = frozenset(
    {
        *((table, name) for table in ("message", "single_message") for name in ("error_code",)),
        *((table, "provider_id") for table in ("message", "message_doubt", "single_message")),
        *((table, "reported_id") for table in ("message_doubt", "single_message")),
        ("single_message", "occasion"),
        ("single_message", "reason"),
    }
)
"""Words of ours, numbers of the gateway's."""
BOOKS: Final[frozenset[Place]] = frozenset(
    {
        ("credit_transfer", "key"),
        ("credit_transfer", "reason"),
        ("subscription", "stripe_customer_id"),
        ("subscription", "stripe_subscription_id"),
    }
)
"""The ledger and what a payment is found by stay."""
OF_CAMPAIGNS: Final[frozenset[Place]] = frozenset(
    {
        ("campaign", "filter_gender"),
        ("campaign", "plan"),  # how links begin; its texts are looked at one by one
        ("campaign", "status_reason"),
        ("campaign", "system_list"),
        ("send_batch", "worker"),
    }
)
"""Words of closed lists, and names of processes."""


@attrs.frozen
class Filled:
    """A shop full of everything, in a database of its own."""

    world: World
    stage: Stage
    url: str
    pruning: SqlPruning

    def mark(self, **conditions: str) -> Mapping[str, Place]:
        with without_rules(self.url) as connection:
            return mark(connection, self.stage, rows_of(connection, **conditions))

    def left(self, marks: Mapping[str, Place]) -> set[Place]:
        """Where the marks, or the number of the person, still stand."""
        with without_rules(self.url) as connection:
            found = {place for word, place in marks.items() if places_with(connection, [word])}
            strayed = places_with(connection, marks) - found
            assert not strayed, "what was in one column is in another"
            return found | places_with(connection, [self.stage.digits])


@pytest.fixture
def filled(new_database: Callable[[], str]) -> Iterator[Filled]:
    with own_connections(new_database) as connections:
        world, url = sql_world(connections), connections.settings.url
        yield Filled(world, filled_shop(world, url), url, SqlPruning(connections))


def close(filled: Filled) -> None:
    world, account = filled.world, filled.stage.account
    with world.transactions.begin(account) as uow:
        email = uow.accounts.get(account).email
    BeginClosing(world.transactions, world.clock)(email)
    EraseAccount(world.transactions, world.clock)(account, NUMBER_HASH.of)


def erase(filled: Filled) -> None:
    erasing = EraseContact(filled.world.transactions, filled.world.clock, NUMBER_HASH)
    erasing(Actor(filled.stage.account, ConsentSource.MANUAL), filled.stage.contact.id)


def prune_everything(filled: Filled, unused: str) -> None:
    """Messages by one of two ways: by partition, if campaigns do not come to it any more."""
    with without_rules(filled.url) as connection:
        for column in columns(connection):
            if column.type == "timestamp with time zone":
                connection.execute(
                    SQL("UPDATE {0} SET {1} = {1} - interval '10 years'").format(
                        Identifier(column.table), Identifier(column.name)
                    )
                )
        connection.execute("UPDATE report_inbox SET applied_at = arrived_at")
        connection.execute("UPDATE import_job SET finished_at = created_at")
        if unused == MESSAGE_TEXTS:
            connection.execute(
                "INSERT INTO campaign (id, account_id, name, message_text, include_offer,"
                " created_at, updated_at) VALUES (9999, %s, 'x', 'x', false, now(), now())",
                (filled.stage.account,),
            )
    for name in sorted(PRUNED - {unused}):
        assert filled.pruning.remove_older(name, filled.world.clock.now()) > 0, name


def test_every_table_of_the_stage_has_a_row(filled: Filled) -> None:
    with without_rules(filled.url) as connection:
        tables = {column.table for column in columns(connection)}
        empty = {
            table
            for table in tables
            if not connection.execute(
                SQL("SELECT FROM {} LIMIT 1").format(Identifier(table))
            ).fetchall()
        }

    assert empty == set()


class TestNumbers:
    """Found as they really are; marks would cover them."""

    def test_a_closed_account_leaves_none(self, filled: Filled) -> None:
        close(filled)

        assert filled.left({}) == {("report_inbox", "raw"), ("report_parked", "phone")}

    def test_an_erased_person_leaves_none(self, filled: Filled) -> None:
        erase(filled)

        assert filled.left({}) == {
            ("import_chunk", "data"),  # the file, for a day after its import
            ("report_inbox", "raw"),
            ("report_parked", "phone"),
        }

    @pytest.mark.parametrize("unused", [MESSAGE_PARTITIONS, MESSAGE_TEXTS])
    def test_age_leaves_them_with_living_contacts_and_the_suppression_list_alone(
        self, filled: Filled, unused: str
    ) -> None:
        prune_everything(filled, unused)

        assert filled.left({}) == {
            ("contact", "phone"),
            ("contact", "search_text"),
            ("suppression", "phone"),
        }


class TestTexts:
    def test_a_closed_account_leaves_nothing_that_somebody_wrote(self, filled: Filled) -> None:
        marks = filled.mark(**OF_THE_ACCOUNT, **OF_NOBODY)
        word = next(word for word, place in marks.items() if place == ("account", "email"))
        with without_rules(filled.url) as connection:
            connection.execute(
                "UPDATE account SET email = %s WHERE id = %s",
                (f"{word}@shop.example", filled.stage.account),
            )

        close(filled)

        audited = {("audit_entry", "address"), ("audit_entry", "details")}
        assert filled.left(marks) == (
            GATEWAYS | CONSENT | OF_MESSAGES | BOOKS | OF_CAMPAIGNS | audited
        )
        with without_rules(filled.url) as connection:
            words = connection.execute(
                "SELECT plan ->> 'text', plan ->> 'sender', plan ->> 'store_name' FROM campaign "
                "WHERE plan IS NOT NULL"
            ).fetchall()
        assert words == [("-", "-", "-")]

    def test_an_erased_person_leaves_nothing_that_tells_of_them(self, filled: Filled) -> None:
        marks = filled.mark(**OF_THE_PERSON, row_no="row_no = 1", reply_body="true")

        erase(filled)

        ours = {("import_fault", name) for name in ("code", "field", "message")}
        once = {("idempotency_key", "fingerprint"), ("idempotency_key", "key")}
        sender = {("single_message", "sender")}
        trace = {("number_trace", "sender")}
        file = {("import_chunk", "data")}
        assert filled.left(marks) == (
            GATEWAYS | CONSENT | OF_MESSAGES | ours | once | sender | trace | file
        )

    @pytest.mark.parametrize("unused", [MESSAGE_PARTITIONS, MESSAGE_TEXTS])
    def test_age_leaves_what_a_living_shop_needs(self, filled: Filled, unused: str) -> None:
        marks = filled.mark(**OF_THE_ACCOUNT, **OF_NOBODY)

        prune_everything(filled, unused)

        left = filled.left(marks) - OF_MESSAGES - BOOKS - OF_CAMPAIGNS
        assert {table for table, _ in left} == {
            "account",
            "api_key",
            "campaign",
            "consent_event",
            "contact",
            "contact_list",
            "outbox",
            "single_message",
            "suppression",
        }
        assert {name for table, name in left if table == "single_message"} == {"sender"}
