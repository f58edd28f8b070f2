"""What people text back, traces of numbers that were written to, and who was asked to confirm.

Numbers of those asked are kept as keyed hashes alone.
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
    text,
)

from adapters_db.connection.columns import EnumText, PhoneDigits, UtcTime
from adapters_db.tables.metadata import metadata
from retail_core.engagement.model import Keyword

inbound_text = Table(
    "inbound_text",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("raw", LargeBinary),
    Column("arrived_at", UtcTime, nullable=False),
    Column("applied_at", UtcTime),
    Column("phone", PhoneDigits),
    Column("text", Text),
    Column("message_id", Text),
    Column("fingerprint", LargeBinary),
    Column("keyword", EnumText(Keyword)),
    Column("is_repeat", Boolean, nullable=False, server_default="false"),
    Column("sender_end", Integer, nullable=False, server_default="0"),
    Column("urgency", SmallInteger, nullable=False, server_default="0"),
    Column("not_before", UtcTime),
    Column("tries", SmallInteger, nullable=False, server_default="0"),
    Column("is_nobodys", Boolean, nullable=False, server_default="false"),
    Index("inbound_text_turn_idx", "urgency", "id", postgresql_where=text("applied_at IS NULL")),
    Index(
        "inbound_text_sender_idx", "sender_end", "id", postgresql_where=text("applied_at IS NULL")
    ),
    Index(
        "inbound_text_put_off_idx",
        "sender_end",
        "id",
        postgresql_where=text("applied_at IS NULL AND not_before IS NOT NULL"),
    ),
    Index("inbound_text_nobodys_idx", "id", postgresql_where=text("is_nobodys")),
    Index("inbound_text_phone_idx", "phone", "id", postgresql_where=text("phone IS NOT NULL")),
)

inbound_scope = Table(
    "inbound_scope",
    metadata,
    Column("account_id", Integer, ForeignKey("account.id"), primary_key=True),
    Column(
        "inbound_id",
        BigInteger,
        ForeignKey("inbound_text.id", ondelete="CASCADE"),
        primary_key=True,
        index=True,
    ),
)

number_trace = Table(
    "number_trace",
    metadata,
    Column("account_id", Integer, ForeignKey("account.id"), primary_key=True),
    Column("phone_hash", LargeBinary, primary_key=True, index=True),
    Column("at", UtcTime, nullable=False, index=True),
    Column("sender", Text, nullable=False),
    Column("contact_id", Integer),
)

message_trace = Table(
    "message_trace",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("account_id", Integer, ForeignKey("account.id"), nullable=False, index=True),
    Column("phone_hash", LargeBinary, nullable=False),
    Column("at", UtcTime, nullable=False, index=True),
)

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
