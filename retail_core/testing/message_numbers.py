"""The sequence of message numbers, in memory."""

import attrs

from retail_core.kernel.ids import MessageNumber
from retail_core.testing.tables import MemoryTables


@attrs.frozen
class MemoryMessageNumbers:
    """`MessageNumbers` in memory; like a real sequence it takes none back at a rollback."""

    tables: MemoryTables

    def reserve_block(self, size: int) -> MessageNumber:
        return MessageNumber(min([self.tables.message_numbers.take() for _ in range(size)]))
