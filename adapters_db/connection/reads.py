"""How the query ports' adapters read."""

from collections.abc import Iterator
from contextlib import contextmanager

import attrs
from sqlalchemy import Connection

from adapters_db.connection.connections import Connections
from adapters_db.connection.questions import Asked, Row
from retail_core.kernel.ids import AccountId


@attrs.frozen
class Reads:
    """Read-only transactions for the query ports' adapters."""

    connections: Connections

    def ask(self, account: AccountId, *asked: Asked) -> list[list[Row]]:
        """The rows of one account for each question, in one message."""
        return self.connections.ask(account, *asked)

    def ask_across_accounts(self, *asked: Asked) -> list[list[Row]]:
        """As `ask`, seeing all rows: each question must name the account where it means one."""
        return self.connections.ask_across_accounts(*asked)

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
