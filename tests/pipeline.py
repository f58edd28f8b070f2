"""The whole line from a started campaign to its reports, over any world and a fake gateway."""

from collections.abc import Sequence
from datetime import timedelta

import attrs

from retail_core.campaigns.model import Campaign
from retail_core.credits.model import Wallet
from retail_core.kernel.ids import AccountId, WorkerId
from retail_core.messages.model import DeliveryReport
from retail_core.messages.use_cases import (
    ApplyReports,
    DispatchBatch,
    DispatchOutcome,
    MatchParkedReports,
    RecordReports,
    SweepStaleBatches,
)
from retail_core.testing.kernel.clock import ClockPause
from retail_core.testing.kernel.randomness import SeededRandomness
from retail_core.testing.messages.gateway import (
    FakeGateway,
    FakePace,
    PlainReportReader,
    plain_reports,
)
from tests.answering import HASH
from tests.contracts.staging import ANN, CODES, LEASE
from tests.contracts.worlds import World

LEASE_OVER = LEASE + timedelta(seconds=1)


@attrs.frozen
class Pipeline:
    """Every use case of sending, wired to one world."""

    world: World
    gateway: FakeGateway
    dispatch_batch: DispatchBatch
    sweep: SweepStaleBatches
    record_reports: RecordReports
    apply_reports: ApplyReports
    match_parked_reports: MatchParkedReports

    @classmethod
    def over(cls, world: World, name: str = "fake", seed: int = 0) -> "Pipeline":
        """`name` tells the ids of this gateway from those of others, `seed` the refs."""
        transactions, clock = world.transactions, world.clock
        gateway = FakeGateway(clock, name=name)
        return cls(
            world=world,
            gateway=gateway,
            dispatch_batch=DispatchBatch(
                transactions,
                gateway,
                FakePace(clock, account_calls_max=100_000, store_calls_max=100_000),
                ClockPause(clock),
                clock,
                SeededRandomness(seed),
                CODES,
                HASH,
            ),
            sweep=SweepStaleBatches(transactions, clock, CODES),
            record_reports=RecordReports(world.report_inbox, clock),
            apply_reports=ApplyReports(transactions, PlainReportReader(), clock),
            match_parked_reports=MatchParkedReports(transactions, clock),
        )

    def dispatch(self, worker: WorkerId = ANN) -> DispatchOutcome:
        """Send one batch."""
        return self.dispatch_batch(worker)

    def dispatch_all(self, worker: WorkerId = ANN) -> list[DispatchOutcome]:
        """Send until nothing is due."""
        outcomes: list[DispatchOutcome] = []
        while (outcome := self.dispatch(worker)) is not DispatchOutcome.IDLE:
            outcomes.append(outcome)
        return outcomes

    def deliver(self, reports: Sequence[DeliveryReport]) -> None:
        """Let a webhook call arrive and be applied."""
        self.record_reports(plain_reports(reports))
        self.apply_reports()

    def campaign(self, campaign: Campaign) -> Campaign:
        """The campaign as it is now."""
        return self.world.campaign_queries.get(campaign.account_id, campaign.id)

    def wallet(self, account: AccountId) -> Wallet:
        with self.world.transactions.begin(account) as uow:
            return uow.credits.wallet(account)
