"""Which stores wrote to numbers, and when last: found by contacts, by numbers, and by hashes.

Messages of campaigns have no index by number: it would cost every one of them at its hand-over.
The stores' contacts with the number lead to them, and where a contact is gone or has another
number, a hash was kept.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import attrs
import psycopg
from sqlalchemy import Connection, exists, select

from adapters_db.connection.connections import psycopg_connection
from adapters_db.connection.plans import by_index
from adapters_db.contacts.suppressions import GIVEN, given
from adapters_db.messages import partitions
from adapters_db.messages.waiting_recipients import lock_batches
from adapters_db.tables.engagement import number_trace
from retail_core.contacts.ports import LastHandOver
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import AccountId, CampaignId, ContactId
from retail_core.messages.model import BatchState, MessageState

_REACHED: Final = f"({MessageState.UNKNOWN:d}, {MessageState.SENT:d}, {MessageState.DELIVERED:d})"
_SINGLE_REACHED: Final = f"""s.submitted_at IS NOT NULL
    AND (s.state = {MessageState.SUBMITTING:d} OR s.state IN {_REACHED}
         OR s.provider_id IS NOT NULL)"""

# What may have reached the gateway for contacts `o` (account_id, id, phone), in the partitions that
# were used since. A number that was removed with age counts as theirs. A batch that is just being
# handed over has no rows yet.
_BY_CONTACT: Final = f"""
    SELECT o.account_id, o.id, o.phone, c.id AS campaign, c.plan ->> 'sender' AS sender,
           coalesce(m.sent_at, m.delivered_at, m.failed_at, m.updated_at) AS at,
           c.first_number + m.seq AS number
    FROM own o JOIN message m ON m.contact_id = o.id AND m.account_id = o.account_id
              AND m.campaign_id >= %(first_campaign)s
         JOIN campaign c ON c.id = m.campaign_id
    WHERE (m.state IN {_REACHED} OR m.provider_id IS NOT NULL)
      AND (m.phone = o.phone OR m.phone IS NULL)
    UNION ALL
    SELECT o.account_id, o.id, o.phone, c.id, c.plan ->> 'sender', b.submitted_at,
           c.first_number + b.seqs[array_position(b.contact_ids, o.id)]
    FROM own o JOIN send_batch b ON b.account_id = o.account_id AND b.lease_until IS NOT NULL
             AND b.state = '{BatchState.SUBMITTING.value}' AND b.contact_ids @> ARRAY[o.id]
         JOIN campaign c ON c.id = b.campaign_id
    WHERE b.phones[array_position(b.contact_ids, o.id)] = o.phone
      AND NOT b.dropped ? (array_position(b.contact_ids, o.id) - 1)::text
    UNION ALL
    SELECT o.account_id, o.id, o.phone, NULL, s.sender, s.submitted_at, s.number
    FROM own o JOIN single_message s ON s.account_id = o.account_id AND s.contact_id = o.id
    WHERE {_SINGLE_REACHED} AND (s.phone = o.phone OR s.phone IS NULL)
"""

_FIND: Final = f"""
WITH given AS MATERIALIZED (
    SELECT * FROM unnest(%(phones)s::bigint[], %(hashes)s::bytea[]) AS u (phone, phone_hash)
), own AS MATERIALIZED (
    SELECT c.account_id, c.id, c.phone FROM given g JOIN contact c ON c.phone = g.phone
), handed AS (
    {_BY_CONTACT}
    UNION ALL
    SELECT s.account_id, NULL, g.phone, NULL, s.sender, s.submitted_at, s.number
    FROM given g JOIN single_message s ON s.phone = g.phone
    WHERE {_SINGLE_REACHED}
    UNION ALL
    SELECT t.account_id, NULL, g.phone, NULL, t.sender, t.at, NULL
    FROM given g JOIN number_trace t ON t.phone_hash = g.phone_hash
)
SELECT h.phone, h.account_id, a.default_country, max(h.at),
       (array_agg(h.sender ORDER BY h.at DESC))[1],
       (array_agg(h.campaign ORDER BY h.at DESC) FILTER (WHERE h.campaign IS NOT NULL))[1],
       max(h.at) FILTER (WHERE h.campaign IS NOT NULL)
FROM handed h JOIN account a ON a.id = h.account_id
WHERE h.at >= %(since)s
  AND NOT EXISTS (SELECT FROM account_closing k
                  WHERE k.account_id = a.id AND k.erasing_since IS NOT NULL)
