"""Everybody who may settle doubt at the same moment, on real PostgreSQL."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from retail_core.kernel.ids import AccountId, CampaignId
from retail_core.messages.model import CreditPolicy, Finding, MessageKey, MessageState
from retail_core.messages.use_cases.resolving import resolve
from tests.contracts.staging import FOREVER, messages, shop
from tests.contracts.worlds import World
from tests.doubting import DoubtLine, Lost

PEOPLE = 40
ROUNDS = 6
SENT, DELIVERED, FAILED = MessageState.SENT, MessageState.DELIVERED, MessageState.FAILED


def together(*acts: Callable[[], object]) -> None:
    """Let all begin at the same moment; whatever one of them raises is raised here."""
    start = Barrier(len(acts))

    def run(act: Callable[[], object]) -> None:
        start.wait(10)
        act()

    with ThreadPoolExecutor(len(acts)) as threads:
        list(threads.map(run, acts))


def told(line: DoubtLine, lost: Lost, state: MessageState, seed: int) -> Callable[[], None]:
    """Findings about all messages, a few at a time and in any order of the calls."""
    chance = random.Random(seed)
    seqs = list(range(PEOPLE))
    chance.shuffle(seqs)
    account, campaign = lost.campaign.account_id, lost.campaign.id

    def act() -> None:
        for first in range(0, PEOPLE, 7):
            findings = [
                Finding.of(MessageKey(campaign, seq, account), state, line.world.clock.now())
                for seq in seqs[first : first + 7]
            ]
            with line.world.transactions.across_accounts() as uow:
                resolve(uow, findings, line.world.clock.now())

    return act


def policy_of(line: DoubtLine) -> Callable[[], None]:
    """The sweep, as if the window were over for all."""

    def act() -> None:
        for _ in range(4):
            now = line.world.clock.now()
            with line.world.transactions.across_accounts() as uow:
                shares = uow.doubts.settle_overdue_across_accounts(FOREVER, now, 9)
                line.settle_overdue._book(uow, shares, now)

    return act


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_whoever_settles_doubt_at_once_settles_it_once(world: World, seed: int) -> None:
    account = shop(world, 1_000)
    line = DoubtLine.over(world, f"race{account}", random.Random(seed).choice(list(CreditPolicy)))
    lost = line.lose(account, PEOPLE)

    together(
        lambda: line.answer(lost),
        told(line, lost, DELIVERED, seed),
        told(line, lost, FAILED, seed + 100),
        policy_of(line),
        lambda: line.resolve_unknown(lost.campaign.id, SENT),
        lambda: line.answer(lost),
    )

    assert {row.state for row in messages(world, lost.campaign)} == {DELIVERED}
    line.assert_books_are_right(account, lost.campaign, 1_000)


def test_reports_of_many_shops_meet_without_a_deadlock(world: World) -> None:
    line = DoubtLine.over(world, "many")
    accounts = [shop(world, 1_000) for _ in range(4)]
    lost = [line.lose(account, 5) for account in accounts]

    def everything(seed: int, state: MessageState) -> Callable[[], None]:
        chance = random.Random(seed)

        def act() -> None:
            for _ in range(10):
                keys = [
                    MessageKey(CampaignId(each.campaign.id), seq, AccountId(account))
                    for account, each in zip(accounts, lost, strict=True)
                    for seq in chance.sample(range(5), 2)
                ]
                findings = [Finding.of(key, state, world.clock.now()) for key in keys]
                with world.transactions.across_accounts() as uow:
                    resolve(uow, findings, world.clock.now())

        return act

    together(*(everything(seed, [SENT, FAILED, DELIVERED][seed % 3]) for seed in range(6)))

    for account, each in zip(accounts, lost, strict=True):
        line.assert_books_are_right(account, each.campaign, 1_000)
