"""Inbound texts on PostgreSQL: as they came, and what became of them.

Several processes apply texts at once. Each takes the turns of some numbers, by advisory locks on
what the senders end in, and with each turn the texts of the number in their order. So no two
texts of one number are ever applied side by side, not even where the earlier one was committed
later.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import attrs
import psycopg
from sqlalchemy import Connection, insert

from adapters_db.connection.connections import psycopg_connection
from adapters_db.connection.plans import by_index
from adapters_db.connection.reads import Reads
from adapters_db.tables.engagement import inbound_text
from retail_core.engagement.model import AppliedText, EarlierText, InboundCall, RawInbound
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import AccountId, InboundId

EARLIER_TEXTS_MAX: Final = 100
TEXTS_OF_A_NUMBER_MAX: Final = 100
"""In one go: more from one number wait for each other, and hold nobody else up."""
LOOK_AHEAD: Final = 8
"""So many sets may be with others before one finds nothing to do."""

_IS_PUT_OFF: Final = "p.applied_at IS NULL AND p.not_before IS NOT NULL AND p.not_before > %(now)s"
# The numbers of the texts whose turn is next, as far as nobody else has their turn. Nobody waits.
_TURNS: Final = f"""
WITH next AS (
    SELECT t.sender_end, t.urgency, t.id FROM inbound_text t
    WHERE t.applied_at IS NULL AND NOT EXISTS (
        SELECT FROM inbound_text p
        WHERE p.sender_end = t.sender_end AND p.id <= t.id AND {_IS_PUT_OFF})
    ORDER BY t.urgency, t.id LIMIT %(texts)s * {LOOK_AHEAD}
), numbers AS MATERIALIZED (
    SELECT sender_end, min(urgency) AS urgency, min(id) AS id FROM next
    GROUP BY sender_end ORDER BY urgency, id
)
SELECT sender_end, urgency FROM numbers
WHERE pg_try_advisory_xact_lock(hashtext('inbound_text'), sender_end) LIMIT %(texts)s
"""
# After the locks, and so it sees whatever was committed before they were given.
_OF_NUMBERS: Final = f"""
SELECT raw, arrived_at, id, tries
FROM (
    SELECT t.*, u.urgency, row_number() OVER (PARTITION BY t.sender_end ORDER BY t.id) AS place
    FROM unnest(%(ends)s::integer[], %(urgencies)s::smallint[]) AS u (sender_end, urgency)
        CROSS JOIN LATERAL (
        SELECT i.raw, i.arrived_at, i.id, i.tries, i.sender_end FROM inbound_text i
        WHERE i.applied_at IS NULL AND i.sender_end = u.sender_end
          AND i.id < coalesce((
              SELECT min(p.id) FROM inbound_text p
              WHERE p.sender_end = u.sender_end AND {_IS_PUT_OFF}), {2**63 - 1})
        ORDER BY i.id LIMIT {TEXTS_OF_A_NUMBER_MAX}
        FOR UPDATE) t
) taken
ORDER BY urgency, place, id LIMIT %(texts)s
"""
_TURN_OF_ONE: Final = """
SELECT FROM inbound_text
WHERE id = %(id)s AND pg_try_advisory_xact_lock(hashtext('inbound_text'), sender_end)
"""
_ONE: Final = """
SELECT raw, arrived_at, id, tries FROM inbound_text
WHERE id = %(id)s AND applied_at IS NULL
FOR UPDATE
"""
_PUT_OFF: Final = """
UPDATE inbound_text SET not_before = %(until)s, tries = least(tries + 1, 32767)
WHERE id = ANY(%(ids)s) AND applied_at IS NULL
"""
_EARLIER: Final = f"""
SELECT t.phone, t.message_id, t.fingerprint, t.arrived_at
FROM unnest(%(phones)s::bigint[]) AS u (phone) CROSS JOIN LATERAL (
    SELECT i.* FROM inbound_text i
    WHERE i.phone = u.phone AND i.applied_at IS NOT NULL
      AND (i.arrived_at >= %(since)s OR i.message_id = ANY(%(names)s))
    ORDER BY i.id DESC LIMIT {EARLIER_TEXTS_MAX}) t
