"""Questions about accounts that the edge asks directly."""

from datetime import datetime
from typing import Protocol

from retail_core.accounts.model import Account, ApiKey, Session
from retail_core.kernel.ids import AccountId, ApiKeyId, SessionId
from retail_core.kernel.pages import Page, PageRequest


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

    def page_live(self, account: AccountId, now: datetime, page: PageRequest) -> Page[Session]:
        """The sessions that have neither ended nor expired, the newest first."""
        ...


class ApiKeyQueries(Protocol):
    """API keys."""

    def find_by_hash_across_accounts(self, hash_: bytes) -> ApiKey | None:
        """The key whose text has this hash, ended or not."""
        ...

    def find(self, account: AccountId, key: ApiKeyId) -> ApiKey | None:
        """One key of an account, ended or not."""
        ...

    def page(self, account: AccountId, page: PageRequest) -> Page[ApiKey]:
        """The keys of an account, ended ones too, the newest first."""
        ...
