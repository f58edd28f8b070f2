"""What recording and applying may rely on about stored calls and parked reports."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import count
from uuid import uuid4

import pytest

from retail_core.kernel.ids import ProviderId, ReportId
from retail_core.messages.model import (
    PARKED_LIFE,
    PARKED_WAITS,
    BatchKey,
    DeliveryReport,
    MessageState,
    ParkedReport,
    WebhookCall,
)
from tests.contracts.staging import (
    book,
    clear_the_stage,
    people,
    phone,
    report,
    results,
    sent,
    shop,
    started,
    submitting,
)
from tests.contracts.worlds import World

SENT, DELIVERED, FAILED = MessageState.SENT, MessageState.DELIVERED, MessageState.FAILED
UNKNOWN = MessageState.UNKNOWN
LATER = timedelta(minutes=1)
FIRST_WAIT = PARKED_WAITS[0]

_years = count(1)


def store(world: World, *raws: bytes) -> None:
    """Let calls arrive a minute after each other."""
    with world.transactions.across_accounts() as uow:
        uow.reports.add(
            [WebhookCall(raw, world.clock.now() + at * LATER) for at, raw in enumerate(raws)]
        )


def in_a_year_of_its_own(world: World) -> datetime:
    """A time at which no other test's calls arrived."""
    world.clock.advance(next(_years) * timedelta(days=365))
    return world.clock.now()


def take(world: World, reports_max: int = 100) -> list[bytes]:
    """Take calls and mark them as applied."""
    with world.transactions.across_accounts() as uow:
        calls = uow.reports.take_new_across_accounts(reports_max)
        uow.reports.mark_applied([call.id for call in calls], world.clock.now())
    return [call.raw for call in calls]


def park(world: World, *reports: DeliveryReport) -> None:
    with world.transactions.across_accounts() as uow:
        uow.reports.park(reports, world.clock.now())


def stranger() -> DeliveryReport:
    """A report about nobody we know."""
    return report(ProviderId(f"{uuid4()}"), DELIVERED)


