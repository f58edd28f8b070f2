"""Messages and delivery reports on PostgreSQL."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import attrs
import psycopg
from sqlalchemy import Connection

from adapters_db.connections import psycopg_connection
from retail_core.contacts.ports import MessageOrigin
from retail_core.kernel.ids import (
    AccountId,
    CampaignId,
    ContactId,
    MessageNumber,
    ProviderId,
    ReportId,
)
from retail_core.kernel.phones import PhoneNumber
from retail_core.messages.model import DeliveryReport, MessageState, RawReport

REPORT_BYTES_TYPICAL = 200
"""What one report takes in a webhook call, to bound how many a transaction reads."""

# The rows are locked in the order of their keys, so that two appliers cannot deadlock. What is
# already known is never lowered: the greater state stays, and of each kind the earliest time.
_APPLY = f"""
WITH report AS (
    SELECT * FROM unnest(string_to_array(%(ids)s, E'\\n'), %(states)s::smallint[],
        %(sent)s::timestamptz[], %(delivered)s::timestamptz[], %(failed)s::timestamptz[],
        string_to_array(%(errors)s, E'\\n', ''))
        AS r (provider_id, state, sent_at, delivered_at, failed_at, error)
), found AS (
    SELECT m.campaign_id, m.seq, m.account_id, m.state AS before, r.*
    FROM report r JOIN message m ON m.provider_id = r.provider_id
    ORDER BY m.campaign_id, m.seq
    FOR UPDATE OF m
), changed AS (
    UPDATE message m
    SET state = greatest(m.state, f.state),
        sent_at = least(m.sent_at, f.sent_at),
        delivered_at = least(m.delivered_at, f.delivered_at),
        failed_at = least(m.failed_at, f.failed_at),
        error = CASE WHEN f.state = {MessageState.FAILED:d} THEN coalesce(f.error, m.error)
                     ELSE m.error END,
        updated_at = greatest(m.updated_at, %(now)s)
    FROM found f
    WHERE m.campaign_id = f.campaign_id AND m.seq = f.seq
      AND (m.state < f.state OR f.sent_at < m.sent_at
           OR f.delivered_at < coalesce(m.delivered_at, 'infinity')
           OR f.failed_at < coalesce(m.failed_at, 'infinity'))
    RETURNING m.account_id, m.campaign_id, f.before, m.state
), counted AS (
    SELECT account_id, campaign_id,
           count(*) FILTER (WHERE state = {MessageState.SENT:d})
             - count(*) FILTER (WHERE before = {MessageState.SENT:d}) AS sent,
           count(*) FILTER (WHERE state = {MessageState.DELIVERED:d})
             - count(*) FILTER (WHERE before = {MessageState.DELIVERED:d}) AS delivered,
           count(*) FILTER (WHERE state = {MessageState.FAILED:d})
             - count(*) FILTER (WHERE before = {MessageState.FAILED:d}) AS failed
    FROM changed WHERE before <> state
    GROUP BY account_id, campaign_id ORDER BY campaign_id
), counters AS (
    UPDATE campaign c
    SET sent = c.sent + n.sent, delivered = c.delivered + n.delivered,
        failed = c.failed + n.failed, updated_at = %(now)s
    FROM counted n WHERE c.account_id = n.account_id AND c.id = n.campaign_id
)
SELECT provider_id FROM found
"""

_TAKE_NEW = """
SELECT i.id, i.raw, i.arrived_at
FROM report_inbox i
WHERE i.applied_at IS NULL AND i.id IN (
    SELECT w.id FROM (
        SELECT id, sum(octet_length(raw)) OVER (ORDER BY id) - octet_length(raw) AS bytes_before
        FROM (SELECT id, raw FROM report_inbox WHERE applied_at IS NULL
              ORDER BY id LIMIT %(calls_max)s) first_calls
    ) w WHERE w.bytes_before < %(bytes_max)s)
