"""Delivery reports: recorded first, applied by a job, parked while their message is unknown."""

from collections.abc import Sequence
from datetime import timedelta

import attrs
import pytest

from retail_core.campaigns.model import CampaignCounts
from retail_core.credits.model import Wallet
from retail_core.kernel.ids import AccountId, ProviderId
from retail_core.messages.model import MessageState, OutgoingMessage, SubmissionOutcome
from retail_core.testing.gateway import plain_reports
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

    tried = line.match_parked_reports()

    assert (before, tried) == (CampaignCounts(sent=2), 2)
    assert line.campaign(campaign).counts == CampaignCounts(delivered=2)
    assert line.match_parked_reports() == 0


def test_a_settled_batch_nudges_the_parked_reports(
    world: World, line: Pipeline, account: AccountId
) -> None:
    people(world, account, 1)
    started(world, account)
    line.dispatch_all()

    with world.transactions.across_accounts() as uow:
        due = uow.jobs.take_due_across_accounts(world.clock.now(), 100)

    assert "match_parked_reports" in [each.job.kind for each in due]


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
