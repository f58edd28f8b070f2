"""A halted scheduler loses the lead: it is a lease in a row, not a lock of a connection."""

from alembic import op

from migrations.row_security import enable_row_security_for_sweeps_only

revision = "0036"
down_revision = "0035"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE scheduler_lead (
            what text PRIMARY KEY CHECK (what = 'periodic'),
            holder text NOT NULL,
            leads_until timestamptz NOT NULL
        )
        """
    )
    enable_row_security_for_sweeps_only("scheduler_lead")
    op.execute("INSERT INTO scheduler_lead VALUES ('periodic', 'nobody', '-infinity')")


def downgrade() -> None:
    op.execute("DROP TABLE scheduler_lead")
