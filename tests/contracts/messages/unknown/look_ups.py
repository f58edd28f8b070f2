"""What sending may rely on about asking the gateway: who is due, who was asked, whose it is."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from retail_core.campaigns.model import Campaign
from retail_core.kernel.ids import AccountId, ProviderId
from retail_core.messages.model import LOOK_UP_AFTER, Askable, MessageState, PutOff
from tests.contracts.messages.unknown.doubts import found, in_doubt, key, number, resolve
from tests.contracts.staging import FOREVER, clear_the_stage, people, sent, shop, started
from tests.contracts.worlds import World

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
EVER_BEFORE = datetime(2000, 1, 1, tzinfo=UTC)
DELIVERED, SENT = MessageState.DELIVERED, MessageState.SENT


def on_the_way(
    world: World, count: int = 1, account: AccountId | None = None
) -> tuple[Campaign, list[ProviderId]]:
    """A campaign of one batch, just sent, and its ids."""
    account = account or shop(world)
    people(world, account, count)
    campaign = started(world, account, batch_messages_max=count)
    _, ids = sent(world)
    return campaign, ids


def in_batches_of_one(world: World, account: AccountId, count: int) -> list[ProviderId]:
    """A campaign whose batches hold one message each, just sent, and its ids."""
    people(world, account, count)
    started(world, account, batch_messages_max=1)
    return [each for _ in range(count) for each in sent(world)[1]]


def due(world: World, messages_max: int = 1_000, batches_max: int = 1_000) -> Sequence[Askable]:
    with world.transactions.across_accounts() as uow:
        due = uow.look_ups.due_across_accounts(world.clock.now(), batches_max, messages_max)
        return due.messages


def note(world: World, messages: Sequence[Askable]) -> None:
    with world.transactions.across_accounts() as uow:
        uow.look_ups.note_asked_across_accounts(
            [each.message for each in messages], world.clock.now()
        )


def begin(
    world: World, now: datetime, lease_until: datetime, round_at: datetime | None = None
) -> int | None:
    """Of the round of the world's time, unless of another."""
    round_at = round_at or world.clock.now()
    with world.transactions.across_accounts() as uow:
        return uow.look_ups.begin_slice_across_accounts(now, lease_until, round_at)


def end(world: World, lease_until: datetime, asked: int) -> None:
    with world.transactions.across_accounts() as uow:
        uow.look_ups.end_slice_across_accounts(lease_until, asked)


def put_off(world: World, message: Askable, wait: timedelta) -> None:
    assert message.since is not None
    again = PutOff(message.message, message.since, world.clock.now() + wait)
    with world.transactions.across_accounts() as uow:
        uow.look_ups.put_off_across_accounts([again])


def ids_of(messages: Sequence[Askable]) -> list[ProviderId]:
    return [each.provider_id for each in messages]


