"""What a shop may rely on about its frequency cap: when planning, and at the hand-over."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta
from uuid import uuid4

import pytest

from retail_core.audiences.model import AudienceSpec, Exclusion, FrequencyCap
from retail_core.contacts.model import Contact
from retail_core.kernel.ids import AccountId
from retail_core.messages.model import ClaimedBatch, Dropped, MessageKind, MessageState
from tests.contracts.messages.singles import stage as single_stage
from tests.contracts.staging import (
    LEASE,
    book,
    claimed,
    opt_out,
    people,
    results,
    rules,
    shop,
    started,
)
from tests.contracts.worlds import World

WEEK = FrequencyCap(1, timedelta(days=7))
TWO = FrequencyCap(2, timedelta(days=7))
SENT, FAILED, UNKNOWN = MessageState.SENT, MessageState.FAILED, MessageState.UNKNOWN


def intend(world: World, batch: ClaimedBatch, cap: FrequencyCap | None = WEEK) -> list[int]:
    """Commit the intent; the positions of who had their share."""
    now = world.clock.now()
    with world.transactions.begin(batch.key.account) as uow:
        window = cap.at(now) if cap else None
        dropped = uow.batches.commit_intent(batch, uuid4(), now + LEASE, now.date(), window)
    assert set(dropped.values()) <= {Dropped.FREQUENCY_CAP}
    return sorted(dropped)


def sent(world: World, account: AccountId, *states: MessageState) -> None:
    """A campaign to everybody that ended in these states."""
    started(world, account, batch_messages_max=100)
    batch, ref, now = claimed(world), uuid4(), world.clock.now()
    with world.transactions.begin(account) as uow:
        uow.batches.commit_intent(batch, ref, now + LEASE, now.date())
    assert book(world, batch, ref, results(batch, ref, *states))


def automation(world: World, someone: Contact, account: AccountId, *states: MessageState) -> None:
    """An automation's message to somebody: waiting, or ended in a state."""
    message = single_stage.to_contact(world, someone, account)
    if states:
        ref = uuid4()
        single_stage.intend(world, account, ref)
        single_stage.settle(world, account, ref, single_stage.result_of(message, *states))


class BatchCapping:
    def test_without_a_cap_nobody_is_left_out(self, world: World) -> None:
        account = shop(world)
        people(world, account, 2)
        sent(world, account, SENT)
        started(world, account)

        assert intend(world, claimed(world), None) == []

    def test_who_had_their_share_is_left_out(self, world: World) -> None:
        account = shop(world)
        people(world, account, 4)
        sent(world, account, SENT, FAILED, UNKNOWN, SENT)
        people(world, account, 1)
        started(world, account, batch_messages_max=5)

        assert intend(world, claimed(world)) == [0, 2, 3]

    def test_who_had_less_is_not(self, world: World) -> None:
        account = shop(world)
        someone, _ = people(world, account, 2)
        sent(world, account, SENT)
        automation(world, someone, account, SENT)
        started(world, account)

        assert intend(world, claimed(world), TWO) == [0]

    def test_what_was_sent_before_the_span_does_not_count(self, world: World) -> None:
        account = shop(world)
        people(world, account, 2)
        sent(world, account, SENT)
        world.clock.advance(WEEK.span + timedelta(seconds=1))
        started(world, account)

        assert intend(world, claimed(world)) == []

    @pytest.mark.parametrize(
        ("states", "counts"), [((), True), ((SENT,), True), ((UNKNOWN,), True), ((FAILED,), False)]
    )
    def test_automations_count(
        self, world: World, states: Iterable[MessageState], *, counts: bool
    ) -> None:
        account = shop(world)
        _, someone = people(world, account, 2)
        automation(world, someone, account, *states)
        started(world, account)

        assert intend(world, claimed(world)) == ([1] if counts else [])

    def test_tests_and_confirmations_do_not_count(self, world: World) -> None:
        account = shop(world)
        (someone,) = people(world, account, 1)
        single_stage.planned(world, account, phone=someone.phone)
        single_stage.to_contact(world, someone, account, kind=MessageKind.CONFIRMATION)
        single_stage.intend(world, account, uuid4())
        started(world, account)

        assert intend(world, claimed(world)) == []

    def test_what_another_campaign_is_handing_over_counts_and_what_it_plans_does_not(
        self, world: World
    ) -> None:
        account = shop(world)
        people(world, account, 2)
        started(world, account)
        started(world, account)
        first, second = claimed(world), claimed(world)

        assert intend(world, first) == []
        assert intend(world, second) == [0, 1]

    def test_two_intents_at_once_do_not_count_past_each_other(self, world: World) -> None:
        account = shop(world)
        people(world, account, 2)
        started(world, account)
        started(world, account)
        first, second = claimed(world), claimed(world)
        now = world.clock.now()

        with ThreadPoolExecutor(1) as threads:
            with world.transactions.begin(account) as uow:
                uow.batches.commit_intent(first, uuid4(), now + LEASE, now.date(), WEEK.at(now))
                later = threads.submit(intend, world, second)
                wait([later], timeout=0.2)
            assert later.result() == [0, 1]

    def test_who_was_left_out_there_can_be_sent_to_here(self, world: World) -> None:
        account = shop(world)
        someone, _ = people(world, account, 2)
        automation(world, someone, account, SENT)
        started(world, account)
        started(world, account)

        assert intend(world, claimed(world)) == [0]
        assert intend(world, claimed(world), TWO) == []

    def test_another_reason_goes_first(self, world: World) -> None:
        account = shop(world)
        someone, _ = people(world, account, 2)
        sent(world, account, SENT)
        started(world, account)
        batch, now = claimed(world), world.clock.now()
        opt_out(world, account, someone.id)

        with world.transactions.begin(account) as uow:
            dropped = uow.batches.commit_intent(
                batch, uuid4(), now + LEASE, now.date(), WEEK.at(now)
            )

        assert dropped == {0: Dropped.OPTED_OUT, 1: Dropped.FREQUENCY_CAP}

    def test_counting_does_not_see_another_accounts_rows(self, world: World) -> None:
        account, other = shop(world), shop(world)
        (mine,) = people(world, account, 1)
        people(world, other, 1)
        automation(world, mine, account, SENT)
        sent(world, account, SENT)
        started(world, other)

        assert intend(world, claimed(world)) == []