class ReportStoreContract:
    @pytest.fixture(autouse=True)
    def _stage(self, world: World) -> None:
        clear_the_stage(world)

    def test_calls_come_back_oldest_first_byte_for_byte(self, world: World) -> None:
        now = world.clock.now()
        raws = (b"\x00\xff first", "δεύτερο".encode(), b"")
        store(world, *raws)

        with world.transactions.across_accounts() as uow:
            calls = uow.reports.take_new_across_accounts(10)

        assert [(call.raw, call.arrived_at) for call in calls] == [
            (raw, now + at * LATER) for at, raw in enumerate(raws)
        ]

    def test_what_is_applied_does_not_come_again(self, world: World) -> None:
        store(world, b"first", b"second")
        with world.transactions.across_accounts() as uow:
            first, _ = uow.reports.take_new_across_accounts(10)
            uow.reports.mark_applied([first.id], world.clock.now())

        with world.transactions.across_accounts() as uow:
            waiting = uow.reports.waiting_across_accounts()
            calls = uow.reports.take_new_across_accounts(10)
            uow.reports.mark_applied([call.id for call in calls], world.clock.now())
            at_the_end = uow.reports.waiting_across_accounts()

        assert [call.raw for call in calls] == [b"second"]
        assert (waiting, at_the_end) == (True, False)

    def test_what_was_taken_and_not_applied_comes_again(self, world: World) -> None:
        store(world, b"first")
        with world.transactions.across_accounts() as uow:
            uow.reports.take_new_across_accounts(10)

        assert take(world) == [b"first"]

    def test_a_huge_call_is_taken_alone(self, world: World) -> None:
        store(world, *[b"x" * 1_000] * 3)

        with world.transactions.across_accounts() as uow:
            assert len(uow.reports.take_new_across_accounts(2)) == 1
            assert len(uow.reports.take_new_across_accounts(6)) == 2

    def test_no_more_calls_than_reports_are_taken(self, world: World) -> None:
        store(world, *[b"x"] * 3)

        assert len(take(world, 2)) == 2

    def test_calls_are_replayed_in_steps_and_each_once(self, world: World) -> None:
        began = in_a_year_of_its_own(world)
        store(world, b"1", b"2", b"3", b"4", b"5")
        take(world)
        store(world, b"unapplied")

        steps = self.replayed(world, began, began + 4 * LATER, 2)

        assert [len(step) for step in steps] == [2, 2, 1, 0]
        assert take(world) == [b"1", b"2", b"3", b"4", b"5", b"unapplied"]

    def test_only_calls_of_their_time_are_replayed(self, world: World) -> None:
        began = in_a_year_of_its_own(world)
        store(world, b"1", b"2", b"3", b"4")
        take(world)

        self.replayed(world, began + LATER, began + 2 * LATER, 10)

        assert take(world) == [b"2", b"3"]

    def test_without_a_beginning_all_calls_are_replayed(self, world: World) -> None:
        store(world, b"first")
        take(world)

        self.replayed(world, None, world.clock.now(), 1_000)

        assert b"first" in take(world, 5_000)

    def test_a_parked_report_comes_back_once_its_message_is_known(self, world: World) -> None:
        account = shop(world)
        people(world, account, 1)
        campaign = started(world, account)
        batch, ref = submitting(world)
        early = report(
            ProviderId(f"{ref}:0"),
            FAILED,
            world.clock.now(),
            reference=campaign.first_number,
            phone=phone(account),
            error="Άγνωστο",
        )
        park(world, early, stranger())

        before = self.of_batch(world, batch.key)
        book(world, batch, ref, results(batch, ref, SENT))
        found = self.of_batch(world, batch.key)

        assert (before, [each.report for each in found]) == ([], [early])
        assert found == [ParkedReport.first(early, world.clock.now())]
        assert self.of_batch(world, batch.key) == []

    def test_reports_about_other_batches_and_about_doubts_stay_parked(self, world: World) -> None:
        account = shop(world)
        people(world, account, 2)
        started(world, account, batch_messages_max=1)
        batch, ids = sent(world)
        doubtful, ref = submitting(world)
        book(world, doubtful, ref, results(doubtful, ref, UNKNOWN))
        park(world, report(ProviderId(f"{ref}:0"), SENT), report(ids[0], DELIVERED))

        assert self.of_batch(world, doubtful.key) == []
        assert len(self.of_batch(world, batch.key)) == 1

    def test_parked_reports_of_a_batch_are_taken_in_bounded_numbers(self, world: World) -> None:
        account = shop(world)
        people(world, account, 3)
        started(world, account)
        batch, ids = sent(world)
        park(world, *(report(each, DELIVERED) for each in ids))

        assert [len(self.of_batch(world, batch.key, 2)) for _ in range(3)] == [2, 1, 0]

    def test_a_parked_report_comes_back_when_its_time_has_come(self, world: World) -> None:
        lost = stranger()
        park(world, lost)
        before = self.due(world)
        world.clock.advance(FIRST_WAIT)

        (found,) = self.due(world)

        assert (before, found.report, found.tries) == ([], lost, 0)
        assert self.due(world) == []

    def test_what_is_parked_again_waits_longer_and_keeps_its_age(self, world: World) -> None:
        began = world.clock.now()
        park(world, stranger())
        world.clock.advance(FIRST_WAIT)
        again = self.due(world)[0].tried(world.clock.now())
        with world.transactions.across_accounts() as uow:
            uow.reports.park_again([again])
        world.clock.advance(FIRST_WAIT)
        too_early = self.due(world)
        world.clock.advance(PARKED_WAITS[1])

        assert (too_early, self.due(world)) == ([], [again])
        assert (again.parked_at, again.tries) == (began, 1)

    def test_a_report_that_is_too_old_is_kept_and_comes_back_only_with_its_message(
        self, world: World
    ) -> None:
        account = shop(world)
        people(world, account, 1)
        started(world, account)
        batch, ids = sent(world)
        old = ParkedReport(report(ids[0], DELIVERED), world.clock.now(), 70, None)
        with world.transactions.across_accounts() as uow:
            uow.reports.park_again([old])
        world.clock.advance(2 * PARKED_LIFE)

        assert self.due(world) == []
        assert self.of_batch(world, batch.key) == [old]

    def test_due_reports_are_taken_in_bounded_numbers_longest_due_first(self, world: World) -> None:
        told = [stranger() for _ in range(3)]
        for each in told:
            park(world, each)
            world.clock.advance(timedelta(seconds=1))
        world.clock.advance(FIRST_WAIT)

        taken = [[each.report for each in self.due(world, 2)] for _ in range(3)]

        assert taken == [told[:2], told[2:], []]

    def test_a_rolled_back_taking_takes_nothing(self, world: World) -> None:
        park(world, stranger())
        world.clock.advance(FIRST_WAIT)
        with suppress(ZeroDivisionError), world.transactions.across_accounts() as uow:
            uow.reports.take_parked_across_accounts(world.clock.now(), 10)
            raise ZeroDivisionError

        assert len(self.due(world)) == 1

    def due(self, world: World, reports_max: int = 10) -> list[ParkedReport]:
        with world.transactions.across_accounts() as uow:
            return list(uow.reports.take_parked_across_accounts(world.clock.now(), reports_max))

    def of_batch(self, world: World, batch: BatchKey, reports_max: int = 10) -> list[ParkedReport]:
        with world.transactions.across_accounts() as uow:
            return list(uow.reports.take_parked_of_batch_across_accounts(batch, reports_max))

    def replayed(
        self, world: World, since: datetime | None, until: datetime, calls_max: int
    ) -> list[Sequence[ReportId]]:
        """All steps, the last of which finds nothing."""
        steps: list[Sequence[ReportId]] = []
        while not steps or steps[-1]:
            after = steps[-1][-1] if steps else ReportId(0)
            with world.transactions.across_accounts() as uow:
                steps.append(uow.reports.replay_across_accounts(since, until, after, calls_max))
        return steps
