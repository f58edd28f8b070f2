"""The only way to write: a unit of work in one transaction, done once where a key asks for it."""

from collections.abc import Iterator
from contextlib import contextmanager

import attrs
from sqlalchemy import Connection

from adapters_db.connections import Connections
from adapters_db.idempotency import claim_key, store_key
from adapters_db.unit_of_work import SqlUnitOfWork
from retail_core.kernel.idempotency import Once
from retail_core.kernel.ids import AccountId


@attrs.frozen
class SqlTransactions:
    """`Transactions` on PostgreSQL: commit on a clean exit, roll back on any exception."""

    connections: Connections

    @contextmanager
    def begin(self, account: AccountId, once: Once | None = None) -> Iterator[SqlUnitOfWork]:
        """Work for one account; see the port for what `once` does."""
        with self.connections.bound(account) as connection:
            if once is not None:
                claim_key(connection, once)
            uow = SqlUnitOfWork(connection)
            yield uow
            uow.flush()
            if once is not None:
                store_key(connection, once, uow.named_effect)

    @contextmanager
    def across_accounts(self) -> Iterator[SqlUnitOfWork]:
        """Work that sweeps over accounts."""
        with self.connections.sweep() as connection:
            uow = SqlUnitOfWork(connection)
            yield uow
            uow.flush()


@attrs.frozen
class Reads:
    """Read-only transactions for the query ports' adapters."""

    connections: Connections

    @contextmanager
    def account(self, account: AccountId) -> Iterator[Connection]:
        """See the rows of one account only."""
        with self.connections.bound(account, read_only=True) as connection:
            yield connection

    @contextmanager
    def across_accounts(self) -> Iterator[Connection]:
        """See all rows: the statement itself must name the account where it means one.

        Also for searches whose index row security would hide (trigrams, arrays).
        """
        with self.connections.sweep(read_only=True) as connection:
            yield connection
