"""Tables that every room shares: accounts, the outbox, idempotency keys, periodic jobs.

Models know columns, keys and references; checks, row security and triggers live in the
migrations alone.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
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
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from adapters_db.connection.columns import EnumText, JsonOf, UtcTime
from adapters_db.tables.metadata import metadata
from retail_core.accounts.model import Locale, QuietHours
from retail_core.kernel.audit import AgentKind, AuditAction, AuditKind
from retail_core.kernel.smart_encoding import SmartEncoding

account = Table(
    "account",
    metadata,
    Column("id", Integer, Identity(always=False), primary_key=True),
    Column("email", Text, nullable=False, unique=True),
    Column("password_hash", Text),
    Column("sender_name", Text),
    Column("company", Text),
    Column("timezone", Text),
    Column("adults_only", Boolean, nullable=False, server_default=text("false")),
    Column("quiet_hours", JsonOf(QuietHours)),
    Column("default_country", Text, nullable=False, server_default="GR", index=True),
    Column("locale", EnumText(Locale), nullable=False, server_default="en"),
    Column("smart_encoding", EnumText(SmartEncoding), nullable=False, server_default="off"),
    Column("created_at", UtcTime, nullable=False, server_default=func.now()),
    Column("updated_at", UtcTime, nullable=False, server_default=func.now()),
)

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
