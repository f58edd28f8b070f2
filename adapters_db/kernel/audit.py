"""The audit log on PostgreSQL."""

from collections.abc import Sequence
from typing import Any

import attrs
from sqlalchemy import Connection, Row, insert, select

from adapters_db.connection.reads import Reads
from adapters_db.tables.kernel import audit_entry
from retail_core.kernel.audit import Agent, AuditEntry, AuditFilter, AuditRecord, present_agent

_COLUMNS = [
    audit_entry.c.number,
    audit_entry.c.at,
    audit_entry.c.action,
    audit_entry.c.account_id,
    audit_entry.c.kind,
    audit_entry.c.id,
    audit_entry.c.details,
]
_AGENT = [
    audit_entry.c.agent,
    audit_entry.c.agent_account_id,
    audit_entry.c.session_id,
    audit_entry.c.api_key_id,
    audit_entry.c.request_id,
    audit_entry.c.address,
]


@attrs.frozen
class SqlAuditLog:
    """`AuditLog` on PostgreSQL: no role may change a row, and a trigger holds the owner to it."""

    connection: Connection

    def record(self, entry: AuditEntry) -> None:
        """One row, stamped by the database's clock."""
        agent = present_agent()
        self.connection.execute(
            insert(audit_entry).values(
                account_id=entry.account,
                agent=agent.kind,
                agent_account_id=agent.account,
                session_id=agent.session,
                api_key_id=agent.api_key,
                request_id=agent.request_id,
                address=agent.address,
                action=entry.action,
                kind=entry.kind,
                id=entry.id,
                details=dict(entry.written_details),
            )
        )


@attrs.frozen
class SqlAuditTrail:
    """`AuditTrail` on PostgreSQL."""

    reads: Reads

    def newest_across_accounts(self, which: AuditFilter, records_max: int) -> Sequence[AuditRecord]:
        """Down the index of the account, of the action, or of the key."""
        statement = select(*_COLUMNS, *_AGENT)
        if which.account is not None:
            statement = statement.where(audit_entry.c.account_id == which.account)
        if which.action is not None:
            statement = statement.where(audit_entry.c.action == which.action)
        if which.since is not None:
            statement = statement.where(audit_entry.c.at >= which.since)
        statement = statement.order_by(audit_entry.c.number.desc()).limit(records_max)
        with self.reads.across_accounts() as connection:
            return [_record(row) for row in connection.execute(statement)]


def _record(row: Row[Any]) -> AuditRecord:
    number, at, action, account, kind, thing, details = row[: len(_COLUMNS)]
    return AuditRecord(
        number=number,
        at=at,
        agent=Agent(*row[len(_COLUMNS) :]),
        action=action,
        account=account,
        kind=kind,
        id=thing,
        details=details,
    )
