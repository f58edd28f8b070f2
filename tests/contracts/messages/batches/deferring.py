"""What sending may rely on about batches that wait for the end of quiet hours."""

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from uuid import uuid4

import pytest

from retail_core.accounts.model import ProfileChanges, QuietHours, Weekday
from retail_core.campaigns.use_cases import CancelCampaign
from retail_core.kernel.ids import AccountId
from retail_core.messages.composing import compose
from retail_core.messages.model import ClaimedBatch, MessageState
from tests.contracts.staging import (
    ANN,
    BEN,
    CODES,
    all_claims,
    book,
    claim,
    claimed,
    delete,
    intend,
    messages,
    people,
    results,
    shop,
    started,
)
from tests.contracts.worlds import World

HOUR = timedelta(hours=1)
Waits = Mapping[datetime, Sequence[int]]


class PowerCut(Exception):
    """The process dies here."""


def defer(
    world: World,
    batch: ClaimedBatch,
    waits: Waits,
    account: AccountId | None = None,
    *,
    dies: bool = False,
) -> bool:
    """Let some wait; False if the batch is not ours any more."""
    with world.transactions.begin(account or batch.key.account) as uow:
        uow.progress.lock_unless_cancelled(batch.key.account, batch.key.campaign)
        is_ours = uow.batches.defer(batch, waits)
        if dies:
            raise PowerCut
    return is_ours


def nights_of(now: datetime, seconds: Sequence[int]) -> Waits:
    """Each waits so many seconds; 0: not at all."""
    found: dict[datetime, list[int]] = {}
    for position, night in enumerate(seconds):
        if night:
            found.setdefault(now + timedelta(seconds=night), []).append(position)
    return found


def wake(world: World, batches_max: int = 1_000) -> int:
    with world.transactions.across_accounts() as uow:
        return uow.batches.wake_across_accounts(world.clock.now(), batches_max)


def submitted(world: World, batch: ClaimedBatch) -> list[int]:
    """Hand over and book a batch; the seqs of who was sent to."""
    ref = uuid4()
    assert not intend(world, batch, ref)
    assert book(world, batch, ref, results(batch, ref, MessageState.SENT))
    return list(batch.recipients.seqs)


def put_back(world: World, batch: ClaimedBatch) -> bool:
    with world.transactions.begin(batch.key.account) as uow:
        return uow.batches.put_back(batch, None, failed_try=True)


def seqs(*batches: ClaimedBatch) -> list[list[int]]:
    return [list(batch.recipients.seqs) for batch in batches]


