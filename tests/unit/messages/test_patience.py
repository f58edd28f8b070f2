"""A database that goes away after the gateway has answered: the answer is nowhere else."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import attrs
import pytest

from retail_core.campaigns.model import CampaignCounts, CampaignState
from retail_core.campaigns.use_cases import CancelCampaign
from retail_core.kernel.errors import Unavailable
from retail_core.kernel.ids import AccountId
from retail_core.messages.model import NotSent
from retail_core.messages.use_cases import DispatchOutcome
from tests.contracts.staging import people, shop, started
from tests.contracts.worlds import World, memory_world
from tests.pipeline import LEASE_OVER, Pipeline

COMMITTED_ALL_THE_SAME = pytest.mark.parametrize("committed", [False, True])


@attrs.define
class Flaky:
    """Transactions of which some fail: each once, or from then on; with or without their commit.

    What happens `meanwhile` comes before anybody hears of it.
    """

    inner: Any
    failing: tuple[int, ...]
    for_good: bool = False
    committed: bool = False
    begun: int = 0
    meanwhile: Callable[[], object] = bool

    @contextmanager
    def begin(self, account: AccountId) -> Iterator[Any]:
        self.begun += 1
        fails = self.begun in self.failing or (self.for_good and self.begun > max(self.failing))
        if fails and not self.committed:
            self.meanwhile()
            raise Unavailable
        with self.inner.begin(account) as uow:
            yield uow
        if fails:
            self.meanwhile()
            raise Unavailable

    @contextmanager
    def across_accounts(self) -> Iterator[Any]:
        with self.inner.across_accounts() as uow:
            yield uow


INTENT, BOOKING, AGAIN = 1, 2, 3


@pytest.fixture
def world() -> World:
    return memory_world()


def line_over(world: World, *failing: int, **how: Any) -> Pipeline:
    line = Pipeline.over(world)
    flaky: Any = Flaky(world.transactions, failing, **how)
    return attrs.evolve(line, dispatch_batch=attrs.evolve(line.dispatch_batch, transactions=flaky))


@COMMITTED_ALL_THE_SAME
def test_an_answer_is_booked_once_the_database_is_back(world: World, *, committed: bool) -> None:
    account = shop(world)
    people(world, account, 3)
    campaign = started(world, account)
    line = line_over(world, BOOKING, AGAIN, committed=committed)

    line.dispatch()

    assert line.campaign(campaign).counts == CampaignCounts(sent=3)
    assert line.wallet(account).held == 0


@COMMITTED_ALL_THE_SAME
def test_what_was_surely_not_sent_waits_again_once_the_database_is_back(
    world: World, *, committed: bool
) -> None:
    account = shop(world)
    people(world, account, 3)
    campaign = started(world, account)
    line = line_over(world, BOOKING, committed=committed)
    line.gateway.answer_next(NotSent("away"))

    line.dispatch()
    world.clock.advance(LEASE_OVER)

    assert line.sweep() == 0
    assert line.dispatch_all() == [DispatchOutcome.SETTLED]
    assert line.campaign(campaign).counts == CampaignCounts(sent=3)


@COMMITTED_ALL_THE_SAME
def test_an_intent_of_which_nobody_knows_whether_it_is_committed_touches_no_socket(
    world: World, *, committed: bool
) -> None:
    account = shop(world)
    people(world, account, 3)
    campaign = started(world, account)
    line = line_over(world, INTENT, committed=committed)

    assert line.dispatch() is DispatchOutcome.PUT_BACK

    assert line.gateway.calls == []
    assert line.dispatch_all() == [DispatchOutcome.SETTLED]
    assert line.campaign(campaign).counts == CampaignCounts(sent=3)


@COMMITTED_ALL_THE_SAME
def test_an_intent_of_which_nobody_knows_is_cancelled_with_its_campaign(
    world: World, *, committed: bool
) -> None:
    account = shop(world)
    people(world, account, 3)
    campaign = started(world, account)
    cancel = partial(CancelCampaign(world.transactions, world.clock), account, campaign.id)
    line = line_over(world, INTENT, committed=committed, meanwhile=cancel)

    line.dispatch()

    done = line.campaign(campaign)
    assert (done.state, done.counts) == (CampaignState.CANCELLED, CampaignCounts(cancelled=3))
    assert line.wallet(account).held == 0
    assert (line.dispatch_all(), line.gateway.calls) == ([], [])


def test_who_cannot_book_for_a_whole_lease_leaves_it_to_the_sweep(world: World) -> None:
    account = shop(world)
    people(world, account, 3)
    campaign = started(world, account)
    line = line_over(world, BOOKING, for_good=True)

    with pytest.raises(Unavailable):
        line.dispatch()
    world.clock.advance(LEASE_OVER)

    assert line.sweep() == 1
    done = line.campaign(campaign)
    assert (done.state, done.counts) == (CampaignState.COMPLETED, CampaignCounts(unknown=3))
