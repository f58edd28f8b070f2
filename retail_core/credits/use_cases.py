"""What the operator does with credits."""

from collections.abc import Sequence

import attrs

from retail_core.credits.model import CREDITS_MAX, REASON_CHARACTERS_MAX, Wallet
from retail_core.credits.ports import CreditsUnitOfWork
from retail_core.credits.queries import LedgerAudit, LedgerMismatch
from retail_core.kernel.audit import AuditAction, AuditEntry, AuditKind
from retail_core.kernel.errors import InvalidField
from retail_core.kernel.ids import AccountId
from retail_core.kernel.ports import Randomness, Transactions

KEY_BYTES = 16
MISMATCHES_MAX = 1000
REASON_PREFIX = "adjustment:"


@attrs.frozen
class GrantCredits:
    """Give a shop credits by hand; the ledger shows them as `adjustment:<reason>`."""

    transactions: Transactions[CreditsUnitOfWork]
    randomness: Randomness

    def __call__(self, account: AccountId, credits: int, reason: str) -> Wallet:
        """Returns the wallet after it. Raises `InvalidField`."""
        if not 1 <= credits <= CREDITS_MAX:
            raise InvalidField("credits", f"must be between 1 and {CREDITS_MAX}")
        if not 1 <= len(reason) <= REASON_CHARACTERS_MAX - len(REASON_PREFIX):
            raise InvalidField("reason", "must say why, in at most 189 characters")
        key = f"{REASON_PREFIX}{self.randomness.token(KEY_BYTES).hex()}"
        with self.transactions.begin(account) as uow:
            uow.credits.adjust(account, key, credits, f"{REASON_PREFIX}{reason}")
            uow.audit.record(
                AuditEntry(
                    action=AuditAction.CREDITS_GRANTED,
                    account=account,
                    kind=AuditKind.ACCOUNT,
                    id=account,
                    details={"credits": credits},
                )
            )
            return uow.credits.wallet(account)


@attrs.frozen
class VerifyLedger:
    """Add all transfers up again and name every wallet that differs; repairs nothing."""

    audit: LedgerAudit

    def __call__(self) -> Sequence[LedgerMismatch]:
        return self.audit.mismatches_across_accounts(MISMATCHES_MAX)