ORDER BY i.id
FOR UPDATE SKIP LOCKED
"""

_TAKE_PARKED = """
DELETE FROM report_parked p
USING (
    SELECT q.id FROM report_parked q
    WHERE EXISTS (SELECT FROM message m WHERE m.provider_id = q.provider_id)
    ORDER BY q.id LIMIT %s FOR UPDATE SKIP LOCKED
) known
WHERE p.id = known.id
RETURNING p.provider_id, p.reference, p.phone, p.state, p.word, p.at, p.error
"""

# Whoever is deleted leaves nothing behind: neither in rows nor among recipients still waiting.
_FORGET_ROWS = """
UPDATE message
SET contact_id = NULL, phone = NULL, first_name = NULL, last_name = NULL, email = NULL
WHERE account_id = %(account)s AND contact_id = %(contact)s
"""
_FORGET_WAITING = """
UPDATE send_batch b
SET contact_ids[p.position] = NULL, phones[p.position] = NULL,
    first_names = CASE WHEN b.first_names IS NOT NULL THEN b.first_names[:p.position - 1]
        || ARRAY[NULL::text] || b.first_names[p.position + 1:] END,
    last_names = CASE WHEN b.last_names IS NOT NULL THEN b.last_names[:p.position - 1]
        || ARRAY[NULL::text] || b.last_names[p.position + 1:] END,
    emails = CASE WHEN b.emails IS NOT NULL THEN b.emails[:p.position - 1]
        || ARRAY[NULL::text] || b.emails[p.position + 1:] END
FROM (
    SELECT campaign_id, no, array_position(contact_ids, %(contact)s) AS position
    FROM send_batch WHERE account_id = %(account)s AND contact_ids @> ARRAY[%(contact)s::integer]
    ORDER BY campaign_id, no FOR UPDATE
) p
WHERE b.campaign_id = p.campaign_id AND b.no = p.no
"""

_FIND_ORIGIN = """
WITH owner AS (
    SELECT id, account_id, first_number, total, started_at FROM campaign
    WHERE first_number <= %(number)s ORDER BY first_number DESC LIMIT 1
)
SELECT o.account_id, o.id, o.started_at, coalesce(m.contact_id,
    (SELECT b.contact_ids[array_position(b.seqs, (%(number)s - o.first_number)::integer)]
     FROM send_batch b
     WHERE b.campaign_id = o.id AND b.seqs IS NOT NULL
       AND %(number)s - o.first_number BETWEEN b.first_seq AND b.last_seq
       AND (%(number)s - o.first_number)::integer = ANY(b.seqs)))
FROM owner o
     LEFT JOIN message m ON m.campaign_id = o.id AND m.seq = %(number)s - o.first_number
