"""What sending may rely on about messages in doubt: found by what is known, resolved once."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from retail_core.campaigns.model import Campaign
from retail_core.kernel.ids import AccountId, MessageNumber, ProviderId
from retail_core.messages.model import (
    Doubt,
    Finding,
    HeldShare,
    MessageKey,
    MessageState,
    Resolved,
)
from tests.contracts.staging import (
    FOREVER,
    book,
    messages,
    people,
    results,
    shop,
    started,
    submitting,
)
from tests.contracts.worlds import World

UNKNOWN, SENT, DELIVERED = MessageState.UNKNOWN, MessageState.SENT, MessageState.DELIVERED
FAILED, CANCELLED = MessageState.FAILED, MessageState.CANCELLED
SECOND = timedelta(seconds=1)
EVER_SINCE = datetime(2000, 1, 1, tzinfo=UTC)


def in_doubt(
    world: World, count: int = 1, *states: MessageState, account: AccountId | None = None
) -> Campaign:
    """A campaign of one batch whose outcome is unknown, but for the states that are given."""
    account = account or shop(world)
    people(world, account, count)
    campaign = started(world, account, batch_messages_max=count)
    batch, ref = submitting(world)
    assert book(world, batch, ref, results(batch, ref, *(states or (UNKNOWN,))))
    return campaign


def key(campaign: Campaign, seq: int = 0) -> MessageKey:
    return MessageKey(campaign.id, seq, campaign.account_id)


def number(campaign: Campaign, seq: int = 0) -> MessageNumber:
    assert campaign.first_number is not None
    return MessageNumber(campaign.first_number + seq)


def doubts(world: World, campaign: Campaign, doubts_max: int = 100) -> Sequence[Doubt]:
    with world.transactions.across_accounts() as uow:
        return uow.doubts.waiting_across_accounts(campaign.id, None, doubts_max)


def resolve(world: World, *findings: Finding) -> Sequence[Resolved]:
    with world.transactions.across_accounts() as uow:
        return uow.doubts.resolve_across_accounts(findings, world.clock.now())


def found(
    campaign: Campaign, state: MessageState, at: datetime, seq: int = 0, id_: str | None = None
) -> Finding:
    return Finding.of(key(campaign, seq), state, at, ProviderId(id_) if id_ else None, "it failed")


def settle_overdue(world: World, before: datetime, messages_max: int = 1_000) -> list[HeldShare]:
    with world.transactions.across_accounts() as uow:
        return list(
            uow.doubts.settle_overdue_across_accounts(before, world.clock.now(), messages_max)
        )


class DoubtKeeping:
    def test_exactly_the_unknown_messages_are_in_doubt(self, world: World) -> None:
        campaign = in_doubt(world, 4, UNKNOWN, SENT, CANCELLED, UNKNOWN)

        assert doubts(world, campaign) == [
            Doubt(key(campaign, seq), number(campaign, seq), world.clock.now(), 1, False, None)
            for seq in (0, 3)
        ]

    def test_doubts_are_read_page_by_page(self, world: World) -> None:
        campaign = in_doubt(world, 5)

        with world.transactions.across_accounts() as uow:
            first = uow.doubts.waiting_across_accounts(campaign.id, None, 2)
            rest = uow.doubts.waiting_across_accounts(campaign.id, first[-1].message, 10)

        assert [each.message.seq for each in (*first, *rest)] == [0, 1, 2, 3, 4]

    def test_doubts_of_all_campaigns_are_read_in_one_line(self, world: World) -> None:
        campaigns = [in_doubt(world), in_doubt(world)]
        after = MessageKey(campaigns[0].id, -1, campaigns[0].account_id)

        with world.transactions.across_accounts() as uow:
            found = uow.doubts.waiting_across_accounts(None, after, 10)

        assert [each.message for each in found] == [key(campaign) for campaign in campaigns]

    def test_a_bound_store_does_not_see_another_accounts_rows(self, world: World) -> None:
        campaign = in_doubt(world)
        finding = found(campaign, SENT, world.clock.now())

        with world.transactions.begin(world.new_account()) as uow:
            seen = uow.doubts.waiting_across_accounts(None, None, 10)
            resolved = uow.doubts.resolve_across_accounts([finding], world.clock.now())

        assert (list(seen), list(resolved)) == ([], [])
        assert len(doubts(world, campaign)) == 1


class DoubtResolving:
    @pytest.mark.parametrize("state", [SENT, DELIVERED, FAILED])
    def test_a_finding_ends_a_doubt_and_gives_its_credits_once(
        self, world: World, state: MessageState
    ) -> None:
        campaign = in_doubt(world, 2)
        at = world.clock.now() + SECOND
        finding = found(campaign, state, at, id_=f"p-{campaign.id}")

        once, again = resolve(world, finding), resolve(world, finding)

        assert (list(once), list(again)) == ([Resolved(key(campaign), UNKNOWN, state, 1)], [])
        row, other = messages(world, campaign)
        assert (row.state, row.provider_id) == (state, f"p-{campaign.id}")
        times = {SENT: row.sent_at, DELIVERED: row.delivered_at, FAILED: row.failed_at}
        assert {each: time for each, time in times.items() if time} == {state: at}
        assert (row.error, row.error_code) == ("it failed" if state is FAILED else None, None)
        assert other.state is UNKNOWN
        assert [each.message.seq for each in doubts(world, campaign)] == [1]

    def test_who_left_doubt_still_climbs_but_without_credits(self, world: World) -> None:
        campaign = in_doubt(world)
        resolve(world, found(campaign, SENT, world.clock.now()))

        (climbed,) = resolve(world, found(campaign, DELIVERED, world.clock.now()))

        assert climbed == Resolved(key(campaign), SENT, DELIVERED, 0)

    def test_a_finding_never_lowers_a_state(self, world: World) -> None:
        campaign = in_doubt(world)
        resolve(world, found(campaign, DELIVERED, world.clock.now()))

        (kept,) = resolve(world, found(campaign, FAILED, world.clock.now()))

        assert (kept.before, kept.after, kept.credits) == (DELIVERED, DELIVERED, 0)
        assert messages(world, campaign)[0].state is DELIVERED

    def test_a_finding_about_another_id_changes_nothing(self, world: World) -> None:
        campaign = in_doubt(world)
        resolve(world, found(campaign, SENT, world.clock.now(), id_=f"one-{campaign.id}"))

        other = resolve(world, found(campaign, DELIVERED, world.clock.now(), id_="other"))

        assert list(other) == []
        assert messages(world, campaign)[0].state is SENT

    def test_many_are_resolved_at_once_in_their_order(self, world: World) -> None:
        first, second = in_doubt(world, 3), in_doubt(world, 2)
        now = world.clock.now()
        findings = [found(second, SENT, now, 1), found(first, FAILED, now, 2)]

        resolved = resolve(world, *sorted(findings, key=lambda each: each.message))

        assert [(each.message, each.after) for each in resolved] == [
            (key(first, 2), FAILED),
            (key(second, 1), SENT),
        ]

    def test_a_late_answer_and_a_finding_settle_different_rows(self, world: World) -> None:
        account = shop(world)
        people(world, account, 3)
        campaign = started(world, account)
        batch, ref = submitting(world)
        book(world, batch, ref, results(batch, ref, UNKNOWN))
        resolve(world, found(campaign, DELIVERED, world.clock.now(), 1))

        with world.transactions.begin(account) as uow:
            late = uow.batches.settle(batch, ref, results(batch, ref, SENT), world.clock.now())

        assert late is not None
        assert (list(late.positions), late.without_hold) == ([0, 2], frozenset())
        rows = messages(world, campaign)
        assert [row.state for row in rows] == [SENT, DELIVERED, SENT]
        assert [row.provider_id for row in rows] == [f"{ref}:{seq}" for seq in range(3)]
        assert list(doubts(world, campaign)) == []


class DoubtEnding:
    def test_only_what_is_old_enough_is_overdue(self, world: World) -> None:
        campaign = in_doubt(world, 2)
        since = world.clock.now()
        world.clock.advance(SECOND)

        too_early = settle_overdue(world, since)
        shares = settle_overdue(world, since + SECOND)
        again = settle_overdue(world, since + SECOND)

        share = HeldShare(campaign.account_id, campaign.id, 2, 2, f"doubt:{campaign.id}:0")
        assert (too_early, shares, again) == ([], [share], [])
        assert {each.credits_settled for each in doubts(world, campaign)} == {True}
        assert {row.state for row in messages(world, campaign)} == {UNKNOWN}

    def test_each_step_has_a_key_of_its_own(self, world: World) -> None:
        in_doubt(world, 3)

        steps = [settle_overdue(world, FOREVER, 2) for _ in range(3)]

        assert [[share.messages for share in step] for step in steps] == [[2], [1], []]
        assert len({share.key for step in steps for share in step}) == 2

    def test_overdue_messages_of_many_campaigns_are_shared_out(self, world: World) -> None:
        campaigns = [in_doubt(world, 2), in_doubt(world, 3)]

        shares = settle_overdue(world, FOREVER)

        assert {share.campaign: share.credits for share in shares} == {
            campaign.id: campaign.total for campaign in campaigns
        }

    def test_whose_credits_are_settled_gives_none_to_a_finding(self, world: World) -> None:
        campaign = in_doubt(world)
        settle_overdue(world, FOREVER)

        (resolved,) = resolve(world, found(campaign, DELIVERED, world.clock.now()))

        assert resolved == Resolved(key(campaign), UNKNOWN, DELIVERED, 0)
        assert list(doubts(world, campaign)) == []

    def test_whose_credits_are_settled_has_no_hold_for_a_late_answer(self, world: World) -> None:
        account = shop(world)
        people(world, account, 3)
        started(world, account)
        batch, ref = submitting(world)
        book(world, batch, ref, results(batch, ref, UNKNOWN))
        settle_overdue(world, FOREVER, 2)

        with world.transactions.begin(account) as uow:
            late = uow.batches.settle(batch, ref, results(batch, ref, SENT), world.clock.now())

        assert late is not None
        assert (list(late.positions), late.without_hold) == ([0, 1, 2], frozenset({0, 1}))

    def test_old_batches_are_closed_and_take_no_answer_any_more(self, world: World) -> None:
        account = shop(world)
        people(world, account, 2)
        campaign = started(world, account)
        batch, ref = submitting(world)
        book(world, batch, ref, results(batch, ref, UNKNOWN))

        with world.transactions.across_accounts() as uow:
            too_early = uow.doubts.close_batches_across_accounts(world.clock.now(), 1_000)
            closed = uow.doubts.close_batches_across_accounts(FOREVER, 1_000)

        assert (too_early, closed) == (0, 1)
        assert not book(world, batch, ref, results(batch, ref, SENT))
        assert [row.state for row in messages(world, campaign)] == [UNKNOWN] * 2

    def test_an_ended_campaign_holds_for_its_doubts_alone(self, world: World) -> None:
        campaign = in_doubt(world, 3, UNKNOWN, SENT)
        with world.transactions.across_accounts() as uow:
            before = [
                share
                for share in uow.doubts.leftover_holds_across_accounts(EVER_SINCE, 10_000)
                if share.campaign == campaign.id
            ]
        resolve(world, found(campaign, SENT, world.clock.now()))  # and nobody books it

        with world.transactions.across_accounts() as uow:
            after = uow.doubts.leftover_holds_across_accounts(EVER_SINCE, 10_000)

            later = world.clock.now() + SECOND
            ended_since = uow.doubts.leftover_holds_across_accounts(later, 10_000)

        assert before == []
        assert campaign.id not in [each.campaign for each in ended_since]
        (share,) = [each for each in after if each.campaign == campaign.id]
        assert (share.account, share.credits, share.messages) == (campaign.account_id, 1, 0)

    def test_campaigns_that_hold_for_their_doubts_hide_none_that_holds_for_nobody(
        self, world: World
    ) -> None:
        for _ in range(2):
            in_doubt(world, 1)
        campaign = in_doubt(world, 1)
        resolve(world, found(campaign, SENT, world.clock.now()))  # and nobody books it

        with world.transactions.across_accounts() as uow:
            # others may have left something behind: as many as there are
            every = uow.doubts.leftover_holds_across_accounts(EVER_SINCE, 10_000)
            some = uow.doubts.leftover_holds_across_accounts(EVER_SINCE, len(every))

        assert campaign.id in [each.campaign for each in some]
