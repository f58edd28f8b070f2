"""When a parked report is tried again."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.execute("ALTER TABLE report_parked ADD tries smallint NOT NULL DEFAULT 0")
    op.execute("ALTER TABLE report_parked ADD next_try_at timestamptz")
    op.execute("UPDATE report_parked SET next_try_at = parked_at + interval '1 minute'")
    op.execute(
        "CREATE INDEX report_parked_next_try_at_idx ON report_parked (next_try_at, id) "
        "WHERE next_try_at IS NOT NULL"
    )
    op.execute("DROP INDEX report_parked_parked_at_idx")


def downgrade() -> None:
    op.execute("CREATE INDEX report_parked_parked_at_idx ON report_parked (parked_at)")
    op.execute("DROP INDEX report_parked_next_try_at_idx")
    op.execute("ALTER TABLE report_parked DROP next_try_at, DROP tries")
