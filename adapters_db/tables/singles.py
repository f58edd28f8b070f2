"""Single messages."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from adapters_db.columns import EnumNumber, EnumText, PhoneDigits, UtcTime
from adapters_db.tables.metadata import metadata
from retail_core.messages.model import MessageKind, MessageState

single_message = Table(
    "single_message",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("account_id", Integer, ForeignKey("account.id"), nullable=False),
    Column("kind", EnumText(MessageKind), nullable=False),
    Column("occasion", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("campaign_id", Integer),
    Column("contact_id", Integer),
    Column("phone", PhoneDigits),
    Column("sender", Text, nullable=False),
    Column("text", Text),
    Column("encoding", SmallInteger, nullable=False),
    Column("parts", SmallInteger, nullable=False),
    Column("credits", Integer, nullable=False),
    Column("holds", Boolean, nullable=False),
    Column("state", EnumNumber(MessageState), nullable=False),
    Column("not_before", UtcTime),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("ref", Uuid, index=True),
    Column("lease_until", UtcTime),
    Column("provider_id", Text, index=True),
    Column("error_code", Text),
    Column("error", Text),
    Column("created_at", UtcTime, nullable=False),
    Column("submitted_at", UtcTime),
    Column("sent_at", UtcTime),
    Column("delivered_at", UtcTime),
    Column("failed_at", UtcTime),
    Column("updated_at", UtcTime, nullable=False),
    UniqueConstraint("account_id", "occasion"),
    ForeignKeyConstraint(["account_id", "campaign_id"], ["campaign.account_id", "campaign.id"]),
    Index("single_message_due_idx", "number", postgresql_where=text("state = 0")),
    Index(
        "single_message_lease_until_idx",
        "lease_until",
        postgresql_where=text("lease_until IS NOT NULL"),
    ),
    Index("single_message_unknown_idx", "submitted_at", postgresql_where=text("state = 2")),
    Index("single_message_account_id_contact_id_idx", "account_id", "contact_id"),
    Index(
        "single_message_campaign_id_idx",
        "campaign_id",
        postgresql_where=text("campaign_id IS NOT NULL"),
    ),
)
