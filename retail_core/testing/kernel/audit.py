"""The audit log in memory."""

from collections.abc import Sequence

import attrs

from retail_core.kernel.audit import AuditEntry, AuditFilter, AuditRecord, present_agent
from retail_core.kernel.ids import AccountId
from retail_core.kernel.time.clock import Clock
from retail_core.testing.database import MemoryDatabase
from retail_core.testing.tables import MemoryTables


class ForeignRow(Exception):
    """Work that is bound to an account wrote of another one, as row security would say."""


@attrs.frozen
class MemoryAuditLog:
    """`AuditLog` in memory."""

    tables: MemoryTables
    bound_to: AccountId | None
    clock: Clock

    def record(self, entry: AuditEntry) -> None:
        if self.bound_to is not None and self.bound_to != entry.account:
            raise ForeignRow
        number = self.tables.audit_numbers.take()
        record = AuditRecord(
            number=number,
            at=self.clock.now(),
            agent=present_agent(),
            action=entry.action,
            account=entry.account,
            kind=entry.kind,
            id=entry.id,
            details=entry.written_details,
        )
        self.tables.audit_entries.insert(number, record)


@attrs.frozen
class MemoryAuditTrail:
    """`AuditTrail` in memory."""

    database: MemoryDatabase

    def newest_across_accounts(self, which: AuditFilter, records_max: int) -> Sequence[AuditRecord]:
        with self.database.transaction() as tables:
            found = [
                record
                for record in tables.audit_entries
                if which.account in (None, record.account)
                and which.action in (None, record.action)
                and (which.since is None or record.at >= which.since)
            ]
        return found[::-1][:records_max]
