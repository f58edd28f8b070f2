"""Forms that ask for a confirmation, its hand-over, and two at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest

from adapters_db.connection.connections import Connections
from retail_core.contacts.model import (
    ConsentType,
    Contact,
    OptOutLink,
    SuppressionReason,
)
from retail_core.contacts.use_cases import (
    Client,
    Unsubscribe,
)
from retail_core.engagement.errors import (
    AskedTooOften,
    StoreAskedTooMany,
)
from retail_core.kernel.ids import AccountId
from retail_core.kernel.pages import PageRequest
from retail_core.messages.model import Dropped, MessageState
from retail_core.messages.quiet_hours import BUILT_IN
from retail_core.messages.use_cases import SendSingleMessages
from retail_core.notices.model import NoticeKind
from retail_core.testing.kernel.clock import ClockPause
from retail_core.testing.kernel.randomness import SeededRandomness
from retail_core.testing.messages.gateway import FakeGateway, FakePace
from tests.answering import HASH
from tests.contracts.billing.billing import subscribed
from tests.contracts.engagement.asking import (
    bar,
    fill_in,
    held,
    kinds,
    messages,
    request,
    stranger,
    told,
)
from tests.contracts.messages.singles.stage import intend
from tests.contracts.staging import shop
from tests.contracts.worlds import World, sql_world


class TestForm:
    def test_it_asks_with_what_was_shown(self, world: World) -> None:
        account = shop(world)
        contact = stranger(world, account)

        number = fill_in(world, account, contact.id)

        assert [each.number for each in messages(world, account)] == [number]
        assert kinds(world, account, contact.id) == [ConsentType.REQUESTED]

    def test_without_credits_the_request_alone_is_written_down(self, world: World) -> None:
        account = subscribed(world)
        contact = stranger(world, account)

        assert fill_in(world, account, contact.id) is None

        assert kinds(world, account, contact.id) == [ConsentType.REQUESTED]
        assert (messages(world, account), held(world, account)) == ((), 0)
        with world.transactions.begin(account) as uow:  # so it did not count
            uow.credits.grant(account, "later", 5, "test")
        assert fill_in(world, account, contact.id) is not None

    @pytest.mark.parametrize(
        ("changes", "policy", "kind"),
        [
            ({}, {"daily_max": 0}, NoticeKind.CONFIRMATION_LIMIT),
            ({"country": "DE"}, {}, NoticeKind.CONFIRMATION_COUNTRY),
        ],
    )
    def test_what_the_store_can_mend_it_is_told(
        self, world: World, changes: dict[str, Any], policy: dict[str, Any], kind: NoticeKind
    ) -> None:
        account = shop(world)

        for _ in range(2):
            contact = stranger(world, account, **changes)
            assert fill_in(world, account, contact.id, **policy) is None

        assert told(world, account, kind)

    def test_who_was_asked_today_is_not_asked_again_and_nobody_is_bothered(
        self, world: World
    ) -> None:
        account = shop(world)
        contact = stranger(world, account)

        assert fill_in(world, account, contact.id) is not None
        assert fill_in(world, account, contact.id) is None

        assert kinds(world, account, contact.id) == [ConsentType.REQUESTED] * 2
        assert not told(world, account, NoticeKind.CONFIRMATION_LIMIT)


class TestHandOver:
    def dropped(self, world: World, account: AccountId) -> Dropped | None:
        [claimed] = intend(world, account, uuid4())
        return claimed.dropped

    def test_whoever_left_before_they_were_asked_gets_it(self, world: World) -> None:
        account = shop(world)
        contact = stranger(world, account)
        bar(world, account, contact, SuppressionReason.STOP)
        world.clock.advance(timedelta(seconds=1))
        request(world, account, contact.id)

        assert self.dropped(world, account) is None

    def test_it_is_sent_at_any_hour_and_paid_like_any_message(self, world: World) -> None:
        account = shop(world, credits=10)
        world.clock.advance(timedelta(hours=11))  # an hour to midnight in UTC
        number = request(world, account, stranger(world, account).id)
        gateway = FakeGateway()
        send = SendSingleMessages(
            world.transactions,
            gateway,
            FakePace(world.clock),
            ClockPause(world.clock),
            world.clock,
            SeededRandomness(),
            HASH,
            quiet_policy=BUILT_IN,
        )

        assert send.send(account, [number]) == 1

        [message] = messages(world, account)
        assert message.state is MessageState.SENT
        [paid] = [
            each
            for each in world.credit_queries.transactions(account, PageRequest(1, 10)).items
            if each.reason == "sms:confirmation"
        ]
        assert (paid.amount, paid.balance_after, held(world, account)) == (1, 9, 0)

    @pytest.mark.parametrize("reason", SuppressionReason)
    def test_whoever_is_barred_after_they_were_asked_does_not(
        self, world: World, reason: SuppressionReason
    ) -> None:
        account = shop(world)
        contact = stranger(world, account)
        request(world, account, contact.id)
        world.clock.advance(timedelta(seconds=1))
        bar(world, account, contact, reason)

        assert self.dropped(world, account) is Dropped.SUPPRESSED

    def test_whoever_leaves_once_more_after_they_were_asked_does_not(self, world: World) -> None:
        account = shop(world)
        contact = stranger(world, account)
        leave = Unsubscribe(world.transactions, world.clock, HASH)
        link = OptOutLink(account, contact.id, None)
        leave(link, Client())
        world.clock.advance(timedelta(seconds=1))
        request(world, account, contact.id)
        world.clock.advance(timedelta(seconds=1))
        leave(link, Client())

        assert self.dropped(world, account) is Dropped.SUPPRESSED

    def test_a_request_lapses_after_a_week(self, world: World) -> None:
        account = shop(world)
        request(world, account, stranger(world, account).id)
        world.clock.advance(timedelta(days=7))

        assert self.dropped(world, account) is Dropped.TOO_LATE


@pytest.mark.servers
class TestAtOnce:
    """PostgreSQL alone: in memory transactions are serial."""

    @pytest.fixture
    def world(self, connections: Connections) -> World:
        return sql_world(connections)

    def at_once(self, world: World, contacts: list[Contact], account: AccountId, most: int) -> int:
        """How many of these were asked."""
        barrier = Barrier(len(contacts))

        def one(contact: Contact) -> bool:
            barrier.wait()
            try:
                request(world, account, contact.id, daily_max=most)
            except (AskedTooOften, StoreAskedTooMany):
                return False
            return True

        with ThreadPoolExecutor(len(contacts)) as pool:
            return sum(pool.map(one, contacts))

    def test_of_two_clicks_one_asks(self, world: World) -> None:
        account = shop(world)
        contact = stranger(world, account)

        assert self.at_once(world, [contact] * 4, account, 200) == 1
        assert len(messages(world, account)) == held(world, account) == 1

    def test_of_many_people_so_many_are_asked_as_the_store_may(self, world: World) -> None:
        account = shop(world)
        contacts = [stranger(world, account) for _ in range(4)]

        assert self.at_once(world, contacts, account, 2) == 2
        assert len(messages(world, account)) == 2