class LookUpStoreContract:
    @pytest.fixture(autouse=True)
    def _stage(self, world: World) -> None:
        clear_the_stage(world)
        begin(world, FOREVER, world.clock.now(), EVER_BEFORE)

    def test_a_message_is_due_at_each_age_and_then_no_more(self, world: World) -> None:
        on_the_way(world)
        sent_at, asked = world.clock.now(), []

        for minutes in range(0, 8 * 24 * 60, 5):
            world.clock.moment = sent_at + timedelta(minutes=minutes)
            messages = due(world)
            note(world, messages)
            asked += [world.clock.now() - sent_at for _ in messages]

        assert asked == list(LOOK_UP_AFTER)

    def test_ages_that_were_missed_are_not_made_up_for(self, world: World) -> None:
        on_the_way(world)
        world.clock.advance(timedelta(hours=7))

        first = due(world)
        note(world, first)

        assert (len(first), len(due(world))) == (1, 0)

    def test_a_message_says_where_it_is_and_how_it_stands(self, world: World) -> None:
        campaign, ids = on_the_way(world)
        since = world.clock.now()
        world.clock.advance(LOOK_UP_AFTER[0])

        assert list(due(world)) == [Askable(key(campaign), number(campaign), ids[0], SENT, since)]

    def test_final_states_are_not_asked_about(self, world: World) -> None:
        campaign, ids = on_the_way(world, 3)
        resolve(
            world,
            found(campaign, DELIVERED, world.clock.now(), 0),
            found(campaign, MessageState.FAILED, world.clock.now(), 1),
        )
        world.clock.advance(LOOK_UP_AFTER[0])

        assert ids_of(due(world)) == ids[2:]

    def test_a_message_without_an_id_cannot_be_asked_about(self, world: World) -> None:
        in_doubt(world)
        world.clock.advance(LOOK_UP_AFTER[0])

        assert list(due(world)) == []

    def test_whoever_was_not_asked_is_due_until_they_were(self, world: World) -> None:
        _, ids = on_the_way(world, 5)
        world.clock.advance(LOOK_UP_AFTER[0])

        rounds = []
        for _ in range(4):
            messages = due(world, 2)
            note(world, messages)
            rounds.append(len(messages))

        assert rounds == [2, 2, 1, 0]
        assert len(set(ids)) == 5

    def test_stores_take_turns(self, world: World) -> None:
        on_the_way(world, 5)
        _, few = on_the_way(world, 2)
        world.clock.advance(LOOK_UP_AFTER[0] + SECOND)

        assert set(few) <= set(ids_of(due(world, 4)))

    def test_stores_take_turns_however_many_batches_one_of_them_has(self, world: World) -> None:
        in_batches_of_one(world, shop(world), 5)
        world.clock.advance(SECOND)
        _, few = on_the_way(world)
        world.clock.advance(LOOK_UP_AFTER[0])

        assert set(few) <= set(ids_of(due(world, batches_max=2)))

    def test_stores_beyond_the_batches_of_a_slice_have_their_turn_in_the_next(
        self, world: World
    ) -> None:
        stores = [shop(world) for _ in range(3)]
        for account in stores:
            in_batches_of_one(world, account, 2)
        world.clock.advance(LOOK_UP_AFTER[0])

        asked = []
        for _ in range(3):
            messages = due(world, batches_max=1)
            note(world, messages)
            asked += [each.message.account for each in messages]

        assert sorted(asked) == stores

    def test_a_slice_that_finds_nothing_to_ask_says_that_there_may_be_more(
        self, world: World
    ) -> None:
        for _ in range(2):
            campaign, _ = on_the_way(world)
            resolve(world, found(campaign, DELIVERED, world.clock.now()))
        world.clock.advance(LOOK_UP_AFTER[0])

        slices = []
        for _ in range(3):
            with world.transactions.across_accounts() as uow:
                slices.append(uow.look_ups.due_across_accounts(world.clock.now(), 1, 10))

        assert [list(each.messages) for each in slices] == [[], [], []]
        assert [each.has_more for each in slices] == [True, True, False]

    def test_what_is_put_off_is_due_at_its_time_and_keeps_its_age(self, world: World) -> None:
        on_the_way(world, 2)
        world.clock.advance(LOOK_UP_AFTER[0])
        first, second = due(world)
        note(world, [second])
        put_off(world, first, timedelta(minutes=7))

        early = due(world)
        world.clock.advance(timedelta(minutes=7) - SECOND)
        still_early = due(world)
        world.clock.advance(SECOND)

        assert ([*early], [*still_early], [*due(world)]) == ([], [], [first])

    def test_what_was_put_off_again_and_again_ends_when_it_was_asked(self, world: World) -> None:
        on_the_way(world)
        world.clock.advance(LOOK_UP_AFTER[-1])
        for _ in range(2):
            put_off(world, due(world)[0], SECOND)
            world.clock.advance(SECOND)
        note(world, due(world))
        world.clock.advance(timedelta(days=30))

        assert not due(world)

    def test_of_two_slices_at_once_one_is_at_work_until_its_lease_is_over(
        self, world: World
    ) -> None:
        now = world.clock.now()
        lease = now + MINUTE

        first = begin(world, now, lease)
        second = begin(world, now, lease + SECOND)
        end(world, lease, 3)
        third = begin(world, now, lease)
        fourth = begin(world, lease, lease + MINUTE)

        assert (first, second, third, fourth) == (0, None, 3, 3)

    def test_who_outlived_the_lease_ends_nobody_elses_slice(self, world: World) -> None:
        now = world.clock.now()
        begin(world, now, now + MINUTE)
        begin(world, now + MINUTE, now + 2 * MINUTE)

        end(world, now + MINUTE, 5)

        assert begin(world, now + MINUTE, now + 3 * MINUTE) is None
        end(world, now + 2 * MINUTE, 2)
        assert begin(world, now + MINUTE, now + 3 * MINUTE) == 7

    def test_the_next_round_begins_to_count_anew(self, world: World) -> None:
        now = world.clock.now()
        begin(world, now, now + MINUTE)
        end(world, now + MINUTE, 5)

        assert begin(world, now, now + MINUTE, round_at=now + MINUTE) == 0

    def test_batches_take_turns(self, world: World) -> None:
        for _ in range(3):
            on_the_way(world)
        world.clock.advance(LOOK_UP_AFTER[0] + SECOND)

        seen = []
        for _ in range(3):
            seen += ids_of(due(world, batches_max=1))
            world.clock.advance(SECOND)

        assert len(set(seen)) == 3

    def test_the_oldest_asked_of_a_campaign_come_first(self, world: World) -> None:
        campaign, ids = on_the_way(world, 4)
        with world.transactions.begin(campaign.account_id) as uow:
            first = uow.look_ups.open_of_campaign(campaign.account_id, campaign.id, 1)
            uow.look_ups.note_asked_across_accounts([first[0].message], world.clock.now())
        world.clock.advance(SECOND)

        with world.transactions.begin(campaign.account_id) as uow:
            rest = uow.look_ups.open_of_campaign(campaign.account_id, campaign.id, 10)

        assert ids_of(first) == ids[:1]
        assert ids_of(rest) == [*ids[1:], ids[0]]

    def test_a_campaign_without_open_messages_has_nothing_to_ask(self, world: World) -> None:
        campaign, _ = on_the_way(world)
        resolve(world, found(campaign, DELIVERED, world.clock.now()))

        with world.transactions.begin(campaign.account_id) as uow:
            assert not uow.look_ups.open_of_campaign(campaign.account_id, campaign.id, 10)

    def test_messages_are_found_by_their_ids(self, world: World) -> None:
        campaign, ids = on_the_way(world, 2)

        with world.transactions.begin(campaign.account_id) as uow:
            found_by_id = uow.look_ups.find(campaign.account_id, [ids[1], ProviderId("nobody's")])

        assert [each.message for each in found_by_id] == [key(campaign, 1)]

    def test_it_does_not_see_another_accounts_rows(self, world: World) -> None:
        campaign, ids = on_the_way(world)
        other = shop(world)

        with world.transactions.begin(other) as uow:
            assert not uow.look_ups.find(other, ids)
            assert not uow.look_ups.find(campaign.account_id, ids)
            assert not uow.look_ups.open_of_campaign(other, campaign.id, 10)
            assert not uow.look_ups.open_of_campaign(campaign.account_id, campaign.id, 10)
