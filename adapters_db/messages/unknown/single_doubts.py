"""Single messages in doubt or without a final state: few, found by partial indexes of their own."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import psycopg

from adapters_db.connection.plans import by_index
from adapters_db.messages.unknown import look_up_turns
from adapters_db.messages.unknown.finding_columns import finding_columns
from retail_core.kernel.ids import AccountId, MessageNumber, ProviderId
from retail_core.messages.model import (
    LOOK_UP_AFTER,
    Askable,
    Doubt,
    Finding,
    MessageKey,
    MessageState,
    PutOff,
    Resolved,
)

Driver = psycopg.Connection[tuple[Any, ...]]

# As with those of campaigns: the rows are locked in their order, what is known is never lowered,
# and the credits that were still held are told to one of us only.
_RESOLVE = f"""
WITH finding AS (
    SELECT * FROM unnest(%(seqs)s::bigint[], %(states)s::smallint[],
        %(sent)s::timestamptz[], %(delivered)s::timestamptz[], %(failed)s::timestamptz[],
        string_to_array(%(ids)s, E'\\n', ''), string_to_array(%(errors)s, E'\\n', ''),
        string_to_array(%(codes)s, E'\\n', ''), %(certain)s::boolean[])
        AS f (number, state, sent_at, delivered_at, failed_at, provider_id, error, error_code,
              certain)
), found AS (
    SELECT m.state AS before, m.holds AS held, f.*
    FROM finding f JOIN single_message m ON m.number = f.number
    WHERE m.state IN ({MessageState.UNKNOWN:d}, {MessageState.SENT:d}, {MessageState.FAILED:d},
                      {MessageState.DELIVERED:d})
      AND (m.provider_id IS NULL OR f.provider_id IS NULL OR m.provider_id = f.provider_id)
    ORDER BY m.number
    FOR UPDATE OF m
)
UPDATE single_message m
SET state = greatest(m.state, f.state),
    holds = m.holds AND (NOT f.certain OR greatest(m.state, f.state) = {MessageState.UNKNOWN:d}),
    provider_id = CASE WHEN f.certain THEN coalesce(m.provider_id, f.provider_id)
                       ELSE m.provider_id END,
    reported_id = CASE WHEN NOT f.certain THEN coalesce(m.reported_id, f.provider_id, '') END,
    sent_at = least(m.sent_at, f.sent_at),
    delivered_at = least(m.delivered_at, f.delivered_at),
    failed_at = least(m.failed_at, f.failed_at),
    error = CASE WHEN m.state = {MessageState.UNKNOWN:d}
                      OR f.failed_at < coalesce(m.failed_at, 'infinity') THEN f.error
                 ELSE m.error END,
    error_code = CASE WHEN m.state = {MessageState.UNKNOWN:d} THEN f.error_code
                      ELSE m.error_code END,
    updated_at = greatest(m.updated_at, %(now)s)
FROM found f
WHERE m.number = f.number
  AND (m.state < f.state
       OR (f.certain AND m.provider_id IS NULL AND f.provider_id IS NOT NULL)
       OR (f.certain AND m.reported_id IS NOT NULL)
       OR f.sent_at < coalesce(m.sent_at, 'infinity')
       OR f.delivered_at < coalesce(m.delivered_at, 'infinity')
       OR f.failed_at < coalesce(m.failed_at, 'infinity'))
RETURNING m.account_id, m.number, f.before, m.state,
          CASE WHEN f.held AND NOT m.holds THEN m.credits ELSE 0 END, m.reason
"""

_WAITING = f"""
SELECT account_id, number, submitted_at, credits, NOT holds, provider_id, state
FROM single_message
WHERE (state = {MessageState.UNKNOWN:d} OR (holds AND reported_id IS NOT NULL))
  AND number > %(after)s
ORDER BY number LIMIT %(singles_max)s
"""

_OPEN = f"state IN ({MessageState.UNKNOWN:d}, {MessageState.SENT:d}) AND provider_id IS NOT NULL"
_OF_STORES = look_up_turns.walk("single_message", f"{_OPEN} AND look_up_at IS NOT NULL")
_DUE = f"""
SELECT m.account_id, m.number, m.provider_id, m.state, m.submitted_at
FROM unnest(%(accounts)s::integer[]) WITH ORDINALITY a (account_id, place)
CROSS JOIN LATERAL (
    SELECT account_id, number, provider_id, state, submitted_at,
           row_number() OVER (ORDER BY look_up_at, number) AS turn
    FROM single_message
    WHERE account_id = a.account_id AND {_OPEN}
      AND look_up_at IS NOT NULL AND look_up_at <= %(now)s
    ORDER BY look_up_at, number LIMIT %(singles_max)s) m
