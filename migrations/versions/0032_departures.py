"""Whom a store removed of late is found at once: an audience that was just frozen may hold them."""

from alembic import op

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX IF EXISTS consent_subject_account_id_deleted_at_idx")
        op.execute(
            "CREATE INDEX CONCURRENTLY consent_subject_account_id_deleted_at_idx "
            "ON consent_subject (account_id, deleted_at)"
        )


def downgrade() -> None:
    op.execute("DROP INDEX consent_subject_account_id_deleted_at_idx")
