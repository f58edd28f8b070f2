"""Making, ending and noting the use of API keys."""

from datetime import datetime

import attrs

from retail_core.accounts.errors import ApiKeyNotFound
from retail_core.accounts.model import (
    API_KEY_PREFIX_BYTES,
    API_KEY_SECRET_BYTES,
    USE_NOTED_EVERY,
    ApiKey,
    KeyText,
    NewApiKey,
    Scope,
)
from retail_core.accounts.ports import AccountsUnitOfWork
from retail_core.kernel.audit import AuditAction, AuditEntry, AuditKind
from retail_core.kernel.idempotency import Once
from retail_core.kernel.ids import AccountId, ApiKeyId
from retail_core.kernel.ports import Clock, Randomness, Transactions


@attrs.frozen
class ApiKeyOrder:
    """What a shop asks for when it wants a key."""

    name: str
    scopes: tuple[Scope, ...]
    expires_at: datetime | None


@attrs.frozen
class MadeApiKey:
    """A new key, with the text that nobody can read again."""

    key: ApiKey
    text: str = attrs.field(repr=False)


@attrs.frozen
class CreateApiKey:
    """Make a key for a shop's own programs; only a hash of its text is kept."""

    transactions: Transactions[AccountsUnitOfWork]
    randomness: Randomness
    clock: Clock

    def __call__(
        self, account: AccountId, order: ApiKeyOrder, once: Once | None = None
    ) -> MadeApiKey:
        """Raises `InvalidField`."""
        text = KeyText.of(
            self.randomness.token(API_KEY_PREFIX_BYTES),
            self.randomness.token(API_KEY_SECRET_BYTES),
        )
        new = NewApiKey(
            account=account,
            name=order.name,
            prefix=text.prefix,
            hash=text.hash,
            scopes=order.scopes,
            created_at=self.clock.now(),
            expires_at=order.expires_at,
        )
        with self.transactions.begin(account, once) as uow:
            key = uow.api_keys.add(new)
            uow.effect(key.id)
            uow.audit.record(
                AuditEntry(
                    action=AuditAction.API_KEY_CREATED,
                    account=account,
                    kind=AuditKind.API_KEY,
                    id=key.id,
                    details={scope.name.lower(): True for scope in order.scopes},
                )
            )
            return MadeApiKey(key, text.text)


@attrs.frozen
class RevokeApiKey:
    """End a key, at once; one that ended before is no matter."""

    transactions: Transactions[AccountsUnitOfWork]
    clock: Clock

    def __call__(self, account: AccountId, key: ApiKeyId) -> None:
        """Raises `ApiKeyNotFound`."""
        with self.transactions.begin(account) as uow:
            if not uow.api_keys.revoke(account, key, self.clock.now()):
                raise ApiKeyNotFound
            uow.audit.record(
                AuditEntry(
                    action=AuditAction.API_KEY_REVOKED,
                    account=account,
                    kind=AuditKind.API_KEY,
                    id=key,
                )
            )


@attrs.frozen
class NoteApiKeyUse:
    """Remember when a key was last used, to the minute: most requests write nothing."""

    transactions: Transactions[AccountsUnitOfWork]
    clock: Clock

    def __call__(self, key: ApiKey) -> None:
        now = self.clock.now()
        if not key.use_is_news(now):
            return
        with self.transactions.begin(key.account) as uow:
            uow.api_keys.note_use(key.account, key.id, now, now - USE_NOTED_EVERY)
