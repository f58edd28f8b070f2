"""What cancelling a campaign may rely on: what waits is over at once, and is put away later."""

from collections.abc import Sequence
from uuid import uuid4

import pytest

from retail_core.campaigns.model import Campaign, CampaignCounts
from retail_core.campaigns.planning import worth
from retail_core.campaigns.use_cases import CancelCampaign, CancelledCampaign, PauseCampaign
from retail_core.kernel.ids import AccountId, ContactId
from retail_core.messages.errors import LeaseLost
from retail_core.messages.model import MessageState, ProgressChange
from retail_core.templates.rendering import Field
from tests.contracts.messages.batches.deferring import HOUR, defer, wake
from tests.contracts.staging import (
    all_claims,
    book,
    claim,
    claimed,
    delete,
    intend,
    messages,
    people,
    results,
    sent,
    shop,
    started,
    submitting,
)
from tests.contracts.worlds import World

CANCELLED = MessageState.CANCELLED
UNEQUAL = "{{firstName|all of you}} " + "x" * 60


def cancel(world: World, campaign: Campaign) -> CancelledCampaign:
    use_case = CancelCampaign(world.transactions, world.clock)
    return use_case(campaign.account_id, campaign.id)


def close(world: World, batches_max: int = 100) -> int:
    with world.transactions.across_accounts() as uow:
        return uow.batches.close_cancelled_across_accounts(batches_max)


