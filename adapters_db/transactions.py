"""The only way to write: a unit of work in one transaction, done once where a key asks for it."""

from collections.abc import Iterator
from contextlib import contextmanager

import attrs

from adapters_db.connection.connections import Connections
from adapters_db.kernel.idempotency import claim_key, store_key
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
            if once is not None and uow.named_effect is not None:
                store_key(connection, once, uow.named_effect)

    @contextmanager
    def across_accounts(self) -> Iterator[SqlUnitOfWork]:
        """Work that sweeps over accounts."""
        with self.connections.sweep() as connection:
            uow = SqlUnitOfWork(connection)
            yield uow
            uow.flush()
