"""Single messages in memory."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import attrs

from retail_core.kernel.ids import AccountId, MessageNumber
from retail_core.messages.model import (
    LOOK_UP_AFTER,
    ClaimedSingle,
    DeliveryReport,
    Dropped,
    MessageKind,
    MessageState,
    NewSingle,
    SingleResult,
    SingleShare,
)
from retail_core.testing.kernel.table import sees
from retail_core.testing.messages.rows import forgotten_single
from retail_core.testing.messages.singles.doubts import is_in_doubt
from retail_core.testing.messages.singles.intent import reason_to_drop
from retail_core.testing.messages.singles.rows import StoredSingle, claimed_single
from retail_core.testing.tables import MemoryTables

_HANDED_OVER = frozenset({MessageState.SUBMITTING, MessageState.UNKNOWN})
_NEVER_REPORTED = frozenset({MessageState.QUEUED, MessageState.CANCELLED})


@attrs.frozen
class MemorySingleMessageStore:
    """`SingleMessageStore` in memory."""

    tables: MemoryTables
    bound_to: AccountId | None

    def add(self, account: AccountId, single: NewSingle, now: datetime) -> bool:
        return self._add(StoredSingle(account, single, single.phone, single.text, now, now))

    def add_failed(
        self, account: AccountId, single: NewSingle, error_code: str, now: datetime
    ) -> bool:
        free = attrs.evolve(single, credits=0)
        row = StoredSingle(account, free, single.phone, single.text, now, now)
        failed = MessageState.FAILED
        return self._add(
            attrs.evolve(row, state=failed, holds=False, error_code=error_code, failed_at=now)
        )

    def due_account_across_accounts(self, now: datetime) -> AccountId | None:
        due = sorted((row for row in self.tables.singles if _is_due(row, now)), key=_turn)
        return due[0].account if due else None

    def commit_intent(
        self,
        account: AccountId,
        ref: UUID,
        now: datetime,
        lease_until: datetime,
        today: date,
        singles_max: int,
        numbers: Sequence[MessageNumber] | None = None,
    ) -> Sequence[ClaimedSingle]:
        wanted = [
            row
            for row in self._own(account)
            if row.state is MessageState.QUEUED
            and (_is_due(row, now) if numbers is None else row.single.number in numbers)
        ]
        claimed = []
        for row in sorted(wanted, key=_turn)[:singles_max]:
            dropped = reason_to_drop(self.tables, row, now, today)
            marked = attrs.evolve(row, ref=ref, not_before=None, updated_at=now)
            if dropped is None:
                marked = attrs.evolve(
                    marked,
                    state=MessageState.SUBMITTING,
                    lease_until=lease_until,
                    submitted_at=now,
                    look_up_at=now + LOOK_UP_AFTER[0],
                    error_code=None,
                )
            else:
                marked = attrs.evolve(
                    marked,
                    state=MessageState.CANCELLED,
                    holds=False,
                    error_code=dropped.value,
                    error=None,
                )
            self._put(marked)
            claimed.append(claimed_single(row, dropped))
        return sorted(claimed, key=lambda each: each.number)

    def settle(
        self, account: AccountId, ref: UUID, results: Sequence[SingleResult], now: datetime
    ) -> Sequence[SingleShare]:
        by_number = {result.number: result for result in results}
        shares: list[SingleShare] = []
        for row in self._own(account):
            result = by_number.get(row.single.number)
            if result is None or row.ref != ref:
                continue
            if row.state not in _HANDED_OVER:
                shares += self._answered(row, result, now)
                continue
            settled = attrs.evolve(
                row,
                state=result.state,
                lease_until=None,
                holds=row.holds and result.state is MessageState.UNKNOWN,
                provider_id=result.provider_id,
                error_code=result.error_code,
                error=result.error,
                submitted_at=None if result.state is MessageState.CANCELLED else row.submitted_at,
                look_up_at=None if result.state is MessageState.CANCELLED else row.look_up_at,
                sent_at=now if result.state is MessageState.SENT else row.sent_at,
                failed_at=now if result.state is MessageState.FAILED else row.failed_at,
                updated_at=now,
            )
            is_erased = result.error_code == Dropped.ERASED.value
            shares += self._changed(row, forgotten_single(settled) if is_erased else settled)
        return shares

    def _answered(
        self, row: StoredSingle, result: SingleResult, now: datetime
    ) -> Sequence[SingleShare]:
        """Of whom a report had told that was not certain: the higher state stays."""
        if not is_in_doubt(row) or result.state is MessageState.UNKNOWN:
            return ()
        climbs = result.state > row.state
        answered = attrs.evolve(
            row,
            state=max(row.state, result.state),
            holds=False,
            reported_id=None,
            provider_id=row.provider_id or result.provider_id,
            error_code=result.error_code if climbs else row.error_code,
            error=result.error if climbs else row.error,
            sent_at=row.sent_at or (now if result.state is MessageState.SENT else None),
            failed_at=row.failed_at or (now if result.state is MessageState.FAILED else None),
            updated_at=now,
        )
        shares = self._changed(row, answered)
        return [attrs.evolve(share, state=result.state) for share in shares]

    def put_back(
        self,
        account: AccountId,
        ref: UUID,
        not_before: datetime | None,
        *,
        failed_try: bool,
        numbers: Sequence[MessageNumber] | None = None,
    ) -> int:
        ours = [
            row
            for row in self._own(account)
            if row.ref == ref
            and row.state is MessageState.SUBMITTING
            and (numbers is None or row.single.number in numbers)
        ]
        for row in ours:
            self._put(
                attrs.evolve(
                    row,
                    state=MessageState.QUEUED,
                    ref=None,
                    lease_until=None,
                    submitted_at=None,
                    not_before=not_before,
                    tries=row.tries + failed_try,
                )
            )
        return len(ours)

    def mark_unknown_across_accounts(self, now: datetime) -> int:
        stale = [row for row in self.tables.singles if row.lease_until and row.lease_until < now]
        for row in stale:
            self._put(
                attrs.evolve(
                    row,
                    state=MessageState.UNKNOWN,
                    lease_until=None,
                    error_code="outcome_unknown",
                    error="the worker died",
                    updated_at=now,
                )
            )
        return len(stale)

    def due_across_accounts(self, now: datetime) -> bool:
        return self.due_account_across_accounts(now) is not None

    def apply_reports_across_accounts(
        self, reports: Sequence[DeliveryReport], now: datetime
    ) -> tuple[Sequence[DeliveryReport], Sequence[SingleShare]]:
        unmatched, shares = [], []
        for report in reports:
            row = next((row for row in self.tables.singles if _is_about(report, row)), None)
            if row is None:
                unmatched.append(report)
            else:
                shares += self._changed(row, _reported(row, report, now))
        return unmatched, shares

    def settle_overdue_across_accounts(
        self, before: datetime, now: datetime, singles_max: int
    ) -> Sequence[SingleShare]:
        overdue = [
            row
            for row in self.tables.singles
            if is_in_doubt(row)
            and row.holds
            and row.submitted_at is not None
            and row.submitted_at < before
        ]
        shares = []
        for row in sorted(overdue, key=lambda each: each.single.number)[:singles_max]:
            shares += self._changed(row, attrs.evolve(row, holds=False, updated_at=now))
        return shares

    def _add(self, row: StoredSingle) -> bool:
        occasions = {(each.account, each.single.occasion) for each in self.tables.singles}
        if (row.account, row.single.occasion) in occasions:
            return False
        self.tables.singles.insert(row.single.number, row)
        return True

    def _changed(self, before: StoredSingle, after: StoredSingle) -> list[SingleShare]:
        """Store it; its share, if its credits are not held any more."""
        self._put(after)
        if not before.holds or after.holds:
            return []
        single = after.single
        share = SingleShare(
            after.account, single.number, single.credits, single.reason, after.state
        )
        return [share]

    def _own(self, account: AccountId) -> list[StoredSingle]:
        if not sees(self.bound_to, account):
            return []
        return [row for row in self.tables.singles if row.account == account]

    def _put(self, row: StoredSingle) -> None:
        self.tables.singles.put(row.single.number, row)


def _is_due(row: StoredSingle, now: datetime) -> bool:
    return row.state is MessageState.QUEUED and (row.not_before is None or row.not_before <= now)


def _turn(row: StoredSingle) -> tuple[bool, int]:
    return (row.single.kind is MessageKind.AUTOMATION, row.single.number)


def _is_about(report: DeliveryReport, row: StoredSingle) -> bool:
    if row.state in _NEVER_REPORTED:
        return False
    if report.provider_id is not None and report.provider_id == row.provider_id:
        return True
    is_known = row.provider_id is not None and report.provider_id is not None
    is_to = None in (report.phone, row.phone) or report.phone == row.phone
    is_ours = report.reference == row.single.number and is_to
    return is_in_doubt(row) and is_ours and not is_known


def _reported(row: StoredSingle, report: DeliveryReport, now: datetime) -> StoredSingle:
    """The state only climbs, of each kind the earliest time stays."""
    assert report.state is not None, "an unknown word was to be left out"
    at = report.at or now
    state = max(row.state, report.state)
    changed = attrs.evolve(
        row,
        state=state,
        holds=row.holds and state is MessageState.UNKNOWN,
        lease_until=None,
        reported_id=None,
        provider_id=row.provider_id or report.provider_id,
        updated_at=max(row.updated_at, now),
    )
    if row.state is MessageState.UNKNOWN:
        changed = attrs.evolve(changed, error_code=None, error=None)
    if report.state is MessageState.SENT:
        return attrs.evolve(changed, sent_at=min(row.sent_at or at, at))
    if report.state is MessageState.DELIVERED:
        return attrs.evolve(changed, delivered_at=min(row.delivered_at or at, at))
    if report.state is MessageState.FAILED and (row.failed_at is None or at < row.failed_at):
        return attrs.evolve(changed, failed_at=at, error=report.error or report.word)
    return changed
