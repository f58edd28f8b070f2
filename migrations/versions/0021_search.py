"""Searches and tags stay fast at a million contacts a store."""

from alembic import op
from sqlalchemy.exc import DBAPIError

revision = "0021"
down_revision = "0020"

NO_TRIGRAMS = (
    "PostgreSQL's extension pg_trgm is needed to search contacts, and could not be created. "
    "Install PostgreSQL's contrib modules if it is missing; if this login may not create it, let "
    "an administrator run CREATE EXTENSION pg_trgm in this database. Then migrate again."
)


def upgrade() -> None:
    try:
        op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except DBAPIError as error:
        raise RuntimeError(NO_TRIGRAMS) from error
    with op.get_context().autocommit_block():
        # What an earlier try left behind half made is of no use to anybody.
        op.execute("DROP INDEX IF EXISTS contact_search_idx, contact_tags_idx")
        op.execute(
            "CREATE INDEX CONCURRENTLY contact_search_idx "
            "ON contact USING gin (search_text gin_trgm_ops)"
        )
        op.execute("CREATE INDEX CONCURRENTLY contact_tags_idx ON contact USING gin (tags)")


def downgrade() -> None:
    # The extension stays: others may have asked for it, and it costs nothing.
    op.execute("DROP INDEX contact_search_idx, contact_tags_idx")
