"""What notices tell of, as it stands when they are handed over."""

from typing import Protocol

from retail_core.kernel.ids import AccountId, CampaignId
from retail_core.notices.model import CampaignFacts


class NoticeFacts(Protocol):
    """Facts of the rooms above that a notice tells."""

    def campaign(self, account: AccountId, campaign: CampaignId) -> CampaignFacts | None:
        """How the campaign stands; None if the account has no such one."""
        ...

    def available(self, account: AccountId) -> int:
        """How many credits are free to spend."""
        ...
