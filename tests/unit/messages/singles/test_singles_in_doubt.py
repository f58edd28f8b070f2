"""Single messages in trouble: lost answers, dead senders, a failing gateway, people who left."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta

import attrs
import pytest

from retail_core.credits.model import Wallet
from retail_core.kernel.errors import Unavailable
from retail_core.kernel.idempotency import Once
from retail_core.kernel.ids import AccountId
from retail_core.kernel.pages import PageRequest
from retail_core.messages.model import (
    CreditPolicy,
    DeliveryReport,
    Doubtful,
    GatewayHealth,
    MessageKind,
    MessageState,
    OutgoingMessage,
    SubmissionOutcome,
)
from retail_core.messages.use_cases import (
    SendSingleMessages,
    SettleOverdueUnknown,
    SweepSingleMessages,
    UnknownPolicy,
)
from retail_core.testing.kernel.clock import ClockPause
from retail_core.testing.kernel.randomness import SeededRandomness
from retail_core.testing.messages.gateway import FakePace
from tests.answering import HASH
from tests.contracts.every_store import EveryStore
from tests.contracts.staging import bar, delete, people, shop
from tests.contracts.worlds import World, memory_world
from tests.pipeline import LEASE_OVER, Pipeline
from tests.unit.messages.singles.single_line import plan, row_of, state_of

SENT, FAILED, UNKNOWN = MessageState.SENT, MessageState.FAILED, MessageState.UNKNOWN
AUTOMATION = MessageKind.AUTOMATION
PAGE = PageRequest(1, 50)
QUEUED, CANCELLED = MessageState.QUEUED, MessageState.CANCELLED


@pytest.fixture
def world() -> World:
    return memory_world()


@pytest.fixture
def line(world: World) -> Pipeline:
    return Pipeline.over(world)


@pytest.fixture
def account(world: World) -> AccountId:
    return shop(world, credits=100)


@pytest.fixture
def send(world: World, line: Pipeline) -> SendSingleMessages:
    return SendSingleMessages(
        world.transactions,
        line.gateway,
        FakePace(world.clock),
        ClockPause(world.clock),
        world.clock,
        SeededRandomness(),
        HASH,
    )


def test_a_lost_answer_leaves_a_message_unknown_and_never_sends_it_again(
    world: World, line: Pipeline, account: AccountId, send: SendSingleMessages
) -> None:
    message = plan(world, account)
    line.gateway.lose_next_answer()

    for _ in range(3):
        send()
        world.clock.advance(LEASE_OVER)

    assert len(line.gateway.accepted) == 1
    assert state_of(world, message) == (UNKNOWN, "outcome_unknown")
    assert line.wallet(account) == Wallet(available=98, held=2)


def test_a_sender_that_dies_leaves_its_messages_unknown(
    world: World, line: Pipeline, account: AccountId, send: SendSingleMessages
) -> None:
    message = plan(world, account)

    def die(_: object) -> SubmissionOutcome:
        raise KeyboardInterrupt

    line.gateway.answer_next(die)
    with pytest.raises(KeyboardInterrupt):
        send()
    sweep = SweepSingleMessages(world.transactions, world.clock)
    early = sweep()
    world.clock.advance(LEASE_OVER)

    assert (early, sweep(), send()) == (0, 1, 0)
    assert state_of(world, message)[0] is UNKNOWN


def test_the_sweep_finds_messages_whose_nudge_got_lost(world: World, account: AccountId) -> None:
    sweep = SweepSingleMessages(world.transactions, world.clock)
    sweep()
    plan(world, account)
    sweep()

    with world.transactions.across_accounts() as uow:
        jobs = uow.jobs.take_due_across_accounts(world.clock.now(), 10)
    assert [each.job.kind for each in jobs] == ["send_singles"]


def test_a_delivery_report_settles_what_is_unknown(
    world: World, line: Pipeline, account: AccountId, send: SendSingleMessages
) -> None:
    message = plan(world, account)
    line.gateway.lose_next_answer()
    send()

    line.deliver(line.gateway.become(MessageState.DELIVERED))

    assert state_of(world, message) == (MessageState.DELIVERED, None)
    assert line.wallet(account) == Wallet(available=98)


def test_a_report_that_comes_before_the_answer_is_found_later(
    world: World, line: Pipeline, account: AccountId, send: SendSingleMessages
) -> None:
    message = plan(world, account)

    def report_first(outgoing: Sequence[OutgoingMessage]) -> SubmissionOutcome:
        taken = line.gateway.take(outgoing)
        reports: Sequence[DeliveryReport] = line.gateway.become(MessageState.DELIVERED)
        line.deliver(reports)
        return taken

    line.gateway.answer_next(report_first)
    send()
    world.clock.advance(timedelta(minutes=2))
    line.match_parked_reports()

    assert state_of(world, message)[0] is MessageState.DELIVERED
    assert line.wallet(account) == Wallet(available=98)


@pytest.mark.parametrize(
    ("policy", "left"), [(CreditPolicy.RELEASE, 100), (CreditPolicy.CAPTURE, 98)]
)
def test_what_stays_unknown_is_settled_by_the_policy(
    world: World,
    line: Pipeline,
    account: AccountId,
    send: SendSingleMessages,
    policy: CreditPolicy,
    left: int,
) -> None:
    message = plan(world, account)
    line.gateway.answer_next(Doubtful("timeout"))
    send()
    world.clock.advance(timedelta(hours=73))
    settle = SettleOverdueUnknown(world.transactions, world.clock, UnknownPolicy(credits=policy))

    assert (settle().messages, settle().messages) == (1, 0)

    assert state_of(world, message)[0] is UNKNOWN
    assert line.wallet(account) == Wallet(available=left)
    assert row_of(world, message).holds is False


def test_whoever_is_suppressed_meanwhile_gets_nothing_and_it_costs_nothing(
    world: World, line: Pipeline, account: AccountId, send: SendSingleMessages
) -> None:
    message, other = plan(world, account), plan(world, account)
    bar(world, account, message.phone)

    assert send() == 1

    assert state_of(world, message) == (CANCELLED, "suppressed")
    assert [each.number for each in line.gateway.accepted] == [other.number]
    assert line.wallet(account) == Wallet(available=98)


def test_while_the_gateway_rests_nothing_is_sent_and_one_message_probes(
    world: World, line: Pipeline, account: AccountId, send: SendSingleMessages
) -> None:
    for _ in range(3):
        plan(world, account)
    rests_until = world.clock.now() + timedelta(seconds=5)
    with world.transactions.across_accounts() as uow:
        uow.gateway_health.save(GatewayHealth(5, 1, rests_until))

    resting = send()
    world.clock.moment = rests_until

    assert (resting, send(), send()) == (0, 1, 2)
    assert [len(call) for call in line.gateway.calls] == [1, 2]


def test_what_single_messages_learn_of_the_gateway_batches_know_too(
    world: World, line: Pipeline, account: AccountId, send: SendSingleMessages
) -> None:
    for _ in range(3):
        plan(world, account)
        line.gateway.answer_next(Doubtful("timeout"))
        send()

    with world.transactions.across_accounts() as uow:
        assert uow.gateway_health.look().level == 1


def test_these_messages_are_sent_whether_due_or_not(
    world: World, line: Pipeline, account: AccountId, send: SendSingleMessages
) -> None:
    later = world.clock.now() + timedelta(minutes=1)
    first, _ = plan(world, account, not_before=later), plan(world, account)

    assert send.send(account, [first.number]) == 1
    assert [each.number for each in line.gateway.accepted] == [first.number]


def test_an_intent_whose_commit_is_doubtful_is_given_up_before_the_socket_is_touched(
    world: World, line: Pipeline, account: AccountId, send: SendSingleMessages
) -> None:
    message = plan(world, account)

    class LosesTheAnswer:
        """Commits, and does not hear of it, the first time."""

        lost = False

        @contextmanager
        def begin(self, account: AccountId, once: Once | None = None) -> Iterator[EveryStore]:
            with world.transactions.begin(account, once) as uow:
                yield uow
            if not self.lost:
                self.lost = True
                raise Unavailable

        def across_accounts(self) -> AbstractContextManager[EveryStore]:
            return world.transactions.across_accounts()

    with pytest.raises(Unavailable):
        attrs.evolve(send, transactions=LosesTheAnswer())()

    assert line.gateway.calls == []
    assert state_of(world, message)[0] is QUEUED
    assert send() == 1


def test_somebody_deleted_meanwhile_gets_nothing(
    world: World, line: Pipeline, account: AccountId, send: SendSingleMessages
) -> None:
    (contact,) = people(world, account, 1)
    message = plan(
        world, account, kind=AUTOMATION, contact=contact.id, phone=contact.phone, text="Ana"
    )
    delete(world, account, contact.id)

    assert send() == 0

    assert state_of(world, message) == (CANCELLED, "erased")
    row = row_of(world, message)
    assert (row.phone, row.text, row.single.contact) == (None, None, None)
    assert line.wallet(account) == Wallet(available=100)
