"""The list that an import fills: named without a reference, since the list may go first."""

from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.execute("ALTER TABLE import_job ADD COLUMN list_id integer")


def downgrade() -> None:
    op.execute("ALTER TABLE import_job DROP COLUMN list_id")
