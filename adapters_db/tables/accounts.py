"""Sessions, refresh tokens and API keys; the accounts themselves are in `kernel`."""

from sqlalchemy import (
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
)
from sqlalchemy.dialects.postgresql import ARRAY

from adapters_db.connection.columns import UtcTime
from adapters_db.tables.metadata import metadata

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
