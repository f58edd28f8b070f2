"""Messages in doubt, in memory."""

from collections.abc import Sequence
from datetime import datetime

import attrs

from retail_core.campaigns.model import CampaignState
from retail_core.kernel.ids import AccountId, CampaignId, MessageNumber, ProviderId
from retail_core.messages.model import (
    NO_CAMPAIGN,
    REPORTED_EARLIER_MAX,
    REPORTED_LATER_MAX,
    BatchState,
    DeliveryReport,
    Doubt,
    Finding,
    HeldShare,
    MessageKey,
    MessageState,
    Resolved,
    doubt_key,
)
from retail_core.testing.kernel.table import sees
from retail_core.testing.messages.rows import found_row
from retail_core.testing.messages.singles import doubts as single_doubts
from retail_core.testing.tables import MemoryTables, StoredDoubt, StoredMessage

_ENDED = frozenset({CampaignState.COMPLETED, CampaignState.CANCELLED})


@attrs.frozen
class MemoryDoubtStore:
    """`DoubtStore` in memory."""

    tables: MemoryTables
    bound_to: AccountId | None

    def take_matching_reports_across_accounts(
        self, now: datetime, reports_max: int
    ) -> Sequence[Finding]:
        findings: list[Finding] = []
        by_number: dict[MessageKey, ProviderId | None] = {}
        for key, parked in self.tables.parked_reports.items():
            if parked.next_try_at is None or len(findings) == reports_max:
                continue
            match = self._message_of(parked.report, now, by_number)
            if match is not None:
                message, is_certain = match
                self.tables.parked_reports.remove(key)
                found = Finding.of_report(message, parked.report, now, is_certain=is_certain)
                findings.append(found)
        return findings

    def resolve_across_accounts(
        self, findings: Sequence[Finding], now: datetime
    ) -> Sequence[Resolved]:
        resolved: list[Resolved] = []
        for finding in findings:
            if finding.message.is_single:
                resolved += single_doubts.resolve(self.tables, self.bound_to, finding, now)
                continue
            key = (finding.message.campaign, finding.message.seq)
            row = self.tables.messages.get(key)
            if row is None or not sees(self.bound_to, row.account) or not _fits(row, finding):
                continue
            changed, doubt = found_row(row, finding, now), self.tables.doubts.get(key)
            ends_doubt = finding.is_certain and doubt is not None
            if changed != row or ends_doubt:
                self.tables.messages.put(key, changed)
                credits = self._settled(key, doubt, finding)
                resolved.append(Resolved(_key(row), row.state, changed.state, credits))
        return resolved

    def _settled(
        self, key: tuple[CampaignId, int], doubt: StoredDoubt | None, finding: Finding
    ) -> int:
        """The credits that are held no more; a finding that is not certain settles none."""
        if doubt is None:
            return 0
        if not finding.is_certain:
            told = doubt.reported_id
            if told is None:
                told = finding.provider_id or ""
            self.tables.doubts.put(key, attrs.evolve(doubt, reported_id=told))
            return 0
        self.tables.doubts.remove(key)
        return 0 if doubt.credits_settled_at else doubt.credits

    def waiting_across_accounts(
        self, campaign: CampaignId | None, after: MessageKey | None, doubts_max: int
    ) -> Sequence[Doubt]:
        found = [
            doubt
            for stored in self.tables.doubts
            if sees(self.bound_to, stored.message.account)
            and campaign in (None, stored.message.campaign)
            and (after is None or stored.message > after)
            and _is_open(doubt := self._doubt(stored))
        ]
        if campaign in (None, NO_CAMPAIGN):
            found += [
                each
                for each in single_doubts.waiting(self.tables, self.bound_to)
                if after is None or each.message > after
            ]
        return sorted(found, key=lambda each: each.message)[:doubts_max]

    def settle_overdue_across_accounts(
        self, before: datetime, now: datetime, messages_max: int
    ) -> Sequence[HeldShare]:
        overdue = sorted(
            (stored.since, stored.message)
            for stored in self.tables.doubts
            if stored.since < before and stored.credits_settled_at is None
        )[:messages_max]
        shares: dict[CampaignId, list[StoredDoubt]] = {}
        for _, message in overdue:
            stored = self.tables.doubts.get((message.campaign, message.seq))
            assert stored is not None, message
            settled = attrs.evolve(stored, credits_settled_at=now)
            self.tables.doubts.put((message.campaign, message.seq), settled)
            shares.setdefault(message.campaign, []).append(stored)
        return [_share(doubts) for doubts in shares.values()]

    def close_batches_across_accounts(self, before: datetime, batches_max: int) -> int:
        over = [
            batch
            for batch in self.tables.batches
            if batch.state is BatchState.UNKNOWN and batch.settled_at and batch.settled_at < before
        ][:batches_max]
        for batch in over:
            closed = attrs.evolve(batch, state=BatchState.SETTLED, recipients=None)
            self.tables.batches.put((batch.key.campaign, batch.key.no), closed)
        return len(over)

    def held(self, account: AccountId, campaign: CampaignId) -> int:
        return sum(
            doubt.credits
            for doubt in self.tables.doubts
            if (doubt.message.account, doubt.message.campaign) == (account, campaign)
            and sees(self.bound_to, account)
            and doubt.credits_settled_at is None
        )

    def leftover_holds_across_accounts(
        self, since: datetime, campaigns_max: int
    ) -> Sequence[HeldShare]:
        leftovers = []
        for campaign in self.tables.campaigns:
            in_doubt = sum(
                stored.credits
                for stored in self.tables.doubts
                if stored.message.campaign == campaign.id and stored.credits_settled_at is None
            )
            over = campaign.credits.held - in_doubt
            ended = campaign.finished_at is not None and campaign.finished_at >= since
            if ended and campaign.state in _ENDED and campaign.counts.queued == 0 and over > 0:
                key = f"leftover:{campaign.id}:{campaign.credits.released}"
                leftovers.append(HeldShare(campaign.account_id, campaign.id, over, 0, key))
        return leftovers[:campaigns_max]

    def _message_of(
        self,
        report: DeliveryReport,
        now: datetime,
        by_number: dict[MessageKey, ProviderId | None],
    ) -> tuple[MessageKey, bool] | None:
        """The one message that a parked report is about, and whether that is certain."""
        known = [
            row
            for row in self.tables.messages
            if report.provider_id and row.provider_id == report.provider_id
        ]
        if known:
            return (_key(known[0]), True) if known[0].state is MessageState.UNKNOWN else None
        if report.reference is not None:
            row = self._row_of_number(report.reference)
            strange = row and row.provider_id and report.provider_id
            return None if strange or not row or not _is_to(row, report) else (_key(row), True)
        if single_doubts.knows(self.tables, report.provider_id):
            return None
        message = self._message_of_phone(report, now)
        if (
            message is None
            or by_number.setdefault(message, report.provider_id) != report.provider_id
        ):
            return None
        return message, False

    def _row_of_number(self, number: MessageNumber) -> StoredMessage | None:
        for campaign in self.tables.campaigns:
            if campaign.first_number is not None:
                row = self.tables.messages.get((campaign.id, number - campaign.first_number))
                if row is not None:
                    return row
        return None

    def _message_of_phone(self, report: DeliveryReport, now: datetime) -> MessageKey | None:
        phone = None if report.phone is None else int(report.phone[1:])
        at = report.at or now
        window = (at - REPORTED_LATER_MAX, at + REPORTED_EARLIER_MAX)
        rows = [
            (stored, self.tables.messages.get((stored.message.campaign, stored.message.seq)))
            for stored in self.tables.doubts
            if phone is not None
            and stored.phone == phone
            and window[0] <= stored.since <= window[1]
        ]
        meant = [
            (_key(row), row.provider_id, stored.reported_id)
            for stored, row in rows
            if row is not None
        ]
        meant += single_doubts.of_phone(self.tables, report.phone, *window)
        in_doubt = _could_be_meant(meant, report.provider_id)
        submitting = any(
            batch.state is BatchState.SUBMITTING
            and batch.recipients
            and phone in batch.recipients.phones
            for batch in self.tables.batches
        )
        submitting |= single_doubts.is_submitted_to(self.tables, report.phone)
        if len(in_doubt) != 1 or submitting or in_doubt[0][1]:
            return None
        return in_doubt[0][0]

    def _doubt(self, stored: StoredDoubt) -> Doubt:
        campaign = self.tables.campaigns.get(stored.message.campaign)
        row = self.tables.messages.get((stored.message.campaign, stored.message.seq))
        assert campaign is not None, stored
        assert campaign.first_number is not None, stored
        assert row is not None, stored
        return Doubt(
            message=stored.message,
            number=MessageNumber(campaign.first_number + stored.message.seq),
            since=stored.since,
            credits=stored.credits,
            credits_settled=stored.credits_settled_at is not None,
            provider_id=ProviderId(row.provider_id) if row.provider_id else None,
            state=row.state,
        )


