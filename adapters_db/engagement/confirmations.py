"""Confirmations on PostgreSQL: who was asked when."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import attrs
from sqlalchemy import Connection, exists, insert, select

from adapters_db.connection.connections import psycopg_connection
from adapters_db.tables.engagement import confirmation
from retail_core.kernel.ids import AccountId, MessageNumber

# Whoever asked before has committed by the time that the next one counts.
_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtext('confirmations'), %(account)s)"

_LOCK_TOLD: Final = "SELECT pg_advisory_xact_lock(hashtext('told_of_stop'), %(key)s)"


@attrs.frozen
class SqlConfirmationStore:
    """`ConfirmationStore` on PostgreSQL."""

    connection: Connection

    def lock(self, account: AccountId) -> None:
        """Wait for whoever of the store is asking somebody."""
        psycopg_connection(self.connection).execute(_LOCK, {"account": account})

    def asked(self, account: AccountId, phone_hash: bytes, since: datetime) -> Sequence[datetime]:
        """By the index of numbers."""
        columns = confirmation.c
        return self.connection.scalars(
            select(columns.asked_at)
            .where(
                columns.account_id == account,
                columns.phone_hash == phone_hash,
                columns.asked_at > since,
                ~columns.is_of_stop,
            )
            .order_by(columns.asked_at)
        ).all()

    def asked_by_store(
        self, account: AccountId, since: datetime, times_max: int
    ) -> Sequence[datetime]:
        """By the index of times, from its end."""
        columns = confirmation.c
        latest = self.connection.scalars(
            select(columns.asked_at)
            .where(columns.account_id == account, columns.asked_at > since, ~columns.is_of_stop)
            .order_by(columns.asked_at.desc())
            .limit(times_max)
        )
        return latest.all()[::-1]

    def add(
        self, account: AccountId, phone_hash: bytes, message: MessageNumber, at: datetime
    ) -> None:
        """One row."""
        self._add(account, phone_hash, message, at, of_stop=False)

    def add_of_stop(
        self, account: AccountId, phone_hash: bytes, message: MessageNumber, at: datetime
    ) -> None:
        """One row, marked."""
        self._add(account, phone_hash, message, at, of_stop=True)

    def lock_told_of_stop_across_accounts(self, phone_hash: bytes) -> None:
        """Wait for whoever is telling the number."""
        key = int.from_bytes(phone_hash[:4], "big", signed=True)
        psycopg_connection(self.connection).execute(_LOCK_TOLD, {"key": key})

    def is_told_of_stop_across_accounts(self, phone_hash: bytes, since: datetime) -> bool:
        """Over the index of those rows."""
        columns = confirmation.c
        told = exists().where(
            columns.is_of_stop, columns.phone_hash == phone_hash, columns.asked_at > since
        )
        return bool(self.connection.execute(select(told)).scalar())

    def _add(
        self,
        account: AccountId,
        phone_hash: bytes,
        message: MessageNumber,
        at: datetime,
        *,
        of_stop: bool,
    ) -> None:
        self.connection.execute(
            insert(confirmation).values(
                message_number=message,
                account_id=account,
                phone_hash=phone_hash,
                asked_at=at,
                is_of_stop=of_stop,
            )
        )
