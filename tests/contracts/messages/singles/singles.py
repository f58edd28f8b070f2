"""What sending may rely on about single messages."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest

from retail_core.contacts.model import SuppressionEntry, SuppressionReason
from retail_core.kernel.ids import SYSTEM_ACCOUNT
from retail_core.messages.model import (
    Dropped,
    MessageKind,
    SingleResult,
)
from tests.contracts.messages.singles.passing_a_stop import PassingAStop
from tests.contracts.messages.singles.settling import SingleReports, SingleSettling
from tests.contracts.messages.singles.stage import (
    SENT,
    clear,
    intend,
    planned,
    result_of,
    settle,
    single,
    to_contact,
)
from tests.contracts.staging import (
    LEASE,
    adults_only,
    bar,
    change,
    delete,
    opt_out,
    people,
    phone,
    shop,
)
from tests.contracts.worlds import World


class SinglePlanning:
    def test_an_occasion_plans_one_message(self, world: World) -> None:
        account = shop(world)
        message = planned(world, account, occasion="birthday:1:2026")
        again = single(world, account, occasion="birthday:1:2026")

        with world.transactions.begin(account) as uow:
            assert not uow.singles.add(account, again, world.clock.now())
            assert not uow.singles.add_failed(account, again, "no_sender", world.clock.now())

        assert [each.number for each in intend(world, account, uuid4())] == [message.number]

    def test_another_account_has_occasions_of_its_own(self, world: World) -> None:
        first = planned(world, shop(world), occasion="welcome:1")
        second = planned(world, shop(world), occasion="welcome:1")

        assert first.number != second.number

    def test_a_failed_attempt_is_never_sent(self, world: World) -> None:
        account = shop(world)
        message = single(world, account)

        with world.transactions.begin(account) as uow:
            assert uow.singles.add_failed(account, message, "no_sender", world.clock.now())

        assert intend(world, account, uuid4()) == []
        assert intend(world, account, uuid4(), numbers=[message.number]) == []

    def test_a_store_does_not_see_another_accounts_rows(self, world: World) -> None:
        account, other = shop(world), shop(world)
        message, ref = planned(world, account), uuid4()

        with world.transactions.begin(other) as uow:
            now = world.clock.now()
            assert not uow.singles.commit_intent(account, ref, now, now + LEASE, now.date(), 9)
        assert intend(world, other, ref, numbers=[message.number]) == []
        intend(world, account, ref)
        assert settle(world, other, ref, result_of(message, SENT)) == []
        with world.transactions.begin(other) as uow:
            assert uow.singles.put_back(account, ref, None, failed_try=False) == 0
        assert len(settle(world, account, ref, result_of(message, SENT))) == 1


class SingleIntent:
    def test_all_that_is_due_is_marked_once_in_the_order_of_the_numbers(self, world: World) -> None:
        account = shop(world)
        messages = [planned(world, account) for _ in range(3)]

        claimed = intend(world, account, uuid4())

        assert [each.number for each in claimed] == [each.number for each in messages]
        first = claimed[0]
        assert (first.phone, first.sender, first.text) == (
            messages[0].phone,
            "Shop",
            "Γεια\n{} $&",
        )
        assert (first.credits, first.reason, first.tries, first.dropped) == (2, "sms:test", 0, None)
        assert intend(world, account, uuid4()) == []

    def test_a_call_takes_no_more_than_it_may(self, world: World) -> None:
        account = shop(world)
        messages = [planned(world, account) for _ in range(3)]

        claimed = intend(world, account, uuid4(), singles_max=2)

        assert [each.number for each in claimed] == [each.number for each in messages[:2]]

    def test_what_somebody_waits_for_goes_first(self, world: World) -> None:
        account = shop(world)
        (contact,) = people(world, account, 1)
        to_contact(world, contact, account)
        test = planned(world, account)

        assert [each.number for each in intend(world, account, uuid4(), 1)] == [test.number]

    def test_a_message_waits_for_its_time_unless_it_is_asked_for(self, world: World) -> None:
        account = shop(world)
        later = world.clock.now() + timedelta(minutes=1)
        first, second = (planned(world, account, not_before=later) for _ in range(2))

        early = intend(world, account, uuid4())
        asked = intend(world, account, uuid4(), numbers=[second.number])
        world.clock.moment = later

        assert (early, [each.number for each in asked]) == ([], [second.number])
        assert [each.number for each in intend(world, account, uuid4())] == [first.number]

    def test_accounts_with_something_due_are_found(self, world: World) -> None:
        clear(world)
        account = shop(world)
        (contact,) = people(world, account, 1)
        to_contact(world, contact, account)
        waiting = shop(world)
        planned(world, waiting, not_before=world.clock.now() + LEASE)

        with world.transactions.across_accounts() as uow:
            assert uow.singles.due_account_across_accounts(world.clock.now()) == account
            assert uow.singles.due_across_accounts(world.clock.now())
        test = shop(world)
        planned(world, test)
        with world.transactions.across_accounts() as uow:
            assert uow.singles.due_account_across_accounts(world.clock.now()) == test
        clear(world)
        with world.transactions.across_accounts() as uow:
            assert not uow.singles.due_across_accounts(world.clock.now())

    def test_workers_side_by_side_never_mark_the_same_message(self, world: World) -> None:
        account = shop(world)
        messages = [planned(world, account) for _ in range(20)]

        with ThreadPoolExecutor(2) as threads:
            claims = threads.map(lambda _: intend(world, account, uuid4(), 3), range(20))

        numbers = [each.number for claimed in claims for each in claimed]
        assert sorted(numbers) == [each.number for each in messages]

    def test_whoever_may_not_get_it_is_dropped_at_the_hand_over(self, world: World) -> None:
        account = shop(world)
        out, barred, by_operator, moved, gone, _ = contacts = people(world, account, 6)
        messages = {each.id: to_contact(world, each, account) for each in contacts}
        opt_out(world, account, out.id)
        bar(world, account, barred.phone)
        bar(world, SYSTEM_ACCOUNT, by_operator.phone)
        change(world, account, moved, phone=phone(account))
        delete(world, account, gone.id)

        claimed = intend(world, account, ref := uuid4())

        dropped = {each.number: each.dropped for each in claimed if each.dropped}
        assert dropped == {
            messages[out.id].number: Dropped.OPTED_OUT,
            messages[barred.id].number: Dropped.SUPPRESSED,
            messages[by_operator.id].number: Dropped.SUPPRESSED,
            messages[moved.id].number: Dropped.NUMBER_CHANGED,
            messages[gone.id].number: Dropped.ERASED,
        }
        results = [SingleResult(each.number, SENT) for each in claimed]
        assert len(settle(world, account, ref, *results)) == 1

    def test_an_automation_reaches_nobody_known_to_be_under_age(self, world: World) -> None:
        account, today = shop(world), world.clock.now().date()
        minor, unknown = people(world, account, 2)
        messages = [to_contact(world, each, account) for each in (minor, unknown)]
        asked = to_contact(world, minor, account, kind=MessageKind.CONFIRMATION)
        change(world, account, minor, birthday=today - timedelta(days=10 * 365))

        first = {each.number: each.dropped for each in intend(world, account, uuid4())}

        assert first == {
            messages[0].number: Dropped.UNDER_AGE,
            messages[1].number: None,
            asked.number: None,
        }

    def test_a_store_that_must_know_ages_sends_no_automation_to_unknown_age(
        self, world: World
    ) -> None:
        account = shop(world)
        (unknown,) = people(world, account, 1)
        to_contact(world, unknown, account)
        adults_only(world, account)

        assert [each.dropped for each in intend(world, account, uuid4())] == [Dropped.AGE_UNKNOWN]

    def test_what_is_too_late_is_dropped_and_never_sent(self, world: World) -> None:
        account = shop(world)
        (someone,) = people(world, account, 1)
        late = world.clock.now() + timedelta(hours=48)
        expired, still = (
            to_contact(world, someone, account, expires_at=each)
            for each in (late, late + timedelta(seconds=1))
        )
        world.clock.moment = late

        claimed = intend(world, account, uuid4())

        dropped = {each.number: each.dropped for each in claimed}
        assert dropped == {expired.number: Dropped.TOO_LATE, still.number: None}
        assert [each.expires_at for each in claimed] == [expired.expires_at, still.expires_at]
        assert {each.kind for each in claimed} == {MessageKind.AUTOMATION}

    def test_a_test_minds_only_the_suppression_list(self, world: World) -> None:
        account = shop(world)
        barred, free = phone(account), phone(account)
        bar(world, account, barred)
        planned(world, account, phone=barred)
        planned(world, account, phone=free)

        assert [each.dropped for each in intend(world, account, uuid4())] == [
            Dropped.SUPPRESSED,
            None,
        ]

    @pytest.mark.parametrize(
        ("reason", "dropped"),
        [
            (SuppressionReason.STOP, None),
            (SuppressionReason.UNSUBSCRIBE, None),
            (SuppressionReason.MANUAL, Dropped.SUPPRESSED),
        ],
    )
    def test_a_confirmation_asks_also_those_who_left_by_themselves(
        self, world: World, reason: SuppressionReason, dropped: Dropped | None
    ) -> None:
        account = shop(world)
        (contact,) = people(world, account, 1, is_subscribed=False)
        entry = SuppressionEntry(phone=contact.phone, reason=reason, at=world.clock.now())
        with world.transactions.begin(account) as uow:
            uow.suppressions.add(account, entry)
        to_contact(world, contact, account, kind=MessageKind.CONFIRMATION)

        assert [each.dropped for each in intend(world, account, uuid4())] == [dropped]

    @pytest.mark.parametrize("reason", SuppressionReason)
    def test_a_confirmation_reaches_nobody_who_leaves_after_they_were_asked(
        self, world: World, reason: SuppressionReason
    ) -> None:
        account = shop(world)
        (contact,) = people(world, account, 1, is_subscribed=False)
        to_contact(world, contact, account, kind=MessageKind.CONFIRMATION)
        later = world.clock.now() + timedelta(microseconds=1)
        entry = SuppressionEntry(phone=contact.phone, reason=reason, at=later)
        with world.transactions.begin(account) as uow:
            uow.suppressions.add(account, entry)

        assert [each.dropped for each in intend(world, account, uuid4())] == [Dropped.SUPPRESSED]


class SingleMessageStoreContract(
    SinglePlanning, SingleIntent, PassingAStop, SingleSettling, SingleReports
):
    """All verbs of the port."""
