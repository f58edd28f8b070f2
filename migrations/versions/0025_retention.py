"""What the daily clean-up looks for, so that it reads what is old and not everything."""

from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.execute("ALTER TABLE campaign ADD texts_removed_at timestamptz")
    # The trigger still refuses whoever does not say that they prune.
    op.execute("GRANT DELETE ON consent_event TO retail_sweep")
    with op.get_context().autocommit_block():
        for name, place in INDEXES.items():
            op.execute(f"DROP INDEX IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {place}")


INDEXES = {
    "single_message_text_idx": "single_message (created_at) "
    "WHERE phone IS NOT NULL OR text IS NOT NULL",
    "consent_event_withdrawn_idx": "consent_event (occurred_at) WHERE type = 'withdrawn'",
    "consent_subject_deleted_at_idx": "consent_subject (deleted_at)",
    "import_job_finished_at_idx": "import_job (finished_at)",
}


def downgrade() -> None:
    for name in INDEXES:
        op.execute(f"DROP INDEX {name}")
    op.execute("REVOKE DELETE ON consent_event FROM retail_sweep")
    op.execute("ALTER TABLE campaign DROP texts_removed_at")