ORDER BY m.turn, a.place LIMIT %(singles_max)s
"""
_FIND = """
SELECT account_id, number, provider_id, state, NULL FROM single_message
WHERE account_id = %(account)s AND provider_id = ANY(%(provider_ids)s::text[])
ORDER BY number
"""
_NOTE = """
WITH asked AS (
    SELECT number FROM single_message WHERE number = ANY(%(numbers)s::bigint[])
    ORDER BY number FOR UPDATE
)
UPDATE single_message m
SET look_up_at = (SELECT min(m.submitted_at + age) FROM unnest(%(ages)s::interval[]) age
                  WHERE m.submitted_at + age > %(now)s)
FROM asked a WHERE m.number = a.number
"""

_PUT_OFF = """
WITH put_off AS (
    SELECT p.number, p.again_at
    FROM unnest(%(numbers)s::bigint[], %(again_at)s::timestamptz[]) p (number, again_at)
         JOIN single_message m USING (number)
    ORDER BY p.number FOR UPDATE OF m
)
UPDATE single_message m SET look_up_at = p.again_at FROM put_off p WHERE m.number = p.number
"""


def resolve(driver: Driver, findings: Sequence[Finding], now: datetime) -> Sequence[Resolved]:
    """Apply findings about single messages; those that changed, in their order."""
    if not findings:
        return ()
    rows = driver.execute(_RESOLVE, finding_columns(findings) | {"now": now}).fetchall()
    return [
        Resolved(_key(account, number), MessageState(before), MessageState(after), credits, reason)
        for account, number, before, after, credits, reason in sorted(rows, key=lambda row: row[1])
    ]


def waiting(driver: Driver, after: MessageKey | None, singles_max: int) -> Sequence[Doubt]:
    """Those in doubt, behind one of them, in their order."""
    parameters = {"after": 0 if after is None else after.seq, "singles_max": singles_max}
    return [
        Doubt(
            message=_key(account, number),
            number=MessageNumber(number),
            since=since,
            credits=credits,
            credits_settled=is_settled,
            provider_id=ProviderId(provider_id) if provider_id else None,
            state=MessageState(state),
        )
        for account, number, since, credits, is_settled, provider_id, state in driver.execute(
            _WAITING, parameters
        )
    ]


def due(
    driver: Driver, now: datetime, after: AccountId, singles_max: int
) -> tuple[Sequence[AccountId], Sequence[Askable]]:
    """Whose turn it is behind a store, and theirs that are due: of each in turn the longest due."""
    accounts = look_up_turns.in_turn(driver, _OF_STORES, now, after, singles_max)
    parameters = {"now": now, "accounts": accounts, "singles_max": singles_max}
    with by_index(driver):
        return accounts, _askables(driver.execute(_DUE, parameters))


def find(
    driver: Driver, account: AccountId, provider_ids: Sequence[ProviderId]
) -> Sequence[Askable]:
    """Those with these provider ids."""
    parameters = {"account": account, "provider_ids": list(provider_ids)}
    return _askables(driver.execute(_FIND, parameters))


def note_asked(driver: Driver, messages: Sequence[MessageKey], now: datetime) -> None:
    """Those of these that are single wait for their next age, if there is one."""
    numbers = [each.seq for each in messages if each.is_single]
    if numbers:
        driver.execute(_NOTE, {"numbers": numbers, "ages": list(LOOK_UP_AFTER), "now": now})


def put_off(driver: Driver, messages: Sequence[PutOff]) -> None:
    """Those of these that are single are not due before their time."""
    singles = [each for each in messages if each.message.is_single]
    if singles:
        numbers = [each.message.seq for each in singles]
        times = [each.again_at for each in singles]
        driver.execute(_PUT_OFF, {"numbers": numbers, "again_at": times})


def _askables(rows: "psycopg.Cursor[tuple[Any, ...]]") -> Sequence[Askable]:
    return [
        Askable(
            _key(account, number),
            MessageNumber(number),
            ProviderId(provider_id),
            MessageState(state),
            since,
        )
        for account, number, provider_id, state, since in rows
    ]


def _key(account: int, number: int) -> MessageKey:
    return MessageKey.of_single(AccountId(account), MessageNumber(number))
