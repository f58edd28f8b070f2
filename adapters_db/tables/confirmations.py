"""Who was asked when to confirm that he wants messages: numbers as keyed hashes alone."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, Table

from adapters_db.columns import UtcTime
from adapters_db.tables.metadata import metadata

confirmation = Table(
    "confirmation",
    metadata,
    Column("message_number", BigInteger, primary_key=True, autoincrement=False),
    Column("account_id", Integer, ForeignKey("account.id", ondelete="CASCADE"), nullable=False),
    Column("phone_hash", LargeBinary, nullable=False),
    Column("asked_at", UtcTime, nullable=False, index=True),
    Index(None, "account_id", "asked_at"),
    Index(None, "account_id", "phone_hash", "asked_at"),
)
