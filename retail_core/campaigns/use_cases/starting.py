"""Starting a campaign: one decision, committed as a whole or not at all."""

from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from typing import Final

import attrs

from retail_core.accounts.model import Account
from retail_core.audiences.errors import AudienceGone
from retail_core.campaigns import planning
from retail_core.campaigns.errors import (
    NoRecipients,
    PlannedTooMany,
    SubscriptionRequired,
    WrongCampaignState,
)
from retail_core.campaigns.model import Campaign, CampaignStart, CampaignState
from retail_core.campaigns.ports import CampaignsUnitOfWork
from retail_core.campaigns.use_cases.referring import is_defined
from retail_core.credits.jobs import warn_of_low_credits
from retail_core.kernel.idempotency import Once
from retail_core.kernel.ids import AccountId, CampaignId
from retail_core.kernel.ports import Clock, Transactions
from retail_core.messages.composing import compiled
from retail_core.messages.jobs import dispatch_nudges
from retail_core.messages.model import SendingPlan
from retail_core.notices.jobs import announce_campaign
from retail_core.notices.model import NoticeKind
from retail_core.templates.rendering import parse

DAY: Final = timedelta(hours=24)
STARTABLE: Final = frozenset({CampaignState.DRAFT, CampaignState.SCHEDULED, CampaignState.PAUSED})


@attrs.frozen
class StartedCampaign:
    """What starting (or resuming) did: recipients waiting, and credits needed and held."""

    campaign: CampaignId
    queued: int
    credits_required: int
    credits_held: int


@attrs.frozen
class StartCampaign:
    """Freeze the audience, hold exactly what it will cost, and let the workers begin.

    A paused campaign is resumed; nobody is planned twice. Raises `WrongCampaignState`,
    `AlreadySending`, `NoMessageText`, `UnknownPlaceholder`, `NoValidSender`, `MessageTooLong`,
    `AudienceGone`, `NoRecipients` (the campaign is then failed), `SubscriptionRequired`,
    `InsufficientCredits`, `PlannedTooMany`, `NumbersUsedUp`.
    """

    transactions: Transactions[CampaignsUnitOfWork]
    clock: Clock
    policy: planning.SendingPolicy

    def __call__(
        self,
        account: AccountId,
        campaign_id: CampaignId,
        once: Once | None = None,
        *,
        states: AbstractSet[CampaignState] = STARTABLE,
    ) -> StartedCampaign:
        """`states`: those of which the campaign must be in one."""
        with self.transactions.begin(account, once) as uow:
            # a campaign that cannot start says so, even while somebody holds its row
            seen = uow.campaigns.get(account, campaign_id)
            _must_be_in(states, seen)
            # workers that settle the last batches hold a paused campaign for moments
            was_planned = seen.plan is not None
            campaign = uow.campaigns.lock(account, campaign_id, wait=was_planned)
            _must_be_in(states, campaign)
            started: StartedCampaign | None
            if campaign.plan is not None:
                started = self._resume(uow, campaign)
            else:
                started = self._start(uow, campaign)
            if started is not None:
                uow.effect(campaign_id)
        if started is None:
            raise NoRecipients
        return started

    def _resume(self, uow: CampaignsUnitOfWork, campaign: Campaign) -> StartedCampaign:
        if not uow.subscriptions.is_active(campaign.account_id):
            raise SubscriptionRequired
        uow.batches.rejoin(campaign.account_id, campaign.id)
        uow.campaigns.resume(campaign.account_id, campaign.id, self.clock.now())
        self._nudge(uow, campaign, campaign.counts.queued)
        held = campaign.credits.held
        return StartedCampaign(campaign.id, campaign.counts.queued, held, held)

    def _start(self, uow: CampaignsUnitOfWork, campaign: Campaign) -> StartedCampaign | None:
        """None: nobody is in the audience, and the campaign is failed."""
        account = campaign.account_id
        store = uow.accounts.get(account)
        plan = planning.plan_of(campaign.content, store, self.policy)
        if not is_defined(uow, account, campaign.content.audience):
            planning.forecast(plan, (), self.policy.parts_max)  # a text too long is told first
            raise AudienceGone
        recipients = self._freeze(uow, campaign, store, plan)
        groups = uow.batches.merge_groups(account, campaign.id, compiled(plan).shaped)
        forecast = planning.forecast(plan, groups, self.policy.parts_max)
        assert forecast.recipients == recipients, "everybody who is frozen is priced"
        if recipients == 0:
            now = self.clock.now()
            uow.campaigns.fail(account, campaign.id, "no_recipients", now)
            announce_campaign(uow, account, campaign.id, NoticeKind.CAMPAIGN_FAILED, now)
            return None
        if not uow.subscriptions.is_active(account):
            raise SubscriptionRequired
        # whoever leaves from here on sees the batches; whoever left meanwhile is seen below
        uow.contacts.lock_for_adding(account)
        # numbers are given to nobody who might still be refused: none ever comes back
        uow.credits.hold(account, f"hold:c{campaign.id}", forecast.credits, campaign.id)
        now = self.clock.now()
        self._must_be_within_a_day(uow, account, recipients, now)
        first_number = uow.numbers.reserve_block(recipients)
        start = CampaignStart(plan, first_number, recipients, forecast.credits, now)
        uow.campaigns.start(account, campaign.id, start)
        _forget_departed(uow, account, campaign.id, start.at)
        self._nudge(uow, campaign, recipients)
        warn_of_low_credits(uow, account, self.policy.low_credits, now)
        return StartedCampaign(campaign.id, recipients, forecast.credits, forecast.credits)

    def _must_be_within_a_day(
        self, uow: CampaignsUnitOfWork, account: AccountId, recipients: int, now: datetime
    ) -> None:
        """Whoever cancels gets the credits back, but not the numbers.

        The wallet is locked, so of two campaigns of a store one counts the other.
        """
        most = self.policy.recipients_daily_max
        planned = uow.campaigns.planned_since(account, now - DAY)
        if most and planned + recipients > most:
            raise PlannedTooMany(planned, most)

    def _freeze(
        self, uow: CampaignsUnitOfWork, campaign: Campaign, store: Account, plan: SendingPlan
    ) -> int:
        now = self.clock.now()
        frozen = uow.batches.freeze(
            campaign.account_id,
            campaign.id,
            campaign.content.audience,
            planning.rules_of(store, self.policy, now),
            parse(plan.text).fields,
            self.policy.batch_messages_max,
            now,
        )
        return frozen.recipients

    def _nudge(self, uow: CampaignsUnitOfWork, campaign: Campaign, recipients: int) -> None:
        batches = -(-recipients // self.policy.batch_messages_max)
        for job in dispatch_nudges(campaign.account_id, campaign.id, batches):
            uow.jobs.add(job)


def _forget_departed(
    uow: CampaignsUnitOfWork, account: AccountId, campaign: CampaignId, now: datetime
) -> None:
    """Empty the places of those who were deleted or erased while the audience was being frozen.

    A day is far more than a transaction may take, and than two clocks may differ.
    """
    departed = uow.batches.departed(account, campaign, now - DAY)
    if departed:
        uow.message_traces.forget(account, departed)


def _must_be_in(states: AbstractSet[CampaignState], campaign: Campaign) -> None:
    if campaign.state not in states:
        raise WrongCampaignState(f"The campaign is {campaign.state.value}.")
