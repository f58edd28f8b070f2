"""The wallet and its ledger."""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from adapters_db.connection.columns import EnumText, UtcTime
from adapters_db.tables.metadata import metadata
from retail_core.credits.model import LedgerAccount, TransferKind

wallet = Table(
    "wallet",
    metadata,
    Column("account_id", Integer, ForeignKey("account.id"), primary_key=True),
    Column("available", BigInteger, nullable=False, server_default=text("0")),
    Column("held", BigInteger, nullable=False, server_default=text("0")),
    Column("debt", BigInteger, nullable=False, server_default=text("0")),
    Column("updated_at", UtcTime, nullable=False, server_default=func.now()),
    Column("low_since", UtcTime),
)

credit_transfer = Table(
    "credit_transfer",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("account_id", Integer, ForeignKey("account.id"), nullable=False),
    Column("key", Text, nullable=False),
    Column("kind", EnumText(TransferKind), nullable=False),
    Column("debit", EnumText(LedgerAccount), nullable=False),
    Column("credit", EnumText(LedgerAccount), nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("campaign_id", Integer),
    Column("message_number", BigInteger),
    Column("reason", Text),
    Column("meta", JSONB(none_as_null=True)),
    Column("balance_after", BigInteger, nullable=False),
    Column("created_at", UtcTime, nullable=False, server_default=func.now()),
    UniqueConstraint("account_id", "key"),
    Index(None, "account_id", "id"),
    Index(
        "credit_transfer_campaign_id_idx",
        "campaign_id",
        postgresql_where=text("campaign_id IS NOT NULL"),
    ),
)

ledger_check = Table(
    "ledger_check",
    metadata,
    Column("account_id", Integer, ForeignKey("account.id"), primary_key=True),
    Column("through_id", BigInteger, nullable=False),
    Column("available", BigInteger, nullable=False),
    Column("held", BigInteger, nullable=False),
    Column("debt", BigInteger, nullable=False),
    Column("checked_at", UtcTime, nullable=False),
    Column("whole_at", UtcTime, nullable=False),
)

SHOWN = text("(debit IN ('available', 'held')) <> (credit IN ('available', 'held'))")
"""Whether a transfer changed the balance; word for word as in the partial index."""

Index(
    "credit_transfer_shown_idx",
    credit_transfer.c.account_id,
    credit_transfer.c.id,
    postgresql_where=SHOWN,
)
