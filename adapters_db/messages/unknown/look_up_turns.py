"""Whose messages are asked about next: stores take turns, however much one of them has waiting.

What is due is found by going from one store to the next, which reads one row of an index for each
store; the millions of one are not passed to find the five of another. Where a slice ended is kept,
so that the next one goes on behind it.
"""

from datetime import datetime
from typing import Any, Final

import psycopg

from adapters_db.connection.plans import by_index
from retail_core.kernel.ids import AccountId

Driver = psycopg.Connection[tuple[Any, ...]]

ACCOUNT_MAX: Final = 2**31 - 1
_AFTER: Final = "SELECT after_account_id FROM look_up_turn WHERE gateway = 'sms'"
_GO_ON: Final = "UPDATE look_up_turn SET after_account_id = %(after)s WHERE gateway = 'sms'"

_BEGIN: Final = """
UPDATE look_up_turn
SET busy_until = %(lease_until)s, round_at = %(round_at)s,
    asked = CASE WHEN round_at = %(round_at)s THEN asked ELSE 0 END
WHERE gateway = 'sms' AND (busy_until IS NULL OR busy_until <= %(now)s)
RETURNING asked
"""
# Whoever outlived their lease frees nobody else's.
_END: Final = """
UPDATE look_up_turn
SET asked = asked + %(asked)s,
    busy_until = CASE WHEN busy_until = %(lease_until)s THEN NULL ELSE busy_until END
WHERE gateway = 'sms'
"""


def walk(table: str, rows: str) -> str:
    """The stores that have something due among these rows, by id; the index tells the earliest."""
    return f"""
WITH RECURSIVE walk AS (
    (SELECT account_id, look_up_at, 0 AS due_before FROM {table}
     WHERE {rows} AND account_id > %(after)s AND account_id <= %(through)s
     ORDER BY account_id, look_up_at LIMIT 1)
    UNION ALL
    SELECT n.account_id, n.look_up_at, w.due_before + (w.look_up_at <= %(now)s)::int
    FROM walk w CROSS JOIN LATERAL (
        SELECT account_id, look_up_at FROM {table}
        WHERE {rows} AND account_id > w.account_id AND account_id <= %(through)s
        ORDER BY account_id, look_up_at LIMIT 1) n
    WHERE w.due_before + (w.look_up_at <= %(now)s)::int < %(accounts_max)s
)
SELECT account_id FROM walk WHERE look_up_at <= %(now)s ORDER BY account_id
"""


def in_turn(
    driver: Driver, statement: str, now: datetime, after: AccountId, accounts_max: int
) -> list[AccountId]:
    """Those behind a store, then those up to it."""
    found: list[AccountId] = []
    with by_index(driver):
        for first, last in ((after, ACCOUNT_MAX), (0, after)):
            if len(found) < accounts_max:
                bounds = {"now": now, "after": first, "through": last}
                bounds["accounts_max"] = accounts_max - len(found)
                rows = driver.execute(statement.encode(), bounds)
                found += [AccountId(account) for (account,) in rows]
    return found


def last_served(driver: Driver) -> AccountId:
    """Where the slice before ended."""
    row = driver.execute(_AFTER).fetchone()
    return AccountId(row[0] if row else 0)


def go_on_behind(driver: Driver, account: AccountId) -> None:
    """Where the next slice begins."""
    driver.execute(_GO_ON, {"after": account})


def begin(driver: Driver, now: datetime, lease_until: datetime, round_at: datetime) -> int | None:
    """How many were asked about in this round; None: somebody else is at it."""
    bounds = {"now": now, "lease_until": lease_until, "round_at": round_at}
    row = driver.execute(_BEGIN, bounds).fetchone()
    return None if row is None else int(row[0])


def end(driver: Driver, lease_until: datetime, asked: int) -> None:
    """A slice is over."""
    driver.execute(_END, {"lease_until": lease_until, "asked": asked})
