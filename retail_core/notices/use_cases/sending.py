"""Handing notices over: claim, look at what is true now, hand over, note that it is done."""

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Final

import attrs

from retail_core.accounts.model import (
    RESET_TOKEN_BYTES,
    RESET_TOKEN_LIFE,
    Account,
    reset_token_hash,
)
from retail_core.kernel.errors import Unavailable
from retail_core.kernel.ids import AccountId, NoticeId
from retail_core.kernel.ports import Clock, Randomness, Transactions
from retail_core.kernel.secrets import SecretText
from retail_core.notices import jobs
from retail_core.notices.model import (
    FORGOTTEN_AFTER,
    HAND_OVER_LIFE,
    CampaignFacts,
    CampaignFailed,
    CampaignFinished,
    CampaignPaused,
    ConfirmationCountry,
    ConfirmationLimit,
    Content,
    CreditsLow,
    HandOver,
    Letter,
    Notice,
    NoticeKind,
    PasswordReset,
)
from retail_core.notices.ports import NoticesUnitOfWork, Notifier
from retail_core.notices.queries import NoticeFacts

NOTICES_PER_SWEEP_MAX: Final = 100
STATES: Final[Mapping[NoticeKind, str]] = {
    NoticeKind.CAMPAIGN_PAUSED: "paused",
    NoticeKind.CAMPAIGN_FAILED: "failed",
    NoticeKind.CAMPAIGN_FINISHED: "completed",
}
PLAIN: Final[Mapping[NoticeKind, Content]] = {
    NoticeKind.CONFIRMATION_LIMIT: ConfirmationLimit(),
    NoticeKind.CONFIRMATION_COUNTRY: ConfirmationCountry(),
}
"""What is told as it was, whatever happened since."""

BY_USER: Final = "by_user"


@attrs.frozen
class ResetLink:
    """The address of the page that sets a new password, with `{token}` where the token goes."""

    template: str

    def of(self, token: str) -> SecretText:
        """The link with a token, which is safe in any part of an address."""
        return SecretText(self.template.replace("{token}", token))


@attrs.frozen
class SendNotice:
    """Tell an owner what they must hear, unless it is no longer true.

    Safe to run twice and side by side: a notice is claimed first. Who dies between handing over
    and noting it lets the owner hear twice, which is better than never. A link to set a password
    gets a fresh token with every attempt, and only the last one works.
    """

    transactions: Transactions[NoticesUnitOfWork]
    facts: NoticeFacts
    notifier: Notifier
    randomness: Randomness
    clock: Clock
    link: ResetLink

    def __call__(self, account: AccountId, notice_id: NoticeId) -> bool:
        """Whether it was handed over now. Raises `Unavailable`: the next attempt may."""
        now = self.clock.now()
        with self.transactions.begin(account) as uow:
            notice = uow.notices.claim(account, notice_id, now, now + HAND_OVER_LIFE)
            if notice is None:
                return False
            owner = uow.accounts.get(account)
            token = self._token(uow, notice, now)
        content = None if notice.is_stale(now) else self._content(notice, token)
        outcome = HandOver.REFUSED if content is None else self._hand_over(notice, owner, content)
        with self.transactions.begin(account) as uow:
            if outcome is HandOver.LATER:
                uow.notices.let_go(account, notice_id, self.clock.now())
            else:
                uow.notices.finish(account, notice_id, self.clock.now())
        if outcome is HandOver.LATER:
            raise Unavailable("The notifier did not take the notice.")
        return outcome is HandOver.DONE

    def _token(self, uow: NoticesUnitOfWork, notice: Notice, now: datetime) -> str | None:
        """A fresh token, of which only the hash stays here."""
        if notice.kind is not NoticeKind.PASSWORD_RESET or notice.is_stale(now):
            return None
        token = base64.urlsafe_b64encode(self.randomness.token(RESET_TOKEN_BYTES)).rstrip(b"=")
        text = token.decode()
        uow.password_resets.issue(notice.account, reset_token_hash(text), now + RESET_TOKEN_LIFE)
        return text

    def _content(self, notice: Notice, token: str | None) -> Content | None:
        """What there is to tell; None if it is no longer true."""
        if token is not None:
            minutes = int(RESET_TOKEN_LIFE.total_seconds() // 60)
            return PasswordReset(self.link.of(token), minutes)
        if notice.kind is NoticeKind.CREDITS_LOW:
            return CreditsLow(self.facts.available(notice.account))
        if notice.kind in PLAIN or notice.campaign is None:
            return PLAIN.get(notice.kind)
        facts = self.facts.campaign(notice.account, notice.campaign)
        if facts is None or facts.state != STATES[notice.kind] or facts.reason == BY_USER:
            return None
        return _about(facts, notice.kind)

    def _hand_over(self, notice: Notice, owner: Account, content: Content) -> HandOver:
        letter = Letter(f"notice-{notice.id}", owner.email, owner.locale, content)
        return self.notifier.hand_over(letter)


def _about(facts: CampaignFacts, kind: NoticeKind) -> Content:
    if kind is NoticeKind.CAMPAIGN_PAUSED:
        return CampaignPaused(facts.name, facts.reason)
    if kind is NoticeKind.CAMPAIGN_FAILED:
        return CampaignFailed(facts.name, facts.reason)
    return CampaignFinished(
        facts.name, facts.recipients, facts.sent, facts.failed, facts.unknown, facts.cancelled
    )


@attrs.frozen
class SweepNotices:
    """Nudge again about notices whose nudge got lost; returns how many."""

    transactions: Transactions[NoticesUnitOfWork]
    clock: Clock

    def __call__(self) -> int:
        before = self.clock.now() - FORGOTTEN_AFTER
        with self.transactions.across_accounts() as uow:
            found = uow.notices.forgotten_across_accounts(before, NOTICES_PER_SWEEP_MAX)
            for account, notice in found:
                uow.jobs.add(jobs.send_notice(account, notice))
        return len(found)
