"""Messages in doubt, and which messages the gateway was asked about."""

from sqlalchemy import Column, Index, Integer, Table, Text, text

from adapters_db.connection.columns import PhoneDigits, UtcTime
from adapters_db.tables.metadata import metadata

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
