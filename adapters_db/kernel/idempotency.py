"""Idempotency keys: claimed at the beginning of a transaction, stored at its end."""

from datetime import datetime

import attrs
from sqlalchemy import Connection, delete, exists, insert, update

from adapters_db.connection.connections import Connections, psycopg_connection
from adapters_db.tables.kernel import idempotency_key, reply_barrier
from retail_core.kernel.errors import IdempotencyInProgress, IdempotencyKeyReused
from retail_core.kernel.idempotency import AlreadyDone, Once, StoredReply

_LOCK = "SELECT pg_try_advisory_xact_lock(hashtextextended('once:' || %s || ':' || %s, 0))"
_FIND = """
SELECT fingerprint, effect, reply_status, reply_body
FROM idempotency_key WHERE account_id = %s AND key = %s
"""

# Whoever erases somebody has this lock alone. While somebody does, or has just done so, a reply is
# not kept: it may tell of that person, and a repeat builds it from what is there by then.
_NOBODY_IS_ERASED = "SELECT pg_try_advisory_xact_lock_shared(hashtext('people_leave'), %s)"


def claim_key(connection: Connection, once: Once) -> None:
    """Own the key until the transaction ends, or say why not.

    The look-up is a statement of its own, since only its snapshot is surely newer than the lock;
    both travel in one round trip. Raises `IdempotencyInProgress`, `IdempotencyKeyReused` and
    `AlreadyDone`.
    """
    driver = psycopg_connection(connection)
    with driver.pipeline():
        lock = driver.execute(_LOCK, (str(once.account), once.key))
        found = driver.execute(_FIND, (once.account, once.key))
    if lock.fetchone() != (True,):
        raise IdempotencyInProgress
    row = found.fetchone()
    if row is None:
        return
    fingerprint, effect, status, body = row
    if bytes(fingerprint) != once.fingerprint:
        raise IdempotencyKeyReused
    raise AlreadyDone(effect, None if status is None else StoredReply(status, bytes(body)))


def store_key(connection: Connection, once: Once, effect: int) -> None:
    """Remember that the key's effect exists, from this commit on."""
    connection.execute(
        insert(idempotency_key).values(
            account_id=once.account, key=once.key, fingerprint=once.fingerprint, effect=effect
        )
    )


@attrs.frozen
class SqlIdempotencyReplies:
    """`IdempotencyReplies` on PostgreSQL, each call in a transaction of its own."""

    connections: Connections

    def save(self, once: Once, reply: StoredReply) -> None:
        """Store the reply beside the key's effect; the first one stays."""
        barrier = exists().where(
            reply_barrier.c.account_id == once.account,
            reply_barrier.c.until >= idempotency_key.c.created_at,
        )
        with self.connections.bound(once.account) as connection:
            driver = psycopg_connection(connection)
            if driver.execute(_NOBODY_IS_ERASED, (once.account,)).fetchone() != (True,):
                return
            connection.execute(
                update(idempotency_key)
                .where(
                    idempotency_key.c.account_id == once.account,
                    idempotency_key.c.key == once.key,
                    idempotency_key.c.fingerprint == once.fingerprint,
                    idempotency_key.c.reply_status.is_(None),
                    ~barrier,
                )
                .values(reply_status=reply.status, reply_body=reply.body)
            )

    def remove_older_across_accounts(self, before: datetime) -> int:
        """Forget keys older than their life; returns how many."""
        with self.connections.sweep() as connection:
            return connection.execute(
                delete(idempotency_key).where(idempotency_key.c.created_at < before)
            ).rowcount