GROUP BY h.phone, h.account_id, a.default_country ORDER BY h.account_id
"""

_KEEP: Final = f"""
WITH own AS MATERIALIZED (
    SELECT c.account_id, c.id, c.phone FROM contact c
    WHERE c.account_id = %(account)s AND c.id = ANY(%(contacts)s)
), handed AS MATERIALIZED (
    SELECT h.* FROM ({_BY_CONTACT}) h WHERE h.at >= %(since)s
), given AS (
    SELECT * FROM unnest(%(contacts)s::integer[], %(hashes)s::bytea[]) AS u (id, phone_hash)
), last AS (
    SELECT DISTINCT ON (id) id, at, sender FROM handed ORDER BY id, at DESC
), links AS (
    INSERT INTO message_trace (number, account_id, phone_hash, at)
    SELECT number, %(account)s, phone_hash, at FROM handed JOIN given USING (id) ORDER BY number
    ON CONFLICT (number) DO NOTHING
)
INSERT INTO number_trace (account_id, phone_hash, at, sender)
SELECT %(account)s, given.phone_hash, last.at, last.sender FROM given JOIN last USING (id)
ON CONFLICT (account_id, phone_hash) DO UPDATE
SET at = excluded.at, sender = excluded.sender WHERE number_trace.at < excluded.at
"""


_RECOGNISE: Final = f"""
WITH {GIVEN}
UPDATE number_trace t SET contact_id = c.id
FROM given JOIN contact c ON c.account_id = %(account)s AND c.phone = given.phone
WHERE t.account_id = %(account)s AND t.phone_hash = given.hash
  AND t.contact_id IS DISTINCT FROM c.id
"""


@attrs.frozen
class SqlNumberTraces:
    """`NumberTraces` on PostgreSQL."""

    connection: Connection

    @property
    def _driver(self) -> "psycopg.Connection[tuple[Any, ...]]":
        return psycopg_connection(self.connection)

    def keep(self, account: AccountId, hashes: Mapping[ContactId, bytes], since: datetime) -> None:
        """Lock what may become a hand-over at this moment; then one statement that keeps."""
        parameters = {
            "account": account,
            "contacts": list(hashes),
            "hashes": list(hashes.values()),
            "since": since,
        }
        lock_batches(self._driver, account, hashes)
        # after the lock, since a batch that we waited for may be the first in its partition
        first = partitions.first_used_since(self._driver, since)
        with by_index(self._driver):
            self._driver.execute(_KEEP, parameters | {"first_campaign": first})

    def has_any(self, account: AccountId) -> bool:
        """Over the primary key."""
        found = exists().where(number_trace.c.account_id == account)
        return bool(self.connection.execute(select(found)).scalar())

    def recognise(self, account: AccountId, hashes: Mapping[PhoneNumber, bytes]) -> None:
        """One statement; a row is written only where the contact is another one."""
        with by_index(self._driver):
            self._driver.execute(_RECOGNISE, given(account, hashes))

    def holder(self, account: AccountId, phone_hash: bytes) -> ContactId | None:
        """Over the primary key."""
        found = self.connection.execute(
            select(number_trace.c.contact_id).where(
                number_trace.c.account_id == account, number_trace.c.phone_hash == phone_hash
            )
        ).scalar()
        return None if found is None else ContactId(found)

    def last_hand_overs_across_accounts(
        self, hashes: Mapping[PhoneNumber, bytes], since: datetime
    ) -> Mapping[PhoneNumber, Sequence[LastHandOver]]:
        """One statement: the contacts with these numbers, and from there the indexes of persons."""
        parameters = {
            "phones": [int(phone[1:]) for phone in hashes],
            "hashes": list(hashes.values()),
            "since": since,
            "first_campaign": partitions.first_used_since(self._driver, since),
        }
        with by_index(self._driver):
            rows = self._driver.execute(_FIND, parameters).fetchall()
        found: dict[PhoneNumber, list[LastHandOver]] = {}
        for phone, account, country, at, sender, campaign, campaign_at in rows:
            last = LastHandOver(
                account=AccountId(account),
                country=country,
                at=at,
                sender=sender,
                campaign=None if campaign is None else CampaignId(campaign),
                campaign_at=campaign_at,
            )
            found.setdefault(PhoneNumber(f"+{phone}"), []).append(last)
        return found
