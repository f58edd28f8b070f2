"""The contracts of contacts, in memory and on PostgreSQL."""

import attrs
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from adapters_db.connection.connections import Connections
from retail_core.contacts.model import ConsentType, SuppressionReason
from retail_core.kernel.ids import AccountId
from tests.contracts.contacts.contacts import (
    ConsentLedgerContract,
    ContactStoreContract,
)
from tests.contracts.contacts.queries import (
    ContactOwnersContract,
    ContactQueriesContract,
    OptOutQueriesContract,
)
from tests.contracts.contacts.sets import ContactSetsContract
from tests.contracts.contacts.subjects import PersonTracesContract, SubjectQueriesContract
from tests.contracts.contacts.suppressions import (
    SuppressionQueriesContract,
    SuppressionStoreContract,
)
from tests.contracts.engagement.number_traces import NumberTracesContract
from tests.contracts.people import added, draft, fact
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


class TestOptOutQueries(OptOutQueriesContract):
    pass


class TestContactQueries(ContactQueriesContract):
    pass


@pytest.fixture
def world_with_fact(connections: Connections) -> tuple[World, int]:
    world = sql_world(connections)
    account = world.new_account()
    added(world, account, draft())
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
    _, account = world_with_fact

    with connections.engine.connect() as connection:
        if role is not None:
            connection.execute(text(f"SET LOCAL ROLE {role}"))
        connection.execute(text(f"SET LOCAL retail.account = '{account}'"))
        with pytest.raises(DBAPIError):
            connection.execute(text(change))
        connection.rollback()


@pytest.mark.parametrize("role", ["retail_bound", "retail_sweep", None])
@pytest.mark.parametrize(
    "facts", [(), (ConsentType.REQUESTED,), (ConsentType.GRANTED, ConsentType.WITHDRAWN)]
)
def test_the_database_itself_lets_nobody_subscribe_a_contact_without_a_fact_that_grants_it(
    connections: Connections, role: str | None, facts: tuple[ConsentType, ...]
) -> None:
    world = sql_world(connections)
    account = world.new_account()
    [contact] = added(world, account, draft(is_subscribed=False))
    with world.transactions.begin(account) as uow:
        for kind in facts:
            uow.consents.append(account, fact(contact.id, kind))

    with connections.engine.connect() as connection:
        if role is not None:
            connection.execute(text(f"SET LOCAL ROLE {role}"))
        connection.execute(text(f"SET LOCAL retail.account = '{account}'"))
        connection.execute(
            text("UPDATE contact SET is_subscribed = true WHERE id = :id"), {"id": contact.id}
        )
        with pytest.raises(DBAPIError, match="whose last fact does not grant it"):
            connection.commit()

    with world.transactions.begin(account) as uow:
        assert uow.contacts.lock(account, contact.id) == contact


def test_a_subscribed_contact_is_not_added_without_a_fact(connections: Connections) -> None:
    world = sql_world(connections)
    account = world.new_account()

    with (
        pytest.raises(DBAPIError, match="whose last fact does not grant it"),
        world.transactions.begin(account) as uow,
    ):
        uow.contacts.add(account, draft())


def test_no_withdrawal_leaves_its_contact_subscribed(world_with_fact: tuple[World, int]) -> None:
    world, number = world_with_fact
    account = AccountId(number)
    with world.transactions.begin(account) as uow:
        contact = uow.contacts.lock_by_phone(account, draft().phone)
        assert contact is not None

    with (
        pytest.raises(DBAPIError, match="whose last fact does not grant it"),
        world.transactions.begin(account) as uow,
    ):
        uow.consents.append(account, fact(contact.id, ConsentType.WITHDRAWN))

    with world.transactions.begin(account) as uow:
        assert uow.consents.latest_type(account, contact.id) is ConsentType.GRANTED


def test_fact_and_contact_may_change_in_either_order(world_with_fact: tuple[World, int]) -> None:
    world, number = world_with_fact
    account = AccountId(number)
    for kind in (ConsentType.WITHDRAWN, ConsentType.CONFIRMED):
        with world.transactions.begin(account) as uow:
            contact = uow.contacts.lock_by_phone(account, draft().phone)
            assert contact is not None
            wanted = kind is ConsentType.CONFIRMED
            if not wanted:
                uow.consents.append(account, fact(contact.id, kind))
            uow.contacts.save(account, attrs.evolve(contact, is_subscribed=wanted))
            if wanted:
                uow.consents.append(account, fact(contact.id, kind))

    with world.transactions.begin(account) as uow:
        contact = uow.contacts.lock_by_phone(account, draft().phone)
    assert contact is not None
    assert contact.is_subscribed


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
