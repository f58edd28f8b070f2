"""Automations wait for the end of quiet hours, and are dropped where that is too late."""

from datetime import UTC, datetime, time, timedelta

import pytest

from retail_core.accounts.model import ProfileChanges, QuietHours
from retail_core.contacts.model import Contact
from retail_core.credits.model import Wallet
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import AccountId
from retail_core.messages.model import MessageKind, MessageState, NewSingle
from retail_core.messages.quiet_hours import BUILT_IN, OFF
from retail_core.messages.use_cases import SendSingleMessages
from retail_core.testing.kernel.clock import ClockPause
from retail_core.testing.kernel.randomness import SeededRandomness
from retail_core.testing.messages.gateway import FakePace
from tests.answering import HASH
from tests.contracts.people import added, draft
from tests.contracts.staging import shop
from tests.contracts.worlds import World, memory_world
from tests.pipeline import Pipeline
from tests.unit.messages.singles.single_line import plan, row_of, state_of

SENT, QUEUED, CANCELLED = MessageState.SENT, MessageState.QUEUED, MessageState.CANCELLED
NIGHT = datetime(2026, 11, 24, 22, tzinfo=UTC)  # midnight in Athens
MORNING = datetime(2026, 11, 25, 7, tzinfo=UTC)


@pytest.fixture
def world() -> World:
    found = memory_world()
    found.clock.moment = NIGHT
    return found


@pytest.fixture
def account(world: World) -> AccountId:
    return shop(world, credits=100)


@pytest.fixture
def someone(world: World, account: AccountId) -> Contact:
    return added(world, account, draft(PhoneNumber("+306984303406")))[0]


@pytest.fixture
def line(world: World) -> Pipeline:
    return Pipeline.over(world)


def sender(world: World, line: Pipeline, policy: object = BUILT_IN) -> SendSingleMessages:
    return SendSingleMessages(
        world.transactions,
        line.gateway,
        FakePace(world.clock),
        ClockPause(world.clock),
        world.clock,
        SeededRandomness(),
        HASH,
        quiet_policy=BUILT_IN if policy is BUILT_IN else OFF,
    )


def to(world: World, account: AccountId, contact: Contact, **changes: object) -> NewSingle:
    kind = {"kind": MessageKind.AUTOMATION, "contact": contact.id, "phone": contact.phone}
    return plan(world, account, **kind | changes)


def test_an_automation_waits_for_the_morning(
    world: World, line: Pipeline, account: AccountId, someone: Contact
) -> None:
    message = to(world, account, someone, expires_at=NIGHT + timedelta(hours=48))
    send = sender(world, line)

    assert send() == 0

    row = row_of(world, message)
    assert (row.state, row.not_before, row.tries, row.ref) == (QUEUED, MORNING, 0, None)
    assert row.submitted_at is None
    assert line.wallet(account) == Wallet(available=98, held=2)
    world.clock.moment = MORNING
    assert send() == 1
    assert state_of(world, message) == (SENT, None)
    assert line.wallet(account) == Wallet(available=98)


def test_an_automation_whose_time_is_over_by_then_is_dropped_at_once(
    world: World, line: Pipeline, account: AccountId, someone: Contact
) -> None:
    message = to(world, account, someone, expires_at=MORNING)

    assert sender(world, line)() == 0

    assert state_of(world, message) == (CANCELLED, "too_late")
    assert row_of(world, message).submitted_at is None
    assert line.wallet(account) == Wallet(available=100)
    assert line.gateway.calls == []


def test_an_automation_that_a_failing_gateway_made_late_is_dropped(
    world: World, line: Pipeline, account: AccountId, someone: Contact
) -> None:
    message = to(world, account, someone, expires_at=MORNING)
    world.clock.moment = MORNING

    assert sender(world, line, OFF)() == 0

    assert state_of(world, message) == (CANCELLED, "too_late")
    assert line.wallet(account) == Wallet(available=100)


def test_tests_and_confirmations_are_sent_at_night(
    world: World, line: Pipeline, account: AccountId, someone: Contact
) -> None:
    confirmation = to(world, account, someone, kind=MessageKind.CONFIRMATION)
    test = plan(world, account)
    waiting = to(world, account, someone)

    assert sender(world, line)() == 2

    assert state_of(world, confirmation) == state_of(world, test) == (SENT, None)
    assert state_of(world, waiting) == (QUEUED, None)


def test_a_shops_own_hours_hold_an_automation_back_without_any_policy(
    world: World, line: Pipeline, account: AccountId, someone: Contact
) -> None:
    with world.transactions.begin(account) as uow:
        changes = ProfileChanges(quiet_hours=QuietHours(time(23), time(6)))
        uow.accounts.save_profile(changes.applied_to(uow.accounts.get(account), NIGHT))
    message = to(world, account, someone)

    assert sender(world, line, OFF)() == 0

    assert row_of(world, message).not_before == datetime(2026, 11, 25, 4, tzinfo=UTC)


def test_each_waits_for_their_own_morning(
    world: World, line: Pipeline, account: AccountId, someone: Contact
) -> None:
    (american,) = added(world, account, draft(PhoneNumber("+12125550101"), country="US"))
    world.clock.moment = datetime(2026, 11, 25, 4, tzinfo=UTC)
    greek, far = to(world, account, someone), to(world, account, american)

    assert sender(world, line)() == 0

    assert row_of(world, greek).not_before == MORNING
    assert row_of(world, far).not_before == datetime(2026, 11, 25, 13, tzinfo=UTC)
