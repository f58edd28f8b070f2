"""What steering a campaign may rely on about cancelling the batches that wait."""

from collections.abc import Sequence
from uuid import uuid4

import pytest

from retail_core.campaigns.model import Campaign
from retail_core.campaigns.planning import credits_of
from retail_core.kernel.ids import AccountId, ContactId
from retail_core.messages.errors import LeaseLost
from retail_core.messages.model import MergeGroup, MessageState
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


class BatchCancelling:
    def test_all_that_wait_are_cancelled_and_never_served(self, world: World) -> None:
        account = shop(world)
        people(world, account, 8)
        campaign = started(world, account)

        assert self.cancel(world, campaign) == 8

        assert claim(world) is None
        assert self.cancel(world, campaign) == 0

    def test_a_claim_is_taken_back(self, world: World) -> None:
        account = shop(world)
        people(world, account, 2)
        campaign = started(world, account)
        batch = claimed(world)

        assert self.cancel(world, campaign) == 2

        with pytest.raises(LeaseLost):
            intend(world, batch, uuid4())
        with world.transactions.begin(account) as uow:
            assert not uow.batches.put_back(batch, None, failed_try=False)

    def test_what_may_be_handed_over_is_not_taken_back(self, world: World) -> None:
        account = shop(world)
        people(world, account, 9)
        campaign = started(world, account)
        sent(world)
        batch, ref = submitting(world)

        assert self.cancel(world, campaign) == 3

        with world.transactions.begin(account) as uow:
            outcome = results(batch, ref, MessageState.SENT)
            assert uow.batches.settle(batch, ref, outcome, world.clock.now()) is not None

    def test_an_unknown_batch_stays_unknown(self, world: World) -> None:
        account = shop(world)
        people(world, account, 2)
        campaign = started(world, account)
        batch, ref = submitting(world)
        book(world, batch, ref, results(batch, ref, MessageState.UNKNOWN))

        assert self.cancel(world, campaign) == 0

        assert book(world, batch, ref, results(batch, ref, MessageState.SENT))

    def test_other_campaigns_go_on(self, world: World) -> None:
        account = shop(world)
        people(world, account, 2)
        campaign, other = started(world, account), started(world, account)

        self.cancel(world, campaign)

        assert [batch.key.campaign for batch in all_claims(world)] == [other.id]

    def test_cancelling_does_not_see_another_accounts_rows(self, world: World) -> None:
        account, other = shop(world), shop(world)
        people(world, account, 2)
        campaign = started(world, account)

        with world.transactions.begin(other) as uow:
            assert uow.batches.cancel_waiting(other, campaign.id) == 0
            assert uow.batches.cancel_waiting(account, campaign.id) == 0
        self.cancel(world, campaign)
        with world.transactions.begin(other) as uow:
            mine = uow.batches.cancelled_groups(other, campaign.id, plain_as_length=False)
            theirs = uow.batches.cancelled_groups(account, campaign.id, plain_as_length=False)
            assert (list(mine), list(theirs)) == ([], [])

    @pytest.mark.parametrize("plain_as_length", [False, True])
    def test_the_cancelled_are_worth_what_was_held_for_them(
        self, world: World, *, plain_as_length: bool
    ) -> None:
        account = shop(world)
        for name in ("Ana", "A" * 120, "Μαρία", None, "{x}"):
            people(world, account, 1, first_name=name)
        people(world, account, 1, first_name="Jean", country="FR")
        campaign = started(world, account, "{{firstName|all of you}} " + "x" * 60)
        first = claimed(world)
        ref = uuid4()
        intend(world, first, ref)

        self.cancel(world, campaign)

        outcome = results(first, ref, MessageState.FAILED)
        still_held = outcome.credits_in(MessageState.FAILED)
        worth = self.worth(world, campaign, plain_as_length=plain_as_length)
        assert worth == campaign.credits.held - still_held

    def test_the_deleted_are_worth_what_was_held_for_them(self, world: World) -> None:
        account = shop(world)
        contacts = self.named(world, account, ["A" * 120, "B" * 120, "Μ" * 100])
        campaign = started(world, account, "{{firstName}}" * 2)
        delete(world, account, contacts[0])
        delete(world, account, contacts[2])

        self.cancel(world, campaign)
        delete(world, account, contacts[1])

        assert self.worth(world, campaign, plain_as_length=True) == campaign.credits.held

    def test_the_cancelled_are_in_the_log(self, world: World) -> None:
        account = shop(world)
        self.named(world, account, ["Ana", "A" * 120, "B" * 120])
        campaign = started(world, account, "{{firstName}}" * 2, batch_messages_max=1)
        sent(world)
        gone = messages(world, campaign)[2].contact
        assert gone is not None
        delete(world, account, gone)
        with world.transactions.begin(account) as uow:
            recipients = uow.batches.cancel_waiting(account, campaign.id)
            uow.campaigns.cancel(account, campaign.id, recipients, 0, world.clock.now())

        rows = messages(world, campaign)

        assert [row.state for row in rows] == [MessageState.SENT, CANCELLED, CANCELLED]
        assert [row.error_code for row in rows] == [None, *["campaign_cancelled"] * 2]
        assert [(row.parts, row.credits) for row in rows] == [(1, 1), (2, 2), (2, 2)]
        assert rows[1].encoding is rows[2].encoding is not None
        assert rows[1].updated_at == world.clock.now()
        assert [row.number for row in messages(world, campaign, state=CANCELLED)] == [
            rows[1].number,
            rows[2].number,
        ]
        assert messages(world, campaign, state=MessageState.QUEUED) == ()

    def named(self, world: World, account: AccountId, names: Sequence[str]) -> list[ContactId]:
        return [people(world, account, 1, first_name=name)[0].id for name in names]

    def cancel(self, world: World, campaign: Campaign) -> int:
        with world.transactions.begin(campaign.account_id) as uow:
            return uow.batches.cancel_waiting(campaign.account_id, campaign.id)

    def worth(self, world: World, campaign: Campaign, *, plain_as_length: bool) -> int:
        with world.transactions.begin(campaign.account_id) as uow:
            groups: list[MergeGroup] = list(
                uow.batches.cancelled_groups(
                    campaign.account_id, campaign.id, plain_as_length=plain_as_length
                )
            )
        assert campaign.plan is not None
        return credits_of(campaign.plan, groups)
