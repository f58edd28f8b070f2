"""What the operator does about unknown messages: ask the gateway, then say what became of them."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

import attrs

from retail_core.kernel.audit import AuditAction, AuditEntry, AuditKind
from retail_core.kernel.ids import AccountId, CampaignId
from retail_core.kernel.ports import Clock, Transactions
from retail_core.messages.model import Askable, Doubt, Finding, MessageState, Resolved
from retail_core.messages.ports import MessagesUnitOfWork
from retail_core.messages.use_cases.looking_up import AskGateway, note
from retail_core.messages.use_cases.resolving import resolve

DOUBTS_PER_PAGE = 500
DECLARED = "resolved_by_operator"
"""The `errorCode` of messages that the operator declared failed."""


@attrs.frozen
class UnknownResolution:
    """What became of the unknown messages; those that `remain` are shown up to a number."""

    asked: int
    settled_by_gateway: int
    settled_by_operator: int
    remaining: int
    remain: Sequence[Doubt]


@attrs.frozen
class ResolveUnknown:
    """Ask about unknown messages whose provider id is known; declare the others, if told to.

    Declaring `sent` or `delivered` captures what is still held for a message, declaring `failed`
    (never accepted) gives it back. What the gateway says goes before what the operator says, and
    reports that come later still move the state up, but no credits.
    """

    transactions: Transactions[MessagesUnitOfWork]
    ask: AskGateway
    clock: Clock

    def __call__(
        self,
        campaign: CampaignId | None = None,
        declared: MessageState | None = None,
        shown_max: int = 100,
    ) -> UnknownResolution:
        asked = by_gateway = by_operator = 0
        for page in self._pages(campaign):
            answers, changed = self._ask_about(page)
            asked, by_gateway = asked + answers, by_gateway + changed
        if declared is not None:
            for page in self._pages(campaign):
                by_operator += self._declare(page, declared)
        remaining, remain = 0, list[Doubt]()
        for page in self._pages(campaign):
            remaining += len(page)
            remain.extend(page[: shown_max - len(remain)])
        return UnknownResolution(asked, by_gateway, by_operator, remaining, remain)

    def _pages(self, campaign: CampaignId | None) -> Iterator[Sequence[Doubt]]:
        """All messages in doubt, a page at a time; no transaction is open in between."""
        after = None
        while True:
            with self.transactions.across_accounts() as uow:
                page = uow.doubts.waiting_across_accounts(campaign, after, DOUBTS_PER_PAGE)
            if not page:
                return
            yield page
            after = page[-1].message

    def _ask_about(self, page: Sequence[Doubt]) -> tuple[int, int]:
        known = [each for doubt in page if (each := _askable(doubt)) is not None]
        answers = self.ask(known).answers
        if not answers:
            return 0, 0
        with self.transactions.across_accounts() as uow:
            changed = len(note(uow, answers, self.clock.now()))
            uow.audit.record(
                AuditEntry(
                    action=AuditAction.MESSAGES_LOOKED_UP,
                    account=None,
                    kind=AuditKind.MESSAGES,
                    details={"answers": len(answers), "changed": changed},
                )
            )
            return len(answers), changed

    def _declare(self, page: Sequence[Doubt], state: MessageState) -> int:
        now = self.clock.now()
        findings = [_declaration(doubt, state, now) for doubt in page]
        with self.transactions.across_accounts() as uow:
            resolved = resolve(uow, findings, now, failed_was_accepted=False)
            for (account, campaign), count in Counter(map(_campaign_of, resolved)).items():
                uow.audit.record(
                    AuditEntry(
                        action=AuditAction.MESSAGES_DECLARED,
                        account=account,
                        kind=AuditKind.CAMPAIGN,
                        id=campaign,
                        details={state.word: count},
                    )
                )
            return len(resolved)


def _campaign_of(resolved: Resolved) -> tuple[AccountId, CampaignId]:
    return resolved.message.account, resolved.message.campaign


def _askable(doubt: Doubt) -> Askable | None:
    if doubt.provider_id is None:
        return None
    return Askable(doubt.message, doubt.number, doubt.provider_id, MessageState.UNKNOWN)


def _declaration(doubt: Doubt, state: MessageState, now: datetime) -> Finding:
    return Finding.of(doubt.message, state, now, error="declared failed", error_code=DECLARED)