ORDER BY t.id DESC
"""
_MARK: Final = """
UPDATE inbound_text t
SET applied_at = %(now)s, sender_end = 0, not_before = NULL, phone = u.phone, text = u.text,
    message_id = u.message_id, fingerprint = u.fingerprint, keyword = u.keyword,
    is_repeat = u.is_repeat, is_nobodys = u.is_nobodys
FROM unnest(%(ids)s::bigint[], %(phones)s::bigint[], %(texts)s::text[], %(names)s::text[],
            %(fingerprints)s::bytea[], %(keywords)s::text[], %(repeats)s::boolean[],
            %(nobodys)s::boolean[])
    AS u (id, phone, text, message_id, fingerprint, keyword, is_repeat, is_nobodys)
WHERE t.id = u.id
"""
_SCOPES: Final = """
INSERT INTO inbound_scope (account_id, inbound_id)
SELECT account_id, inbound_id
FROM unnest(%(accounts)s::integer[], %(ids)s::bigint[]) AS u (account_id, inbound_id)
ORDER BY account_id, inbound_id
"""
# Whose sender was erased while it waited; where no store is left, a trigger empties the text.
_FORGET: Final = """
DELETE FROM inbound_scope s
USING unnest(%(accounts)s::integer[], %(ids)s::bigint[]) AS u (account_id, inbound_id)
WHERE s.account_id = u.account_id AND s.inbound_id = u.inbound_id
"""

_NOBODYS_COUNTS: Final = """
SELECT keyword, count(*) FROM inbound_text WHERE is_nobodys GROUP BY keyword ORDER BY keyword
"""
_NOBODYS: Final = """
SELECT id, arrived_at, raw, keyword FROM inbound_text
WHERE is_nobodys ORDER BY id DESC LIMIT %(texts)s
"""
_NOBODYS_ONE: Final = """
SELECT id, arrived_at, raw, keyword FROM inbound_text WHERE is_nobodys AND id = %(id)s
"""
_COUNTRIES: Final = """
WITH RECURSIVE known (country) AS (
    (SELECT default_country FROM account ORDER BY default_country LIMIT 1)
    UNION ALL
    SELECT next.country FROM known CROSS JOIN LATERAL (
        SELECT a.default_country AS country FROM account a
        WHERE a.default_country > known.country ORDER BY a.default_country LIMIT 1) next
)
SELECT country FROM known ORDER BY country
"""


@attrs.frozen
class SqlInboundStore:
    """`InboundStore` on PostgreSQL."""

    connection: Connection

    @property
    def _driver(self) -> "psycopg.Connection[tuple[Any, ...]]":
        return psycopg_connection(self.connection)

    def add_across_accounts(self, calls: Sequence[InboundCall]) -> None:
        """One row a text."""
        rows = [
            {
                "raw": call.raw,
                "arrived_at": call.arrived_at,
                "sender_end": call.sender_end,
                "urgency": 0 if call.is_urgent else 1,
            }
            for call in calls
        ]
        if rows:
            self.connection.execute(insert(inbound_text), rows)

    def take_some_across_accounts(self, texts_max: int, now: datetime) -> Sequence[RawInbound]:
        """The turns of the numbers that come first, and their texts."""
        parameters: dict[str, Any] = {"texts": texts_max, "now": now}
        with by_index(self._driver):
            turns = self._driver.execute(_TURNS, parameters).fetchall()
            if not turns:
                return []
            parameters["ends"] = [end for end, _ in turns]
            parameters["urgencies"] = [urgency for _, urgency in turns]
            rows = self._driver.execute(_OF_NUMBERS, parameters, binary=True).fetchall()
        return sorted((_raw(row) for row in rows), key=lambda each: each.id)

    def take_across_accounts(self, inbound: InboundId) -> RawInbound | None:
        """Where the turn of its number can be had."""
        if self._driver.execute(_TURN_OF_ONE, {"id": inbound}).fetchone() is None:
            return None
        row = self._driver.execute(_ONE, {"id": inbound}, binary=True).fetchone()
        return None if row is None else _raw(row)

    def put_off_across_accounts(self, texts: Collection[InboundId], until: datetime) -> None:
        """One statement."""
        self._driver.execute(_PUT_OFF, {"ids": list(texts), "until": until})

    def earlier_across_accounts(
        self, numbers: Mapping[PhoneNumber, Collection[str]], since: datetime
    ) -> Mapping[PhoneNumber, Sequence[EarlierText]]:
        """By the numbers; of each as many as can matter."""
        parameters = {
            "phones": [int(phone[1:]) for phone in numbers],
            "names": sorted({name for names in numbers.values() for name in names}),
            "since": since,
        }
        found: dict[PhoneNumber, list[EarlierText]] = {}
        with by_index(self._driver):
            for phone, name, fingerprint, at in self._driver.execute(_EARLIER, parameters):
                earlier = EarlierText(name, bytes(fingerprint), at)
                found.setdefault(PhoneNumber(f"+{phone}"), []).append(earlier)
        return found

    def countries_across_accounts(self) -> Sequence[str]:
        """From one country to the next in their index: a look for each country, not each store."""
        return [row[0] for row in self._driver.execute(_COUNTRIES).fetchall()]

    def mark_applied_across_accounts(self, applied: Sequence[AppliedText], now: datetime) -> None:
        """What they said beside the bytes, so that a person's texts are found again."""
        known = [each.phone is not None for each in applied]
        parameters = {
            "now": now,
            "ids": [each.id for each in applied],
            "phones": [None if each.phone is None else int(each.phone[1:]) for each in applied],
            "texts": [each.text.text for each in applied],
            "names": [each.text.message_id for each in applied],
            "fingerprints": [
                each.text.fingerprint if is_known else None
                for each, is_known in zip(applied, known, strict=True)
            ],
            "keywords": [each.keyword and each.keyword.value for each in applied],
            "repeats": [each.is_repeat for each in applied],
            "nobodys": [each.is_nobodys for each in applied],
        }
        with by_index(self._driver):
            self._driver.execute(_MARK, parameters)
        scope = [(account, each.id) for each in applied for account in set(each.scope)]
        self._driver.execute(_SCOPES, _pairs(scope))
        erased = [(account, each.id) for each in applied for account in set(each.erased_by)]
        if erased:
            self._driver.execute(_FORGET, _pairs(erased))


