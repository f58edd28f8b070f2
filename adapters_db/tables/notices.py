"""What owners must hear, and the tokens that set a new password."""

from sqlalchemy import (
    BigInteger,
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
    text,
)

from adapters_db.connection.columns import EnumText, UtcTime
from adapters_db.tables.metadata import metadata
from retail_core.notices.model import NoticeKind

notice = Table(
    "notice",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("account_id", Integer, ForeignKey("account.id", ondelete="CASCADE"), nullable=False),
    Column("kind", EnumText(NoticeKind), nullable=False),
    Column("cause", Text, nullable=False),
    Column("campaign_id", Integer),
    Column("created_at", UtcTime, nullable=False, index=True),
    Column("touched_at", UtcTime, nullable=False),
    Column("attempts", SmallInteger, nullable=False, server_default=text("0")),
    Column("claimed_until", UtcTime),
    Column("done_at", UtcTime),
    UniqueConstraint("account_id", "cause"),
    ForeignKeyConstraint(["account_id", "campaign_id"], ["campaign.account_id", "campaign.id"]),
)

Index(
    "notice_touched_at_idx",
    notice.c.touched_at,
    postgresql_where=text("done_at IS NULL"),
)

password_reset = Table(
    "password_reset",
    metadata,
    Column(
        "account_id",
        Integer,
        ForeignKey("account.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    Column("expires_at", UtcTime, nullable=False, index=True),
)