WHERE %(number)s < o.first_number + o.total
"""


@attrs.frozen
class SqlMessageStore:
    """`MessageStore`, and what the contacts room asks about messages."""

    connection: Connection

    @property
    def _driver(self) -> "psycopg.Connection[tuple[Any, ...]]":
        return psycopg_connection(self.connection)

    def apply_reports_across_accounts(
        self, reports: Sequence[DeliveryReport], now: datetime
    ) -> Sequence[DeliveryReport]:
        """All reports of a message become one first, so that each row changes once."""
        merged = _merged(reports, now)
        parameters = {
            "ids": "\n".join(merged),
            "states": [int(each.state) for each in merged.values()],
            "sent": [each.sent_at for each in merged.values()],
            "delivered": [each.delivered_at for each in merged.values()],
            "failed": [each.failed_at for each in merged.values()],
            "errors": "\n".join((each.error or "").replace("\n", " ") for each in merged.values()),
            "now": now,
        }
        found = {row[0] for row in self._driver.execute(_APPLY, parameters)}
        return [report for report in reports if report.provider_id not in found]

    def forget_contact(self, account: AccountId, contact: ContactId) -> None:
        """Take person, number and name off all messages, sent or still waiting."""
        parameters = {"account": account, "contact": contact}
        self._driver.execute(_FORGET_WAITING, parameters)
        self._driver.execute(_FORGET_ROWS, parameters)

    def find_across_accounts(self, number: MessageNumber) -> MessageOrigin | None:
        """Whose message has this number; it may be in a phone before its row is written."""
        row = self._driver.execute(_FIND_ORIGIN, {"number": number}).fetchone()
        if row is None:
            return None
        account, campaign, at, contact = row
        return MessageOrigin(
            account=AccountId(account),
            contact=None if contact is None else ContactId(contact),
            campaign=CampaignId(campaign),
            at=at,
        )


@attrs.frozen
class SqlReportStore:
    """`ReportStore` on PostgreSQL."""

    connection: Connection

    @property
    def _driver(self) -> "psycopg.Connection[tuple[Any, ...]]":
        return psycopg_connection(self.connection)

    def add(self, raw: bytes, arrived_at: datetime) -> None:
        """One row a call, as it came."""
        self._driver.execute(
            "INSERT INTO report_inbox (raw, arrived_at) VALUES (%s, %s)", (raw, arrived_at)
        )

    def take_new_across_accounts(self, reports_max: int) -> Sequence[RawReport]:
        """Calls that together are not much larger than so many reports."""
        parameters = {
            "calls_max": reports_max,
            "bytes_max": reports_max * REPORT_BYTES_TYPICAL,
        }
        rows = self._driver.execute(_TAKE_NEW, parameters, binary=True)
        return [RawReport(ReportId(row[0]), bytes(row[1]), row[2]) for row in rows]

    def waiting_across_accounts(self) -> bool:
        """Whether any call is not applied yet."""
        row = self._driver.execute(
            "SELECT EXISTS (SELECT FROM report_inbox WHERE applied_at IS NULL)"
        ).fetchone()
        return row is not None and bool(row[0])

    def mark_applied(self, reports: Sequence[ReportId], now: datetime) -> None:
        """Done; the raw bytes stay."""
        self._driver.execute(
            "UPDATE report_inbox SET applied_at = %s WHERE id = ANY(%s)", (now, list(reports))
        )

    def park(self, reports: Sequence[DeliveryReport], now: datetime) -> None:
        """One row a report."""
        with self._driver.cursor() as cursor:
            cursor.executemany(
                """INSERT INTO report_parked (provider_id, reference, phone, state, word, at, error,
                   parked_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)""",
                [_parked(report, now) for report in reports],
            )

    def take_parked_across_accounts(
        self, now: datetime, reports_max: int
    ) -> Sequence[DeliveryReport]:
        """Those whose message is known by now."""
        del now
        rows = self._driver.execute(_TAKE_PARKED, (reports_max,))
        return [
            DeliveryReport(
                provider_id=ProviderId(row[0]) if row[0] else None,
                reference=MessageNumber(row[1]) if row[1] else None,
                phone=PhoneNumber(f"+{row[2]}") if row[2] else None,
                state=MessageState(row[3]),
                word=row[4],
                at=row[5],
                error=row[6],
            )
            for row in rows
        ]


@attrs.define
class _Merged:
    """All reports of one message as one: the highest state, the earliest time of each kind."""

    state: MessageState = MessageState.QUEUED
    sent_at: datetime | None = None
    delivered_at: datetime | None = None
    failed_at: datetime | None = None
    error: str | None = None

    def add(self, report: DeliveryReport, now: datetime) -> None:
        assert report.state is not None, "an unknown word was to be left out"
        at = report.at or now
        if report.state is MessageState.SENT:
            self.sent_at = min(self.sent_at or at, at)
        elif report.state is MessageState.DELIVERED:
            self.delivered_at = min(self.delivered_at or at, at)
        elif report.state is MessageState.FAILED:
            self.failed_at = min(self.failed_at or at, at)
            self.error = report.error or report.word
        self.state = max(self.state, report.state)


def _merged(reports: Iterable[DeliveryReport], now: datetime) -> dict[str, _Merged]:
    merged: dict[str, _Merged] = {}
    for report in reports:
        assert report.provider_id is not None, "reports are matched by provider id"
        merged.setdefault(report.provider_id, _Merged()).add(report, now)
    return merged


def _parked(report: DeliveryReport, now: datetime) -> tuple[object, ...]:
    return (
        report.provider_id,
        report.reference,
        int(report.phone[1:]) if report.phone else None,
        int(report.state or MessageState.QUEUED),
        report.word,
        report.at,
        report.error,
        now,
    )
