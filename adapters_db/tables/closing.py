"""Accounts that are being closed."""

from sqlalchemy import Column, ForeignKey, Integer, Table

from adapters_db.connection.columns import UtcTime
from adapters_db.tables.metadata import metadata

account_closing = Table(
    "account_closing",
    metadata,
    Column("account_id", Integer, ForeignKey("account.id"), primary_key=True, autoincrement=False),
    Column("began_at", UtcTime, nullable=False),
    Column("erasing_since", UtcTime),
    Column("closed_at", UtcTime),
)
