"""Short stories about messages in doubt: what a report, an operator and a policy may do to them."""

from datetime import timedelta

from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import MessageNumber, ProviderId
from retail_core.messages.model import (
    ClaimedBatch,
    CreditPolicy,
    DeliveryReport,
    Finding,
    MessageKey,
    MessageState,
)
from retail_core.messages.use_cases.resolving import (
    ResolveByReports,
    SettleOverdueUnknown,
    UnknownPolicy,
    resolve,
)
from tests.contracts.people import added, draft
from tests.contracts.staging import book, people, phone, results, shop, started, submitting
from tests.contracts.worlds import World

SENT, UNKNOWN = MessageState.SENT, MessageState.UNKNOWN
LONG = timedelta(hours=100)


def doubtful(world: World) -> ClaimedBatch:
    """A batch of a store of its own, whose outcome is unknown."""
    account = shop(world)
    people(world, account, 2)
    started(world, account)
    batch, ref = submitting(world)
    assert book(world, batch, ref, results(batch, ref, UNKNOWN))
    return batch


def key_of(batch: ClaimedBatch, position: int = 0) -> MessageKey:
    return MessageKey(batch.key.campaign, batch.recipients.seqs[position], batch.key.account)


def learn(world: World, finding: Finding) -> int:
    """Apply one finding; returns how many messages changed."""
    with world.transactions.across_accounts() as uow:
        return len(resolve(uow, [finding], world.clock.now()))


def held(world: World, batch: ClaimedBatch) -> int:
    with world.transactions.begin(batch.key.account) as uow:
        return uow.credits.wallet(batch.key.account).held


def available(world: World, batch: ClaimedBatch) -> int:
    with world.transactions.begin(batch.key.account) as uow:
        return uow.credits.wallet(batch.key.account).available


def settle_overdue(world: World) -> None:
    policy = UnknownPolicy(credits=CreditPolicy.RELEASE)
    SettleOverdueUnknown(world.transactions, world.clock, policy)()


def a_hold_that_came_back_is_not_captured_by_a_later_report(world: World) -> None:
    batch = doubtful(world)
    world.clock.advance(LONG)
    settle_overdue(world)
    before = available(world, batch)

    learn(world, Finding.of(key_of(batch), SENT, world.clock.now(), ProviderId("late")))

    assert held(world, batch) == 0
    assert available(world, batch) == before


def a_hold_comes_back_once(world: World) -> None:
    batch = doubtful(world)
    world.clock.advance(LONG)
    with world.transactions.across_accounts() as uow:
        now = world.clock.now()
        first = uow.doubts.settle_overdue_across_accounts(now, now, 1_000)
        second = uow.doubts.settle_overdue_across_accounts(now, now, 1_000)

    assert batch.key.campaign in [each.campaign for each in first]
    assert batch.key.campaign not in [each.campaign for each in second]


def what_is_young_keeps_its_hold(world: World) -> None:
    batch = doubtful(world)

    settle_overdue(world)

    assert held(world, batch) == 2


def an_id_of_another_message_says_nothing(world: World) -> None:
    batch = doubtful(world)
    now = world.clock.now()
    assert learn(world, Finding.of(key_of(batch), SENT, now, ProviderId(f"{batch.key}-own")))

    other = Finding.of(key_of(batch), MessageState.DELIVERED, now, ProviderId(f"{batch.key}-other"))

    assert not learn(world, other)


def a_doubt_once_resolved_is_not_unresolved(world: World) -> None:
    batch = doubtful(world)
    now, own = world.clock.now(), ProviderId(f"{batch.key}")
    learn(world, Finding.of(key_of(batch), MessageState.DELIVERED, now, own))

    learn(world, Finding.of(key_of(batch), SENT, now, own))

    with world.transactions.begin(batch.key.account) as uow:
        (found,) = uow.look_ups.find(batch.key.account, [own])
    assert found.state is MessageState.DELIVERED


def a_number_that_could_mean_two_messages_means_none(world: World) -> None:
    """Two stores sent to the same number, and nobody knows whether they arrived."""
    number = phone(shop(world))
    batches = [_doubtful_to(world, number) for _ in range(2)]
    report = DeliveryReport(
        provider_id=ProviderId(f"who-{number}"),
        reference=None,
        phone=number,
        state=SENT,
        word="sent",
        at=world.clock.now(),
        error=None,
    )
    _park(world, report)

    alone = UnknownPolicy(account_is_shared=False)
    ResolveByReports(world.transactions, world.clock, alone)()

    assert [held(world, batch) for batch in batches] == [1, 1]


def a_number_alone_charges_nothing(world: World) -> None:
    """Somebody else may have written to the same phone through the same gateway account."""
    number = phone(shop(world))
    batch = _doubtful_to(world, number)
    report = DeliveryReport(
        provider_id=ProviderId(f"theirs-{number}"),
        reference=None,
        phone=number,
        state=SENT,
        word="sent",
        at=world.clock.now(),
        error=None,
    )
    _park(world, report)

    assert ResolveByReports(world.transactions, world.clock)() == 1

    assert held(world, batch) == 1


def a_reference_leads_to_its_message(world: World) -> None:
    batch = doubtful(world)
    number = MessageNumber(batch.first_number + batch.recipients.seqs[0])
    report = DeliveryReport(
        provider_id=ProviderId(f"ref-{number}"),
        reference=number,
        phone=None,
        state=SENT,
        word="sent",
        at=world.clock.now(),
        error=None,
    )
    _park(world, report)

    ResolveByReports(world.transactions, world.clock)()

    assert held(world, batch) == 1


def _doubtful_to(world: World, number: PhoneNumber) -> ClaimedBatch:
    account = shop(world)
    added(world, account, draft(number))
    started(world, account)
    batch, ref = submitting(world)
    assert book(world, batch, ref, results(batch, ref, UNKNOWN))
    return batch


def _park(world: World, report: DeliveryReport) -> None:
    with world.transactions.across_accounts() as uow:
        uow.reports.park([report], world.clock.now())
