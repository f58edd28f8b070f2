"""Jobs that failed for good, kept for the operator."""

from alembic import op

from migrations.row_security import enable_row_security_for_sweeps_only

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    # account_id has no foreign key: what failed is kept even when its account is gone
    op.execute(
        """
        CREATE TABLE failed_job (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            kind text NOT NULL,
            key text NOT NULL,
            payload jsonb NOT NULL,
            account_id integer,
            error text NOT NULL,
            detail text NOT NULL CHECK (char_length(detail) <= 2000),
            attempts integer NOT NULL CHECK (attempts >= 1),
            failed_at timestamptz NOT NULL DEFAULT now()
        )
        """
    )
    op.execute("CREATE INDEX failed_job_failed_at_idx ON failed_job (failed_at)")
    enable_row_security_for_sweeps_only("failed_job")


def downgrade() -> None:
    op.execute("DROP TABLE failed_job")
