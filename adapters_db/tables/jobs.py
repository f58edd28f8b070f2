"""Jobs that failed for good, and who leads the periodic ones."""

from sqlalchemy import BigInteger, Column, Identity, Integer, Table, Text, func
from sqlalchemy.dialects.postgresql import JSONB

from adapters_db.connection.columns import UtcTime
from adapters_db.tables.metadata import metadata

failed_job = Table(
    "failed_job",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("payload", JSONB, nullable=False),
    Column("account_id", Integer),
    Column("error", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("failed_at", UtcTime, nullable=False, server_default=func.now(), index=True),
)

scheduler_lead = Table(
    "scheduler_lead",
    metadata,
    Column("what", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("leads_until", UtcTime, nullable=False),
    Column("backend", Integer),
)