def _pairs(scope: Sequence[tuple[AccountId, InboundId]]) -> dict[str, object]:
    return {
        "accounts": [account for account, _ in scope],
        "ids": [inbound for _, inbound in scope],
    }


@attrs.frozen
class NobodysText:
    """A text from a number to which no store wrote; `keyword` is what it asked for, if anything."""

    id: InboundId
    arrived_at: datetime
    raw: bytes = attrs.field(repr=False)
    keyword: str | None


@attrs.frozen
class SqlNobodysTexts:
    """What the operator is shown of texts that match nobody, for as long as they are kept."""

    reads: Reads

    def counts_across_accounts(self) -> Mapping[str | None, int]:
        """How many there are, by what they asked for."""
        with self.reads.across_accounts() as connection:
            rows = psycopg_connection(connection).execute(_NOBODYS_COUNTS).fetchall()
        return dict(rows)

    def newest_across_accounts(self, texts_max: int) -> Sequence[NobodysText]:
        """The newest first."""
        with self.reads.across_accounts() as connection:
            rows = psycopg_connection(connection).execute(_NOBODYS, {"texts": texts_max})
            return [_nobodys(row) for row in rows]

    def find_across_accounts(self, inbound: InboundId) -> NobodysText | None:
        """One of them."""
        with self.reads.across_accounts() as connection:
            row = psycopg_connection(connection).execute(_NOBODYS_ONE, {"id": inbound}).fetchone()
        return None if row is None else _nobodys(row)


def _nobodys(row: Sequence[Any]) -> NobodysText:
    inbound, arrived_at, raw, keyword = row
    return NobodysText(InboundId(inbound), arrived_at, bytes(raw), keyword)


def _raw(row: Sequence[Any]) -> RawInbound:
    raw, arrived_at, inbound, tries = row
    return RawInbound(bytes(raw), arrived_at, InboundId(inbound), tries)
