"""The sequence of message numbers, in memory."""

import attrs

from retail_core.kernel.ids import MessageNumber
from retail_core.links.codes import CODE_NUMBER_MAX
from retail_core.messages.errors import NumbersUsedUp
from retail_core.testing.tables import MemoryTables


@attrs.frozen
class MemoryMessageNumbers:
    """`MessageNumbers` in memory; like a real sequence it takes none back at a rollback."""

    tables: MemoryTables

    def reserve_block(self, size: int) -> MessageNumber:
        first = self.tables.message_numbers.take_block(size, CODE_NUMBER_MAX)
        if first is None:
            raise NumbersUsedUp
        return MessageNumber(first)

    def given(self) -> int:
        return self.tables.message_numbers.taken
