"""The contracts of contacts, in memory and on PostgreSQL."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from adapters_db.connections import Connections
from retail_core.contacts.model import SuppressionReason
from tests.contracts.contact_queries import ContactOwnersContract, ContactQueriesContract
from tests.contracts.contact_sets import ContactSetsContract
from tests.contracts.contacts import (
    ConsentLedgerContract,
    ContactStoreContract,
)
from tests.contracts.number_traces import NumberTracesContract
from tests.contracts.people import added, draft, fact
from tests.contracts.subjects import PersonTracesContract, SubjectQueriesContract
from tests.contracts.suppressions import SuppressionQueriesContract, SuppressionStoreContract
from tests.contracts.worlds import World, sql_world


class TestContactStore(ContactStoreContract):
    pass


class TestConsentLedger(ConsentLedgerContract):
    pass


class TestSuppressionStore(SuppressionStoreContract):
    pass


class TestSuppressionQueries(SuppressionQueriesContract):
    pass


class TestContactSets(ContactSetsContract):
    pass


class TestNumberTraces(NumberTracesContract):
    pass


class TestPersonTraces(PersonTracesContract):
    pass


class TestSubjectQueries(SubjectQueriesContract):
    pass


class TestContactOwners(ContactOwnersContract):
    pass


class TestContactQueries(ContactQueriesContract):
    pass


@pytest.fixture
def world_with_fact(connections: Connections) -> tuple[World, int]:
    world = sql_world(connections)
    account = world.new_account()
    [contact] = added(world, account, draft())
    with world.transactions.begin(account) as uow:
        uow.consents.append(account, fact(contact.id))
    return world, account


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE consent_event SET type = 'granted'",
        "UPDATE consent_event SET ip = '203.0.113.7'",
        "DELETE FROM consent_event",
        "TRUNCATE consent_event",
    ],
)
@pytest.mark.parametrize("role", ["retail_bound", "retail_sweep", None])
def test_the_database_itself_lets_nobody_change_a_fact_of_consent(
    connections: Connections, world_with_fact: tuple[World, int], change: str, role: str | None
) -> None:
    if role is None and change.startswith("TRUNCATE"):
        return  # the owner of the schema could as well drop the table
    _, account = world_with_fact

    with connections.engine.connect() as connection:
        if role is not None:
            connection.execute(text(f"SET LOCAL ROLE {role}"))
        connection.execute(text(f"SET LOCAL retail.account = '{account}'"))
        with pytest.raises(DBAPIError):
            connection.execute(text(change))
        connection.rollback()


def test_an_erasure_may_empty_address_and_browser(
    connections: Connections, world_with_fact: tuple[World, int]
) -> None:
    _, account = world_with_fact

    with connections.sweep() as connection:
        emptied = connection.execute(
            text("UPDATE consent_event SET ip = NULL, user_agent = NULL WHERE account_id = :a"),
            {"a": account},
        )

    assert emptied.rowcount == 1


def test_a_store_cannot_write_operator_wide_suppressions(connections: Connections) -> None:
    account = sql_world(connections).new_account()
    statement = (
        "INSERT INTO suppression (account_id, phone, reason, created_at) "
        f"VALUES (1, 306900000001, '{SuppressionReason.MANUAL.value}', now())"
    )

    with pytest.raises(DBAPIError), connections.bound(account) as connection:
        connection.execute(text(statement))
