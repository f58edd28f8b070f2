"""Everything that settles doubt, wired to one world, on top of the line that sends."""

from collections.abc import Sequence
from uuid import UUID

import attrs

from retail_core.campaigns.model import Campaign, CampaignState
from retail_core.credits.model import Wallet
from retail_core.kernel.ids import AccountId, MessageNumber, ProviderId
from retail_core.messages.composing import compose
from retail_core.messages.model import (
    Accepted,
    ClaimedBatch,
    CreditPolicy,
    DeliveryReport,
    Doubt,
    Doubtful,
    MessageState,
)
from retail_core.messages.use_cases import (
    AskGateway,
    RefreshMessages,
    RefreshStatuses,
    ResolveByReports,
    ResolveUnknown,
    SettleOverdueUnknown,
    ShowGatewayMessage,
    UnknownPolicy,
)
from retail_core.messages.use_cases.outcomes import results_of
from retail_core.testing.kernel.clock import ClockPause
from retail_core.testing.messages.gateway import FakePace
from tests.contracts.staging import CODES, book, messages, people, started, submitting
from tests.contracts.worlds import World
from tests.pipeline import Pipeline


@attrs.frozen
class Lost:
    """A batch that the gateway took, but whose answer has not been booked."""

    campaign: Campaign
    batch: ClaimedBatch
    ref: UUID
    accepted: Accepted

    @property
    def ids(self) -> Sequence[ProviderId]:
        return [each for each in self.accepted.results if isinstance(each, str)]

    def number(self, seq: int) -> MessageNumber:
        assert self.campaign.first_number is not None
        return MessageNumber(self.campaign.first_number + seq)

    def report(self, seq: int, state: MessageState, world: World, *names: str) -> DeliveryReport:
        """A report about one message that names it in these ways: id, reference, phone."""
        return DeliveryReport(
            provider_id=self.ids[seq] if "id" in names else None,
            reference=self.number(seq) if "reference" in names else None,
            phone=messages(world, self.campaign)[seq].phone if "phone" in names else None,
            state=state,
            word=state.word,
            at=world.clock.now(),
            error=None,
        )


@attrs.frozen
class DoubtLine:
    """The line that sends, and all that settles doubt."""

    line: Pipeline
    ask: AskGateway
    policy: UnknownPolicy

    @classmethod
    def over(
        cls,
        world: World,
        name: str = "fake",
        credits: CreditPolicy = CreditPolicy.RELEASE,
        *,
        account_is_shared: bool = True,
    ) -> "DoubtLine":
        line = Pipeline.over(world, name)
        pace = FakePace(world.clock, account_calls_max=100_000, store_calls_max=100_000)
        ask = AskGateway(line.gateway, pace, ClockPause(world.clock), world.clock)
        return cls(line, ask, UnknownPolicy(credits=credits, account_is_shared=account_is_shared))

    @property
    def world(self) -> World:
        return self.line.world

    @property
    def resolve_by_reports(self) -> ResolveByReports:
        return ResolveByReports(self.world.transactions, self.world.clock, self.policy)

    @property
    def settle_overdue(self) -> SettleOverdueUnknown:
        return SettleOverdueUnknown(self.world.transactions, self.world.clock, self.policy)

    @property
    def refresh(self) -> RefreshStatuses:
        return RefreshStatuses(self.world.transactions, self.ask, self.world.clock)

    @property
    def refresh_messages(self) -> RefreshMessages:
        return RefreshMessages(self.world.transactions, self.ask, self.world.clock)

    @property
    def show(self) -> ShowGatewayMessage:
        ask = self.ask
        return ShowGatewayMessage(self.world.transactions, ask.gateway, ask.pace, ask.pause)

    @property
    def resolve_unknown(self) -> ResolveUnknown:
        return ResolveUnknown(self.world.transactions, self.ask, self.world.clock)

    def lose(self, account: AccountId, count: int) -> Lost:
        """A campaign of one batch that the gateway takes; the answer gets lost."""
        people(self.world, account, count)
        campaign = started(self.world, account, batch_messages_max=count)
        return self.lose_next(campaign)

    def lose_next(self, campaign: Campaign) -> Lost:
        """The next batch is taken, and nobody hears the answer."""
        batch, ref = submitting(self.world)
        composed = compose(batch, CODES)
        accepted = self.line.gateway.take(composed.outgoing(()))
        doubtful = results_of(Doubtful("answer_lost"), composed, {})
        assert book(self.world, batch, ref, doubtful)
        return Lost(campaign, batch, ref, accepted)

    def answer(self, lost: Lost) -> bool:
        """The answer comes after all."""
        composed = compose(lost.batch, CODES)
        return book(self.world, lost.batch, lost.ref, results_of(lost.accepted, composed, {}))

    def deliver(self, *reports: DeliveryReport) -> None:
        """Reports arrive, and all jobs about them run."""
        self.line.deliver(reports)
        self.settle_reports()

    def settle_reports(self) -> None:
        while self.line.match_parked_reports() + self.resolve_by_reports():
            pass

    def doubts(self, campaign: Campaign) -> Sequence[Doubt]:
        with self.world.transactions.across_accounts() as uow:
            return uow.doubts.waiting_across_accounts(campaign.id, None, 1_000)

    def assert_books_are_right(self, account: AccountId, campaign: Campaign, granted: int) -> None:
        """Wallet, ledger, counters and rows say the same, and nothing was booked twice."""
        rows = messages(self.world, campaign)
        now = self.line.campaign(campaign)
        for state in (MessageState.SENT, MessageState.DELIVERED, MessageState.FAILED):
            counted = getattr(now.counts, state.word)
            assert counted == sum(row.state is state for row in rows), state
        doubts = self.doubts(campaign)
        unknown = sum(_is_unknown(row.state) for row in rows)
        assert now.counts.unknown == unknown == sum(_is_unknown(each.state) for each in doubts)
        held = sum(each.credits for each in doubts if not each.credits_settled)
        wallet = self.line.wallet(account)
        credits = now.credits
        total = sum(row.credits or 0 for row in rows)
        assert (wallet.held, credits.held) == (held, held)
        assert credits.held + credits.captured + credits.released == total
        assert wallet == Wallet(granted - credits.captured - held, held)
        assert now.state is CampaignState.COMPLETED
        assert self.world.ledger_audit.mismatches_across_accounts(10) == []


def _is_unknown(state: MessageState) -> bool:
    return state is MessageState.UNKNOWN
