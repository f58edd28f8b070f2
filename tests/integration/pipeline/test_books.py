"""The hourly check of the books: an alarm for what does not add up, none for what goes on."""

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event
from typing import Any

import attrs
import pytest
from loguru import logger
from sqlalchemy import text

from adapters_db.campaigns.books import SqlBooks
from adapters_db.connection.connections import Connections
from retail_core.campaigns.model import Campaign
from retail_core.kernel.ids import AccountId, WorkerId
from retail_core.kernel.jobs import Job
from retail_core.messages.model import MessageState
from tests.contracts.messages.singles import stage as single_stage
from tests.contracts.staging import people, shop, started
from tests.contracts.worlds import World
from tests.own_database import own_connections
from tests.pipeline import Pipeline
from workers.jobs.checking_books import AFTER, CHECK_BOOKS, CODE, CheckBooks, check_books
from workers.jobs.running import Run

pytestmark = pytest.mark.servers
ROUNDS_MIN = 5


@attrs.define
class Checking:
    """The job, and what it alarms of."""

    check: CheckBooks
    alarms: list[dict[str, Any]] = attrs.field(factory=list)
    nudges: list[Job] = attrs.field(factory=list)

    def run(self, has_time: Callable[[], bool] = lambda: True, **payload: int) -> set[AccountId]:
        """The accounts of which it says that they do not add up."""
        self.alarms.clear()
        number = logger.add(
            lambda message: self.alarms.append(message.record["extra"]), level="ERROR"
        )
        job = Job(CHECK_BOOKS, CHECK_BOOKS, payload)
        assert not check_books(self.check, Run(job, WorkerId("w"), self.nudges.append, has_time))
        logger.remove(number)
        assert {each["code"] for each in self.alarms} <= {CODE}
        return {each["account"] for each in self.alarms}


@pytest.fixture(scope="module")
def connections(new_database: Callable[[], str]) -> Iterator[Connections]:
    """A database of these tests alone: what others leave behind need not add up."""
    with own_connections(new_database) as connections:
        yield connections


@pytest.fixture
def checking(world: World, connections: Connections) -> Checking:
    return Checking(CheckBooks(SqlBooks(connections), world.clock))


@pytest.fixture
def tamper(connections: Connections) -> Iterator[Callable[..., None]]:
    """Changes rows behind everybody's back, and puts them as they were."""
    undone: list[tuple[str, dict[str, Any]]] = []

    def change(statement: str, undo: str, **values: Any) -> None:
        with connections.sweep() as connection:
            assert connection.execute(text(statement), values).rowcount == 1
        undone.append((undo, values))

    yield change
    with connections.sweep() as connection:
        for statement, values in undone:
            connection.execute(text(statement), values)


def busy_shop(world: World) -> tuple[AccountId, Campaign]:
    """A shop with a campaign of which one batch was sent, one is in doubt and one waits."""
    account = shop(world)
    people(world, account, 9)
    campaign = started(world, account)
    line = Pipeline.over(world, name=f"books-{account}", seed=account)
    line.dispatch()
    line.gateway.lose_next_answer()
    line.dispatch()
    return account, campaign


def test_books_that_are_right_raise_no_alarm(world: World, checking: Checking) -> None:
    account, _ = busy_shop(world)
    with world.transactions.begin(account) as uow:
        uow.credits.hold(account, "hold:single", 2, None)
    single_stage.planned(world, account)

    assert checking.run() == set()
    world.clock.advance(timedelta(hours=1))
    assert checking.run() == set()


WRONG = [
    ("UPDATE wallet SET available = available {} 1 WHERE account_id = :account", "wallet"),
    ("UPDATE wallet SET held = held {} 1 WHERE account_id = :account", "wallet"),
    ("UPDATE campaign SET credits_held = credits_held {} 1 WHERE id = :campaign", "heldByRows"),
]


