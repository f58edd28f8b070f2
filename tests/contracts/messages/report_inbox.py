"""What the webhook may rely on when it hands a call over."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from retail_core.messages.jobs import APPLY_REPORTS
from retail_core.messages.model import WebhookCall
from tests.contracts.messages.report_store import take
from tests.contracts.staging import clear_the_stage
from tests.contracts.worlds import World


class ReportInboxContract:
    @pytest.fixture(autouse=True)
    def _stage(self, world: World) -> None:
        clear_the_stage(world)
        self.nudges(world)

    def test_a_call_that_was_taken_in_is_stored(self, world: World) -> None:
        call = WebhookCall(b"\x00\xff", world.clock.now())

        world.report_inbox.take_in(call)

        with world.transactions.across_accounts() as uow:
            (stored,) = uow.reports.take_new_across_accounts(10)
        assert (stored.raw, stored.arrived_at) == (call.raw, call.arrived_at)

    def test_calls_of_many_threads_are_each_stored_once(self, world: World) -> None:
        raws = [b"%d" % number for number in range(200)]

        with ThreadPoolExecutor(16) as threads:
            list(threads.map(lambda raw: self.take_in(world, raw), raws))

        assert sorted(take(world, 1_000)) == sorted(raws)

    def test_a_call_is_nudged_for(self, world: World) -> None:
        self.take_in(world, b"first")

        assert self.nudges(world) == [APPLY_REPORTS]

    def take_in(self, world: World, raw: bytes) -> None:
        world.report_inbox.take_in(WebhookCall(raw, world.clock.now()))

    def nudges(self, world: World) -> list[str]:
        """What is nudged for; it is forgotten then."""
        with world.transactions.across_accounts() as uow:
            due = uow.jobs.take_due_across_accounts(world.clock.now(), 10_000)
            uow.jobs.remove_across_accounts(due)
        return [each.job.kind for each in due]
