"""How the gateway does."""

from sqlalchemy import Column, Integer, Table, Text, text

from adapters_db.connection.columns import UtcTime
from adapters_db.tables.metadata import metadata

_ZERO = text("0")

gateway_health = Table(
    "gateway_health",
    metadata,
    Column("gateway", Text, primary_key=True),
    Column("strain", Integer, nullable=False, server_default=_ZERO),
    Column("level", Integer, nullable=False, server_default=_ZERO),
    Column("rests_until", UtcTime),
)
