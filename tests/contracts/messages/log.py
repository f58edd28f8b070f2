"""What the message log of a whole shop may be relied on for: order, filters, totals, history."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from retail_core.campaigns.model import Campaign
from retail_core.campaigns.use_cases import CancelCampaign
from retail_core.kernel.ids import AccountId, AutomationId, ContactId, MessageNumber, ProviderId
from retail_core.kernel.pages import PageRequest
from retail_core.messages.model import MessageKind, MessageState, NewSingle
from retail_core.messages.queries import EventType, MessageFilter, MessageRecord
from retail_core.messages.use_cases import ApplyReports, RecordReports
from retail_core.testing.messages.gateway import PlainReportReader, plain_reports
from tests.contracts.messages.messages import OnAClearStage
from tests.contracts.messages.singles import stage as single_stage
from tests.contracts.staging import (
    book,
    people,
    report,
    results,
    sent,
    shop,
    started,
    submitting,
)
from tests.contracts.worlds import World

QUEUED, UNKNOWN, SENT = MessageState.QUEUED, MessageState.UNKNOWN, MessageState.SENT
FAILED, DELIVERED, CANCELLED = (
    MessageState.FAILED,
    MessageState.DELIVERED,
    MessageState.CANCELLED,
)
EVERY_STATE = (QUEUED, UNKNOWN, SENT, FAILED, DELIVERED, CANCELLED)


def log(world: World, account: AccountId, **wanted: Any) -> list[MessageRecord]:
    """All pages of the log, which must be what is told piece by piece, and add up."""
    found = MessageFilter(**wanted)
    pages: list[MessageRecord] = []
    number = 1
    while True:
        page = world.message_queries.page(account, found, PageRequest(number, 4))
        pages.extend(page.items)
        number += 1
        if not page.items:
            break
    assert [row.number for row in pages] == sorted({row.number for row in pages}, reverse=True)
    assert page.total == len(pages)
    assert list(world.message_queries.every(account, found)) == pages
    return pages


def numbers(world: World, account: AccountId, **wanted: Any) -> list[int]:
    return [row.number for row in log(world, account, **wanted)]


class MessageLog(OnAClearStage):
    @pytest.fixture(autouse=True)
    def _singles(self, world: World) -> None:
        single_stage.clear(world)

    def test_campaigns_and_single_messages_stand_in_the_order_of_their_numbers(
        self, world: World
    ) -> None:
        account = shop(world)
        people(world, account, 3)
        tests = [single_stage.planned(world, account)]
        first = started(world, account)
        tests.append(single_stage.planned(world, account))
        second = started(world, account, batch_messages_max=2)
        tests.append(single_stage.planned(world, account))

        found = log(world, account)

        assert [row.number for row in found] == [
            tests[2].number,
            *block(second),
            tests[1].number,
            *block(first),
            tests[0].number,
        ]

    def test_every_state_is_found_and_counted_by_itself(self, world: World) -> None:
        account, _, _ = self.mixture(world)

        by_state = {state: log(world, account, state=state) for state in EVERY_STATE}

        everything = log(world, account)
        assert {state: len(rows) for state, rows in by_state.items()} == {
            QUEUED: 3,
            UNKNOWN: 2,
            SENT: 1,
            FAILED: 2,
            DELIVERED: 1,
            CANCELLED: 4,
        }
        assert sorted(row.number for rows in by_state.values() for row in rows) == sorted(
            row.number for row in everything
        )

    def test_messages_are_found_by_campaign_kind_and_whether_they_are_tests(
        self, world: World
    ) -> None:
        account = shop(world)
        (contact,) = people(world, account, 1)
        campaign, other = started(world, account), started(world, account)
        test = single_stage.planned(world, account, campaign=campaign.id)
        welcome = single_stage.to_contact(
            world, contact, account, automation=AutomationId(5), occasion="welcome"
        )

        assert numbers(world, account, campaign=campaign.id) == [test.number, *block(campaign)]
        assert numbers(world, account, campaign=campaign.id, is_test=False) == block(campaign)
        assert numbers(world, account, is_test=True) == [test.number]
        assert numbers(world, account, kind=MessageKind.TEST) == [test.number]
        assert numbers(world, account, kind=MessageKind.TEST, is_test=False) == []
        assert numbers(world, account, kind=MessageKind.CAMPAIGN) == [
            *block(other),
            *block(campaign),
        ]
        assert numbers(world, account, kind=MessageKind.AUTOMATION) == [welcome.number]
        assert numbers(world, account, automation=AutomationId(5)) == [welcome.number]
        assert numbers(world, account, automation=AutomationId(6)) == []

    @pytest.mark.parametrize("is_sent", [False, True])
    def test_messages_are_found_by_whom_they_are_for(self, world: World, is_sent: bool) -> None:  # noqa: FBT001 - a parameter
        account = shop(world)
        contact, other = people(world, account, 2)
        campaign = started(world, account)
        welcome = single_stage.to_contact(world, contact, account)
        if is_sent:
            sent(world)

        found = log(world, account, contact=contact.id)

        assert [row.number for row in found] == [welcome.number, numbers_of(campaign)[0]]
        assert {row.phone for row in found} == {contact.phone}
        digits = str(other.phone)[4:]
        assert [row.contact for row in log(world, account, digits=digits)] == [other.id]
        assert numbers(world, account, contact=ContactId(2_000_000_000)) == []

    def test_messages_are_found_by_when_they_were_planned(self, world: World) -> None:
        account = shop(world)
        people(world, account, 2)
        first, test = started(world, account), single_stage.planned(world, account)
        world.clock.advance(timedelta(days=1))
        second, later = started(world, account), single_stage.planned(world, account)
        day = second.started_at

        assert numbers(world, account, since=day) == [later.number, *block(second)]
        assert numbers(world, account, before=day) == [test.number, *block(first)]
        assert numbers(world, account, since=day, before=day) == []

    def test_the_log_is_read_piece_by_piece_while_it_changes(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("adapters_db.messages.log.queries.PIECE_MESSAGES", 2)
        account = shop(world)
        people(world, account, 5)
        campaign = started(world, account, batch_messages_max=2)
        test = single_stage.planned(world, account)

        stream = world.message_queries.every(account, MessageFilter())
        found = [next(stream).number]
        sent(world)
        started(world, account)
        found += [row.number for row in stream]

        assert found == [test.number, *block(campaign)]

    def test_one_message_is_found_with_its_history(self, world: World) -> None:
        world.clock.advance(timedelta(days=36_500))  # the database stamps the hand-over itself
        account = shop(world)
        people(world, account, 2)
        campaign = started(world, account)
        number = MessageNumber(numbers_of(campaign)[1])
        waiting = self.events(world, account, number)
        _, ids = sent(world)
        world.clock.advance(timedelta(minutes=1))
        tell(world, ids[1], DELIVERED)

        assert waiting == []
        assert self.events(world, account, number) == [
            (EventType.SUBMITTED, MessageState.SUBMITTING, None),
            (EventType.ACCEPTED, SENT, ids[1]),
            (EventType.REPORT, DELIVERED, None),
        ]

    def test_the_history_tells_of_refusals_doubt_and_cancelling(self, world: World) -> None:
        account, tests, _ = self.mixture(world)

        def told(state: MessageState) -> list[list[tuple[EventType, MessageState, str | None]]]:
            rows = log(world, account, state=state)
            return [self.events(world, account, row.number) for row in rows]

        (waiting_test,) = [test for test in tests if row_of(world, account, test).state is QUEUED]
        assert self.events(world, account, waiting_test.number) == []
        assert [events[0][:2] for events in told(UNKNOWN)] == [(EventType.SUBMITTED, UNKNOWN)] * 2
        assert {events[0][:2] for events in told(FAILED)} == {(EventType.SUBMITTED, FAILED)}
        cancelled = (EventType.CANCELLED, CANCELLED, "campaign_cancelled")
        assert told(CANCELLED)[0] == [cancelled]

    def test_a_single_message_has_a_history_too(self, world: World) -> None:
        account, ref = shop(world), uuid4()
        test = single_stage.planned(world, account)
        single_stage.intend(world, account, ref)
        world.clock.advance(timedelta(seconds=1))
        single_stage.settle(world, account, ref, single_stage.result_of(test, SENT))
        world.clock.advance(timedelta(seconds=1))
        single_stage.apply(
            world, report(ProviderId(f"id-{test.number}"), FAILED, world.clock.now(), error="gone")
        )

        assert self.events(world, account, test.number) == [
            (EventType.SUBMITTED, MessageState.SUBMITTING, None),
            (EventType.ACCEPTED, SENT, f"id-{test.number}"),
            (EventType.REPORT, FAILED, "gone"),
        ]

    def test_a_number_nobody_has_is_not_found(self, world: World) -> None:
        account = shop(world)
        people(world, account, 2)
        campaign = started(world, account)
        last = max(numbers_of(campaign))

        for number in (last + 1, 2**34, 2**53 - 1):
            assert world.message_queries.find(account, MessageNumber(number)) is None

    def test_the_whole_log_does_not_see_another_accounts_rows(self, world: World) -> None:
        account, other = shop(world), shop(world)
        people(world, account, 2)
        campaign, test = started(world, account), single_stage.planned(world, account)

        assert numbers(world, other) == []
        assert numbers(world, other, campaign=campaign.id) == []
        for number in (test.number, *block(campaign)):
            assert world.message_queries.find(other, MessageNumber(number)) is None

    def mixture(self, world: World) -> tuple[AccountId, list[NewSingle], Campaign]:
        """Messages in all states: of a cancelled campaign, of a running one, and tests."""
        account, ref = shop(world), uuid4()
        people(world, account, 4)
        cancelled = started(world, account)
        CancelCampaign(world.transactions, world.clock)(account, cancelled.id)
        running = started(world, account, batch_messages_max=2)
        batch, batch_ref = submitting(world)
        book(world, batch, batch_ref, results(batch, batch_ref, UNKNOWN, SENT))
        tests = [single_stage.planned(world, account) for _ in range(5)]
        single_stage.intend(world, account, ref, singles_max=4)
        outcomes = [
            single_stage.result_of(test, state)
            for test, state in zip(tests, (SENT, FAILED, FAILED, UNKNOWN), strict=False)
        ]
        single_stage.settle(world, account, ref, *outcomes)
        single_stage.apply(world, report(ProviderId(f"id-{tests[0].number}"), DELIVERED))
        return account, tests, running

    def events(
        self, world: World, account: AccountId, number: int
    ) -> list[tuple[EventType, MessageState, str | None]]:
        found = world.message_queries.find(account, MessageNumber(number))
        assert found is not None, number
        assert found.record.number == number
        return [(event.type, event.state, event.detail) for event in found.events]


def numbers_of(campaign: Campaign) -> list[int]:
    assert campaign.first_number is not None, campaign
    return [campaign.first_number + seq for seq in range(campaign.total)]


def block(campaign: Campaign) -> list[int]:
    """The numbers of a campaign, as the log tells them."""
    return numbers_of(campaign)[::-1]


def row_of(world: World, account: AccountId, single: NewSingle) -> MessageRecord:
    found = world.message_queries.find(account, single.number)
    assert found is not None, single
    return found.record


def tell(world: World, provider_id: ProviderId, state: MessageState) -> None:
    """A delivery report comes in and is applied."""
    raw = plain_reports([report(provider_id, state, world.clock.now())])
    RecordReports(world.report_inbox, world.clock)(raw)
    while ApplyReports(world.transactions, PlainReportReader(), world.clock)():
        pass
