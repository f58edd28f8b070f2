"""What accounts need from the world: their rows, hashes of passwords, tokens, a wallet."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from retail_core.accounts.model import (
    AccessClaims,
    Account,
    ApiKey,
    NewAccount,
    NewApiKey,
    NewSession,
    RefreshToken,
    Session,
)
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import AccountId, ApiKeyId, SessionId
from retail_core.kernel.ports import Work


class AccountStore(Protocol):
    """The accounts; an e-mail address belongs to one of them."""

    def add_across_accounts(self, account: NewAccount) -> Account:
        """Insert an account. Raises `EmailTaken`."""
        ...

    def find_by_email_across_accounts(self, email: str) -> Account | None:
        """The account that signs in with this address (trimmed, in lower case)."""
        ...

    def get(self, account: AccountId) -> Account:
        """Read an account. Raises `AccountNotFound`."""
        ...

    def lock(self, account: AccountId) -> Account:
        """Read an account and keep it from changing until the end; rows that only belong to it can
        still be made. Raises `AccountNotFound`.
        """
        ...

    def save_profile(self, account: Account) -> None:
        """Write what the owner of a locked account may change, but neither address nor password."""
        ...

    def set_password_hash(self, account: AccountId, password_hash: str, now: datetime) -> None:
        """Replace the hash of the password; nothing happens if there is no such account."""
        ...


class SessionStore(Protocol):
    """Sessions and the hashes of their refresh tokens."""

    def add(self, session: NewSession) -> Session:
        """Insert a session in its first generation."""
        ...

    def add_token(self, token: RefreshToken) -> None:
        """Keep the hash of a token that is about to be handed out."""
        ...

    def lock_by_token_across_accounts(self, token: bytes) -> tuple[Session, RefreshToken] | None:
        """The session of a token (by its hash), locked until the end; None for an unknown one."""
        ...

    def save(self, session: Session) -> None:
        """Write what changes in a locked session: its generation, its times and its end."""
        ...

    def revoke(self, account: AccountId, session: SessionId, now: datetime) -> bool:
        """End a live session; False if the account has no such one, or it ended before."""
        ...

    def revoke_others(self, account: AccountId, kept: SessionId | None, now: datetime) -> int:
        """End every live session of the account but `kept`; returns how many."""
        ...


class ApiKeyStore(Protocol):
    """API keys, by the hash of their text."""

    def add(self, key: NewApiKey) -> ApiKey:
        """Insert a key."""
        ...

    def revoke(self, account: AccountId, key: ApiKeyId, now: datetime) -> bool:
        """End a key; False if the account has no such one. An ended one keeps its time."""
        ...

    def note_use(
        self, account: AccountId, key: ApiKeyId, now: datetime, unless_since: datetime
    ) -> None:
        """Write down that a key was used, unless a use after `unless_since` is known already."""


class PasswordResetStore(Protocol):
    """The one token of an account that sets a new password, by its hash alone."""

    def issue(self, account: AccountId, token: bytes, expires_at: datetime) -> None:
        """Keep the hash of a fresh token; the account's older one is void."""
        ...

    def void(self, account: AccountId) -> None:
        """Forget the account's token, if it has one."""
        ...

    def owner_across_accounts(self, token: bytes, now: datetime) -> AccountId | None:
        """Whose token this is (by its hash); None if it is unknown, used, void or too old."""
        ...

    def take(self, account: AccountId, token: bytes, now: datetime) -> bool:
        """Use the account's token (by its hash) up; False if it is used, void or too old by now."""
        ...


class ClosingStore(Protocol):
    """Accounts that are being closed, and everything personal in their rows.

    The ledger, the counts and the facts of consent stay; who is meant by them is forgotten.
    """

    def begin(self, account: AccountId, now: datetime) -> bool:
        """Let nobody sign in to the account any more, and no program in; locks its row.

        Forgets what is written down about failed jobs of it. Returns whether its rows are being
        erased already, by somebody who began before us.
        """
        ...

    def obstacles(self, account: AccountId) -> Sequence[str]:
        """What of the account is under way, in words; it cannot be closed meanwhile."""
        ...

    def begin_erasing(self, account: AccountId, now: datetime) -> None:
        """From here on there is less to be exported than there was."""
        ...

    def erase_some(
        self,
        account: AccountId,
        rows_max: int,
        hash_of: Callable[[PhoneNumber], bytes],
        now: datetime,
    ) -> int:
        """Erase about so many rows; returns how many, and 0 once nothing personal is left.

        Whose facts of consent they are stays known by `hash_of` the number.
        """
        ...

    def finish(self, account: AccountId, now: datetime) -> None:
        """Forget the owner; their e-mail address is free again."""
        ...


class WalletOpening(Protocol):
    """Makes the wallet of a new account; the ledger of the credits room satisfies it."""

    def open(self, account: AccountId) -> None:
        """Make the wallet; one that exists stays as it is."""
        ...


class AccountsUnitOfWork(Work, Protocol):
    """The stores that accounts work on."""

    @property
    def accounts(self) -> AccountStore: ...
    @property
    def sessions(self) -> SessionStore: ...
    @property
    def api_keys(self) -> ApiKeyStore: ...
    @property
    def password_resets(self) -> PasswordResetStore: ...
    @property
    def credits(self) -> WalletOpening: ...
    @property
    def closings(self) -> ClosingStore: ...


class PasswordHasher(Protocol):
    """Turns passwords into hashes that are slow to guess. Takes its time: call it outside of any
    transaction.
    """

    def hash(self, password: str) -> str:
        """A fresh hash with a salt of its own."""
        ...

    def verify(self, password: str, password_hash: str | None) -> bool:
        """Whether the hash is of this password; None takes as long and is False."""
        ...

    def is_outdated(self, password_hash: str) -> bool:
        """Whether a fresh hash would be made differently by now."""
        ...


class AccessTokens(Protocol):
    """Short-lived proofs of a session that need no look-up to be read."""

    def issue(self, account: Account, session: SessionId, now: datetime) -> str:
        """A token that is valid from now on for its lifetime."""
        ...

    def read(self, token: str, now: datetime) -> AccessClaims:
        """What the token says. Raises `Unauthenticated` for whatever is not ours or has expired."""
        ...
