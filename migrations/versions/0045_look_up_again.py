"""A message about which nobody got an answer to be believed is asked about ever more rarely."""

from alembic import op

revision = "0045"
down_revision = "0044"


def upgrade() -> None:
    op.execute("ALTER TABLE status_look_up ADD again_at timestamptz")


def downgrade() -> None:
    op.execute("ALTER TABLE status_look_up DROP again_at")
