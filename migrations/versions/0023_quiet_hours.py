"""Batches that wait for the end of quiet hours, and single messages that are never sent late."""

from alembic import op

revision = "0023"
down_revision = "0022"

_STATES = "'queued', 'claimed', 'submitting', 'unknown', 'settled', 'cancelled'"


def upgrade() -> None:
    _states(f"{_STATES}, 'deferred'")
    op.execute(
        """
        ALTER TABLE send_batch ADD CONSTRAINT send_batch_deferred_check
            CHECK (state <> 'deferred' OR not_before IS NOT NULL) NOT VALID
        """
    )
    op.execute("ALTER TABLE send_batch VALIDATE CONSTRAINT send_batch_deferred_check")
    op.execute(
        "CREATE INDEX send_batch_deferred_idx ON send_batch (not_before) WHERE state = 'deferred'"
    )
    # What is on its way to people counts where a frequency cap is set.
    op.execute(
        "CREATE INDEX send_batch_open_idx ON send_batch (account_id) "
        "WHERE state IN ('queued', 'deferred', 'claimed', 'submitting')"
    )
    op.execute("ALTER TABLE single_message ADD COLUMN expires_at timestamptz")


def downgrade() -> None:
    op.execute("ALTER TABLE single_message DROP COLUMN expires_at")
    op.execute("DROP INDEX send_batch_open_idx")
    op.execute("DROP INDEX send_batch_deferred_idx")
    op.execute("ALTER TABLE send_batch DROP CONSTRAINT send_batch_deferred_check")
    op.execute("UPDATE send_batch SET state = 'queued' WHERE state = 'deferred'")
    _states(_STATES)


def _states(words: str) -> None:
    """Rows are checked without the long lock."""
    op.execute("ALTER TABLE send_batch DROP CONSTRAINT send_batch_state_check")
    op.execute(
        "ALTER TABLE send_batch ADD CONSTRAINT send_batch_state_check "
        f"CHECK (state IN ({words})) NOT VALID"
    )
    op.execute("ALTER TABLE send_batch VALIDATE CONSTRAINT send_batch_state_check")
