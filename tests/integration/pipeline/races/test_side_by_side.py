"""Starting, sending and opting out side by side, on real PostgreSQL."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import TypeVar
from uuid import uuid4

import pytest
from sqlalchemy import text

from adapters_db.campaigns.recount import SqlCampaignAudit
from adapters_db.connection.connections import Connections
from adapters_db.connection.reads import Reads
from retail_core.campaigns.errors import AlreadySending, WrongCampaignState
from retail_core.campaigns.model import Campaign, CampaignCounts, CampaignState
from retail_core.campaigns.use_cases import StartCampaign, StartedCampaign
from retail_core.contacts.model import Contact
from retail_core.credits.model import Wallet
from retail_core.kernel.errors import Conflict, PaymentRequired
from retail_core.kernel.ids import SYSTEM_ACCOUNT, AccountId
from retail_core.messages.model import ClaimedBatch, Dropped, MessageState
from retail_core.messages.use_cases import DispatchOutcome
from tests.contracts.staging import (
    ANN,
    BEN,
    bar,
    change,
    claimed,
    intend,
    opt_out,
    people,
    phone,
    policy,
    shop,
    started,
    written,
)
from tests.contracts.worlds import World
from tests.pipeline import Pipeline

Done = TypeVar("Done")

CROWD = 3_000
REASONS = (Dropped.OPTED_OUT, Dropped.SUPPRESSED, Dropped.NUMBER_CHANGED, Dropped.ERASED)
HONOURED_MOMENTS = ("before the claim", "after the claim", "while the intent waits")


def crowd(connections: Connections, account: AccountId, count: int) -> None:
    """Many contacts at once: every third with a long name, which takes a second part."""
    with connections.sweep() as connection:
        connection.execute(
            text(
                """
                WITH person AS (
INSERT INTO contact (account_id, phone, country, line_type, first_name, tags,
                                     is_subscribed, search_text, created_at, updated_at)
                SELECT :account, 306900000000 + n, 'GR', 1,
                       CASE WHEN n % 3 = 0 THEN repeat('A', 120) ELSE 'Ana' END, '{}',
                       n % 100 <> 0, '', now(), now()
                FROM generate_series(1, :count) AS n
RETURNING account_id, id, is_subscribed
)
INSERT INTO consent_event (account_id, contact_id, type, source, occurred_at)
SELECT account_id, id, 'granted', 'manual', now() FROM person WHERE is_subscribed
                """
            ),
            {"account": account, "count": count},
        )


def audit(world: World, connections: Connections) -> tuple[list[object], list[object]]:
    """What the books say against the rows: two empty lists if all is well."""
    campaigns = SqlCampaignAudit(Reads(connections))
    return (
        list(world.ledger_audit.mismatches_across_accounts(10)),
        list(campaigns.mismatches_across_accounts(10)),
    )


def test_the_whole_way_of_a_large_campaign(world: World, connections: Connections) -> None:
    account = shop(world, credits=10_000)
    crowd(connections, account, CROWD)
    campaign = started(world, account, "{{firstName}} " + "x" * 60, batch_messages_max=250)
    lines = [Pipeline.over(world, name=f"{uuid4()}", seed=seed) for seed in (1, 2)]
    assert (campaign.total, campaign.credits.held) == (2_970, 2_970 + 990)

    with ThreadPoolExecutor(2) as threads:
        jobs = [
            threads.submit(line.dispatch_all, worker)
            for line, worker in zip(lines, (ANN, BEN), strict=True)
        ]
        outcomes = Counter(outcome for job in jobs for outcome in job.result())

    handed_over = [message for line in lines for message in line.gateway.accepted]
    assert outcomes == {DispatchOutcome.SETTLED: 12}
    assert len({message.destination for message in handed_over}) == len(handed_over) == 2_970
    for line in lines:
        reports = line.gateway.become(MessageState.DELIVERED)
        line.deliver(reports)
        line.deliver(reports[::-1])
    done = lines[0].campaign(campaign)
    assert (done.state, done.counts) == (CampaignState.COMPLETED, CampaignCounts(delivered=2_970))
    assert lines[0].wallet(account) == Wallet(available=10_000 - 3_960)
    assert audit(world, connections) == ([], [])


def test_of_two_starts_at_once_one_wins(world: World, connections: Connections) -> None:
    account = shop(world)
    people(world, account, 5)

    for round_no in range(1, 6):
        campaign = written(world, account)
        outcomes = both(partial(attempt, world, campaign))

        won = [each for each in outcomes if isinstance(each, StartedCampaign)]
        lost = [each for each in outcomes if isinstance(each, AlreadySending | WrongCampaignState)]
        assert (len(won), len(lost)) == (1, 1)
        assert Pipeline.over(world).wallet(account).held == 5 * round_no
    assert audit(world, connections) == ([], [])


def test_two_campaigns_of_one_store_cannot_hold_more_than_it_has(world: World) -> None:
    account = shop(world, credits=7)
    people(world, account, 5)
    waiting = [written(world, account) for _ in range(2)]

    outcomes = both(lambda: attempt(world, waiting.pop()))

    assert len([each for each in outcomes if isinstance(each, StartedCampaign)]) == 1
    assert Pipeline.over(world).wallet(account) == Wallet(available=2, held=5)


@pytest.mark.parametrize("moment", HONOURED_MOMENTS)
@pytest.mark.parametrize("reason", REASONS)
def test_what_is_committed_before_the_hand_over_is_honoured(
    world: World, connections: Connections, moment: str, reason: Dropped
) -> None:
    account = shop(world)
    contact, _ = people(world, account, 2)
    started(world, account)
    change_of_mind = changes_of_mind(world, account, contact)[reason]

    if moment == "before the claim":
        change_of_mind()
        dropped = intend(world, claimed(world), uuid4())
    elif moment == "after the claim":
        batch = claimed(world)
        change_of_mind()
        dropped = intend(world, batch, uuid4())
    else:
        dropped = intend_late(world, connections, claimed(world), change_of_mind)

    assert dropped == {0: reason}


def test_an_opt_out_that_is_not_committed_yet_comes_too_late(world: World) -> None:
    account = shop(world)
    contact, _ = people(world, account, 2)
    started(world, account)
    batch = claimed(world)

    with world.transactions.begin(account) as uow:
        found = uow.contacts.lock(account, contact.id)
        assert found is not None
        uow.contacts.save(account, found.unsubscribed(world.clock.now()))
        dropped = intend(world, batch, uuid4())

    assert dropped == {}


def test_a_claim_passes_over_what_another_worker_is_claiming(world: World) -> None:
    account = shop(world)
    people(world, account, 2)
    started(world, account, batch_messages_max=1)
    now, until = world.clock.now(), world.clock.now()

    with world.transactions.across_accounts() as first:
        mine = first.batches.claim_across_accounts(ANN, now, until)
        with world.transactions.across_accounts() as second:
            theirs = second.batches.claim_across_accounts(BEN, now, until)
            nothing = second.batches.claim_across_accounts(BEN, now, until)

    assert mine is not None
    assert theirs is not None
    assert mine.key != theirs.key
    assert nothing is None


def changes_of_mind(
    world: World, account: AccountId, contact: Contact
) -> dict[Dropped, Callable[[], None]]:
    return {
        Dropped.OPTED_OUT: lambda: opt_out(world, account, contact.id),
        Dropped.SUPPRESSED: lambda: bar(world, SYSTEM_ACCOUNT, contact.phone),
        Dropped.NUMBER_CHANGED: lambda: change(world, account, contact, phone=phone(account)),
        Dropped.ERASED: lambda: remove(world, account, contact),
    }


def remove(world: World, account: AccountId, contact: Contact) -> None:
    with world.transactions.begin(account) as uow:
        uow.contacts.remove(account, [contact.id])


def intend_late(
    world: World,
    connections: Connections,
    batch: ClaimedBatch,
    meanwhile: Callable[[], None],
) -> dict[int, Dropped]:
    """Let something be committed while the intent has begun and waits for the batch's row."""
    with ThreadPoolExecutor(1) as threads:
        with connections.bound(batch.key.account) as connection:
            connection.execute(
                text("SELECT FROM campaign WHERE id = :id FOR UPDATE"), {"id": batch.key.campaign}
            )
            connection.execute(
                text("UPDATE send_batch SET no = no WHERE campaign_id = :id"),
                {"id": batch.key.campaign},
            )
            intent = threads.submit(intend, world, batch, uuid4())
            wait_for_a_waiting_lock(connections)
            meanwhile()
        return intent.result()


def wait_for_a_waiting_lock(connections: Connections) -> None:
    """Until some transaction waits for another one."""
    with connections.sweep() as connection:
        while not connection.execute(
            text("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
        ).scalar_one():
            pass


def attempt(world: World, campaign: Campaign) -> StartedCampaign | Exception:
    try:
        start = StartCampaign(world.transactions, world.clock, policy())
        return start(campaign.account_id, campaign.id)
    except (Conflict, PaymentRequired) as refusal:
        return refusal


def both(work: Callable[[], Done]) -> list[Done]:
    """Do it in two threads at the same moment."""
    barrier = Barrier(2)

    def at_once(_: int) -> Done:
        barrier.wait(timeout=10)
        return work()

    with ThreadPoolExecutor(2) as threads:
        return list(threads.map(at_once, range(2)))
