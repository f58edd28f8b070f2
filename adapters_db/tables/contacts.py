"""Contacts, consent and suppressions.

Checks, row security and the trigger that keeps the ledger append-only live in the migration.
"""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Dialect,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
)
from sqlalchemy.dialects.postgresql import ARRAY, CHAR
from sqlalchemy.types import TypeDecorator

from adapters_db.connection.columns import EnumText, JsonOf, PhoneDigits, UtcTime
from adapters_db.tables.metadata import metadata
from retail_core.contacts.model import (
    ConsentSource,
    ConsentType,
    Gender,
    SuppressionReason,
)
from retail_core.contacts.model.erasure import Erased
from retail_core.kernel.addresses.phones import LineType

LINE_TYPE_NUMBERS: Final[Mapping[LineType, int]] = {
    LineType.UNKNOWN: 0,
    LineType.MOBILE: 1,
    LineType.LANDLINE: 2,
}
_LINE_TYPES: Final = {number: kind for kind, number in LINE_TYPE_NUMBERS.items()}


class LineTypeNumber(TypeDecorator[LineType]):
    """What stands at the other end, in two bytes."""

    impl = SmallInteger
    cache_ok = True

    def process_bind_param(self, value: LineType | None, dialect: Dialect) -> int | None:
        """Store the number."""
        return None if value is None else LINE_TYPE_NUMBERS[value]

    def process_result_value(self, value: int | None, dialect: Dialect) -> LineType | None:
        """Read the number."""
        return None if value is None else _LINE_TYPES[value]


class Words(TypeDecorator[tuple[str, ...]]):
    """A few texts, kept as a text array, seen as a tuple."""

    impl = ARRAY(Text)
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> list[str] | None:  # noqa: ANN401 - any collection
        """The driver wants a list."""
        return None if value is None else list(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> tuple[str, ...] | None:  # noqa: ANN401 - what the driver has
        """Entities are frozen through and through."""
        return None if value is None else tuple(value)


contact = Table(
    "contact",
    metadata,
    Column("id", Integer, Identity(always=False), primary_key=True),
    Column("account_id", Integer, ForeignKey("account.id", ondelete="CASCADE"), nullable=False),
    Column("phone", PhoneDigits, nullable=False),
    Column("country", CHAR(2), nullable=False),
    Column("line_type", LineTypeNumber, nullable=False),
    Column("email", Text),
    Column("first_name", Text),
    Column("last_name", Text),
    Column("gender", EnumText(Gender)),
    Column("birthday", Date),
    Column("tags", Words, nullable=False),
    Column("is_subscribed", Boolean, nullable=False),
    Column("unsubscribed_at", UtcTime),
    Column("search_text", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    UniqueConstraint("account_id", "phone"),
    UniqueConstraint("account_id", "id"),
)
Index(
    "contact_reach_idx",
    contact.c.account_id,
    contact.c.gender,
    contact.c.birthday,
    postgresql_include=["phone"],
    postgresql_where=contact.c.is_subscribed,
)
Index("contact_phone_idx", contact.c.phone)
Index(
    "contact_search_idx",
    contact.c.search_text,
    postgresql_using="gin",
    postgresql_ops={"search_text": "gin_trgm_ops"},
)
Index("contact_tags_idx", contact.c.tags, postgresql_using="gin")

consent_event = Table(
    "consent_event",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("account_id", Integer, ForeignKey("account.id"), nullable=False),
    Column("contact_id", Integer, nullable=False),
    Column("type", EnumText(ConsentType), nullable=False),
    Column("channel", Text, nullable=False, server_default="sms"),
    Column("purpose", Text, nullable=False, server_default="marketing"),
    Column("source", EnumText(ConsentSource), nullable=False),
    Column("source_ref", Text),
    Column("consent_text", Text),
    Column("consent_text_version", Integer),
    Column("statement", Text),
    Column("ip", Text),
    Column("user_agent", Text),
    Column("locale", Text),
    Column("actor_user_id", Integer),
    Column("campaign_id", Integer),
    Column("occurred_at", UtcTime, nullable=False),
    Column("created_at", UtcTime, nullable=False, server_default=func.now()),
    Index(None, "account_id", "contact_id", "id"),
)
Index(
    None,
    consent_event.c.account_id,
    consent_event.c.campaign_id,
    postgresql_where=consent_event.c.campaign_id.is_not(None),
)
Index(
    "consent_event_withdrawn_idx",
    consent_event.c.occurred_at,
    postgresql_where=consent_event.c.type == ConsentType.WITHDRAWN,
)

consent_subject = Table(
    "consent_subject",
    metadata,
    Column("account_id", Integer, ForeignKey("account.id"), primary_key=True),
    Column("contact_id", Integer, primary_key=True),
    Column("phone_hash", LargeBinary, nullable=False),
    Column("deleted_at", UtcTime, nullable=False),
    Column("erased", JsonOf(Erased)),
    Index(None, "deleted_at"),
    Index(None, "account_id", "deleted_at"),
)

suppression = Table(
    "suppression",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("account_id", Integer, ForeignKey("account.id", ondelete="CASCADE"), nullable=False),
    Column("phone", PhoneDigits),
    Column("phone_hash", LargeBinary),
    Column("reason", EnumText(SuppressionReason), nullable=False),
    Column("note", Text),
    Column("source", Text),
    Column("contact_id", Integer),
    Column("created_at", UtcTime, nullable=False),
    UniqueConstraint("account_id", "phone", "reason"),
    UniqueConstraint("account_id", "phone_hash"),
)
