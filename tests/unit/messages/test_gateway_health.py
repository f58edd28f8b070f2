"""The circuit breaker: what a failing gateway costs, and how it is found well again."""

from datetime import UTC, datetime, timedelta

import attrs
import pytest

from retail_core.campaigns.model import CampaignCounts, CampaignState
from retail_core.kernel.ids import AccountId
from retail_core.messages.model import (
    REST_SECONDS_MAX,
    Accepted,
    AccessRefused,
    AllRejected,
    BatchRefused,
    Doubtful,
    GatewayHealth,
    NotSent,
    SubmissionOutcome,
    rest_seconds,
)
from retail_core.messages.use_cases import DispatchOutcome
from tests.contracts.staging import BEN, opt_out, pause, people, shop, started
from tests.contracts.worlds import World, memory_world
from tests.pipeline import LEASE_OVER, Pipeline

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
LOST, AWAY = Doubtful("timeout"), NotSent("refused")
OPEN = GatewayHealth(strain=5, level=1, rests_until=NOW)
SECOND = timedelta(seconds=1)


def after(
    health: GatewayHealth, *outcomes: SubmissionOutcome | None, is_probe: bool = False
) -> GatewayHealth:
    for outcome in outcomes:
        health = health.after(outcome, is_probe=is_probe, now=NOW)
    return health


class TestHealth:
    @pytest.mark.parametrize(
        ("outcomes", "level"),
        [((AWAY,) * 4, 0), ((AWAY,) * 5, 1), ((LOST,) * 2, 0), ((LOST,) * 3, 1)],
    )
    def test_the_breaker_opens_after_failures_in_a_row(
        self, outcomes: tuple[SubmissionOutcome, ...], level: int
    ) -> None:
        health = after(GatewayHealth(), *outcomes)

        assert health.level == level
        assert health.is_resting(NOW) == (level > 0)

    @pytest.mark.parametrize(
        "answer", [Accepted(()), BatchRefused("413"), AccessRefused("401"), AllRejected("404")]
    )
    def test_any_answer_shows_that_the_gateway_is_there(self, answer: SubmissionOutcome) -> None:
        assert after(GatewayHealth(), LOST, LOST, answer) == GatewayHealth()
        assert after(OPEN, answer, is_probe=True) == GatewayHealth()

    def test_while_it_is_open_only_the_probe_counts(self) -> None:
        assert after(OPEN, LOST, AWAY, Accepted(())) == OPEN

    def test_each_failed_probe_doubles_the_rest(self) -> None:
        rests = []
        health = OPEN
        for _ in range(10):
            health = after(health, LOST, is_probe=True)
            assert health.rests_until is not None
            rests.append((health.rests_until - NOW).total_seconds())

        assert rests[:4] == [10, 20, 40, 80]
        assert rests[-1] == REST_SECONDS_MAX == rest_seconds(1_000_000)

    def test_the_gateway_rests_for_as_long_as_it_asks(self) -> None:
        health = after(GatewayHealth(), NotSent("429", retry_after_seconds=60))
        shorter = after(health, NotSent("429", retry_after_seconds=10))

        assert (health.level, health.rests_until) == (0, NOW + 60 * SECOND)
        assert shorter.rests_until == NOW + 60 * SECOND
        assert not health.is_resting(NOW + 60 * SECOND)

    def test_what_it_asks_for_is_bounded(self) -> None:
        health = after(GatewayHealth(), NotSent("429", retry_after_seconds=1e9))

        assert health.rests_until == NOW + timedelta(hours=1)

    def test_a_probe_that_asked_for_more_rest_gets_it(self) -> None:
        health = after(OPEN, NotSent("503", retry_after_seconds=600), is_probe=True)

        assert (health.level, health.rests_until) == (2, NOW + 600 * SECOND)

    def test_a_probe_without_a_call_lets_the_next_one_begin(self) -> None:
        waiting = OPEN.probing(NOW + 120 * SECOND)

        assert after(waiting, None, is_probe=True) == OPEN
        assert after(waiting, None) == waiting


@pytest.fixture
def world() -> World:
    return memory_world()


@pytest.fixture
def line(world: World) -> Pipeline:
    return Pipeline.over(world)


@pytest.fixture
def account(world: World) -> AccountId:
    return shop(world, credits=1_000)


