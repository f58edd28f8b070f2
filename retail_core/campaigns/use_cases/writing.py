"""Writing a campaign: create and edit, each with a fresh count of the audience."""

from typing import TypeVar

import attrs

from retail_core.accounts.ports import AccountStore
from retail_core.audiences.model import AgeGroup, AudienceRules, AudienceSpec, Segment
from retail_core.audiences.queries import AudienceQueries
from retail_core.campaigns import planning
from retail_core.campaigns.errors import WrongCampaignState
from retail_core.campaigns.model import Campaign, CampaignContent, check_name, check_text
from retail_core.campaigns.ports import CampaignsUnitOfWork
from retail_core.campaigns.use_cases.referring import must_refer_to_what_is
from retail_core.contacts.model import KEEP, Gender, Keep
from retail_core.kernel.idempotency import Once
from retail_core.kernel.ids import AccountId, CampaignId, ListId
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
    own_list: ListId | Keep | None = KEEP
    exclude_lists: tuple[ListId, ...] | Keep = KEEP
    segment: Segment | Keep | None = KEEP
    gender: Gender | Keep | None = KEEP
    age_group: AgeGroup | Keep | None = KEEP

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.name, Keep):
            check_name(self.name)
        if not isinstance(self.message_text, Keep):
            check_text(self.message_text)

    @property
    def touches_audience(self) -> bool:
        """Whether it must be counted again."""
        others = (self.gender, self.age_group, self.exclude_lists, self.segment)
        return self._names_list or any(each is not KEEP for each in others)

    @property
    def referred_to(self) -> AudienceSpec:
        """All that the edit names, and nothing that was there before."""
        return AudienceSpec(
            own_list=_kept(self.own_list, None),
            exclude_lists=_kept(self.exclude_lists, ()),
            segment=_kept(self.segment, None),
        )

    @property
    def _names_list(self) -> bool:
        return self.system_list is not KEEP or self.own_list is not KEEP

    def applied_to(self, content: CampaignContent) -> CampaignContent:
        """Raises `InvalidField`."""
        meant = content.audience
        if self._names_list:
            meant = attrs.evolve(
                meant,
                system_list=_kept(self.system_list, None),
                own_list=_kept(self.own_list, None),
                list_is_gone=False,
            )
        audience = attrs.evolve(
            meant,
            gender=_kept(self.gender, meant.gender),
            age_group=_kept(self.age_group, meant.age_group),
            exclude_lists=_kept(self.exclude_lists, meant.exclude_lists),
            segment=_kept(self.segment, meant.segment),
        )
        return CampaignContent.checked(
            _kept(self.name, content.name),
            _kept(self.message_text, content.message_text),
            audience,
            include_offer=_kept(self.include_offer, content.include_offer),
        )


@attrs.frozen
class CreateCampaign:
    """Make a draft; its total is the audience now.

    Raises `InvalidField`, `ListNotFound`, `ReferenceNotFound`.
    """

    transactions: Transactions[CampaignsUnitOfWork]
    audiences: AudienceQueries
    clock: Clock
    policy: planning.SendingPolicy

    def __call__(
        self, account: AccountId, content: CampaignContent, once: Once | None = None
    ) -> Campaign:
        with self.transactions.begin(account) as uow:
            must_refer_to_what_is(uow, account, content.audience)
            rules = _rules(uow.accounts, account, self.policy, self.clock)
        total = self.audiences.count(account, content.audience, rules).recipients
        with self.transactions.begin(account, once) as uow:
            must_refer_to_what_is(uow, account, content.audience)
            campaign = uow.campaigns.add(account, content, total, self.clock.now())
            uow.effect(campaign.id)
        return campaign


@attrs.frozen
class EditCampaign:
    """Change a campaign that has not started.

    Raises `CampaignNotFound`, `WrongCampaignState`, `AlreadySending`, `InvalidField`,
    `ListNotFound`, `ReferenceNotFound`.
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
            must_refer_to_what_is(uow, account, changes.referred_to)
        if not campaign.state.editable:
            raise WrongCampaignState(f"The campaign is {campaign.state.value}.")
        content, total = changes.applied_to(campaign.content), campaign.total
        if changes.touches_audience:
            total = self.audiences.count(account, content.audience, rules).recipients
        with self.transactions.begin(account) as uow:
            locked = uow.campaigns.lock(account, campaign_id, wait=True)
            if not locked.state.editable:
                raise WrongCampaignState(f"The campaign is {locked.state.value}.")
            must_refer_to_what_is(uow, account, changes.referred_to)
            return uow.campaigns.rewrite(
                account, campaign_id, changes.applied_to(locked.content), total, self.clock.now()
            )


def _kept(change: Value | Keep, present: Value) -> Value:
    return present if isinstance(change, Keep) else change


def _rules(
    accounts: AccountStore, account: AccountId, policy: planning.SendingPolicy, clock: Clock
) -> AudienceRules:
    return planning.rules_of(accounts.get(account), policy, clock.now())
