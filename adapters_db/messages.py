"""Messages on PostgreSQL: what delivery reports change, and what is forgotten."""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import attrs
import psycopg
from sqlalchemy import Connection

from adapters_db.connections import psycopg_connection
from adapters_db.plans import by_index
from adapters_db.waiting_recipients import take_out
from retail_core.contacts.ports import MessageOrigin
from retail_core.kernel.ids import (
    AccountId,
    CampaignId,
    ContactId,
    MessageNumber,
)
from retail_core.messages.model import BatchState, DeliveryReport, MessageState

# The rows are locked in the order of their keys, so that two appliers cannot deadlock. What is
# already known is never lowered: the greater state stays, of each kind the earliest time, and of
# failures the earliest one's error. Messages in doubt are resolved elsewhere, with their credits.
_APPLY = f"""
WITH report AS (
    SELECT * FROM unnest(string_to_array(%(ids)s, E'\\n'), %(states)s::smallint[],
        %(sent)s::timestamptz[], %(delivered)s::timestamptz[], %(failed)s::timestamptz[],
        string_to_array(%(errors)s, E'\\n', ''))
        AS r (provider_id, state, sent_at, delivered_at, failed_at, error)
), found AS (
    SELECT m.campaign_id, m.seq, m.account_id, m.state AS before, r.*
    FROM report r JOIN message m ON m.provider_id = r.provider_id
    WHERE m.state <> {MessageState.UNKNOWN:d}
    ORDER BY m.campaign_id, m.seq
    FOR UPDATE OF m
), changed AS (
    UPDATE message m
    SET state = greatest(m.state, f.state),
        sent_at = least(m.sent_at, f.sent_at),
        delivered_at = least(m.delivered_at, f.delivered_at),
        failed_at = least(m.failed_at, f.failed_at),
        error = CASE WHEN f.failed_at < coalesce(m.failed_at, 'infinity') THEN f.error
                     ELSE m.error END,
        updated_at = greatest(m.updated_at, %(now)s)
    FROM found f
    WHERE m.campaign_id = f.campaign_id AND m.seq = f.seq
      AND (m.state < f.state OR f.sent_at < coalesce(m.sent_at, 'infinity')
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

# Whoever is deleted leaves nothing behind: neither in rows nor among recipients still waiting.
_FORGET_ROWS = """
WITH forgotten AS (
    UPDATE message
    SET contact_id = NULL, phone = NULL, first_name = NULL, last_name = NULL, email = NULL,
        error = NULL
    WHERE account_id = %(account)s AND contact_id = ANY(%(contacts)s)
    RETURNING campaign_id, seq
), nameless AS (
    UPDATE message_doubt d SET phone = NULL
    FROM forgotten f WHERE d.campaign_id = f.campaign_id AND d.seq = f.seq
)
SELECT count(*) FROM forgotten
"""
_FORGET_SINGLES = """
UPDATE single_message SET contact_id = NULL, phone = NULL, text = NULL, error = NULL
WHERE account_id = %(account)s AND contact_id = ANY(%(contacts)s)
"""
_HOLD: Final = f"""
SELECT b.campaign_id, b.no, b.state = '{BatchState.SUBMITTING.value}' FROM send_batch b
WHERE b.account_id = %(account)s AND b.contact_ids @> ARRAY[%(contact)s::integer]
ORDER BY b.campaign_id, b.no
FOR UPDATE
"""
# A test message knows a number and no person.
_HOLD_SINGLES: Final = f"""
SELECT state = {MessageState.SUBMITTING:d} FROM single_message
WHERE number IN (
    SELECT number FROM single_message
    WHERE account_id = %(account)s AND contact_id = %(contact)s
    UNION ALL
    SELECT s.number FROM contact c JOIN single_message s ON s.phone = c.phone
    WHERE c.account_id = %(account)s AND c.id = %(contact)s
      AND s.account_id = %(account)s AND s.kind = 'test')
ORDER BY number
FOR UPDATE
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

_FIND_SINGLE = """
SELECT account_id, contact_id, campaign_id, created_at, kind = 'confirmation'
FROM single_message WHERE number = %(number)s
"""

_EVER = datetime.max.replace(tzinfo=UTC)


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
        with by_index(self._driver):
            found = {row[0] for row in self._driver.execute(_APPLY, parameters)}
        return [report for report in reports if report.provider_id not in found]

    def forget(self, account: AccountId, contacts: Collection[ContactId]) -> int:
        """Take persons, numbers and names off all messages, sent or still waiting."""
        parameters = {"account": account, "contacts": list(contacts)}
        forgotten = take_out(self._driver, account, contacts)
        ((rows,),) = self._driver.execute(_FORGET_ROWS, parameters)
        singles = self._driver.execute(_FORGET_SINGLES, parameters).rowcount
        return forgotten + int(rows) + singles

    def hold(self, account: AccountId, contact: ContactId) -> bool:
        """Lock all that is his; again while a split that we waited for has moved him."""
        parameters = {"account": account, "contact": contact}
        held: set[tuple[int, int]] = set()
        while True:
            rows = self._driver.execute(_HOLD, parameters).fetchall()
            if any(is_submitting for _, _, is_submitting in rows):
                return True
            found = {(campaign, no) for campaign, no, _ in rows}
            if found <= held:
                break
            held |= found
        return any(
            is_submitting for (is_submitting,) in self._driver.execute(_HOLD_SINGLES, parameters)
        )

    def find_across_accounts(self, number: MessageNumber) -> MessageOrigin | None:
        """Whose message has this number; it may be in a phone before its row is written."""
        row = self._driver.execute(_FIND_ORIGIN, {"number": number}).fetchone()
        if row is None:
            return self._origin_of_single(number)
        account, campaign, at, contact = row
        return MessageOrigin(
            account=AccountId(account),
            contact=None if contact is None else ContactId(contact),
            campaign=CampaignId(campaign),
            at=at,
        )

    def _origin_of_single(self, number: MessageNumber) -> MessageOrigin | None:
        row = self._driver.execute(_FIND_SINGLE, {"number": number}).fetchone()
        if row is None:
            return None
        account, contact, campaign, at, is_confirmation = row
        return MessageOrigin(
            account=AccountId(account),
            contact=None if contact is None else ContactId(contact),
            campaign=None if campaign is None else CampaignId(campaign),
            at=at,
            is_confirmation=is_confirmation,
        )


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
        elif report.state is MessageState.FAILED and at < (self.failed_at or _EVER):
            self.failed_at, self.error = at, report.error or report.word
        self.state = max(self.state, report.state)


def _merged(reports: Iterable[DeliveryReport], now: datetime) -> dict[str, _Merged]:
    merged: dict[str, _Merged] = {}
    for report in reports:
        assert report.provider_id is not None, "reports are matched by provider id"
        merged.setdefault(report.provider_id, _Merged()).add(report, now)
    return merged
