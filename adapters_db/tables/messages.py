"""Single messages, messages in doubt, what the gateway was asked about, and how it does.

Messages of campaigns are in `campaigns`, beside their batches.
"""

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

from adapters_db.connection.columns import EnumNumber, EnumText, PhoneDigits, UtcTime
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
    Column("automation_id", Integer),
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
    Column("expires_at", UtcTime),
    Column("stop_suppression_id", BigInteger),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("ref", Uuid, index=True),
    Column("lease_until", UtcTime),
    Column("provider_id", Text, index=True),
    Column("error_code", Text),
    Column("error", Text),
    Column("created_at", UtcTime, nullable=False),
    Column("submitted_at", UtcTime),
    Column("look_up_at", UtcTime),
    Column("sent_at", UtcTime),
    Column("delivered_at", UtcTime),
    Column("failed_at", UtcTime),
    Column("updated_at", UtcTime, nullable=False),
    Column("reported_id", Text),
    UniqueConstraint("account_id", "occasion"),
    ForeignKeyConstraint(["account_id", "campaign_id"], ["campaign.account_id", "campaign.id"]),
    Index("single_message_due_idx", "number", postgresql_where=text("state = 0")),
    Index(
        "single_message_lease_until_idx",
        "lease_until",
        postgresql_where=text("lease_until IS NOT NULL"),
    ),
    Index("single_message_open_phone_idx", "phone", postgresql_where=text("state IN (1, 2)")),
    Index("single_message_phone_idx", "phone", postgresql_where=text("phone IS NOT NULL")),
    Index(
        "single_message_look_up_at_idx",
        "account_id",
        "look_up_at",
        postgresql_where=text(
            "state IN (2, 3) AND provider_id IS NOT NULL AND look_up_at IS NOT NULL"
        ),
    ),
    Index(
        "single_message_text_idx",
        "created_at",
        postgresql_where=text("phone IS NOT NULL OR text IS NOT NULL"),
    ),
    Index("single_message_unknown_idx", "submitted_at", postgresql_where=text("state = 2")),
    Index(
        "single_message_in_doubt_idx",
        "submitted_at",
        "number",
        postgresql_where=text("holds AND state BETWEEN 2 AND 5"),
    ),
    Index("single_message_account_id_contact_id_idx", "account_id", "contact_id"),
    Index("single_message_account_id_number_idx", "account_id", "number"),
    Index(
        "single_message_account_id_state_number_idx",
        "account_id",
        "state",
        "number",
        postgresql_include=["kind"],
    ),
    Index("single_message_account_id_kind_number_idx", "account_id", "kind", "number"),
    Index(
        "single_message_campaign_id_idx",
        "campaign_id",
        postgresql_where=text("campaign_id IS NOT NULL"),
    ),
)

message_doubt = Table(
    "message_doubt",
    metadata,
    Column("campaign_id", Integer, primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("account_id", Integer, nullable=False),
    Column("phone", PhoneDigits, index=True),
    Column("since", UtcTime, nullable=False),
    Column("credits", Integer, nullable=False),
    Column("credits_settled_at", UtcTime),
    Column("reported_id", Text),
    Column("provider_id", Text),
    Index(
        "message_doubt_provider_id_idx",
        "provider_id",
        postgresql_where=text("provider_id IS NOT NULL"),
    ),
    Index("message_doubt_since_idx", "since", postgresql_where=text("credits_settled_at IS NULL")),
)

status_look_up = Table(
    "status_look_up",
    metadata,
    Column("campaign_id", Integer, primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("account_id", Integer, nullable=False),
    Column("asked_at", UtcTime, nullable=False, index=True),
    Column("again_at", UtcTime),
)

look_up_turn = Table(
    "look_up_turn",
    metadata,
    Column("gateway", Text, primary_key=True),
    Column("after_account_id", Integer, nullable=False, server_default=text("0")),
    Column("busy_until", UtcTime),
    Column("round_at", UtcTime),
    Column("asked", Integer, nullable=False, server_default=text("0")),
)

_ZERO = text("0")

gateway_health = Table(
    "gateway_health",
    metadata,
    Column("gateway", Text, primary_key=True),
    Column("strain", Integer, nullable=False, server_default=_ZERO),
    Column("level", Integer, nullable=False, server_default=_ZERO),
    Column("rests_until", UtcTime),
)
