"""What the rooms above need of the ledger."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from retail_core.credits.model import Wallet
from retail_core.kernel.ids import AccountId, CampaignId, MessageNumber
from retail_core.kernel.ports import Work


class CreditLedger(Protocol):
    """The credits of an account: transfers that are never changed, and the wallet they add up to.

    Each key moves credits once: a repeat with a used key changes nothing. Every change takes the
    lock of the wallet's row until the transaction ends, so it comes last in a transaction. All
    amounts are whole credits, at most `CREDITS_MAX`.
    """

    def open(self, account: AccountId) -> None:
        """Make the wallet of a new account; one that exists stays as it is."""
        ...

    def wallet(self, account: AccountId) -> Wallet:
        """What the account has now, without a lock; all zero if it has no wallet yet."""
        ...

    def amount(self, account: AccountId, key: str) -> int:
        """What the transfer with this key moved; 0 if there is none."""
        ...

    def lock(self, account: AccountId) -> Wallet:
        """Lock the wallet's row (made first if missing) and return what it says then."""
        ...

    def grant(
        self,
        account: AccountId,
        key: str,
        credits: int,
        reason: str,
        meta: Mapping[str, object] | None = None,
    ) -> bool:
        """Give credits, paying a debt first; False if the key was used."""
        ...

    def adjust(self, account: AccountId, key: str, credits: int, reason: str) -> bool:
        """The operator gives (above zero) or takes (below); False if the key was used.

        Raises `InsufficientCredits` if less is available than is to be taken.
        """
        ...

    def refund(
        self,
        account: AccountId,
        key: str,
        credits: int,
        reason: str,
        meta: Mapping[str, object] | None = None,
    ) -> bool:
        """Take credits back; what is not available becomes a debt. False if the key was used."""
        ...

    def hold(self, account: AccountId, key: str, credits: int, campaign: CampaignId | None) -> None:
        """Set credits aside; nothing to hold is fine. Raises `InsufficientCredits`."""
        ...

    def mark_low(self, account: AccountId, below: int, now: datetime) -> bool:
        """Note that fewer than `below` credits are available; True the first time.

        Credits that come in from outside (not those given back) take the note away.
        """
        ...

    def release(
        self, account: AccountId, key: str, credits: int, campaign: CampaignId | None
    ) -> None:
        """Give held credits back. Raises `HoldExceeded`."""
        ...

    def settle(
        self,
        account: AccountId,
        ref_key: str,
        captured: int,
        released: int,
        campaign: CampaignId | None,
        reason: str,
        messages: int,
        message: MessageNumber | None = None,
    ) -> None:
        """Spend `captured` and give back `released` of what is held, in one round trip.

        Writes `capture:<ref_key>` and `release:<ref_key>`. Raises `HoldExceeded`.
        """
        ...


class CreditsUnitOfWork(Work, Protocol):
    """The stores that credits work on."""

    @property
    def credits(self) -> CreditLedger: ...
