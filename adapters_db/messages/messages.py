"""Messages on PostgreSQL: what delivery reports change, and what is forgotten."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypedDict

import attrs
import psycopg
from sqlalchemy import Connection

from adapters_db.connection.connections import psycopg_connection
from adapters_db.connection.plans import by_index
from adapters_db.messages import partitions
from adapters_db.messages.partitions import WITHIN
from adapters_db.messages.waiting_recipients import take_out
from retail_core.contacts.ports import MessageOrigin
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import (
    AccountId,
    CampaignId,
    ContactId,
    MessageNumber,
)
from retail_core.messages.model import (
    REPORTED_AT_MOST_WITHIN,
    REPORTED_WITHIN,
    BatchState,
    DeliveryReport,
    MessageKind,
    MessageState,
)

# In one partition, so that no other is looked into. The rows are locked in one order, the latest
# campaign first, so that two appliers cannot deadlock. What is already known is never lowered: the
# greater state stays, of each kind the earliest time, and of failures the earliest one's error.
# Messages in doubt are resolved elsewhere, with their credits. Reports lead to messages, one by
# one (OFFSET 0): where the planner knows nothing of the partition it would go the other way. What
# was found is told in one row: thousands would cost a tenth of all of this.
_APPLY = f"""
WITH report AS (
    SELECT * FROM unnest(string_to_array(%(ids)s, E'\\n'), %(states)s::smallint[],
        %(sent)s::timestamptz[], %(delivered)s::timestamptz[], %(failed)s::timestamptz[],
        string_to_array(%(errors)s, E'\\n', '')) WITH ORDINALITY
        AS r (provider_id, state, sent_at, delivered_at, failed_at, error, position)
), meant AS MATERIALIZED (
    SELECT k.campaign_id, k.seq, r.*
    FROM report r CROSS JOIN LATERAL (
        SELECT m.campaign_id, m.seq FROM message m
        WHERE m.provider_id = r.provider_id AND {WITHIN}
        OFFSET 0) k
), found AS (
    SELECT m.campaign_id, m.seq, m.account_id, m.state AS before, r.position, r.state,
           r.sent_at, r.delivered_at, r.failed_at, r.error
    FROM meant r JOIN message m ON m.campaign_id = r.campaign_id AND m.seq = r.seq
    WHERE {WITHIN} AND m.provider_id = r.provider_id AND m.state <> {MessageState.UNKNOWN:d}
    ORDER BY m.campaign_id DESC, m.seq
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
    WHERE m.campaign_id = f.campaign_id AND m.seq = f.seq AND {WITHIN}
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
    GROUP BY account_id, campaign_id
)
SELECT coalesce(string_agg(position::text, ','), ''), NULL, NULL, NULL, NULL, NULL FROM found
UNION ALL SELECT NULL, campaign_id, account_id, sent, delivered, failed FROM counted
"""

# Once for all partitions, in the order in which everybody locks campaigns.
_COUNT = """
UPDATE campaign c
SET sent = c.sent + n.sent, delivered = c.delivered + n.delivered, failed = c.failed + n.failed,
    updated_at = %(now)s
FROM (SELECT * FROM unnest(%(campaigns)s::integer[], %(accounts)s::integer[], %(sent)s::bigint[],
                           %(delivered)s::bigint[], %(failed)s::bigint[])
          AS u (campaign_id, account_id, sent, delivered, failed)
      ORDER BY campaign_id) n
