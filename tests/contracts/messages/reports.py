"""What sending may rely on about delivery reports: in any order, doubled, early or late."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import permutations
from typing import Any
from uuid import uuid4

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retail_core.campaigns.model import Campaign, CampaignCounts
from retail_core.kernel.ids import ProviderId
from retail_core.messages.model import REPORTED_WITHIN, DeliveryReport, MessageState
from retail_core.messages.queries import MessageRecord
from retail_core.testing.kernel.clock import NOON
from tests.contracts.staging import (
    clear_the_stage,
    messages,
    people,
    report,
    sent,
    shop,
    started,
)
from tests.contracts.worlds import World

SENT, DELIVERED, FAILED = MessageState.SENT, MessageState.DELIVERED, MessageState.FAILED
LATER = timedelta(minutes=1)
IN_EVERY_WORLD = settings(
    max_examples=15,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def on_stage(world: World, count: int = 1) -> tuple[Campaign, list[ProviderId]]:
    """A campaign whose messages were just sent, and their ids at the gateway."""
    account = shop(world)
    people(world, account, count)
    campaign = started(world, account, batch_messages_max=count)
    _, ids = sent(world)
    return world.campaign_queries.get(account, campaign.id), ids


def apply(world: World, *reports: DeliveryReport) -> Sequence[DeliveryReport]:
    """Apply reports in one transaction; returns those that match no message."""
    with world.transactions.across_accounts() as uow:
        return uow.messages.apply_reports_across_accounts(reports, world.clock.now())


def counts(world: World, campaign: Campaign) -> CampaignCounts:
    return world.campaign_queries.get(campaign.account_id, campaign.id).counts


class MessageStoreContract:
    @pytest.fixture(autouse=True)
    def _stage(self, world: World) -> None:
        clear_the_stage(world)

    def test_a_report_moves_its_message_and_the_counters(self, world: World) -> None:
        campaign, ids = on_stage(world, 3)
        at = world.clock.now() + LATER

        unmatched = apply(world, report(ids[1], DELIVERED, at), report(ids[2], FAILED, at))

        assert list(unmatched) == []
        rows = messages(world, campaign)
        assert [row.state for row in rows] == [SENT, DELIVERED, FAILED]
        assert [row.delivered_at for row in rows] == [None, at, None]
        assert [row.failed_at for row in rows] == [None, None, at]
        assert counts(world, campaign) == CampaignCounts(sent=1, delivered=1, failed=1)

    def test_a_failure_says_why(self, world: World) -> None:
        campaign, ids = on_stage(world, 2)

        apply(
            world,
            report(ids[0], FAILED, error="Handset\noff"),
            report(ids[1], FAILED, word="undeliv"),
        )

        found = [(row.error or "").split() for row in messages(world, campaign)]
        assert found == [["Handset", "off"], ["undeliv"]]

    def test_a_report_without_a_time_counts_as_of_now(self, world: World) -> None:
        campaign, ids = on_stage(world)
        world.clock.advance(LATER)

        apply(world, report(ids[0], DELIVERED))

        assert messages(world, campaign)[0].delivered_at == world.clock.now()

    def test_a_state_never_falls(self, world: World) -> None:
        campaign, ids = on_stage(world)
        apply(world, report(ids[0], DELIVERED))

        apply(world, report(ids[0], SENT), report(ids[0], FAILED))

        assert messages(world, campaign)[0].state is DELIVERED
        assert counts(world, campaign) == CampaignCounts(delivered=1)

    def test_a_doubled_report_changes_nothing(self, world: World) -> None:
        campaign, ids = on_stage(world)
        once = report(ids[0], DELIVERED, world.clock.now())
        apply(world, once, once)
        before = messages(world, campaign)
        world.clock.advance(LATER)

        apply(world, once)

        assert messages(world, campaign) == before
        assert counts(world, campaign) == CampaignCounts(delivered=1)

    def test_reports_of_unknown_messages_come_back(self, world: World) -> None:
        campaign, ids = on_stage(world)
        stranger = report(ProviderId(f"{uuid4()}"), DELIVERED)

        unmatched = apply(world, stranger, report(ids[0], DELIVERED), stranger)

        assert list(unmatched) == [stranger, stranger]
        assert counts(world, campaign) == CampaignCounts(delivered=1)

    def test_reports_of_many_stores_come_in_one_call(self, world: World) -> None:
        first, first_ids = on_stage(world)
        second, second_ids = on_stage(world)

        apply(world, report(first_ids[0], DELIVERED), report(second_ids[0], FAILED))

        assert counts(world, first) == CampaignCounts(delivered=1)
        assert counts(world, second) == CampaignCounts(failed=1)

    def test_whoever_looks_everywhere_finds_what_was_handed_over_long_ago(
        self, world: World
    ) -> None:
        campaign, ids = on_stage(world)
        world.clock.advance(10 * REPORTED_WITHIN)
        late, strange = report(ids[0], DELIVERED), report(ProviderId("nobody's"), DELIVERED)

        with world.transactions.across_accounts() as uow:
            unmatched = uow.messages.apply_reports_across_accounts(
                [late, strange], world.clock.now(), everywhere=True
            )

        assert list(unmatched) == [strange]
        assert counts(world, campaign) == CampaignCounts(delivered=1)

    def test_a_bound_store_does_not_see_another_accounts_rows(self, world: World) -> None:
        campaign, ids = on_stage(world)
        wanted = report(ids[0], DELIVERED)

        with world.transactions.begin(world.new_account()) as uow:
            unmatched = uow.messages.apply_reports_across_accounts([wanted], world.clock.now())

        assert list(unmatched) == [wanted]
        assert messages(world, campaign)[0].state is SENT

    def test_contradictory_reports_end_the_same_in_any_order(self, world: World) -> None:
        story = [(SENT, 0), (FAILED, 2), (DELIVERED, 1), (SENT, 3)]
        orders = list(permutations(story))
        campaign, ids = on_stage(world, len(orders))

        for steps in zip(*orders, strict=True):
            apply(
                world,
                *(
                    report(each, state, NOON + minutes * LATER, error=f"after {minutes}")
                    for each, (state, minutes) in zip(ids, steps, strict=True)
                ),
            )

        assert len({outcome(row) for row in messages(world, campaign)}) == 1
        assert counts(world, campaign) == CampaignCounts(delivered=len(orders))

    @given(data=st.data())
    @IN_EVERY_WORLD
    def test_any_story_ends_the_same_however_it_is_told(
        self, world: World, data: st.DataObject
    ) -> None:
        """Told twice: in order one by one, and shuffled, doubled and cut into calls."""
        words = st.tuples(st.sampled_from([SENT, DELIVERED, FAILED]), st.integers(-5, 5))
        story = data.draw(st.lists(words, min_size=1, max_size=6, unique_by=lambda each: each[1]))
        told = data.draw(st.permutations(story + data.draw(st.lists(st.sampled_from(story)))))
        cut = data.draw(st.integers(0, len(told)))
        clear_the_stage(world)
        campaign, (plain, shuffled) = on_stage(world, 2)

        for each in story:
            apply(world, self.line(plain, *each))
        for part in (told[:cut], told[cut:]):
            if part:
                apply(world, *(self.line(shuffled, *each) for each in part))

        first, second = messages(world, campaign)
        assert outcome(first) == outcome(second)
        assert first.state is max(SENT, *(state for state, _ in story))
        assert sum(attrs.astuple(counts(world, campaign))) == 2

    def line(self, provider_id: ProviderId, state: MessageState, minutes: int) -> DeliveryReport:
        return report(provider_id, state, NOON + minutes * LATER, error=f"after {minutes}")


def outcome(row: MessageRecord) -> tuple[Any, ...]:
    """All that reports decide."""
    return row.state, row.sent_at, row.delivered_at, row.failed_at, row.error
