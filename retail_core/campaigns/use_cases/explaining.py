"""How an audience comes about: how many are left out and why, and why somebody is in it or not."""

from collections.abc import Sequence
from typing import Final

import attrs

from retail_core.audiences.model import AudienceCount, AudienceSpec, AudienceStep
from retail_core.audiences.queries import AudienceQueries
from retail_core.campaigns import planning
from retail_core.campaigns.ports import CampaignsUnitOfWork
from retail_core.campaigns.queries import FrozenRecipients
from retail_core.campaigns.use_cases.referring import is_defined, must_refer_to_what_is
from retail_core.contacts.errors import ContactNotFound
from retail_core.kernel.ids import AccountId, CampaignId, ContactId
from retail_core.kernel.ports import Clock, Transactions

NOT_AT_START: Final = "notAtStart"
"""Somebody who would be a recipient today and was none when the campaign started."""


@attrs.frozen
class RecipientExplanation:
    """Whether somebody is a recipient, and every rule as it holds today.

    `is_frozen`: the campaign has started, so that what is true was decided then; `reason` is the
    first rule that keeps them out, or `NOT_AT_START`. Without steps nobody can say any more, since
    something the audience was made of is gone.
    """

    campaign: CampaignId
    contact: ContactId
    is_recipient: bool
    is_frozen: bool
    reason: str | None
    steps: Sequence[AudienceStep]


@attrs.frozen
class ExplainRecipient:
    """Tell why a contact is in the audience of a campaign or not.

    Raises `CampaignNotFound`, `ContactNotFound`, and `AudienceGone` for a campaign that has not
    started.
    """

    transactions: Transactions[CampaignsUnitOfWork]
    audiences: AudienceQueries
    frozen: FrozenRecipients
    clock: Clock
    policy: planning.SendingPolicy

    def __call__(
        self, account: AccountId, campaign_id: CampaignId, contact: ContactId
    ) -> RecipientExplanation:
        with self.transactions.begin(account) as uow:
            campaign = uow.campaigns.get(account, campaign_id)
            if uow.contacts.lock(account, contact) is None:
                raise ContactNotFound
            spec, store = campaign.content.audience, uow.accounts.get(account)
            is_frozen = campaign.plan is not None
            can_tell = not is_frozen or is_defined(uow, account, spec)
        steps: Sequence[AudienceStep] = ()
        reason = None
        if can_tell:
            rules = planning.rules_of(store, self.policy, self.clock.now())
            found = self.audiences.explain(account, spec, rules, contact)
            if found is None:
                raise ContactNotFound
            steps, reason = found.steps, found.reason and found.reason.value
        is_recipient = reason is None
        if is_frozen:
            is_recipient = self.frozen.includes(account, campaign_id, contact)
            reason = None if is_recipient else reason or NOT_AT_START
        return RecipientExplanation(campaign_id, contact, is_recipient, is_frozen, reason, steps)


@attrs.frozen
class CountAudience:
    """Count who is meant and who of them is left out for which reason.

    Raises `ListNotFound`, `ReferenceNotFound`.
    """

    transactions: Transactions[CampaignsUnitOfWork]
    audiences: AudienceQueries
    clock: Clock
    policy: planning.SendingPolicy

    def __call__(self, account: AccountId, spec: AudienceSpec) -> AudienceCount:
        with self.transactions.begin(account) as uow:
            must_refer_to_what_is(uow, account, spec)
            store = uow.accounts.get(account)
        rules = planning.rules_of(store, self.policy, self.clock.now())
        return self.audiences.count(account, spec, rules)
