"""Asking the gateway what became of messages: only ours, only those without a final state."""

from collections.abc import Sequence
from datetime import timedelta

import attrs
import pytest

from retail_core.campaigns.model import Campaign, CampaignCounts
from retail_core.kernel.ids import AccountId, ProviderId
from retail_core.messages.errors import GatewayUnavailable, MessageNotFound
from retail_core.messages.model import LOOK_UP_AFTER, GatewayMessage, MessageState
from retail_core.messages.use_cases import AskGateway
from retail_core.messages.use_cases.looking_up import RefreshRound, round_budget, summed_up
from retail_core.testing.kernel.clock import FixedClock
from retail_core.testing.messages.gateway import FakeGateway
from tests.contracts.staging import messages, people, shop, started
from tests.contracts.worlds import World, memory_world
from tests.doubting import DoubtLine

SENT, DELIVERED, FAILED = MessageState.SENT, MessageState.DELIVERED, MessageState.FAILED
TEN_MINUTES = timedelta(minutes=10)


@pytest.fixture
def world() -> World:
    return memory_world()


@pytest.fixture
def line(world: World) -> DoubtLine:
    return DoubtLine.over(world)


@pytest.fixture
def account(world: World) -> AccountId:
    return shop(world, credits=1_000)


@attrs.define
class WatchingGateway(FakeGateway):
    """Remembers what it was asked; from some question on it is away, or each takes a while."""

    asked: list[ProviderId] = attrs.field(factory=list)
    answers_max: int = 1_000_000
    unbelievable: frozenset[ProviderId] = frozenset()
    answer_time: timedelta = timedelta(0)

    def look_up(self, provider_id: ProviderId) -> GatewayMessage | None:
        if len(self.asked) == self.answers_max:
            raise GatewayUnavailable
        if provider_id in self.unbelievable:
            raise GatewayUnavailable
        self.asked.append(provider_id)
        assert isinstance(self.clock, FixedClock)
        self.clock.advance(self.answer_time)
        return FakeGateway.look_up(self, provider_id)


def watched(line: DoubtLine, **how: object) -> tuple[DoubtLine, WatchingGateway]:
    """The line with a gateway that remembers questions; it knows what was sent so far."""
    gateway = WatchingGateway(line.world.clock, **how)  # type: ignore[arg-type]
    gateway._taken, gateway._states = line.line.gateway._taken, line.line.gateway._states
    ask = AskGateway(gateway, line.ask.pace, line.ask.pause, line.ask.clock)
    return attrs.evolve(line, ask=ask), gateway


def sent(line: DoubtLine, account: AccountId, count: int) -> tuple[Campaign, Sequence[ProviderId]]:
    people(line.world, account, count)
    campaign = started(line.world, account, batch_messages_max=count)
    line.line.dispatch_all()
    ids = [ProviderId(row.provider_id or "") for row in messages(line.world, campaign)]
    return campaign, ids


def test_answers_are_applied_like_reports(
    world: World, line: DoubtLine, account: AccountId
) -> None:
    campaign, ids = sent(line, account, 3)
    line.line.gateway.become(DELIVERED, ids[0])
    line.line.gateway.become(FAILED, ids[1])
    world.clock.advance(TEN_MINUTES)

    assert line.refresh() == RefreshRound(asked=3, has_more=True)

    assert line.line.campaign(campaign).counts == CampaignCounts(sent=1, delivered=1, failed=1)
    assert line.refresh().asked == 0
    line.assert_books_are_right(account, campaign, 1_000)


def test_the_same_messages_are_not_asked_about_for_ever(
    world: World, line: DoubtLine, account: AccountId
) -> None:
    _, ids = sent(line, account, 5)
    line, gateway = watched(line)

    for _ in range(6 * 24 * 8):
        world.clock.advance(TEN_MINUTES)
        line.refresh(messages_max=2)

    assert sorted(gateway.asked) == sorted([*ids] * 5)


def test_a_gateway_that_is_away_ends_the_round_without_harm(
    world: World, line: DoubtLine, account: AccountId
) -> None:
    _, ids = sent(line, account, 4)
    world.clock.advance(TEN_MINUTES)
    away, gateway = watched(line, answers_max=1)

    stopped = away.refresh()
    gateway.answers_max = 100
    world.clock.advance(TEN_MINUTES)
    rest = away.refresh()

    assert (stopped, rest.asked) == (RefreshRound(asked=4, has_more=False), 3)
    assert sorted(gateway.asked) == sorted(ids)


def test_no_transaction_is_open_while_the_gateway_is_asked(
    world: World, line: DoubtLine, account: AccountId
) -> None:
    sent(line, account, 1)
    world.clock.advance(TEN_MINUTES)

    class Nosy(FakeGateway):
        def look_up(self, provider_id: ProviderId) -> GatewayMessage | None:
            with world.transactions.across_accounts():  # memory has room for one at a time
                return None

    ask = AskGateway(Nosy(world.clock), line.ask.pace, line.ask.pause, line.ask.clock)

    assert attrs.evolve(line, ask=ask).refresh().asked == 1


