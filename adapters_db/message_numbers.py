"""The sequence that all messages take their numbers from."""

import attrs
from sqlalchemy import Connection

from adapters_db.connections import psycopg_connection
from retail_core.kernel.ids import MessageNumber


@attrs.frozen
class SqlMessageNumbers:
    """`MessageNumbers` on a sequence, whose moves no rollback takes back."""

    connection: Connection

    def reserve_block(self, size: int) -> MessageNumber:
        """A lock around reading and moving the sequence keeps blocks apart."""
        driver = psycopg_connection(self.connection)
        with driver.pipeline():
            driver.execute("SELECT pg_advisory_xact_lock(hashtext('message_number'))")
            block = driver.execute(
                "SELECT setval('message_number', nextval('message_number') + %s) - %s",
                (size - 1, size - 1),
            )
        row = block.fetchone()
        assert row is not None, "setval always answers"
        return MessageNumber(row[0])
