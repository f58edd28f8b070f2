"""What a wallet and a transfer are. All amounts are whole credits."""

import enum
from collections.abc import Mapping

import attrs

from retail_core.kernel.ids import CampaignId, MessageNumber

CREDITS_MAX = 1_000_000_000
"""Most credits that one transfer moves: far above any purchase, far below the end of a bigint."""

REASON_CHARACTERS_MAX = 200

LOW_CREDITS = 100
"""With fewer available credits the owner is warned, if the operator says nothing else."""


class LedgerAccount(enum.Enum):
    """The five places where an account's credits can be.

    `WORLD` is where they come from, `DEBT` what the shop owes. The entries of all five add up to
    zero, always.
    """

    WORLD = "world"
    AVAILABLE = "available"
    HELD = "held"
    SPENT = "spent"
    DEBT = "debt"


class TransferKind(enum.Enum):
    """Why credits moved."""

    GRANT = "grant"
    HOLD = "hold"
    CAPTURE = "capture"
    RELEASE = "release"
    REFUND = "refund"
    MONEY_BACK = "money_back"
    ADJUSTMENT = "adjustment"


@attrs.frozen
class Wallet:
    """What a shop has: free to spend, held for what is being sent, and owed."""

    available: int = 0
    held: int = 0
    debt: int = 0

    @property
    def balance(self) -> int:
        """What a shop sees as its credits: available and held."""
        return self.available + self.held


@attrs.frozen
class Transfer:
    """`amount` credits leave `debit` and enter `credit`; written once and never changed.

    `key` is unique in the account: the same key never moves credits twice.
    """

    key: str
    kind: TransferKind
    debit: LedgerAccount
    credit: LedgerAccount
    amount: int
    campaign: CampaignId | None = None
    message: MessageNumber | None = None
    reason: str | None = None
    meta: Mapping[str, object] | None = None

    def entry(self, account: LedgerAccount) -> int:
        """What this transfer adds to one of the five."""
        return self.amount * ((self.credit is account) - (self.debit is account))

    @property
    def is_income(self) -> bool:
        """Whether credits come in from outside and can be spent."""
        return self.debit is LedgerAccount.WORLD and self.credit is LedgerAccount.AVAILABLE

    @property
    def balance_change(self) -> int:
        """What it adds to available and held together."""
        return self.entry(LedgerAccount.AVAILABLE) + self.entry(LedgerAccount.HELD)
