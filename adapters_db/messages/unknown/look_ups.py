"""Which messages the gateway was asked about, on PostgreSQL; which are due is told by batches.

No index may name the state of a message, and nobody may read a million delivered ones to find
five that are not. So each batch knows when its messages are to be asked about next; then its few
thousand rows are read by their key, and of a bounded number of batches.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import attrs
import psycopg
from sqlalchemy import Connection

from adapters_db.connection.connections import psycopg_connection
from adapters_db.connection.plans import by_index
from adapters_db.messages import partitions
from adapters_db.messages.partitions import WITHIN
from adapters_db.messages.unknown import look_up_turns, single_doubts
from retail_core.kernel.ids import AccountId, CampaignId, MessageNumber, ProviderId
from retail_core.messages.model import (
    LOOK_UP_AFTER,
    Askable,
    DueMessages,
    MessageKey,
    MessageState,
    PutOff,
)

_OPEN = f"({MessageState.UNKNOWN:d}, {MessageState.SENT:d})"

# First the batches that are due, then their messages: their campaigns, as plain values, name the
# partitions to look into.
_BATCHES_OF_STORES = look_up_turns.walk("send_batch", "look_up_at IS NOT NULL")
_DUE_BATCHES = """
SELECT b.campaign_id, b.no, b.first_seq, b.last_seq, b.settled_at
FROM send_batch b JOIN (
    SELECT d.* FROM unnest(%(accounts)s::integer[]) WITH ORDINALITY a (account_id, place)
    CROSS JOIN LATERAL (
        SELECT campaign_id, no, a.place,
               row_number() OVER (ORDER BY look_up_at, campaign_id, no) AS turn
        FROM send_batch
        WHERE account_id = a.account_id AND look_up_at <= %(now)s
        ORDER BY look_up_at, campaign_id, no LIMIT %(batches_max)s) d
    ORDER BY d.turn, d.place LIMIT %(batches_max)s) d USING (campaign_id, no)
WHERE b.look_up_at <= %(now)s
FOR UPDATE OF b SKIP LOCKED
"""

# A message is due if an age has come since it was asked about, unless it was put off. A batch
# without such a message waits for its next age, or for the first that was put off; the others go to
# the end of the line. OFFSET 0 keeps the rows of each batch a question of its own, answered by the
# key: joined, they would be looked for among all.
_DUE = f"""
WITH due AS (
    SELECT * FROM unnest(%(campaigns)s::integer[], %(nos)s::integer[], %(firsts)s::integer[],
                         %(lasts)s::integer[], %(settled)s::timestamptz[])
        AS d (campaign_id, no, first_seq, last_seq, settled_at)
), come_of_age AS (
    SELECT d.campaign_id, d.no, d.settled_at, m.account_id, m.seq, m.provider_id, m.state,
           l.asked_at, CASE WHEN l.again_at > %(now)s THEN l.again_at END AS again_at
    FROM due d
    CROSS JOIN LATERAL (
        SELECT r.account_id, r.seq, r.provider_id, r.state FROM message r
        WHERE r.campaign_id = ANY(%(in_campaigns)s)
          AND r.campaign_id = d.campaign_id AND r.seq BETWEEN d.first_seq AND d.last_seq
          AND r.state IN {_OPEN} AND r.provider_id IS NOT NULL
        OFFSET 0) m
    LEFT JOIN status_look_up l ON l.campaign_id = d.campaign_id AND l.seq = m.seq
    WHERE EXISTS (
        SELECT FROM unnest(%(ages)s::interval[]) age
        WHERE d.settled_at + age <= %(now)s
          AND (l.asked_at IS NULL OR l.asked_at < d.settled_at + age))
), left_over AS (
    SELECT campaign_id, no, bool_or(again_at IS NULL) AS is_due, min(again_at) AS again_at
    FROM come_of_age GROUP BY campaign_id, no
), moved AS (
    UPDATE send_batch b
    SET look_up_at = CASE WHEN o.is_due THEN %(now)s
        ELSE least(o.again_at, (SELECT min(d.settled_at + age)
                                FROM unnest(%(ages)s::interval[]) age
                                WHERE d.settled_at + age > %(now)s)) END
    FROM due d LEFT JOIN left_over o USING (campaign_id, no)
    WHERE b.campaign_id = d.campaign_id AND b.no = d.no
)
SELECT c.account_id, c.campaign_id, c.seq, o.first_number + c.seq, c.provider_id, c.state,
       c.settled_at
