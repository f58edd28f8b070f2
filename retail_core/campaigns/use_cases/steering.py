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
from retail_core.kernel.smart_encoding import SmartEncoding


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

    All or nothing, however many wait. A cancelled campaign stays as it is. Raises
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
        account = campaign.account_id
        recipients = uow.batches.cancel_waiting(account, campaign.id)
        released = _credits_of_cancelled(uow, campaign)
        now = self.clock.now()
        cancelled = uow.campaigns.cancel(account, campaign.id, recipients, released, now)
        uow.credits.release(account, _credits_key(campaign), released, campaign.id)
        return CancelledCampaign(cancelled, released)


_CANCELLABLE = frozenset({CampaignState.SCHEDULED, CampaignState.SENDING, CampaignState.PAUSED})


def _credits_key(campaign: Campaign) -> str:
    return f"release:c{campaign.id}:cancel"


def _credits_of_cancelled(uow: CampaignsUnitOfWork, campaign: Campaign) -> int:
    """Exactly what was held for them: their frozen values are priced as at the start."""
    plan = campaign.plan
    if plan is None:
        return 0
    groups = uow.batches.cancelled_groups(
        campaign.account_id,
        campaign.id,
        plain_as_length=plan.smart_encoding == SmartEncoding.OFF.value,
    )
    return planning.credits_of(plan, groups)