def test_a_round_can_be_cut_into_slices_of_time(
    world: World, line: DoubtLine, account: AccountId
) -> None:
    sent(line, account, 5)
    world.clock.advance(TEN_MINUTES)
    line, _ = watched(line, answer_time=timedelta(seconds=2))

    rounds = [line.refresh(seconds_max=5) for _ in range(2)]

    assert rounds == [RefreshRound(3, has_more=True), RefreshRound(2, has_more=True)]


def test_a_shop_can_ask_about_a_campaign(line: DoubtLine, account: AccountId) -> None:
    campaign, ids = sent(line, account, 3)
    line.line.gateway.become(DELIVERED, ids[0])

    done = summed_up(line.refresh_messages.of_campaign(account, campaign.id))
    again = summed_up(line.refresh_messages.of_campaign(account, campaign.id))

    assert attrs.astuple(done) == (3, 1, 0)
    assert attrs.astuple(again) == (2, 0, 0)


def test_a_shop_is_told_what_could_not_be_asked(line: DoubtLine, account: AccountId) -> None:
    campaign, _ = sent(line, account, 3)
    away, _ = watched(line, answers_max=1)

    done = summed_up(away.refresh_messages.of_campaign(account, campaign.id))

    assert attrs.astuple(done) == (1, 0, 2)


def test_ids_that_are_not_in_the_shops_log_are_not_asked_about(
    world: World, line: DoubtLine, account: AccountId
) -> None:
    _, ids = sent(line, account, 2)
    line, gateway = watched(line)
    other = shop(world)
    strange = ProviderId("strange")

    mine = line.refresh_messages.by_provider_ids(account, [ids[1], strange, ids[1]])
    theirs = line.refresh_messages.by_provider_ids(other, ids)

    assert [(each.provider_id, each.found is None) for each in mine] == [
        (ids[1], False),
        (strange, True),
    ]
    assert all(each.found is None for each in theirs)
    assert gateway.asked == [ids[1]]


def test_a_message_is_shown_to_its_own_shop_alone(
    world: World, line: DoubtLine, account: AccountId
) -> None:
    _, ids = sent(line, account, 1)
    line, gateway = watched(line)

    shown = line.show(account, ids[0])
    with pytest.raises(MessageNotFound):
        line.show(shop(world), ids[0])

    assert shown.provider_id == ids[0]
    assert gateway.asked == [ids[0]]


def test_a_message_that_the_gateway_forgot_is_not_found(
    line: DoubtLine, account: AccountId
) -> None:
    _, ids = sent(line, account, 1)
    line.line.gateway._taken.clear()

    with pytest.raises(MessageNotFound):
        line.show(account, ids[0])


def test_the_operator_asks_first_about_what_has_an_id(
    world: World, line: DoubtLine, account: AccountId
) -> None:
    """An unknown message has one only where it was taken over from elsewhere."""
    lost = line.lose(account, 2)
    row = world.transactions
    with row.begin(account) as uow:
        tables = uow.messages.tables  # type: ignore[attr-defined]
        stored = tables.messages.get((lost.campaign.id, 0))
        tables.messages.put((lost.campaign.id, 0), attrs.evolve(stored, provider_id=lost.ids[0]))
    line.line.gateway.become(DELIVERED, lost.ids[0])

    done = line.resolve_unknown(lost.campaign.id, FAILED)

    assert (done.asked, done.settled_by_gateway, done.settled_by_operator) == (1, 1, 1)
    assert [row.state for row in messages(world, lost.campaign)] == [DELIVERED, FAILED]
    line.assert_books_are_right(account, lost.campaign, 1_000)


def test_a_message_without_a_believable_answer_holds_up_nobody_behind_it(
    world: World, line: DoubtLine, account: AccountId
) -> None:
    _, ids = sent(line, account, 4)
    line, gateway = watched(line, unbelievable=frozenset(ids[:2]))
    world.clock.advance(TEN_MINUTES)

    first, second = line.refresh(), line.refresh()

    assert gateway.asked == list(ids[2:])
    assert (first.asked, second.asked) == (4, 0)


def test_a_few_in_a_row_without_an_answer_do_not_hold_up_the_others_for_ever(
    world: World, line: DoubtLine, account: AccountId
) -> None:
    _, ids = sent(line, account, 8)
    line, gateway = watched(line, unbelievable=frozenset(ids[:3]))

    for _ in range(12):
        world.clock.advance(TEN_MINUTES + timedelta(minutes=1))
        line.refresh()

    assert set(ids[3:]) <= set(gateway.asked)