def test_a_gateway_that_loses_its_answers_costs_three_batches_and_then_single_messages(
    world: World, line: Pipeline, account: AccountId
) -> None:
    people(world, account, 100)
    campaign = started(world, account, batch_messages_max=10)
    line.gateway.answer_next(*[LOST] * 5)

    line.dispatch_all()
    assert line.campaign(campaign).counts == CampaignCounts(queued=70, unknown=30)
    world.clock.advance(5 * SECOND)
    line.dispatch_all()
    world.clock.advance(9 * SECOND)
    line.dispatch_all()
    assert line.campaign(campaign).counts == CampaignCounts(queued=69, unknown=31)
    world.clock.advance(1 * SECOND)
    line.dispatch_all()
    assert line.campaign(campaign).counts == CampaignCounts(queued=68, unknown=32)
    world.clock.advance(20 * SECOND)
    line.dispatch_all()

    after = line.campaign(campaign)
    assert after.state is CampaignState.COMPLETED
    assert after.counts == CampaignCounts(unknown=32, sent=68)
    assert [len(call) for call in line.gateway.calls[:6]] == [10, 10, 10, 1, 1, 1]


def test_while_a_gateway_is_away_no_batch_uses_up_its_tries(
    world: World, line: Pipeline, account: AccountId
) -> None:
    people(world, account, 30)
    campaign = started(world, account, batch_messages_max=5)
    line.gateway.answer_next(*[AWAY] * 40)

    for _ in range(40):
        line.dispatch_all()
        world.clock.advance(301 * SECOND)
    line.dispatch_all()

    assert line.campaign(campaign).counts == CampaignCounts(sent=30)


def test_all_stores_leave_the_gateway_alone_for_as_long_as_it_asks(
    world: World, line: Pipeline, account: AccountId
) -> None:
    other = shop(world)
    for store in (account, other):
        people(world, store, 2)
        started(world, store)
    line.gateway.answer_next(NotSent("429", retry_after_seconds=60))
    line.dispatch()

    early = line.dispatch(BEN)
    world.clock.advance(60 * SECOND)

    assert (early, line.dispatch(BEN)) == (DispatchOutcome.IDLE, DispatchOutcome.SETTLED)


def test_a_success_in_between_begins_the_count_again(
    world: World, line: Pipeline, account: AccountId
) -> None:
    people(world, account, 7)
    campaign = started(world, account, batch_messages_max=1)
    line.gateway.answer_next(LOST, LOST, line.gateway.take, LOST, LOST)

    line.dispatch_all()

    assert line.campaign(campaign).counts == CampaignCounts(sent=3, unknown=4)


def open_breaker(world: World) -> None:
    rests_until = world.clock.now() - SECOND
    with world.transactions.across_accounts() as uow:
        uow.gateway_health.save(GatewayHealth(strain=5, level=1, rests_until=rests_until))


def test_a_probe_that_nobody_may_get_is_followed_by_the_next(
    world: World, line: Pipeline, account: AccountId
) -> None:
    contacts = people(world, account, 3)
    campaign = started(world, account)
    opt_out(world, account, contacts[0].id)
    open_breaker(world)

    line.dispatch_all()

    assert line.campaign(campaign).counts == CampaignCounts(sent=2, cancelled=1)
    assert [len(call) for call in line.gateway.calls] == [1, 1]


def test_a_probe_of_a_campaign_that_is_paused_meanwhile_is_followed_by_the_next(
    world: World, line: Pipeline, account: AccountId
) -> None:
    people(world, account, 1)
    campaign = started(world, account)
    other = shop(world)
    people(world, other, 1)
    second = started(world, other)
    open_breaker(world)

    class Interrupting:
        def seconds(self, duration_seconds: float) -> None:
            pause(world, campaign)

    paused = attrs.evolve(line.dispatch_batch, pause=Interrupting())(BEN)

    assert (paused, line.dispatch()) == (DispatchOutcome.PUT_BACK, DispatchOutcome.SETTLED)
    assert line.campaign(second).counts == CampaignCounts(sent=1)


def test_a_probe_whose_worker_dies_leaves_one_message_unknown(
    world: World, line: Pipeline, account: AccountId
) -> None:
    people(world, account, 5)
    campaign = started(world, account, batch_messages_max=5)
    open_breaker(world)

    def die(_: object) -> SubmissionOutcome:
        raise KeyboardInterrupt

    line.gateway.answer_next(die)
    with pytest.raises(KeyboardInterrupt):
        line.dispatch()
    world.clock.advance(LEASE_OVER)
    line.sweep()
    line.dispatch_all()

    assert line.campaign(campaign).counts == CampaignCounts(unknown=1, sent=4)
