"""Sending where it is night for some: who waits, for how long, and what it costs nobody."""

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import attrs
import pytest

from retail_core.accounts.model import ProfileChanges, QuietHours
from retail_core.campaigns.model import CampaignState
from retail_core.campaigns.use_cases import CancelCampaign, PauseCampaign, StartCampaign
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import AccountId, WorkerId
from retail_core.kernel.time.zones import place_of
from retail_core.messages.model import GatewayHealth, NotSent
from retail_core.messages.quiet_hours import BUILT_IN, OFF, QuietPolicy, StoreQuiet
from retail_core.messages.use_cases import DispatchOutcome
from retail_core.testing.kernel.clock import ClockPause
from tests.contracts.imports.lists import contacts_of
from tests.contracts.people import added, draft
from tests.contracts.staging import ANN, change, messages, policy, shop, started
from tests.contracts.worlds import World, memory_world
from tests.pipeline import Pipeline

GREEK, AMERICAN, JAPANESE = "+306984300001", "+12125550101", "+819012345671"
NUMBERS = (GREEK, AMERICAN, JAPANESE, "+306984300002", "+12125550102")
# 10:00 in Athens, 03:00 in New York, 17:00 in Tokyo
MORNING = datetime(2026, 11, 24, 8, tzinfo=UTC)


@pytest.fixture
def world() -> World:
    return memory_world()


@pytest.fixture
def account(world: World) -> AccountId:
    world.clock.advance(MORNING - world.clock.now())
    found = shop(world)
    added(world, found, *(draft(PhoneNumber(number)) for number in NUMBERS))
    return found


def line(world: World, quiet: QuietPolicy = BUILT_IN) -> Pipeline:
    plain = Pipeline.over(world)
    dispatch = attrs.evolve(plain.dispatch_batch, quiet_policy=quiet)
    return attrs.evolve(plain, dispatch_batch=dispatch)


def numbers(line: Pipeline) -> list[str]:
    return sorted(each.destination for call in line.gateway.calls for each in call)


def at(world: World, moment: datetime) -> None:
    world.clock.advance(moment - world.clock.now())


def own_hours(world: World, account: AccountId, quiet: QuietHours | None) -> None:
    with world.transactions.begin(account) as uow:
        changed = ProfileChanges(quiet_hours=quiet).applied_to(
            uow.accounts.get(account), world.clock.now()
        )
        uow.accounts.save_profile(changed)


def test_each_is_sent_to_when_their_clock_allows_it(world: World, account: AccountId) -> None:
    campaign = started(world, account, batch_messages_max=10)
    sending = line(world)

    sending.dispatch_all()

    assert numbers(sending) == sorted([GREEK, "+306984300002", JAPANESE])
    waiting = sending.campaign(campaign)
    assert (waiting.state, waiting.counts.queued) == (CampaignState.SENDING, 2)
    nine_in_new_york = datetime(2026, 11, 24, 13, tzinfo=UTC)
    until = world.campaign_queries.deferred_until(account, campaign.id)
    assert until == nine_in_new_york
    assert sending.wallet(account).held == 2

    at(world, nine_in_new_york - timedelta(seconds=1))
    sending.sweep()
    assert sending.dispatch_all() == []
    at(world, nine_in_new_york)
    sending.sweep()
    assert sending.dispatch_all() == [DispatchOutcome.SETTLED]

    assert numbers(sending) == sorted(NUMBERS)
    assert sending.campaign(campaign).state is CampaignState.COMPLETED
    assert sending.wallet(account).held == 0
    assert world.campaign_queries.deferred_until(account, campaign.id) is None


def test_whoever_is_corrected_to_under_age_while_they_wait_is_not_sent_to(
    world: World, account: AccountId
) -> None:
    campaign = started(world, account, batch_messages_max=10)
    sending = line(world)
    sending.dispatch_all()
    was_sent = numbers(sending)
    child = date(2015, 1, 2)
    for contact in contacts_of(world, account):
        if contact.phone not in was_sent:
            change(world, account, contact, birthday=child)

    at(world, datetime(2026, 11, 24, 13, tzinfo=UTC))
    sending.sweep()
    sending.dispatch_all()

    assert numbers(sending) == was_sent
    codes = [row.error_code for row in messages(world, campaign)]
    assert codes.count("under_age") == len(NUMBERS) - len(was_sent)
    assert sending.wallet(account).held == 0


