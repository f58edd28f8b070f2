"""Campaigns whose messages are old are found by the end of each, and are not looked at again."""

from alembic import op

revision = "0042"
down_revision = "0041"


def upgrade() -> None:
    op.execute(
        "UPDATE campaign SET finished_at = updated_at WHERE finished_at IS NULL "
        "AND state IN ('completed', 'failed', 'cancelled')"
    )
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX IF EXISTS campaign_finished_at_idx")
        op.execute(
            "CREATE INDEX CONCURRENTLY campaign_finished_at_idx ON campaign (finished_at, id) "
            "WHERE texts_removed_at IS NULL AND finished_at IS NOT NULL"
        )


def downgrade() -> None:
    op.execute("DROP INDEX campaign_finished_at_idx")
