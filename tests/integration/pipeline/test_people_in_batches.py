"""What it takes to forget people who wait in batches, on real PostgreSQL."""

import pytest
from sqlalchemy import text

from adapters_db.connection.connections import Connections
from adapters_db.engagement.number_traces import SqlNumberTraces
from adapters_db.messages.messages import SqlMessageStore
from adapters_db.messages.waiting_recipients import LOCK
from retail_core.campaigns.use_cases import PauseCampaign
from retail_core.contacts.model.number_hash import NumberHash
from retail_core.contacts.queries import ContactFilter
from retail_core.contacts.use_cases import DeleteContacts
from retail_core.messages.composing import compose
from tests.contracts.staging import CODES, all_claims, people, shop, started
from tests.contracts.worlds import World

TEXT = "Γεια {{firstName}}, {{email}}"
WRITES = text("SELECT n_tup_upd FROM pg_stat_xact_all_tables WHERE relname = 'send_batch'")


@pytest.mark.parametrize("leaving", [1, 10, 100])
def test_a_batch_is_written_once_however_many_people_leave_it(
    world: World, connections: Connections, leaving: int
) -> None:
    account = shop(world)
    everybody = people(world, account, 120, first_name="Άννα", email="a@example.com")
    for _ in range(3):
        campaign = started(world, account, TEXT, batch_messages_max=120)
        PauseCampaign(world.transactions, world.clock)(account, campaign.id)
    gone = [contact.id for contact in everybody[:leaving]]

    with connections.bound(account) as connection:
        before = connection.execute(WRITES).scalar_one()
        SqlNumberTraces(connection).keep(account, dict.fromkeys(gone, b"h"), world.clock.now())
        forgotten = SqlMessageStore(connection).forget(account, gone)
        writes = connection.execute(WRITES).scalar_one() - before

    assert (forgotten, writes) == (3 * leaving, 3)


def test_many_who_wait_in_several_campaigns_are_deleted_at_once(world: World) -> None:
    account = shop(world)
    gone = people(world, account, 40, first_name="Άννα", tags=("gone",))
    stays = people(world, account, 5, first_name="Νίκος")
    campaigns = [started(world, account, TEXT, batch_messages_max=10) for _ in range(3)]
    delete = DeleteContacts(world.transactions, world.clock, NumberHash(b"secret"))

    deleted = delete(account, ContactFilter(tags=("gone",)))

    assert (deleted.deleted, deleted.remaining) == (len(gone), 0)
    batches = all_claims(world)
    waiting = [each.recipients for each in batches]
    left = sorted(
        each
        for those in waiting
        for each in zip(those.contacts, those.phones, those.first_names or (), strict=True)
        if any(each)
    )
    assert left == [(each.id, int(each.phone[1:]), "Νίκος") for each in stays for _ in campaigns]
    held = sum(world.campaign_queries.get(account, each.id).credits.held for each in campaigns)
    assert sum(sum(compose(each, CODES).credits) for each in batches) == held


def test_batches_that_hold_people_are_found_by_an_index(
    world: World, connections: Connections
) -> None:
    account = shop(world)
    parameters = {"account": account, "contacts": [1, 2]}

    with connections.bound(account) as connection:
        # on the few rows of a test the planner may prefer ways that no large table would see
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        connection.exec_driver_sql("SET LOCAL enable_bitmapscan = off")
        plan = "\n".join(connection.exec_driver_sql(f"EXPLAIN {LOCK}", parameters).scalars())

    assert "send_batch_people_idx" in plan, plan
    assert "Sort" not in plan, plan
