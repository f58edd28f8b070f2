"""Own lists, who was put on them, and what segments ask about beside the contact itself."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Dialect,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator

from adapters_db.connection.columns import EnumNumber, EnumText, UtcTime
from adapters_db.tables.metadata import metadata
from retail_core.audiences.model import EngagementKind, Segment
from retail_core.audiences.segments import read_segment
from retail_core.contacts.model import Gender


class SegmentTree(TypeDecorator[Segment]):
    """A segment, stored as the JSON that the API speaks."""

    impl = JSONB(none_as_null=True)
    cache_ok = True

    def process_bind_param(self, value: Segment | None, dialect: Dialect) -> object:
        """Its document."""
        return None if value is None else value.document()

    def process_result_value(self, value: Any, dialect: Dialect) -> Segment | None:  # noqa: ANN401 - JSON
        """Read it again; one that is not valid any more is a defect and raises."""
        return None if value is None else read_segment(value)


contact_list = Table(
    "contact_list",
    metadata,
    Column("id", Integer, Identity(always=False), primary_key=True),
    Column("account_id", Integer, ForeignKey("account.id", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text),
    Column("filter_gender", EnumText(Gender)),
    Column("filter_age_min", SmallInteger),
    Column("filter_age_max", SmallInteger),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    UniqueConstraint("account_id", "id"),
    UniqueConstraint("account_id", "name"),
)


def _to_contact() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["account_id", "contact_id"], ["contact.account_id", "contact.id"], ondelete="CASCADE"
    )


list_member = Table(
    "list_member",
    metadata,
    Column("account_id", Integer, primary_key=True),
    Column("list_id", Integer, primary_key=True),
    Column("contact_id", Integer, primary_key=True),
    Column("id", BigInteger, Identity(always=False), unique=True, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    ForeignKeyConstraint(
        ["account_id", "list_id"],
        ["contact_list.account_id", "contact_list.id"],
        ondelete="CASCADE",
    ),
    _to_contact(),
    Index(None, "account_id", "list_id", "id"),
    Index(None, "account_id", "contact_id"),
)

engagement_fact = Table(
    "engagement_fact",
    metadata,
    Column("account_id", Integer, nullable=False),
    Column("contact_id", Integer, nullable=False),
    Column("kind", EnumNumber(EngagementKind), nullable=False),
    Column("campaign_id", Integer),
    Column("at", UtcTime, nullable=False),
    _to_contact(),
    ForeignKeyConstraint(["account_id", "campaign_id"], ["campaign.account_id", "campaign.id"]),
    UniqueConstraint(
        "account_id", "contact_id", "kind", "campaign_id", postgresql_nulls_not_distinct=True
    ),
    Index(None, "account_id", "campaign_id", "kind"),
)
