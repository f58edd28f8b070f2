"""An API key lets a shop's own programs in, within the scopes it was made for."""

import base64
import enum
import hashlib
from datetime import datetime, timedelta
from typing import Final

import attrs

from retail_core.kernel.errors import InvalidField
from retail_core.kernel.ids import AccountId, ApiKeyId

API_KEY_MARK: Final = "rsk_"
API_KEY_PREFIX_BYTES: Final = 5
API_KEY_SECRET_BYTES: Final = 32
API_KEY_NAME_CHARACTERS_MAX: Final = 80
USE_NOTED_EVERY: Final = timedelta(minutes=1)
"""How exact the time of the last use is; noting every request would cost a write each."""


class Scope(enum.StrEnum):
    """What an API key may do."""

    CONTACTS_READ = "contacts:read"
    CONTACTS_WRITE = "contacts:write"
    LISTS_READ = "lists:read"
    LISTS_WRITE = "lists:write"
    TEMPLATES_READ = "templates:read"
    TEMPLATES_WRITE = "templates:write"
    CAMPAIGNS_READ = "campaigns:read"
    CAMPAIGNS_WRITE = "campaigns:write"
    CAMPAIGNS_SEND = "campaigns:send"
    MESSAGES_READ = "messages:read"
    AUTOMATIONS_READ = "automations:read"
    AUTOMATIONS_WRITE = "automations:write"
    OFFERS_WRITE = "offers:write"
    NFC_READ = "nfc:read"
    NFC_WRITE = "nfc:write"
    BILLING_READ = "billing:read"


@attrs.frozen
class KeyText:
    """The text of a new key, which is shown once, and what is kept of it."""

    text: str = attrs.field(repr=False)
    prefix: str

    @classmethod
    def of(cls, prefix: bytes, secret: bytes) -> "KeyText":
        """Write random bytes as `rsk_<8 characters>_<43 characters>`."""
        shown = API_KEY_MARK + base64.b32encode(prefix).decode().lower()
        hidden = base64.urlsafe_b64encode(secret).decode().rstrip("=")
        return cls(f"{shown}_{hidden}", shown)

    @property
    def hash(self) -> bytes:
        """How the key is kept."""
        return api_key_hash(self.text)


def api_key_hash(text: str) -> bytes:
    """How a key is kept and found. It is random, so a fast hash is enough."""
    return hashlib.sha256(text.encode()).digest()


@attrs.frozen(kw_only=True)
class NewApiKey:
    """A key before it has an id. Raises InvalidField for the first rule that is broken."""

    account: AccountId
    name: str
    prefix: str
    hash: bytes = attrs.field(repr=False)
    scopes: tuple[Scope, ...]
    created_at: datetime
    expires_at: datetime | None

    def __attrs_post_init__(self) -> None:
        if not 1 <= len(self.name) <= API_KEY_NAME_CHARACTERS_MAX:
            raise InvalidField("name", f"must have 1 to {API_KEY_NAME_CHARACTERS_MAX} characters")
        if not self.scopes:
            raise InvalidField("scopes", "must name at least one scope")
        if len(set(self.scopes)) < len(self.scopes):
            raise InvalidField("scopes", "names a scope twice")
        if self.expires_at is not None and self.expires_at <= self.created_at:
            raise InvalidField("expiresAt", "must be in the future")


@attrs.frozen(kw_only=True)
class ApiKey:
    """A key as its owner sees it; its text is known to nobody any more."""

    id: ApiKeyId
    account: AccountId
    name: str
    prefix: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None

    def is_live(self, now: datetime) -> bool:
        """Whether it still lets anybody in."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def use_is_news(self, now: datetime) -> bool:
        """Whether a use at this moment is to be noted."""
        return self.last_used_at is None or now - self.last_used_at >= USE_NOTED_EVERY
