"""The sequence that all messages take their numbers from."""

import attrs
from sqlalchemy import Connection

from adapters_db.connection.connections import psycopg_connection
from retail_core.kernel.ids import MessageNumber
from retail_core.messages.errors import NumbersUsedUp

_RESERVE = "SELECT reserve_message_numbers(%s)"
_GIVEN = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM message_number"


@attrs.frozen
class SqlMessageNumbers:
    """`MessageNumbers` on a sequence, whose moves no rollback takes back."""

    connection: Connection

    def reserve_block(self, size: int) -> MessageNumber:
        """By a function whose lock ends with the function, not with the transaction."""
        first = self._value(_RESERVE, size)
        if first is None:
            raise NumbersUsedUp
        return MessageNumber(first)

    def given(self) -> int:
        """What the sequence says."""
        return self._value(_GIVEN) or 0

    def _value(self, statement: str, *parameters: int) -> int | None:
        row = psycopg_connection(self.connection).execute(statement.encode(), parameters).fetchone()
        assert row is not None, "both always answer"
        value: int | None = row[0]
        return value
