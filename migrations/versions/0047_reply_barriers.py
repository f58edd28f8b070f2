"""No reply is kept that may tell of somebody who was erased before it was written down."""

from alembic import op

from migrations.row_security import enable_row_security

revision = "0047"
down_revision = "0046"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE reply_barrier (
            account_id integer PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
            until timestamptz NOT NULL
        )
        """
    )
    enable_row_security("reply_barrier")


def downgrade() -> None:
    op.execute("DROP TABLE reply_barrier")
