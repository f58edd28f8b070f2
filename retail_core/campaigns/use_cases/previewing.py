"""Looking at a campaign before it is sent."""

from collections.abc import Sequence

import attrs

from retail_core.audiences.model import AudienceMember, AudienceSpec
from retail_core.audiences.queries import PREVIEW_MEMBERS_MAX, AudienceQueries
from retail_core.campaigns import planning
from retail_core.campaigns.ports import CampaignsUnitOfWork
from retail_core.campaigns.use_cases.referring import must_refer_to_what_is
from retail_core.kernel.addresses.phones import PhoneNumber, country_of
from retail_core.kernel.ids import AccountId, CampaignId
from retail_core.kernel.ports import Clock, Transactions
from retail_core.messages.composing import compiled
from retail_core.templates.encoding import TextSize


@attrs.frozen
class SampleMessage:
    """What one recipient would get: `text` without, `full_text` with the appended lines."""

    to: PhoneNumber = attrs.field(repr=False)
    text: str = attrs.field(repr=False)
    full_text: str = attrs.field(repr=False)
    size: TextSize
    credits: int


@attrs.frozen
class PreviewCampaign:
    """Render the texts of the first recipients, with sample links of true length.

    Raises `CampaignNotFound`, `NoMessageText`, `AudienceGone`.
    """

    transactions: Transactions[CampaignsUnitOfWork]
    audiences: AudienceQueries
    clock: Clock
    policy: planning.SendingPolicy

    def __call__(
        self, account: AccountId, campaign_id: CampaignId
    ) -> tuple[int, Sequence[SampleMessage]]:
        """How many recipients there are, and at most ten samples."""
        with self.transactions.begin(account) as uow:
            campaign = uow.campaigns.get(account, campaign_id)
            store = uow.accounts.get(account)
        rules = planning.rules_of(store, self.policy, self.clock.now())
        plan = planning.sample_plan(campaign.content, store, self.policy)
        count, members = self.audiences.members(
            account, campaign.content.audience, rules, name=None, members_max=PREVIEW_MEMBERS_MAX
        )
        bare = compiled(attrs.evolve(plan, text=campaign.content.message_text))
        full = compiled(plan)
        links = (plan.links.sample_offer_link(), plan.links.sample_opt_out_link())
        samples = []
        for member in members:
            values = (member.first_name, member.last_name, member.email)
            size = full.size(*values)
            price = self.policy.prices.credits_per_part(country_of(member.phone)) or 0
            samples.append(
                SampleMessage(
                    member.phone,
                    bare.render(*values, *links),
                    full.render(*values, *links),
                    size,
                    size.parts * price,
                )
            )
        return count, samples


@attrs.frozen
class PreviewAudience:
    """Who would be meant by an audience that is not saved.

    Raises `ListNotFound`, `ReferenceNotFound`.
    """

    transactions: Transactions[CampaignsUnitOfWork]
    audiences: AudienceQueries
    clock: Clock
    policy: planning.SendingPolicy

    def __call__(
        self, account: AccountId, spec: AudienceSpec, name: str | None
    ) -> tuple[int, Sequence[AudienceMember]]:
        """How many recipients (whose name contains `name`) there are, and the first ten."""
        with self.transactions.begin(account) as uow:
            must_refer_to_what_is(uow, account, spec)
            store = uow.accounts.get(account)
        rules = planning.rules_of(store, self.policy, self.clock.now())
        return self.audiences.members(
            account, spec, rules, name=name, members_max=PREVIEW_MEMBERS_MAX
        )
