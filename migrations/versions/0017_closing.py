"""Accounts that are being closed."""

from alembic import op

from migrations.row_security import enable_row_security

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    # Stays as long as the account's ledger does: nobody signs in to what was closed.
    op.execute(
        """
        CREATE TABLE account_closing (
            account_id integer PRIMARY KEY REFERENCES account (id),
            began_at timestamptz NOT NULL,
            erasing_since timestamptz,
            closed_at timestamptz,
            CHECK (closed_at IS NULL OR erasing_since IS NOT NULL)
        )
        """
    )
    enable_row_security("account_closing")


def downgrade() -> None:
    op.execute("DROP TABLE account_closing")
