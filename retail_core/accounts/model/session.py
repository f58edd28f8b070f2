"""A session is one sign-in of an account, and all the tokens that come of it."""

import enum
from datetime import datetime, timedelta
from typing import Final

import attrs

from retail_core.kernel.ids import AccountId, SessionId

USER_AGENT_CHARACTERS_MAX: Final = 500
REFRESH_TOKEN_BYTES: Final = 64


@attrs.frozen
class Device:
    """From where somebody signed in, for the list of sessions."""

    ip: str | None = None
    user_agent: str | None = None


@attrs.frozen
class SessionRules:
    """How long tokens and sessions live."""

    access: timedelta = timedelta(minutes=15)
    refresh: timedelta = timedelta(days=30)
    refresh_grace: timedelta = timedelta(seconds=10)
    session: timedelta = timedelta(days=180)


@attrs.frozen(kw_only=True)
class NewSession:
    """A session before it has an id."""

    account: AccountId
    device: Device
    created_at: datetime
    expires_at: datetime
    ends_at: datetime


@attrs.frozen(kw_only=True)
class Session:
    """One sign-in, and all the tokens that came of it.

    Refresh tokens carry a generation; `generation` is the one in use and `rotated_at` is when it
    came. `expires_at` moves with every refresh, at most to `ends_at`.
    """

    id: SessionId
    account: AccountId
    device: Device
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    ends_at: datetime
    generation: int
    rotated_at: datetime
    revoked_at: datetime | None

    def is_live(self, now: datetime) -> bool:
        """Whether it still lets anybody in."""
        return self.revoked_at is None and now < self.expires_at


@attrs.frozen
class RefreshToken:
    """A refresh token as it is kept: by its hash alone."""

    hash: bytes = attrs.field(repr=False)
    account: AccountId
    session: SessionId
    generation: int
    expires_at: datetime


class Use(enum.Enum):
    """What a refresh token that was presented is good for."""

    ROTATE = "rotate"
    """It is in use: the next generation begins."""
    JOIN = "join"
    """It was replaced a moment ago, by another tab: a further token of the present generation."""
    REFUSE = "refuse"
    """It or its session is over."""
    THEFT = "theft"
    """It was replaced long ago: somebody has a copy."""


def use_of(session: Session, token: RefreshToken, rules: SessionRules, now: datetime) -> Use:
    """Judge a token. Only the directly preceding generation is forgiven, and only for a moment."""
    if not session.is_live(now) or now >= token.expires_at:
        return Use.REFUSE
    if token.generation == session.generation:
        return Use.ROTATE
    is_preceding = token.generation == session.generation - 1
    if is_preceding and now <= session.rotated_at + rules.refresh_grace:
        return Use.JOIN
    return Use.THEFT


@attrs.frozen
class AccessClaims:
    """What a valid access token says."""

    account: AccountId
    session: SessionId
