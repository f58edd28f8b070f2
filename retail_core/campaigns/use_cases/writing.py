"""Writing a campaign: create and edit, each with a fresh count of the audience."""

from typing import TypeVar

import attrs

from retail_core.accounts.ports import AccountStore
from retail_core.audiences.model import AgeGroup, AudienceRules, AudienceSpec
from retail_core.audiences.queries import AudienceQueries
from retail_core.campaigns import planning
from retail_core.campaigns.errors import WrongCampaignState
from retail_core.campaigns.model import Campaign, CampaignContent, check_name, check_text
from retail_core.campaigns.ports import CampaignsUnitOfWork
from retail_core.contacts.model import KEEP, Gender, Keep
from retail_core.kernel.idempotency import Once
from retail_core.kernel.ids import AccountId, CampaignId
from retail_core.kernel.ports import Clock, Transactions

Value = TypeVar("Value")


@attrs.frozen
class CampaignChanges:
    """What an edit replaces; KEEP leaves the present value, None means anybody.

    Making one raises `InvalidField` for what no campaign may say, whichever it is meant for.
    """

    name: str | Keep = KEEP
    message_text: str | Keep = attrs.field(default=KEEP, repr=False)
    include_offer: bool | Keep = KEEP
    system_list: str | Keep | None = KEEP
    gender: Gender | Keep | None = KEEP
    age_group: AgeGroup | Keep | None = KEEP

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.name, Keep):
            check_name(self.name)
        if not isinstance(self.message_text, Keep):
            check_text(self.message_text)

    def applied_to(self, content: CampaignContent) -> CampaignContent:
        """Raises `InvalidField`."""
        meant = content.audience
        audience = AudienceSpec(
            _kept(self.system_list, meant.system_list),
            _kept(self.gender, meant.gender),
            _kept(self.age_group, meant.age_group),
        )
        return CampaignContent.checked(
            _kept(self.name, content.name),
            _kept(self.message_text, content.message_text),
            audience,
            include_offer=_kept(self.include_offer, content.include_offer),
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

    Raises `CampaignNotFound`, `WrongCampaignState`, `AlreadySending`, `InvalidField`.
    """

    transactions: Transactions[CampaignsUnitOfWork]
    audiences: AudienceQueries
    clock: Clock
    policy: planning.SendingPolicy

    def __call__(
        self, account: AccountId, campaign_id: CampaignId, changes: CampaignChanges
    ) -> Campaign:
        with self.transactions.begin(account) as uow:
            campaign = uow.campaigns.get(account, campaign_id)
            rules = _rules(uow.accounts, account, self.policy, self.clock)
        if not campaign.state.editable:
            raise WrongCampaignState(f"The campaign is {campaign.state.value}.")
        content = changes.applied_to(campaign.content)
        total = self.audiences.count(account, content.audience, rules).recipients
        with self.transactions.begin(account) as uow:
            locked = uow.campaigns.lock(account, campaign_id, wait=True)
            if not locked.state.editable:
                raise WrongCampaignState(f"The campaign is {locked.state.value}.")
            return uow.campaigns.rewrite(
                account, campaign_id, changes.applied_to(locked.content), total, self.clock.now()
            )


def _kept(change: Value | Keep, present: Value) -> Value:
    return present if isinstance(change, Keep) else change


def _rules(
    accounts: AccountStore, account: AccountId, policy: planning.SendingPolicy, clock: Clock
) -> AudienceRules:
    return planning.rules_of(accounts.get(account), policy.prices, clock.now())
