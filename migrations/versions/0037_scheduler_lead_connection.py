"""A scheduler that died need not be waited for: its connection is gone."""

from alembic import op

revision = "0037"
down_revision = "0036"


def upgrade() -> None:
    op.execute("ALTER TABLE scheduler_lead ADD COLUMN backend integer")


def downgrade() -> None:
    op.execute("ALTER TABLE scheduler_lead DROP COLUMN backend")
