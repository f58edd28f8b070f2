"""Steering a campaign on its way: pause it, let it go on, end it."""

import attrs

from retail_core.campaigns import planning
from retail_core.campaigns.errors import WrongCampaignState
from retail_core.campaigns.model import Campaign, CampaignState
from retail_core.campaigns.ports import CampaignsUnitOfWork
from retail_core.campaigns.use_cases.starting import StartCampaign, StartedCampaign
from retail_core.kernel.idempotency import Once
from retail_core.kernel.ids import AccountId, CampaignId
from retail_core.kernel.ports import Clock, Transactions
from retail_core.messages.composing import compiled
from retail_core.messages.jobs import close_cancelled_batches


@attrs.frozen
class PauseCampaign:
    """Stop before the next gateway call; what is held stays held.

    A paused campaign stays as it is. Raises `CampaignNotFound`, `WrongCampaignState`.
    """

    transactions: Transactions[CampaignsUnitOfWork]
    clock: Clock

    def __call__(self, account: AccountId, campaign_id: CampaignId) -> Campaign:
        with self.transactions.begin(account) as uow:
            campaign = uow.campaigns.lock(account, campaign_id, wait=True)
            if campaign.state is CampaignState.PAUSED:
                return campaign
            if campaign.state is not CampaignState.SENDING:
                raise WrongCampaignState(f"The campaign is {campaign.state.value}.")
            return uow.campaigns.pause(account, campaign_id, "by_user", self.clock.now())


@attrs.frozen
class ResumeCampaign:
    """Let a paused campaign go on; one that was never planned is started.

    Raises what `StartCampaign` raises.
    """

    start: StartCampaign

    def __call__(
        self, account: AccountId, campaign_id: CampaignId, once: Once | None = None
    ) -> StartedCampaign:
        return self.start(account, campaign_id, once, states={CampaignState.PAUSED})


@attrs.frozen
class CancelledCampaign:
    """The campaign, and what cancelling it gave back to the wallet."""

    campaign: Campaign
    credits_released: int


@attrs.frozen
class CancelCampaign:
    """Never send what still waits, and give its credits back. Nothing handed over is taken back.

    However many wait, it is one short transaction: with the campaign's state all that waits is
    cancelled, and it is counted as what is neither in a gateway call nor in doubt. Their batches
    are closed later (`CloseCancelledBatches`). A cancelled campaign stays as it is. Raises
    `CampaignNotFound`, `WrongCampaignState`.
    """

    transactions: Transactions[CampaignsUnitOfWork]
    clock: Clock

    def __call__(
        self, account: AccountId, campaign_id: CampaignId, once: Once | None = None
    ) -> CancelledCampaign:
        with self.transactions.begin(account, once) as uow:
            campaign = uow.campaigns.lock(account, campaign_id, wait=True)
            uow.effect(campaign_id)
            if campaign.state is CampaignState.CANCELLED:
                released = uow.credits.amount(account, _credits_key(campaign))
                return CancelledCampaign(campaign, released)
            if campaign.state not in _CANCELLABLE:
                raise WrongCampaignState(f"The campaign is {campaign.state.value}.")
            return self._cancel(uow, campaign)

    def _cancel(self, uow: CampaignsUnitOfWork, campaign: Campaign) -> CancelledCampaign:
        account, now = campaign.account_id, self.clock.now()
        waiting, released = _waiting(uow, campaign)
        cancelled = uow.campaigns.cancel(account, campaign.id, waiting, released, now)
        uow.credits.release(account, _credits_key(campaign), released, campaign.id)
        if waiting:
            uow.jobs.add(close_cancelled_batches())
        return CancelledCampaign(cancelled, released)


_CANCELLABLE = frozenset({CampaignState.SCHEDULED, CampaignState.SENDING, CampaignState.PAUSED})


def _credits_key(campaign: Campaign) -> str:
    return f"release:c{campaign.id}:cancel"


def _waiting(uow: CampaignsUnitOfWork, campaign: Campaign) -> tuple[int, int]:
    """The recipients of a locked campaign that wait, and exactly what is held for them."""
    plan, account = campaign.plan, campaign.account_id
    if plan is None:
        return 0, 0
    in_flight = uow.batches.in_flight_groups(account, campaign.id, compiled(plan).shaped)
    recipients, credits = planning.worth(plan, in_flight)
    held = campaign.credits.held - uow.doubts.held(account, campaign.id)
    return campaign.counts.queued - recipients, held - credits
