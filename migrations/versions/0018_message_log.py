"""What the message log is read by: the order of single messages, and messages in trouble."""

from alembic import op

revision = "0018"
down_revision = "0017"

TROUBLE = "error_code IS NOT NULL OR failed_at IS NOT NULL"
"""Refused, left out, unknown or reported failed. It must not name the state: delivering a million
messages would then write a million entries of every index.
"""


def upgrade() -> None:
    op.execute("ALTER TABLE single_message ADD automation_id integer")
    op.execute(
        "ALTER TABLE single_message ADD CONSTRAINT single_message_automation_check "
        "CHECK (automation_id IS NULL OR kind = 'automation')"
    )
    op.execute(
        "CREATE INDEX single_message_account_id_number_idx ON single_message (account_id, number)"
    )
    # Single messages are few enough for indexes that name their state.
    op.execute(
        "CREATE INDEX single_message_account_id_state_number_idx "
        "ON single_message (account_id, state, number) INCLUDE (kind)"
    )
    op.execute(
        "CREATE INDEX single_message_account_id_kind_number_idx "
        "ON single_message (account_id, kind, number)"
    )
    _find_singles_in_doubt()
    op.execute(
        "CREATE INDEX IF NOT EXISTS message_trouble_idx ON ONLY message (campaign_id, seq) "
        f"WHERE {TROUBLE}"
    )
    partitions = op.get_bind().exec_driver_sql(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'message'::regclass"
    )
    names = [name for (name,) in partitions]
    # Piece by piece and without a lock, since the table may be large and in use.
    with op.get_context().autocommit_block():
        for name in names:
            op.execute(
                f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name}_trouble_idx "
                f"ON {name} (campaign_id, seq) WHERE {TROUBLE}"
            )
            op.execute(f"ALTER INDEX message_trouble_idx ATTACH PARTITION {name}_trouble_idx")


def _find_singles_in_doubt() -> None:
    """Single messages without a final state: matched by their number, and asked about."""
    op.execute("ALTER TABLE single_message ADD look_up_at timestamptz")
    op.execute(
        "CREATE INDEX single_message_open_phone_idx ON single_message (phone) WHERE state IN (1, 2)"
    )
    op.execute(
        "CREATE INDEX single_message_look_up_at_idx ON single_message (look_up_at) "
        "WHERE state IN (2, 3) AND provider_id IS NOT NULL"
    )
    op.execute(
        "UPDATE single_message SET look_up_at = submitted_at + interval '10 minutes' "
        "WHERE state IN (2, 3)"
    )


def downgrade() -> None:
    op.execute("DROP INDEX message_trouble_idx")
    op.execute("DROP INDEX single_message_account_id_number_idx")
    op.execute("DROP INDEX single_message_account_id_state_number_idx")
    op.execute("DROP INDEX single_message_account_id_kind_number_idx")
    op.execute("DROP INDEX single_message_open_phone_idx")
    op.execute("DROP INDEX single_message_look_up_at_idx")
    op.execute("ALTER TABLE single_message DROP automation_id, DROP look_up_at")