class AudienceCapping:
    """When planning, what waits in other campaigns counts as well."""

    def test_who_had_their_share_or_is_to_get_it_is_left_out(self, world: World) -> None:
        account = shop(world)
        people(world, account, 3)
        sent(world, account, SENT, FAILED, SENT)
        _, planned = people(world, account, 2)
        automation(world, planned, account)

        assert self.left_out(world, account, WEEK) == 3
        assert self.left_out(world, account, TWO) == 0
        assert self.left_out(world, account, None) == 0
        started(world, account)
        assert self.left_out(world, account, WEEK) == 5
        world.clock.advance(WEEK.span + timedelta(seconds=1))
        assert self.left_out(world, account, WEEK) == 5

    def test_each_contact_counts_under_the_first_reason(self, world: World) -> None:
        account = shop(world)
        someone, _ = people(world, account, 2)
        sent(world, account, SENT)
        opt_out(world, account, someone.id)

        capped = rules(world, cap=WEEK)
        count = world.audience_queries.count(account, AudienceSpec(), capped)

        assert (count.matched, count.recipients) == (2, 0)
        assert count.excluded[Exclusion.NOT_SUBSCRIBED] == 1
        assert count.excluded[Exclusion.FREQUENCY_CAP] == 1

    def test_why_somebody_is_left_out_can_be_told(self, world: World) -> None:
        account = shop(world)
        (someone,) = people(world, account, 1)
        sent(world, account, SENT)

        capped = rules(world, cap=WEEK)
        told = world.audience_queries.explain(account, AudienceSpec(), capped, someone.id)

        assert told is not None
        assert told.reason is Exclusion.FREQUENCY_CAP

    def test_the_cap_does_not_see_another_accounts_rows(self, world: World) -> None:
        account, other = shop(world), shop(world)
        people(world, account, 2)
        people(world, other, 2)
        sent(world, account, SENT)

        assert self.left_out(world, other, WEEK) == 0

    def left_out(self, world: World, account: AccountId, cap: FrequencyCap | None) -> int:
        found = world.audience_queries.count(account, AudienceSpec(), rules(world, cap=cap))
        members, _ = world.audience_queries.members(
            account, AudienceSpec(), rules(world, cap=cap), name=None, members_max=1
        )
        assert members == found.recipients
        return found.excluded[Exclusion.FREQUENCY_CAP]