WHERE c.account_id = n.account_id AND c.id = n.campaign_id
"""

# Whoever is deleted leaves nothing behind: neither in rows nor among recipients still waiting.
# Only the partitions in which the store has messages are looked into.
_FORGET_ROWS = """
WITH forgotten AS (
    UPDATE message
    SET contact_id = NULL, phone = NULL, first_name = NULL, last_name = NULL, email = NULL,
        error = NULL
    WHERE account_id = %(account)s AND contact_id = ANY(%(contacts)s) AND {}
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
_HOLDABLE: Final = """
SELECT b.campaign_id, b.no FROM send_batch b
WHERE b.account_id = %(account)s AND b.contact_ids @> ARRAY[%(contact)s::integer]
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
# First whose number it is, then the message: its campaign as a plain value names its partition.
_FIND_OWNER = """
SELECT id, account_id, first_number, started_at FROM (
    SELECT id, account_id, first_number, total, started_at FROM campaign
    WHERE first_number <= %(number)s ORDER BY first_number DESC LIMIT 1) last
WHERE %(number)s < first_number + total
"""
_FIND_ORIGIN = """
SELECT coalesce(m.contact_id, b.contact), coalesce(m.phone, b.phone), t.phone_hash
FROM (VALUES (%(number)s::bigint)) AS asked (number)
     LEFT JOIN message m ON m.campaign_id = %(campaign)s AND m.seq = %(seq)s
     LEFT JOIN LATERAL (
        SELECT w.contact_ids[w.at] AS contact, w.phones[w.at] AS phone
        FROM (SELECT contact_ids, phones, array_position(seqs, %(seq)s::integer) AS at
              FROM send_batch
              WHERE campaign_id = %(campaign)s AND seqs IS NOT NULL
                AND %(seq)s BETWEEN first_seq AND last_seq) w
        WHERE w.at IS NOT NULL LIMIT 1) b ON true
     LEFT JOIN message_trace t ON t.number = asked.number
"""

_FIND_SINGLE = """
SELECT s.account_id, s.contact_id, s.campaign_id, s.created_at, s.kind, s.phone, t.phone_hash
FROM single_message s LEFT JOIN message_trace t ON t.number = s.number
WHERE s.number = %(number)s
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
        self, reports: Sequence[DeliveryReport], now: datetime, *, everywhere: bool = False
    ) -> Sequence[DeliveryReport]:
        """All reports of a message become one first, so that each row changes once.

        Partition by partition, the latest first, until every report has found its message.
        """
        waiting, counted = _merged(reports, now), list[tuple[int, ...]]()
        within = REPORTED_AT_MOST_WITHIN if everywhere else REPORTED_WITHIN
        with by_index(self._driver):
            for partition in partitions.used_since(self._driver, now - within):
                if not waiting:
                    break
                parameters = _parameters(waiting, now) | partition.parameters
                for found, *counts in self._driver.execute(_APPLY, parameters).fetchall():
                    if found is None:
                        counted.append(tuple(counts))
                    else:
                        waiting = _not_found(waiting, found)
            self._count(counted, now)
        return [report for report in reports if report.provider_id in waiting]

    def _count(self, counted: Sequence[tuple[int, ...]], now: datetime) -> None:
        if counted:
            names = ("campaigns", "accounts", "sent", "delivered", "failed")
            columns = dict(zip(names, map(list, zip(*counted, strict=True)), strict=True))
            self._driver.execute(_COUNT, columns | {"now": now})

    def forget(self, account: AccountId, contacts: Collection[ContactId]) -> int:
        """Take persons, numbers and names off all messages, sent or still waiting."""
        parameters = {"account": account, "contacts": list(contacts)}
        forgotten = take_out(self._driver, account, contacts)
        own = partitions.in_any(partitions.of_account(self._driver, account), "campaign_id")
        statement = _FORGET_ROWS.format(own).encode()
        ((rows,),) = self._driver.execute(statement, parameters)
        singles = self._driver.execute(_FORGET_SINGLES, parameters).rowcount
        return forgotten + int(rows) + singles

    def hold(self, account: AccountId, contact: ContactId) -> bool:
        """Lock all that is theirs; again while a split that we waited for has moved them."""
        parameters = {"account": account, "contact": contact}
        held: set[tuple[Any, ...]] = set()
        while True:
            rows = self._driver.execute(_HOLD, parameters).fetchall()
            if any(is_submitting for _, _, is_submitting in rows):
                return True
            held |= {(campaign, no) for campaign, no, _ in rows}
            # who waits for a split sees no new batch of it: this look waits for nobody
            if held.issuperset(self._driver.execute(_HOLDABLE, parameters)):
                break
        return any(
            is_submitting for (is_submitting,) in self._driver.execute(_HOLD_SINGLES, parameters)
        )

    def find_across_accounts(self, number: MessageNumber) -> MessageOrigin | None:
        """Whose message has this number; it may be in a phone before its row is written."""
        owner = self._driver.execute(_FIND_OWNER, {"number": number}).fetchone()
        if owner is None:
            return self._origin_of_single(number)
        campaign, account, first_number, at = owner
        place = {"campaign": campaign, "seq": number - first_number, "number": number}
        ((contact, phone, phone_hash),) = self._driver.execute(_FIND_ORIGIN, place)
        return MessageOrigin(
            account=AccountId(account),
            contact=None if contact is None else ContactId(contact),
            campaign=CampaignId(campaign),
            at=at,
            **_number(phone, phone_hash),
        )

    def _origin_of_single(self, number: MessageNumber) -> MessageOrigin | None:
        row = self._driver.execute(_FIND_SINGLE, {"number": number}).fetchone()
        if row is None:
            return None
        account, contact, campaign, at, kind, phone, phone_hash = row
        return MessageOrigin(
            account=AccountId(account),
            contact=None if contact is None else ContactId(contact),
            campaign=None if campaign is None else CampaignId(campaign),
            at=at,
            is_confirmation=kind == MessageKind.CONFIRMATION.value,
            is_test=kind == MessageKind.TEST.value,
            **_number(phone, phone_hash),
        )


class _Number(TypedDict):
    """What is known of the number that a message went to."""

    phone: PhoneNumber | None
    phone_hash: bytes | None


def _number(phone: int | None, phone_hash: bytes | None) -> _Number:
    """The number itself, as long as it is there."""
    if phone is not None:
        return {"phone": PhoneNumber(f"+{phone}"), "phone_hash": None}
    return {"phone": None, "phone_hash": phone_hash}


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


def _not_found(waiting: dict[str, _Merged], found: str) -> dict[str, _Merged]:
    """Those whose place, counted from 1, is not among these."""
    if not found:
        return waiting
    places = {int(place) for place in found.split(",")}
    if len(places) == len(waiting):
        return {}
    return {
        each: merged for at, (each, merged) in enumerate(waiting.items(), 1) if at not in places
    }


def _parameters(waiting: Mapping[str, _Merged], now: datetime) -> dict[str, object]:
    return {
        "ids": "\n".join(waiting),
        "states": [int(each.state) for each in waiting.values()],
        "sent": [each.sent_at for each in waiting.values()],
        "delivered": [each.delivered_at for each in waiting.values()],
        "failed": [each.failed_at for each in waiting.values()],
        "errors": "\n".join((each.error or "").replace("\n", " ") for each in waiting.values()),
        "now": now,
    }


def _merged(reports: Iterable[DeliveryReport], now: datetime) -> dict[str, _Merged]:
    merged: dict[str, _Merged] = {}
    for report in reports:
        assert report.provider_id is not None, "reports are matched by provider id"
        merged.setdefault(report.provider_id, _Merged()).add(report, now)
    return merged
