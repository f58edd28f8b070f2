"""Tables that every room shares: the outbox, idempotency keys, audit log, periodic and failed jobs.

Models know columns, keys and references; checks, row security and triggers live in the
migrations alone.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
)
from sqlalchemy.dialects.postgresql import JSONB

from adapters_db.connection.columns import EnumText, UtcTime
from adapters_db.tables.metadata import metadata
from retail_core.kernel.audit import AgentKind, AuditAction, AuditKind

outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("key", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("payload", JSONB, nullable=False),
    Column("account_id", Integer, ForeignKey("account.id", ondelete="CASCADE"), index=True),
    Column("not_before", UtcTime),
    Column("created_at", UtcTime, nullable=False, server_default=func.now()),
    UniqueConstraint("key"),
)

idempotency_key = Table(
    "idempotency_key",
    metadata,
    Column("account_id", Integer, ForeignKey("account.id", ondelete="CASCADE"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("effect", BigInteger, nullable=False),
    Column("reply_status", SmallInteger),
    Column("reply_body", LargeBinary),
    Column("created_at", UtcTime, nullable=False, server_default=func.now(), index=True),
)

reply_barrier = Table(
    "reply_barrier",
    metadata,
    Column("account_id", Integer, ForeignKey("account.id", ondelete="CASCADE"), primary_key=True),
    Column("until", UtcTime, nullable=False),
)

audit_entry = Table(
    "audit_entry",
    metadata,
    Column("number", BigInteger, Identity(always=True), primary_key=True),
    Column("at", UtcTime, nullable=False, server_default=func.now(), index=True),
    # no foreign key: what was done outlives what it was done to
    Column("account_id", Integer),
    Column("agent", EnumText(AgentKind), nullable=False),
    Column("agent_account_id", Integer),
    Column("session_id", Integer),
    Column("api_key_id", Integer),
    Column("request_id", Text),
    Column("address", Text),
    Column("action", EnumText(AuditAction), nullable=False),
    Column("kind", EnumText(AuditKind), nullable=False),
    Column("id", BigInteger),
    Column("details", JSONB, nullable=False),
    Index("audit_entry_account_id_number_idx", "account_id", "number"),
    Index("audit_entry_action_number_idx", "action", "number"),
)

periodic_job = Table(
    "periodic_job",
    metadata,
    Column("name", Text, primary_key=True),
    Column("next_run_at", UtcTime, nullable=False),
    Column("last_run_at", UtcTime),
)

failed_job = Table(
    "failed_job",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("payload", JSONB, nullable=False),
    Column("account_id", Integer),
    Column("error", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("failed_at", UtcTime, nullable=False, server_default=func.now(), index=True),
)

scheduler_lead = Table(
    "scheduler_lead",
    metadata,
    Column("what", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("leads_until", UtcTime, nullable=False),
    Column("backend", Integer),
)
