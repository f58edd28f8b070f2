"""Writing a campaign: create and edit, each with a fresh count of the audience."""

import attrs

from retail_core.accounts.ports import AccountStore
from retail_core.audiences.model import AudienceRules, AudienceSpec
from retail_core.audiences.queries import AudienceQueries
from retail_core.campaigns import planning
from retail_core.campaigns.errors import WrongCampaignState
from retail_core.campaigns.model import Campaign, CampaignContent
from retail_core.campaigns.ports import CampaignsUnitOfWork
from retail_core.kernel.errors import RuleViolation
from retail_core.kernel.idempotency import Once
from retail_core.kernel.ids import AccountId, CampaignId
from retail_core.kernel.ports import Clock, Transactions


@attrs.frozen
class CampaignChanges:
    """What an edit replaces; None keeps the present value."""

    name: str | None = None
    message_text: str | None = None
    audience: AudienceSpec | None = None
    include_offer: bool | None = None

    def applied_to(self, content: CampaignContent) -> CampaignContent:
        """Raises `InvalidField`."""
        offer = content.include_offer if self.include_offer is None else self.include_offer
        return CampaignContent.checked(
            content.name if self.name is None else self.name,
            content.message_text if self.message_text is None else self.message_text,
            content.audience if self.audience is None else self.audience,
            include_offer=offer,
        )


@attrs.frozen
class CreateCampaign:
    """Make a draft; its total is the audience now. Raises `InvalidField`."""

    transactions: Transactions[CampaignsUnitOfWork]
    audiences: AudienceQueries
    clock: Clock
    policy: planning.SendingPolicy

    def __call__(
        self, account: AccountId, content: CampaignContent, once: Once | None = None
    ) -> Campaign:
        with self.transactions.begin(account) as uow:
            rules = _rules(uow.accounts, account, self.policy, self.clock)
        total = self.audiences.count(account, content.audience, rules).recipients
        with self.transactions.begin(account, once) as uow:
            campaign = uow.campaigns.add(account, content, total, self.clock.now())
            uow.effect(campaign.id)
        return campaign


@attrs.frozen
class EditCampaign:
    """Change a campaign that has not started.

    Raises `CampaignNotFound`, `WrongCampaignState`, `InvalidField`, `RuleViolation` (no change).
    """

    transactions: Transactions[CampaignsUnitOfWork]
    audiences: AudienceQueries
    clock: Clock
    policy: planning.SendingPolicy

    def __call__(
        self, account: AccountId, campaign_id: CampaignId, changes: CampaignChanges
    ) -> Campaign:
        if changes == CampaignChanges():
            raise RuleViolation("There is nothing to change.")
        with self.transactions.begin(account) as uow:
            campaign = uow.campaigns.get(account, campaign_id)
            rules = _rules(uow.accounts, account, self.policy, self.clock)
        if not campaign.state.editable:
            raise WrongCampaignState(f"The campaign is {campaign.state.value}.")
        content = changes.applied_to(campaign.content)
        total = self.audiences.count(account, content.audience, rules).recipients
        with self.transactions.begin(account) as uow:
            locked = uow.campaigns.lock(account, campaign_id)
            if not locked.state.editable:
                raise WrongCampaignState(f"The campaign is {locked.state.value}.")
            return uow.campaigns.rewrite(
                account, campaign_id, changes.applied_to(locked.content), total, self.clock.now()
            )


def _rules(
    accounts: AccountStore, account: AccountId, policy: planning.SendingPolicy, clock: Clock
) -> AudienceRules:
    return planning.rules_of(accounts.get(account), policy.prices, clock.now())