@pytest.mark.parametrize(("statement", "told"), WRONG)
@pytest.mark.parametrize("checked_before", [True, False])
def test_a_wallet_or_hold_that_was_changed_raises_an_alarm_every_hour(
    world: World,
    checking: Checking,
    tamper: Callable[..., None],
    statement: str,
    told: str,
    *,
    checked_before: bool,
) -> None:
    account, campaign = busy_shop(world)
    if checked_before:
        assert checking.run() == set()
    change, undo = (statement.replace("{}", sign) for sign in "+-")

    tamper(change, undo, account=account, campaign=campaign.id)

    for _ in range(2):
        assert checking.run() == {account}
        assert checking.alarms[0][told] is not None
        world.clock.advance(timedelta(hours=1))


@pytest.mark.parametrize("checked_before", [True, False])
def test_a_campaign_whose_sums_are_not_those_of_its_rows_raises_an_alarm(
    world: World, checking: Checking, tamper: Callable[..., None], *, checked_before: bool
) -> None:
    account, campaign = busy_shop(world)
    if checked_before:
        assert checking.run() == set()

    tamper(
        "UPDATE campaign SET sent = sent + 1, queued = queued - 1 WHERE id = :campaign",
        "UPDATE campaign SET sent = sent - 1, queued = queued + 1 WHERE id = :campaign",
        campaign=campaign.id,
    )

    assert checking.run() == {account}
    assert checking.alarms[0]["campaigns"] == [campaign.id]
    assert (checking.alarms[0]["wallet"], checking.alarms[0]["heldByRows"]) == (None, None)


def test_a_message_that_nobody_counted_raises_an_alarm(
    world: World, checking: Checking, tamper: Callable[..., None]
) -> None:
    account, campaign = busy_shop(world)
    states = f"campaign_id = :campaign AND seq = 0 AND state = {MessageState.SENT:d}"

    tamper(
        f"UPDATE message SET state = {MessageState.FAILED:d} WHERE {states}",
        f"UPDATE message SET state = {MessageState.SENT:d} WHERE campaign_id = :campaign AND seq=0",
        campaign=campaign.id,
    )

    assert checking.run() == {account}


DRIFTS = [
    ("UPDATE wallet SET available = available {} 1 WHERE account_id = :account", {"wallet"}),
    ("UPDATE wallet SET held = held {} 1 WHERE account_id = :account", {"wallet", "holds"}),
    (
        "UPDATE campaign SET credits_held = credits_held {} 1 WHERE id = :campaign",
        {"holds", "campaigns"},
    ),
    (
        "UPDATE send_batch SET size = size {} 1 WHERE campaign_id = :campaign AND no = 2",
        {"campaigns"},
    ),
    (
        "UPDATE single_message SET credits = credits {} 1 WHERE account_id = :account",
        {"holds"},
    ),
]


@pytest.mark.parametrize(("statement", "told"), DRIFTS)
def test_whoever_verifies_a_ledger_is_told_of_each_kind_of_drift(
    world: World,
    connections: Connections,
    tamper: Callable[..., None],
    statement: str,
    told: set[str],
) -> None:
    """Also where the hourly check had found it right a moment ago."""
    account, campaign = busy_shop(world)
    with world.transactions.begin(account) as uow:
        uow.credits.hold(account, "hold:single", 2, None)
    single_stage.planned(world, account)
    books, now = SqlBooks(connections), world.clock.now()
    assert books.check(account, now, now).are_right
    assert books.verify(account, now).are_right
    change, undo = (statement.replace("{}", sign) for sign in "+-")

    tamper(change, undo, account=account, campaign=campaign.id)

    found = books.verify(account, now)
    assert {name for name in ("wallet", "holds", "campaigns") if getattr(found, name)} == told