def test_everybody_is_sent_to_in_their_own_hours_over_days(
    world: World, account: AccountId
) -> None:
    start = datetime(2026, 11, 27, 20, 30, tzinfo=UTC)  # a Friday night in Greece
    at(world, start)
    added(world, account, *(draft(PhoneNumber(f"+39340123456{n}")) for n in range(3)))
    own_hours(world, account, QuietHours(time(13), time(15)))
    started(world, account, batch_messages_max=4)
    sending = line(world)
    sent_at: dict[str, datetime] = {}

    for minutes in range(0, 3 * 24 * 60, 7):
        at(world, start + timedelta(minutes=minutes))
        sending.sweep()
        sending.dispatch_all()
        for number in numbers(sending):
            sent_at.setdefault(number, world.clock.now())

    assert len(sent_at) == len(NUMBERS) + 3
    own = QuietHours(time(13), time(15))
    for number, moment in sent_at.items():
        place = place_of(PhoneNumber(number))
        assert StoreQuiet(BUILT_IN, own).waits_until(place, moment) is None, (number, moment)
        previous = moment - timedelta(minutes=7)
        if previous >= start:
            assert StoreQuiet(BUILT_IN, own).waits_until(place, previous) is not None


def test_where_nothing_binds_nobody_waits(world: World, account: AccountId) -> None:
    started(world, account, batch_messages_max=10)
    sending = line(world, OFF)

    assert sending.dispatch_all() == [DispatchOutcome.SETTLED]

    assert numbers(sending) == sorted(NUMBERS)


def test_a_shops_own_hours_bind_where_the_policy_is_off(world: World, account: AccountId) -> None:
    own_hours(world, account, QuietHours(time(9), time(11)))  # it is 10:00 in Athens
    started(world, account, batch_messages_max=10)
    sending = line(world, OFF)

    sending.dispatch_all()

    assert numbers(sending) == sorted([AMERICAN, "+12125550102", JAPANESE])


def test_who_must_wait_after_the_pace_made_us_wait_is_not_sent_to(
    world: World, account: AccountId
) -> None:
    at(world, datetime(2026, 11, 24, 18, 58, 50, tzinfo=UTC))  # 20:58:50 in Athens
    started(world, account, batch_messages_max=10)
    sending = line(world)
    slow = attrs.evolve(sending.dispatch_batch, pace=SlowPace(), pause=ClockPause(world.clock))

    assert slow(ANN) is DispatchOutcome.SETTLED

    assert numbers(sending) == sorted([AMERICAN, "+12125550102"])


@attrs.frozen
class SlowPace:
    def reserve(self, account: AccountId) -> float:
        return 20.0


def test_a_worker_that_dies_with_the_awake_part_in_hand_costs_nobody_anything(
    world: World, account: AccountId
) -> None:
    campaign = started(world, account, batch_messages_max=10)
    sending = line(world)
    dying = attrs.evolve(sending.dispatch_batch, randomness=Dying())
    with pytest.raises(ZeroDivisionError):
        dying(ANN)

    world.clock.advance(timedelta(seconds=121))
    sending.sweep()
    sending.dispatch_all(WorkerId("ben"))
    at(world, datetime(2026, 11, 24, 13, tzinfo=UTC))
    sending.sweep()
    sending.dispatch_all(WorkerId("ben"))

    assert numbers(sending) == sorted(NUMBERS)
    assert sending.campaign(campaign).state is CampaignState.COMPLETED


@attrs.frozen
class Dying:
    def token(self, size: int) -> bytes:
        raise ZeroDivisionError

    def uuid(self) -> UUID:
        raise ZeroDivisionError


def test_a_campaign_can_be_paused_and_resumed_while_some_wait(
    world: World, account: AccountId
) -> None:
    campaign = started(world, account, batch_messages_max=10)
    sending = line(world)
    sending.dispatch_all()
    PauseCampaign(world.transactions, world.clock)(account, campaign.id)
    at(world, datetime(2026, 11, 24, 13, tzinfo=UTC))
    sending.sweep()
    assert sending.dispatch_all() == []
    at(world, datetime(2026, 11, 25, 8, tzinfo=UTC))

    StartCampaign(world.transactions, world.clock, policy())(account, campaign.id)

    assert sending.dispatch_all() == [DispatchOutcome.DEFERRED]
    assert sending.campaign(campaign).counts.queued == 2


def test_a_campaign_can_be_cancelled_while_some_wait(world: World, account: AccountId) -> None:
    campaign = started(world, account, batch_messages_max=10)
    sending = line(world)
    sending.dispatch_all()

    CancelCampaign(world.transactions, world.clock)(account, campaign.id)

    assert sending.campaign(campaign).counts.cancelled == 2
    assert sending.wallet(account).held == 0
    assert world.campaign_queries.deferred_until(account, campaign.id) is None


def test_a_probe_that_must_wait_leaves_the_gateway_to_the_next_one(
    world: World, account: AccountId
) -> None:
    own_hours(world, account, QuietHours(time(0, 30), time(0, 29)))
    started(world, account, batch_messages_max=10)
    sending = line(world, OFF)
    with world.transactions.across_accounts() as uow:
        uow.gateway_health.save(
            GatewayHealth().after(NotSent("down"), is_probe=True, now=world.clock.now())
        )
    world.clock.advance(timedelta(minutes=10))

    outcomes = sending.dispatch_all()

    assert set(outcomes) == {DispatchOutcome.DEFERRED}
    assert sending.gateway.calls == []