def _is_open(doubt: Doubt) -> bool:
    return doubt.state is MessageState.UNKNOWN or not doubt.credits_settled


def _is_to(row: StoredMessage, report: DeliveryReport) -> bool:
    """Not if the report tells another number than the message's."""
    return report.phone is None or row.phone is None or row.phone == int(report.phone[1:])


def _could_be_meant(
    messages: Sequence[tuple[MessageKey, str | None, str | None]], provider_id: str | None
) -> Sequence[tuple[MessageKey, str | None]]:
    """Those that reports with this id were taken to be about, else those with no such reports."""
    if provider_id is not None:
        known = [(key, own) for key, own, reported in messages if reported == provider_id]
        if known:
            return known
    fits = {None} if provider_id is not None else {None, ""}
    return [(key, own) for key, own, reported in messages if reported in fits]


def _key(row: StoredMessage) -> MessageKey:
    return MessageKey(row.campaign, row.seq, row.account)


def _fits(row: StoredMessage, finding: Finding) -> bool:
    """Not if the message has another provider id than the one it was found by."""
    return None in (row.provider_id, finding.provider_id) or row.provider_id == finding.provider_id


def _share(doubts: Sequence[StoredDoubt]) -> HeldShare:
    first = min(each.message for each in doubts)
    return HeldShare(
        account=first.account,
        campaign=first.campaign,
        credits=sum(each.credits for each in doubts),
        messages=len(doubts),
        key=doubt_key(first.campaign, first.seq),
    )
