"""Whose message carried a link, on PostgreSQL."""

import attrs

from adapters_db.connection.reads import Reads
from adapters_db.messages.messages import SqlMessageStore
from retail_core.contacts.ports import MessageOrigin
from retail_core.kernel.ids import MessageNumber


@attrs.frozen
class SqlMessageOrigins:
    """`MessageOrigins` on PostgreSQL: asks the store of messages."""

    reads: Reads

    def find_across_accounts(self, number: MessageNumber) -> MessageOrigin | None:
        """Whose message carried a link."""
        with self.reads.across_accounts() as connection:
            return SqlMessageStore(connection).find_across_accounts(number)
