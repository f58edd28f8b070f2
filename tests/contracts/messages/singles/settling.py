"""What sending may rely on about settling single messages, and reports about them."""

from datetime import timedelta
from uuid import uuid4

import attrs
import pytest

from retail_core.kernel.ids import AccountId, ProviderId
from retail_core.messages.model import (
    Finding,
    MessageKey,
    MessageState,
    NewSingle,
    SingleShare,
)
from tests.contracts.messages.singles.stage import (
    CANCELLED,
    DELIVERED,
    FAILED,
    SENT,
    UNKNOWN,
    apply,
    intend,
    planned,
    result_of,
    settle,
    share_of,
)
from tests.contracts.staging import (
    LEASE,
    report,
    shop,
)
from tests.contracts.worlds import World


class SingleSettling:
    @pytest.mark.parametrize("state", [SENT, FAILED])
    def test_a_message_settles_its_credits_once(self, world: World, state: MessageState) -> None:
        account = shop(world)
        message, ref = planned(world, account), uuid4()
        intend(world, account, ref)

        shares = settle(world, account, ref, result_of(message, state))

        assert shares == [share_of(account, message, state)]
        assert settle(world, account, ref, result_of(message, SENT)) == []

    def test_what_is_dropped_in_the_hand_was_never_handed_over(self, world: World) -> None:
        account = shop(world)
        message, ref = planned(world, account), uuid4()
        intend(world, account, ref)

        shares = settle(world, account, ref, result_of(message, CANCELLED))

        assert shares == [share_of(account, message, CANCELLED)]
        history = world.message_queries.find(account, message.number)
        assert history is not None
        assert (history.record.state, history.submitted_at) == (CANCELLED, None)

    @pytest.mark.parametrize(
        ("told", "answer", "state"),
        [(DELIVERED, SENT, DELIVERED), (DELIVERED, FAILED, DELIVERED), (SENT, FAILED, FAILED)],
    )
    def test_a_late_answer_settles_what_was_reported_by_number_alone(
        self, world: World, told: MessageState, answer: MessageState, state: MessageState
    ) -> None:
        account = shop(world)
        message, ref = planned(world, account), uuid4()
        intend(world, account, ref)
        settle(world, account, ref, result_of(message, UNKNOWN))
        by_number = Finding.of(
            MessageKey.of_single(account, message.number), told, world.clock.now()
        )
        with world.transactions.across_accounts() as uow:
            uow.doubts.resolve_across_accounts(
                [attrs.evolve(by_number, is_certain=False)], world.clock.now()
            )

        shares = settle(world, account, ref, result_of(message, answer))

        assert shares == [share_of(account, message, answer)]
        assert settle(world, account, ref, result_of(message, answer)) == []
        history = world.message_queries.find(account, message.number)
        assert history is not None
        assert history.record.state is state

    def test_only_the_hand_over_itself_settles(self, world: World) -> None:
        account = shop(world)
        message, ref = planned(world, account), uuid4()
        assert settle(world, account, ref, result_of(message, SENT)) == []
        intend(world, account, ref)

        assert settle(world, account, uuid4(), result_of(message, SENT)) == []

    def test_an_unknown_message_keeps_its_hold_until_a_late_answer(self, world: World) -> None:
        account = shop(world)
        message, ref = planned(world, account), uuid4()
        intend(world, account, ref)

        assert settle(world, account, ref, result_of(message, UNKNOWN)) == []
        late = settle(world, account, ref, result_of(message, SENT))

        assert late == [share_of(account, message, SENT)]

    def test_what_was_surely_not_sent_waits_again(self, world: World) -> None:
        account = shop(world)
        first, second = planned(world, account), planned(world, account)
        ref, later = uuid4(), world.clock.now() + timedelta(seconds=3)
        intend(world, account, ref)

        with world.transactions.begin(account) as uow:
            back = uow.singles.put_back(
                account, ref, later, failed_try=True, numbers=[second.number]
            )

        assert back == 1
        assert intend(world, account, uuid4()) == []
        world.clock.moment = later
        (again,) = intend(world, account, uuid4())
        assert (again.number, again.tries) == (second.number, 1)
        assert settle(world, account, ref, result_of(second, SENT)) == []
        assert len(settle(world, account, ref, result_of(first, SENT))) == 1

    def test_all_of_a_call_can_be_put_back(self, world: World) -> None:
        account, ref = shop(world), uuid4()
        planned(world, account)
        planned(world, account)
        intend(world, account, ref)

        with world.transactions.begin(account) as uow:
            assert uow.singles.put_back(account, ref, None, failed_try=False) == 2

        assert [each.tries for each in intend(world, account, uuid4())] == [0, 0]

    def test_an_unknown_message_is_never_put_back(self, world: World) -> None:
        account, ref = shop(world), uuid4()
        message = planned(world, account)
        intend(world, account, ref)
        settle(world, account, ref, result_of(message, UNKNOWN))

        with world.transactions.begin(account) as uow:
            assert uow.singles.put_back(account, ref, None, failed_try=True) == 0

    def test_a_message_whose_sender_died_is_unknown(self, world: World) -> None:
        account, ref = shop(world), uuid4()
        message = planned(world, account)
        intend(world, account, ref)

        def mark() -> int:
            with world.transactions.across_accounts() as uow:
                return uow.singles.mark_unknown_across_accounts(world.clock.now())

        early = mark()
        world.clock.advance(LEASE + timedelta(seconds=1))

        assert (early, mark() >= 1, mark()) == (0, True, 0)
        assert intend(world, account, uuid4()) == []
        late = settle(world, account, ref, result_of(message, SENT))
        assert late == [share_of(account, message, SENT)]

    def test_what_is_unknown_for_too_long_settles_its_credits(self, world: World) -> None:
        account, ref = shop(world), uuid4()
        message = planned(world, account)
        intend(world, account, ref)
        settle(world, account, ref, result_of(message, UNKNOWN))

        early = self.overdue(world, account)
        world.clock.advance(timedelta(hours=73))
        first, second = self.overdue(world, account), self.overdue(world, account)

        assert (early, first, second) == ([], [share_of(account, message, UNKNOWN)], [])
        assert settle(world, account, ref, result_of(message, SENT)) == []

    def overdue(self, world: World, account: AccountId) -> list[SingleShare]:
        now = world.clock.now()
        before = now - timedelta(hours=72)
        with world.transactions.across_accounts() as uow:
            shares = uow.singles.settle_overdue_across_accounts(before, now, 1_000)
        return [each for each in shares if each.account == account]