def test_who_has_no_answer_at_the_end_of_a_slice_does_not_end_the_round(
    world: World, line: DoubtLine, account: AccountId
) -> None:
    _, ids = sent(line, account, 3)
    line, _gateway = watched(line, unbelievable=frozenset(ids[:1]))
    world.clock.advance(TEN_MINUTES)

    assert line.refresh() == RefreshRound(3, has_more=True)


def test_a_round_goes_on_past_the_batches_of_a_slice(
    world: World, line: DoubtLine, account: AccountId
) -> None:
    people(world, account, 45)
    campaign = started(world, account, batch_messages_max=1)
    line.line.dispatch_all()
    ids = [ProviderId(row.provider_id or "") for row in messages(world, campaign)]
    line, gateway = watched(line)
    world.clock.advance(TEN_MINUTES + timedelta(seconds=1))

    slices = [line.refresh()]
    while slices[-1].has_more:
        slices.append(line.refresh())

    assert [each.asked for each in slices] == [40, 5, 0, 0]
    assert sorted(gateway.asked) == sorted(ids)


def test_batches_without_anything_to_ask_do_not_end_the_round(
    world: World, line: DoubtLine, account: AccountId
) -> None:
    people(world, account, 45)
    campaign = started(world, account, batch_messages_max=1)
    line.line.dispatch_all()
    ids = [ProviderId(row.provider_id or "") for row in messages(world, campaign)]
    line.line.gateway.become(DELIVERED, *ids[:40])
    line.refresh_messages.by_provider_ids(account, ids[:40])
    line, gateway = watched(line)
    world.clock.advance(TEN_MINUTES + timedelta(seconds=1))

    rounds = [line.refresh(), line.refresh()]

    assert [(each.asked, each.has_more) for each in rounds] == [(0, True), (5, True)]
    assert gateway.asked == ids[40:]


def test_the_few_of_a_store_are_asked_first_however_many_another_has(
    world: World, line: DoubtLine, account: AccountId
) -> None:
    """Also where a slice is over long before all of it were asked."""
    sent(line, account, 400)
    _, few = sent(line, shop(world), 5)
    line, gateway = watched(line, answer_time=timedelta(seconds=0.1))
    world.clock.advance(TEN_MINUTES)

    line.refresh(seconds_max=5)

    assert set(few) <= set(gateway.asked)


def test_a_gateway_that_is_away_uses_up_no_age(
    world: World, line: DoubtLine, account: AccountId
) -> None:
    sent(line, account, 2)
    away, gateway = watched(line, answers_max=0)
    for age in range(10, 4 * 24 * 60, 10):
        world.clock.advance(TEN_MINUTES)
        if age >= LOOK_UP_AFTER[-1] / timedelta(minutes=1):
            gateway.answers_max = 100
        away.refresh()

    assert len(gateway.asked) == 2


def test_a_message_without_a_believable_answer_is_asked_about_ever_more_rarely(
    world: World, line: DoubtLine, account: AccountId
) -> None:
    """Also where nobody else is due."""
    _, ids = sent(line, account, 1)
    line, _gateway = watched(line, unbelievable=frozenset(ids))
    ages = []
    for age in range(10, 30 * 24 * 60, 10):
        world.clock.advance(TEN_MINUTES)
        if line.refresh().asked:
            ages.append(age)

    assert ages == [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5120]


def test_a_round_may_take_a_share_of_what_the_gateway_takes() -> None:
    assert round_budget(600, 100) == 6_000
    assert round_budget(1, 1) == 1


def test_slices_of_an_interval_share_one_budget_whoever_begins_them(
    world: World, line: DoubtLine, account: AccountId
) -> None:
    sent(line, account, 9)
    world.clock.advance(TEN_MINUTES)
    refresh = attrs.evolve(line.refresh, round_messages_max=4)

    asked = [refresh(messages_max=3) for _ in range(3)]
    world.clock.advance(TEN_MINUTES)
    next_round = refresh()

    assert [(each.asked, each.has_more) for each in asked] == [(3, True), (1, False), (0, False)]
    assert (next_round.asked, next_round.has_more) == (4, False)


def test_a_second_round_at_the_same_time_asks_nothing(
    world: World, line: DoubtLine, account: AccountId
) -> None:
    """A nudge may come while a round is at it: the key of a job is free while it runs."""
    sent(line, account, 3)
    world.clock.advance(TEN_MINUTES)
    rounds = []

    class Meanwhile(WatchingGateway):
        def look_up(self, provider_id: ProviderId) -> GatewayMessage | None:
            if not self.asked:
                self.asked.append(provider_id)
                rounds.append(line.refresh())
            return None

    ask = AskGateway(Meanwhile(world.clock), line.ask.pace, line.ask.pause, line.ask.clock)

    assert attrs.evolve(line, ask=ask).refresh().asked == 3
    assert rounds == [RefreshRound(0, has_more=False)]
