"""Who was asked when to confirm that he wants messages, and who was told that his STOP worked.

Numbers as keyed hashes alone.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    text,
)

from adapters_db.connection.columns import UtcTime
from adapters_db.tables.metadata import metadata

confirmation = Table(
    "confirmation",
    metadata,
    Column("message_number", BigInteger, primary_key=True, autoincrement=False),
    Column("account_id", Integer, ForeignKey("account.id", ondelete="CASCADE"), nullable=False),
    Column("phone_hash", LargeBinary, nullable=False),
    Column("asked_at", UtcTime, nullable=False, index=True),
    Column("is_of_stop", Boolean, nullable=False, server_default="false"),
    Index(None, "account_id", "asked_at"),
    Index(None, "account_id", "phone_hash", "asked_at"),
    Index(
        "confirmation_of_stop_idx", "phone_hash", "asked_at", postgresql_where=text("is_of_stop")
    ),
)
