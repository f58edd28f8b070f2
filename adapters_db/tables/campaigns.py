"""Campaigns, batches, messages and delivery reports."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from adapters_db.connection.columns import EnumNumber, EnumText, JsonOf, PhoneDigits, UtcTime
from adapters_db.tables.audiences import SegmentTree
from adapters_db.tables.metadata import metadata
from retail_core.audiences.model import AgeGroup
from retail_core.campaigns.model import CampaignState
from retail_core.contacts.model import Gender
from retail_core.messages.model import MessageState, SendingPlan

_ZERO = text("0")

campaign = Table(
    "campaign",
    metadata,
    Column("id", Integer, Identity(always=False), primary_key=True),
    Column("account_id", Integer, ForeignKey("account.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("message_text", Text, nullable=False),
    Column("system_list", Text),
    Column("list_id", Integer),
    Column("list_is_gone", Boolean, nullable=False, server_default="false"),
    Column("exclude_list_ids", ARRAY(Integer), nullable=False, server_default="{}"),
    Column("segment", SegmentTree),
    Column("named_list_ids", ARRAY(Integer), nullable=False, server_default="{}"),
    Column("filter_gender", EnumText(Gender)),
    Column("filter_age_group", EnumText(AgeGroup)),
    Column("include_offer", Boolean, nullable=False),
    Column("state", EnumText(CampaignState), nullable=False, server_default="draft"),
    Column("status_reason", Text),
    Column("scheduled_at", UtcTime),
    Column("started_at", UtcTime),
    Column("finished_at", UtcTime),
    Column("texts_removed_at", UtcTime),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    Column("total", Integer, nullable=False, server_default=_ZERO),
    Column("queued", Integer, nullable=False, server_default=_ZERO),
    Column("sent", Integer, nullable=False, server_default=_ZERO),
    Column("delivered", Integer, nullable=False, server_default=_ZERO),
    Column("failed", Integer, nullable=False, server_default=_ZERO),
    Column("unknown", Integer, nullable=False, server_default=_ZERO),
    Column("cancelled", Integer, nullable=False, server_default=_ZERO),
    Column("credits_held", BigInteger, nullable=False, server_default=_ZERO),
    Column("credits_captured", BigInteger, nullable=False, server_default=_ZERO),
    Column("credits_released", BigInteger, nullable=False, server_default=_ZERO),
    Column("settled_at_resume", Integer, nullable=False, server_default=_ZERO),
    Column("failed_at_resume", Integer, nullable=False, server_default=_ZERO),
    Column("first_number", BigInteger, unique=True),
    Column("plan", JsonOf(SendingPlan)),
    UniqueConstraint("account_id", "id"),
    ForeignKeyConstraint(["account_id", "list_id"], ["contact_list.account_id", "contact_list.id"]),
    Index(
        "campaign_account_id_list_id_idx",
        "account_id",
        "list_id",
        postgresql_where=text("list_id IS NOT NULL"),
    ),
    Index(
        "campaign_finished_at_idx",
        "finished_at",
        "id",
        postgresql_where=text("texts_removed_at IS NULL AND finished_at IS NOT NULL"),
    ),
    Index(
        "campaign_account_id_started_at_idx",
        "account_id",
        "started_at",
        postgresql_where=text("started_at IS NOT NULL"),
    ),
)

send_batch = Table(
    "send_batch",
    metadata,
    Column("campaign_id", Integer, primary_key=True),
    Column("no", Integer, primary_key=True),
    Column("account_id", Integer, nullable=False),
    Column("size", Integer, nullable=False),
    Column("first_seq", Integer, nullable=False),
    Column("last_seq", Integer, nullable=False),
    Column("seqs", ARRAY(Integer)),
    Column("contact_ids", ARRAY(Integer)),
    Column("phones", ARRAY(BigInteger)),
    Column("credits_per_part", ARRAY(SmallInteger)),
    Column("first_names", ARRAY(Text)),
    Column("last_names", ARRAY(Text)),
    Column("emails", ARRAY(Text)),
    Column("state", Text, nullable=False, server_default="queued"),
    Column("turn", BigInteger, nullable=False),
    Column("not_before", UtcTime),
    Column("attempt", Integer, nullable=False, server_default=_ZERO),
    Column("tries", Integer, nullable=False, server_default=_ZERO),
    Column("worker", Text),
    Column("lease_until", UtcTime),
    Column("ref", Uuid, unique=True),
    Column("dropped", JSONB, nullable=False, server_default="{}"),
    Column("forgotten", JSONB, nullable=False, server_default="{}"),
    Column("submitted_at", UtcTime),
    Column("settled_at", UtcTime),
    Column("look_up_at", UtcTime),
    ForeignKeyConstraint(["account_id", "campaign_id"], ["campaign.account_id", "campaign.id"]),
    Index("send_batch_turn_idx", "turn", postgresql_where=text("state = 'queued'")),
    Index(
        "send_batch_account_id_turn_idx",
        "account_id",
        "turn",
        postgresql_where=text("state = 'queued'"),
    ),
    Index(
        "send_batch_open_idx",
        "account_id",
        postgresql_where=text("state IN ('queued', 'deferred', 'claimed', 'submitting')"),
    ),
    Index(
        "send_batch_people_idx",
        "account_id",
        "campaign_id",
        "no",
        postgresql_where=text("contact_ids IS NOT NULL"),
    ),
    Index("send_batch_deferred_idx", "not_before", postgresql_where=text("state = 'deferred'")),
    Index(
        "send_batch_lease_until_idx",
        "lease_until",
        postgresql_where=text("lease_until IS NOT NULL"),
    ),
    Index(
        "send_batch_look_up_at_idx", "look_up_at", postgresql_where=text("look_up_at IS NOT NULL")
    ),
    Index("send_batch_unknown_idx", "settled_at", postgresql_where=text("state = 'unknown'")),
)

message = Table(
    "message",
    metadata,
    Column("campaign_id", Integer, primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("account_id", Integer, nullable=False),
    Column("contact_id", Integer),
    Column("phone", PhoneDigits),
    Column("state", EnumNumber(MessageState), nullable=False),
    Column("encoding", SmallInteger, nullable=False),
    Column("parts", SmallInteger, nullable=False),
    Column("credits", Integer, nullable=False),
    Column("first_name", Text),
    Column("last_name", Text),
    Column("email", Text),
    Column("provider_id", Text, index=True),
    Column("error_code", Text),
    Column("error", Text),
    Column("sent_at", UtcTime),
    Column("delivered_at", UtcTime),
    Column("failed_at", UtcTime),
    Column("updated_at", UtcTime, nullable=False),
    UniqueConstraint("contact_id", "campaign_id"),
    Index(
        "message_trouble_idx",
        "campaign_id",
        "seq",
        postgresql_where=text("error_code IS NOT NULL OR failed_at IS NOT NULL"),
    ),
    postgresql_partition_by="RANGE (campaign_id)",
)

message_partition = Table(
    "message_partition",
    metadata,
    Column("first_campaign", Integer, primary_key=True, autoincrement=False),
    Column("below", Integer, nullable=False),
    Column("made_at", UtcTime, nullable=False),
    Column("made_for", Integer, nullable=False),
    Column("last_hand_over", UtcTime),
    Column("waits", Boolean, nullable=False, server_default="false"),
    Column("lean_before", UtcTime),
    Column("copied_campaign", Integer),
    Column("copied_seq", Integer),
    Column("lean_at", UtcTime),
)

message_change = Table(
    "message_change",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("campaign_id", Integer, nullable=False),
    Column("seq", Integer, nullable=False),
)

report_inbox = Table(
    "report_inbox",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("raw", LargeBinary, nullable=False),
    Column("arrived_at", UtcTime, nullable=False),
    Column("applied_at", UtcTime),
    Index("report_inbox_waiting_idx", "id", postgresql_where=text("applied_at IS NULL")),
)

report_parked = Table(
    "report_parked",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("provider_id", Text, index=True),
    Column("reference", BigInteger),
    Column("phone", PhoneDigits, index=True),
    Column("state", EnumNumber(MessageState), nullable=False),
    Column("word", Text, nullable=False),
    Column("at", UtcTime),
    Column("error", Text),
    Column("parked_at", UtcTime, nullable=False),
    Column("tries", SmallInteger, nullable=False, server_default=_ZERO),
    Column("next_try_at", UtcTime),
    Index(
        "report_parked_reference_idx",
        "reference",
        postgresql_where=text("reference IS NOT NULL"),
    ),
    Index(
        "report_parked_next_try_at_idx",
        "next_try_at",
        "id",
        postgresql_where=text("next_try_at IS NOT NULL"),
    ),
)
