"""Files of numbers that are not to be sent to: imports of another purpose, with a note."""

from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE import_job
            ADD COLUMN purpose text NOT NULL DEFAULT 'contacts'
                CHECK (purpose IN ('contacts', 'suppressions')),
            ADD COLUMN note text CHECK (char_length(note) <= 200)
        """
    )


def downgrade() -> None:
    op.execute("ALTER TABLE import_job DROP COLUMN purpose, DROP COLUMN note")
