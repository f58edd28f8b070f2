"""Delivery reports: recorded first, applied by a job, parked while their message is unknown."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

import attrs
import pytest

from retail_core.campaigns.model import CampaignCounts
from retail_core.credits.model import Wallet
from retail_core.kernel.ids import AccountId, ProviderId
from retail_core.kernel.jobs import Job
from retail_core.messages.jobs import (
    MATCH_PARKED_REPORTS,
    RESOLVE_BY_REPORTS,
    read_match_parked_reports,
)
from retail_core.messages.model import (
    PARKED_WAITS,
    BatchKey,
    MessageState,
    OutgoingMessage,
    SubmissionOutcome,
)
from retail_core.messages.use_cases import ReplayReports
from retail_core.testing.messages.gateway import plain_reports
from tests.contracts.staging import messages, people, shop, started
from tests.contracts.worlds import World, memory_world
from tests.pipeline import Pipeline

DELIVERED, FAILED = MessageState.DELIVERED, MessageState.FAILED


@pytest.fixture
def world() -> World:
    return memory_world()


@pytest.fixture
def line(world: World) -> Pipeline:
    return Pipeline.over(world)


@pytest.fixture
def account(world: World) -> AccountId:
    return shop(world, credits=1_000)


def test_a_call_is_only_recorded_and_a_job_applies_it(
    world: World, line: Pipeline, account: AccountId
) -> None:
    people(world, account, 2)
    campaign = started(world, account)
    line.dispatch_all()
    raw = plain_reports(line.gateway.become(DELIVERED))

    line.record_reports(raw)
    recorded = line.campaign(campaign).counts
    line.apply_reports()

    assert recorded == CampaignCounts(sent=2)
    assert line.campaign(campaign).counts == CampaignCounts(delivered=2)
    assert line.apply_reports() == 0


def test_reports_move_states_and_no_credits(
    world: World, line: Pipeline, account: AccountId
) -> None:
    people(world, account, 2)
    started(world, account)
    line.dispatch_all()
    before = line.wallet(account)

    line.deliver(line.gateway.become(FAILED))

    assert line.wallet(account) == before == Wallet(available=998)


@pytest.mark.parametrize("raw", [b"", b"\xff\x00", b"[[]]", b"{}", b'{"provider_id": 7}'])
def test_rubbish_is_applied_without_any_effect(
    world: World, line: Pipeline, account: AccountId, raw: bytes
) -> None:
    people(world, account, 1)
    campaign = started(world, account)
    line.dispatch_all()

    line.record_reports(raw)

    assert line.apply_reports() == 1
    assert line.campaign(campaign).counts == CampaignCounts(sent=1)
    assert line.apply_reports() == 0


def test_an_unknown_word_changes_nothing(world: World, line: Pipeline, account: AccountId) -> None:
    people(world, account, 1)
    campaign = started(world, account)
    line.dispatch_all()
    (sent,) = line.gateway.become(DELIVERED)

    line.deliver([attrs.evolve(sent, state=None, word="teleported")])

    assert line.campaign(campaign).counts == CampaignCounts(sent=1)


def test_a_report_that_is_faster_than_the_answer_waits_for_it(
    world: World, line: Pipeline, account: AccountId
) -> None:
    people(world, account, 2)
    campaign = started(world, account)

    def take_and_report(outgoing: Sequence[OutgoingMessage]) -> SubmissionOutcome:
        answer = line.gateway.take(outgoing)
        line.deliver(line.gateway.become(DELIVERED))
        return answer

    line.gateway.answer_next(take_and_report)
    line.dispatch_all()
    before = line.campaign(campaign).counts

    settled = BatchKey(account, campaign.id, 0)
    tried = line.match_parked_reports(settled)

    assert (before, tried) == (CampaignCounts(sent=2), 2)
    assert line.campaign(campaign).counts == CampaignCounts(delivered=2)
    assert line.match_parked_reports(settled) == 0


def test_every_settled_batch_nudges_for_the_reports_parked_about_it(
    world: World, line: Pipeline, account: AccountId
) -> None:
    people(world, account, 2)
    campaign = started(world, account, batch_messages_max=1)
    line.dispatch_all()

    with world.transactions.across_accounts() as uow:
        due = uow.jobs.take_due_across_accounts(world.clock.now(), 100)

    nudges = [each.job for each in due if each.job.kind == MATCH_PARKED_REPORTS]
    assert [read_match_parked_reports(job) for job in nudges] == [
        BatchKey(account, campaign.id, no) for no in range(2)
    ]


def test_a_periodic_nudge_is_about_no_batch() -> None:
    assert read_match_parked_reports(Job(MATCH_PARKED_REPORTS, MATCH_PARKED_REPORTS)) is None


def test_a_lost_report_is_tried_every_hour_until_it_is_72_hours_old(
    world: World, line: Pipeline, account: AccountId
) -> None:
    people(world, account, 1)
    started(world, account)
    line.dispatch_all()
    (ours,) = line.gateway.become(DELIVERED)
    line.deliver([attrs.evolve(ours, provider_id=ProviderId("elsewhere"))])
    parked_at, tried_after = world.clock.now(), []

    for minutes in range(1, 100 * 60):
        world.clock.advance(parked_at + timedelta(minutes=minutes) - world.clock.now())
        if line.match_parked_reports():
            tried_after.append(minutes)

    assert tried_after[:5] == [1, 2, 12, 72, 132]
    assert {later - earlier for earlier, later in pairwise(tried_after[3:])} == {60}
    assert 71 * 60 < tried_after[-1] <= 72 * 60


def test_a_report_whose_message_appears_without_a_nudge_is_found_within_seconds(
    world: World, line: Pipeline, account: AccountId
) -> None:
    people(world, account, 1)
    campaign = started(world, account)

    def take_and_report(outgoing: Sequence[OutgoingMessage]) -> SubmissionOutcome:
        answer = line.gateway.take(outgoing)
        line.deliver(line.gateway.become(DELIVERED))
        return answer

    line.gateway.answer_next(take_and_report)
    line.dispatch_all()
    world.clock.advance(timedelta(seconds=5))

    assert line.match_parked_reports() == 1
    assert line.campaign(campaign).counts == CampaignCounts(delivered=1)


def test_what_the_first_try_does_not_find_is_looked_for_among_messages_in_doubt(
    world: World, line: Pipeline, account: AccountId
) -> None:
    """Its batch may have become unknown while the report was just being parked."""
    people(world, account, 1)
    started(world, account)
    line.dispatch_all()
    (ours,) = line.gateway.become(DELIVERED)
    line.deliver([attrs.evolve(ours, provider_id=ProviderId("elsewhere"))])

    nudges = []
    for wait in PARKED_WAITS[:2]:
        jobs_due(world)
        world.clock.advance(wait)
        assert line.match_parked_reports() == 1
        nudges.append([job.kind for job in jobs_due(world)])

    assert nudges == [[RESOLVE_BY_REPORTS], []]


def jobs_due(world: World) -> list[Job]:
    """Take all jobs that are due out of the outbox."""
    with world.transactions.across_accounts() as uow:
        due = uow.jobs.take_due_across_accounts(world.clock.now(), 100)
        uow.jobs.remove_across_accounts(due)
    return [each.job for each in due]


def test_replayed_calls_change_no_final_state_and_are_understood_anew(
    world: World, line: Pipeline, account: AccountId
) -> None:
    people(world, account, 2)
    campaign = started(world, account, batch_messages_max=2)
    line.dispatch_all()
    line.deliver(line.gateway.become(FAILED)[:1])
    line.deliver(line.gateway.become(DELIVERED)[:1])
    before = messages(world, campaign)
    world.clock.advance(timedelta(hours=1))
    replay = ReplayReports(world.transactions, world.clock)

    replayed = [replay(), replay()]
    line.apply_reports()

    assert replayed == [2, 0]
    assert messages(world, campaign) == before
    assert line.campaign(campaign).counts == CampaignCounts(sent=1, delivered=1)


def test_only_calls_since_a_moment_are_replayed(world: World, line: Pipeline) -> None:
    line.deliver([])
    world.clock.advance(timedelta(minutes=1))
    line.deliver([])

    assert ReplayReports(world.transactions, world.clock)(world.clock.now()) == 1


def test_reports_of_strangers_are_parked_and_stay_harmless(
    world: World, line: Pipeline, account: AccountId
) -> None:
    people(world, account, 1)
    campaign = started(world, account)
    line.dispatch_all()
    (ours,) = line.gateway.become(DELIVERED)

    line.deliver([attrs.evolve(ours, provider_id=ProviderId("elsewhere")), ours])

    assert line.match_parked_reports() == 0
    assert line.campaign(campaign).counts == CampaignCounts(delivered=1)


def test_late_and_doubled_reports_end_where_the_best_one_does(
    world: World, line: Pipeline, account: AccountId
) -> None:
    people(world, account, 1)
    campaign = started(world, account)
    line.dispatch_all()
    failed = line.gateway.become(FAILED)
    world.clock.advance(timedelta(minutes=1))
    delivered = line.gateway.become(DELIVERED)

    for each in (delivered, failed, delivered, failed):
        line.deliver(each)

    (row,) = messages(world, campaign)
    assert row.state is DELIVERED
    assert (row.failed_at, row.delivered_at) == (failed[0].at, delivered[0].at)
    assert line.campaign(campaign).counts == CampaignCounts(delivered=1)