class SingleReports:
    def test_reports_find_a_message_by_its_id_and_only_climb(self, world: World) -> None:
        message, provider_id = self.sent(world)

        for state in (DELIVERED, FAILED, SENT, DELIVERED):
            assert apply(world, report(provider_id, state)) == ([], [])

        # a message that is delivered is not in doubt: only its id names it
        unknown_id = report(ProviderId("nobody"), SENT, reference=message.number)
        assert apply(world, unknown_id) == ([unknown_id], [])

    def test_an_unknown_message_is_found_by_our_own_number(self, world: World) -> None:
        account, message = self.unknown(world)
        provider_id = ProviderId(f"late-{message.number}")

        unmatched, shares = apply(world, report(provider_id, SENT, reference=message.number))

        assert (unmatched, shares) == ([], [share_of(account, message, SENT)])
        assert apply(world, report(provider_id, DELIVERED)) == ([], [])

    def test_what_was_reported_undelivered_was_accepted(self, world: World) -> None:
        account, message = self.unknown(world)
        failed = report(ProviderId("x"), FAILED, reference=message.number)

        assert apply(world, failed)[1] == [share_of(account, message, FAILED)]

    def test_after_the_credits_are_settled_a_report_moves_only_the_state(
        self, world: World
    ) -> None:
        _, message = self.unknown(world)
        now = world.clock.now()
        with world.transactions.across_accounts() as uow:
            uow.singles.settle_overdue_across_accounts(now + LEASE, now, 1_000)

        found = apply(world, report(ProviderId("y"), DELIVERED, reference=message.number))

        assert found == ([], [])

    def test_a_report_about_nobody_stays(self, world: World) -> None:
        strange = report(ProviderId("strange"), SENT)
        waiting = planned(world, shop(world))
        early = report(ProviderId("early"), SENT, reference=waiting.number)

        assert apply(world, strange, early) == ([strange, early], [])
        assert apply(world) == ([], [])

    def sent(self, world: World) -> tuple[NewSingle, ProviderId]:
        account, ref = shop(world), uuid4()
        message = planned(world, account)
        intend(world, account, ref)
        settle(world, account, ref, result_of(message, SENT))
        return message, ProviderId(f"id-{message.number}")

    def unknown(self, world: World) -> tuple[AccountId, NewSingle]:
        account, ref = shop(world), uuid4()
        message = planned(world, account)
        intend(world, account, ref)
        settle(world, account, ref, result_of(message, UNKNOWN))
        return account, message
