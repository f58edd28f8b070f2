"""What the contacts room may rely on about traces of people in messages."""

from uuid import uuid4

from retail_core.messages.model import MessageState
from tests.contracts.messages.messages import OnAClearStage
from tests.contracts.messages.singles.stage import intend, planned, result_of, settle
from tests.contracts.staging import (
    book,
    delete,
    messages,
    people,
    results,
    sent,
    shop,
    started,
    submitting,
)
from tests.contracts.worlds import World

QUEUED, SENT, UNKNOWN = MessageState.QUEUED, MessageState.SENT, MessageState.UNKNOWN


class MessageTracesContract(OnAClearStage):
    def test_whoever_is_deleted_leaves_no_trace_among_sent_and_waiting(self, world: World) -> None:
        account = shop(world)
        gone, stays = people(world, account, 2, first_name="Ana", email="a@example.com")
        first = started(world, account, text="{{firstName}} {{email}}")
        sent(world)
        second = started(world, account, text="{{firstName}} {{email}}")

        delete(world, account, gone.id)

        for campaign in (first, second):
            row, other = messages(world, campaign)
            assert (row.contact, row.phone, row.first_name, row.email) == (None,) * 4
            assert (other.contact, other.phone, other.first_name, other.email) == (
                stays.id,
                stays.phone,
                "Ana",
                "a@example.com",
            )

    def test_the_rows_stay_for_the_books(self, world: World) -> None:
        account = shop(world)
        (gone,) = people(world, account, 1)
        campaign = started(world, account)
        sent(world)

        delete(world, account, gone.id)

        (row,) = messages(world, campaign)
        assert (row.state, row.parts, row.credits) == (SENT, 1, 1)
        assert row.provider_id is not None

    def test_whoever_is_deleted_while_being_handed_over_is_forgotten_too(
        self, world: World
    ) -> None:
        account = shop(world)
        (gone,) = people(world, account, 1, first_name="Ana")
        campaign = started(world, account, text="{{firstName}}")
        batch, ref = submitting(world)
        delete(world, account, gone.id)

        book(world, batch, ref, results(batch, ref, SENT))

        (row,) = messages(world, campaign)
        assert (row.state, row.contact, row.phone, row.first_name) == (SENT, None, None, None)

    def test_several_are_forgotten_at_once_and_counted(self, world: World) -> None:
        account = shop(world)
        first, second, third = people(world, account, 3, first_name="Ana")
        campaign = started(world, account, text="{{firstName}}")
        sent(world)
        waiting = started(world, account, text="{{firstName}}")

        with world.transactions.begin(account) as uow:
            forgotten = uow.message_traces.forget(account, [first.id, third.id])
            again = uow.message_traces.forget(account, [first.id, third.id])

        assert (forgotten, again) == (4, 0)
        for each in (campaign, waiting):
            assert [row.contact for row in messages(world, each)] == [None, second.id, None]

    def test_whoever_is_just_being_written_to_is_told(self, world: World) -> None:
        account = shop(world)
        (busy,) = people(world, account, 1)
        started(world, account)

        with world.transactions.begin(account) as uow:
            before = uow.message_traces.hold(account, busy.id)
        batch, ref = submitting(world)
        with world.transactions.begin(account) as uow:
            during = uow.message_traces.hold(account, busy.id)
        book(world, batch, ref, results(batch, ref, SENT))
        with world.transactions.begin(account) as uow:
            after = uow.message_traces.hold(account, busy.id)

        assert (before, during, after) == (False, True, False)

    def test_whoever_is_just_sent_a_test_message_is_told(self, world: World) -> None:
        account = shop(world)
        busy, other = people(world, account, 2)
        test, ref = planned(world, account, phone=busy.phone), uuid4()
        intend(world, account, ref)

        with world.transactions.begin(account) as uow:
            during = [uow.message_traces.hold(account, each.id) for each in (busy, other)]
        settle(world, account, ref, result_of(test, SENT))
        with world.transactions.begin(account) as uow:
            after = uow.message_traces.hold(account, busy.id)
            uow.person_traces.forget(account, busy.id, busy.phone)

        assert (during, after) == ([True, False], False)
        [row] = world.message_queries.of_occasions(account, [test.occasion])
        assert (row.phone, row.text) == (None, None)

    def test_holding_does_not_see_another_accounts_rows(self, world: World) -> None:
        account, other = shop(world), shop(world)
        (busy,) = people(world, account, 1)
        started(world, account)
        submitting(world)

        with world.transactions.begin(other) as uow:
            assert not uow.message_traces.hold(other, busy.id)
            assert not uow.message_traces.hold(account, busy.id)

    def test_forgetting_does_not_see_another_accounts_rows(self, world: World) -> None:
        account, other = shop(world), shop(world)
        people(world, account, 1)
        (contact,) = people(world, account, 1)
        campaign = started(world, account)
        before = messages(world, campaign)

        with world.transactions.begin(other) as uow:
            uow.message_traces.forget(other, [contact.id])
            uow.message_traces.forget(account, [contact.id])

        assert messages(world, campaign) == before