def test_all_accounts_are_verified_a_few_at_a_time(world: World, connections: Connections) -> None:
    accounts = {shop(world) for _ in range(3)}
    books = SqlBooks(connections)

    seen: list[AccountId] = []
    after = AccountId(-1)
    while some := books.accounts(after, 2):
        assert len(some) <= 2
        seen += some
        after = some[-1]

    assert accounts <= set(seen)
    assert seen == sorted(set(seen))


def test_a_transfer_that_was_changed_long_ago_is_noticed_within_a_day(
    world: World, checking: Checking, connections: Connections
) -> None:
    account, _ = busy_shop(world)
    assert checking.run() == set()
    change = text(
        "UPDATE credit_transfer SET amount = amount + :by WHERE account_id = :account "
        "AND key = 'gift'"
    )

    def by(credits: int) -> None:
        with connections.engine.connect() as connection, connection.begin():
            connection.execute(text("RESET ROLE"))
            connection.execute(change, {"account": account, "by": credits})
            connection.execute(text("SET ROLE retail_bound"))

    by(5)

    world.clock.advance(timedelta(hours=23))
    assert checking.run() == set()
    world.clock.advance(timedelta(hours=2))
    assert checking.run() == {account}
    by(-5)
    assert checking.run() == set()


def test_who_did_nothing_is_not_looked_at_again_before_a_day_is_over(
    world: World, checking: Checking
) -> None:
    quiet, busy = shop(world), shop(world)
    checking.run()
    world.clock.advance(timedelta(hours=1))
    with world.transactions.begin(busy) as uow:
        uow.credits.grant(busy, "more", 1, "test")

    assert {quiet, busy} & set(checking.check.due(AccountId(0))) == {busy}
    checking.run()
    assert {quiet, busy} & set(checking.check.due(AccountId(0))) == set()
    world.clock.advance(timedelta(hours=24))
    assert {quiet, busy} <= set(checking.check.due(AccountId(0)))


def test_a_round_goes_on_where_its_slice_ended(world: World, checking: Checking) -> None:
    accounts = [shop(world) for _ in range(3)]
    world.clock.advance(timedelta(days=2))
    seen: list[int] = []

    checking.run(has_time=lambda: False)
    while checking.nudges:
        after = checking.nudges.pop().payload[AFTER]
        assert isinstance(after, int)
        seen.append(after)
        checking.run(has_time=lambda: False, after=seen[-1])

    assert seen == sorted(set(seen))
    assert set(accounts) <= set(seen)
    assert not set(accounts) & set(checking.check.due(AccountId(0)))


def test_two_checks_at_once_do_not_lead_each_other_back(world: World, checking: Checking) -> None:
    account = shop(world)
    checking.run()
    with world.transactions.begin(account) as uow:
        uow.credits.grant(account, "more", 1, "test")

    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda _: checking.check.check(account), range(8)))

    assert all(books.are_right for books in found)
    assert account not in checking.check.due(AccountId(0))


def test_no_alarm_is_raised_while_everything_moves(world: World, checking: Checking) -> None:
    account = shop(world, credits=100_000)
    people(world, account, 60)
    over = Event()

    def send() -> None:
        line = Pipeline.over(world, name=f"moving-{account}", seed=account)
        try:
            for _ in range(ROUNDS_MIN):
                started(world, account)
                line.dispatch_all()
                line.deliver(list(line.gateway.become(MessageState.DELIVERED)))
        finally:
            over.set()

    def grant() -> None:
        for number in itertools.takewhile(lambda _: not over.is_set(), itertools.count()):
            with world.transactions.begin(account) as uow:
                uow.credits.grant(account, f"grant:{number}", 1, "test")

    with ThreadPoolExecutor(3) as threads:
        busy = [threads.submit(send), threads.submit(grant)]
        found = [checking.check.check(account)]
        while not over.wait(0.01):
            found.append(checking.check.check(account))
        for each in busy:
            each.result()
    assert len(found) >= ROUNDS_MIN
    assert [each for each in found if not each.are_right] == []
    assert checking.run() == set()
