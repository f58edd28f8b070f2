"""What can be read about credits."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

import attrs

from retail_core.credits.model import Wallet
from retail_core.kernel.ids import AccountId, CampaignId, MessageNumber, TransferId
from retail_core.kernel.pages import Page, PageRequest


@attrs.frozen
class WalletView:
    """The wallet as a shop sees it: `balance` is the sum of its ledger, held credits included."""

    balance: int
    held: int
    available: int


@attrs.frozen
class CreditTransaction:
    """A transfer that changed the balance; holds and releases do not and are not shown.

    `is_credit` says whether it added to the balance; `amount` is above zero either way.
    """

    id: TransferId
    account: AccountId
    is_credit: bool
    amount: int
    balance_after: int
    reason: str | None
    campaign: CampaignId | None
    message: MessageNumber | None
    meta: Mapping[str, object] | None
    created_at: datetime


@attrs.frozen
class LedgerMismatch:
    """A wallet that is not the sum of its transfers."""

    account: AccountId
    stored: Wallet
    recomputed: Wallet


class CreditQueries(Protocol):
    """A shop's credits."""

    def wallet(self, account: AccountId) -> WalletView:
        """All zero if the account has no wallet yet."""
        ...

    def transactions(self, account: AccountId, page: PageRequest) -> Page[CreditTransaction]:
        """The newest first."""
        ...


class LedgerAudit(Protocol):
    """Adds every ledger up again."""

    def mismatches_across_accounts(self, mismatches_max: int) -> Sequence[LedgerMismatch]:
        """Wallets that are not the sum of their transfers, by account; reads all transfers."""
        ...
