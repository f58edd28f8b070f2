"""Answers, reports, look-ups, operators and the policy may meet in any order: one end, exact books.

In memory with many histories, on PostgreSQL with some.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import permutations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters_db.connection.connections import Connections
from retail_core.kernel.ids import AccountId
from retail_core.messages.model import CreditPolicy, MessageState
from tests.contracts.staging import clear_the_stage, messages, shop
from tests.contracts.worlds import World
from tests.doubting import DoubtLine, Lost
from tests.own_database import own_connections

PEOPLE = 3
CREDITS = 50
SENT, DELIVERED, FAILED = MessageState.SENT, MessageState.DELIVERED, MessageState.FAILED
NAMES = [("id",), ("reference",), ("phone",), ("id", "phone"), ("id", "reference", "phone")]

Act = Callable[[DoubtLine, Lost], object]


@pytest.fixture(scope="module")
def connections(new_database: Callable[[], str]) -> Iterator[Connections]:
    """A database of these tests alone, since they let sweeps go over all accounts."""
    with own_connections(new_database) as connections:
        yield connections


def answer(line: DoubtLine, lost: Lost) -> None:
    line.answer(lost)


def time_passes(line: DoubtLine, _lost: Lost) -> None:
    line.world.clock.advance(timedelta(hours=73))
    done = line.settle_overdue()
    assert line.world.name != "memory" or done.leftover_credits == 0


def look_up(line: DoubtLine, lost: Lost) -> None:
    line.line.gateway.become(DELIVERED, lost.ids[0])
    line.world.clock.advance(timedelta(hours=1))
    line.refresh()


def operator(state: MessageState) -> Act:
    return lambda line, lost: line.resolve_unknown(lost.campaign.id, state)


def report(seq: int, state: MessageState, names: tuple[str, ...]) -> Act:
    return lambda line, lost: line.deliver(lost.report(seq, state, line.world, *names))


acts = st.one_of(
    st.sampled_from([answer, time_passes, look_up]),
    st.builds(operator, st.sampled_from([SENT, DELIVERED, FAILED])),
    *[
        st.builds(
            report,
            st.integers(0, PEOPLE - 1),
            st.sampled_from([SENT, DELIVERED, FAILED]),
            st.sampled_from(NAMES),
        )
    ]
    * 3,
)


def play(
    world: World, story: list[Act], policy: CreditPolicy, *, is_shared: bool
) -> tuple[DoubtLine, Lost, AccountId]:
    """A lost batch, and everything that happens to it; the books are checked after each act."""
    clear_the_stage(world)
    account = shop(world, CREDITS)
    line = DoubtLine.over(world, f"g{account}", policy, account_is_shared=is_shared)
    lost = line.lose(account, PEOPLE)
    states = [row.state for row in messages(world, lost.campaign)]
    for act in story:
        act(line, lost)
        line.assert_books_are_right(account, lost.campaign, CREDITS)
        now = [row.state for row in messages(world, lost.campaign)]
        assert all(after >= before for before, after in zip(states, now, strict=True))
        states = now
    return line, lost, account


@given(
    story=st.lists(acts, max_size=8), policy=st.sampled_from(CreditPolicy), is_shared=st.booleans()
)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_story_keeps_the_books_exact(
    world: World, story: list[Act], policy: CreditPolicy, *, is_shared: bool
) -> None:
    line, lost, _ = play(world, story, policy, is_shared=is_shared)

    line.world.clock.advance(timedelta(hours=80))
    done = line.settle_overdue()
    if world.name == "memory":  # on PostgreSQL other tests may have left holds for nobody
        assert done.leftover_credits == 0
    assert line.line.campaign(lost.campaign).credits.held == 0


ORDERS = list(
    permutations(
        [
            answer,
            report(0, DELIVERED, ("reference",)),
            report(0, FAILED, ("id", "phone")),
            operator(SENT),
        ]
    )
)


@pytest.mark.parametrize("is_shared", [True, False])
@pytest.mark.parametrize("order", ORDERS, ids=range(len(ORDERS)))
def test_all_orders_of_what_is_known_end_in_one_state(
    world: World, order: tuple[Act, ...], *, is_shared: bool
) -> None:
    line, lost, account = play(world, list(order), CreditPolicy.RELEASE, is_shared=is_shared)

    first, *others = messages(world, lost.campaign)
    assert first.state is DELIVERED
    assert {row.state for row in others} == {SENT}
    assert line.line.wallet(account).held == 0
    assert line.line.wallet(account).available == CREDITS - PEOPLE
