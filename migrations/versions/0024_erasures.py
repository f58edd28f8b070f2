"""What was erased of a person is kept as counts, beside the hash that recognises their number."""

from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    op.execute("ALTER TABLE consent_subject ADD erased jsonb")


def downgrade() -> None:
    op.execute("ALTER TABLE consent_subject DROP erased")
