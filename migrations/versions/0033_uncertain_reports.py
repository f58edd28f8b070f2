"""Reports that were believed for a phone's number alone: the state follows, the credits wait."""

from alembic import op

revision = "0033"
down_revision = "0032"

_INDEXES = {
    "single_message_in_doubt_idx": "single_message (submitted_at, number) "
    "WHERE holds AND state BETWEEN 2 AND 5",
    "message_doubt_provider_id_idx": "message_doubt (provider_id) WHERE provider_id IS NOT NULL",
}


def upgrade() -> None:
    # The id of the reports that were taken to be about it, which need not be its own; empty if
    # they had none.
    for table in ("message_doubt", "single_message"):
        op.execute(f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS reported_id text")
    # The id that the gateway gave it, so that a report with an id is looked for among those in
    # doubt and not among all messages ever sent.
    op.execute("ALTER TABLE message_doubt ADD COLUMN IF NOT EXISTS provider_id text")
    op.execute(
        """
        UPDATE message_doubt d SET provider_id = m.provider_id
        FROM message m
        WHERE m.campaign_id = d.campaign_id AND m.seq = d.seq AND m.provider_id IS NOT NULL
        """
    )
    with op.get_context().autocommit_block():
        # What was accepted for certain holds nothing any more.
        _check("single_message_holds_check", "state < 3 OR NOT holds OR reported_id IS NOT NULL")
        op.execute("ALTER TABLE single_message DROP CONSTRAINT IF EXISTS single_message_check3")
        for name, place in _INDEXES.items():
            op.execute(f"DROP INDEX IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {place}")


def _check(name: str, condition: str) -> None:
    """Each step by itself, so that nobody is kept out while rows are read."""
    op.execute(f"ALTER TABLE single_message DROP CONSTRAINT IF EXISTS {name}")
    op.execute(f"ALTER TABLE single_message ADD CONSTRAINT {name} CHECK ({condition}) NOT VALID")
    op.execute(f"ALTER TABLE single_message VALIDATE CONSTRAINT {name}")


def downgrade() -> None:
    # What is not certain is unknown to the release before.
    op.execute("UPDATE single_message SET state = 2 WHERE holds AND state BETWEEN 3 AND 5")
    op.execute(
        "ALTER TABLE single_message ADD CONSTRAINT single_message_check3 "
        "CHECK (state < 3 OR NOT holds)"
    )
    op.execute("ALTER TABLE single_message DROP CONSTRAINT single_message_holds_check")
    for name in _INDEXES:
        op.execute(f"DROP INDEX {name}")
    op.execute("ALTER TABLE message_doubt DROP COLUMN provider_id")
    for table in ("message_doubt", "single_message"):
        op.execute(f"ALTER TABLE {table} DROP COLUMN reported_id")