FROM come_of_age c JOIN campaign o ON o.id = c.campaign_id
WHERE c.again_at IS NULL
-- stores take turns, so that the many of one do not keep the few of another waiting
ORDER BY row_number() OVER (
        PARTITION BY c.account_id ORDER BY c.asked_at NULLS FIRST, c.campaign_id, c.seq),
    c.account_id
LIMIT %(messages_max)s
"""

_NEVER_ASKED = f"""
SELECT m.account_id, m.campaign_id, m.seq, c.first_number + m.seq, m.provider_id, m.state, NULL
FROM campaign c JOIN message m ON m.campaign_id = c.id
WHERE c.account_id = %(account)s AND c.id = %(campaign)s AND c.sent + c.unknown > 0
  AND m.campaign_id = %(campaign)s AND m.state IN {_OPEN} AND m.provider_id IS NOT NULL
  AND NOT EXISTS (SELECT FROM status_look_up l
                  WHERE l.campaign_id = m.campaign_id AND l.seq = m.seq)
ORDER BY m.seq LIMIT %(messages_max)s
"""
_ASKED = f"""
SELECT m.account_id, m.campaign_id, m.seq, c.first_number + m.seq, m.provider_id, m.state, NULL
FROM campaign c
     JOIN status_look_up l ON l.campaign_id = c.id
     JOIN message m ON m.campaign_id = l.campaign_id AND m.seq = l.seq
WHERE c.account_id = %(account)s AND c.id = %(campaign)s
  AND m.campaign_id = %(campaign)s AND m.state IN {_OPEN} AND m.provider_id IS NOT NULL
ORDER BY l.asked_at, m.seq LIMIT %(messages_max)s
"""

_FIND = f"""
WITH found AS MATERIALIZED (
    SELECT m.account_id, m.campaign_id, m.seq, m.provider_id, m.state
    FROM message m
    WHERE m.account_id = %(account)s AND m.provider_id = ANY(%(provider_ids)s::text[])
      AND {WITHIN}
)
SELECT f.account_id, f.campaign_id, f.seq, c.first_number + f.seq, f.provider_id, f.state, NULL
FROM found f JOIN campaign c ON c.id = f.campaign_id
"""

_NOTE = """
INSERT INTO status_look_up (campaign_id, seq, account_id, asked_at)
SELECT *, %(now)s FROM unnest(%(campaigns)s::integer[], %(seqs)s::integer[],
                              %(accounts)s::integer[])
ORDER BY 1, 2
ON CONFLICT (campaign_id, seq) DO UPDATE SET again_at = NULL,
    asked_at = greatest(status_look_up.asked_at, excluded.asked_at)
"""
# Who was never asked about with success was asked before all ages.
_PUT_OFF = """
INSERT INTO status_look_up (campaign_id, seq, account_id, asked_at, again_at)
SELECT * FROM unnest(%(campaigns)s::integer[], %(seqs)s::integer[], %(accounts)s::integer[],
                     %(since)s::timestamptz[], %(again_at)s::timestamptz[])
