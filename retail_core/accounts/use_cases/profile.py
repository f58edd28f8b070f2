"""What a shop changes about itself."""

import attrs

from retail_core.accounts.model import Account, ProfileChanges
from retail_core.accounts.ports import AccountsUnitOfWork
from retail_core.kernel.ids import AccountId
from retail_core.kernel.ports import Clock, Transactions


@attrs.frozen
class EditProfile:
    """Change how a shop presents itself and sends; what is not named stays."""

    transactions: Transactions[AccountsUnitOfWork]
    clock: Clock

    def __call__(self, account: AccountId, changes: ProfileChanges) -> Account:
        """Raises `AccountNotFound`."""
        with self.transactions.begin(account) as uow:
            changed = changes.applied_to(uow.accounts.lock(account), self.clock.now())
            uow.accounts.save_profile(changed)
            return changed
