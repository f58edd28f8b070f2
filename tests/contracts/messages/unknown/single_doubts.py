"""What sending may rely on about single messages in doubt, or without a final state."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

import attrs
import pytest

from retail_core.kernel.ids import AccountId, ProviderId
from retail_core.messages.model import (
    LOOK_UP_AFTER,
    NO_CAMPAIGN,
    REPORTED_EARLIER_MAX,
    REPORTED_LATER_MAX,
    Askable,
    DeliveryReport,
    Finding,
    MessageKey,
    MessageState,
    NewSingle,
    Resolved,
)
from tests.contracts.messages.singles import stage as single_stage
from tests.contracts.messages.unknown.doubts import in_doubt
from tests.contracts.messages.unknown.look_ups import due, note, put_off
from tests.contracts.staging import clear_the_stage, messages, report, shop
from tests.contracts.worlds import World

SENT, FAILED, UNKNOWN = MessageState.SENT, MessageState.FAILED, MessageState.UNKNOWN
DELIVERED = MessageState.DELIVERED
SECOND = timedelta(seconds=1)


def handed_over(world: World, account: AccountId, state: MessageState, **changes: Any) -> NewSingle:
    """A test message whose call ended in a state."""
    message, ref = single_stage.planned(world, account, **changes), uuid4()
    single_stage.intend(world, account, ref, numbers=[message.number])
    single_stage.settle(world, account, ref, single_stage.result_of(message, state))
    return message


def key(account: AccountId, message: NewSingle) -> MessageKey:
    return MessageKey.of_single(account, message.number)


def park_and_take(world: World, *reports: DeliveryReport) -> Sequence[Finding]:
    with world.transactions.across_accounts() as uow:
        uow.reports.park(reports, world.clock.now())
    with world.transactions.across_accounts() as uow:
        return uow.doubts.take_matching_reports_across_accounts(world.clock.now(), 1_000)


def resolve(world: World, *findings: Finding) -> Sequence[Resolved]:
    with world.transactions.across_accounts() as uow:
        return uow.doubts.resolve_across_accounts(findings, world.clock.now())


class OnAClearStage:
    @pytest.fixture(autouse=True)
    def _stage(self, world: World) -> None:
        clear_the_stage(world)


class SingleMatching(OnAClearStage):
    """A part of the contract of `DoubtStore`."""

    def test_a_number_names_its_only_unknown_single_message(self, world: World) -> None:
        account = shop(world)
        message = handed_over(world, account, UNKNOWN)
        stranger, now = ProviderId(f"p-{message.number}"), world.clock.now()

        findings = park_and_take(world, report(stranger, DELIVERED, now, phone=message.phone))

        told = Finding.of(key(account, message), DELIVERED, now, stranger)
        assert list(findings) == [attrs.evolve(told, is_certain=False)]

    def test_what_was_found_by_number_is_found_by_the_same_id_again_and_by_no_other(
        self, world: World
    ) -> None:
        account = shop(world)
        message, now = handed_over(world, account, UNKNOWN), world.clock.now()
        one, two = (ProviderId(f"{each}-{message.number}") for each in ("one", "two"))

        def told(stranger: ProviderId) -> Sequence[Finding]:
            return park_and_take(world, report(stranger, SENT, now, phone=message.phone))

        resolve(world, *told(one))

        assert [len(told(stranger)) for stranger in (two, one)] == [0, 1]

    def test_a_report_by_number_alone_moves_the_state_and_no_credits(self, world: World) -> None:
        account = shop(world)
        message, now = handed_over(world, account, UNKNOWN), world.clock.now()
        by_number = Finding.of(key(account, message), SENT, now, ProviderId("theirs"))

        [moved] = resolve(world, attrs.evolve(by_number, is_certain=False))
        [settled] = resolve(world, Finding.of(key(account, message), DELIVERED, now))

        assert (moved.after, moved.credits) == (SENT, 0)
        assert (settled.before, settled.after, settled.credits) == (
            SENT,
            DELIVERED,
            message.credits,
        )
        record = world.message_queries.find(account, message.number)
        assert record is not None
        assert record.record.provider_id is None

    def test_a_report_by_number_alone_leaves_the_rest_to_the_policy(self, world: World) -> None:
        account = shop(world)
        message, now = handed_over(world, account, UNKNOWN), world.clock.now()
        by_number = Finding.of(key(account, message), SENT, now)
        resolve(world, attrs.evolve(by_number, is_certain=False))
        world.clock.advance(SECOND)

        with world.transactions.across_accounts() as uow:
            now = world.clock.now()
            shares = uow.singles.settle_overdue_across_accounts(now, now, 1_000)
        settled = resolve(world, Finding.of(key(account, message), DELIVERED, now))

        settled_by_policy = [each.credits for each in shares if each.number == message.number]
        assert settled_by_policy == [message.credits]
        assert [each.credits for each in settled] == [0]

    def test_our_number_with_another_phone_is_not_ours(self, world: World) -> None:
        account = shop(world)
        message, other = (handed_over(world, account, UNKNOWN) for _ in range(2))
        told = self.told(world, other.phone, DELIVERED)

        with world.transactions.across_accounts() as uow:
            unmatched, shares = uow.singles.apply_reports_across_accounts(
                [attrs.evolve(told, reference=message.number)], world.clock.now()
            )

        assert (len(unmatched), list(shares)) == (1, [])

    def test_a_campaigns_message_and_a_single_one_of_a_number_are_told_apart_by_nobody(
        self, world: World
    ) -> None:
        account = shop(world)
        campaign = in_doubt(world, 1, account=account)
        phone = messages(world, campaign)[0].phone
        handed_over(world, account, UNKNOWN, phone=phone)

        assert not park_and_take(world, self.told(world, phone, DELIVERED))

    def test_two_single_messages_of_a_number_are_told_apart_by_nobody(self, world: World) -> None:
        account = shop(world)
        first = handed_over(world, account, UNKNOWN)
        handed_over(world, account, UNKNOWN, phone=first.phone)

        assert not park_and_take(world, self.told(world, first.phone, DELIVERED))

    def test_while_a_single_message_is_submitted_its_number_names_nobody(
        self, world: World
    ) -> None:
        account, ref = shop(world), uuid4()
        campaign = in_doubt(world, 1, account=account)
        phone = messages(world, campaign)[0].phone
        message = single_stage.planned(world, account, phone=phone)
        single_stage.intend(world, account, ref)

        meanwhile = park_and_take(world, self.told(world, phone, SENT))
        single_stage.settle(world, account, ref, single_stage.result_of(message, SENT))

        assert not meanwhile
        assert [each.message.campaign for each in park_and_take(world)] == [campaign.id]

    def test_a_report_of_a_known_single_message_is_about_no_other(self, world: World) -> None:
        account = shop(world)
        campaign = in_doubt(world, 1, account=account)
        phone = messages(world, campaign)[0].phone
        known = handed_over(world, account, SENT, phone=phone)

        assert not park_and_take(
            world, report(ProviderId(f"id-{known.number}"), DELIVERED, phone=phone)
        )

    @pytest.mark.parametrize(
        ("ago", "matches"),
        [
            (REPORTED_EARLIER_MAX, True),
            (REPORTED_EARLIER_MAX + SECOND, False),
            (-REPORTED_LATER_MAX, True),
            (-REPORTED_LATER_MAX - SECOND, False),
        ],
    )
    def test_a_number_of_a_single_message_counts_only_within_the_window(
        self, world: World, ago: timedelta, *, matches: bool
    ) -> None:
        message = handed_over(world, shop(world), UNKNOWN)
        told = self.told(world, message.phone, SENT, at=world.clock.now() - ago)

        assert bool(park_and_take(world, told)) is matches

    def told(self, world: World, phone: Any, state: MessageState, at: Any = None) -> DeliveryReport:
        """A report whose id nobody knows."""
        stranger = ProviderId(f"stranger-{uuid4()}")
        return report(stranger, state, at or world.clock.now(), phone=phone)


class SingleResolving(OnAClearStage):
    """A part of the contract of `DoubtStore`."""

    @pytest.mark.parametrize("state", [SENT, FAILED, DELIVERED])
    def test_a_single_message_leaves_doubt_once_and_its_credits_move_once(
        self, world: World, state: MessageState
    ) -> None:
        account = shop(world)
        message = handed_over(world, account, UNKNOWN)
        finding = Finding.of(key(account, message), state, world.clock.now(), error="it failed")

        first, again = resolve(world, finding), resolve(world, finding)

        assert list(first) == [
            Resolved(key(account, message), UNKNOWN, state, message.credits, message.reason)
        ]
        assert list(again) == []
        found = world.message_queries.find(account, message.number)
        assert found is not None
        assert (found.record.state, found.record.error_code) == (state, None)
        assert found.record.error == ("it failed" if state is FAILED else None)

    def test_states_of_single_messages_only_climb(self, world: World) -> None:
        account = shop(world)
        message = handed_over(world, account, SENT)
        later, now = world.clock.now() + SECOND, world.clock.now()
        for state in (DELIVERED, FAILED):
            resolve(world, Finding.of(key(account, message), state, later))

        found = world.message_queries.find(account, message.number)
        assert found is not None
        record = found.record
        assert (record.state, record.sent_at) == (DELIVERED, now)
        assert (record.delivered_at, record.failed_at) == (later, later)

    def test_a_finding_with_another_id_changes_no_single_message(self, world: World) -> None:
        account = shop(world)
        message = handed_over(world, account, SENT)
        other = ProviderId("somebody else's")

        assert not resolve(
            world, Finding.of(key(account, message), DELIVERED, world.clock.now(), other)
        )

    def test_what_was_never_handed_over_is_not_resolved(self, world: World) -> None:
        account = shop(world)
        message = single_stage.planned(world, account)

        assert not resolve(world, Finding.of(key(account, message), SENT, world.clock.now()))

    def test_single_messages_in_doubt_come_before_those_of_campaigns(self, world: World) -> None:
        account = shop(world)
        campaign = in_doubt(world, 2, account=account)
        singles = [handed_over(world, account, UNKNOWN) for _ in range(3)]
        wanted = [key(account, each) for each in singles]

        with world.transactions.begin(account) as uow:
            every = uow.doubts.waiting_across_accounts(None, None, 100)
            only = uow.doubts.waiting_across_accounts(NO_CAMPAIGN, None, 100)
            after = uow.doubts.waiting_across_accounts(None, wanted[1], 2)
            last = uow.doubts.waiting_across_accounts(None, after[-1].message, 10)

        assert [each.message for each in only] == wanted
        assert [each.message for each in every[:3]] == wanted
        assert [each.message.campaign for each in every[3:]] == [campaign.id] * 2
        assert [each.message for each in (*after, *last)] == [each.message for each in every[2:]]
        doubt = only[0]
        assert (doubt.number, doubt.credits, doubt.credits_settled) == (singles[0].number, 2, False)
        assert (doubt.since, doubt.provider_id) == (world.clock.now(), None)

    def test_resolving_does_not_see_another_accounts_single_messages(self, world: World) -> None:
        account, other = shop(world), shop(world)
        message = handed_over(world, account, UNKNOWN)
        finding = Finding.of(key(account, message), SENT, world.clock.now())

        with world.transactions.begin(other) as uow:
            assert not uow.doubts.resolve_across_accounts([finding], world.clock.now())
            assert not uow.doubts.waiting_across_accounts(NO_CAMPAIGN, None, 100)


class SingleLookUps(OnAClearStage):
    """A part of the contract of `LookUpStore`."""

    def test_a_single_message_is_due_at_each_age_and_then_no_more(self, world: World) -> None:
        handed_over(world, shop(world), SENT)
        sent_at, asked = world.clock.now(), []

        for minutes in range(0, 4 * 24 * 60, 5):
            world.clock.moment = sent_at + timedelta(minutes=minutes)
            found = due(world)
            note(world, found)
            asked += [world.clock.now() - sent_at for _ in found]

        assert asked == list(LOOK_UP_AFTER)

    def test_only_single_messages_with_an_id_and_without_an_end_are_due(self, world: World) -> None:
        account = shop(world)
        waiting, since = handed_over(world, account, SENT), world.clock.now()
        ended = handed_over(world, account, SENT)
        for state in (FAILED, UNKNOWN):
            handed_over(world, account, state)
        resolve(world, Finding.of(key(account, ended), DELIVERED, world.clock.now()))
        world.clock.advance(LOOK_UP_AFTER[0])

        assert list(due(world)) == [
            Askable(
                key(account, waiting),
                waiting.number,
                ProviderId(f"id-{waiting.number}"),
                SENT,
                since,
            )
        ]

    def test_a_single_message_that_is_put_off_is_due_at_its_time(self, world: World) -> None:
        handed_over(world, shop(world), SENT)
        world.clock.advance(LOOK_UP_AFTER[0])
        [message] = due(world)
        put_off(world, message, timedelta(minutes=7))

        early = due(world)
        world.clock.advance(timedelta(minutes=7))

        assert ([*early], [*due(world)]) == ([], [message])

    def test_single_messages_leave_room_for_those_of_campaigns(self, world: World) -> None:
        account = shop(world)
        for _ in range(5):
            handed_over(world, account, SENT)
        in_doubt(world, 3, SENT, account=account)
        world.clock.advance(LOOK_UP_AFTER[0])

        found = due(world, messages_max=4)

        assert sorted(each.message.is_single for each in found) == [False, False, True, True]

    def test_single_messages_of_stores_take_turns(self, world: World) -> None:
        many = shop(world)
        for _ in range(5):
            handed_over(world, many, SENT)
        world.clock.advance(SECOND)
        few = handed_over(world, shop(world), SENT)
        world.clock.advance(LOOK_UP_AFTER[0])

        assert few.number in [each.number for each in due(world, messages_max=4)]

    def test_single_messages_are_found_by_their_ids(self, world: World) -> None:
        account, other = shop(world), shop(world)
        message = handed_over(world, account, SENT)
        ids = [ProviderId(f"id-{message.number}"), ProviderId("nobody's")]

        with world.transactions.begin(account) as uow:
            assert [each.number for each in uow.look_ups.find(account, ids)] == [message.number]
        with world.transactions.begin(other) as uow:
            assert not uow.look_ups.find(other, ids)
            assert not uow.look_ups.find(account, ids)
