"""The audit log: who did what to which thing, and when; never what a person is called or said.

Who acts is bound once, around the request or the command (`acting`), and stamped by the log itself:
no use case hands it on, so none can forget or forge it.
"""

import enum
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Final, TypeAlias

import attrs

from retail_core.kernel.ids import ID_MAX, AccountId, ApiKeyId, SessionId

DETAILS_MAX: Final = 20


class AuditAction(enum.StrEnum):
    """All that is written down; letters and underscores only."""

    ACCOUNT_OPENED = "account_opened"
    ACCOUNT_CLOSED = "account_closed"
    SIGNED_IN = "signed_in"
    SIGN_IN_REFUSED = "sign_in_refused"
    SESSION_ENDED = "session_ended"
    SESSIONS_ENDED = "sessions_ended"
    SESSION_REUSED = "session_reused"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a word, no password
    PASSWORD_REFUSED = "password_refused"  # noqa: S105 - a word, no password
    PASSWORD_RESET_ASKED = "password_reset_asked"  # noqa: S105 - a word, no password
    API_KEY_CREATED = "api_key_created"
    API_KEY_REVOKED = "api_key_revoked"
    EXPORTED = "exported"
    CONTACT_DELETED = "contact_deleted"
    CONTACT_ERASED = "contact_erased"
    CONSENT_CHANGED = "consent_changed"
    CONSENT_REQUESTED = "consent_requested"
    SUPPRESSION_ADDED = "suppression_added"
    SUPPRESSION_REMOVED = "suppression_removed"
    CREDITS_GRANTED = "credits_granted"
    PLAN_ACTIVATED = "plan_activated"
    MESSAGES_LOOKED_UP = "messages_looked_up"
    MESSAGES_DECLARED = "messages_declared"
    WEBHOOKS_REPLAYED = "webhooks_replayed"


class AuditKind(enum.StrEnum):
    """What kind of thing an action was done to."""

    ACCOUNT = "account"
    SESSION = "session"
    API_KEY = "api_key"
    CONTACT = "contact"
    CONTACTS = "contacts"
    SUPPRESSION = "suppression"
    CAMPAIGN = "campaign"
    MESSAGES = "messages"
    PURCHASES = "purchases"
    GATEWAY = "gateway"


class AgentKind(enum.StrEnum):
    """Who may act."""

    SYSTEM = "system"
    """The system itself: a worker or the scheduler."""
    VISITOR = "visitor"
    """Somebody who is not signed in (yet)."""
    USER = "user"
    API_KEY = "api_key"
    OPERATOR = "operator"
    """Somebody at the command line."""


@attrs.frozen
class Agent:
    """Who acts at present, and by which request."""

    kind: AgentKind = AgentKind.SYSTEM
    account: AccountId | None = None
    session: SessionId | None = None
    api_key: ApiKeyId | None = None
    request_id: str | None = None
    address: str | None = None


Detail: TypeAlias = int | bool | enum.Enum
"""Numbers, flags and words of closed lists: no text that somebody wrote fits in."""


def _harmless(_entry: object, _field: object, details: Mapping[str, object]) -> None:
    if len(details) > DETAILS_MAX:
        raise ValueError("an audit entry has too many details")
    for name, value in details.items():
        if not (name.isascii() and name.isidentifier()):
            raise ValueError("a detail's name is a word of ours")
        # so small a number is no telephone number
        if not isinstance(value, enum.Enum) and not (
            isinstance(value, int) and abs(value) <= ID_MAX
        ):
            raise TypeError(f"the detail {name} could hold something personal")


@attrs.frozen(kw_only=True)
class AuditEntry:
    """One deed: what was done, to which thing of which shop.

    `account` is None where the deed belongs to no one shop, as a refused sign-in with an unknown
    address. Raises TypeError for a detail that could hold something personal.
    """

    action: AuditAction
    account: AccountId | None
    kind: AuditKind
    id: int | None = None
    details: Mapping[str, Detail] = attrs.field(factory=dict, validator=_harmless)

    @property
    def written_details(self) -> Mapping[str, int | bool | str]:
        """The details as they are kept: words of closed lists by their value."""
        return {
            name: value.value if isinstance(value, enum.Enum) else value
            for name, value in self.details.items()
        }


@attrs.frozen(kw_only=True)
class AuditRecord:
    """A deed as it was written down; details as numbers, flags and words."""

    number: int
    at: datetime
    agent: Agent
    action: AuditAction
    account: AccountId | None
    kind: AuditKind
    id: int | None
    details: Mapping[str, int | bool | str]


@attrs.frozen(kw_only=True)
class AuditFilter:
    """Which deeds are asked for; None leaves a question open."""

    account: AccountId | None = None
    action: AuditAction | None = None
    since: datetime | None = None


_agent: Final[ContextVar[Agent]] = ContextVar("agent", default=Agent())  # noqa: B039 - frozen


def present_agent() -> Agent:
    """Who acts at present; the system itself where nobody was bound."""
    return _agent.get()


def act_as(agent: Agent) -> None:
    """Bind who acts from here on in this thread, until somebody else is bound."""
    _agent.set(agent)


@contextmanager
def acting(agent: Agent) -> Iterator[None]:
    """Bind who acts inside."""
    before = _agent.set(agent)
    try:
        yield
    finally:
        _agent.reset(before)
