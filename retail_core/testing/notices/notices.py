"""Notices in memory, and a notifier that keeps what it was given."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import attrs

from retail_core.kernel.ids import AccountId, CampaignId, NoticeId
from retail_core.notices.model import (
    ATTEMPTS_MAX,
    CampaignFacts,
    HandOver,
    Letter,
    NewNotice,
    Notice,
    NoticeKind,
)
from retail_core.testing.database import MemoryDatabase
from retail_core.testing.kernel.table import DuplicateRow, sees
from retail_core.testing.notices.notice_rows import StoredNotice
from retail_core.testing.tables import MemoryTables


@attrs.frozen
class MemoryNoticeStore:
    """`NoticeStore` in memory."""

    tables: MemoryTables
    bound_to: AccountId | None

    def add(self, account: AccountId, notice: NewNotice) -> NoticeId | None:
        if account not in self.tables.accounts or not sees(self.bound_to, account):
            return None
        made = NoticeId(self.tables.notice_ids.take())
        try:
            self.tables.notices.insert(made, StoredNotice(account, notice, notice.at))
        except DuplicateRow:
            return None
        return made

    def claim(
        self, account: AccountId, notice: NoticeId, now: datetime, until: datetime
    ) -> Notice | None:
        row = self._open(account, notice)
        if row is None or row.attempts >= ATTEMPTS_MAX or now < (row.claimed_until or now):
            return None
        attempt = row.attempts + 1
        self._put(notice, row, attempts=attempt, claimed_until=until, touched_at=now)
        new = row.notice
        return Notice(notice, account, new.kind, new.campaign, new.at, attempt)

    def let_go(self, account: AccountId, notice: NoticeId, now: datetime) -> None:
        row = self._open(account, notice)
        if row is not None:
            self._put(notice, row, claimed_until=None, touched_at=now)

    def finish(self, account: AccountId, notice: NoticeId, now: datetime) -> None:
        row = self._open(account, notice)
        if row is not None:
            self._put(notice, row, claimed_until=None, touched_at=now, done_at=now)

    def withdraw(self, account: AccountId, kind: NoticeKind) -> int:
        found = [
            number
            for number, row in self.tables.notices.items()
            if row.notice.kind is kind and self._open(account, number)
        ]
        for number in found:
            self.tables.notices.remove(number)
        return len(found)

    def forgotten_across_accounts(
        self, before: datetime, notices_max: int
    ) -> Sequence[tuple[AccountId, NoticeId]]:
        found = [
            (row.account, number)
            for number, row in self.tables.notices.items()
            if row.done_at is None and row.attempts < ATTEMPTS_MAX and row.touched_at < before
        ]
        return found[:notices_max]

    def _open(self, account: AccountId, notice: NoticeId) -> StoredNotice | None:
        row = self.tables.notices.get(notice)
        if row is None or row.account != account or not sees(self.bound_to, account):
            return None
        return row if row.done_at is None else None

    def _put(self, notice: NoticeId, row: StoredNotice, **changes: Any) -> None:  # noqa: ANN401 - fields of the row
        self.tables.notices.put(notice, attrs.evolve(row, **changes))


@attrs.frozen
class MemoryNoticeFacts:
    """`NoticeFacts` in memory."""

    database: MemoryDatabase

    def campaign(self, account: AccountId, campaign: CampaignId) -> CampaignFacts | None:
        with self.database.transaction() as tables:
            found = tables.campaigns.get(campaign)
        if found is None or found.account_id != account:
            return None
        return CampaignFacts(
            name=found.content.name,
            state=found.state.value,
            reason=found.status_reason,
            recipients=found.total,
            sent=found.counts.success,
            failed=found.counts.failed,
            unknown=found.counts.unknown,
            cancelled=found.counts.cancelled,
        )

    def available(self, account: AccountId) -> int:
        with self.database.transaction() as tables:
            wallet = tables.wallets.get(account)
        return wallet.available if wallet else 0


@attrs.frozen
class MemoryNotifier:
    """`Notifier` that keeps every letter; `answers` are given first, one for each letter."""

    letters: list[Letter] = attrs.field(factory=list)
    answers: list[HandOver] = attrs.field(factory=list)

    def hand_over(self, letter: Letter) -> HandOver:
        answer = self.answers.pop(0) if self.answers else HandOver.DONE
        if answer is HandOver.DONE:
            self.letters.append(letter)
        return answer
