"""Notices: what an owner must hear at once, as values."""

import enum
from datetime import datetime, timedelta
from typing import Final, TypeAlias

import attrs

from retail_core.accounts.model import Locale
from retail_core.kernel.ids import AccountId, CampaignId, NoticeId
from retail_core.kernel.secrets import SecretText

ATTEMPTS_MAX: Final = 5
ATTEMPT_FIRST_SECONDS: Final = 30.0
"""The wait after the first attempt; doubled each time."""

HAND_OVER_LIFE: Final = timedelta(minutes=2)
"""So long whoever hands a notice over has it for themselves; no hand-over may take longer."""

FORGOTTEN_AFTER: Final = timedelta(minutes=10)
"""A notice that nobody touched for so long lost its nudge; longer than any wait for a retry."""

STALE_AFTER: Final = timedelta(days=3)
"""Nobody must hear of something this old at once any more."""


class NoticeKind(enum.StrEnum):
    """What a notice is about."""

    PASSWORD_RESET = "password_reset"  # noqa: S105 - a word, no password
    CAMPAIGN_PAUSED = "campaign_paused"
    CAMPAIGN_FAILED = "campaign_failed"
    CAMPAIGN_FINISHED = "campaign_finished"
    CREDITS_LOW = "credits_low"
    CONFIRMATION_LIMIT = "confirmation_limit"
    CONFIRMATION_COUNTRY = "confirmation_country"

    @property
    def stale_after(self) -> timedelta:
        """How old its cause may be when it is handed over."""
        return RESET_STALE_AFTER if self is NoticeKind.PASSWORD_RESET else STALE_AFTER


RESET_STALE_AFTER: Final = timedelta(hours=1)
"""Who waited longer for a link has asked again, or no longer wants it."""


@attrs.frozen
class NewNotice:
    """A notice before it has an id. `cause` is what it is told of once: a second one is none."""

    kind: NoticeKind
    cause: str
    at: datetime
    campaign: CampaignId | None = None


@attrs.frozen
class Notice:
    """A notice that somebody is handing over, for the time this attempt."""

    id: NoticeId
    account: AccountId
    kind: NoticeKind
    campaign: CampaignId | None
    created_at: datetime
    attempt: int

    def is_stale(self, now: datetime) -> bool:
        """Whether it comes too late to be of use."""
        return now > self.created_at + self.kind.stale_after


@attrs.frozen
class PasswordReset:
    """Somebody asked for a new password; the link sets it, once."""

    link: SecretText
    minutes: int


@attrs.frozen
class CampaignPaused:
    """A campaign stopped by itself and waits for its owner."""

    name: str
    reason: str | None


@attrs.frozen
class CampaignFailed:
    """A campaign could not be sent at all."""

    name: str
    reason: str | None


@attrs.frozen
class CampaignFinished:
    """Everybody in a campaign was dealt with."""

    name: str
    recipients: int
    sent: int
    failed: int
    unknown: int
    cancelled: int


@attrs.frozen
class CreditsLow:
    """Few credits are left to spend."""

    available: int


@attrs.frozen
class ConfirmationLimit:
    """Somebody asked for messages, but the store may send no more confirmations for a while."""


@attrs.frozen
class ConfirmationCountry:
    """Somebody asked for messages from a country that the price list does not name."""


Content: TypeAlias = (
    PasswordReset
    | CampaignPaused
    | CampaignFailed
    | CampaignFinished
    | CreditsLow
    | ConfirmationLimit
    | ConfirmationCountry
)


@attrs.frozen
class Letter:
    """A notice with everything that an adapter needs to hand it over.

    A letter that is handed over twice has the same `id`, so that a mailbox may see that.
    """

    id: str
    to: str = attrs.field(repr=False)
    locale: Locale
    content: Content


class HandOver(enum.Enum):
    """What became of a letter."""

    DONE = "done"
    LATER = "may work later"
    REFUSED = "will never work"


@attrs.frozen
class CampaignFacts:
    """How a campaign stands, as a notice about it tells."""

    name: str
    state: str
    reason: str | None
    recipients: int
    sent: int
    failed: int
    unknown: int
    cancelled: int
