"""Questions about accounts that the edge asks directly."""

from datetime import datetime
from typing import Protocol

from retail_core.accounts.model import Account
from retail_core.kernel.ids import AccountId, SessionId


class AccountQueries(Protocol):
    """Accounts as they show themselves to their owners."""

    def find(self, account: AccountId) -> Account | None:
        """The account; None if it no longer exists."""
        ...


class SessionQueries(Protocol):
    """Sessions."""

    def is_live(self, account: AccountId, session: SessionId, now: datetime) -> bool:
        """Whether this session of this account exists and has neither ended nor expired."""
        ...