class BatchDeferring:
    def test_some_wait_for_their_moments_and_the_others_stay_in_hand(self, world: World) -> None:
        account = shop(world)
        people(world, account, 6, first_name="Ann")
        started(world, account, "Hello {{firstName}}", batch_messages_max=6)
        batch = claimed(world)
        now = world.clock.now()

        assert defer(world, batch, {now + 2 * HOUR: [0, 4], now + HOUR: [3]})

        assert claim(world) is None
        assert wake(world) == 0
        world.clock.advance(HOUR)
        assert wake(world) == 1
        (early,) = all_claims(world, BEN)
        world.clock.advance(HOUR)
        assert wake(world) == 1
        (late,) = all_claims(world, BEN)
        assert seqs(early, late) == [[3], [0, 4]]
        assert late.recipients == batch.recipients.at([0, 4])
        assert late.recipients.first_names == ["Ann", "Ann"]
        assert late.recipients.last_names is None
        parts = [batch.without([[0, 4], [3]]), early, late]
        credits = [compose(part, CODES).credits for part in parts if part is not None]
        assert sum(map(sum, credits)) == sum(compose(batch, CODES).credits)

    def test_who_stays_in_hand_can_be_handed_over(self, world: World) -> None:
        account = shop(world)
        people(world, account, 3)
        campaign = started(world, account)
        batch = claimed(world)
        defer(world, batch, {world.clock.now() + HOUR: [1]})
        rest = batch.without([[1]])
        assert rest is not None

        assert submitted(world, rest) == [0, 2]

        states = [record.state for record in messages(world, campaign)]
        assert states.count(MessageState.SENT) == 2
        assert states.count(MessageState.QUEUED) == 1

    @pytest.mark.parametrize("moments", [1, 3])
    def test_where_all_must_wait_nothing_stays_in_hand(self, world: World, moments: int) -> None:
        account = shop(world)
        people(world, account, 3)
        started(world, account)
        batch = claimed(world)
        now = world.clock.now()
        waits = {now + HOUR * (1 + n): range(n, 3, moments) for n in range(moments)}

        assert defer(world, batch, waits)

        assert claim(world) is None
        assert not put_back(world, batch)
        world.clock.advance(HOUR * moments)
        assert wake(world) == moments
        found = all_claims(world)
        assert sorted(seqs(*found)) == [list(waits[moment]) for moment in sorted(waits)]
        assert all(each.tries == batch.tries for each in found)

    def test_whoever_lost_a_batch_cannot_let_it_wait(self, world: World) -> None:
        account = shop(world)
        people(world, account, 2)
        started(world, account)
        batch = claimed(world)
        put_back(world, batch)
        again = claimed(world, BEN)

        for positions in ([0], [0, 1]):
            assert not defer(world, batch, {world.clock.now() + HOUR: positions})

        assert seqs(again) == [[0, 1]]
        assert submitted(world, again) == [0, 1]

    def test_dying_before_the_commit_changes_nothing(self, world: World) -> None:
        account = shop(world)
        people(world, account, 3)
        started(world, account)
        batch = claimed(world)

        with pytest.raises(PowerCut):
            defer(world, batch, {world.clock.now() + HOUR: [1]}, dies=True)

        assert submitted(world, batch) == [0, 1, 2]
        world.clock.advance(HOUR)
        assert wake(world) == 0

    def test_deferring_does_not_see_another_accounts_rows(self, world: World) -> None:
        account, other = shop(world), shop(world)
        people(world, account, 2)
        started(world, account)
        batch = claimed(world)

        for positions in ([0], [0, 1]):
            assert not defer(world, batch, {world.clock.now() + HOUR: positions}, other)

    def test_a_claim_knows_the_quiet_hours_of_its_shop(self, world: World) -> None:
        account = shop(world)
        people(world, account, 1)
        started(world, account)
        quiet = QuietHours(time(21), time(9, 30), (Weekday.SUN,))
        with world.transactions.begin(account) as uow:
            changes = ProfileChanges(quiet_hours=quiet, timezone="Asia/Tokyo")
            changed = changes.applied_to(uow.accounts.get(account), world.clock.now())
            uow.accounts.save_profile(changed)

        batch = claimed(world)

        assert (batch.quiet_hours, batch.timezone) == (quiet, "Asia/Tokyo")

    def test_a_campaign_that_is_cancelled_takes_those_along_who_wait(self, world: World) -> None:
        account = shop(world)
        people(world, account, 3)
        campaign = started(world, account)
        defer(world, claimed(world), {world.clock.now() + HOUR: [0, 1, 2]})

        CancelCampaign(world.transactions, world.clock)(account, campaign.id)

        world.clock.advance(HOUR)
        wake(world)
        assert claim(world) is None

    def test_a_campaign_that_is_resumed_asks_anew_who_must_wait(self, world: World) -> None:
        account = shop(world)
        people(world, account, 3)
        campaign = started(world, account)
        defer(world, claimed(world), {world.clock.now() + HOUR: [0, 1, 2]})

        with world.transactions.begin(account) as uow:
            uow.batches.rejoin(account, campaign.id)

        assert seqs(claimed(world)) == [[0, 1, 2]]

    def test_who_wakes_stands_behind_what_its_shop_is_sending(self, world: World) -> None:
        account = shop(world)
        people(world, account, 6)
        started(world, account)
        first = claimed(world, ANN)
        now = world.clock.now()
        defer(world, first, {now + HOUR: [0, 1, 2]})
        world.clock.advance(HOUR)

        assert wake(world) == 1

        assert seqs(*all_claims(world)) == [[3, 4, 5], [0, 1, 2]]

    def test_a_campaign_tells_when_the_first_go_on(self, world: World) -> None:
        account, other = shop(world), shop(world)
        people(world, account, 3)
        campaign = started(world, account)
        until = world.campaign_queries.deferred_until
        assert until(account, campaign.id) is None
        now = world.clock.now()

        defer(world, claimed(world), {now + 2 * HOUR: [0], now + HOUR: [2]})

        assert until(account, campaign.id) == now + HOUR
        assert until(other, campaign.id) is None
        world.clock.advance(2 * HOUR)
        wake(world)
        assert until(account, campaign.id) is None

    def test_waking_takes_so_many_at_once(self, world: World) -> None:
        account = shop(world)
        people(world, account, 3)
        started(world, account)
        now = world.clock.now()
        defer(world, claimed(world), {now + HOUR: [0], now + 2 * HOUR: [1], now + 3 * HOUR: [2]})
        world.clock.advance(3 * HOUR)

        assert [wake(world, 2) for _ in range(3)] == [2, 1, 0]

    def test_who_waits_can_be_forgotten(self, world: World) -> None:
        account = shop(world)
        someone, _ = people(world, account, 2, first_name="Ann")
        started(world, account, "Hello {{firstName}}")
        batch = claimed(world)
        defer(world, batch, {world.clock.now() + HOUR: [0, 1]})

        delete(world, account, someone.id)

        world.clock.advance(HOUR)
        wake(world)
        woken = claimed(world)
        assert None in woken.recipients.contacts
        assert sum(compose(woken, CODES).credits) == sum(compose(batch, CODES).credits)