ORDER BY 1, 2
ON CONFLICT (campaign_id, seq) DO UPDATE SET again_at = excluded.again_at
"""


@attrs.frozen
class SqlLookUpStore:
    """`LookUpStore` on PostgreSQL."""

    connection: Connection

    @property
    def _driver(self) -> "psycopg.Connection[tuple[Any, ...]]":
        return psycopg_connection(self.connection)

    def begin_slice_across_accounts(
        self, now: datetime, lease_until: datetime, round_at: datetime
    ) -> int | None:
        """One row by its key."""
        return look_up_turns.begin(self._driver, now, lease_until, round_at)

    def end_slice_across_accounts(self, lease_until: datetime, asked: int) -> None:
        """One row by its key."""
        look_up_turns.end(self._driver, lease_until, asked)

    def due_across_accounts(
        self, now: datetime, batches_max: int, messages_max: int
    ) -> DueMessages:
        """A few statements that go from store to store, two for batches and their messages."""
        driver, after = self._driver, look_up_turns.last_served(self._driver)
        of_singles, singles = single_doubts.due(driver, now, after, messages_max // 2)
        of_batches = look_up_turns.in_turn(driver, _BATCHES_OF_STORES, now, after, batches_max)
        bounds = {"now": now, "accounts": of_batches, "batches_max": batches_max}
        with by_index(driver):
            batches = driver.execute(_DUE_BATCHES, bounds).fetchall()
        if served := of_batches or of_singles:
            look_up_turns.go_on_behind(driver, served[-1])
        has_more = bool(batches) or 0 < messages_max // 2 == len(singles)
        if not batches:
            return DueMessages(singles, has_more)
        campaigns, nos, firsts, lasts, settled = map(list, zip(*batches, strict=True))
        parameters = {
            "now": now,
            "ages": list(LOOK_UP_AFTER),
            "messages_max": messages_max - len(singles),
            "campaigns": campaigns,
            "in_campaigns": sorted(set(campaigns)),
            "nos": nos,
            "firsts": firsts,
            "lasts": lasts,
            "settled": settled,
        }
        return DueMessages([*singles, *_askables(driver.execute(_DUE, parameters))], has_more)

    def open_of_campaign(
        self, account: AccountId, campaign: CampaignId, messages_max: int
    ) -> Sequence[Askable]:
        """First those never asked about; the counters tell if there is anything to look for."""
        parameters = {"account": account, "campaign": campaign, "messages_max": messages_max}
        found = _askables(self._driver.execute(_NEVER_ASKED, parameters))
        if len(found) == messages_max:
            return found
        rest = parameters | {"messages_max": messages_max - len(found)}
        return [*found, *_askables(self._driver.execute(_ASKED, rest))]

    def find(self, account: AccountId, provider_ids: Sequence[ProviderId]) -> Sequence[Askable]:
        """By the indexes on provider ids, in the account's partitions, until all are found."""
        found = [*single_doubts.find(self._driver, account, provider_ids)]
        for partition in partitions.of_account(self._driver, account):
            missing = set(provider_ids) - {each.provider_id for each in found}
            if not missing:
                break
            parameters = {"account": account, "provider_ids": sorted(missing)}
            parameters |= partition.parameters
            with by_index(self._driver):
                found += _askables(self._driver.execute(_FIND, parameters))
        return sorted(found, key=lambda each: each.message)

    def note_asked_across_accounts(self, messages: Sequence[MessageKey], now: datetime) -> None:
        """One statement for each kind; of two who ask at once the later one counts."""
        of_campaigns = [each for each in messages if not each.is_single]
        parameters = {
            "campaigns": [each.campaign for each in of_campaigns],
            "seqs": [each.seq for each in of_campaigns],
            "accounts": [each.account for each in of_campaigns],
            "now": now,
        }
        self._driver.execute(_NOTE, parameters)
        single_doubts.note_asked(self._driver, messages, now)

    def put_off_across_accounts(self, messages: Sequence[PutOff]) -> None:
        """One statement for each kind."""
        of_campaigns = [each for each in messages if not each.message.is_single]
        parameters = {
            "campaigns": [each.message.campaign for each in of_campaigns],
            "seqs": [each.message.seq for each in of_campaigns],
            "accounts": [each.message.account for each in of_campaigns],
            "since": [each.since for each in of_campaigns],
            "again_at": [each.again_at for each in of_campaigns],
        }
        self._driver.execute(_PUT_OFF, parameters)
        single_doubts.put_off(self._driver, messages)


def _askables(rows: "psycopg.Cursor[tuple[Any, ...]]") -> Sequence[Askable]:
    return [
        Askable(
            MessageKey(CampaignId(campaign), seq, AccountId(account)),
            MessageNumber(number),
            ProviderId(provider_id),
            MessageState(state),
            since,
        )
        for account, campaign, seq, number, provider_id, state, since in rows
    ]
