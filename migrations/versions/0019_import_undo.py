"""Taking imports back: what each row left behind, and how far an undo has come."""

from alembic import op

revision = "0019"
down_revision = "0018"

_OPEN = "'waiting', 'active', 'delayed'"


def upgrade() -> None:
    for column in ("removed", "restored", "kept"):
        op.execute(
            f"ALTER TABLE import_job ADD COLUMN {column} integer NOT NULL DEFAULT 0 "
            f"CHECK ({column} >= 0)"
        )
    op.execute("ALTER TABLE import_job ADD COLUMN undone_to bigint")
    # What imports before this one changed cannot be told from later edits: it stays.
    op.execute("ALTER TABLE import_row ADD COLUMN after jsonb")
    _index_stalled(f"{_OPEN}, 'undoing'")


def downgrade() -> None:
    _index_stalled(_OPEN)
    op.execute("ALTER TABLE import_row DROP COLUMN after")
    for column in ("undone_to", "kept", "restored", "removed"):
        op.execute(f"ALTER TABLE import_job DROP COLUMN {column}")


def _index_stalled(statuses: str) -> None:
    # a short table: the lock is held for moments
    op.execute("DROP INDEX import_job_touched_at_idx")
    op.execute(
        "CREATE INDEX import_job_touched_at_idx ON import_job (touched_at) "
        f"WHERE status IN ({statuses})"
    )
