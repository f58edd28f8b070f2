"""Imports of contacts, their files, their faults, and what they did."""

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
)
from sqlalchemy.dialects.postgresql import CHAR, JSONB

from adapters_db.connection.columns import EnumText, PhoneDigits, UtcTime
from adapters_db.tables.contacts import Words
from adapters_db.tables.metadata import metadata
from retail_core.imports.model import Encoding, FileKind, ImportMode, ImportPurpose, ImportStatus

import_job = Table(
    "import_job",
    metadata,
    Column("id", Integer, Identity(always=False), primary_key=True),
    Column("account_id", Integer, ForeignKey("account.id", ondelete="CASCADE"), nullable=False),
    Column("status", EnumText(ImportStatus), nullable=False),
    Column("file_name", Text, nullable=False),
    Column("kind", EnumText(FileKind), nullable=False),
    Column("encoding", EnumText(Encoding), nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("region", CHAR(2), nullable=False),
    Column("mode", EnumText(ImportMode), nullable=False),
    Column("dry_run", Boolean, nullable=False),
    Column("tags", Words, nullable=False),
    Column("consent_source", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("created", Integer, nullable=False),
    Column("updated", Integer, nullable=False),
    Column("skipped", Integer, nullable=False),
    Column("faults", Integer, nullable=False),
    Column("error", Text),
    Column("starts", SmallInteger, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("touched_at", UtcTime, nullable=False),
    Column("finished_at", UtcTime),
    Column("removed", Integer, nullable=False, server_default="0"),
    Column("restored", Integer, nullable=False, server_default="0"),
    Column("kept", Integer, nullable=False, server_default="0"),
    Column("undone_to", PhoneDigits),
    Column("list_id", Integer),
    Column("purpose", EnumText(ImportPurpose), nullable=False, server_default="contacts"),
    Column("note", Text),
    UniqueConstraint("account_id", "id"),
)
UNFINISHED = (
    ImportStatus.WAITING,
    ImportStatus.ACTIVE,
    ImportStatus.DELAYED,
    ImportStatus.UNDOING,
)
"""States in which there is something left to do, forwards or backwards."""

Index(None, import_job.c.touched_at, postgresql_where=import_job.c.status.in_(UNFINISHED))

Index(None, import_job.c.finished_at)


def _to_job() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["account_id", "import_id"], ["import_job.account_id", "import_job.id"], ondelete="CASCADE"
    )


import_chunk = Table(
    "import_chunk",
    metadata,
    Column("account_id", Integer, primary_key=True),
    Column("import_id", Integer, primary_key=True),
    Column("no", Integer, primary_key=True),
    Column("data", LargeBinary, nullable=False),
    _to_job(),
)

import_fault = Table(
    "import_fault",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("account_id", Integer, nullable=False),
    Column("import_id", Integer, nullable=False),
    Column("row_no", Integer, nullable=False),
    Column("field", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("value", Text, nullable=False),
    _to_job(),
    Index(None, "account_id", "import_id", "id"),
)

import_row = Table(
    "import_row",
    metadata,
    Column("account_id", Integer, primary_key=True),
    Column("import_id", Integer, primary_key=True),
    Column("phone", PhoneDigits, primary_key=True),
    Column("row_no", Integer, nullable=False),
    Column("contact_id", Integer),
    Column("before", JSONB(none_as_null=True)),
    Column("after", JSONB(none_as_null=True)),
    Column("applied_at", UtcTime, nullable=False),
    _to_job(),
)
