"""The text that tells somebody that their STOP worked: which suppression it passes, and when."""

from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    # No reference: once the suppression is lifted the message is too late, not changed.
    op.execute(
        """
        ALTER TABLE single_message ADD COLUMN stop_suppression_id bigint,
            ADD CHECK (stop_suppression_id IS NULL
                       OR (kind = 'confirmation' AND expires_at IS NOT NULL))
        """
    )
    op.execute("ALTER TABLE confirmation ADD COLUMN is_of_stop boolean NOT NULL DEFAULT false")
    op.execute(
        "CREATE INDEX confirmation_of_stop_idx ON confirmation (phone_hash, asked_at) "
        "WHERE is_of_stop"
    )


def downgrade() -> None:
    op.execute("DROP INDEX confirmation_of_stop_idx")
    op.execute("ALTER TABLE confirmation DROP COLUMN is_of_stop")
    op.execute("ALTER TABLE single_message DROP COLUMN stop_suppression_id")