class BatchCancelling:
    def test_all_that_wait_are_cancelled_and_never_served(self, world: World) -> None:
        account = shop(world)
        people(world, account, 8)
        campaign = started(world, account)

        cancelled = cancel(world, campaign).campaign

        assert cancelled.counts == CampaignCounts(cancelled=8)
        assert claim(world) is None
        assert cancel(world, campaign).campaign == cancelled

    def test_they_are_put_away_in_bounded_steps(self, world: World) -> None:
        account = shop(world)
        people(world, account, 10)
        campaign = started(world, account)
        now = world.clock.now()
        defer(world, claimed(world), {now + HOUR: [0, 1, 2]})
        sent(world)
        claimed(world)

        cancel(world, campaign)

        assert [close(world, 2), close(world, 2), close(world, 2)] == [2, 1, 0]
        world.clock.advance(HOUR)
        assert (wake(world), claim(world)) == (0, None)

    def test_nothing_else_is_put_away(self, world: World) -> None:
        account = shop(world)
        people(world, account, 4)
        paused, campaign, _ = [started(world, account) for _ in range(3)]
        PauseCampaign(world.transactions, world.clock)(account, paused.id)
        batch, ref = submitting(world)
        assert batch.key.campaign == campaign.id

        cancel(world, campaign)

        assert (close(world), close(world)) == (1, 0)
        assert book(world, batch, ref, results(batch, ref, MessageState.SENT))

    @pytest.mark.parametrize("is_closed", [False, True])
    def test_a_claim_is_taken_back(self, world: World, *, is_closed: bool) -> None:
        account = shop(world)
        people(world, account, 2)
        campaign = started(world, account)
        batch = claimed(world)

        assert cancel(world, campaign).campaign.counts == CampaignCounts(cancelled=2)
        if is_closed:
            close(world)

        with pytest.raises(LeaseLost):
            intend(world, batch, uuid4())
        with world.transactions.begin(account) as uow:
            was_ours = uow.batches.put_back(batch, None, failed_try=False)
        assert was_ours is not is_closed
        assert (claim(world), close(world)) == (None, 0 if is_closed else 1)

    def test_what_may_be_handed_over_is_not_taken_back(self, world: World) -> None:
        account = shop(world)
        people(world, account, 9)
        campaign = started(world, account)
        sent(world)
        batch, ref = submitting(world)

        cancelled = cancel(world, campaign).campaign

        assert cancelled.counts == CampaignCounts(queued=3, sent=3, cancelled=3)
        with world.transactions.begin(account) as uow:
            outcome = results(batch, ref, MessageState.SENT)
            assert uow.batches.settle(batch, ref, outcome, world.clock.now()) is not None

    def test_an_unknown_batch_stays_unknown_and_keeps_its_hold(self, world: World) -> None:
        account = shop(world)
        people(world, account, 4)
        campaign = started(world, account)
        batch, ref = submitting(world)
        book(world, batch, ref, results(batch, ref, MessageState.UNKNOWN))

        cancelled = cancel(world, campaign)

        assert cancelled.campaign.counts == CampaignCounts(unknown=3, cancelled=1)
        assert (cancelled.credits_released, cancelled.campaign.credits.held) == (1, 3)
        assert book(world, batch, ref, results(batch, ref, MessageState.SENT))

    def test_a_doubt_whose_hold_was_settled_holds_nothing(self, world: World) -> None:
        account, other = shop(world), shop(world)
        people(world, account, 4)
        campaign = started(world, account)
        batch, ref = submitting(world)
        book(world, batch, ref, results(batch, ref, MessageState.UNKNOWN))
        with world.transactions.begin(account) as uow:
            before = uow.doubts.held(account, campaign.id), uow.doubts.held(other, campaign.id)
        later = world.clock.now() + HOUR
        with world.transactions.across_accounts() as uow:
            (share,) = uow.doubts.settle_overdue_across_accounts(later, later, 2)
            released = ProgressChange(released=share.credits)
            uow.progress.record(account, campaign.id, released, later)
            uow.credits.settle(account, share.key, 0, share.credits, campaign.id, "test", 0)

        with world.transactions.begin(account) as uow:
            after = uow.doubts.held(account, campaign.id)

        assert (before, after) == ((3, 0), 1)
        assert cancel(world, campaign).credits_released == 1

    def test_other_campaigns_go_on(self, world: World) -> None:
        account = shop(world)
        people(world, account, 2)
        campaign, other = started(world, account), started(world, account)

        cancel(world, campaign)

        assert [batch.key.campaign for batch in all_claims(world)] == [other.id]
        assert close(world) == 1

    def test_cancelling_does_not_see_another_accounts_rows(self, world: World) -> None:
        account, other = shop(world), shop(world)
        people(world, account, 2)
        campaign = started(world, account)
        submitting(world)

        with world.transactions.begin(other) as uow:
            mine = uow.batches.in_flight_groups(other, campaign.id, frozenset())
            theirs = uow.batches.in_flight_groups(account, campaign.id, frozenset())
            assert (list(mine), list(theirs)) == ([], [])
            assert uow.doubts.held(account, campaign.id) == 0

    @pytest.mark.parametrize("shaped", [frozenset(), frozenset({Field.FIRST_NAME})])
    def test_those_in_flight_are_worth_what_was_held_for_them(
        self, world: World, shaped: frozenset[Field]
    ) -> None:
        account = shop(world)
        for name in ("Ana", "A" * 120, "Μαρία", None, "{x}"):
            people(world, account, 1, first_name=name)
        people(world, account, 1, first_name="Jean", country="FR")
        campaign = started(world, account, UNEQUAL, batch_messages_max=5)
        batch, ref = submitting(world)

        with world.transactions.begin(account) as uow:
            groups = list(uow.batches.in_flight_groups(account, campaign.id, shaped))

        held = results(batch, ref, MessageState.FAILED).credits_in(MessageState.FAILED)
        assert campaign.plan is not None
        assert worth(campaign.plan, groups) == (5, held)
        assert held < campaign.credits.held

    def test_what_comes_back_is_all_that_is_not_in_flight(self, world: World) -> None:
        account = shop(world)
        for name in ("Ana", "A" * 120, "Μαρία", None, "{x}", "B" * 120):
            people(world, account, 1, first_name=name)
        campaign = started(world, account, UNEQUAL)
        batch, ref = submitting(world)
        outcome = results(batch, ref, MessageState.FAILED)

        cancelled = cancel(world, campaign)

        still_held = outcome.credits_in(MessageState.FAILED)
        assert cancelled.campaign.credits.held == still_held
        assert cancelled.credits_released == campaign.credits.held - still_held

    def test_the_deleted_are_worth_what_was_held_for_them(self, world: World) -> None:
        account = shop(world)
        contacts = self.named(world, account, ["A" * 120, "B" * 120, "Μ" * 100, "Ana", "C" * 120])
        campaign = started(world, account, "{{firstName}}" * 2)
        submitting(world)
        for contact in (contacts[0], contacts[2], contacts[4]):
            delete(world, account, contact)

        cancelled = cancel(world, campaign)

        assert cancelled.credits_released == 1 + 2
        assert cancelled.campaign.credits.held == campaign.credits.held - 3

    @pytest.mark.parametrize("is_closed", [False, True])
    def test_the_cancelled_are_in_the_log(self, world: World, *, is_closed: bool) -> None:
        account = shop(world)
        self.named(world, account, ["Ana", "A" * 120, "B" * 120, "Bob"])
        campaign = started(world, account, "{{firstName}}" * 2, batch_messages_max=1)
        sent(world)
        gone = messages(world, campaign)[2].contact
        assert gone is not None
        delete(world, account, gone)
        defer(world, claimed(world), {world.clock.now() + HOUR: [0]})
        claimed(world)
        submitting(world)
        cancel(world, campaign)
        if is_closed:
            close(world)

        rows = messages(world, campaign)

        assert [row.state for row in rows] == [
            MessageState.SENT,
            CANCELLED,
            CANCELLED,
            MessageState.QUEUED,
        ]
        assert [row.error_code for row in rows] == [None, *["campaign_cancelled"] * 2, None]
        assert [(row.parts, row.credits) for row in rows[:3]] == [(1, 1), (2, 2), (2, 2)]
        assert rows[1].encoding is rows[2].encoding is not None
        assert rows[1].updated_at == world.clock.now()
        assert [row.number for row in messages(world, campaign, state=CANCELLED)] == [
            rows[1].number,
            rows[2].number,
        ]
        waiting = messages(world, campaign, state=MessageState.QUEUED)
        assert [row.number for row in waiting] == [rows[3].number]
        assert world.campaign_queries.deferred_until(account, campaign.id) is None

    def named(self, world: World, account: AccountId, names: Sequence[str]) -> list[ContactId]:
        return [people(world, account, 1, first_name=name)[0].id for name in names]
