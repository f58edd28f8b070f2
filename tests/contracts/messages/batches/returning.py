"""What sending may rely on about batches that come back, and those whose worker died."""

from datetime import timedelta
from uuid import uuid4

import pytest

from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import AccountId
from retail_core.messages.composing import compose
from retail_core.messages.model import (
    ClaimedBatch,
    Dropped,
    MessageState,
)
from tests.contracts.staging import (
    BEN,
    CODES,
    LEASE,
    all_claims,
    bar,
    book,
    claim,
    claimed,
    delete,
    intend,
    people,
    results,
    shop,
    started,
    submitting,
)
from tests.contracts.worlds import World


class BatchReturning:
    @pytest.mark.parametrize("intended", [False, True])
    def test_a_batch_that_was_not_sent_is_queued_again(
        self, world: World, *, intended: bool
    ) -> None:
        account = shop(world)
        people(world, account, 1)
        started(world, account)
        batch = claimed(world)
        if intended:
            intend(world, batch, uuid4())

        assert self.put_back(world, batch)

        again = claimed(world, BEN)
        assert (again.key, again.attempt, again.tries) == (batch.key, 2, 1)
        assert (again.ref, again.recipients) == (None, batch.recipients)

    def test_whoever_lost_a_batch_cannot_put_it_back(self, world: World) -> None:
        account = shop(world)
        people(world, account, 1)
        started(world, account)
        batch = claimed(world)
        self.put_back(world, batch)
        claimed(world, BEN)

        assert not self.put_back(world, batch)

    def test_a_settled_batch_cannot_be_put_back(self, world: World) -> None:
        account = shop(world)
        people(world, account, 1)
        started(world, account)
        batch, ref = submitting(world)
        book(world, batch, ref, results(batch, ref, MessageState.SENT))

        assert not self.put_back(world, batch)
        assert claim(world) is None

    def test_putting_back_does_not_see_another_accounts_rows(self, world: World) -> None:
        account, other = shop(world), shop(world)
        people(world, account, 2)
        started(world, account)
        batch = claimed(world)

        with world.transactions.begin(other) as uow:
            assert not uow.batches.put_back(batch, None, failed_try=True)
            assert not uow.batches.split(batch, world.clock.now())

    def test_a_refused_batch_is_replaced_by_its_halves(self, world: World) -> None:
        account = shop(world)
        people(world, account, 5, first_name="Ana", email="a@example.com")
        started(world, account, text="{{firstName}} {{email}}", batch_messages_max=5)
        batch, _ = submitting(world)

        assert self.split(world, batch)

        halves = all_claims(world)
        assert sorted(len(half.recipients) for half in halves) == [2, 3]
        assert len({half.key for half in halves}) == 2
        for name in ("seqs", "contacts", "phones", "credits_per_part", "first_names", "emails"):
            joined = [each for half in halves for each in getattr(half.recipients, name)]
            assert sorted(joined) == sorted(getattr(batch.recipients, name))
        assert {half.recipients.last_names for half in halves} == {None}

    def test_halves_can_be_halved_down_to_one(self, world: World) -> None:
        account = shop(world)
        people(world, account, 3)
        started(world, account)
        sizes = []
        while batch := claim(world):
            sizes.append(len(batch.recipients))
            self.split(world, batch)
            if len(batch.recipients) == 1:
                ref = uuid4()
                intend(world, batch, ref)
                book(world, batch, ref, results(batch, ref, MessageState.FAILED))

        assert sorted(sizes) == [1, 1, 1, 2, 3]

    def test_a_batch_of_one_cannot_be_split(self, world: World) -> None:
        account = shop(world)
        people(world, account, 1)
        started(world, account)

        assert not self.split(world, claimed(world))

    def test_whoever_lost_a_batch_cannot_split_it(self, world: World) -> None:
        account = shop(world)
        people(world, account, 2)
        started(world, account)
        batch = claimed(world)
        self.put_back(world, batch)

        assert not self.split(world, batch)

    def put_back(self, world: World, batch: ClaimedBatch) -> bool:
        with world.transactions.begin(batch.key.account) as uow:
            return uow.batches.put_back(batch, None, failed_try=True)

    def split(self, world: World, batch: ClaimedBatch) -> bool:
        with world.transactions.begin(batch.key.account) as uow:
            return uow.batches.split(batch, world.clock.now())


class BatchSweeping:
    def test_a_batch_whose_worker_died_in_the_call_is_found(self, world: World) -> None:
        account = shop(world)
        people(world, account, 2)
        started(world, account)
        batch = claimed(world)
        bar(world, account, PhoneNumber(f"+{batch.recipients.phones[0]}"))
        ref = uuid4()
        intend(world, batch, ref)

        before = self.stale(world, account)
        world.clock.advance(LEASE + timedelta(seconds=1))

        (found,) = self.stale(world, account)
        assert before == []
        assert (found.key, found.ref, found.attempt) == (batch.key, ref, 1)
        assert found.recipients == batch.recipients
        assert found.dropped == {0: Dropped.SUPPRESSED}

    def test_a_claim_whose_worker_died_is_free_again(self, world: World) -> None:
        account = shop(world)
        people(world, account, 1)
        started(world, account)
        claimed(world)

        early = self.free(world)
        still_claimed = claim(world)
        world.clock.advance(LEASE + timedelta(seconds=1))
        late = self.free(world)

        assert (early, still_claimed, late >= 1) == (0, None, True)
        assert claimed(world, BEN).tries == 0

    def test_freeing_claims_leaves_what_may_be_handed_over(self, world: World) -> None:
        account = shop(world)
        people(world, account, 1)
        started(world, account)
        submitting(world)
        world.clock.advance(LEASE + timedelta(seconds=1))

        self.free(world)

        assert claim(world) is None

    def test_credits_of_the_deleted_can_still_be_counted(self, world: World) -> None:
        account = shop(world)
        short, long = people(world, account, 2, first_name="A" * 120)
        started(world, account, text="{{firstName}}" * 2 + "{{lastName|" + "B" * 200 + "}}")
        held = compose(claimed(world), CODES).credits
        delete(world, account, long.id)
        world.clock.advance(LEASE + timedelta(seconds=1))
        self.free(world)

        batch = claimed(world)

        assert list(batch.recipients.contacts) == [short.id, None]
        assert list(batch.recipients.first_names or ()) == ["A" * 120, None]
        assert compose(batch, CODES).credits == held

    def stale(self, world: World, account: AccountId) -> list[ClaimedBatch]:
        with world.transactions.across_accounts() as uow:
            found = uow.batches.stale_across_accounts(world.clock.now(), 10_000)
        return [batch for batch in found if batch.key.account == account]

    def free(self, world: World) -> int:
        with world.transactions.across_accounts() as uow:
            return uow.batches.free_stale_claims_across_accounts(world.clock.now())
