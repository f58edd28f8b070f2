"""Accounts, their sessions, refresh tokens and API keys, and accounts that are being closed."""

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from adapters_db.connection.columns import EnumText, JsonOf, UtcTime
from adapters_db.tables.metadata import metadata
from retail_core.accounts.model import Locale, QuietHours
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

session = Table(
    "session",
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    Column("account_id", Integer, ForeignKey("account.id", ondelete="CASCADE"), nullable=False),
    Column("ip", Text),
    Column("user_agent", Text),
    Column("created_at", UtcTime, nullable=False),
    Column("last_used_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False, index=True),
    Column("ends_at", UtcTime, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("rotated_at", UtcTime, nullable=False),
    Column("revoked_at", UtcTime),
    UniqueConstraint("account_id", "id"),
)

refresh_token = Table(
    "refresh_token",
    metadata,
    Column("hash", LargeBinary, primary_key=True),
    Column("account_id", Integer, nullable=False),
    Column("session_id", Integer, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("expires_at", UtcTime, nullable=False, index=True),
    ForeignKeyConstraint(
        ["account_id", "session_id"], ["session.account_id", "session.id"], ondelete="CASCADE"
    ),
    Index("refresh_token_account_id_session_id_idx", "account_id", "session_id"),
)

api_key = Table(
    "api_key",
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    Column("account_id", Integer, ForeignKey("account.id", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("prefix", Text, nullable=False),
    Column("hash", LargeBinary, nullable=False, unique=True),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("last_used_at", UtcTime),
    Column("expires_at", UtcTime),
    Column("revoked_at", UtcTime),
    Index("api_key_account_id_id_idx", "account_id", "id"),
)

account_closing = Table(
    "account_closing",
    metadata,
    Column("account_id", Integer, ForeignKey("account.id"), primary_key=True, autoincrement=False),
    Column("began_at", UtcTime, nullable=False),
    Column("erasing_since", UtcTime),
    Column("closed_at", UtcTime),
)
