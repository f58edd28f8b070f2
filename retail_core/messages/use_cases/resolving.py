"""Settling doubt: by reports, by the operator, and by the policy for what stays unknown."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import attrs

from retail_core.kernel.ids import AccountId, CampaignId, MessageNumber
from retail_core.kernel.ports import Clock, Transactions
from retail_core.messages.model import (
    SETTLE_HOURS,
    CreditPolicy,
    Finding,
    HeldShare,
    MessageState,
    ProgressChange,
    Resolved,
    SingleShare,
    doubt_key,
    merged,
)
from retail_core.messages.ports import MessagesUnitOfWork
from retail_core.messages.use_cases.counting import count
from retail_core.messages.use_cases.singles import move

REPORTS_PER_TRANSACTION_MAX = 1_000
OVERDUE_PER_TRANSACTION_MAX = 5_000
BATCHES_CLOSED_MAX = 100
LEFTOVERS_MAX = 100
LEFTOVERS_WITHIN = timedelta(days=7)
"""So long after its doubts were settled a campaign is looked at; later the books are checked."""
SINGLES_PER_TRANSACTION_MAX = 500

Campaign = tuple[AccountId, CampaignId]


def resolve(
    uow: MessagesUnitOfWork,
    findings: Sequence[Finding],
    now: datetime,
    *,
    failed_was_accepted: bool = True,
) -> Sequence[Resolved]:
    """Apply findings with their credits and counters; returns the messages that changed.

    Whatever the gateway reports, `failed` too, it had accepted: that is captured. Who knows that a
    failed message was never accepted says `failed_was_accepted=False`, and its hold comes back.
    Locks, in this order: the campaigns' messages, the campaigns, single messages, the wallets.
    """
    of_campaigns = [each for each in findings if not each.message.is_single]
    of_singles = [each for each in findings if each.message.is_single]
    resolved = uow.doubts.resolve_across_accounts(merged(of_campaigns), now)
    by_campaign: dict[Campaign, list[Resolved]] = defaultdict(list)
    for each in resolved:
        by_campaign[each.message.account, each.message.campaign].append(each)

    told = {each.message: each.state for each in findings}

    def is_free(each: Resolved) -> bool:
        # what a less certain report had said before decides about the state, not about credits
        return told[each.message] is MessageState.FAILED and not failed_was_accepted

    _record(uow, by_campaign, is_free, now)
    singles = uow.doubts.resolve_across_accounts(merged(of_singles), now)
    for account in sorted({each.message.account for each in (*resolved, *singles)}):
        for (owner, campaign), changed in sorted(by_campaign.items()):
            if owner == account:
                _move_share(uow, owner, campaign, changed, is_free)
        for each in singles:
            if each.message.account == account and each.credits:
                move(uow, _single_share(each), captured=0 if is_free(each) else each.credits)
    return [*resolved, *singles]


def _move_share(
    uow: MessagesUnitOfWork,
    account: AccountId,
    campaign: CampaignId,
    changed: Sequence[Resolved],
    is_free: Callable[[Resolved], bool],
) -> None:
    """Settle what was held for those of a campaign that are in doubt no more."""
    held = [each for each in changed if each.credits]
    captured = [each for each in held if not is_free(each)]
    if not held:
        return
    share = HeldShare(
        account,
        campaign,
        credits=sum(each.credits for each in held),
        messages=len(captured),
        key=doubt_key(campaign, min(each.message.seq for each in held)),
    )
    _move(uow, share, captured=sum(each.credits for each in captured))


def _single_share(each: Resolved) -> SingleShare:
    number = MessageNumber(each.message.seq)
    return SingleShare(each.message.account, number, each.credits, each.reason or "", each.after)


def _record(
    uow: MessagesUnitOfWork,
    by_campaign: Mapping[Campaign, Sequence[Resolved]],
    is_free: Callable[[Resolved], bool],
    now: datetime,
) -> None:
    """The counters, in the order of the campaigns."""
    for (account, campaign), changed in sorted(by_campaign.items(), key=lambda each: each[0][1]):
        counts = dict.fromkeys(("sent", "delivered", "failed", "unknown", "cancelled"), 0)
        for each in changed:
            counts[each.before.word] -= 1
            counts[each.after.word] += 1
        released = sum(each.credits for each in changed if is_free(each))
        captured = sum(each.credits for each in changed) - released
        change = ProgressChange(**counts, captured=captured, released=released)
        count(uow, account, campaign, change, now)


def _move(uow: MessagesUnitOfWork, share: HeldShare, captured: int) -> None:
    """Settle a share of the hold: so much of it is captured, the rest comes back."""
    uow.credits.settle(
        share.account,
        share.key,
        captured=captured,
        released=share.credits - captured,
        campaign=share.campaign,
        reason=f"sms:send:campaign:{share.campaign}",
        messages=share.messages,
    )


@attrs.frozen
class UnknownPolicy:
    """How long a message may be unknown before its hold is settled, and how.

    `account_is_shared`: others send through our account of the gateway too, so a report that tells
    nothing of ours but a phone's number may be about a message of theirs.
    """

    settle_after: timedelta = timedelta(hours=SETTLE_HOURS)
    credits: CreditPolicy = CreditPolicy.RELEASE
    account_is_shared: bool = True


@attrs.frozen
class ResolveByReports:
    """Match parked reports with messages in doubt, and with our own references.

    Returns how many reports found their message.
    """

    transactions: Transactions[MessagesUnitOfWork]
    clock: Clock
    policy: UnknownPolicy = UnknownPolicy()

    def __call__(self) -> int:
        now = self.clock.now()
        with self.transactions.across_accounts() as uow:
            findings = uow.doubts.take_matching_reports_across_accounts(
                now, REPORTS_PER_TRANSACTION_MAX
            )
            if not self.policy.account_is_shared:
                findings = [attrs.evolve(each, is_certain=True) for each in findings]
            resolve(uow, findings, now)
        return len(findings)


@attrs.frozen
class OverdueSettled:
    """What one sweep of the holds did. `leftover_credits` should be 0: the books are exact."""

    messages: int
    batches_closed: int
    leftover_credits: int


@attrs.frozen
class SettleOverdueUnknown:
    """Settle the holds of messages that are unknown for too long; they stay unknown.

    Also gives back what ended campaigns hold without a message in doubt. The books are exact, so
    there is none, and whoever runs this must raise an alarm if there is.
    """

    transactions: Transactions[MessagesUnitOfWork]
    clock: Clock
    policy: UnknownPolicy

    def __call__(self) -> OverdueSettled:
        """A bounded number of messages per call: call it again while it finds some."""
        now = self.clock.now()
        before = now - self.policy.settle_after
        with self.transactions.across_accounts() as uow:
            shares = uow.doubts.settle_overdue_across_accounts(
                before, now, OVERDUE_PER_TRANSACTION_MAX
            )
            self._book(uow, shares, now)
            closed = uow.doubts.close_batches_across_accounts(before, BATCHES_CLOSED_MAX)
        with self.transactions.across_accounts() as uow:
            singles = self._settle_singles(uow, before, now)
        with self.transactions.across_accounts() as uow:
            leftovers = uow.doubts.leftover_holds_across_accounts(
                before - LEFTOVERS_WITHIN, LEFTOVERS_MAX
            )
            for share in leftovers:
                change = ProgressChange(released=share.credits)
                count(uow, share.account, share.campaign, change, now)
            for share in leftovers:
                _move(uow, share, captured=0)
        return OverdueSettled(
            messages=sum(share.messages for share in shares) + singles,
            batches_closed=closed,
            leftover_credits=sum(share.credits for share in leftovers),
        )

    def _settle_singles(self, uow: MessagesUnitOfWork, before: datetime, now: datetime) -> int:
        captures = self.policy.credits is CreditPolicy.CAPTURE
        shares = uow.singles.settle_overdue_across_accounts(
            before, now, SINGLES_PER_TRANSACTION_MAX
        )
        for share in sorted(shares, key=lambda each: (each.account, each.number)):
            move(uow, share, captured=share.credits if captures else 0)
        return len(shares)

    def _book(self, uow: MessagesUnitOfWork, shares: Sequence[HeldShare], now: datetime) -> None:
        captures = self.policy.credits is CreditPolicy.CAPTURE
        for share in sorted(shares, key=lambda each: each.campaign):
            change = (
                ProgressChange(captured=share.credits)
                if captures
                else ProgressChange(released=share.credits)
            )
            count(uow, share.account, share.campaign, change, now)
        for share in sorted(shares, key=lambda each: (each.account, each.campaign)):
            _move(uow, share, captured=share.credits if captures else 0)
