"""What sending may rely on about claiming batches, and the intent before the call."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import attrs
import pytest

from retail_core.audiences.model import ADULT_AGE_YEARS, years_before
from retail_core.kernel.ids import SYSTEM_ACCOUNT
from retail_core.messages.errors import LeaseLost
from retail_core.messages.model import Dropped
from retail_core.testing.kernel.clock import NOON
from tests.contracts.people import added, draft
from tests.contracts.staging import (
    ANN,
    BEN,
    LEASE,
    adults_only,
    all_claims,
    bar,
    change,
    claim,
    claimed,
    delete,
    due,
    freeze,
    intend,
    opt_out,
    pause,
    people,
    phone,
    shop,
    started,
    submitting,
    written,
)
from tests.contracts.worlds import World


class BatchClaiming:
    def test_nothing_is_claimed_where_nothing_is_due(self, world: World) -> None:
        assert claim(world) is None
        assert not due(world)

    def test_a_claim_is_leased_to_one_worker(self, world: World) -> None:
        account = shop(world)
        people(world, account, 1)
        campaign = started(world, account)

        batch = claimed(world, BEN)

        assert (batch.key.account, batch.key.campaign) == (account, campaign.id)
        assert (batch.worker, batch.attempt, batch.tries) == (BEN, 1, 0)
        assert batch.lease_until == world.clock.now() + LEASE
        assert batch.plan == campaign.plan
        assert claim(world) is None

    def test_workers_side_by_side_never_claim_the_same_batch(self, world: World) -> None:
        account = shop(world)
        people(world, account, 24)
        started(world, account, batch_messages_max=1)

        with ThreadPoolExecutor(2) as threads:
            per_worker = list(threads.map(lambda each: all_claims(world, each), (ANN, BEN)))

        claims = [batch.key for batches in per_worker for batch in batches]
        assert len(claims) == len(set(claims)) == 24

    def test_a_batch_waits_for_its_time(self, world: World) -> None:
        account = shop(world)
        people(world, account, 1)
        started(world, account)
        later = world.clock.now() + timedelta(seconds=3)
        batch = claimed(world)
        with world.transactions.begin(account) as uow:
            assert uow.batches.put_back(batch, later, failed_try=True)

        too_early = claim(world)
        early = due(world)
        world.clock.moment = later

        assert (too_early, early, due(world)) == (None, False, True)
        assert claimed(world).tries == 1

    def test_only_sending_campaigns_are_served(self, world: World) -> None:
        account = shop(world)
        people(world, account, 1)
        campaign = started(world, account)
        pause(world, campaign)

        assert claim(world) is None
        assert not due(world)

    def test_a_draft_is_not_served(self, world: World) -> None:
        account = shop(world)
        people(world, account, 1)
        freeze(world, written(world, account))

        assert claim(world) is None


class BatchIntent:
    def test_nobody_is_dropped_where_nothing_changed(self, world: World) -> None:
        account = shop(world)
        people(world, account, 3)
        started(world, account)

        assert intend(world, claimed(world), uuid4()) == {}

    def test_what_changed_since_the_claim_is_honoured(self, world: World) -> None:
        account = shop(world)
        out, barred, by_operator, moved, gone, _ = people(world, account, 6)
        started(world, account, batch_messages_max=6)
        batch = claimed(world)
        opt_out(world, account, out.id)
        bar(world, account, barred.phone)
        bar(world, SYSTEM_ACCOUNT, by_operator.phone)
        change(world, account, moved, phone=phone(account))
        delete(world, account, gone.id)

        dropped = intend(world, batch, uuid4())

        assert {batch.recipients.contacts[at]: why for at, why in dropped.items()} == {
            out.id: Dropped.OPTED_OUT,
            barred.id: Dropped.SUPPRESSED,
            by_operator.id: Dropped.SUPPRESSED,
            moved.id: Dropped.NUMBER_CHANGED,
            gone.id: Dropped.ERASED,
        }

    def test_age_is_read_again(self, world: World) -> None:
        account, today = shop(world), world.clock.now().date()
        minor, of_today, unknown, _ = people(world, account, 4)
        started(world, account, batch_messages_max=4)
        batch = claimed(world)
        birthday = years_before(today, ADULT_AGE_YEARS)
        change(world, account, minor, birthday=birthday + timedelta(days=1))
        change(world, account, of_today, birthday=birthday)

        assert intend(world, batch, uuid4()) == {0: Dropped.UNDER_AGE}
        assert unknown.birthday is None

    def test_a_store_that_must_know_ages_writes_to_nobody_of_unknown_age(
        self, world: World
    ) -> None:
        account, today = shop(world), world.clock.now().date()
        people(world, account, 1)
        people(world, account, 1, birthday=years_before(today, ADULT_AGE_YEARS))
        started(world, account)
        batch = claimed(world)
        adults_only(world, account)

        assert intend(world, batch, uuid4()) == {0: Dropped.AGE_UNKNOWN}

    def test_who_is_left_out_of_a_marked_batch_is_written_down(self, world: World) -> None:
        account, other = shop(world), shop(world)
        people(world, account, 2)
        started(world, account)
        batch, left_out = claimed(world), {1: Dropped.ERASED}
        with world.transactions.begin(account) as uow:
            uow.batches.leave_out(batch, {0: Dropped.ERASED})  # not marked yet
            uow.batches.commit_intent(batch, uuid4(), batch.lease_until, NOON.date())
            uow.batches.leave_out(batch, left_out)
        with world.transactions.begin(other) as uow:
            uow.batches.leave_out(batch, {})
        world.clock.advance(LEASE * 2)

        with world.transactions.across_accounts() as uow:
            stale = uow.batches.stale_across_accounts(world.clock.now(), 1_000)

        assert [each.dropped for each in stale if each.key == batch.key] == [left_out]

    def test_another_stores_suppressions_do_not_matter(self, world: World) -> None:
        account, other = shop(world), shop(world)
        (contact,) = people(world, account, 1)
        added(world, other, draft(contact.phone, is_subscribed=False))
        bar(world, other, contact.phone)
        started(world, account)

        assert intend(world, claimed(world), uuid4()) == {}

    def test_an_older_claim_has_lost_its_lease(self, world: World) -> None:
        account = shop(world)
        people(world, account, 1)
        started(world, account)
        old = claimed(world)
        world.clock.advance(LEASE + timedelta(seconds=1))
        with world.transactions.across_accounts() as uow:
            uow.batches.free_stale_claims_across_accounts(world.clock.now())

        with pytest.raises(LeaseLost):  # it is queued
            intend(world, old, uuid4())
        new = claimed(world)
        with pytest.raises(LeaseLost):  # the same worker's older claim is no better
            intend(world, old, uuid4())

        assert new.attempt == 2
        assert intend(world, new, uuid4()) == {}

    def test_another_worker_cannot_take_over(self, world: World) -> None:
        account = shop(world)
        people(world, account, 1)
        started(world, account)
        batch = attrs.evolve(claimed(world, ANN), worker=BEN)

        with pytest.raises(LeaseLost):
            intend(world, batch, uuid4())

    def test_a_batch_is_intended_once(self, world: World) -> None:
        account = shop(world)
        people(world, account, 1)
        started(world, account)
        batch, _ = submitting(world)

        with pytest.raises(LeaseLost):
            intend(world, batch, uuid4())

    def test_a_pause_stops_before_the_hand_over(self, world: World) -> None:
        account = shop(world)
        people(world, account, 1)
        campaign = started(world, account)
        batch = claimed(world)
        pause(world, campaign)

        with pytest.raises(LeaseLost):
            intend(world, batch, uuid4())

    def test_an_intent_does_not_see_another_accounts_rows(self, world: World) -> None:
        account, other = shop(world), shop(world)
        people(world, account, 1)
        started(world, account)
        batch = claimed(world)

        with world.transactions.begin(other) as uow, pytest.raises(LeaseLost):
            uow.batches.commit_intent(batch, uuid4(), batch.lease_until, NOON.date())
